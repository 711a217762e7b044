"""``quorum policy diff``: what changed, whether it is announced, and what tonight would refuse.

What belongs here: asking the library and printing. What does not: comparing (`quorum.policy.diff`) and any rule.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.settings import ROOT, today
from quorum.errors import EXIT_DONE, EXIT_POLICY, QuorumError
from quorum.policy import Policy, load_policy
from quorum.policy.diff import announced, changes, documents

if TYPE_CHECKING:
    from quorum.tables import Catalog

_TABLE = re.compile(r"[a-z0-9]+__[a-z0-9_]+")


def show_diff(old: Path, new: Path, *, as_json: bool) -> int:
    """Print what changed between two policy folders; return the exit code.

    13 if a material change is not announced as R-02 asks, or if tonight would refuse anything under the new policy.

    Raises:
        ConfigurationError: a folder holds no policy that can be read.
    """
    before, after = documents(old), documents(new)
    found = changes(before, after)
    unannounced = announced(before, after, found)
    refusals = refused(new, _starts(after))
    record = {
        "old": _version(before),
        "new": _version(after),
        "changes": [change.as_record() for change in found],
        "unannounced": unannounced,
        "refusals": [refusal.as_record() for refusal in refusals],
    }
    click.echo(json.dumps(record, ensure_ascii=False) if as_json else _told(record))
    return EXIT_POLICY if unannounced or refusals else EXIT_DONE


def refused(folder: Path, on: date) -> list[QuorumError]:
    """Return what a night under a policy would refuse before it begins, one refusal a table and check.

    A refused table and what is made of it are left out, and the check is asked again. The same checks as each night's.

    Args:
        folder: the policy folder.
        on: civil date on which its decision records are judged.
    """
    try:
        policy = load_policy(folder, on)
    except QuorumError as error:
        return [error]
    return [error for check in (_conformity, _purposes) for error in _refusals(check, policy)]


def _refusals(check: Callable[[Catalog, Policy], None], policy: Policy) -> Iterator[QuorumError]:
    from quorum.tables import load_catalog

    catalog = load_catalog(ROOT / "sql")
    while True:
        try:
            return check(catalog, policy)
        except QuorumError as error:
            yield error
            named = next((name for name in _TABLE.findall(error.asked) if name in catalog.tables), None)
            if named is None:
                return
            catalog = _without(catalog, named)


def _without(catalog: Catalog, refused: str) -> Catalog:
    gone = {refused}
    for table in catalog.order():
        if any(read.table in gone for read in table.reads):
            gone.add(table.name)
    return replace(catalog, tables={name: table for name, table in catalog.tables.items() if name not in gone})


def _conformity(catalog: Catalog, policy: Policy) -> None:
    from quorum.conformity import check_conformity

    check_conformity(catalog, policy)


def _purposes(catalog: Catalog, policy: Policy) -> None:
    from quorum.lineage.crossings import Crossings, declared_crossings
    from quorum.lineage.purposes import check_purposes

    declared = declared_crossings(policy.folder)
    of_these = {
        side.name: {
            crossing: way
            for crossing, way in getattr(declared, side.name).items()
            if crossing.to.split(".")[0] in catalog.tables
        }
        for side in fields(declared)
    }
    check_purposes(catalog, policy, Crossings(**of_these))


def _starts(files: Mapping[str, Mapping[str, Any]]) -> date:
    """Return the day on which a policy is judged: its first, or today if it holds already."""
    starts = files["policy.yaml"].get("effective_on")
    return max(today(), starts) if isinstance(starts, date) else today()


def _version(files: Mapping[str, Mapping[str, Any]]) -> dict[str, object]:
    policy = files["policy.yaml"]
    return {"version": policy.get("version"), "effective_on": str(policy.get("effective_on"))}


def _told(record: Mapping[str, Any]) -> str:
    old, new = record["old"], record["new"]
    lines = [
        f"policy {old['version']} (from {old['effective_on']}) -> policy {new['version']} (from {new['effective_on']})"
    ]
    width = max((len(change["what"]) for change in record["changes"]), default=0)
    for change in record["changes"]:
        weight = "MATERIAL" if change["is_material"] else ""
        lines.append(f"  {change['kind']:8}  {weight:8}  {change['what']:{min(width, 60)}}  {change['file']}")
    if not record["changes"]:
        lines.append("  nothing changed")
    lines += [f"not announced (R-02): {wrong}" for wrong in record["unannounced"]]
    lines += [f"tonight would refuse: {refusal['message']}" for refusal in record["refusals"]]
    if not record["unannounced"] and not record["refusals"]:
        lines.append("announced as R-02 asks; tonight would refuse nothing")
    return "\n".join(lines)
