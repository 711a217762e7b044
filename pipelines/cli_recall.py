"""``quorum recall``: a release that must no longer be used.

What belongs here: options, what is printed. What does not: the entry in the chain (`quorum.release.recall`).
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from pipelines.options import DAY, opened, whose

if TYPE_CHECKING:
    from datetime import date

_REASONS = ("numbers", "source", "recipient", "protection")
"""As in `quorum.release.recall.REASONS`, which is not imported before it is needed."""


@click.command()
@click.argument("package", type=click.Path())
@click.option("--reason", type=click.Choice(_REASONS), required=True, help="Why; the recipient is told.")
@click.option("--date", "day", type=DAY, required=True, help="The day that the recall bears; the recipient is told.")
@whose
def recall(package: str, reason: str, day: date, **whose: str | None) -> None:
    """Recall PACKAGE, <recipient>/<report>/<period>: a signed entry in the recipient's chain, beside the package.

    Prints its folder, <period>.recall, which is to be delivered like a package. quorum verify then names the package as
    recalled, and so does every later certificate of the report. The package stays where it is; the same recall again
    prints the same folder.
    """
    with opened(**whose) as workspace:
        click.echo(workspace.recall(PurePath(package).parts[-3:], reason, day))
