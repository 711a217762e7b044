"""What the making of an extract is told and what it gives back.

What belongs here: types, which purposes have extracts, the entry in the ledger. What does not: making one
(`quorum.extract.build`, `quorum.extract.subject` and others).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from quorum.errors import UsageError
from quorum.policy.grants import check_may_read

if TYPE_CHECKING:
    import pyarrow as pa

    from quorum.desk import Desk

BATCH = ("P-01", "P-02", "P-03", "P-05", "P-07", "P-09", "P-10")
"""Purposes whose extracts the night makes."""
ON_REQUEST = ("P-04", "P-06", "P-08", "P-11")
"""Purposes whose extracts are made for one person, request or case."""
EXTRACT = "extract"
"""Kind of the entries in the ledger."""


@dataclass(frozen=True)
class Checked:
    """What a check leaves of a table.

    Args:
        rows: the rows that stay, with the contract's columns.
        refused: reason to the number of rows (or of segments, strata, lines: what the reason names) left out.
    """

    rows: pa.Table
    refused: Mapping[str, int] = field(default_factory=dict)


Check = Callable[["Desk", date, "pa.Table"], Checked]
"""From desk, night and the rows of a statement to what stays of them; raises PolicyError if nothing may."""
Make = Callable[["Desk", date], "pa.Table"]
"""From desk and night to rows."""


@dataclass(frozen=True)
class Extract:
    """What a purpose made in a night, or for a request.

    Args:
        purpose: e.g. ``P-05``.
        night: what it was made from.
        tables: name to rows.
        refused: name of a table to reason and number of what was left out of it.
    """

    purpose: str
    night: date
    tables: Mapping[str, pa.Table]
    refused: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @property
    def rows(self) -> Mapping[str, int]:
        """Name of a table to its number of rows."""
        return {name: table.num_rows for name, table in self.tables.items()}

    def as_record(self) -> dict[str, object]:
        """Return what may be shown: purpose, night, rows and refusals, as counts."""
        tables = {name: {"rows": n, "refused": dict(self.refused.get(name, {}))} for name, n in self.rows.items()}
        return {"purpose": self.purpose, "night": self.night.isoformat(), "tables": tables}


def check_purpose(purpose: str) -> None:
    """Refuse a purpose that has no extract.

    Raises:
        UsageError: it is none of the eleven.
    """
    known = sorted((*BATCH, *ON_REQUEST))
    if purpose not in known:
        raise UsageError("extract.purpose", "a purpose that the policy does not know", ", ".join(known), "name one")


def check_served(desk: Desk, purpose: str) -> None:
    """Refuse a purpose that the night does not make, or whose extract the role may not read; ask before anything.

    Raises:
        UsageError: no such purpose, or one that is served on request.
        PolicyError: the role is not granted the purpose.
    """
    check_purpose(purpose)
    if purpose not in BATCH:
        raise UsageError(
            "extract.batch", f"{purpose} of a whole night", ", ".join(BATCH), "name the request or the case"
        )
    check_may_read(desk.policy, desk.actor, purpose)


def enter(desk: Desk, act: str, extract: Extract, **reference: object) -> None:
    """Enter what is about to be done with an extract in the ledger: who, for what, how much, under which policy.

    Args:
        desk: who acts, and where it is entered.
        act: ``built``, ``served`` or ``written``.
        extract: counts are taken from it, nothing else.
        reference: the request or case it is for; what is None is left out.

    Raises:
        PolicyError: the role is not granted the purpose.
    """
    check_may_read(desk.policy, desk.actor, extract.purpose)
    body = {
        "act": act,
        "who": desk.actor.name,
        "role": desk.actor.role,
        "purpose": extract.purpose,
        "night": extract.night.isoformat(),
        "tables": dict(extract.rows),
        "rows": sum(extract.rows.values()),
        "refused": {
            name: dict(sorted(reasons.items())) for name, reasons in sorted(extract.refused.items()) if reasons
        },
        "policy": {"version": desk.policy.version, "digest": desk.policy.digest},
    }
    desk.ledger.append(EXTRACT, {**body, **{name: value for name, value in reference.items() if value is not None}})
