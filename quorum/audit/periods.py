"""Days, weeks and months: which period contains which.

What belongs here: the civil days of a period's name and how shorter periods fill a longer one. What does not: the cells
of those periods.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, timedelta

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WEEK = re.compile(r"(\d{4})-W(\d{2})")
_MONTH = re.compile(r"(\d{4})-(\d{2})")


def days_of(period: str) -> tuple[date, date] | None:
    """Return the first and last civil day of a period.

    Args:
        period: e.g. ``2026-11-21``, ``2026-W47`` or ``2026-11``.

    Returns:
        First and last day; None for anything else, restatements (``.r2``) too: they restate, they do not add up.

    Example:
        >>> days_of("2026-W47")
        (datetime.date(2026, 11, 16), datetime.date(2026, 11, 22))

    Guarantee:
        Never raises for a text.

    Source: architecture.md, "A report package"; ISO 8601.
    """
    try:
        if _DAY.fullmatch(period):
            day = date.fromisoformat(period)
            return day, day
        if week := _WEEK.fullmatch(period):
            monday = date.fromisocalendar(int(week[1]), int(week[2]), 1)
            return monday, monday + timedelta(days=6)
        if month := _MONTH.fullmatch(period):
            first = date(int(month[1]), int(month[2]), 1)
            return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    except ValueError:
        return None
    return None


def parts_of(whole: str, others: Iterable[str]) -> list[tuple[list[str], bool]]:
    """Return the ways in which held periods make up a longer one.

    Args:
        whole: the longer period.
        others: the periods in hand.

    Returns:
        For days and for weeks, where there are any: the periods within the whole in order, and whether they fill it.

    Example:
        >>> parts_of("2026-W47", ["2026-11-17", "2026-11-16", "2026-11-23"])
        [(['2026-11-16', '2026-11-17'], False)]

    Guarantee:
        The periods of one way do not overlap, so that what is counted in them is not counted twice.

    Source: disclosure.md, rule 8 (a longer period is the sum of frozen day cubes).
    """
    span = days_of(whole)
    if span is None:
        return []
    ways = []
    length = (span[1] - span[0]).days + 1
    inside = {other: days for other in set(others) - {whole} if (days := days_of(other)) and _within(days, span)}
    for size in (1, 7):
        parts = sorted(other for other, days in inside.items() if (days[1] - days[0]).days + 1 == size)
        if parts and size < length:
            ways.append((parts, size * len(parts) == length))
    return ways


def _within(inner: tuple[date, date], outer: tuple[date, date]) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]
