"""Days, weeks and months, and which contain which."""

from __future__ import annotations

from datetime import date

import pytest

from quorum.audit.periods import days_of, parts_of


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("2026-11-21", date(2026, 11, 21), date(2026, 11, 21)),
        ("2026-W01", date(2025, 12, 29), date(2026, 1, 4)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
    ],
)
def test_days_of_a_period(period: str, first: date, last: date) -> None:
    assert days_of(period) == (first, last)


@pytest.mark.parametrize("period", ["", "2026", "2026-11-21.r2", "2026-13", "2026-02-30", "2025-W53", "spring"])
def test_other_names_have_no_days(period: str) -> None:
    assert days_of(period) is None
    assert parts_of(period, ["2026-11-21"]) == []


def test_a_month_is_made_of_days_or_of_weeks() -> None:
    days = [f"2026-11-{day:02}" for day in range(1, 31)]
    held = [*days, "2026-W47", "2026-W49", "2026-11", "2026-11-21.r2"]
    assert parts_of("2026-11", held) == [(days, True), (["2026-W47"], False)]  # W49 ends in December


def test_four_weeks_are_a_february() -> None:
    assert parts_of("2027-02", ["2027-W05", "2027-W06", "2027-W07", "2027-W08"])[0][1] is True


def test_a_day_has_no_parts() -> None:
    assert parts_of("2026-11-21", ["2026-11-21", "2026-11-22"]) == []
    assert parts_of("2026-W47", ["2026-W47", "2026-11"]) == []
