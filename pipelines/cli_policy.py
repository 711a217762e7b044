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
    """Check the policy, contracts and statements against it, and that every kept table has a suite.

    Exit code 13 names the table, the column, its category and the purpose, and says what to do.
    """
    from pipelines.policy_views import check_policy
    from pipelines.settings import resolve, today

    check_policy(resolve(os.environ, policy=folder).policy, today())


@policy.command("lineage")
@click.option("--schema", type=click.Path(), help="CREATE TABLE, VIEW, MACRO and TYPE statements.")
@click.option("--page", type=click.Path(), help="Write the product's own lineage to this file, as a page.")
@click.option("--policy", "folder", type=click.Path(), help="The policy folder, for --page. [QUORUM_POLICY]")
@click.argument("query", type=click.Path(), required=False)
def policy_lineage(schema: str | None, page: str | None, folder: str | None, query: str | None) -> None:
    """Print which base columns each output column of a statement comes from, and which ones the statement uses.

    QUERY is a file with exactly one SELECT of DuckDB's SQL over the tables of the schema. What cannot be known is
    refused: the reason as JSON, exit code 13. With --page, no statement is read: every table of the product is drawn.
    """
    from pipelines.policy_views import show_lineage, write_lineage_page
    from pipelines.settings import resolve

    if page is not None and schema is None and query is None:
        write_lineage_page(resolve(os.environ, policy=folder).policy, Path(page))
    elif page is None and schema is not None and query is not None:
        sys.exit(show_lineage(Path(schema), Path(query)))
    else:
        raise click.UsageError("either --schema SCHEMA QUERY or --page FILE")


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
