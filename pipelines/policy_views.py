"""``quorum policy check`` and ``quorum policy lineage``: what the policy says to the contracts and statements.

What belongs here: what they print. What does not: options and exit codes (`pipelines.cli_policy`), and any judgement.
"""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import click

from quorum.errors import EXIT_DONE, EXIT_POLICY, UsageError


def check_policy(folder: Path, today: date) -> None:
    """Check policy, contracts, statements and suites, as they would be judged on a civil date.

    Raises:
        ConfigurationError: a file is wrong, or a kept table has no suite.
        PolicyError: a contract or a statement does what the policy does not allow.
    """
    from assets.suites import load_suites
    from pipelines.settings import ROOT
    from quorum.disclosure.money import check_bounds
    from quorum.extract.build import check_rules
    from quorum.extract.desk_settings import desk_settings
    from quorum.lineage.gate import check_gate
    from quorum.lineage.purposes import check_needed
    from quorum.policy import load_policy
    from quorum.register.rules import load_rules
    from quorum.rights.retention import limits_of
    from quorum.tables import load_catalog

    policy = load_policy(folder)
    check_bounds(policy)
    catalog = load_catalog(ROOT / "sql")
    gate = check_gate(catalog, policy)
    check_needed(gate.flows)
    gate.check_day(today)
    check_rules(policy)
    desk_settings(policy)
    load_rules(folder, policy)
    limits_of(policy, catalog.tables)
    suites = load_suites(ROOT / "expectations", catalog)
    expectations = sum(len(suite.expectations) for suite in suites.values())
    columns = sum(len(table.columns) for table in catalog.tables.values())
    declared = gate.flows.declared
    crossings = len(declared.values) + len(declared.uses) + len(declared.purposes)
    click.echo(
        f"policy {policy.version}: {len(catalog.tables)} tables, {columns} columns, each with a category that may "
        f"enter its zone; {len(gate.flows.lineages)} statements, each within its purpose; {crossings} declared "
        f"crossings, each proven and needed; {len(gate.listed)} collected columns unused, each with a date; "
        f"{len(suites)} suites, {expectations} expectations"
    )


def write_lineage_page(folder: Path, file: Path) -> None:
    """Write the page of lineage under a policy.

    Raises:
        PolicyError: a statement does what the policy does not allow.
        UsageError: the file cannot be written.
    """
    from pipelines.settings import ROOT
    from quorum.lineage.gate import check_gate
    from quorum.lineage.page import lineage_page
    from quorum.policy import load_policy
    from quorum.tables import load_catalog

    page = lineage_page(check_gate(load_catalog(ROOT / "sql"), load_policy(folder)))
    try:
        file.write_bytes(page)
    except OSError:
        raise UsageError(
            "lineage.page", "a page that cannot be written", "--page FILE in a folder that is there"
        ) from None


def show_lineage(schema: Path, query: Path) -> int:
    """Print the lineage of a statement, or why it is refused; return the exit code.

    Raises:
        UsageError: a file cannot be read as text.
    """
    from quorum.lineage import LineageError, derive

    try:
        declared, sql = schema.read_text(encoding="utf-8"), query.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise UsageError("lineage.files", "a file that cannot be read as UTF-8 text", "--schema SCHEMA QUERY") from None
    try:
        click.echo(json.dumps(derive(declared, sql).as_record(), ensure_ascii=False))
    except LineageError as refused:
        click.echo(json.dumps({"refused": refused.reason}, ensure_ascii=False))
        return EXIT_POLICY
    return EXIT_DONE
