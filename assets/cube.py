"""Assets of counts by cell, with margins; no key of a person from here on.

What belongs here: nothing but the zone's name; a new folder under ``sql/cube/`` is a new asset.
"""

from __future__ import annotations

import dagster as dg

from assets.blueprint import Blueprint, built
from quorum.zones import Zone


def assets(plan: Blueprint) -> list[dg.AssetsDefinition]:
    """Return the assets of the zone, all made by their statements."""
    return built(plan, Zone.CUBE)
