"""A night in a few lines, for people.

What belongs here: the compact tables on stdout. What does not: finding out what happened (`pipelines.outcome`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines.outcome import Outcome

_COUNTS = ("read", "loaded", "duplicate", "quarantined", "waiting", "late")
_EXTRACT = re.compile(r"p\d\d__")
_CELLS = ("published_cells", "withheld_cells")


def show(done: Outcome, home: Path) -> None:
    """Print what a night did: lines by source, releases by recipient, errors, where the reports are.

    Args:
        done: what it did.
        home: the home, for the folder of the reports.
    """
    console = Console(width=None if Console().is_terminal else 120, highlight=False, markup=False)
    verdict = "done" if done.exit_code == 0 else f"exit {done.exit_code}"
    served = "" if done.stages or done.errors else ", served as stored"
    console.print(f"Night {done.date}: {verdict} in {done.seconds:.1f} s{served}", style="bold")
    if done.stages and done.accounting:
        console.print(_sources(done.accounting))
        console.print(_reasons(done.accounting))
    if done.releases:
        if done.stages:
            console.print(_releases(done.releases))
            console.print(_extracts(done.stages), soft_wrap=True)
        console.print(f"Reports: {home / 'out'}  ({_statuses(done.releases)})", soft_wrap=True)
    for error in done.errors:
        console.print(f"{error['code']} {error['message']}", style="red", soft_wrap=True)


def _sources(accounting: Sequence[Mapping[str, Any]]) -> Table:
    table = _table("source", "files", *_COUNTS)
    for source in dict.fromkeys(str(landed["source"]) for landed in accounting):
        files = [landed for landed in accounting if landed["source"] == source]
        table.add_row(source, str(len(files)), *(f"{sum(_count(f, name) for f in files):,}" for name in _COUNTS))
    return table


def _count(landed: Mapping[str, Any], name: str) -> int:
    return sum(landed[name].values()) if name == "quarantined" else int(landed[name])


def _reasons(accounting: Sequence[Mapping[str, Any]]) -> str:
    reasons: Counter[str] = Counter()
    for landed in accounting:
        reasons.update(landed["quarantined"])
    told = ", ".join(f"{reason} {count:,}" for reason, count in sorted(reasons.items()))
    return f"Quarantined and sealed: {told or 'nothing'}"


def _releases(releases: Sequence[Mapping[str, Any]]) -> Table:
    """Return the releases; how much of them is withheld is told inside the house only."""
    table = _table("recipient", "report", "period", "status", *(name.replace("_", " ") for name in _CELLS))
    for release in releases:
        cells = (f"{release[name]:,}" for name in _CELLS)
        table.add_row(release["recipient_id"], release["report"], release["period"], release["status"], *cells)
    return table


def _extracts(stages: Sequence[Mapping[str, Any]]) -> str:
    """Return the tables made for the other purposes; they stay in the vault until somebody extracts them."""
    made = [stage for stage in stages if _EXTRACT.match(str(stage["name"]))]
    told = ", ".join(f"{stage['name']} {stage['rows']:,}" for stage in sorted(made, key=lambda stage: stage["name"]))
    return f"Sealed for their purposes: {told or 'nothing'}"


def _statuses(releases: Sequence[Mapping[str, Any]]) -> str:
    counted = Counter(str(release["status"]) for release in releases)
    return ", ".join(f"{count} {status}" for status, count in sorted(counted.items()))


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        is_number = column in ("files", *_COUNTS) or column.endswith("cells")
        table.add_column(column, justify="right" if is_number else "left")
    return table
