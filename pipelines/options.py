"""Options that several commands share.

What belongs here: a civil date, where things are, who acts. What does not: commands.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import click

from pipelines.settings import ENGINES

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from quorum.workspace import Workspace

Command = Callable[..., None]


class _Day(click.ParamType[date]):
    """A civil date in Asia/Tokyo, YYYY-MM-DD."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        try:
            return value if isinstance(value, date) else datetime.strptime(value, "%Y-%m-%d").date()  # noqa: DTZ007
        except ValueError:
            self.fail(f"{value!r} is not a date, YYYY-MM-DD", param, ctx)


DAY = _Day()


def where(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say where things are."""
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Write one JSON object a night to stdout."),
        click.option("--engine", type=click.Choice(ENGINES), help="[QUORUM_ENGINE, else duckdb]"),
        click.option("--policy", type=click.Path(), help="The policy folder. [QUORUM_POLICY, else the checkout's]"),
        click.option("--home", type=click.Path(), help="The run-time state. [QUORUM_HOME, else var/ of the checkout]"),
        click.option("--landing", type=click.Path(), help="Where files land, <date>/<source>/. [QUORUM_LANDING]"),
    ):
        command = option(command)
    return command


def whose(command: Command) -> Command:
    """Add the options of a command that reads or changes data about persons: where things are, and who acts."""
    for option in (
        click.option("--role", help="The role to act in, of policy/roles.yaml. [the login's own]"),
        click.option("--actor", help="Who acts, as the ledger will name them. [the login]"),
        click.option("--policy", type=click.Path(), help="The policy folder. [QUORUM_POLICY, else the checkout's]"),
        click.option("--home", type=click.Path(), help="The run-time state. [QUORUM_HOME, else var/ of the checkout]"),
    ):
        command = option(command)
    return command


def opened(
    home: str | None, policy: str | None, actor: str | None, role: str | None
) -> AbstractContextManager[Workspace]:
    """Hold the lock of a home that is there and open it for the one who acts; the values of `whose`.

    Raises:
        ConfigurationError: there is no home.
    """
    from getpass import getuser

    from pipelines.settings import existing_home, resolve
    from quorum.workspace import locked_workspace

    settings = resolve(os.environ, home=home, policy=policy)
    return locked_workspace(
        existing_home(settings.home), settings.landing, settings.policy, os.environ, actor or getuser(), role
    )
