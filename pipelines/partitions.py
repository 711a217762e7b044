"""The days of the portal: civil dates in Asia/Tokyo.

What belongs here: which days are partitions. What does not: which nights are done (the ledger knows).
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

import dagster as dg

from pipelines.settings import CIVIL_ZONE, today

FIRST_DAY = date(2010, 1, 1)


def daily(*known: date) -> dg.DailyPartitionsDefinition:
    """Return the days from `FIRST_DAY` to yesterday, widened so that every known date is one of them.

    Args:
        known: dates that must be partitions: those that landed, those that are asked for.
    """
    ahead = max((day for day in known), default=FIRST_DAY) - today()
    return dg.DailyPartitionsDefinition(
        start_date=min((FIRST_DAY, *known)).isoformat(),
        timezone=CIVIL_ZONE,
        end_offset=max(0, ahead.days + 1),
    )


def landed_dates(landing: Path | None) -> list[date]:
    """Return the dates of which there is a landing folder, in order; other names are not dates."""
    if landing is None or not landing.is_dir():
        return []
    return sorted(found for entry in os.scandir(landing) if entry.is_dir() and (found := _date(entry.name)))


def _date(name: str) -> date | None:
    try:
        return date.fromisoformat(name)
    except ValueError:
        return None
