"""Assets of what each purpose makes about persons: sealed, each with its purpose as tag, counts only in what is shown.

What belongs here: which tables the night makes. What does not: making them (`quorum.extract`); what is made for one
person, request or case is no asset.
"""

from __future__ import annotations

from datetime import date

import dagster as dg

from assets.blueprint import Blueprint, Facts
from quorum.extract.build import AFTER, is_batch
from quorum.tables import Table
from quorum.workspace import Workspace
from quorum.zones import Zone


def assets(plan: Blueprint) -> list[dg.AssetsDefinition]:
    """Return an asset for each table that the night makes for a purpose."""
    return [_made(plan, table) for table in plan.catalog.in_zone(Zone.EXTRACT) if is_batch(plan.catalog, table)]


def _made(plan: Blueprint, table: Table) -> dg.AssetsDefinition:
    def make(workspace: Workspace, night: date) -> Facts:
        workspace.build(table.name, night)
        return {"refused_n": dict(workspace.refused(table.name, night))}

    description = f"Runs sql/extract/{table.name}/query.sql for {table.purpose}, and checks what it made"
    return plan.step(table.name, [table.name], make, description=description, after=AFTER.get(table.name, ()))
