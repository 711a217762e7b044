"""Prefilling forms (P-08): registered data on one person's instruction, for one form, kept nowhere.

What belongs here: what an instruction must say. What does not: which fields the purpose may use; the contract of
``p08__prefill`` lists them, and the policy judges the contract.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from quorum.desk import Desk
from quorum.errors import PolicyError
from quorum.extract.files import check_out, write_folder
from quorum.extract.result import Extract, enter
from quorum.extract.subject_request import Asked, DeskAnswer, as_held, asked, run_for
from quorum.extract.transfer import check_new, recorded
from quorum.policy.grants import check_may_read

PURPOSE = "P-08"
SCHEMA = "quorum.prefill/1"

_TABLE = "p08__prefill"
_REQUESTS = "vault__prefill_instruction"
_ABOUT = ("request_key", "person_key", "form_id", "transfer_to")


def prefill(desk: Desk, request: str | None, out: Path | None, now: datetime | None = None) -> DeskAnswer:
    """Give the registered data that one instruction asks for, and nothing beside it.

    Args:
        desk: the desk.
        request: identity of a request of kind ``prefill``; there is no run without one.
        out: a new folder outside the home for ``prefill.json``; None to count only.
        now: the instant in UTC, without a zone, for the record of a transfer; the clock's if None.

    Returns:
        Counts ``fields`` (given) and ``empty`` (asked for, but not registered).

    Raises:
        PolicyError: no request is named, it is none of this kind or says two things at once, a field is not among
            those that may be filled in, or data would go to somebody with no instruction to transfer it, or twice.
    """
    check_may_read(desk.policy, desk.actor, PURPOSE)
    if not request:
        raise PolicyError(
            "prefill.bulk", "a run for nobody in particular", "one request of kind prefill", "--request R"
        )
    if out is not None:
        check_out(desk, PURPOSE, out)
    who = asked(desk, _REQUESTS, request, PURPOSE)
    fields = _fields(desk, who)
    rows = run_for(desk, _TABLE, as_held(desk), who)
    if rows.num_rows != 1:
        raise PolicyError("prefill.registration", f"data of {rows.num_rows} people", "one member who is registered")
    found = rows.to_pylist()[0]
    given = {name: found[name] for name in fields if found[name] is not None}
    if out is not None and found["transfer_to"] is not None:
        check_new(desk, who)
    made = Extract(PURPOSE, desk.latest_night(), {_TABLE: rows})
    act = "served" if out is None else "written"
    enter(desk, act, made, request=who.key, fields=sorted(given), transfer_to=found["transfer_to"])
    files = [] if out is None else _written(desk, who, found, given, out, now or _clock())
    counts = {"fields": len(given), "empty": len(fields) - len(given)}
    return DeskAnswer(PURPOSE, made.night, made.tables, counts=counts, files=tuple(files))


def _written(
    desk: Desk, who: Asked, found: Mapping[str, Any], given: Mapping[str, Any], out: Path, now: datetime
) -> list[Path]:
    """Write the file; what goes to somebody else is in the register before."""
    contract = desk.catalog[_TABLE]
    items = sorted({contract.column(name).category for name in given})
    with nullcontext() if found["transfer_to"] is None else recorded(desk, who, items, now):
        return write_folder(out, {"prefill.json": _document(desk, found, given)})


def _clock() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)


def _fields(desk: Desk, who: Asked) -> list[str]:
    """Return the fields that the instruction names, after refusing what it may not ask."""
    if who.member_id is None:
        raise PolicyError("prefill.member", "an instruction of no member", "a request that names its member")
    said = {(row["form_id"], row["instruction_id"], row["transfer_to"]) for row in who.rows}
    if len(said) > 1:
        raise PolicyError("prefill.one", f"a request that says {len(said)} things", "one form of one instruction")
    _, instruction, recipient = said.pop()
    if recipient is not None and instruction is None:
        raise PolicyError(
            "prefill.transfer",
            "a transfer that nobody gave an instruction for",
            "an instruction_id of the person",
            "ask the person",
        )
    allowed = [column.name for column in desk.catalog[_TABLE].columns if column.name not in _ABOUT]
    fields = [row["field"] for row in who.rows]
    if not set(fields) <= set(allowed):
        raise PolicyError("prefill.field", "a field that may not be filled in", ", ".join(allowed), "leave it out")
    return [name for name in allowed if name in fields]


def _document(desk: Desk, found: Mapping[str, Any], given: Mapping[str, Any]) -> bytes:
    body = {
        "schema": SCHEMA,
        "policy": {"version": desk.policy.version, "digest": desk.policy.digest},
        "purpose": PURPOSE,
        "request": found["request_key"],
        "form": found["form_id"],
        "transfer_to": found["transfer_to"],
        "fields": {name: _plain(value) for name, value in given.items()},
    }
    return (json.dumps(body, ensure_ascii=False, indent=2) + "\n").encode()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
