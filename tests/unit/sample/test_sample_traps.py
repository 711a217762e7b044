"""Each planted trap is really there, in the committed sample."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import zstandard

LANDING = Path(__file__).resolve().parents[3] / "data" / "sample" / "landing"


def records(path: Path) -> list[dict[str, object]]:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    if path.suffix == ".zst":
        data = zstandard.ZstdDecompressor().stream_reader(data).read()
    return [json.loads(line) for line in data.decode().splitlines()]


def test_whale() -> None:
    events = records(LANDING / "2026-11-21/ads/retry-queue.json.zst")
    assert Counter(event["type"] for event in events) == {"impression": 3000, "click": 250}
    assert len({event["cookie_id"] for event in events}) == 1
    assert {str(event["ts"])[:10] for event in events} == {"2026-11-21"}


def test_planted_cookies_are_nobody_elses() -> None:
    events = records(LANDING / "2026-11-21/ads/tag-manager.json.gz")
    planted = {event["cookie_id"] for event in events}
    assert len(planted) == 49
    assert sum(event["type"] == "click" for event in events) == 19
    table = pq.read_table(LANDING / "2026-11-21/ads/part-000.parquet", columns=["cookie_id"])
    assert planted.isdisjoint(table.column("cookie_id").to_pylist())


def test_late_file_is_of_the_day_before() -> None:
    events = records(LANDING / "2026-11-18/ads/late.json.gz")
    assert {str(event["ts"])[:10] for event in events} == {"2026-11-17"}


def test_file_delivered_twice() -> None:
    first, second = LANDING / "2026-11-17/access/web-2.log.gz", LANDING / "2026-11-18/access/web-2-resent.log.gz"
    assert first.read_bytes() == second.read_bytes()


def test_stream_that_breaks_off() -> None:
    data = (LANDING / "2026-11-17/access/cut.log.gz").read_bytes()
    with pytest.raises(EOFError):
        gzip.decompress(data)
    assert zlib.decompressobj(31).decompress(data).count(b"\n") > 100


def test_formula_and_address_in_names() -> None:
    campaigns = (LANDING / "2026-11-15/reference/campaigns.csv").read_text(encoding="utf-8")
    assert campaigns.count("=cmd|") == 2
    creatives = (LANDING / "2026-11-18/reference/creatives.csv").read_text(encoding="utf-8")
    events = records(LANDING / "2026-11-20/ads/manual-entry.json")
    assert {event["creative_id"] for event in events} == {"hanako.suzuki.trap@example.jp"}
    assert "@" not in creatives


def test_malformed_files_are_malformed() -> None:
    broken = (LANDING / "2026-11-16/access/broken.log").read_bytes()
    with pytest.raises(UnicodeDecodeError):
        broken.decode()
    assert b"\x16\x03\x01" in broken
    with pytest.raises(json.JSONDecodeError):
        records(LANDING / "2026-11-16/ads/broken.json")


def test_contact_log_holds_what_must_not_come_out() -> None:
    text = (LANDING / "2026-11-19/access/contact.log").read_text(encoding="utf-8")
    assert "to=hanako.suzuki.trap@example.jp" in text
    assert "to=hanako.suzuki.trap%40example.jp" in text
    assert '"_ga=' in text
    nicknames = [record["nickname"] for record in records(LANDING / "2026-11-17/members/call-centre.json")]
    assert nicknames == ["hanako.suzuki.trap@example.jp", "09000001234", "０９０−００００−５６７８"]
