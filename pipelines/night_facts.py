"""What the page of a night tells: counts, kept as one small file a night beside the page, for the trend of later ones.

What belongs here: from the outcome, the ledger and the safe zone to facts. What does not: layout
(`pipelines.night_page`), and any value about a person: counts, names of steps, tables, reasons, recipients and reports.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipelines.cli_ask import askable
from pipelines.offered import offered
from pipelines.outcome import Outcome
from quorum.ledger import Ledger
from quorum.workspace import Workspace

NIGHTS = 30
_LINES = ("read", "loaded", "duplicate", "quarantined", "waiting", "late")

Facts = Mapping[str, Any]


def collect(workspace: Workspace, done: Outcome, before: Facts | None = None) -> Facts:
    """Return the facts of a night.

    Args:
        workspace: the open home.
        done: what a run did.
        before: the facts of an earlier run of the same night, whose steps stand where this run had none.
    """
    night = done.date or date.min
    steps = {str(step["name"]): step for step in [*(before or {}).get("stages", ()), *done.stages]}
    return {
        "date": night.isoformat(),
        "is_done": workspace.is_done(night),
        "exit_code": done.exit_code,
        "seconds": round(max(done.seconds, sum(float(step["seconds"]) for step in steps.values())), 1),
        "stages": list(steps.values()),
        "sources": _sources(done.accounting),
        "reasons": _reasons(done.accounting),
        "releases": [{key: value for key, value in release.items() if key != "path"} for release in done.releases],
        "shares": [share.as_record() for share in workspace.withheld_shares(night)],
        "errors": [dict(error) for error in done.errors],
        "askable": askable(workspace),
        "offered": offered(workspace, night),
        "waiting": waiting(workspace.ledger, night),
    }


def waiting(ledger: Ledger, night: date) -> dict[str, int]:
    """Return what waits for a person: packages that are blocked, reviews of disclosures, open cases.

    Args:
        ledger: the ledger.
        night: up to which night blocked packages are counted.
    """
    from quorum.extract.cases import CLOSED, OPENED
    from quorum.register.review import open_reviews

    blocked = {
        (entry.body["recipient_id"], entry.body["report"], entry.body["period"])
        for entry in ledger.entries("blocked")
        if entry.body["night"] <= night.isoformat()
    }
    opened, closed = (len(ledger.entries(kind)) for kind in (OPENED, CLOSED))
    return {
        "blocked": sum(ledger.release(*package) is None for package in blocked),
        "reviews": len(open_reviews(ledger, night)),
        "cases": max(0, opened - closed),
    }


def load(folder: Path, night: date) -> Facts | None:
    """Return the facts of a night that were kept; None if there are none, or they cannot be read."""
    try:
        found = json.loads((folder / f"{night.isoformat()}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def keep(folder: Path, facts: Facts) -> None:
    """Keep the facts of a night; they appear whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{facts['date']}.json"
    unfinished = path.with_name(f".{path.name}.tmp")
    unfinished.write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    unfinished.replace(path)


def trend(folder: Path, night: date) -> list[tuple[date, Facts | None]]:
    """Return the facts of the thirty nights that end on a night, in order; None where a night left none."""
    days = [night - timedelta(days=n) for n in reversed(range(NIGHTS))]
    return [(day, load(folder, day)) for day in days]


def published_permille(facts: Facts) -> int | None:
    """Return how many of 1,000 cells of a night are published; None if it made none."""
    published, withheld = (sum(int(share[name]) for share in facts["shares"]) for name in ("published", "withheld"))
    return 1000 * published // (published + withheld) if published + withheld else None


def _sources(accounting: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    found = []
    for source in dict.fromkeys(str(landed["source"]) for landed in accounting):
        own = [landed for landed in accounting if landed["source"] == source]
        counts = {name: sum(_count(landed, name) for landed in own) for name in _LINES}
        found.append({"source": source, "files": len(own), **counts})
    return found


def _count(landed: Mapping[str, Any], name: str) -> int:
    return sum(landed[name].values()) if name == "quarantined" else int(landed[name])


def _reasons(accounting: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    reasons: Counter[str] = Counter()
    for landed in accounting:
        reasons.update(landed["quarantined"])
    return dict(reasons.most_common())
