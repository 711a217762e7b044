"""``quorum erase`` and ``quorum retention``: the rights of people, and how long anything is kept.

What belongs here: options, what is printed, exit codes. What does not: the work (`quorum.rights`).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.options import DAY, opened, whose

if TYPE_CHECKING:
    from datetime import date


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


@click.group()
def retention() -> None:
    """How long anything is kept."""


@retention.command("run")
@click.option("--date", "as_of", type=DAY, help="The day that counts as the last. [the latest night that is done]")
@click.option("--dry-run", is_flag=True, help="Only tell what would go.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")
@whose
def retention_run(as_of: date | None, dry_run: bool, as_json: bool, **whose: str | None) -> None:
    """Remove what is older than its retention, and show the oldest that is left of each table beside its limit.

    Members, choices, decisions and requests that still stand are carried into the oldest partition that stays. Nothing
    goes while a package is missing of a night that would go: exit 11. The exit code is 14 if something older is left.
    """
    with opened(**whose) as workspace:
        report = workspace.retain(as_of, is_dry=dry_run)
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False))
        return
    click.echo(
        f"{report['removed']} partitions and packages {'would go' if dry_run else 'removed'} as of {report['as_of']}"
    )
    for line in report["tables"]:
        if line["oldest_left"] is not None:
            told = f"{line['table']}: {line['days']} days, nothing before {line['first_kept']}; "
            told += f"removed {line['removed']}, carried {line['carried']} rows, oldest left {line['oldest_left']}"
            click.echo(told)
