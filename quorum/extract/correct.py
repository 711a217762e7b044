"""Corrections that people ask for (P-04): a new version of a registration, and a journal that holds no value.

What belongs here: what may be corrected, into what, and writing it. What does not: how a landed registration is read
(`quorum.intake.members`).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.errors import PolicyError
from quorum.extract.identity import check_verified
from quorum.extract.subject_request import Asked, DeskAnswer, as_held, asked
from quorum.patterns import find_identifiers, normalise
from quorum.policy.grants import check_may_act, check_may_read

PURPOSE = "P-04"
ACT = "correct"
JOURNAL = "vault__correction_journal"

_REQUESTS = "vault__correction"
_MEMBERS = "vault__member"
_FIXED = frozenset({"file_n", "line_n", "member_id", "updated_at"})
_TEXT_LIMIT = 1024
_CONTROL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffd]"
)  # not shown, or turns text round
_EMAIL = re.compile(r"[^\s@]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}")
_BIRTH_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_ACCOUNT = re.compile(r"[0-9-]{4,40}")
_CARD_DIGITS = range(13, 20)


def correct(desk: Desk, request: str) -> DeskAnswer:
    """Correct a registration as a request of kind ``correct`` says, once; it counts from the next night.

    The whole request is done or nothing of it: a new version of the registration goes into the partition of the night
    after the latest, and the journal names the fields.

    Args:
        desk: the desk.
        request: identity of the request.

    Returns:
        Counts ``fields``; fact ``effective_on``.

    Raises:
        PolicyError: the role may not correct, the identity is not verified, the request was done before, a field may
            not be corrected, or a value is not of its kind.
    """
    check_may_act(desk.policy, desk.actor, ACT)
    check_may_read(desk.policy, desk.actor, PURPOSE)
    who = asked(desk, _REQUESTS, request, PURPOSE)
    if who.member_id is None or who.member_key is None:
        raise PolicyError("correct.member", "a correction of no member", "a request that names its member", "ask again")
    _check_new(desk, who)
    values = _values(desk, who.rows)
    check_verified(desk, who.member_id, who.member_key)
    version = _new_version(desk, who, values)
    effective_on = as_held(desk)
    desk.ledger.append(
        ACT,
        {
            "who": desk.actor.name,
            "role": desk.actor.role,
            "purpose": PURPOSE,
            "request": who.key,
            "fields": sorted(values),
            "effective_on": effective_on.isoformat(),
        },
    )
    part = f"correction-{who.key}"
    journal = _journal(desk, who, sorted(values), effective_on)
    desk.store.write(_MEMBERS, effective_on, version, part=part)
    desk.store.write(JOURNAL, effective_on, journal, part=part)
    return DeskAnswer(
        PURPOSE,
        desk.latest_night(),
        {JOURNAL: journal},
        counts={"fields": len(values)},
        facts={"effective_on": effective_on.isoformat()},
    )


def _check_new(desk: Desk, who: Asked) -> None:
    journal = desk.store.read(JOURNAL, as_held(desk), "history", ["request_key"], purpose=PURPOSE)
    if who.key in journal["request_key"].to_pylist():
        raise PolicyError(
            "correct.once", "a correction that was made before", "each request once", "make a new request"
        )


def _values(desk: Desk, rows: tuple[Mapping[str, Any], ...]) -> dict[str, Any]:
    """Return the new value of each field, in the spelling in which registrations are held."""
    allowed = [column.name for column in desk.catalog[_MEMBERS].columns if column.name not in _FIXED]
    values: dict[str, Any] = {}
    for row in rows:
        if row["field"] not in allowed:
            raise PolicyError(
                "correct.field", "a field that nobody may correct", ", ".join(allowed), "name one of the registration"
            )
        values[row["field"]] = None if row["new_value"] is None else _value(desk, row["field"], row["new_value"])
    return values


def _value(desk: Desk, field: str, text: str) -> Any:
    value = None
    if 0 < len(text) <= _TEXT_LIMIT and not _CONTROL.search(text):
        value = _READ.get(field, _text)(text)
    if isinstance(value, date) and value > desk.latest_night():
        value = None
    if value is None:
        raise PolicyError(
            "correct.value", f"a value that is no {field}", "a value as registration takes it", "ask for it again"
        )
    return value


def _text(text: str) -> str | None:
    return text.strip() or None


def _term(text: str) -> str | None:
    return unicodedata.normalize("NFKC", text).strip() or None


def _email(text: str) -> str | None:
    return text.strip() if _EMAIL.fullmatch(text.strip()) else None


def _birth_date(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _BIRTH_DATE.fullmatch(text) else None
    except ValueError:
        return None


def _postal_code(text: str) -> str | None:
    digits = re.sub(r"[-\s]", "", normalise(text))
    return digits if re.fullmatch(r"[0-9]{7}", digits) else None


def _phone(text: str) -> str | None:
    plain = normalise(text).strip()
    return plain if find_identifiers(plain) == ("telephone",) else None


def _bank_account(text: str) -> str | None:
    plain = normalise(text).strip()
    return plain if _ACCOUNT.fullmatch(plain) else None


def _card_number(text: str) -> str | None:
    digits = re.sub(r"[-\s]", "", normalise(text))
    return digits if digits.isdecimal() and len(digits) in _CARD_DIGITS and "card" in find_identifiers(digits) else None


_READ: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "email": _email,
        "birth_date": _birth_date,
        "gender": _term,
        "occupation": _term,
        "postal_code": _postal_code,
        "phone": _phone,
        "bank_account": _bank_account,
        "card_number": _card_number,
    }
)
"""Field to what reads its text; any other field is text."""


def _new_version(desk: Desk, who: Asked, values: Mapping[str, Any]) -> pa.Table:
    """Return the version that stands with the new values; it landed in the file of the request, on its line."""
    members = desk.store.read(_MEMBERS, as_held(desk), "history", purpose=PURPOSE)
    mine = members.filter(pc.equal(members["member_id"], who.member_id)).to_pylist()
    if not mine:
        raise PolicyError("correct.registration", "a correction of somebody without a registration", "a member")
    latest = max(mine, key=lambda row: (row["updated_at"], row["file_n"], row["line_n"]))
    landed = {"file_n": who.rows[0]["file_n"], "line_n": who.rows[0]["line_n"]}
    updated_at = max(who.requested_at, latest["updated_at"] + timedelta(microseconds=1))
    return pa.Table.from_pylist(
        [{**latest, **values, **landed, "updated_at": updated_at}], desk.catalog[_MEMBERS].arrow_schema()
    )


def _journal(desk: Desk, who: Asked, fields: list[str], effective_on: date) -> pa.Table:
    rows = [
        {
            "member_key": who.member_key,
            "request_key": who.key,
            "field": field,
            "corrected_on": effective_on,
            "requested_at": who.requested_at,
        }
        for field in fields
    ]
    return pa.Table.from_pylist(rows, desk.catalog[JOURNAL].arrow_schema())
