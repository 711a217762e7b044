"""``quorum why``: why a number of a package is withheld, and what to ask for instead.

What belongs here: options, and printing. What does not: what is said (`quorum.report.why`). It reads the files of the
package and nothing else: no home, no policy, no ledger.
"""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import click


class _CellType(click.ParamType[dict[str, str]]):
    """A cell, column=category split by commas."""

    name = "cell"

    def convert(
        self, value: str | dict[str, str], param: click.Parameter | None, ctx: click.Context | None
    ) -> dict[str, str]:
        if isinstance(value, dict):
            return value
        parts = [part.partition("=") for part in value.split(",")]
        cell = {column.strip(): category.strip() for column, _, category in parts}
        if len(cell) != len(parts) or not all(column and category for column, category in cell.items()):
            self.fail("not column=category,... with each column once", param, ctx)
        return cell


@click.command()
@click.argument("package", type=click.Path())
@click.option("--cell", type=_CellType(), help="column=category,..., e.g. campaign_id=c001,age_band=20s. [a summary]")
@click.option("--lang", "language", type=click.Choice(("ja", "en")), default="en", show_default=True)
@click.option("--page", type=click.Path(), help="Write it to this file, as a page in the language of --lang.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")
def why(package: str, cell: dict[str, str] | None, language: str, page: str | None, as_json: bool) -> None:
    """Say what is published in PACKAGE, and of a withheld cell what to ask for instead.

    Everything it says follows from the files of the package: what they publish, and the rules that they state. With
    --cell, each table that lists the cell tells the status of each family; exit code 2 names what exists if none does.
    With --page it is one self-contained file, in the look of the reports, and nothing is printed but for --json.
    """
    from quorum.audit.package import parse_package
    from quorum.report.plain import write_page
    from quorum.report.why import Held, record_cell, record_summary
    from quorum.report.why_sheet import cell_page, summary_page
    from quorum.report.why_text import describe_cell, describe_summary

    held = Held(parse_package(Path(package)))
    if cell is None:
        levels = held.summarise()
        record, lines = record_summary(held, levels), describe_summary(held, levels, language)
        draw = partial(summary_page, held, levels, language)
    else:
        answer = held.explain(cell)
        record, lines = record_cell(held, answer), describe_cell(held, answer, language)
        draw = partial(cell_page, held, answer, language)
    if page is not None:
        write_page(Path(page), draw(), "why.page")
    if as_json or page is None:
        click.echo(json.dumps(record, ensure_ascii=False) if as_json else "\n".join(lines))
