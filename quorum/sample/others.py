"""The small sources that nobody writes by hand: `partners/`, `beacon/`, a few lines a day each.

What belongs here: valid lines of these formats. What does not: volume.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np

from quorum.sample.agents import AGENTS
from quorum.sample.catalogue import HOSTS, SECTIONS
from quorum.sample.draw import Index, stream
from quorum.sample.files import write_csv, write_lines
from quorum.sample.members import member_ids
from quorum.sample.people import People
from quorum.sample.text import DAY_MS, ipv4, pick

_JST = timezone(timedelta(hours=9))
_ITEMS = ("食品", "書籍", "家電", "衣料品", "日用品", "旅行", "チケット", "化粧品")
_PARTNERS = ("shop-01", "shop-02", "shop-03")
_RECEIPT_FIELDS = ("receipt_id", "partner_id", "member_id", "ts", "item_category", "amount_micros", "billed_micros")
_MOST = 20_000


def write_others(landing: Path, people: People, day: date, present: Index, seed: int) -> None:
    """Write a day of both sources.

    Args:
        landing: ``landing/<date>``.
        people: everybody.
        day: the date of the folder.
        present: the persons of the day.
        seed: of the sample.
    """
    rng = stream(seed, "others", day.toordinal())
    members = np.unique(people.member[present[people.member[present] >= 0]])
    if not len(members):
        return
    rng.shuffle(members)
    _partners(landing / "partners" / "receipts.csv.gz", members[: max(8, min(_MOST, len(members) // 40))], day, rng)
    _beacon(
        landing / "beacon" / "beacon.json.zst", people, day, present[: max(20, min(_MOST, len(present) // 60))], rng
    )


def _moment(day: date, rng: np.random.Generator) -> str:
    midnight = datetime(day.year, day.month, day.day, tzinfo=_JST)
    return (midnight + timedelta(milliseconds=int(rng.integers(0, DAY_MS)))).isoformat(timespec="milliseconds")


def _partners(path: Path, members: Index, day: date, rng: np.random.Generator) -> None:
    rows = []
    for number, member_id in enumerate(member_ids(members).to_pylist()):
        yen = int(rng.integers(3, 400)) * 100
        partner, item = _PARTNERS[number % len(_PARTNERS)], _ITEMS[int(rng.integers(0, len(_ITEMS)))]
        moment = _moment(day, rng)
        rows.append((f"r{day:%y%m%d}{number:06}", partner, member_id, moment, item, yen * 10**6, yen * 97 * 10**4))
    write_csv(path, _RECEIPT_FIELDS, rows)


def _beacon(path: Path, people: People, day: date, persons: Index, rng: np.random.Generator) -> None:
    cookies = people.first_cookie[persons]
    texts = pick(people.cookie_id, cookies).to_pylist()
    addresses = ipv4(people.addresses(cookies, day.toordinal())).to_pylist()
    lines = []
    for number, (cookie, address) in enumerate(zip(texts, addresses, strict=True)):
        prefix = SECTIONS[int(rng.integers(0, len(SECTIONS)))][0]
        record = {
            "event_id": f"b{day:%y%m%d}{number:06}",
            "ts": _moment(day, rng),
            "ip": address,
            "user_agent": AGENTS[int(people.agent[cookies[number]])][0],
            "cookie_id": cookie,
            "page_url": f"https://{HOSTS[0]}{prefix}",
        }
        lines.append(json.dumps(record, ensure_ascii=False))
    write_lines(path, lines)
