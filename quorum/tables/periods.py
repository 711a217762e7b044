"""Names of periods: days, ISO weeks and months, and which days they hold.

What belongs here: the calendar of packages, in civil days of Asia/Tokyo. What does not: what is counted in a period.
"""

from __future__ import annotations

from datetime import date, timedelta

DAY, WEEK, MONTH = "day", "week", "month"
KINDS = (DAY, WEEK, MONTH)
"""Short to long."""

_SUNDAY = 7


def kind_of(period: str) -> str:
    """Return which kind of period a name is of; a restatement (``.r2``) is of the kind of what it restates.

    Example:
        >>> kind_of("2026-11-21"), kind_of("2026-W47.r2"), kind_of("2026-11")
        ('day', 'week', 'month')
    """
    name = period.split(".")[0]
    if "W" in name:
        return WEEK
    return MONTH if name.count("-") == 1 else DAY


def week_of(day: date) -> str:
    """Return the name of a day's ISO week.

    Example:
        >>> week_of(date(2026, 11, 22))
        '2026-W47'
    """
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}"


def ends_week(day: date) -> bool:
    """Say whether a day is the last of its week: a Sunday."""
    return day.isoweekday() == _SUNDAY


def days_of_week(day: date) -> tuple[date, ...]:
    """Return the seven days of a day's week, Monday first."""
    monday = day - timedelta(days=day.isoweekday() - 1)
    return tuple(monday + timedelta(days=n) for n in range(7))


def month_of(day: date) -> str:
    """Return the name of a day's calendar month.

    Example:
        >>> month_of(date(2026, 11, 22))
        '2026-11'
    """
    return f"{day:%Y-%m}"


def ends_month(day: date) -> bool:
    """Say whether a day is the last of its calendar month."""
    return (day + timedelta(days=1)).day == 1


def days_of_month(day: date) -> tuple[date, ...]:
    """Return the days of a day's calendar month, the first first."""
    first = day.replace(day=1)
    return tuple(first + timedelta(days=n) for n in range(31) if (first + timedelta(days=n)).month == day.month)


def plan_month(day: date) -> str:
    """Return the month whose plan holds on a day: that of the Thursday of its week, so that no week has two.

    Example:
        >>> plan_month(date(2026, 11, 30)), plan_month(date(2026, 10, 1))
        ('2026-12', '2026-10')
    """
    return f"{days_of_week(day)[3]:%Y-%m}"
