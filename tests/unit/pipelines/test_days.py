"""Days: which are partitions, when nights run, and of which day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from pipelines.definitions import draw
from pipelines.partitions import daily, landed_dates
from pipelines.settings import today, yesterday


@pytest.mark.parametrize(
    "day", [date(2015, 5, 17), date(2010, 1, 1), date(1999, 12, 31), today() + timedelta(days=400), yesterday()]
)
def test_every_day_that_is_asked_for_is_a_partition(day: date) -> None:
    assert daily(day).has_partition_key(day.isoformat())


def test_today_is_no_partition_unless_it_is_asked_for() -> None:
    assert not daily().has_partition_key(today().isoformat())
    assert daily().has_partition_key(yesterday().isoformat())


def test_a_partition_is_a_civil_day_in_tokyo() -> None:
    window = daily().time_window_for_partition_key("2026-11-21")
    assert window.start.astimezone(UTC) == datetime(2026, 11, 20, 15, tzinfo=UTC)


def test_landing_folders_are_dates_and_nothing_else(tmp_path: Path) -> None:
    for name in ("2026-11-21", "2026-11-20", "notes", "2026-13-01"):
        (tmp_path / name).mkdir()
    (tmp_path / "2026-11-19").touch()
    assert landed_dates(tmp_path) == [date(2026, 11, 20), date(2026, 11, 21)]
    assert landed_dates(tmp_path / "missing") == landed_dates(None) == []


@pytest.mark.parametrize(
    ("instant", "night"),
    [
        (datetime(2026, 11, 21, 17, 30, tzinfo=UTC), "2026-11-21"),
        (datetime(2026, 12, 31, 17, 30, tzinfo=UTC), "2026-12-31"),
    ],
)
def test_the_schedule_asks_for_the_day_before(instant: datetime, night: str) -> None:
    future = instant.date() + timedelta(days=30)  # landed files must not move the schedule
    schedule = draw(object(), [future]).resolve_schedule_def("every_night")
    with dg.build_schedule_context(scheduled_execution_time=instant) as context:
        request = schedule(context)
    assert (request.partition_key, request.run_key) == (night, night)
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 2 * * *", "Asia/Tokyo")
