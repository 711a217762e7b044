"""Assets behind the vault: events and members under keyed pseudonyms, catalogues about no person.

What belongs here: which step makes them. What does not: how.
"""

from __future__ import annotations

import dagster as dg

from assets.blueprint import Blueprint, built
from assets.intake import source_step
from quorum.zones import Zone


def assets(plan: Blueprint) -> list[dg.AssetsDefinition]:
    """Return the assets of the zone: those that a source writes, and those that a statement makes."""
    return [
        source_step(plan, "reference", "Takes in campaigns, creatives, recipients, hosts and sections"),
        source_step(plan, "ads", "Takes in advertisement events"),
        source_step(plan, "access", "Takes in access logs, chunk by chunk"),
        source_step(plan, "beacon", "Takes in beacons of the portal's own pages", after=("reference", "access")),
        *built(plan, Zone.PSEUDO),
    ]
