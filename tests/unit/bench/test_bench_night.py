"""The cubes of the bench have the shapes of the house; what is measured on them is measured on the real thing."""

from __future__ import annotations

from datetime import date

import pytest

from bench import night, utility
from quorum.policy import Policy
from quorum.zones import Home

SUNDAY = date(2026, 11, 22)


def test_a_small_week_has_the_shapes_of_the_house(home: Home, policy: Policy) -> None:
    size = night.Size(impressions=12_000, campaigns=8, recipients=6, members=3_000, ctr=0.05)
    days = night.days_up_to(SUNDAY, 2)
    night.write_cubes(home, size, days, policy)
    bench = utility.Bench(home, days, policy)
    told, packages = bench.days_told(utility.always("day", 2))  # projecting checks shapes and sums
    drawn = {name for table in bench.report.tables for name in table.alone.values()}
    assert set(told.tables()) == {table.name for table in bench.report.tables} | drawn
    events = sum(whole for _, whole, _ in told.best("impressions", "told").values())
    assert events == pytest.approx(2 * size.impressions, rel=0.02)
    for part in told.cells.values():
        assert part.finest <= part.told <= part.bound <= part.weight <= part.whole
        assert part.dropped <= part.bound
        assert part.paid == part.kept - part.told
    week = bench.week_told(bench.counted(utility.always("week", 2)))
    assert week.best_share("clicks", "told") > told.best_share("clicks", "told") > 0.2
    assert len(packages) == 2
