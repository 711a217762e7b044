"""Tombstones: kept once, keyed, told to nobody, and honoured by every reader of what lands."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pyarrow as pa
import pytest

from quorum.desk import Desk
from quorum.intake import take_in
from quorum.intake.context import Intake
from quorum.intake.erased import emptied, of_cookies, unlisted
from quorum.intake.spellings import LONGEST_LINE, digits_of, pieces_of, spellings, spelt
from quorum.keys import KeyRing
from quorum.ledger.tombstones import ALWAYS, COOKIE, MEMBER, NOBODY, TOKEN, Tombstone, bury, load_erased

NIGHT = date(2026, 11, 21)
NOON = int(datetime.fromisoformat("2026-11-21T12:00:00+09:00").timestamp()) * 1_000_000
MAIL = "hanako@example.jp"
Land = Callable[[str, list[Any]], None]


@pytest.mark.parametrize(
    ("line", "identifier"),
    [
        (f'{{"mail":"{MAIL.upper()}"}}', MAIL),
        (f"mailto:{MAIL}", MAIL),
        (f"連絡先は{MAIL}です", MAIL),
        ("GET /a?mail=hanako%40example.jp&b=1", MAIL),
        ('{"name":"\\u5c71\\u7530 \\u82b1\\u5b50"}', "山田花子"),
        ("m-1,山田　花子,x", "山田花子"),
        ("山田花子様", "山田花子"),
        ("Hanako Yamada wrote", "hanakoyamada"),
        ('tel "090-1234-5678" 200', "09012345678"),
        ("tel ０９０ー１２３４ー５６７８", "09012345678"),
        ("tel +81 90 1234 5678", "09012345678"),
        ("200 090 1234 5678 17", "09012345678"),
        ("card 4000-0000-0639-6370.", "4000000006396370"),
        ('- "quid=c-own; other=1"', "c-own"),
        ("m.12/x", "m.12"),
        ('"id": "a b:c"', "ab:c"),
    ],
)
def test_a_line_is_cut_into_every_spelling(line: str, identifier: str) -> None:
    assert identifier in (spellings(line.encode()) or set())


def test_a_part_of_another_identifier_is_no_piece() -> None:
    found = pieces_of('member-123 "quid=c-owner" taro.yamada@example.jp 090-1234-56789')
    assert not {"member-12", "c-own", "yamada@example.jp", "09012345678"} & found
    assert (spelt("Ｔａｒｏ　Ｙ"), digits_of("+81 (0)3-1234-5678")) == ("taroy", "0312345678")


@pytest.mark.parametrize("line", [b"x" * (LONGEST_LINE + 1), "山田".encode("cp932"), "a@b.jp".encode("utf-16")])
def test_what_cannot_be_looked_through_is_said(line: bytes) -> None:
    assert spellings(line) is None


def test_tombstones_are_kept_once_and_hold_no_name(desk: Desk) -> None:
    stones = [Tombstone(MEMBER, "k" * 32), Tombstone(TOKEN, MAIL), Tombstone(COOKIE, "c" * 32, (0, 5))]
    assert not load_erased(desk.ledger, desk.keys) and load_erased(desk.ledger, desk.keys) is NOBODY
    bury(desk.ledger, desk.keys, stones, "reference")
    bury(desk.ledger, desk.keys, stones, "reference")
    entries = desk.ledger.entries("tombstone")
    assert [dict(entry.body) for entry in entries] == [{"reference": "reference", "member": 1, "cookie": 1, "token": 1}]
    assert len(desk.ledger.tombstones()) == 3
    assert not [stone for stone in stones if stone.value in repr([stones, desk.ledger.tombstones()])]
    erased = load_erased(desk.ledger, desk.keys)
    assert erased.spans_of(TOKEN, [MAIL, "other"]) == {MAIL: (ALWAYS,)}
    assert erased.spans_of(MEMBER, [MAIL]) == {}, "kinds are apart"
    keyed = hmac.digest(desk.keys.derive("tombstone"), f"{TOKEN}\n{MAIL}".encode(), "sha256").hex()[:32]
    assert keyed in {stone[1] for stone in desk.ledger.tombstones()}
    other = load_erased(desk.ledger, KeyRing(bytes(32)))
    assert other.spans_of(TOKEN, [MAIL]) == {}, "without the key nothing can be asked"


def test_a_cookie_is_refused_in_its_spans_only(desk: Desk) -> None:
    bury(desk.ledger, desk.keys, [Tombstone(COOKIE, "a", (10, 20)), Tombstone(COOKIE, "a", (40, 50))], "r")
    cookies = pa.chunked_array([["a", "a", "a", None], ["b", "a", "a"]])
    at = pa.chunked_array([[9, 10, 20, 15], [15, 30, 45]], pa.int64()).cast(pa.timestamp("us"))
    found = of_cookies(load_erased(desk.ledger, desk.keys), cookies, at, is_keyed=True)
    assert found.to_pylist() == [False, True, True, False, False, False, True]
    assert of_cookies(NOBODY, cookies, at, is_keyed=True).to_pylist() == [False] * 7


def test_rejected_lines_are_emptied_if_they_name_somebody_or_cannot_be_read(desk: Desk) -> None:
    bury(desk.ledger, desk.keys, [Tombstone(TOKEN, MAIL)], "r")
    lines = pa.array([f"x {MAIL}".encode(), b"x other@example.jp", b"\xff\xfe", b""], pa.binary())
    assert emptied(load_erased(desk.ledger, desk.keys), lines).to_pylist() == [b"", b"x other@example.jp", b"", b""]


def test_who_is_erased_is_taken_out_of_lists() -> None:
    def gone(listed: list[str]) -> set[str]:
        return {"m-1"} & set(listed)

    assert unlisted('{"a":1}', gone) == '{"a":1}'
    assert unlisted('{"member_ids":["m-2"]}', gone) == '{"member_ids":["m-2"]}'
    assert unlisted('{"b":2,"member_ids":[" m-1","m-2"]}', gone) == '{"b":2,"member_ids":["m-2"]}'
    assert unlisted('{"member_ids":["m-1"]}', gone) is None


# -- intake ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def intake(desk: Desk, tmp_path: Any, key: Any) -> Iterator[Intake]:
    """A reader's surroundings after m-1 was erased, with the cookie c-1 until noon."""
    stones = [
        Tombstone(MEMBER, key("member", "m-1")),
        Tombstone(COOKIE, key("cookie", "c-1"), (ALWAYS[0], NOON)),
        *(Tombstone(TOKEN, piece, (ALWAYS[0], NOON)) for piece in ("m-1", "c-1", MAIL)),
    ]
    bury(desk.ledger, desk.keys, stones, "r")
    erased = load_erased(desk.ledger, desk.keys)
    yield Intake(tmp_path / "landing", desk.store, desk.engine, desk.policy, desk.ledger, erased)


