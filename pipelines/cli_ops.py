"""``quorum note`` and ``quorum doctor``: what an operator says to a held night, and what a home needs.

What belongs here: options, what is printed, exit codes. What does not: looking (`pipelines.doctor`) and judging
(`quorum.holds`).
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import click

from pipelines.options import DAY, whose

if TYPE_CHECKING:
    from datetime import date


@click.command()
@click.option("--date", "night", type=DAY, required=True, help="The night that it is about.")
@click.option("--source", required=True, help="The source that it excuses; `night` gives the whole night up.")
@click.option("--why", required=True, help="The reason, in words about no person; it stands in the ledger.")
@whose
def note(night: date, source: str, why: str, **whose: str | None) -> None:
    """Explain what a night was held for, so that it may be released without it: dated, in the ledger, under your name.

    Excused are a source that does not come, a broken file and a volume far from the usual. Lines of an explained source
    are not what later nights are compared with.
    """
    from getpass import getuser

    from pipelines.settings import existing_home, resolve
    from quorum.holds import add_note, write_page
    from quorum.ledger import Ledger
    from quorum.policy import load_policy
    from quorum.policy.grants import actor_of
    from quorum.workspace import night_lock

    settings = resolve(os.environ, home=whose["home"], policy=whose["policy"])
    home = existing_home(settings.home)
    actor = actor_of(load_policy(settings.policy), whose["actor"] or getuser(), whose["role"])
    with night_lock(home):
        ledger = Ledger(home.ledger)
        try:
            add_note(ledger, night, source, why, actor.name)
            write_page(ledger, home)
        finally:
            ledger.close()
    click.echo(f"noted: {source} of {night}; run the night again")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object to stdout.")
@click.option("--policy", type=click.Path(), help="The policy folder. [QUORUM_POLICY, else the checkout's]")
@click.option("--home", type=click.Path(), help="The run-time state. [QUORUM_HOME, else var/ of the checkout]")
@click.option("--landing", type=click.Path(), help="Where files land, <date>/<source>/. [QUORUM_LANDING]")
def doctor(as_json: bool, **where: str | None) -> None:
    """Look a home over and change nothing: key, policy, disk, versions, upgrade, permissions, lock, Dagster, nights.

    The exit code is 10 where something must be done; each line says what.
    """
    import sys

    from pipelines.doctor import look_over
    from pipelines.settings import resolve
    from quorum.errors import EXIT_CONFIGURATION, EXIT_DONE

    found = look_over(resolve(os.environ, **where), os.environ)
    if as_json:
        click.echo(json.dumps([one.as_record() for one in found], ensure_ascii=False))
    else:
        for one in found:
            click.echo(f"{'ok    ' if one.is_well else 'TO DO '} {one.subject:12} {one.told}")
            if not one.is_well:
                click.echo(f"{'':7}{'':12} do: {one.remedy}")
    sys.exit(EXIT_DONE if all(one.is_well for one in found) else EXIT_CONFIGURATION)
