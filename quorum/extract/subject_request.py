"""What the desk does on request starts here: one request, of one kind, by its identity, and what was done about it.

What belongs here: finding a request, keyed references, giving a statement the one request or person that it is about.
What does not: what a purpose makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from quorum.desk import Desk
from quorum.errors import PolicyError
from quorum.extract.result import Extract

_REQUEST = "vault__desk_request"
_SUBJECT = "pseudo__desk_subject"
_NONE: Mapping[str, pa.Table] = MappingProxyType({})


@dataclass(frozen=True)
class Asked:
    """A request that somebody made.

    Args:
        request_id: its identity as it landed; it stays inside.
        member_id: whose it is; None if it is of no member.
        requested_at: instant in UTC, without a zone.
        key: keyed pseudonym of the request, for names of files and the ledger.
        member_key: keyed pseudonym of the member; None if it is of no member.
        rows: what it says, as the typed table of its kind has it.
    """

    request_id: str = field(repr=False)
    member_id: str | None = field(repr=False)
    requested_at: datetime
    key: str
    member_key: str | None
    rows: tuple[Mapping[str, Any], ...] = field(repr=False)


@dataclass(frozen=True)
class DeskAnswer(Extract):
    """What the desk made for a request, and what may be told about it.

    Args:
        counts: what was counted, by name.
        facts: codes that say what happened, e.g. ``result``; no value about a person.
        files: what was written outside the home.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)
    files: tuple[Path, ...] = ()

    def as_record(self) -> dict[str, object]:
        """Return it as ``--json`` prints it: counts and codes."""
        told = {"counts": dict(self.counts), "files": [str(path) for path in self.files]}
        return {**super().as_record(), **self.facts, **told}


def asked(desk: Desk, table: str, request: str, purpose: str) -> Asked:
    """Return a request by its identity.

    Args:
        desk: the desk.
        table: the typed table of its kind, e.g. ``vault__access_request``.
        request: its identity.
        purpose: what it is read for.

    Raises:
        PolicyError: no request of that kind has that identity, or its rows are of more than one person.
    """
    stored = desk.store.read(table, desk.latest_night(), "history", purpose=purpose)
    rows = tuple(row for row in stored.to_pylist() if row["request_id"] == request)
    if not rows:
        raise PolicyError(
            "desk.request",
            f"a request that is not in {table}",
            "one that landed in requests/ and is of that kind",
            "take the request in first",
        )
    members = {row["member_id"] for row in rows}
    if len(members) > 1:
        raise PolicyError("desk.one_person", f"a request about {len(members)} people", "one person", "ask for each")
    member_id = members.pop()
    request_key, member_key = _keys(desk, request, member_id)
    return Asked(request, member_id, rows[0]["requested_at"], request_key, member_key, rows)


def request_keys(desk: Desk, request_ids: list[str]) -> list[str]:
    """Return the keyed pseudonyms of requests, in order."""
    rows = pa.table({"n": list(range(len(request_ids))), "request_id": pa.array(request_ids, pa.string())})
    found = desk.engine.query("select pseudonym_event(request_id) as k from asked order by n", {"asked": rows})
    keys: list[str] = found["k"].to_pylist()
    return keys


def run_for(desk: Desk, table: str, night: date, who: Asked, given: Mapping[str, pa.Table] = _NONE) -> pa.Table:
    """Run a statement for one request and nothing else; what it reads is noted under the table's purpose.

    Args:
        desk: the desk.
        table: a table whose statement reads ``vault__desk_request`` or ``pseudo__desk_subject``.
        night: up to which night it reads.
        who: the request.
        given: other rows that stand in for stored ones, by the name that the statement reads.
    """
    catalog = desk.catalog
    request = {"request_id": who.request_id, "member_id": who.member_id}
    subject = {"member_key": who.member_key, "service": who.rows[0].get("service")}
    one = {
        name: pa.Table.from_pylist([row], catalog[name].arrow_schema())
        for name, row in ((_REQUEST, request), (_SUBJECT, subject))
    }
    read = {read.relation for read in catalog[table].reads}
    relations = {name: rows for name, rows in one.items() if name in read}
    return desk.engine.run(table, night, {**relations, **given})


def as_held(desk: Desk) -> date:
    """Return the night up to which a registration is held: a correction counts from the night after the latest."""
    return desk.latest_night() + timedelta(days=1)


def _keys(desk: Desk, request_id: str, member_id: str | None) -> tuple[str, str | None]:
    row = pa.table({"request_id": [request_id], "member_id": pa.array([member_id], pa.string())})
    statement = (
        "select pseudonym_event(request_id) as request_key, pseudonym_member(member_id) as member_key from asked"
    )
    found = desk.engine.query(statement, {"asked": row}).to_pylist()[0]
    return found["request_key"], found["member_key"]
