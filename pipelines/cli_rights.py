"""``quorum erase`` and ``quorum retention``: the rights of people, and how long anything is kept.

What belongs here: options, what is printed, exit codes. What does not: the work (`quorum.rights`).
"""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.options import opened, whose


@click.command()
@click.option("--request", required=True, help="The request_id of the request of kind erase, which must have landed.")
@click.option("--out", type=click.Path(), help="A folder outside the home for the receipt.")
@click.option("--json", "as_json", is_flag=True, help="Write the receipt as one JSON object to stdout.")
@whose
def erase(request: str, out: str | None, as_json: bool, **whose: str | None) -> None:
    """Erase the person who asks for it from all that is stored about people, and tell what was written again.

    The person's keyed tombstone stays, by which old files that land again are refused. Stopped in the middle, the same
    command goes on; done, it prints the same receipt again. Cubes and released packages hold no person and stay.
    """
    from datetime import UTC, datetime

    from quorum.rights.erase import erase as erase_person
    from quorum.rights.receipt import as_text, receipt_of, write_receipt

    with opened(**whose) as workspace:
        receipt = receipt_of(workspace.desk, erase_person(workspace.desk, request, datetime.now(UTC)))
        if out is not None:
            path = write_receipt(receipt, Path(out), workspace.home)
            click.echo(f"receipt: {path}", err=True)
    click.echo(json.dumps(receipt, ensure_ascii=False) if as_json else as_text(receipt))
