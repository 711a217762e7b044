"""Verifying identity (P-06): what somebody claims against what is registered; only the result is kept.

What belongs here: how both are spelt alike, what is refused unseen, and whether somebody is verified. What does not:
what each method asks for, which the statement of ``p06__verification`` says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.errors import PolicyError
from quorum.extract.desk_settings import desk_settings
from quorum.extract.result import Extract, enter
from quorum.extract.subject_request import Asked, DeskAnswer, as_held, asked, request_keys, run_for
from quorum.patterns import find_identifiers, normalise
from quorum.policy.grants import check_may_read

PURPOSE = "P-06"
METHODS = ("registered_mail", "document", "bank", "card")
"""How somebody may show who they are: a closed list."""

_TABLE = "p06__verification"
_CLAIMS = "vault__verification_claim"
_MEMBERS = "vault__member"
_CARD_END = 4
_TOKYO = timedelta(hours=9)
_BETWEEN_DIGITS = re.compile(r"(?<=\d)[\s.\-_/・·]+(?=\d)")
_HOUSE_NUMBERS = re.compile(r"丁目|番地の?|番|号")
_SPACE = re.compile(r"\s+")


def verify_identity(desk: Desk, request: str) -> DeskAnswer:
    """Verify somebody by the claim in a request of kind ``verification``, once; the same request again is as stored.

    Args:
        desk: the desk.
        request: identity of the request.

    Returns:
        Counts ``passed`` and ``failed``, one of which is 1; facts ``method`` and ``result``.

    Raises:
        PolicyError: no such claim, it is of no member, its method is unknown, or a card number stands in it in clear.
    """
    check_may_read(desk.policy, desk.actor, PURPOSE)
    who = asked(desk, _CLAIMS, request, PURPOSE)
    night = desk.latest_night()
    rows = _stored(desk, who.key)
    if rows is None:
        _check_claim(desk, who)
        rows = run_for(desk, _TABLE, night, who, _spelt_alike(desk, who))
        enter(desk, "built", Extract(PURPOSE, night, {_TABLE: rows}), request=who.key)
        desk.store.write(_TABLE, night, rows, part=who.key)
    result = rows.to_pylist()[0]
    facts = {"method": result["method"], "result": result["result"]}
    return DeskAnswer(PURPOSE, night, {_TABLE: rows}, counts=_counts(rows), facts=facts)


def check_verified(desk: Desk, member_id: str, member_key: str) -> None:
    """Refuse to act for somebody whose identity is not verified; claims that nobody looked at yet are looked at now.

    Args:
        desk: the desk.
        member_id: who says to be asking.
        member_key: the same, as a keyed pseudonym.

    Raises:
        PolicyError: no verification of theirs passed within ``verification_days`` of the latest night.
    """
    days = desk_settings(desk.policy).verification_days
    passed = _last_passed(desk, member_key)
    if passed is None or not _holds(passed, desk.latest_night(), days):
        _verify_waiting(desk, member_id)
        passed = _last_passed(desk, member_key) or passed
    if passed is None or not _holds(passed, desk.latest_night(), days):
        missing = "no verification that passed" if passed is None else "a verification that passed too long ago"
        raise PolicyError(
            "desk.identity",
            f"somebody with {missing}",
            f"a verification of identity (P-06) that passed within {days} days",
            "take in a request of kind verification of this member that agrees with the registration",
        )


def _check_claim(desk: Desk, who: Asked) -> None:
    """Refuse a claim that nothing may be made of, and count it."""
    reason = _fault(who)
    if reason is not None:
        nothing = desk.catalog[_TABLE].arrow_schema().empty_table()
        enter(
            desk,
            "built",
            Extract(PURPOSE, desk.latest_night(), {_TABLE: nothing}, {_TABLE: {reason: 1}}),
            request=who.key,
        )
        raise PolicyError(
            f"identity.{reason}",
            "a claim that is not looked at",
            f"one of {', '.join(METHODS)}, of a member, with the last {_CARD_END} digits of a card at most",
            "ask for it again",
        )


def _fault(who: Asked) -> str | None:
    claim = who.rows[0]
    if any(isinstance(value, str) and _has_card(value) for name, value in claim.items() if name.startswith("claimed_")):
        return "card_in_clear"
    if len(_digits(claim["claimed_card_last4"]) or "") > _CARD_END:
        return "card_in_clear"
    if who.member_id is None:
        return "no_member"
    return None if claim["method"] in METHODS else "unknown_method"


def _has_card(text: str) -> bool:
    return "card" in find_identifiers(text) or "card" in find_identifiers(_BETWEEN_DIGITS.sub("", normalise(text)))


def _spelt_alike(desk: Desk, who: Asked) -> Mapping[str, pa.Table]:
    """Return the claim and the versions of that one member's registration, both in one spelling, in memory."""
    stored = desk.store.read(_MEMBERS, as_held(desk), "history", purpose=PURPOSE)
    members = [row for row in stored.to_pylist() if row["member_id"] == who.member_id]
    catalog = desk.catalog
    return {
        f"{_CLAIMS}__history": pa.Table.from_pylist(
            [_respelt(who.rows[0], "claimed_")], catalog[_CLAIMS].arrow_schema()
        ),
        f"{_MEMBERS}__history": pa.Table.from_pylist(
            [_respelt(row, "") for row in members], catalog[_MEMBERS].arrow_schema()
        ),
    }


