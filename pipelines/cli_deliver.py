"""``quorum deliver``: bringing published packages to their recipients.

What belongs here: options, what is printed, the exit code. What does not: the work (`quorum.deliver`).
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import click

from quorum.errors import worst

if TYPE_CHECKING:
    from quorum.deliver.run import Outcome


@click.command()
@click.option(
    "--recipient", "recipients", multiple=True, help="Of this one alone; may be repeated. [all with a target]"
)
@click.option("--period", "periods", multiple=True, help="Of this period alone, e.g. 2026-W47; may be repeated. [all]")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object a package to stdout.")
@click.option("--policy", type=click.Path(), help="The policy folder. [QUORUM_POLICY, else the checkout's]")
@click.option("--home", type=click.Path(), help="The run-time state. [QUORUM_HOME, else var/ of the checkout]")
def deliver(
    home: str | None, policy: str | None, recipients: tuple[str, ...], periods: tuple[str, ...], as_json: bool
) -> None:
    """Bring every published package that has not arrived yet to its recipient's target, and enter a receipt.

    Targets are in policy/recipients.yaml, and nowhere else. Each package is verified before it is sent, and sent once:
    stopped in the middle, the same command goes on. What fails is tried four times; it ends with exit code 11, with 12
    if a package does not verify, 13 if a server is not the one that the policy names, 14 if a login is refused.
    """
    from pipelines.settings import existing_home, resolve
    from pipelines.telling import DELIVERY, alert_of, announce
    from quorum.deliver.open import open_delivery
    from quorum.deliver.run import DELIVERED
    from quorum.deliver.run import deliver as bring

    settings = resolve(os.environ, home=home, policy=policy)
    outcomes = []
    paths = existing_home(settings.home)
    with open_delivery(paths, settings.policy, os.environ) as work:
        for outcome in bring(work, recipients, periods):
            outcomes.append(outcome)
            _tell(outcome, as_json=as_json)
    if not as_json:
        arrived = sum(outcome.status == DELIVERED for outcome in outcomes)
        click.echo(f"{arrived} of {len(outcomes)} packages delivered")
        if not work.policy.recipients:
            click.echo(f"no recipient has a target: packages lie in {paths.out}/<recipient>/")
    errors = [outcome.error for outcome in outcomes if outcome.error]
    announce(alert_of("", [error.as_record() for error in errors], DELIVERY), settings.home, os.environ)
    sys.exit(worst([error.exit_code for error in errors]))


def _tell(outcome: Outcome, *, as_json: bool) -> None:
    """Print what became of a package; why it failed goes to stderr too."""
    if as_json:
        click.echo(json.dumps(outcome.as_record(), ensure_ascii=False))
    else:
        size = f"  {outcome.file_n} files, {outcome.byte_n:,} bytes, {outcome.sent_n} sent" if outcome.file_n else ""
        whose = f"{outcome.recipient_id}  {outcome.report}  {outcome.period}"
        click.echo(f"{outcome.status:9}  {outcome.kind:4}  {whose}{size}")
    if outcome.error is not None:
        click.echo(f"quorum: {outcome.error}", err=True)
