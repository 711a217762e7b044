"""A small home in which one night is done: members, purchases and choices, written as a night writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from quorum.register.disclose import Disclosure, Moment, disclose
from quorum.register.types import Order, Rules
from quorum.workspace import Workspace

NIGHT = date(2026, 11, 21)
TODAY = date(2026, 11, 22)
KEY = "a7" * 32
ENVIRON = {"QUORUM_MASTER_KEY": KEY}
CANARIES = ("Hanako Canary", "hanako.canary@example.jp", "m-1")
CASE = {"authority": "例示県警察本部", "case": "K-1", "approver": "second"}
HARD = {"necessity": "to stop the loss", "why_consent_is_hard": "they cannot be reached"}


def instant(day: int, hour: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, tzinfo=UTC).replace(tzinfo=None)


@dataclass(frozen=True)
class Office:
    """An open home, and what is done in it."""

    workspace: Workspace
    rules: Rules
    out: Path

    def write(self, table: str, *rows: Mapping[str, Any], day: int = NIGHT.day) -> None:
        schema = self.workspace.catalog[table].arrow_schema()
        whole = [{**dict.fromkeys(schema.names), **row} for row in rows]
        self.workspace.store.write(table, NIGHT.replace(day=day), pa.Table.from_pylist(whole, schema))

    def key(self, member: str) -> str:
        given = pa.table({"m": [member]})
        return str(self.workspace.engine.query("select pseudonym_member(m) as k from g", {"g": given})["k"][0].as_py())

    def choose(self, *choices: tuple[str, str, str | None, str, int]) -> None:
        """Write the choices that stand: member, scope, recipient, choice, hour."""
        rows = [
            {
                "person_key": self.key(m),
                "scope": s,
                "recipient_id": r,
                "choice": c,
                "chosen_at": instant(20, h),
            }
            for m, s, r, c, h in choices
        ]
        self.write("pseudo__standing_choice", *rows)

    def disclose(self, request: str | None = None, today: date = TODAY, **order: Any) -> Disclosure:
        moment = Moment(today, instant(22, 3), b"n" * 16)
        return disclose(self.workspace.desk, self.rules, Order(**order), moment, self.out, request)

    def kinds(self) -> list[str]:
        return [entry.kind for entry in self.workspace.ledger.entries() if entry.kind.startswith("disclosure")]

    def record(self) -> list[dict[str, Any]]:
        return self.workspace.store.read("vault__disclosure", NIGHT, "history").to_pylist()


def furnish(office: Office) -> None:
    """Three members, the first of whom let adv-01 have contact data; two purchases of the first."""
    old = {"file_n": 1, "line_n": 9, "updated_at": instant(1)}
    new = {"file_n": 2, "updated_at": instant(20)}
    contact = {
        "name": "Hanako Canary",
        "email": "hanako.canary@example.jp",
        "address": "Chiyoda 1-1",
        "phone": "090-1234-5678",
    }
    office.write(
        "vault__member",
        {**old, "member_id": "m-1", "name": "Old Canary"},
        {**new, "line_n": 1, "member_id": "m-1", **contact, "gender": "f", "card_number": "4111111111111111"},
        {**new, "line_n": 2, "member_id": "m-2", "name": "Taro Canary", "email": "taro.canary@example.jp"},
        {**new, "line_n": 3, "member_id": "m-3", "name": "Jiro Canary", "email": "jiro.canary@example.jp"},
    )
    bought = {"file_n": 3, "partner_id": "shop", "member_id": "m-1", "transaction_date": date(2026, 11, 20)}
    office.write(
        "vault__partner_transaction",
        {**bought, "line_n": 1, "receipt_id": "r-1", "item_category": "books", "amount_micros": 5, "billed_micros": 1},
        {**bought, "line_n": 2, "receipt_id": "r-2", "item_category": "food", "amount_micros": 7, "billed_micros": 1},
    )
    office.write("pseudo__member", *({"member_key": office.key(member)} for member in ("m-1", "m-2", "m-3")))
    office.write("pseudo__stop", {"person_key": office.key("m-2"), "purpose": "P-05"})
    office.choose(
        ("m-1", "provide_contact", "adv-01", "consent", 1), ("m-1", "provide_purchases", "adv-02", "consent", 1)
    )
    case = {
        "file_n": 4,
        "request_id": "q-1",
        "requested_at": instant(20),
        "requested_on": date(2026, 11, 20),
    }
    stated = {
        "basis": "D-04",
        "recipient_id": "police",
        "case_id": "K-9",
        "authority": "例示県警察本部",
        "statute": "ccp-197-2",
    }
    office.write(
        "vault__disclosure_case",
        {**case, **stated, "line_n": 1, "member_id": "m-1", "items": "NAME;ADDR"},
        {**case, **stated, "line_n": 1, "member_id": "m-2", "items": "NAME;ADDR"},
    )
    office.workspace.ledger.finish_night(NIGHT, "0" * 64, {})