@pytest.fixture
def land(intake: Intake) -> Land:
    def put(source: str, lines: list[Any]) -> None:
        path = intake.folder(NIGHT) / source / "a.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")

    return put


MORNING, EVENING = "2026-11-21T11:00:00+09:00", "2026-11-21T13:00:00+09:00"
AD = {"type": "impression", "campaign_id": "x", "creative_id": "x", "placement": "top"}
BROKEN = f'{{"member_id":"m-2","mail":"{MAIL}"'
LANDED: dict[str, tuple[list[Any], int, dict[str, int]]] = {
    "members": (
        [{"member_id": "m-1", "updated_at": MORNING}, {"member_id": "m-2", "updated_at": MORNING}, BROKEN],
        1,
        {"erased": 1, "not_json": 1},
    ),
    "logins": (
        [
            {"event_id": "1", "ts": EVENING, "cookie_id": "c-9", "member_id": "m-1"},
            {"event_id": "2", "ts": EVENING, "cookie_id": "c-1", "member_id": "m-2"},
        ],
        1,
        {"erased": 1},
    ),
    "preferences": (
        [
            {"event_id": "1", "ts": EVENING, "member_id": "m-1", "choice": "consent", "scope": "ads"},
            {"event_id": "2", "ts": MORNING, "cookie_id": "c-1", "choice": "opt_out", "scope": "ads"},
            {"event_id": "3", "ts": EVENING, "cookie_id": "c-1", "choice": "opt_out", "scope": "ads"},
        ],
        1,
        {"erased": 2},
    ),
    "requests": (
        [
            {"request_id": "1", "ts": EVENING, "kind": "access", "member_id": "m-1"},
            {"request_id": "2", "ts": EVENING, "kind": "notice", "details": {"member_ids": ["m-1"]}},
            {"request_id": "3", "ts": EVENING, "kind": "notice", "details": {"member_ids": ["m-1", "m-2"]}},
            {"request_id": "4", "ts": MORNING, "kind": "enquiry", "details": {"reply_to": MAIL}},
            {"request_id": "5", "ts": EVENING, "kind": "enquiry", "details": {"reply_to": MAIL}},
            {"request_id": "6", "ts": MORNING, "kind": "notice", "details": {"member_ids": ["m-2", "m-1"]}},
        ],
        3,
        {"erased": 3},
    ),
    "ads": (
        [
            {**AD, "event_id": "1", "ts": MORNING, "cookie_id": "c-1"},
            {**AD, "event_id": "2", "ts": EVENING, "cookie_id": "c-1"},
            {**AD, "event_id": "3", "ts": MORNING, "cookie_id": "c-2"},
            {**AD, "event_id": "4", "ts": MORNING},
            {**AD, "event_id": "5", "ts": "never", "cookie_id": "c-1"},
        ],
        3,
        {"erased": 1, "bad_time": 1},
    ),
    "access": (
        [
            '203.0.113.9 - - [21/Nov/2026:11:00:00 +0900] "GET /1 HTTP/1.1" 200 5 "-" "agent" "quid=c-1"',
            '203.0.113.9 - - [21/Nov/2026:13:00:00 +0900] "GET /2 HTTP/1.1" 200 5 "-" "agent" "quid=c-1"',
            '203.0.113.9 - - [21/Nov/2026:11:00:00 +0900] "GET /open HTTP/1.1 200 5 "-" "agent" "quid=c-1"',
            '203.0.113.9 - - [21/Nov/2026:11:00:00 +0900] "GET /3 HTTP/1.1" 200 5 "-" "agent" "-"',
        ],
        2,
        {"erased": 1, "unclosed_quote": 1},
    ),
}


