"""Assets of released cells: what disclosure control lets out of the cubes, and its only writer lets in.

What belongs here: the step. What does not: any decision (`quorum.disclosure`, `quorum.release.safe`).
"""

from __future__ import annotations

from datetime import date

import dagster as dg

from assets.blueprint import Blueprint, Facts
from quorum.workspace import Workspace
from quorum.zones import Zone


def assets(plan: Blueprint) -> list[dg.AssetsDefinition]:
    """Return the assets of the zone: one step makes them all, for a package is controlled as a whole."""

    def make_safe(workspace: Workspace, night: date) -> Facts:
        blocked = workspace.make_safe(night)
        return {"blocked_n": len(blocked)}

    tables = [table.name for table in plan.catalog.order() if table.zone is Zone.SAFE]
    return [plan.step("safe", tables, make_safe, description="Controls every package that the night owes")]
