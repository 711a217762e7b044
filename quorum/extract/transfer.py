"""Transfers on a person's own instruction (P-08): each is a disclosure with their consent, recorded like any other.

What belongs here: the record in the register, which the person is shown (P-04). What does not: disclosures that the
portal decides on (`quorum.register`), and what an instruction must say (`quorum.extract.prefill`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import pyarrow as pa

from quorum.desk import Desk
from quorum.errors import PolicyError
from quorum.extract.subject_request import Asked

BASIS = "D-03"
RECORD = "vault__disclosure"

_PURPOSE = "P-08"
_SOURCE = "registration"
_TOKYO = timedelta(hours=9)
_SHORT = 12


@contextmanager
def recorded(desk: Desk, who: Asked, items: list[str], now: datetime) -> Iterator[None]:
    """Keep the record of a transfer, written before the first byte of it; without the transfer there is no record.

    Args:
        desk: the desk.
        who: the instruction; its ``transfer_to`` is the recipient.
        items: categories that are given.
        now: the instant in UTC, without a zone.
    """
    recipient = str(who.rows[0]["transfer_to"])
    disclosure_id = _id_of(who)
    record = {
        "member_key": who.member_key,
        "disclosure_id": disclosure_id,
        "basis": BASIS,
        "recipient_id": recipient,
        "recipient_name": _name_of(desk, recipient),
        "items": ";".join(items),
        "source": _SOURCE,
        "consented_at": who.requested_at,
        "is_told": True,
        "disclosed_on": (now + _TOKYO).date(),
        "disclosed_at": now,
    }
    rows = pa.Table.from_pylist([record], desk.catalog[RECORD].arrow_schema())
    night = desk.latest_night()
    desk.store.write(RECORD, night, rows, disclosure_id)
    try:
        yield
    except BaseException:
        desk.store.remove(RECORD, night, disclosure_id)
        raise


def check_new(desk: Desk, who: Asked) -> None:
    """Refuse a transfer that is on record.

    Raises:
        PolicyError: the instruction was carried out before.
    """
    known = desk.store.read(RECORD, desk.latest_night(), "history", ["disclosure_id"], purpose=_PURPOSE)
    if _id_of(who) in known["disclosure_id"].to_pylist():
        raise PolicyError(
            "prefill.once", "a transfer that was made before", "one transfer an instruction", "ask the person again"
        )


def _id_of(who: Asked) -> str:
    return f"p08-{who.key[:_SHORT]}"


def _name_of(desk: Desk, recipient: str) -> str:
    listed = desk.store.read("pseudo__recipient", desk.latest_night(), "history").to_pylist()
    return next((row["name_ja"] for row in reversed(listed) if row["recipient_id"] == recipient), recipient)
