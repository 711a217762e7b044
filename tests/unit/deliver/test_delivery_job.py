"""The job of the schedule does what the command does, and what fails is told."""

from __future__ import annotations

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner
from delivery_house import House
from delivery_servers import SftpPortal

from pipelines import sensors
from pipelines.cli_deliver import deliver
from pipelines.delivery import DELIVERY, delivery
from pipelines.schedules import to_recipients

PERIODS = ("2026-11-21", "2026-11-22")


@pytest.fixture
def unattended(sftp_house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setenv("QUORUM_HOME", str(sftp_house.home.root))
    monkeypatch.setenv("QUORUM_POLICY", str(sftp_house.policy_folder))
    for name, value in sftp_house.environ.items():
        monkeypatch.setenv(name, value)
    (sftp_house.home.root / "alerts.yaml").write_text("channels: [{kind: file, path: told}]", encoding="utf-8")
    return sftp_house


def _told(house: House) -> list[dict[str, object]]:
    path: Path = house.home.root / "told"
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def test_the_job_brings_each_package_once(unattended: House, portal: SftpPortal) -> None:
    assert delivery.execute_in_process().success
    assert {f"in/sections/{period}/certificate.sig" for period in PERIODS} <= set(portal.files())
    written = dict(portal.faults.written)
    assert delivery.execute_in_process().success
    assert portal.faults.written == written
    assert _told(unattended) == []


def test_a_package_that_does_not_arrive_fails_the_run_and_is_told_by_its_rule(
    unattended: House, portal: SftpPortal
) -> None:
    page = unattended.home.out / "info-a" / "sections" / PERIODS[0] / "report.ja.html"
    page.write_bytes(page.read_bytes()[:-1])
    with dg.DagsterInstance.ephemeral() as instance:
        ended = delivery.execute_in_process(instance=instance, raise_on_error=False)
        assert not ended.success
        assert f"in/sections/{PERIODS[1]}/certificate.sig" in portal.files()  # another package of it arrives
        event = dg.DagsterEvent(event_type_value="PIPELINE_FAILURE", job_name=DELIVERY)
        context = dg.build_run_status_sensor_context("tell_failure", event, instance, ended.dagster_run)
        sensors.tell_failure(context)
    (told,) = _told(unattended)
    assert (told["kind"], told["code"], told["rules"]) == ("delivery", 12, {"deliver.package": 1})


def test_the_command_tells_too_and_only_what_did_not_arrive(unattended: House) -> None:
    page = unattended.home.out / "info-a" / "sections" / PERIODS[0] / "report.ja.html"
    page.write_bytes(page.read_bytes()[:-1])
    for periods in (("--period", PERIODS[0]), ("--period", PERIODS[1])):
        result = CliRunner().invoke(deepcopy(deliver), periods)
        assert result.exit_code == (12 if periods[1] == PERIODS[0] else 0)
    (told,) = _told(unattended)
    assert (told["kind"], told["code"], told["rules"]) == ("delivery", 12, {"deliver.package": 1})


def test_the_schedule_asks_twice_a_morning_and_never_twice_for_the_same_hour() -> None:
    assert (to_recipients.cron_schedule, to_recipients.execution_timezone) == ("0 5,8 * * *", "Asia/Tokyo")
    keys = []
    for hour in (20, 23, 20):  # five, eight, and five again, said in UTC
        instant = datetime(2026, 11, 21, hour, tzinfo=UTC)
        with dg.build_schedule_context(scheduled_execution_time=instant) as context:
            request = to_recipients(context)
        assert isinstance(request, dg.RunRequest)
        keys.append(request.run_key)
    assert len(set(keys)) == 2
