"""When there is something to tell: a night that was held, blocked, refused or failed; and one that is well again.

What belongs here: from what a night did to an alert. What does not: sending (`pipelines.alerts`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from pipelines.alerts import Alert, load_channels, send
from quorum.errors import (
    EXIT_BUG,
    EXIT_CONFIGURATION,
    EXIT_DONE,
    EXIT_INPUT,
    EXIT_LEDGER,
    EXIT_POLICY,
    EXIT_RELEASE,
    EXIT_USAGE,
    QuorumError,
    worst,
)
from quorum.zones import Home

KINDS: Mapping[int, str] = MappingProxyType(
    {
        EXIT_BUG: "bug",
        EXIT_USAGE: "usage",
        EXIT_CONFIGURATION: "configuration",
        EXIT_INPUT: "incomplete",
        EXIT_RELEASE: "blocked",
        EXIT_POLICY: "refused",
        EXIT_LEDGER: "ledger",
    }
)
"""The kind of alert of each exit code but 0."""
RECOVERED, RETENTION, DELIVERY = "recovered", "retention", "delivery"
OTHER_KINDS = (RECOVERED, RETENTION, DELIVERY)
"""A night that was held is done; retention was refused; a package did not arrive."""


def alert_of(night: str, errors: Sequence[Mapping[str, Any]], kind: str = "") -> Alert | None:
    """Return the alert about what went wrong; None if nothing did.

    Args:
        night: the night; empty if it is about none.
        errors: ``{code, rule, message}``; only codes and rules are told.
        kind: one of `OTHER_KINDS`; that of the exit code if empty.
    """
    code = worst([int(error["code"]) for error in errors])
    if code == EXIT_DONE:
        return None
    return Alert(kind or KINDS[code], night, code, Counter(str(error["rule"]) for error in errors))


def tell(alert: Alert | None, home: Path, environ: Mapping[str, str]) -> int:
    """Send an alert, if there is one, to the channels of a home; return how many failed.

    A home without channels, or with channels that do not load, is one failure at most: `quorum doctor` says what it is.
    """
    if alert is None:
        return 0
    try:
        return send(alert, load_channels(Home(home), environ))
    except QuorumError:
        return 1


def announce(alert: Alert | None, home: Path, environ: Mapping[str, str]) -> None:
    """Send an alert of a command, if there is one; how many channels failed is said on stderr."""
    if failed := tell(alert, home, environ):
        click.echo(f"quorum: {failed} alert(s) could not be sent; see quorum doctor", err=True)
