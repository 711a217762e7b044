"""``quorum policy notice|gaps|clauses``: what the policy says, as pages and lists.

What belongs here: asking the library, printing, writing the notice. What does not: any judgement.
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.settings import today
from quorum.errors import PolicyError, UsageError
from quorum.policy import load_policy
from quorum.policy.diff import announced, changes, documents


def write_notice(folder: Path, old: Path | None, out: Path) -> None:
    """Write ``notice.ja.html`` and ``notice.en.html``.

    Args:
        folder: the policy folder.
        old: the folder of the policy that it replaces; None for the whole policy.
        out: where to; made if missing.

    Raises:
        PolicyError: a material change is not announced as R-02 asks: no notice with a wrong date gets out.
        UsageError: the pages cannot be written there.
    """
    from quorum.report.notice import render_notice

    after, before = documents(folder), None if old is None else documents(old)
    if before is not None:
        wrong = announced(before, after, changes(before, after))
        if wrong:
            raise PolicyError(
                "policy.announce",
                f"a notice of changes that are not announced as R-02 asks: {wrong[0]}",
                "a new version, an effective_on after the old one's, and nothing collected before it for what is new",
                "see `quorum policy diff`",
            )
    pages = render_notice(load_policy(folder), after, before)
    try:
        out.mkdir(parents=True, exist_ok=True)
        for name, page in pages.items():
            temporary = out / f".{name}.tmp"
            temporary.write_bytes(page)
            temporary.replace(out / name)
            click.echo(str(out / name))
    except OSError:
        raise UsageError("notice.out", "a folder that cannot be written", "--out DIR", "name another") from None


def show_gaps(folder: Path, *, as_json: bool) -> None:
    """Print what the policy leaves open."""
    from quorum.policy.gaps import open_points

    points = open_points(load_policy(folder), documents(folder), today())
    if as_json:
        click.echo(json.dumps([point.as_record() for point in points], ensure_ascii=False))
        return
    for point in points:
        declared = "" if point.is_found else "  (declared)"
        click.echo(f"{point.clause:6}{point.code}{declared}\n      {point.ja}\n      {point.en}")
    click.echo(f"{len(points)} points are open")


def show_clauses(folder: Path, *, as_json: bool) -> None:
    """Print the clauses: what each says, what enforces it, what proves it."""
    from dataclasses import asdict

    clauses = load_policy(folder).clauses.values()
    if as_json:
        click.echo(json.dumps([asdict(clause) for clause in clauses], ensure_ascii=False))
        return
    for clause in clauses:
        click.echo(f"{clause.code:6}{clause.ja}\n      {clause.en}\n      enforced by {', '.join(clause.enforced_by)}")
        for proof in clause.proved_by:
            click.echo(f"      proved by {proof}")