def _respelt(row: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    spelt = {prefix + name: spell(row[prefix + name]) for name, spell in _SPELLINGS.items() if prefix + name in row}
    return {**row, **spelt}


def _plain(text: str | None) -> str | None:
    return _SPACE.sub("", normalise(text)).casefold() or None if text else None


def _address(text: str | None) -> str | None:
    plain = _plain(text)
    return _HOUSE_NUMBERS.sub("-", plain).strip("-") or None if plain else None


def _digits(text: str | None) -> str | None:
    return re.sub(r"\D", "", normalise(text)) or None if text else None


_SPELLINGS: Mapping[str, Callable[[str | None], str | None]] = MappingProxyType(
    {"name": _plain, "address": _address, "bank_account": _digits, "card_number": _digits, "card_last4": _digits}
)


def _stored(desk: Desk, key: str) -> pa.Table | None:
    """Return the verification that was made of a request, or None."""
    rows = desk.store.read(_TABLE, desk.latest_night(), "history", purpose=PURPOSE)
    mine = rows.filter(pc.equal(rows["request_key"], key))
    return mine if mine.num_rows else None


def _last_passed(desk: Desk, member_key: str) -> datetime | None:
    rows = desk.store.read(_TABLE, desk.latest_night(), "history", purpose=PURPOSE).to_pylist()
    mine = [row["verified_at"] for row in rows if row["person_key"] == member_key and row["result"] == "passed"]
    return max(mine, default=None)


def _holds(verified_at: datetime, night: date, days: int) -> bool:
    """Say whether a verification holds at the end of a night, in Asia/Tokyo."""
    end = datetime.combine(night + timedelta(days=1), time()) - _TOKYO
    return verified_at >= end - timedelta(days=days)


def _verify_waiting(desk: Desk, member_id: str) -> None:
    """Look at the claims of a member that were not looked at yet; what is refused stays refused."""
    stored = desk.store.read(_CLAIMS, desk.latest_night(), "history", purpose=PURPOSE).to_pylist()
    waiting = [row["request_id"] for row in stored if row["member_id"] == member_id]
    for request, key in zip(waiting, request_keys(desk, waiting), strict=True):
        if _stored(desk, key) is None:
            try:
                verify_identity(desk, request)
            except PolicyError:  # counted in the ledger
                continue


def _counts(rows: pa.Table) -> dict[str, int]:
    results = rows["result"].to_pylist()
    return {result: results.count(result) for result in ("passed", "failed")}
