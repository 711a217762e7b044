"""``quorum ask``: a question about released numbers, answered as a release to the recipient ``analyst``.

What belongs here: options, labels to keys, what is printed. What does not: the answer (`quorum.ask`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from pipelines.options import opened, whose

if TYPE_CHECKING:
    from quorum.ask import Answer
    from quorum.policy import Policy
    from quorum.release.answers import Question
    from quorum.workspace import Workspace

REPORT = "campaign"
_BLOCKED = "blocked"
_PERIODS = 60


@click.command()
@click.option("--report", default=REPORT, show_default=True, help="The report whose released packages are cut.")
@click.option("--table", help="The table that is cut. [the one that has the columns]")
@click.option("--dimensions", default="", help="Columns to break down by, split by commas. [none: totals]")
@click.option("--where", "where", multiple=True, help="column=category; again for more, categories in ja or en too.")
@click.option("--campaign", "--key", "keys", multiple=True, help="A campaign, or a section of site; again for more.")
@click.option("--period", help="2026-11-21, 2026-W47 or 2026-11. [tells what can be asked]")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")
@whose
def ask(
    report: str,
    table: str | None,
    dimensions: str,
    where: tuple[str, ...],
    keys: tuple[str, ...],
    period: str | None,
    as_json: bool,
    **whose: str | None,
) -> None:
    """Answer a question about what was released: a table, as a signed release to the recipient ``analyst``.

    An answer is a cut of released packages: a report, a period, columns of one table, categories. Every cell is as
    disclosure control decided it for the report, so that no number of answers tells more than the reports do. What they
    do not tell is refused with exit code 13, and the message says what can be asked. Without --period it is listed.
    """
    with opened(**whose) as workspace:
        if period is None:
            _list(workspace, as_json=as_json)
            return
        asked = question_of(workspace.policy, report, period, table, dimensions.split(","), where, keys)
        answer = workspace.ask(asked)
    if as_json:
        click.echo(json.dumps(answer.as_record(), ensure_ascii=False))
    else:
        _show(answer)
    if answer.release.status == _BLOCKED:
        from quorum.errors import ReleaseError

        reasons = "; ".join(answer.release.reasons)
        raise ReleaseError("release.blocked", f"the answer is blocked: {reasons}", "", "report it: it is a bug")


def question_of(
    policy: Policy,
    report: str,
    period: str,
    table: str | None,
    dimensions: Sequence[str],
    where: Sequence[str],
    keys: Sequence[str],
) -> Question:
    """Return a question from texts.

    Args:
        policy: its labels are understood beside its keys.
        report: name of the report.
        period: as packages are called.
        table: a table of the report, or the cube that it is counted in; None for any.
        dimensions: columns.
        where: ``column=category`` each.
        keys: campaigns or sections.

    Raises:
        UsageError: a condition that is not ``column=category``.
    """
    from quorum.errors import UsageError
    from quorum.release.answers import Question

    own = policy.reports[report].key if report in policy.reports else ""
    names = {spec.cube: spec.name for spec in policy.reports[report].tables} if report in policy.reports else {}
    wanted: dict[str, list[str]] = {}
    for text in where:
        column, equals, category = (part.strip() for part in text.partition("="))
        if not (column and equals and category):
            raise UsageError("ask.where", "a condition of another form", "column=category", "quorum ask --help")
        wanted.setdefault(column, []).append(_key(policy, column, category))
    return Question(
        report,
        period,
        None if table is None else names.get(table, table),
        tuple(name.strip() for name in dimensions if name.strip() and name.strip() != own),
        {column: tuple(values) for column, values in wanted.items() if column != own},
        (*keys, *wanted.get(own, ())),
    )


def _key(policy: Policy, column: str, text: str) -> str:
    """Return the key of a category that is named by its key or by a label."""
    from quorum.report.answer import key_set_of

    for category in policy.categories.get(key_set_of(policy, column), ()):
        if text in (category.key, category.ja, category.en):
            return category.key
    return text


def _list(workspace: Workspace, *, as_json: bool) -> None:
    """Tell what can be asked: reports, their tables with columns, the categories of each, released periods."""
    found = askable(workspace)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for name, report in found["reports"].items():
        click.echo(f"--report {name}")
        for table, columns in report["tables"].items():
            click.echo(f"  --table {table:24} --dimensions {','.join(columns)}")
        click.echo(f"  --period {', '.join(report['periods']) or '(nothing is released yet)'}")
    click.echo("--where column=category:")
    for column, categories in found["categories"].items():
        click.echo(f"  {column:12} {', '.join(categories)}")


def askable(workspace: Workspace) -> dict[str, Any]:
    """Return what can be asked: public facts of the policy, and the periods of which something was released."""
    from quorum.ask import released_periods, reports_to_ask
    from quorum.report.answer import key_set_of

    policy = workspace.policy
    periods = released_periods(workspace.ledger, policy)
    columns = {level: None for dimension in policy.dimensions.values() for level in dimension.levels}
    return {
        "reports": {
            report.name: {
                "tables": {
                    spec.name: [level for name in spec.dimensions for level in policy.dimensions[name].levels]
                    for spec in report.tables
                },
                "periods": periods[report.name][:_PERIODS],
            }
            for report in reports_to_ask(policy)
        },
        "categories": {
            column: [category.key for category in policy.categories[key_set_of(policy, column)]]
            for column in columns
            if key_set_of(policy, column) in policy.categories
        },
    }


def _show(answer: Answer) -> None:
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=None, pad_edge=False, header_style="dim")
    names = [name for name in answer.rows.column_names if not name.startswith("status_")]
    counted = {name for name in names if str(answer.rows[name].type) == "int64"}
    for name in names:
        shown.add_column(name, justify="right" if name in counted else "left")
    for row in answer.rows.to_pylist():
        shown.add_row(*(_text(row, name) for name in names))
    console = Console(width=None if Console().is_terminal else 120, highlight=False, markup=False)
    console.print(shown)
    release = answer.release
    click.echo(f"{release.status}: {release.path or 'no package'}")
    if answer.left_out:
        click.echo(f"not released, and so not in it: {', '.join(answer.left_out)}")


def _text(row: Mapping[str, Any], name: str) -> str:
    value = row[name]
    return "withheld" if value is None else f"{value:,}" if isinstance(value, int) else str(value)
