"""Intake: what has landed becomes rows, sealed rows or a quarantined line; nothing is dropped in silence.

What belongs here: which sources there are and in which order they are taken in. What does not: reading any of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from types import MappingProxyType

from quorum.errors import UsageError
from quorum.intake.access import take_in_access
from quorum.intake.accounting import Accounting
from quorum.intake.ads import take_in_ads
from quorum.intake.beacon import take_in_beacon
from quorum.intake.context import Intake
from quorum.intake.logins import take_in_logins
from quorum.intake.members import take_in_members
from quorum.intake.partners import take_in_partners
from quorum.intake.preferences import take_in_preferences
from quorum.intake.reference import take_in_reference
from quorum.intake.requests import take_in_requests
from quorum.intake.rest import take_in_rest

__all__ = ["SOURCES", "Accounting", "Intake", "take_in"]

SOURCES: Mapping[str, Callable[[Intake, date], list[Accounting]]] = MappingProxyType(
    {
        "reference": take_in_reference,  # before access logs and beacons: its sections and hosts tell them apart
        "members": take_in_members,
        "logins": take_in_logins,
        "partners": take_in_partners,
        "preferences": take_in_preferences,
        "requests": take_in_requests,
        "ads": take_in_ads,
        "access": take_in_access,
        "beacon": take_in_beacon,
        "rest": take_in_rest,
    }
)
"""The sources with their readers, in the order in which a night takes them in; ``rest`` is whatever else landed."""


def take_in(source: str, intake: Intake, night: date) -> list[Accounting]:
    """Take in a source of a night; doing it again replaces what was written.

    Args:
        source: one of `SOURCES`.
        intake: the reader's surroundings.
        night: the night.

    Returns:
        What became of each landed file, also kept in the ledger.

    Raises:
        UsageError: there is no such source.
        InputError: a file cannot be read, or changes while it is read.
    """
    if source not in SOURCES:
        raise UsageError("intake.source", f"source {source}", ", ".join(SOURCES))
    return SOURCES[source](intake, night)
