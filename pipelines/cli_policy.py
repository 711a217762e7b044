"""``quorum policy``: the privacy policy as data.

What belongs here: options and exit codes. What does not: what the policy says (`quorum.policy`).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click


@click.group()
def policy() -> None:
    """The privacy policy as data."""


@policy.command("check")
@click.option("--policy", "folder", type=click.Path(), help="The policy folder. [QUORUM_POLICY, else the checkout's]")
def policy_check(folder: str | None) -> None:
    """Check the policy, the contracts against it, and that every kept table has a suite."""
    from pipelines.settings import resolve
    from pipelines.views import check_policy

    check_policy(resolve(os.environ, policy=folder).policy)


@policy.command("lineage")
@click.option("--schema", type=click.Path(), required=True, help="CREATE TABLE, VIEW, MACRO and TYPE statements.")
@click.argument("query", type=click.Path())
def policy_lineage(schema: str, query: str) -> None:
    """Print which base columns each output column of a statement comes from, and which ones the statement uses.

    QUERY is a file with exactly one SELECT of DuckDB's SQL over the tables of the schema. What cannot be known is
    refused: the reason as JSON, exit code 13.
    """
    from pipelines.views import show_lineage

    sys.exit(show_lineage(Path(schema), Path(query)))


@policy.command("diff")
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def policy_diff(old: str, new: str, as_json: bool) -> None:
    """Say what changed between two policy folders, whether it is announced, and what tonight would refuse.

    Exit code 13 if a material change has no new version, or no effective date after the old one's (clause R-02), or if
    the product does not conform to the new policy.
    """
    from pipelines.policy_diff import show_diff

    sys.exit(show_diff(Path(old), Path(new), as_json=as_json))


@policy.command("notice")
@click.option("--old", type=click.Path(), help="The policy folder that is replaced. [none: the whole policy]")
@click.option("--policy", "folder", type=click.Path(), help="The policy folder. [QUORUM_POLICY, else the checkout's]")
@click.option("--out", type=click.Path(), required=True, help="Where notice.ja.html and notice.en.html are written.")
def policy_notice(old: str | None, folder: str | None, out: str) -> None:
    """Write the privacy notice as two pages, Japanese and English: what changes, and the policy as it will hold.

    Exit code 13 if a material change is not announced as clause R-02 asks.
    """
    from pipelines.policy_pages import write_notice
    from pipelines.settings import resolve

    write_notice(resolve(os.environ, policy=folder).policy, None if old is None else Path(old), Path(out))


@policy.command("gaps")
@click.option("--policy", "folder", type=click.Path(), help="The policy folder. [QUORUM_POLICY, else the checkout's]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def policy_gaps(folder: str | None, as_json: bool) -> None:
    """List what the policy leaves open: what its clauses do not say, and what its files do not settle."""
    from pipelines.policy_pages import show_gaps
    from pipelines.settings import resolve

    show_gaps(resolve(os.environ, policy=folder).policy, as_json=as_json)


@policy.command("clauses")
@click.option("--policy", "folder", type=click.Path(), help="The policy folder. [QUORUM_POLICY, else the checkout's]")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON list.")
def policy_clauses(folder: str | None, as_json: bool) -> None:
    """List the clauses of the policy, what enforces each, and the tests that prove it."""
    from pipelines.policy_pages import show_clauses
    from pipelines.settings import resolve

    show_clauses(resolve(os.environ, policy=folder).policy, as_json=as_json)
