"""The clipped share: how much of a recipient's month was beyond the bounds of a person, as a class and nothing finer.

What belongs here: from frozen counts of whole months to a class. What does not: the bounds themselves
(``sql/seg/seg__ad_event``), and words for a page (`quorum.report`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa


@dataclass(frozen=True)
class ClippedShare:
    """What a recipient is told of what was clipped.

    Args:
        month: the first day of the month that it is about.
        under_percent: the share lies under it, in percent, and not under a smaller boundary; None if it lies under no
            boundary of the policy.

    Guarantee:
        One of as many values as the policy has boundaries, and one more: no count can be told from it.

    Source: disclosure.md, rule 4.
    """

    month: date
    under_percent: int | None


def month_before(night: date) -> date:
    """Return the first day of the last month that was over before a night.

    Args:
        night: a civil date in Asia/Tokyo.

    Guarantee:
        Every night of that month lies before the month of ``night``: it is frozen, and the same for every night of a
        month.

    Source: disclosure.md, rules 4 and 8.
    """
    return (night.replace(day=1) - timedelta(days=1)).replace(day=1)


def share_class(event_n: int, clipped_n: int, boundaries: Sequence[int]) -> int | None:
    """Return the class of a share.

    Args:
        event_n: all events, 1 or more.
        clipped_n: those that were clipped.
        boundaries: in percent, rising.

    Returns:
        The first boundary that the share lies under, None if there is none.

    Guarantee:
        Exact: integers only; a share that equals a boundary is not under it.

    Source: disclosure.md, rule 4 (in classes: under 1, 2, 5 %, more).

    Example:
        >>> share_class(200, 1, (1, 2, 5)), share_class(200, 2, (1, 2, 5)), share_class(200, 10, (1, 2, 5))
        (1, 2, None)
    """
    return next((boundary for boundary in boundaries if 100 * clipped_n < boundary * event_n), None)


def clipped_shares(
    month: date, nights: Sequence[pa.Table], campaigns: pa.Table, boundaries: Sequence[int]
) -> dict[str, ClippedShare]:
    """Return what every recipient is told of a month.

    Args:
        month: the first day of a month that is over.
        nights: ``cube__clipping`` of its nights: ``campaign_id``, ``event_n`` and ``clipped_n`` (int64).
        campaigns: ``pseudo__campaign`` of the last of these nights: ``campaign_id``, ``recipient_id``.
        boundaries: in percent, rising.

    Returns:
        Recipient to its share; nothing for a recipient without an event in the month.

    Guarantee:
        A function of one whole month that was frozen before, so that tonight's counts move no byte of it; all campaigns
        of a recipient together, whose events of a month the invoice tells. Not guaranteed: that a class above the first
        leaves open that nothing was clipped; it says, on purpose, that something was.

    Source: disclosure.md, rules 4, 9 and 10; docs/decisions/0008-what-one-person-adds-and-who-counts.md.
    """
    owner = dict(zip(campaigns["campaign_id"].to_pylist(), campaigns["recipient_id"].to_pylist(), strict=True))
    events: Counter[str] = Counter()
    clipped: Counter[str] = Counter()
    for row in (row for night in nights for row in night.to_pylist()):
        if (recipient := owner.get(row["campaign_id"])) is not None:
            events[recipient] += row["event_n"]
            clipped[recipient] += row["clipped_n"]
    return {
        recipient: ClippedShare(month, share_class(event_n, clipped[recipient], boundaries))
        for recipient, event_n in events.items()
    }
