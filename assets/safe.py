"""Assets of released cells: what disclosure control lets out of the cubes, and its only writer lets in.

What belongs here: the step, and the plans that it fixed, as the analyst sees them. What does not: any decision
(`quorum.disclosure`, `quorum.release.safe`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import dagster as dg

from assets.blueprint import BY_TABLE, Blueprint, Facts
from assets.told import shares_chart
from quorum.release.shares import Share
from quorum.tables.periods import DAY
from quorum.workspace import Workspace
from quorum.zones import Zone

_SHOWN = 100


def assets(plan: Blueprint) -> list[dg.AssetsDefinition]:
    """Return the assets of the zone: one step makes them all, for a package is controlled as a whole."""

    def make_safe(workspace: Workspace, night: date) -> Facts:
        blocked = workspace.make_safe(night)
        plans = workspace.plans(night)
        told = {"plans": dg.MetadataValue.md(plans_page(plans))} if plans else {}
        return {"blocked_n": len(blocked), "plan_n": len(plans), **told, BY_TABLE: _withheld(workspace, night)}

    tables = [table.name for table in plan.catalog.order() if table.zone is Zone.SAFE]
    return [plan.step("safe", tables, make_safe, description="Controls every package that the night owes")]


def _withheld(workspace: Workspace, night: date) -> Facts:
    """Return for each table a small chart of what is withheld in it."""
    found: dict[str, list[Share]] = {}
    for share in workspace.withheld_shares(night):
        is_day = share.kind == DAY
        found.setdefault(f"{Zone.SAFE}__{share.table if is_day else f'{share.report}_{share.kind}'}", []).append(share)
    return {table: {"withheld": dg.MetadataValue.md(shares_chart(shares))} for table, shares in found.items()}


def plans_page(plans: Sequence[Mapping[str, Any]]) -> str:
    """Return the plans that a night fixed as a table: who booked what, and in which period and how finely it is told.

    Args:
        plans: as the ledger has them.
    """
    families = list(dict.fromkeys(family for plan in plans for family in plan["periods"]))
    lines = [
        f"| campaign | recipient | month | booked impressions | {' | '.join(families)} |",
        f"|---|---|---|---:|{'---|' * len(families)}",
        *(_line(plan, families) for plan in plans[:_SHOWN]),
    ]
    left = len(plans) - _SHOWN
    more = f"\n{left} more: quorum ledger show --kind plan\n" if left > 0 else ""
    return "\n".join(lines) + "\n" + more


def _line(plan: Mapping[str, Any], families: Sequence[str]) -> str:
    told = [f"{plan['periods'][family]}: {_levels(plan, family)}" for family in families]
    booked = f"{plan['booked']['impressions']:,}"
    return f"| {plan['key']} | {plan['recipient_id']} | {plan['month']} | {booked} | {' | '.join(told)} |"


def _levels(plan: Mapping[str, Any], family: str) -> str:
    """Return the tables that have cells of a family, with their levels."""
    levels = {table: own[family] for table, own in plan["levels"].items() if own.get(family)}
    return ", ".join(f"{table} {level}" for table, level in levels.items()) or "the total"
