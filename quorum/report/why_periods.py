"""Periods that come after a package's own, and longer ones that hold it, by their names alone.

What belongs here: calendar arithmetic on ``2026-11-21``, ``2026-W47`` and ``2026-11``. What does not: which periods a
campaign is told by; that is fixed before it starts.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

_RESTATED = re.compile(r"\.r\d+$")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_WEEK = re.compile(r"\d{4}-W\d{2}")
_MONTH = re.compile(r"\d{4}-\d{2}")


def following(period: str) -> str | None:
    """Return the period of the same length that comes next; None if the name is no period.

    Example:
        >>> following("2026-W53"), following("2026-12.r2")
        ('2027-W01', '2027-01')
    """
    days = _days(period)
    if days is None:
        return None
    first = days[1] + timedelta(days=1)
    length = len(_RESTATED.sub("", period))
    return {10: first.isoformat(), 8: _week(first), 7: _month(first)}[length]


def longer(period: str) -> tuple[str, ...]:
    """Return the weeks and months that hold a day, or the months that hold days of a week; none for a month.

    Example:
        >>> longer("2026-11-21"), longer("2026-W49")
        (('2026-W47', '2026-11'), ('2026-11', '2026-12'))
    """
    days = _days(period)
    if days is None or _MONTH.fullmatch(_RESTATED.sub("", period)):
        return ()
    months = tuple(dict.fromkeys(_month(day) for day in days))
    return months if _WEEK.match(period) else (_week(days[0]), *months)


def _days(period: str) -> tuple[date, date] | None:
    """Return the first and the last day of a period."""
    name = _RESTATED.sub("", period)
    try:
        if _DAY.fullmatch(name):
            return date.fromisoformat(name), date.fromisoformat(name)
        if _WEEK.fullmatch(name):
            monday = date.fromisocalendar(int(name[:4]), int(name[6:]), 1)
            return monday, monday + timedelta(days=6)
        if _MONTH.fullmatch(name):
            first = date(int(name[:4]), int(name[5:]), 1)
            return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    except ValueError:
        return None
    return None


def _week(day: date) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def _month(day: date) -> str:
    return f"{day.year}-{day.month:02}"
