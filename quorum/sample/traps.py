"""Planted traps: what a portal's logs hold sooner or later and what must never come out of a report.

What belongs here: one function per trap and the list of them, which `data/sample/README.md` repeats. What does not:
believable traffic. Each trap writes files of its own or changes the catalogue, so that the rest stays as it is.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote

import numpy as np

from quorum.errors import UsageError
from quorum.sample import society
from quorum.sample.agents import AGENTS
from quorum.sample.catalogue import Campaign
from quorum.sample.files import write_lines
from quorum.sample.people import GENDER_N, UNKNOWN_GENDER, People, cookie_texts

_JST = timezone(timedelta(hours=9))
_LEAST_DAYS, _LEAST_CAMPAIGNS = 5, 20
WHALE_CAMPAIGN, HOMOGENEOUS_CAMPAIGN, PLANTED_CAMPAIGN, FORMULA_CAMPAIGN, LATE_CAMPAIGN = 1, 2, 11, 14, 3
AIMED_CAMPAIGN = 4
CERTAIN = ((HOMOGENEOUS_CAMPAIGN, society.AGE_BANDS.index("70+") * GENDER_N + society.GENDERS.index("male")),)
"""Campaign and segment in which everybody clicks: men of 70 and over, campaign c003."""
PLANTED_COOKIES = 49
FORMULA = "=cmd|'/C calc'!A0"
EMAIL = "hanako.suzuki.trap@example.jp"
_WINDOWS = next(text for text, _, _ in AGENTS if "Windows" in text)


@dataclass(frozen=True)
class Trap:
    """A planted trap.

    Args:
        day: number of the day, counted from the first (0) or, negative, from the last (-1); None for every day.
        file: where it lies, below the folder of the day.
        why: what goes wrong where nobody watches.
    """

    day: int | None
    file: str
    why: str


TRAPS: tuple[Trap, ...] = (
    Trap(-1, "ads/retry-queue.json.zst", "whale: one cookie with 3,000 impressions and 250 clicks of c002 in one day"),
    Trap(None, "ads/", "homogeneous group: every man of 70 and over who sees c003 clicks it; the cell tells of each"),
    Trap(
        -2,
        "ads/tag-manager.json.gz",
        "planted cookies: 49 of the advertiser's own, on tablets in one network, one short of the threshold, on c012",
    ),
    Trap(-1, "ads/tag-manager.json.gz", "the same 49 cookies again"),
    Trap(2, "members/call-centre.json", "a nickname that is an e-mail address, two that are telephone numbers"),
    Trap(4, "access/contact.log", "e-mail addresses in query strings, plain and percent-encoded, and in a path"),
    Trap(4, "access/contact.log", "an e-mail address in a user agent"),
    Trap(4, "access/contact.log", "third-party cookies in the cookie field: they name nobody here"),
    Trap(3, "ads/late.json.gz", "late file: events of the day before"),
    Trap(1, "ads/broken.json", "malformed file: cut objects, wrong types, an unknown type of event, an empty line"),
    Trap(1, "access/broken.log", "malformed file: TLS bytes, open quotes, bytes that are no UTF-8, a 31st of November"),
    Trap(3, "access/web-2-resent.log.gz", "web-2.log.gz of the day before, delivered a second time"),
    Trap(2, "access/cut.log.gz", "a gz stream that ends in the middle"),
    Trap(4, "access/summary.log", "a file of another format (PDF) under a log's name"),
    Trap(0, "reference/campaigns.csv", f"c015 is named {FORMULA}: a spreadsheet would run it"),
    Trap(4, "ads/off-target.json", "delivery outside the targeting: 60 men are shown c005, which is for women"),
    Trap(-2, "ads/manual-entry.json", "a creative id that is an e-mail address, in events only, not in the catalogue"),
)
"""Every trap; `data/sample/README.md` repeats the list."""


def check_room(days: int, campaigns: int) -> None:
    """Refuse a sample that is too small for the traps.

    Raises:
        UsageError: fewer than 5 days or 20 campaigns.
    """
    if days < _LEAST_DAYS or campaigns < _LEAST_CAMPAIGNS:
        allowed = f"{_LEAST_DAYS} days and {_LEAST_CAMPAIGNS} campaigns or more"
        raise UsageError("sample.traps", f"traps in {days} days and {campaigns} campaigns", allowed)


def with_formula(campaigns: Sequence[Campaign]) -> list[Campaign]:
    """Return the campaigns with one renamed to a spreadsheet formula."""
    return [
        replace(each, name_ja=FORMULA, name_en=FORMULA) if each.number == FORMULA_CAMPAIGN else each
        for each in campaigns
    ]


def plant(out: Path, dates: Sequence[date], people: People, campaigns: Sequence[Campaign], seed: int) -> None:
    """Write every trap that is a file.

    Args:
        out: the landing folder, written already.
        dates: of its folders.
        people: everybody.
        campaigns: all.
        seed: of the sample.
    """
    last = len(dates) - 1
    _whale(out / f"{dates[last]}/ads/retry-queue.json.zst", dates[last], people, campaigns[WHALE_CAMPAIGN])
    for day in dates[last - 1 :]:
        _planted_cookies(out / f"{day}/ads/tag-manager.json.gz", day, campaigns[PLANTED_CAMPAIGN], seed)
    _late(out / f"{dates[3]}/ads/late.json.gz", dates[2], people, campaigns[LATE_CAMPAIGN])
    _off_target(out / f"{dates[4]}/ads/off-target.json", dates[4], people, campaigns[AIMED_CAMPAIGN])
    _creative_with_address(out / f"{dates[last - 1]}/ads/manual-entry.json", dates[last - 1], people, campaigns[0])
    _nicknames(out / f"{dates[2]}/members/call-centre.json", dates[2])
    _contact(out / f"{dates[4]}/access/contact.log", dates[4])
    _malformed(out / f"{dates[1]}", dates[1])
    _resent(out / f"{dates[2]}/access/web-2.log.gz", out / f"{dates[3]}/access/web-2-resent.log.gz")
    _cut(out / f"{dates[1]}/access/web-2.log.gz", out / f"{dates[2]}/access/cut.log.gz")
    (out / f"{dates[4]}/access/summary.log").write_bytes(_PDF)


def _event(event_id: str, day: date, seconds: int, kind: str, campaign: Campaign, **rest: object) -> str:
    moment = datetime(day.year, day.month, day.day, tzinfo=_JST) + timedelta(seconds=seconds)
    head = {"event_id": event_id, "ts": moment.isoformat(timespec="seconds"), "type": kind}
    facts = {"campaign_id": campaign.campaign_id, "creative_id": campaign.creatives[0], "placement": "top"}
    return json.dumps({**head, **facts, **rest}, ensure_ascii=False)


def _whale(path: Path, day: date, people: People, campaign: Campaign) -> None:
    cookie = people.cookie_id[int(people.first_cookie[17])].as_py()
    agent = AGENTS[int(people.agent[people.first_cookie[17]])][0]
    kinds = ["impression"] * 3000 + ["click"] * 250
    lines = [
        _event(f"w{day:%y%m%d}{n:06}", day, 36_000 + n * 11, kind, campaign, cookie_id=cookie, user_agent=agent)
        for n, kind in enumerate(kinds)
    ]
    write_lines(path, lines)


def _planted_cookies(path: Path, day: date, campaign: Campaign, seed: int) -> None:
    cookies = cookie_texts(np.arange((1 << 39), (1 << 39) + PLANTED_COOKIES), seed).to_pylist()
    agent = next(text for text, _, _ in AGENTS if "iPad" in text)
    lines = []
    for n, cookie in enumerate(cookies):
        who = {"cookie_id": cookie, "user_agent": agent, "ip": f"203.0.113.{n + 1}"}
        lines.append(_event(f"t{day:%y%m%d}{2 * n:06}", day, 40_000 + n, "impression", campaign, **who))
        if n < 19:
            lines.append(_event(f"t{day:%y%m%d}{2 * n + 1:06}", day, 40_060 + n, "click", campaign, **who))
    write_lines(path, lines)


def _late(path: Path, day: date, people: People, campaign: Campaign) -> None:
    cookies = people.cookie_id[:200].to_pylist()
    write_lines(
        path,
        [
            _event(f"z{day:%y%m%d}{n:06}", day, 80_000 + n * 30, "impression", campaign, cookie_id=cookie)
            for n, cookie in enumerate(cookies)
        ],
    )


def _off_target(path: Path, day: date, people: People, campaign: Campaign) -> None:
    men = np.flatnonzero(people.attribute(people.gender, UNKNOWN_GENDER) == society.GENDERS.index("male"))[:60]
    cookies = [people.cookie_id[int(first)].as_py() for first in people.first_cookie[men]]
    write_lines(
        path,
        [
            _event(f"o{day:%y%m%d}{n:06}", day, 60_000 + n * 20, "impression", campaign, cookie_id=cookie)
            for n, cookie in enumerate(cookies)
        ],
    )


def _creative_with_address(path: Path, day: date, people: People, campaign: Campaign) -> None:
    cookies = people.cookie_id[300:360].to_pylist()
    write_lines(
        path,
        [
            _event(f"m{day:%y%m%d}{n:06}", day, 50_000 + n, "impression", campaign, cookie_id=cookie, creative_id=EMAIL)
            for n, cookie in enumerate(cookies)
        ],
    )


def _nicknames(path: Path, day: date) -> None:
    base = {
        "name": "鈴木 花子",
        "email": EMAIL,
        "birth_date": "1984-04-01",
        "gender": "女性",
        "postal_code": "100-0001",
        "address": "東京都千代田区千代田0-0-0",
        "phone": "090-0000-0000",
        "occupation": "会社員",
        "industry": "製造",
        "interests": "旅行;料理",
        "payment_method": "銀行振込",
        "bank_account": "0000-001-0000000",
        "card_number": "4000000000000002",
        "updated_at": f"{day}T10:00:00+09:00",
    }
    names = (EMAIL, "09000001234", "０９０−００００−５６７８")
    records = [{"member_id": f"m9999999{n}", **base, "nickname": nickname} for n, nickname in enumerate(names)]
    write_lines(path, [json.dumps(record, ensure_ascii=False) for record in records])


def _contact(path: Path, day: date) -> None:
    def line(second: int, target: str, agent: str, cookie: str) -> str:
        head = f'192.0.2.{second} - - [{day:%d/%b/%Y}:12:00:{second:02} +0900] "GET {target} HTTP/1.1" 200 5120'
        return f'{head} "-" "{agent}" "{cookie}"'

    crawler = f"Mozilla/5.0 (compatible; ShopWatch/1.2; {EMAIL})"
    write_lines(
        path,
        [
            line(1, f"/mail/compose?to={EMAIL}", _WINDOWS, "quid=0000000001"),
            line(2, f"/mail/compose?to={quote(EMAIL)}&cc={quote(EMAIL, safe='')}", _WINDOWS, "quid=0000000001"),
            line(3, f"/news/{EMAIL}", _WINDOWS, "quid=0000000002"),
            line(4, "/shopping/", crawler, "-"),
            line(5, "/news/", _WINDOWS, "_ga=GA1.2.1111111111.1700000000"),
            line(6, "/weather/", _WINDOWS, "IDE=AHWqTUm-third-party"),
        ],
    )


def _malformed(folder: Path, day: date) -> None:
    head = f'"ts":"{day}T10:00:00+09:00","campaign_id":"c001","creative_id":"c001-a","placement":"top"'
    write_lines(
        folder / "ads" / "broken.json",
        [
            f'{{"event_id":"x1",{head},"type":"impression"',
            f'{{"event_id":"x2",{head.replace(day.isoformat(), "yesterday")},"type":"impression"}}',
            f'{{"event_id":"x3",{head},"type":"glance"}}',
            '["not","an","object"]',
            "",
            f'{{"event_id":"x4",{head},"type":"conversion","cookie_id":"0000000003","value_micros":"much"}}',
        ],
    )
    line = b'192.0.2.9 - - [%s:09:00:0%d +0900] "%s" 200 1024 "-" "%s'
    stamp = f"{day:%d/%b/%Y}".encode()
    lines = [
        line % (stamp, 1, b"GET /news/ HTTP/1.1", b'curl/8.5.0" "quid=0000000004"'),
        b"\x16\x03\x01\x00\xee\x01\x00\x00\xea\x03\x03",
        line % (stamp, 2, b"\x16\x03\x01\x02", b'-"'),
        line % (stamp, 3, b"GET /news/ HTTP/1.1", b"Mozilla/5.0"),
        line % (stamp, 4, b"GET /\x83j\x83\x85\x81[\x83X HTTP/1.1", b'Mozilla/5.0"'),
        line % (b"31/Nov/2026", 5, b"GET /news/ HTTP/1.1", b'Mozilla/5.0"'),
        b'192.0.2.9 - - [%s:09:00:06 +0900] "-" 408 -' % stamp,
        b"Nov 16 09:00:06 web-1 kernel: out of memory",
    ]
    (folder / "access" / "broken.log").write_bytes(b"\n".join(lines) + b"\n")


def _resent(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes())


def _cut(source: Path, target: Path) -> None:
    whole = source.read_bytes()
    target.write_bytes(whole[: len(whole) // 3])


_PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\n\xe2\xe3\xcf\xd3\ntrailer << /Root 1 0 R >>\n%%EOF\n"
