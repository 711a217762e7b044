"""Assets of the vault: members, logins, transactions, choices, requests and rejected lines, sealed as they land.

What belongs here: which step takes them in. What does not: reading them.
"""

from __future__ import annotations

import dagster as dg

from assets.blueprint import Blueprint
from assets.intake import source_step
from quorum.workspace import WRITES


def assets(plan: Blueprint) -> list[dg.AssetsDefinition]:
    """Return the assets of the zone; the rest comes last, for every source seals its rejected lines."""
    return [
        source_step(plan, "members", "Takes in registrations and changes of members"),
        source_step(plan, "logins", "Takes in logins"),
        source_step(plan, "partners", "Takes in transactions that partners report, each with its receipt"),
        source_step(plan, "preferences", "Takes in choices of people: opting out and in, consent and its withdrawal"),
        source_step(plan, "requests", "Takes in requests of people to the desk"),
        source_step(
            plan,
            "rest",
            "Seals what no reader takes, and completes the rejected lines of the night",
            after=tuple(source for source in WRITES if source != "rest"),
        ),
    ]
