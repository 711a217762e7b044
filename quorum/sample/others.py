"""The small sources: `partners/`, `preferences/`, `requests/`, `beacon/`, a few lines a day each.

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
_KINDS = ("access", "correct", "enquiry", "disclosure", "notice", "erase", "verification", "prefill")
_CHOICES = (("opt_out", "ads"), ("opt_in", "ads"), ("consent", "survey"), ("withdraw", "survey"))
_RECEIPT_FIELDS = ("receipt_id", "partner_id", "member_id", "ts", "item_category", "amount_micros", "billed_micros")
_MOST = 20_000


def write_others(landing: Path, people: People, day: date, present: Index, recipients: list[str], seed: int) -> None:
    """Write a day of all four sources.

    Args:
        landing: ``landing/<date>``.
        people: everybody.
        day: the date of the folder.
        present: the persons of the day.
        recipients: ids of advertisers, for choices that concern one of them.
        seed: of the sample.
    """
    rng = stream(seed, "others", day.toordinal())
    members = np.unique(people.member[present[people.member[present] >= 0]])
    if not len(members):
        return
    rng.shuffle(members)
    _partners(landing / "partners" / "receipts.csv.gz", members[: max(8, min(_MOST, len(members) // 40))], day, rng)
    _preferences(landing / "preferences" / "choices.json.gz", members[:6], people, day, recipients, rng)
    _requests(landing / "requests" / "desk.json.gz", members[6:9], day, rng)
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


def _preferences(
    path: Path, members: Index, people: People, day: date, recipients: list[str], rng: np.random.Generator
) -> None:
    lines = []
    for number, member_id in enumerate(member_ids(members).to_pylist()):
        choice, scope = _CHOICES[number % len(_CHOICES)]
        cookie = int(rng.integers(0, len(people.cookie_id)))
        who = {"cookie_id": people.cookie_id[cookie].as_py()} if number % 3 == 0 else {"member_id": member_id}
        record = {
            "event_id": f"p{day:%y%m%d}{number:06}",
            "ts": _moment(day, rng),
            **who,
            "choice": choice,
            "scope": scope,
        }
        if number % 4 == 3:
            record["recipient_id"] = recipients[number % len(recipients)]
        lines.append(json.dumps(record, ensure_ascii=False))
    write_lines(path, lines)


def _requests(path: Path, members: Index, day: date, rng: np.random.Generator) -> None:
    lines = []
    for number, member_id in enumerate(member_ids(members).to_pylist()):
        kind = _KINDS[(day.toordinal() * 3 + number) % len(_KINDS)]
        head = {
            "request_id": f"q{day:%y%m%d}{number:06}",
            "ts": _moment(day, rng),
            "kind": kind,
            "member_id": member_id,
        }
        lines.append(json.dumps({**head, "details": {}}, ensure_ascii=False))
    write_lines(path, lines)


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
