"""Advertisement events: each once, in the night in which it counts, nothing that names a person behind the vault."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from quorum.errors import InputError
from quorum.intake import records
from quorum.intake.accounting import Accounting
from quorum.intake.ads import take_in_ads
from quorum.intake.context import Intake

Land = Callable[..., Path]
NIGHT = date(2026, 11, 21)
TABLE = "pseudo__ad_event"
AGENT = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_1 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Safari/604.1"


def event(event_id: str = "e1", ts: str = "2026-11-21T10:00:00+09:00", **fields: object) -> dict[str, Any]:
    return {
        "event_id": event_id,
        "ts": ts,
        "type": "impression",
        "campaign_id": "c1",
        "creative_id": "cr1",
        "placement": "top",
        "cookie_id": "cookie-1",
        "value_micros": None,
        **fields,
    }


def on(day: date, event_id: str) -> dict[str, Any]:
    return event(event_id, f"{day}T12:00:00+09:00")


def parquet(events: list[dict[str, Any]]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(events), out)
    return out.getvalue()


def stored(intake: Intake, day: date) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = intake.store.read(TABLE, day).to_pylist()
    return rows


def counts(accounting: Accounting) -> tuple[int, int, int, int, int]:
    a = accounting
    return a.read, a.loaded, a.duplicate, a.waiting, a.late


def test_an_event_is_told_in_full_but_for_who_it_was(intake: Intake, land: Land) -> None:
    sent = event(
        type="conversion",
        value_micros=5_000_000,
        ip="203.0.113.9",
        user_agent=AGENT,
        page_url="https://example.jp/?mail=taro@example.com",
    )
    land("ads", "a.jsonl", [sent])
    (accounting,) = take_in_ads(intake, NIGHT)
    assert accounting == Accounting("ads", "ads/a.jsonl", 1, 1)
    (row,) = stored(intake, NIGHT)
    keys = [row.pop(name) for name in ("event_key", "cookie_key", "browser_key")]
    assert all(len(key) == 32 and int(key, 16) for key in keys)
    assert len(set(keys)) == 3
    assert row == {
        "file_n": 1,
        "line_n": 1,
        "event_at": datetime.fromisoformat("2026-11-21 01:00:00"),
        "event_date": NIGHT,
        "event_hour": 10,
        "event_type": "conversion",
        "campaign_id": "c1",
        "creative_id": "cr1",
        "placement": "top",
        "network": "203.0.113.0/24",
        "device": "mobile",
        "is_crawler": False,
        "value_micros": 5_000_000,
    }
    for path in intake.store.home.root.rglob("*.parquet"):
        assert not any(text in path.read_bytes() for text in (b"cookie-1", b"203.0.113.9", b"taro@", b"example.jp"))


def test_without_cookie_and_address_it_is_an_event_and_no_person(intake: Intake, land: Land) -> None:
    bare = {name: value for name, value in event().items() if name not in {"cookie_id", "value_micros"}}
    sent = [bare, event("e2", cookie_id=""), event("e3", cookie_id="-", ip="10.0.0.1"), event("e4", cookie_id=None)]
    land("ads", "a.jsonl", sent)
    assert take_in_ads(intake, NIGHT)[0].loaded == 4
    for row in stored(intake, NIGHT):
        assert (row["cookie_key"], row["browser_key"], row["network"]) == (None, None, None)
        assert row["device"] == "unknown"


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.9", "203.0.113.0/24"),
        ("8.8.8.8:443", "8.8.8.0/24"),
        ("10.0.0.1, 198.51.100.7, 203.0.113.9", "198.51.100.0/24"),
        ("2001:DB8:1:2::3", "2001:0db8:0001::/48"),
        ("192.168.1.1", None),
        ("unknown", None),
        ("999.1.1.1", None),
        ("8.8.8.8'; drop", None),
    ],
)
def test_the_first_public_address_gives_the_network(intake: Intake, land: Land, ip: str, network: str | None) -> None:
    land("ads", "a.jsonl", [event(ip=ip)])
    take_in_ads(intake, NIGHT)
    assert stored(intake, NIGHT)[0]["network"] == network


REJECTED = [
    (event(password="x"), "undeclared"),
    ({k: v for k, v in event().items() if k != "event_id"}, "missing_field"),
    (event(event_id=""), "missing_field"),
    (event(ts=None), "missing_field"),
    (event(placement=None), "missing_field"),
    (event(ts="2026-11-21T10:00:00"), "bad_time"),
    (event(ts="yesterday"), "bad_time"),
    (event(ts="2028-11-21T10:00:00Z"), "bad_time"),
    (event(event_id="a\nb"), "bad_id"),
    (event(cookie_id="a\ud800"), "bad_id"),
    (event(campaign_id="taro@example.com"), "bad_id"),
    (event(creative_id="山田太郎"), "bad_id"),
    (event(placement="top page"), "bad_id"),
    (event(type="view"), "bad_value"),
    (event(type="Impression"), "bad_value"),
    (event(value_micros=-1), "bad_value"),
    (event(value_micros=2**63), "bad_value"),
    (event(value_micros=1.5), "bad_value"),
    (event(value_micros="many"), "bad_value"),
    (event(campaign_id={"a": 1}), "bad_value"),
    ("text", "not_an_object"),
]


def test_bad_events_are_quarantined_with_their_reason_and_sealed_as_received(intake: Intake, land: Land) -> None:
    lines = [json.dumps(sent).encode() for sent, _ in REJECTED]
    good = json.dumps(event("good")).encode()
    land("ads", "a.jsonl", b"\n".join([good, *lines, b"", b"{"]))
    (accounting,) = take_in_ads(intake, NIGHT)
    assert accounting.read == len(lines) + 3
    assert accounting.loaded == 1
    sealed = intake.store.read("vault__rejected_line", NIGHT).sort_by("line_n").to_pylist()
    assert [(row["line_n"], row["reason"], row["line"]) for row in sealed] == [
        *((number, reason, line) for number, ((_, reason), line) in enumerate(zip(REJECTED, lines, strict=True), 2)),
        (len(lines) + 2, "empty", b""),
        (len(lines) + 3, "truncated", b"{"),
    ]
    assert sum(accounting.quarantined.values()) == len(sealed)
    (path,) = intake.store.files("vault__rejected_line", NIGHT)
    assert b"yesterday" not in path.read_bytes()


def test_integers_are_taken_as_the_text_of_an_id(intake: Intake, land: Land) -> None:
    land("ads", "a.jsonl", [event(event_id=1, campaign_id=7, creative_id=0, cookie_id=99, placement=3)])
    take_in_ads(intake, NIGHT)
    (row,) = stored(intake, NIGHT)
    assert (row["campaign_id"], row["creative_id"], row["placement"]) == ("7", "0", "3")


def test_a_value_belongs_to_a_conversion(intake: Intake, land: Land) -> None:
    sent = [event("e1", type="click", value_micros=0), event("e2", type="conversion", value_micros=5.0)]
    land("ads", "a.jsonl", sent)
    take_in_ads(intake, NIGHT)
    assert [row["value_micros"] for row in stored(intake, NIGHT)] == [None, 5]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lambda content: zstandard.ZstdCompressor().compress(content)])
@pytest.mark.parametrize("write", [parquet, lambda events: b"".join(json.dumps(e).encode() + b"\n" for e in events)])
def test_any_format_under_any_name(
    intake: Intake, land: Land, write: Callable[[Any], bytes], pack: Callable[[bytes], bytes]
) -> None:
    events = [event(f"e{n}", type="conversion", value_micros=n) for n in range(5)]
    land("ads", "whatever.csv.gz", pack(write(events)))
    assert counts(take_in_ads(intake, NIGHT)[0]) == (5, 5, 0, 0, 0)
    assert [row["value_micros"] for row in stored(intake, NIGHT)] == [0, 1, 2, 3, 4]


def test_parquet_may_hold_instants_of_its_own(intake: Intake, land: Land) -> None:
    at = datetime(2026, 11, 20, 16, 30, tzinfo=UTC)
    land("ads", "a.parquet", parquet([event(ts=at, type="conversion", value_micros=7.0)]))
    take_in_ads(intake, NIGHT)
    (row,) = stored(intake, NIGHT)
    assert (row["event_date"], row["event_hour"], row["value_micros"]) == (NIGHT, 1, 7)


def test_the_order_of_fields_and_rows_is_kept_across_blocks(
    intake: Intake, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "_BLOCK_BYTES", 4096)
    land("ads", "a.jsonl", [event(f"e{n}", cookie_id=f"k{n}") for n in range(500)])
    assert take_in_ads(intake, NIGHT)[0].loaded == 500
    assert [row["line_n"] for row in stored(intake, NIGHT)] == list(range(1, 501))


def test_a_block_of_very_many_lines_is_cut(intake: Intake, land: Land, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "_BLOCK_LINES", 7)
    land("ads", "a.jsonl", b"\n" * 5 + json.dumps(event()).encode() + b"\n" * 65)
    (accounting,) = take_in_ads(intake, NIGHT)
    assert (accounting.loaded, accounting.quarantined) == (1, {"empty": 69})
    assert [row["line_n"] for row in stored(intake, NIGHT)] == [6]


def test_rows_are_kept_in_order_of_lines_whatever_order_the_engine_gives(
    intake: Intake, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    land("ads", "a.jsonl", [event(event_id=f"e-{n}") for n in range(5)])
    run = intake.engine.run
    monkeypatch.setattr(intake.engine, "run", lambda *given: run(*given).take([3, 1, 4, 0, 2]))
    take_in_ads(intake, NIGHT)
    assert [row["line_n"] for row in stored(intake, NIGHT)] == [1, 2, 3, 4, 5]


def test_an_error_while_reading_ahead_stops_the_night_and_leaves_nothing(
    intake: Intake, land: Land, monkeypatch: pytest.MonkeyPatch
) -> None:
    land("ads", "a.jsonl", [event()])

    def fail(*_: object) -> None:
        raise InputError("landing.changed", "a file")

    monkeypatch.setattr(records, "look", fail)
    with pytest.raises(InputError):
        take_in_ads(intake, NIGHT)
    assert intake.store.nights(TABLE) == []
    assert intake.ledger.accounting(NIGHT) == []


@pytest.mark.parametrize(
    ("content", "reason", "lines"),
    [
        (b"<html>\n<body>\n", "other_format", 2),
        (b"event_id,ts\ne1,2026-11-21T10:00:00Z\n", "other_format", 2),
        (b"[\n", "other_format", 1),
        (gzip.compress(b'{"a": 1}\n' * 1000, mtime=0)[:40], "truncated", 1),
        (b"PAR1 and then nothing\n", "truncated", 1),
    ],
)
def test_a_file_that_holds_no_events_is_sealed_whole(
    intake: Intake, land: Land, content: bytes, reason: str, lines: int
) -> None:
    land("ads", "a", content)
    land("ads", "b", [event()])
    first, second = take_in_ads(intake, NIGHT)
    assert set(first.quarantined) == {reason}
    assert first.read >= lines
    assert intake.store.read("vault__rejected_line", NIGHT).num_rows == first.read
    assert second.loaded == 1


def test_an_empty_file_and_an_empty_night_are_nothing(intake: Intake, land: Land) -> None:
    assert take_in_ads(intake, NIGHT) == []
    assert intake.store.nights(TABLE) == [NIGHT]
    land("ads", "a", b"")
    assert take_in_ads(intake, NIGHT) == [Accounting("ads", "ads/a", 0)]
    assert stored(intake, NIGHT) == []


def test_the_first_event_of_an_identity_wins_and_a_whole_file_twice_is_duplicate(intake: Intake, land: Land) -> None:
    land("ads", "a", [event("e1", campaign_id="first"), event("e1", campaign_id="second"), event("e2")])
    land("ads", "b", [event("e2", campaign_id="third"), event("e3"), "bad"])
    land("ads", "c", [event("e2", campaign_id="third"), event("e3"), "bad"])
    a, b, c = take_in_ads(intake, NIGHT)
    assert counts(a) == (3, 2, 1, 0, 0)
    assert (counts(b), b.quarantined) == ((3, 1, 1, 0, 0), {"not_an_object": 1})
    assert counts(c) == (3, 0, 3, 0, 0)
    assert [row["campaign_id"] for row in stored(intake, NIGHT)] == ["first", "c1", "c1"]


def test_events_count_in_the_later_of_landing_and_own_date(intake: Intake, land: Land) -> None:
    before, after = NIGHT - timedelta(days=3), NIGHT + timedelta(days=2)
    land("ads", "a", [on(before, "old"), on(NIGHT, "now"), on(after, "new")])
    assert counts(take_in_ads(intake, NIGHT)[0]) == (3, 3, 0, 1, 1)
    assert intake.store.nights(TABLE) == [NIGHT, after]
    assert sorted(row["event_date"] for row in stored(intake, NIGHT)) == [before, NIGHT]
    assert [path.name for path in intake.store.files(TABLE, after)] == [f"landed-{NIGHT}.parquet"]


def test_identities_that_other_nights_stored_are_duplicates(intake: Intake, land: Land) -> None:
    yesterday, tomorrow = NIGHT - timedelta(days=1), NIGHT + timedelta(days=1)
    land("ads", "a", [on(yesterday, "y"), on(NIGHT, "waited"), on(tomorrow, "t")], yesterday)
    take_in_ads(intake, yesterday)
    again = [on(yesterday, "y"), on(NIGHT, "waited"), on(tomorrow, "t"), on(yesterday, "late"), on(NIGHT, "n")]
    land("ads", "b", again)
    assert counts(take_in_ads(intake, NIGHT)[0]) == (5, 2, 3, 0, 1)
    land("ads", "c", [*again, on(tomorrow, "z")], tomorrow)
    assert counts(take_in_ads(intake, tomorrow)[0]) == (6, 1, 5, 0, 0)
    assert len(stored(intake, tomorrow)) == 2


def test_a_night_run_again_replaces_its_own_parts_only(intake: Intake, land: Land) -> None:
    yesterday, tomorrow = NIGHT - timedelta(days=1), NIGHT + timedelta(days=1)
    land("ads", "a", [on(NIGHT, "waited")], yesterday)
    take_in_ads(intake, yesterday)
    path = land("ads", "b", [on(NIGHT, "n"), on(tomorrow, "t")])
    first = take_in_ads(intake, NIGHT)
    files = {path: path.read_bytes() for path in intake.store.home.warehouse.rglob("*.parquet")}
    assert take_in_ads(intake, NIGHT) == first
    assert {path: path.read_bytes() for path in intake.store.home.warehouse.rglob("*.parquet")} == files
    path.write_bytes(json.dumps(on(NIGHT, "n")).encode())
    assert counts(take_in_ads(intake, NIGHT)[0]) == (1, 1, 0, 0, 0)
    assert intake.store.nights(TABLE) == [yesterday, NIGHT]
    assert len(stored(intake, NIGHT)) == 2
