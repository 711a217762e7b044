"""The clipped share leaves as a class, of a whole month that is over, and as nothing else."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from quorum.disclosure.clipping import ClippedShare, clipped_shares, month_before, share_class

CLASSES = (1, 2, 5)
OCTOBER = date(2026, 10, 1)
CAMPAIGNS = pa.table({"campaign_id": ["c1", "c2", "c3"], "recipient_id": ["adv-1", "adv-1", "adv-2"]})


def night(*rows: tuple[str, int, int]) -> pa.Table:
    names = ("campaign_id", "event_n", "clipped_n")
    return pa.table(dict(zip(names, zip(*rows, strict=True), strict=True)))


@pytest.mark.parametrize(
    ("events", "clipped", "found"),
    [
        (1, 0, 1),
        (100, 1, 2),
        (10_000, 99, 1),
        (10_000, 100, 2),
        (10_000, 199, 2),
        (10_000, 200, 5),
        (10_000, 499, 5),
        (10_000, 500, None),
        (1, 1, None),
        (10**16 + 1, 10**14, 1),
    ],
)
def test_a_share_on_a_boundary_is_not_under_it(events: int, clipped: int, found: int | None) -> None:
    assert share_class(events, clipped, CLASSES) == found


@pytest.mark.parametrize(
    ("tonight", "first"),
    [
        (date(2026, 11, 1), OCTOBER),
        (date(2026, 11, 30), OCTOBER),
        (date(2027, 1, 31), date(2026, 12, 1)),
        (date(2028, 3, 1), date(2028, 2, 1)),
    ],
)
def test_the_month_that_is_told_is_the_last_that_is_over(tonight: date, first: date) -> None:
    assert month_before(tonight) == first


def test_all_nights_and_campaigns_of_a_recipient_are_one_share() -> None:
    nights = [night(("c1", 50, 0), ("c2", 40, 1), ("c3", 10, 1)), night(("c1", 10, 0), ("c9", 99, 99))]
    assert clipped_shares(OCTOBER, nights, CAMPAIGNS, CLASSES) == {
        "adv-1": ClippedShare(OCTOBER, 2),  # 1 of 100
        "adv-2": ClippedShare(OCTOBER, None),  # 1 of 10
    }


def test_a_recipient_without_events_is_told_nothing() -> None:
    assert clipped_shares(OCTOBER, [night(("c1", 1, 0))], CAMPAIGNS, CLASSES).keys() == {"adv-1"}
