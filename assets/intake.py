"""The step that takes in a source, and what it tells about it: counts of lines by what became of them.

What belongs here: from accounting to metadata. What does not: the accounting itself (`quorum.intake`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from assets.blueprint import Blueprint, Facts
from quorum.workspace import WRITES, Workspace

if TYPE_CHECKING:
    import dagster as dg

    from quorum.intake.accounting import Accounting


def source_step(plan: Blueprint, source: str, description: str, after: Sequence[str] = ()) -> dg.AssetsDefinition:
    """Return the assets of the tables that a source writes, made by one step.

    Args:
        plan: what assets are drawn from.
        source: one of `WRITES`.
        description: what the step does.
        after: sources that must have been taken in before.
    """

    def work(workspace: Workspace, night: date) -> Facts:
        return line_counts(workspace.take_in(source, night))

    tables = WRITES[source]
    return plan.step(source, tables, work, description=description, after=[t for s in after for t in WRITES[s]])


def line_counts(accounting: Sequence[Accounting]) -> Facts:
    """Return what became of the lines of all files, as metadata: counts only, no name of a file."""
    quarantined: Counter[str] = Counter()
    for landed in accounting:
        quarantined.update({str(reason): count for reason, count in landed.quarantined.items()})
    return {
        "file_n": len(accounting),
        "read_n": sum(landed.read for landed in accounting),
        "loaded_n": sum(landed.loaded for landed in accounting),
        "duplicate_n": sum(landed.duplicate for landed in accounting),
        "quarantined_n": dict(sorted(quarantined.items())),
        "waiting_n": sum(landed.waiting for landed in accounting),
        "late_n": sum(landed.late for landed in accounting),
    }
