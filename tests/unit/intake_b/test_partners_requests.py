"""Partners, preferences and requests: sealed as they landed, each identity once; a receipt for each transaction."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quorum.intake.accounting import Accounting
from quorum.intake.context import Intake
from quorum.intake.partners import take_in_partners
from quorum.intake.preferences import take_in_preferences
from quorum.intake.requests import KINDS, take_in_requests

Land = Callable[..., Path]
NIGHT = date(2026, 11, 21)
AT = datetime.fromisoformat("2026-11-20 23:00:00")
RECEIPT: dict[str, Any] = {
    "receipt_id": "r1",
    "partner_id": "shop-01",
    "member_id": "m1",
    "ts": f"{NIGHT}T08:00:00+09:00",
    "item_category": "化粧品",
    "amount_micros": 30_500_000_000,
    "billed_micros": 29_585_000_000,
}


def as_csv(*receipts: dict[str, Any]) -> bytes:
    header = list(receipts[0])
    lines = [",".join(str(receipt.get(name, "")) for name in header) for receipt in receipts]
    return "\n".join([",".join(header), *lines, ""]).encode()


def choice(event_id: str = "p1", **fields: object) -> dict[str, Any]:
    record = {"event_id": event_id, "ts": RECEIPT["ts"], "member_id": "m1", "choice": "opt_out", "scope": "ads"}
    return {**record, **fields}


def request(request_id: str = "q1", **fields: object) -> dict[str, Any]:
    return {"request_id": request_id, "ts": RECEIPT["ts"], "kind": "access", "member_id": "m1", "details": {}, **fields}


def stored(intake: Intake, table: str, night: date = NIGHT) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = intake.store.read(table, night).to_pylist()
    return rows


# -- partners


def as_parquet(receipt: dict[str, Any], path: Path) -> bytes:
    pq.write_table(pa.Table.from_pylist([receipt]), path)
    return path.read_bytes()


@pytest.mark.parametrize("is_parquet", [False, True])
def test_a_transaction_is_sealed_in_full(intake: Intake, land: Land, tmp_path: Path, is_parquet: bool) -> None:
    land("partners", "a", as_parquet(RECEIPT, tmp_path / "x") if is_parquet else as_csv(RECEIPT))
    assert take_in_partners(intake, NIGHT) == [Accounting("partners", "partners/a", 1, 1)]
    (row,) = stored(intake, "vault__partner_transaction")
    kept = {name: value for name, value in RECEIPT.items() if name != "ts"}
    assert row == {**kept, "file_n": 1, "line_n": 1, "transaction_at": AT, "transaction_date": NIGHT}
    for path in intake.store.home.root.rglob("*.parquet"):
        assert "化粧品".encode() not in path.read_bytes()


@pytest.mark.clause("C-03")
def test_a_row_without_a_receipt_is_rejected_and_sealed_with_its_reason(intake: Intake, land: Land) -> None:
    land("partners", "a", as_csv(RECEIPT, *({**RECEIPT, "receipt_id": none} for none in ("", "  ", "-"))))
    (accounting,) = take_in_partners(intake, NIGHT)
    assert (accounting.loaded, accounting.quarantined) == (1, {"missing_receipt": 3})
    assert {row["reason"] for row in stored(intake, "vault__rejected_line")} == {"missing_receipt"}


@pytest.mark.clause("C-03")
def test_a_file_without_a_column_for_receipts_is_rejected_row_by_row(intake: Intake, land: Land) -> None:
    land("partners", "a", as_csv({name: value for name, value in RECEIPT.items() if name != "receipt_id"}))
    assert take_in_partners(intake, NIGHT)[0].quarantined == {"missing_receipt": 1}


@pytest.mark.clause("C-03")
def test_a_receipt_counts_once_for_each_partner_in_any_night(intake: Intake, land: Land) -> None:
    long_ago = NIGHT - timedelta(days=90)
    land("partners", "a", as_csv(RECEIPT), long_ago)
    take_in_partners(intake, long_ago)
    again = [{**RECEIPT, "ts": f"{NIGHT}T09:00:00+09:00"}, {**RECEIPT, "partner_id": "shop-02"}]
    land("partners", "b", as_csv(*again, again[1], {**RECEIPT, "receipt_id": "r2", "ts": "2026-11-19T00:00:00Z"}))
    first = take_in_partners(intake, NIGHT)
    assert first == [Accounting("partners", "partners/b", 4, 2, 2, late=1)]
    assert take_in_partners(intake, NIGHT) == first
    assert [row["partner_id"] for row in stored(intake, "vault__partner_transaction")] == ["shop-02", "shop-01"]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"member_id": ""}, "missing_field"),
        ({"billed_micros": ""}, "missing_field"),
        ({"amount_micros": "-1"}, "bad_value"),
        ({"amount_micros": "1.5"}, "bad_value"),
        ({"ts": "2026-11-21T08:00:00"}, "bad_time"),
        ({"receipt_id": "r1 "}, "bad_id"),
        ({"partner_id": "shop 01"}, "bad_id"),
        ({"item_category": "taro@example.com"}, "bad_id"),
        ({"item_category": "090-1234-5678"}, "bad_id"),
        ({"item_category": "m 4 1 2 3 5"}, "bad_id"),
        ({"item_category": "5f2d9c31a87be4406d15c2"}, "bad_id"),
        ({"note": "x"}, "undeclared"),
    ],
)
def test_a_bad_transaction_is_quarantined(intake: Intake, land: Land, fields: dict[str, Any], reason: str) -> None:
    land("partners", "a", as_csv({**RECEIPT, **fields}))
    (accounting,) = take_in_partners(intake, NIGHT)
    assert (accounting.loaded, accounting.quarantined) == (0, {reason: 1})


# -- preferences


def test_a_choice_is_of_a_member_or_of_a_cookie(intake: Intake, land: Land) -> None:
    cookie = choice("p2", member_id=None, cookie_id="k1", choice="consent", scope="survey", recipient_id="adv-04")
    land("preferences", "a", [choice(), cookie])
    assert take_in_preferences(intake, NIGHT) == [Accounting("preferences", "preferences/a", 2, 2)]
    rows = stored(intake, "vault__preference")
    assert [(row["member_id"], row["cookie_id"]) for row in rows] == [("m1", None), (None, "k1")]
    assert [(row["choice"], row["scope"], row["recipient_id"]) for row in rows] == [
        ("opt_out", "ads", None),
        ("consent", "survey", "adv-04"),
    ]
    assert rows[0]["preference_at"] == AT


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"member_id": None}, "missing_field"),
        ({"member_id": "-"}, "missing_field"),
        ({"cookie_id": "k1"}, "bad_value"),
        ({"choice": "maybe"}, "bad_value"),
        ({"scope": None}, "missing_field"),
        ({"scope": "all my data"}, "bad_id"),
        ({"scope": "2001:db8::7"}, "bad_id"),
        ({"scope": "090-1234-5678"}, "bad_id"),
        ({"recipient_id": "a/b"}, "bad_id"),
        ({"ts": "yesterday"}, "bad_time"),
        ({"password": "x"}, "undeclared"),
    ],
)
def test_a_bad_choice_is_quarantined(intake: Intake, land: Land, fields: dict[str, Any], reason: str) -> None:
    land("preferences", "a", [choice(**fields), choice("p2")])
    (accounting,) = take_in_preferences(intake, NIGHT)
    assert (accounting.loaded, accounting.quarantined) == (1, {reason: 1})


def test_a_choice_of_another_day_lies_in_its_night_and_is_taken_in_once(intake: Intake, land: Land) -> None:
    before = NIGHT - timedelta(days=30)
    land("preferences", "a", [choice("p1")], before)
    assert take_in_preferences(intake, before)[0].waiting == 1
    land("preferences", "b", [choice("p1"), choice("p2"), choice("p2", scope="survey")])
    assert take_in_preferences(intake, NIGHT) == [Accounting("preferences", "preferences/b", 3, 1, 2)]


# -- requests


def test_every_kind_of_request_is_sealed(intake: Intake, land: Land) -> None:
    land("requests", "a", [request(f"q{n}", kind=kind) for n, kind in enumerate(KINDS)])
    (accounting,) = take_in_requests(intake, NIGHT)
    assert accounting.loaded == len(KINDS) == 9
    assert [row["kind"] for row in stored(intake, "vault__request")] == list(KINDS)
    assert {row["request_at"] for row in stored(intake, "vault__request")} == {AT}


@pytest.mark.parametrize(
    ("details", "kept"),
    [
        ({}, "{}"),
        (None, "{}"),
        ({"b": 1, "a": [True, None, "山"]}, '{"a":[true,null,"山"],"b":1}'),
        ({"z": {"y": {"x": "a\nb"}}, "é": "\ud800"}, '{"z":{"y":{"x":"a\\nb"}},"é":"\ufffd"}'),
    ],
)
def test_details_are_kept_in_one_spelling(intake: Intake, land: Land, details: object, kept: str) -> None:
    land("requests", "a", (json.dumps(request(details=details)) + "\n").encode())
    take_in_requests(intake, NIGHT)
    assert [row["details"] for row in stored(intake, "vault__request")] == [kept]


def test_numbers_in_details_stay_as_they_were_written(intake: Intake, land: Land) -> None:
    line = json.dumps(request()).replace('"details": {}', '"details": { "n" : 1.50e3, "big": 12345678901234567890123 }')
    land("requests", "a", line.encode() + b"\n")
    take_in_requests(intake, NIGHT)
    assert stored(intake, "vault__request")[0]["details"] == '{"big":12345678901234567890123,"n":1.50e3}'


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"kind": "sell"}, "bad_value"),
        ({"kind": None}, "missing_field"),
        ({"member_id": None}, "missing_field"),
        ({"details": "{}"}, "bad_value"),
        ({"details": [1]}, "bad_value"),
        ({"member_id": {"a": 1}}, "bad_value"),
        ({"request_id": "a\0b"}, "bad_id"),
        ({"phone": "1"}, "undeclared"),
    ],
)
def test_a_bad_request_is_quarantined(intake: Intake, land: Land, fields: dict[str, Any], reason: str) -> None:
    land("requests", "a", [request(**fields), request("q2", kind="enquiry", member_id=None)])
    (accounting,) = take_in_requests(intake, NIGHT)
    assert (accounting.loaded, accounting.quarantined) == (1, {reason: 1})


@pytest.mark.parametrize("details", ['{"a": 1, "a": 2}', '{"a": {"b": 1, "b": 2}}', '{"a":' * 20 + "1" + "}" * 20])
def test_details_with_a_key_twice_or_too_deep_are_refused(intake: Intake, land: Land, details: str) -> None:
    land("requests", "a", json.dumps(request()).replace('"details": {}', f'"details": {details}').encode() + b"\n")
    assert take_in_requests(intake, NIGHT)[0].quarantined == {"bad_value": 1}


def test_a_request_is_taken_in_once(intake: Intake, land: Land) -> None:
    land("requests", "a", [request(), request(kind="erase")])
    assert take_in_requests(intake, NIGHT) == [Accounting("requests", "requests/a", 2, 1, 1)]
