"""``quorum correct`` and ``quorum case``: what the desk does for people beside serving extracts.

What belongs here: options and what is told. What does not: the acts (`quorum.extract.correct`, `quorum.extract.cases`);
no value about a person is ever printed.
"""

from __future__ import annotations

import json

import click

from pipelines.options import opened, whose

_JSON = click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")


@click.command()
@click.option("--request", required=True, help="The request of kind correct that is carried out.")
@_JSON
@whose
def correct(request: str, *, as_json: bool, **whose: str | None) -> None:
    """Correct a registration as its verified owner asked; it counts from the next night.

    The request is carried out whole or not at all, and once. The person's package (P-04) names the fields.
    """
    from quorum.extract.correct import correct as carry_out

    with opened(**whose) as workspace:
        done = carry_out(workspace.desk, request)
    _tell(
        done.as_record(),
        f"{done.counts['fields']} fields corrected, from {done.facts['effective_on']} on",
        as_json=as_json,
    )


@click.group()
def case() -> None:
    """Enquiries as cases: opened, looked at while they are open (quorum extract P-11), closed."""


@case.command("open")
@click.option("--request", required=True, help="The request of kind enquiry that is answered.")
@_JSON
@whose
def case_open(request: str, *, as_json: bool, **whose: str | None) -> None:
    """Open the case of an enquiry and print its name; each enquiry has one case in its life."""
    from quorum.extract.cases import case_open as act

    with opened(**whose) as workspace:
        opened_case = act(workspace.desk, request)
    _tell(opened_case.as_record(), f"{opened_case.case}  {opened_case.topic}", as_json=as_json)


@case.command("close")
@click.option("--case", "name", required=True, help="The case, as it was named when it was opened.")
@_JSON
@whose
def case_close(name: str, *, as_json: bool, **whose: str | None) -> None:
    """Close a case; nobody looks at it again."""
    from quorum.extract.cases import case_close as act

    with opened(**whose) as workspace:
        closed = act(workspace.desk, name)
    _tell(closed.as_record(), f"{closed.case}  closed", as_json=as_json)


@case.command("list")
@_JSON
@whose
def case_list(*, as_json: bool, **whose: str | None) -> None:
    """List the open cases with their topics, and how many there are of each; no text of anybody."""
    from quorum.extract.cases import case_queue

    with opened(**whose) as workspace:
        queue = case_queue(workspace.desk)
    lines = [f"{one.case}  {one.opened_on}  {one.topic}" for one in queue.cases]
    counted = ", ".join(f"{topic} {n}" for topic, n in queue.counts.items() if n)
    _tell(queue.as_record(), "\n".join([*lines, f"open cases: {counted or 'none'}"]), as_json=as_json)


def _tell(record: dict[str, object], text: str, *, as_json: bool) -> None:
    click.echo(json.dumps(record, ensure_ascii=False) if as_json else text)