@pytest.mark.parametrize("source", LANDED)
def test_every_reader_refuses_the_erased_and_keeps_nothing_of_them(
    intake: Intake, land: Land, desk: Desk, source: str
) -> None:
    lines, loaded, quarantined = LANDED[source]
    land(source, lines)
    (accounting,) = take_in(source, intake, NIGHT)
    assert (accounting.read, accounting.loaded, dict(accounting.quarantined)) == (len(lines), loaded, quarantined)
    sealed = desk.store.read("vault__rejected_line", NIGHT)
    assert sealed.num_rows == sum(quarantined.values())
    assert set(sealed["line"].to_pylist()) == {b""}
    details = desk.store.read("vault__request", NIGHT)["details"].to_pylist()
    assert not [text for text in details if "m-1" in text]


@pytest.mark.parametrize("source", LANDED)
def test_without_a_tombstone_everything_loads_as_it_always_did(
    intake: Intake, land: Land, desk: Desk, source: str
) -> None:
    lines, loaded, quarantined = LANDED[source]
    land(source, lines)
    (accounting,) = take_in(source, replace(intake, erased=NOBODY), NIGHT)
    assert accounting.loaded == loaded + quarantined["erased"]
    sealed = desk.store.read("vault__rejected_line", NIGHT)["line"].to_pylist()
    assert b"" not in sealed and len(sealed) == sum(quarantined.values()) - quarantined["erased"]


def test_undeclared_files_are_sealed_without_the_erased(intake: Intake, land: Land, desk: Desk) -> None:
    land("mail", [f"from {MAIL}", "from nobody"])
    take_in("rest", intake, NIGHT)
    assert desk.store.read("vault__rejected_line", NIGHT)["line"].to_pylist() == [b"", b"from nobody"]
