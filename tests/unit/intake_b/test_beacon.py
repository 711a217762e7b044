"""Beacons: from the portal's own hosts only, and third parties counted without anything that is theirs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quorum.intake.access import take_in_access
from quorum.intake.accounting import Accounting
from quorum.intake.beacon import take_in_beacon
from quorum.intake.context import Intake
from quorum.intake.hosts import is_first_party, page_host, third_party_of
from quorum.intake.third_parties import ThirdParties

Land = Callable[..., Path]
NIGHT = date(2026, 11, 21)


@pytest.fixture(autouse=True)
def hosts(intake: Intake) -> None:
    intake.store.write("pseudo__first_party_host", NIGHT, pa.table({"host": ["portal.example.jp"]}))


def beacon(event_id: str = "b1", page: str = "https://portal.example.jp/news/?q=1", **fields: object) -> dict[str, Any]:
    record = {"event_id": event_id, "ts": f"{NIGHT}T08:00:00+09:00", "ip": "203.0.113.9", "user_agent": "UA"}
    return {**record, "cookie_id": "k1", "page_url": page, **fields}


def stored(intake: Intake, table: str, night: date = NIGHT) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = intake.store.read(table, night).to_pylist()
    return rows


def test_a_beacon_of_the_portal_goes_on_under_pseudonyms(intake: Intake, land: Land) -> None:
    land("beacon", "a", [beacon(), beacon("b2", "http://PORTAL.example.jp.:8080", cookie_id="-", ip=None)])
    assert take_in_beacon(intake, NIGHT) == [Accounting("beacon", "beacon/a", 2, 2)]
    first, second = stored(intake, "pseudo__beacon")
    assert (first["network"], first["event_hour"], first["section_id"]) == ("203.0.113.0/24", 8, "other")
    assert len(first["cookie_key"]) == len(first["event_key"]) == len(first["browser_key"]) == 32
    assert (second["cookie_key"], second["browser_key"], second["network"]) == (None, None, None)
    assert stored(intake, "pseudo__third_party") == []
    for path in intake.store.home.root.rglob("*.parquet"):
        assert b"203.0.113.9" not in path.read_bytes()


@pytest.mark.clause("K-04")
def test_a_beacon_of_another_host_is_quarantined_and_its_owner_listed(intake: Intake, land: Land) -> None:
    pages = ["https://a.evil.com/x?cookie=secret", "https://b.evil.com/", "https://portal.example.jp.other.net/"]
    land("beacon", "a", [beacon(), *(beacon(f"t{n}", page) for n, page in enumerate(pages))])
    assert take_in_beacon(intake, NIGHT) == [
        Accounting("beacon", "beacon/a", 4, 1, quarantined={"third_party_host": 3})
    ]
    assert stored(intake, "pseudo__third_party") == [
        {"party_kind": "host", "party_name": "evil.com", "seen_n": 2},
        {"party_kind": "host", "party_name": "other.net", "seen_n": 1},
    ]
    assert [row["reason"] for row in stored(intake, "vault__rejected_line")] == ["third_party_host"] * 3


@pytest.mark.clause("K-04")
def test_without_a_list_of_hosts_no_beacon_is_accepted(intake: Intake, land: Land) -> None:
    intake.store.remove("pseudo__first_party_host", NIGHT, "part")
    land("beacon", "a", [beacon()])
    assert take_in_beacon(intake, NIGHT)[0].quarantined == {"third_party_host": 1}


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"page_url": None}, "missing_field"),
        ({"event_id": ""}, "missing_field"),
        ({"page_url": "/news/"}, "bad_value"),
        ({"page_url": "javascript://portal.example.jp/"}, "bad_value"),
        ({"page_url": "https://portal.example.jp@evil.com/"}, "bad_value"),
        ({"page_url": "https://evil.com\\@portal.example.jp/"}, "bad_value"),
        ({"ts": "today"}, "bad_time"),
        ({"cookie_id": "a\0b"}, "bad_id"),
        ({"third": "x"}, "undeclared"),
    ],
)
def test_a_bad_beacon_is_quarantined(intake: Intake, land: Land, fields: dict[str, Any], reason: str) -> None:
    land("beacon", "a", [{**beacon(), **fields}, beacon("b2")])
    (accounting,) = take_in_beacon(intake, NIGHT)
    assert (accounting.loaded, accounting.quarantined) == (1, {reason: 1})


def test_beacons_wait_are_late_and_count_once(intake: Intake, land: Land) -> None:
    days = [NIGHT - timedelta(days=1), NIGHT, NIGHT + timedelta(days=1)]
    events = [beacon(f"b{n}", ts=f"{day}T08:00:00+09:00") for n, day in enumerate(days)]
    land("beacon", "a", [*events, events[0], events[2]])
    first = take_in_beacon(intake, NIGHT)
    assert first == [Accounting("beacon", "beacon/a", 5, 3, 2, waiting=1, late=1)]
    assert take_in_beacon(intake, NIGHT) == first
    assert [len(stored(intake, "pseudo__beacon", day)) for day in days] == [0, 2, 1]


@pytest.mark.parametrize(
    ("page", "host"),
    [
        ("https://Portal.Example.jp/a", "portal.example.jp"),
        ("HTTP://portal.example.jp?x", "portal.example.jp"),
        ("https://ポータル.example.jp/", "xn--5ckzcybvd.example.jp"),
        ("https://[2001:DB8::1]:8443/", "2001:db8::1"),
        ("https://192.0.2.1/", "192.0.2.1"),
        ("https://user@portal.example.jp/", None),
        ("ftp://portal.example.jp/", None),
        ("https:///a", None),
        ("https://a..b/", None),
        (" https://portal.example.jp/", None),
    ],
)
def test_the_host_of_a_page(page: str, host: str | None) -> None:
    assert page_host(page) == host


@pytest.mark.clause("K-04")
@pytest.mark.parametrize(
    ("host", "declared", "is_first"),
    [
        ("portal.example.jp", "portal.example.jp", True),
        ("m.portal.example.jp", "portal.example.jp", True),
        ("example.jp", "portal.example.jp", False),
        ("shop.example.jp", "portal.example.jp", False),
        ("notportal.example.jp", "portal.example.jp", False),
        ("a.co.jp", "co.jp", False),
        ("co.jp", "co.jp", False),
        ("evil.blogspot.com", "blogspot.com", False),
        ("ours.blogspot.com", "ours.blogspot.com", True),
        ("evil.s3.amazonaws.com", "amazonaws.com", False),
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "0.2.1", False),
        ("localhost", "localhost", False),
    ],
)
def test_a_host_is_the_portals_own_only_as_far_as_its_owner_is(host: str, declared: str, is_first: bool) -> None:
    assert is_first_party(host, [declared]) == is_first


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("taro.tracker.com", "tracker.com"),
        ("taro.blogspot.com", "taro.blogspot.com"),
        ("u1234567.blogspot.com", "other"),
        ("198.51.100.7", "other"),
        ("localhost", "other"),
    ],
)
def test_a_third_party_is_listed_by_its_registrable_domain(host: str, name: str) -> None:
    assert third_party_of(host) == name


@pytest.mark.clause("K-02")
def test_cookies_of_third_parties_are_dropped_at_the_door_and_counted(intake: Intake, land: Land) -> None:
    head = '203.0.113.9 - - [21/Nov/2026:08:00:00 +0900] "GET /a HTTP/1.1" 200 5 "-" "UA"'
    cookies = ["quid=k1", "quid=k1; _ga=GA1.2.secret; _fbp=hidden", "_ga=GA1.9.other", "-"]
    land("access", "a.log", "".join(f'{head} "{cookie}"\n' for cookie in cookies).encode())
    assert take_in_access(intake, NIGHT) == take_in_access(intake, NIGHT)
    assert stored(intake, "pseudo__third_party") == [
        {"party_kind": "cookie", "party_name": "_fbp", "seen_n": 1},
        {"party_kind": "cookie", "party_name": "_ga", "seen_n": 2},
    ]
    land("beacon", "a", [beacon(page="https://evil.com/")])
    take_in_beacon(intake, NIGHT)
    assert len(stored(intake, "pseudo__third_party")) == 3


def test_the_list_is_bounded(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quorum.intake.third_parties._LONGEST_LIST", 2)
    parties = ThirdParties("cookie")
    parties.add(pa.chunked_array([["a b c", None, "d", "a"]], pa.string()))
    parties.write(intake.store, NIGHT, "access")
    found = {row["party_name"]: row["seen_n"] for row in stored(intake, "pseudo__third_party")}
    assert found == {"a": 2, "b": 1, "other": 2}
