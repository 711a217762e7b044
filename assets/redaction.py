"""The only way an error leaves an asset: rule and code location, never a value.

Dagster keeps the text and the traceback of every exception, and those of its causes, in its databases. So whatever goes
wrong becomes a failure that is raised outside the except block, where nothing is attached to it any more.

What belongs here: turning exceptions into redacted failures. What does not: what may be told (`quorum.redaction`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import dagster as dg

from quorum.redaction import describe

Result = TypeVar("Result")
_MAY_PASS = ("landing.unreadable", "landing.changed")


def redacted(work: Callable[[], Result]) -> Result:
    """Do some work; whatever it raises becomes a failure that carries no value.

    Args:
        work: called once.

    Raises:
        dg.Failure: the work raised; without cause and context. Steps that may be retried are, if a disk or a file that
            is still being written may be the reason.
    """
    try:
        return work()
    except Exception as error:
        told = describe(error)
        may_pass = isinstance(error, OSError) or told.rule in _MAY_PASS
    raise dg.Failure(
        description=told.message,
        metadata={"code": told.code, "rule": told.rule, "message": told.message, "place": told.place},
        allow_retries=may_pass,
    )
