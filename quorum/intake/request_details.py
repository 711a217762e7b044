"""What requests say, typed: one sealed table for each kind of request that something is done about.

A request is kept whole in ``vault__request``; here its details get names, types and categories, so that each purpose
can be shown to read what it may read and nothing else. What a request does not say, or says in another form, is null:
whoever acts on it refuses what is missing, and counts it.

What belongs here: from canonical JSON to columns. What does not: whether a request is allowed, and doing it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from quorum.engine.store import Store

Row = dict[str, Any]
_PARENT = "vault__request"


def type_details(store: Store, night: date) -> None:
    """Write the typed tables of the requests that landed in a night; running it again gives the same.

    Args:
        store: where ``vault__request`` of the night lies.
        night: the night.
    """
    requests = store.read(_PARENT, night).to_pylist()
    for table, (kind, rows_of) in TYPED.items():
        rows = [
            {**_head(request), **row}
            for request in requests
            if request["kind"] == kind
            for row in rows_of(json.loads(request["details"]), request)
        ]
        store.write(table, night, pa.Table.from_pylist(rows, store.catalog[table].arrow_schema()))


def _head(request: Row) -> Row:
    return {
        **{name: request[name] for name in ("file_n", "line_n", "request_id", "member_id")},
        "requested_at": request["request_at"],
        "requested_on": request["request_date"],
    }


def _access(details: Row, _: Row) -> Iterator[Row]:
    yield {"language": _text(details, "language")}


def _correction(details: Row, _: Row) -> Iterator[Row]:
    fields = details.get("fields")
    if not isinstance(fields, dict) or not fields:
        fields = {None: None}  # named none: refused by whoever corrects
    for field, value in sorted(fields.items(), key=str):
        yield {"field": field, "new_value": None if value is None else _spelt(value)}


def _enquiry(details: Row, _: Row) -> Iterator[Row]:
    yield {
        "topic": _text(details, "topic"),
        "service": _text(details, "service"),
        "enquiry_text": _text(details, "text"),
        "reply_to": _text(details, "reply_to"),
    }


def _notice(details: Row, request: Row) -> Iterator[Row]:
    said = {name: _text(details, name) for name in ("message_id", "channel", "segment_id")}
    for member in _members(details, request):
        yield {**said, "member_id": member}


def _verification(details: Row, _: Row) -> Iterator[Row]:
    yield {
        "method": _text(details, "method"),
        "claimed_name": _text(details, "name"),
        "claimed_address": _text(details, "address"),
        "claimed_birth_date": _day(details, "birth_date"),
        "claimed_phone": _text(details, "phone"),
        "claimed_bank_account": _text(details, "bank_account"),
        "claimed_card_last4": _text(details, "card_last4"),
        "mail_result": _text(details, "mail_result"),
    }


def _prefill(details: Row, _: Row) -> Iterator[Row]:
    said = {name: _text(details, name) for name in ("form_id", "instruction_id", "transfer_to")}
    fields: list[str | None] = [*dict.fromkeys(_texts(details, "fields"))]
    for field in fields or [None]:
        yield {**said, "field": field}


def _refusal(details: Row, _: Row) -> Iterator[Row]:
    yield {
        "reason_code": _text(details, "reason_code"),
        "evidence_ref": _text(details, "evidence_ref"),
        "decided_by": _text(details, "decided_by"),
        "review_on": _day(details, "review_on"),
        "arrears_micros": _integer(details, "arrears_micros"),
    }


def _disclosure(details: Row, request: Row) -> Iterator[Row]:
    names = ("basis", "recipient_id", "case_id", "authority", "statute", "necessity", "why_consent_is_hard")
    said = {name: _text(details, name) for name in names}
    said["items"] = ";".join(_texts(details, "items"))
    for member in _members(details, request):
        yield {**said, "member_id": member}


TYPED: Mapping[str, tuple[str, Callable[[Row, Row], Iterator[Row]]]] = MappingProxyType(
    {
        "vault__access_request": ("access", _access),
        "vault__correction": ("correct", _correction),
        "vault__enquiry": ("enquiry", _enquiry),
        "vault__notice": ("notice", _notice),
        "vault__verification_claim": ("verification", _verification),
        "vault__prefill_instruction": ("prefill", _prefill),
        "vault__refusal": ("refusal", _refusal),
        "vault__disclosure_case": ("disclosure", _disclosure),
    }
)
"""Table to the kind of request that it is made of."""


def _members(details: Row, request: Row) -> list[str | None]:
    """Return the persons that a request is about: those that its details list, else the one who asks, else nobody."""
    return [*dict.fromkeys(_texts(details, "member_ids"))] or [request["member_id"]]


def _text(details: Row, name: str) -> str | None:
    value = details.get(name)
    return value.strip() or None if isinstance(value, str) else None


def _texts(details: Row, name: str) -> list[str]:
    value = details.get(name)
    return [text.strip() for text in value if isinstance(text, str) and text.strip()] if isinstance(value, list) else []


def _integer(details: Row, name: str) -> int | None:
    value = details.get(name)
    is_whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return value if is_whole else None


def _day(details: Row, name: str) -> date | None:
    try:
        return date.fromisoformat(_text(details, name) or "")
    except ValueError:
        return None


def _spelt(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
