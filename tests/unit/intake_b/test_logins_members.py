"""Logins and members: sealed in the vault as they landed, spelt one way; what nobody declared does not enter."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from quorum.intake.accounting import Accounting
from quorum.intake.context import Intake
from quorum.intake.logins import take_in_logins
from quorum.intake.members import take_in_members

Land = Callable[..., Path]
NIGHT = date(2026, 11, 21)
TARO = {
    "member_id": "m1",
    "name": "山田太郎",
    "email": "taro@example.com",
    "birth_date": "1990-02-28",
    "gender": "男",
    "postal_code": "100-0001",
    "address": "東京都千代田区",
    "phone": "03-1234-5678",
    "occupation": "会社員",
    "industry": "製造",
    "interests": "旅行;料理",
    "nickname": "taro",
    "payment_method": "card",
    "bank_account": "1234567",
    "card_number": "4111111111111111",
    "updated_at": "2026-11-20T12:00:00+09:00",
}
FIELDS = list(TARO)


def login(event_id: str = "l1", day: date = NIGHT, **fields: object) -> dict[str, Any]:
    return {"event_id": event_id, "ts": f"{day}T08:00:00+09:00", "cookie_id": "k1", "member_id": "m1", **fields}


def stored(intake: Intake, table: str, night: date = NIGHT) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = intake.store.read(table, night).to_pylist()
    return rows


def test_a_login_is_sealed_as_it_landed(intake: Intake, land: Land) -> None:
    land("logins", "a", [login()])
    assert take_in_logins(intake, NIGHT) == [Accounting("logins", "logins/a", 1, 1)]
    at = datetime.fromisoformat("2026-11-20 23:00:00")
    assert stored(intake, "vault__login") == [
        {
            "file_n": 1,
            "line_n": 1,
            "event_id": "l1",
            "login_at": at,
            "login_date": NIGHT,
            "cookie_id": "k1",
            "member_id": "m1",
        }
    ]
    (path,) = intake.store.files("vault__login", NIGHT)
    assert b"login_at" not in path.read_bytes(), "even the names of columns are sealed"


def test_logins_of_other_days_stay_in_their_night_and_are_counted(intake: Intake, land: Land) -> None:
    days = [NIGHT - timedelta(days=2), NIGHT, NIGHT + timedelta(days=1)]
    land("logins", "a", [login(f"l{n}", day) for n, day in enumerate(days)])
    (accounting,) = take_in_logins(intake, NIGHT)
    assert (accounting.loaded, accounting.waiting, accounting.late) == (3, 1, 1)
    assert [row["login_date"] for row in stored(intake, "vault__login")] == days
    assert intake.store.nights("vault__login") == [NIGHT]


def test_a_login_is_taken_in_once(intake: Intake, land: Land) -> None:
    yesterday = NIGHT - timedelta(days=1)
    land("logins", "a", [login("l1", yesterday), login("l2", NIGHT)], yesterday)
    take_in_logins(intake, yesterday)
    again = [login("l1", yesterday), login("l2"), login("l3"), login("l3", cookie_id="k2"), login("l4", yesterday)]
    land("logins", "b", again)
    first = take_in_logins(intake, NIGHT)
    assert first == [Accounting("logins", "logins/b", 5, 2, 3, late=1)]
    assert [row["event_id"] for row in stored(intake, "vault__login")] == ["l3", "l4"]
    assert take_in_logins(intake, NIGHT) == first


def test_a_login_that_waited_since_yesterday_is_known(intake: Intake, land: Land) -> None:
    yesterday = NIGHT - timedelta(days=1)
    land("logins", "a", [login("l1")], yesterday)
    take_in_logins(intake, yesterday)
    land("logins", "b", [login("l1"), login("l2")])
    assert take_in_logins(intake, NIGHT) == [Accounting("logins", "logins/b", 2, 1, 1)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"password": "x"}, "undeclared"),
        ({"cookie_id": None}, "missing_field"),
        ({"member_id": ""}, "missing_field"),
        ({"ts": "2026-11-21T08:00:00"}, "bad_time"),
        ({"cookie_id": "a\0b"}, "bad_id"),
        ({"member_id": True}, "bad_value"),
    ],
)
def test_a_bad_login_is_quarantined(intake: Intake, land: Land, fields: dict[str, object], reason: str) -> None:
    land("logins", "a", [login(**fields), login("l2")])
    (accounting,) = take_in_logins(intake, NIGHT)
    assert (accounting.loaded, accounting.quarantined) == (1, {reason: 1})
    assert stored(intake, "vault__rejected_line")[0]["reason"] == reason


def as_csv(*members: dict[str, Any], extra: str = "") -> bytes:
    header = ",".join(FIELDS) + (f",{extra}" if extra else "")
    lines = [",".join(f'"{member.get(name) or ""}"' for name in header.split(",")) for member in members]
    return "\ufeff".encode() + "\n".join([header, *lines, ""]).encode()


@pytest.mark.clause("C-02")
@pytest.mark.parametrize("write", [as_csv, lambda member: json.dumps(member).encode()])
def test_a_member_is_sealed_in_full(intake: Intake, land: Land, write: Callable[[dict[str, Any]], bytes]) -> None:
    land("members", "a", write(TARO))
    assert take_in_members(intake, NIGHT) == [Accounting("members", "members/a", 1, 1)]
    (row,) = stored(intake, "vault__member")
    assert row == {
        **TARO,
        "file_n": 1,
        "line_n": 1,
        "birth_date": date(1990, 2, 28),
        "postal_code": "1000001",
        "updated_at": datetime.fromisoformat("2026-11-20 03:00:00"),
    }
    for path in intake.store.home.root.rglob("*.parquet"):
        assert "山田".encode() not in path.read_bytes()


def test_a_member_needs_a_number_and_an_instant_only(intake: Intake, land: Land) -> None:
    land("members", "a", [{"member_id": 7, "updated_at": TARO["updated_at"]}])
    assert take_in_members(intake, NIGHT)[0].loaded == 1
    (row,) = stored(intake, "vault__member")
    assert row["member_id"] == "7"
    assert {row[name] for name in FIELDS[1:-1]} == {None}


@pytest.mark.parametrize(
    ("field", "sent", "kept"),
    [
        *(("postal_code", f"１００{hyphen}０００１", "1000001") for hyphen in "-‐‑‒–—―−ー－ｰ"),
        ("postal_code", " 100 0001 ", "1000001"),
        ("postal_code", 1000001, "1000001"),
        ("gender", " ｆｅｍａｌｅ　", "female"),
        ("occupation", "ｴﾝｼﾞﾆｱ ", "エンジニア"),
        ("interests", ["旅行", "料理"], "旅行;料理"),
        ("interests", [], None),
        ("name", "　山田 ", "　山田 "),
        ("birth_date", "", None),
    ],
)
def test_fields_are_spelt_one_way(intake: Intake, land: Land, field: str, sent: object, kept: object) -> None:
    land("members", "a", [{**TARO, field: sent}])
    assert take_in_members(intake, NIGHT)[0].loaded == 1
    assert stored(intake, "vault__member")[0][field] == kept


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"password": "x"}, "undeclared"),
        ({"member_id": None}, "missing_field"),
        ({"updated_at": None}, "missing_field"),
        ({"updated_at": "2026-11-21"}, "bad_time"),
        ({"member_id": "m\n1"}, "bad_id"),
        ({"birth_date": "28.2.1990"}, "bad_value"),
        ({"birth_date": "1990-02-30"}, "bad_value"),
        ({"birth_date": "2026-11-22"}, "bad_value"),
        ({"interests": {"a": 1}}, "bad_value"),
    ],
)
def test_a_bad_member_is_quarantined(intake: Intake, land: Land, fields: dict[str, object], reason: str) -> None:
    land("members", "a", [{**TARO, **fields}, TARO])
    (accounting,) = take_in_members(intake, NIGHT)
    assert (accounting.loaded, accounting.quarantined) == (1, {reason: 1})


@pytest.mark.clause("S-02")
def test_a_password_column_keeps_a_whole_csv_file_out(intake: Intake, land: Land) -> None:
    land("members", "a.csv", as_csv(TARO, TARO, extra="password"))
    (accounting,) = take_in_members(intake, NIGHT)
    assert (accounting.read, accounting.quarantined) == (2, {"undeclared": 2})
    assert stored(intake, "vault__member") == []


def test_records_of_a_csv_file_are_counted_not_lines(intake: Intake, land: Land) -> None:
    land("members", "a.csv", as_csv({**TARO, "address": "東京都\n千代田区"}, TARO) + b"broken\n")
    land("members", "b.csv", as_csv({**TARO, "address": "東京都\n千代田区"}, TARO) + b"broken\n")
    first, second = take_in_members(intake, NIGHT)
    assert (first.read, first.loaded, first.quarantined) == (3, 2, {"not_csv": 1})
    assert (second.read, second.duplicate) == (3, 3)
