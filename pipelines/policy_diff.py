"""``quorum policy diff``: what changed, whether it is announced, and what tonight would refuse.

What belongs here: asking the library and printing. What does not: comparing (`quorum.policy.diff`) and any rule.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import click

from pipelines.settings import ROOT, today
from quorum.errors import EXIT_DONE, EXIT_POLICY, QuorumError
from quorum.policy import Policy, load_policy
from quorum.policy.diff import announced, changes, documents


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
    """Return what a night under a policy would refuse before it begins: the first refusal of each check.

    Args:
        folder: the policy folder.
        on: civil date on which its decision records are judged.
    """
    try:
        policy = load_policy(folder, on)
    except QuorumError as error:
        return [error]
    return [error for check in _CHECKS for error in _refusals(check, policy)]


def _refusals(check: Callable[[Policy], None], policy: Policy) -> list[QuorumError]:
    try:
        check(policy)
    except QuorumError as error:
        return [error]
    return []


def _conformity(policy: Policy) -> None:
    from quorum.conformity import check_conformity
    from quorum.tables import load_catalog

    check_conformity(load_catalog(ROOT / "sql"), policy)


def _purposes(policy: Policy) -> None:
    from quorum.lineage.purposes import check_purposes
    from quorum.tables import load_catalog

    check_purposes(load_catalog(ROOT / "sql"), policy)


_CHECKS = (_conformity, _purposes)


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
