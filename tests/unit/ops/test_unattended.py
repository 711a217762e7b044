"""What runs by itself: the sensor, the schedules, retries, freshness, and alerts about what Dagster ran."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster import DagsterRunStatus as Status

from assets.redaction import redacted
from pipelines import sensors
from pipelines.definitions import draw
from pipelines.jobs import BY, NIGHTLY, nightly
from pipelines.schedules import after_the_night, every_night
from quorum.errors import InputError, LedgerError
from quorum.ledger import Ledger
from quorum.workspace import night_lock
from quorum.zones import Home

NIGHT = date(2026, 11, 21)


@pytest.fixture
def landing(tmp_path: Path, home: Home, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "landing"
    (folder / NIGHT.isoformat() / "access").mkdir(parents=True)
    (folder / "sources.yaml").write_text("required: [access]", encoding="utf-8")
    monkeypatch.setenv("QUORUM_HOME", str(home.root))
    monkeypatch.setenv("QUORUM_LANDING", str(folder))
    monkeypatch.setattr(sensors, "yesterday", lambda: NIGHT + timedelta(days=1))
    return folder


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def asked(instance: dg.DagsterInstance, cursor: str | None = None) -> dg.RunRequest | str:
    with dg.build_sensor_context(instance=instance, cursor=cursor) as context:
        (found,) = list(sensors.when_complete(context))
    return found if isinstance(found, dg.RunRequest) else str(found.skip_message)


def entered(instance: dg.DagsterInstance, request: dg.RunRequest, status: Status) -> str:
    tags = {**request.tags, "dagster/partition": request.partition_key or ""}
    run = instance.create_run_for_job(_job(), status=status, tags=tags)
    return run.run_id


def _job() -> dg.JobDefinition:
    @dg.op(out=dg.Out(dg.Nothing))
    def nothing() -> None: ...

    @dg.job(name=NIGHTLY)
    def job() -> None:
        nothing()

    return job


def test_a_night_is_asked_for_when_its_markers_are_there_and_once(landing: Path, instance: dg.DagsterInstance) -> None:
    assert asked(instance) == f"{NIGHT} waits for access"
    (landing / NIGHT.isoformat() / "access" / "_COMPLETE").touch()
    first, second = asked(instance), asked(instance)
    assert isinstance(first, dg.RunRequest)
    assert isinstance(second, dg.RunRequest)
    assert first.partition_key == NIGHT.isoformat()
    assert first.run_key == second.run_key  # Dagster drops the second


def test_a_night_that_failed_is_asked_for_again_only_when_something_changed(
    landing: Path, instance: dg.DagsterInstance
) -> None:
    folder = landing / NIGHT.isoformat() / "access"
    (folder / "_COMPLETE").touch()
    first = asked(instance)
    assert isinstance(first, dg.RunRequest)
    entered(instance, first, Status.FAILURE)
    assert "failed with what is there now" in str(asked(instance))
    (folder / "late.log").write_text("x", encoding="utf-8")
    again = asked(instance)
    assert isinstance(again, dg.RunRequest)
    assert again.run_key != first.run_key


def test_nothing_is_asked_for_while_a_night_runs(landing: Path, home: Home, instance: dg.DagsterInstance) -> None:
    (landing / NIGHT.isoformat() / "access" / "_COMPLETE").touch()
    with night_lock(home):
        assert asked(instance) == "a night is running"
    request = asked(instance)
    assert isinstance(request, dg.RunRequest)
    entered(instance, request, Status.STARTING)
    assert asked(instance) == "a night is running"


def test_a_killed_run_is_reported_and_its_night_asked_for_again(landing: Path, instance: dg.DagsterInstance) -> None:
    (landing / NIGHT.isoformat() / "access" / "_COMPLETE").touch()
    first = asked(instance)
    assert isinstance(first, dg.RunRequest)
    run_id = entered(instance, first, Status.STARTED)
    assert "looked at again" in str(asked(instance))  # it may be beginning or ending
    again = asked(instance, cursor=run_id)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    assert run.status is Status.FAILURE
    assert isinstance(again, dg.RunRequest)
    assert again.run_key != first.run_key
    later = asked(instance)
    assert isinstance(later, dg.RunRequest)
    assert later.run_key == again.run_key


def test_done_nights_are_not_asked_for_and_the_next_one_is(
    landing: Path, home: Home, instance: dg.DagsterInstance
) -> None:
    ledger = Ledger(home.ledger)
    ledger.finish_night(NIGHT, "0" * 64, {})
    assert asked(instance) == f"{NIGHT + timedelta(days=1)} waits for access"
    ledger.finish_night(NIGHT + timedelta(days=1), "0" * 64, {})
    ledger.close()
    assert asked(instance) == "no night waits"


def test_without_required_sources_the_sensor_leaves_it_to_the_schedule(
    landing: Path, instance: dg.DagsterInstance
) -> None:
    (landing / "sources.yaml").unlink()
    assert "nights run by the schedule" in str(asked(instance))


def test_the_schedule_takes_the_first_night_that_waits(landing: Path, home: Home) -> None:
    def at(day: date) -> dg.RunRequest:
        instant = datetime(day.year, day.month, day.day, 17, 30, tzinfo=UTC)
        with dg.build_schedule_context(scheduled_execution_time=instant) as context:
            request = every_night(context)
        assert isinstance(request, dg.RunRequest)
        return request

    ledger = Ledger(home.ledger)
    ledger.finish_night(NIGHT - timedelta(days=1), "0" * 64, {})
    assert at(NIGHT).partition_key == NIGHT.isoformat()
    assert at(NIGHT + timedelta(days=2)).partition_key == NIGHT.isoformat()
    ledger.finish_night(NIGHT, "0" * 64, {})
    ledger.close()
    assert at(NIGHT).partition_key == NIGHT.isoformat()
    assert (after_the_night.cron_schedule, after_the_night.execution_timezone) == ("30 4 * * *", "Asia/Tokyo")


def test_steps_are_retried_where_doing_them_again_is_safe_and_every_table_is_to_be_fresh_by_morning() -> None:
    definitions = draw(object(), [NIGHT])  # type: ignore[arg-type]
    graph = definitions.resolve_asset_graph()
    for asset in definitions.resolve_all_asset_specs():
        assert isinstance(asset.freshness_policy, dg.FreshnessPolicy)
        assert asset.freshness_policy.timezone == "Asia/Tokyo"  # type: ignore[attr-defined]
    retried = {
        node.name.partition("__")[0]: node.definition.retry_policy is not None
        for node in definitions.resolve_job_def(NIGHTLY).nodes
    }
    assert retried["access"] and retried["seg"] and retried["cube"]
    assert not any(retried[zone] for zone in ("safe", "out", "p01", "p02", "p05"))
    assert graph is not None


@pytest.mark.parametrize(
    ("error", "may"),
    [
        (OSError("disk"), True),
        (InputError("landing.changed", "x"), True),
        (InputError("landing.required", "x"), False),
        (LedgerError("night.lock", "x"), False),
        (ValueError("x"), False),
    ],
)
def test_only_what_may_pass_by_itself_is_retried(error: Exception, may: bool) -> None:
    def fail() -> None:
        raise error

    with pytest.raises(dg.Failure) as failed:
        redacted(fail)
    assert failed.value.allow_retries is may


@pytest.mark.parametrize(("tags", "lines"), [({}, 1), ({BY: "command"}, 0)])
def test_a_run_that_failed_is_told_unless_the_command_ran_it(
    landing: Path, home: Home, instance: dg.DagsterInstance, tags: dict[str, str], lines: int
) -> None:
    home.root.mkdir(parents=True)
    (home.root / "alerts.yaml").write_text("channels: [{kind: file, path: told}]", encoding="utf-8")
    run_id = entered(instance, dg.RunRequest(partition_key=NIGHT.isoformat(), tags=tags), Status.STARTED)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    instance.report_run_failed(run)
    run = instance.get_run_by_id(run_id)
    assert run is not None
    event = dg.DagsterEvent(event_type_value="PIPELINE_FAILURE", job_name=NIGHTLY)
    context = dg.build_run_status_sensor_context("tell_failure", event, instance, run)
    sensors.tell_failure(context)
    told = (home.root / "told").read_text(encoding="utf-8").splitlines() if lines else []
    assert (home.root / "told").exists() == bool(lines)
    assert [json.loads(line)["kind"] for line in told] == ["bug"] * lines
    assert nightly.name == NIGHTLY
