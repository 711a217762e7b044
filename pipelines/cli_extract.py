"""``quorum extract``: what a purpose made about persons in a night, or makes for one person, request or case.

What belongs here: options, which function answers for which purpose, a table of counts for people. What does not: what
is made (`quorum.extract`); no row of an extract is ever printed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.options import DAY, opened, whose

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from quorum.desk import Desk
    from quorum.extract.result import Extract

_NEEDED = {"P-04": ("subject", "request"), "P-06": ("request",), "P-08": ("request",), "P-11": ("case",)}
_ONLY_FOR = {"subject": ("P-04",), "request": ("P-04", "P-06", "P-08"), "case": ("P-11",)}


@click.command()
@click.argument("purpose")
@click.option("--date", "night", type=DAY, help="The night whose extract is served. [the latest that is done]")
@click.option("--subject", help="Member number of the person a package is for (P-04).")
@click.option("--request", help="The request that is answered (P-04, P-06, P-08).")
@click.option("--case", help="The open case that is viewed (P-11).")
@click.option("--out", type=click.Path(), help="A new or empty folder for the files. [nothing leaves the vault]")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")
@whose
def extract(purpose: str, night: date | None, out: str | None, *, as_json: bool, **rest: str | None) -> None:
    """Serve what PURPOSE makes about persons, P-01 to P-11; only counts are shown.

    The night makes P-01, P-02, P-03, P-05, P-07, P-09 and P-10; they are served as stored. P-04, P-06, P-08 and P-11
    are made for one person, request or case. Files are written with --out only; what P-02 and P-03 sample never leaves.
    """
    from quorum.errors import UsageError
    from quorum.extract.result import BATCH, check_purpose

    check_purpose(purpose)
    about = {name: rest.pop(name) for name in ("subject", "request", "case")}
    for name, value in about.items():
        if value is None and name in _NEEDED.get(purpose, ()):
            raise UsageError("extract.needs", f"{purpose} without --{name}", f"--{name}", "name it")
        if value is not None and purpose not in _ONLY_FOR[name]:
            raise UsageError("extract.option", f"--{name} for {purpose}", f"{', '.join(_ONLY_FOR[name])}", "leave it")
    folder = None if out is None else Path(out)
    with opened(rest["home"], rest["policy"], rest["actor"], rest["role"]) as workspace:
        desk = workspace.desk
        if purpose in BATCH:
            made, facts = _of_a_night(desk, purpose, night, folder)
        else:
            made, facts = _on_request(desk, purpose, about, folder), {}
    _tell(made, facts, folder, as_json=as_json)


def _of_a_night(desk: Desk, purpose: str, night: date | None, out: Path | None) -> tuple[Extract, Mapping[str, object]]:
    from quorum.extract.build import extract as serve
    from quorum.extract.files import check_out, write_files
    from quorum.extract.result import check_served

    check_served(desk, purpose)
    if out is not None:
        check_out(desk, purpose, out)
    made = serve(desk, purpose, night or desk.latest_night())
    if out is not None:
        write_files(desk, made, out)
    return made, {"published_packages": _published(desk, made.night)} if purpose == "P-03" else {}


def _published(desk: Desk, night: date) -> int:
    """Return how many report packages of a night are published: statistics, which is what P-03 is for."""
    return sum(entry.body["night"] == night.isoformat() for entry in desk.ledger.entries("release"))


def _on_request(desk: Desk, purpose: str, about: Mapping[str, str | None], out: Path | None) -> Extract:
    if purpose == "P-04":
        from quorum.extract.subject import subject_package

        return subject_package(desk, str(about["subject"]), str(about["request"]), out)
    if purpose == "P-06":
        from quorum.extract.identity import verify_identity

        return verify_identity(desk, str(about["request"]))
    if purpose == "P-08":
        from quorum.extract.prefill import prefill

        return prefill(desk, str(about["request"]), out)
    from quorum.extract.cases import case_view

    return case_view(desk, str(about["case"]), out)


def _tell(made: Extract, facts: Mapping[str, object], out: Path | None, *, as_json: bool) -> None:
    """Show counts: one JSON object, or a table for people."""
    record = {**made.as_record(), **facts, "out": None if out is None else str(out.absolute())}
    if as_json:
        click.echo(json.dumps(record, ensure_ascii=False))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in ("purpose", "table", "rows", "refused"):
        table.add_column(column, justify="right" if column == "rows" else "left")
    for name, count in made.rows.items():
        reasons = ", ".join(f"{reason} {n:,}" for reason, n in sorted(made.refused.get(name, {}).items()) if n)
        table.add_row(made.purpose, name, f"{count:,}", reasons or "none")
    console = Console(width=None if Console().is_terminal else 120, highlight=False, markup=False)
    console.print(f"{made.purpose} of {made.night}", style="bold")
    console.print(table)
    for fact, value in facts.items():
        console.print(f"{fact.replace('_', ' ')}: {value}")
    console.print(f"Files: {out.absolute()}" if out is not None else "Sealed in the vault; no file was written.")
