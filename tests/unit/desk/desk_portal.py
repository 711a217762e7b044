"""Two members of a small portal, and putting rows and requests into its home."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa

from quorum.desk import Desk
from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.extract.identity import verify_identity
from quorum.policy import Actor
from quorum.tables import Table

NIGHT = date(2026, 11, 21)
AT = datetime(2026, 11, 21, 3, 0)  # noqa: DTZ001 - instants are kept in UTC without a zone
HANAKO, TARO = "m-hanako", "m-taro"
CARD = "4111111111111111"

MEMBERS: Mapping[str, Mapping[str, Any]] = {
    HANAKO: {
        "name": "山田 花子",
        "email": "hanako@example.jp",
        "birth_date": date(1990, 3, 15),
        "gender": "女性",
        "postal_code": "1000001",
        "address": "東京都千代田区桜町１丁目２番３号",
        "phone": "03-0000-1234",
        "occupation": "会社員",
        "industry": "情報通信",
        "interests": "映画;園芸",
        "nickname": "はなちゃん",
        "payment_method": "クレジットカード",
        "bank_account": "0001-123-7654321",
        "card_number": CARD,
    },
    TARO: {
        "name": "鈴木 太郎",
        "email": "taro@example.jp",
        "birth_date": date(1970, 1, 2),
        "gender": "男性",
        "postal_code": "5300001",
        "address": "大阪府大阪市北区梅町4-5-6",
        "phone": "06-0000-9876",
        "occupation": "公務員",
        "nickname": "たろたろ",
        "bank_account": "0005-321-1234567",
        "card_number": "5555555555554444",
    },
}


@dataclass(frozen=True)
class Portal:
    """A desk, and how to put rows into its home."""

    desk: Desk

    def put(self, table: str, rows: list[dict[str, Any]], night: date = NIGHT, part: str = "part") -> None:
        self.desk.store.write(table, night, pa.Table.from_pylist(rows, self.desk.catalog[table].arrow_schema()), part)

    def ask(self, table: str, request: str, member: str | None, *details: dict[str, Any], at: datetime = AT) -> None:
        """Put a request of a kind; several details are several rows of it."""
        head = {"file_n": 9, "line_n": hash(request) % 10**6, "request_id": request, "member_id": member}
        when = {"requested_at": at, "requested_on": (at + timedelta(hours=9)).date()}
        self.put(table, [{**head, **when, **row} for row in details or ({},)], part=request)

    def claim(self, request: str, member: str | None, at: datetime = AT, **said: Any) -> None:
        self.ask("vault__verification_claim", request, member, said, at=at)

    def verify(self, member: str = HANAKO, at: datetime = AT) -> None:
        """Let a member pass: by name and the end of the card."""
        one = MEMBERS[member]
        said = {"method": "card", "claimed_name": one["name"], "claimed_card_last4": one["card_number"][-4:]}
        self.claim(f"v-{member}", member, at, **said)
        verify_identity(self.desk, f"v-{member}")

    def entries(self, kind: str, purpose: str | None = None) -> list[dict[str, Any]]:
        found = [dict(entry.body) for entry in self.desk.ledger.entries(kind)]
        return [body for body in found if purpose is None or body["purpose"] == purpose]

    def acting_as(self, role: str) -> Portal:
        return Portal(replace(self.desk, actor=Actor("somebody", role)))

    def with_query(self, table: str, change: Callable[[str], str]) -> Portal:
        """The same home under a statement that was changed."""
        contract = self.desk.catalog[table]
        changed = change(str(contract.query))
        assert changed != contract.query
        return self.with_contract(replace(contract, query=changed))

    def with_contract(self, contract: Table) -> Portal:
        """The same home under a contract that was changed."""
        catalog = self.desk.catalog
        mutated = replace(catalog, tables={**catalog.tables, contract.name: contract})
        store = Store(self.desk.home, mutated, self.desk.keys)
        engine = DuckEngine(store, self.desk.policy, self.desk.keys, memory_limit="500MB", threads=1)
        return Portal(replace(self.desk, store=store, engine=engine))
