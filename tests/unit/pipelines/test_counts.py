"""What a package is counted from: whether all of it is still there."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from quorum.counts import Counts
from quorum.due import Due
from quorum.policy import Policy
from quorum.tables import PackageShape

SUNDAY = date(2026, 11, 22)
DAYS = [SUNDAY - timedelta(days=n) for n in range(7)]


class Files:
    """A store of which one cube of one night is gone."""

    def __init__(self, gone: tuple[str, date] | None) -> None:
        self._gone = gone

    def files(self, table: str, night: date) -> list[str]:
        return [] if (table, night) == self._gone else ["part.parquet"]


def shape(period: str) -> PackageShape:
    return PackageShape("adv-1", "campaign", period, ())


@pytest.mark.parametrize(
    ("due", "needs"),
    [
        (Due(shape("2026-11-22")), ("cube__campaign_daily", SUNDAY)),
        (Due(shape("2026-W47"), {day: shape(day.isoformat()) for day in DAYS}), ("cube__campaign_daily", DAYS[3])),
        (Due(shape("2026-W47"), {day: shape(day.isoformat()) for day in DAYS}), ("cube__campaign_week", SUNDAY)),
    ],
)
def test_a_package_can_be_counted_again_while_every_cube_of_it_is_there(
    policy: Policy, due: Due, needs: tuple[str, date]
) -> None:
    assert Counts(Files(None), policy).is_whole(due, SUNDAY)
    assert Counts(Files(("cube__section_area", SUNDAY)), policy).is_whole(due, SUNDAY), "another report's"
    assert not Counts(Files(needs), policy).is_whole(due, SUNDAY)
