"""``quorum extract``: what a purpose made about persons in a night, or makes for one person, request or case.

What belongs here: options, which function answers for which purpose, a table of counts for people. What does not: what
is made (`quorum.extract`); no row of an extract is ever printed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.options import DAY, opened, whose

if TYPE_CHECKING:
    from datetime import date

    from quorum.desk import Desk
    from quorum.extract.result import Extract

    Answer = tuple[dict[str, object], Extract | None]

_NEEDED = {"P-04": ("subject", "request"), "P-06": ("request",)}
_ONLY_FOR = {"subject": ("P-04",), "request": ("P-04", "P-06", "P-08"), "case": ("P-11",)}


@click.command()
@click.argument("purpose")
@click.option("--date", "night", type=DAY, help="The night whose extract is served. [the latest that is done]")
@click.option("--subject", help="Member number of the person a package is for (P-04).")
@click.option("--request", help="The request that is answered (P-04, P-06, P-08).")
@click.option("--case", help="The open case that is viewed; without one, the queue (P-11).")
@click.option("--out", type=click.Path(), help="A new or empty folder for the files. [nothing leaves the vault]")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")
@whose
def extract(purpose: str, night: date | None, out: str | None, *, as_json: bool, **rest: str | None) -> None:
    """Serve what PURPOSE makes about persons, P-01 to P-11; only counts are shown.

    The night makes P-01, P-02, P-03, P-05, P-07, P-09 and P-10; they are served as stored. P-04, P-06, P-08 and P-11
    are made for one person, request or case. Files are written with --out only; what P-02 and P-03 make never leaves.
    """
    from quorum.extract.result import BATCH

    about = {name: rest.pop(name) for name in _ONLY_FOR}
    _check_options(purpose, night, about)
    folder = None if out is None else Path(out)
    with opened(rest["home"], rest["policy"], rest["actor"], rest["role"]) as workspace:
        desk = workspace.desk
        answer = (
            _of_a_night(desk, purpose, night, folder) if purpose in BATCH else _on_request(desk, purpose, about, folder)
        )
    told, made = answer
    if as_json:
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        _show(told, made, folder)


def _check_options(purpose: str, night: date | None, about: Mapping[str, str | None]) -> None:
    from quorum.errors import UsageError
    from quorum.extract.result import BATCH, check_purpose

    check_purpose(purpose)
    for name, value in about.items():
        if value is None and name in _NEEDED.get(purpose, ()):
            raise UsageError("extract.needs", f"{purpose} without --{name}", f"--{name}", "name it")
        if value is not None and purpose not in _ONLY_FOR[name]:
            raise UsageError("extract.option", f"--{name} for {purpose}", f"{', '.join(_ONLY_FOR[name])}", "leave it")
    if night is not None and purpose not in BATCH:
        raise UsageError("extract.option", f"--date for {purpose}", ", ".join(BATCH), "leave it: it is as of now")


def _of_a_night(desk: Desk, purpose: str, night: date | None, out: Path | None) -> Answer:
    from quorum.extract.build import extract as serve
    from quorum.extract.files import check_out, write_files
    from quorum.extract.result import check_served

    check_served(desk, purpose)
    if out is not None:
        check_out(desk, purpose, out)
    made = serve(desk, purpose, night or desk.latest_night())
    files = [] if out is None else write_files(desk, made, out)
    told = {**made.as_record(), "files": [str(path) for path in files]}
    if purpose == "P-03":
        told["published_packages"] = _published(desk, made.night)
    return told, made


def _published(desk: Desk, night: date) -> int:
    """Return how many report packages of a night are published: statistics, which is what P-03 is for."""
    return sum(entry.body["night"] == night.isoformat() for entry in desk.ledger.entries("release"))


def _on_request(desk: Desk, purpose: str, about: Mapping[str, str | None], out: Path | None) -> Answer:
    made: Extract
    if purpose == "P-04":
        from quorum.extract.subject import subject_package

        made = subject_package(desk, str(about["subject"]), str(about["request"]), out)
    elif purpose == "P-06":
        from quorum.extract.files import check_out
        from quorum.extract.identity import verify_identity

        if out is not None:
            check_out(desk, purpose, out)
        made = verify_identity(desk, str(about["request"]))
    elif purpose == "P-08":
        from quorum.extract.prefill import prefill

        made = prefill(desk, about["request"], out)
    elif about["case"] is not None:
        from quorum.extract.cases import case_view

        made = case_view(desk, about["case"], out)
    else:
        from quorum.extract.cases import case_queue

        return case_queue(desk).as_record(), None
    return made.as_record(), made


def _show(told: Mapping[str, object], made: Extract | None, out: Path | None) -> None:
    """Show the tables of an extract and how much was refused, then whatever else is told."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if Console().is_terminal else 120, highlight=False, markup=False)
    console.print(f"{told['purpose']} of {told['night']}", style="bold")
    if made is not None:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("purpose", "table", "rows", "refused"):
            table.add_column(column, justify="right" if column == "rows" else "left")
        for name, count in made.rows.items():
            reasons = ", ".join(f"{reason} {n:,}" for reason, n in sorted(made.refused.get(name, {}).items()) if n)
            table.add_row(made.purpose, name, f"{count:,}", reasons or "none")
        console.print(table)
    for name, value in told.items():
        if name not in ("purpose", "night", "tables", "files"):
            console.print(f"{name.replace('_', ' ')}: {_words(value)}", soft_wrap=True)
    written = told.get("files")
    console.print(f"Files: {out.absolute()}" if out and written else "No file was written.", soft_wrap=True)


def _words(value: object) -> str:
    """Return a fact as people read it: a line for each entry of a list, `name value` for each of a mapping."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_words(held)}" for name, held in value.items()) or "none"
    if isinstance(value, list):
        return "".join(f"\n  {_words(each)}" for each in value) or "none"
    return str(value)
