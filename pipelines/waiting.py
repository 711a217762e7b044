"""Which nights of a home wait to be run, for what runs unattended.

What belongs here: the look into the ledger, without a lock and without making a home. What does not: the order itself
(`quorum.holds`).
"""

from __future__ import annotations

from datetime import date

from pipelines.partitions import landed_dates
from pipelines.settings import Settings
from quorum.holds import open_nights
from quorum.ledger import Ledger
from quorum.zones import Home


def waiting_nights(settings: Settings, until: date) -> list[date]:
    """Return the nights that are to be run, in order; of a home that has had none, those that landed.

    Args:
        settings: where things are.
        until: the last night that may be run.
    """
    landed = landed_dates(settings.landing)
    home = Home(settings.home)
    if not home.ledger.is_dir():
        return [day for day in landed if day <= until]
    ledger = Ledger(home.ledger)
    try:
        return open_nights(ledger, landed, until)
    finally:
        ledger.close()
