"""Enquiries as cases (P-11): opened, looked at while open, closed; the queue and its counts hold no text of anybody.

What belongs here: the life of a case, which the ledger tells, and the view of an open one. What does not: answering.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from quorum.desk import Desk
from quorum.errors import PolicyError
from quorum.extract.files import check_out, write_folder
from quorum.extract.result import Extract, enter
from quorum.extract.subject_request import DeskAnswer, as_held, asked, request_keys, run_for
from quorum.policy.grants import check_may_act, check_may_read

PURPOSE = "P-11"
ACT = "case"
OPENED = "case_open"
CLOSED = "case_close"
SCHEMA = "quorum.case/1"
TOPICS = ("billing", "delivery", "account", "advertising", "privacy", "other")
"""What an enquiry can be about: a closed list."""

_REQUESTS = "vault__enquiry"
_CASE = "p11__case"
_PURCHASE = "p11__purchase"
_USAGE = "p11__usage"
_SECTIONS = MappingProxyType({"enquiry": _CASE, "purchases": _PURCHASE, "usage": _USAGE})
_SHORT = 12


@dataclass(frozen=True)
class Case:
    """A case in the queue.

    Args:
        case: keyed short reference of the request.
        topic: one of `TOPICS`.
        opened_on: the latest night when it was opened.
    """

    case: str
    topic: str
    opened_on: str

    def as_record(self) -> dict[str, object]:
        """Return it as ``--json`` prints it."""
        return {"case": self.case, "topic": self.topic, "opened_on": self.opened_on}


@dataclass(frozen=True)
class CaseQueue(DeskAnswer):
    """The open cases; ``counts`` says how many there are of each topic.

    Args:
        cases: in the order in which they were opened.
    """

    cases: tuple[Case, ...] = ()

    def as_record(self) -> dict[str, object]:
        """Return it as ``--json`` prints it."""
        return {**super().as_record(), "cases": [case.as_record() for case in self.cases]}


def case_open(desk: Desk, request: str) -> Case:
    """Open the case of a request of kind ``enquiry``; each request has one case in its life.

    Args:
        desk: the desk.
        request: identity of the request.

    Raises:
        PolicyError: the role may not, there is no such enquiry, or its case was opened before.
    """
    check_may_act(desk.policy, desk.actor, ACT)
    check_may_read(desk.policy, desk.actor, PURPOSE)
    who = asked(desk, _REQUESTS, request, PURPOSE)
    topic = who.rows[0]["topic"]
    case = Case(_name(who.key), topic if topic in TOPICS else "other", desk.latest_night().isoformat())
    if case.case in {entry.body["case"] for entry in desk.ledger.entries(OPENED)}:
        raise PolicyError("case.once", "a case that was opened before", "one case a request", "see the queue")
    desk.ledger.append(OPENED, {**_who(desk), "case": case.case, "topic": case.topic, "night": case.opened_on})
    return case


def case_close(desk: Desk, case: str) -> Case:
    """Close an open case; nobody looks at it again.

    Args:
        desk: the desk.
        case: as `case_open` named it.

    Raises:
        PolicyError: the role may not, or no such case is open.
    """
    check_may_act(desk.policy, desk.actor, ACT)
    check_may_read(desk.policy, desk.actor, PURPOSE)
    found = _opened(desk, case)
    night = desk.latest_night().isoformat()
    desk.ledger.append(CLOSED, {**_who(desk), "case": found.case, "topic": found.topic, "night": night})
    return found


def case_queue(desk: Desk) -> CaseQueue:
    """Return the open cases and how many there are of each topic; of the ledger alone, without any text.

    Raises:
        PolicyError: the role is not granted the purpose.
    """
    check_may_read(desk.policy, desk.actor, PURPOSE)
    cases = _open_cases(desk)
    counted = Counter(case.topic for case in cases)
    counts = {topic: counted[topic] for topic in TOPICS}
    facts = {"open_cases": f"{len(cases):,}"}
    return CaseQueue(PURPOSE, desk.latest_night(), {}, counts=counts, facts=facts, cases=cases)


def case_view(desk: Desk, case: str, out: Path | None) -> DeskAnswer:
    """Give what it takes to answer one open case.

    Args:
        desk: the desk.
        case: as `case_open` named it.
        out: a new folder outside the home for ``case.json``; None to count only.

    Returns:
        Counts ``enquiry`` (1), and ``purchases`` and ``usage`` of the service asked about.

    Raises:
        PolicyError: the role is not granted the purpose, or no such case is open.
    """
    check_may_read(desk.policy, desk.actor, PURPOSE)
    found = _opened(desk, case)
    if out is not None:
        check_out(desk, PURPOSE, out)
    who = asked(desk, _REQUESTS, _request_of(desk, found.case), PURPOSE)
    nights = {_CASE: desk.latest_night(), _PURCHASE: as_held(desk), _USAGE: desk.latest_night()}
    tables = {table: run_for(desk, table, night, who) for table, night in nights.items()}
    view = Extract(PURPOSE, desk.latest_night(), tables)
    enter(desk, "served" if out is None else "written", view, case=found.case)
    files = [] if out is None else write_folder(out, {"case.json": _document(desk, found, tables)})
    counts = {name: tables[table].num_rows for name, table in _SECTIONS.items()}
    facts = {"case": found.case, "topic": found.topic}
    return DeskAnswer(PURPOSE, view.night, tables, counts=counts, facts=facts, files=tuple(files))


def _name(request_key: str) -> str:
    return f"c-{request_key[:_SHORT]}"


def _who(desk: Desk) -> dict[str, str]:
    return {"who": desk.actor.name, "role": desk.actor.role, "purpose": PURPOSE}


def _open_cases(desk: Desk) -> tuple[Case, ...]:
    closed = {entry.body["case"] for entry in desk.ledger.entries(CLOSED)}
    opened = [entry.body for entry in desk.ledger.entries(OPENED)]
    return tuple(Case(b["case"], b["topic"], b["night"]) for b in opened if b["case"] not in closed)


def _opened(desk: Desk, case: str) -> Case:
    for found in _open_cases(desk):
        if found.case == case:
            return found
    raise PolicyError("case.open", "a case that is closed or was never opened", "an open case", "quorum case list")


def _request_of(desk: Desk, case: str) -> str:
    stored = desk.store.read(_REQUESTS, desk.latest_night(), "history", ["request_id"], purpose=PURPOSE)
    requests: list[str] = stored["request_id"].to_pylist()
    for request, key in zip(requests, request_keys(desk, requests), strict=True):
        if _name(key) == case:
            return request
    raise PolicyError(
        "case.gone", "a case whose enquiry is no longer held", "an enquiry within its retention", "close it"
    )


def _document(desk: Desk, case: Case, tables: Mapping[str, pa.Table]) -> bytes:
    body: dict[str, Any] = {
        "schema": SCHEMA,
        "policy": {"version": desk.policy.version, "digest": desk.policy.digest},
        "purpose": PURPOSE,
        "case": case.case,
        "enquiry": _rows(tables[_CASE])[0],
        "purchases": _rows(tables[_PURCHASE]),
        "usage": _rows(tables[_USAGE]),
    }
    return (json.dumps(body, ensure_ascii=False, indent=2) + "\n").encode()


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    return [
        {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in row.items()
            if name != "person_key"
        }
        for row in table.to_pylist()
    ]
