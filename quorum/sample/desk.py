"""The files of `requests/` and `preferences/`: what people ask the portal for, and what they choose about their data.

Every kind of request is there, with details that can be acted on and, beside them, one that must be refused: a claim
that does not agree with the registration, a transfer without an instruction, a refusal that nobody decided or that
nobody will look at again, a case without its number.

What belongs here: valid lines of these two formats. What does not: the registrations that they agree with (`members`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from quorum.sample import society
from quorum.sample.draw import Index, stream
from quorum.sample.files import write_lines
from quorum.sample.members import Pool, member_columns, member_ids
from quorum.sample.people import UNKNOWN_PREFECTURE, People
from quorum.sample.text import DAY_MS

_JST = timezone(timedelta(hours=9))
_METHODS = ("document", "registered_mail", "bank", "card")
_TOPICS = ("billing", "delivery", "account", "advertising", "privacy", "other")
_TEXTS = (
    "先月の請求額について確認したいのですが、明細はどこで見られますか。",
    "注文した商品がまだ届きません。配送の状況を教えてください。",
    "引っ越しをしたので登録の住所を変えたいです。",
    "同じ広告が何度も表示されます。止める方法はありますか。",
    "私の情報をどこかに提供しているか知りたいです。",
    "スマートフォンから問い合わせ窓口が開けません。",
)
_SERVICES = ("shopping", "books", "travel", "account", "news")
_SEGMENT = "kanto-commuters"
_PARTNER_CONSENTS = 12
_PER_DAY = 10
"""Members that a day's requests take; the next day takes others."""


@dataclass(frozen=True)
class Clients:
    """The members who ask: registered on the first day and not changed since, in an order of their own.

    Args:
        members: numbers.
        texts: their registration by field, in the same order.
    """

    members: Index
    texts: dict[str, list[str]]

    def registration(self, at: int) -> dict[str, str]:
        """Return the registration of one of them; the order starts again at its end."""
        return {name: values[at % len(self.members)] for name, values in self.texts.items()}


def make_clients(people: People, pool: Pool, landed: list[Index], first: date, days: int, seed: int) -> Clients:
    """Choose the members who ask.

    Args:
        people: everybody.
        pool: for the texts of members.
        landed: members whose record lands, by day.
        first: the first day.
        days: how many days.
        seed: of the sample.
    """
    changed = np.unique(np.concatenate([*landed[1:], np.zeros(0, dtype=np.int32)]))
    steady = np.setdiff1d(landed[0], changed).astype(np.int32)
    has_birth_date = people.age_band[steady] < len(society.AGE_SPANS)
    steady = steady[has_birth_date & (people.prefecture[steady] != UNKNOWN_PREFECTURE)]
    stream(seed, "clients").shuffle(steady)
    chosen = steady[: (_PER_DAY + _PARTNER_CONSENTS) * max(1, days)]
    columns = member_columns(people, pool, chosen, first, 0, seed)
    return Clients(chosen, {name: column.to_pylist() for name, column in columns.items()})


def write_desk(landing: Path, clients: Clients, people: People, number: int, day: date, to: str, seed: int) -> None:
    """Write a day's requests and choices.

    Args:
        landing: ``landing/<date>``.
        clients: the members who ask.
        people: for cookies.
        number: of the day, from 0.
        day: the date of the folder.
        to: the advertiser that some let have their data.
        seed: of the sample.
    """
    if not len(clients.members):
        return
    rng = stream(seed, "desk", day.toordinal())
    write_lines(landing / "requests" / "desk.json.gz", _lines("q", "request_id", day, _requests(clients, number), rng))
    choices = _choices(clients, people, number, to, rng)
    write_lines(landing / "preferences" / "choices.json.gz", _lines("p", "event_id", day, choices, rng))


def _lines(
    letter: str, identity: str, day: date, records: Iterator[dict[str, Any]], rng: np.random.Generator
) -> list[str]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=_JST)
    listed = list(records)
    lines = []
    for at, (since, record) in enumerate(
        zip(sorted(rng.integers(0, DAY_MS, len(listed)).tolist()), listed, strict=True)
    ):
        moment = midnight + timedelta(milliseconds=since)
        head = {identity: f"{letter}{day:%y%m%d}{at:06}", "ts": moment.isoformat(timespec="milliseconds")}
        lines.append(json.dumps({**head, **record}, ensure_ascii=False))
    return lines


def _requests(clients: Clients, number: int) -> Iterator[dict[str, Any]]:
    """Return a day's requests; whoever asks for what is held of them has their identity verified the same day."""
    first = number * _PER_DAY
    member = [clients.registration(first + at) for at in range(_PER_DAY)]
    yield _request("verification", member[0], _claim(member[0], _METHODS[number % len(_METHODS)]))
    yield _request("access", member[0], {"language": "ja"})
    yield _request("verification", member[1], {**_claim(member[1], "document"), "birth_date": "1901-01-01"})
    yield _request("access", member[1], {"language": "en"})
    yield _request("verification", member[2], _claim(member[2], "document"))
    yield _request("correct", member[2], {"fields": {"phone": "080-0000-0000", "address": member[0]["address"]}})
    for at in (3, 4):
        topic = (number * 2 + at) % len(_TOPICS)
        said = {"topic": _TOPICS[topic], "text": _TEXTS[topic], "service": _SERVICES[topic % len(_SERVICES)]}
        yield _request("enquiry", member[at], {**said, "reply_to": member[at]["email"]})
    yield _request("prefill", member[5], {"form_id": "address-form", "fields": ["name", "postal_code", "address"]})
    transfer = {"form_id": "transfer", "fields": ["name", "email"], "transfer_to": "shop-01"}
    instruction = {"instruction_id": f"i{number:04}"} if number % 2 == 0 else {}
    yield _request("prefill", member[6], {**transfer, **instruction})
    yield from _refusals(member[7], member[8], number)
    yield _request("notice", None, {"message_id": f"offer-{number:02}", "channel": "email", "segment_id": _SEGMENT})
    addressed = [each["member_id"] for each in member[:5]]
    yield _request("notice", None, {"message_id": f"prize-{number:02}", "channel": "post", "member_ids": addressed})
    yield from _cases([member[7]["member_id"]], number)
    if number % 3 == 2:
        yield _request("erase", member[9], {})


def _request(kind: str, member: dict[str, str] | None, details: dict[str, Any]) -> dict[str, Any]:
    who = {} if member is None else {"member_id": member["member_id"]}
    return {"kind": kind, **who, "details": details}


def _claim(member: dict[str, str], method: str) -> dict[str, str]:
    claimed = {"method": method, "name": member["name"]}
    if method == "document":
        return {**claimed, "birth_date": member["birth_date"]}
    if method == "registered_mail":
        return {**claimed, "address": member["address"], "mail_result": "delivered"}
    if method == "bank":
        return {**claimed, "bank_account": member["bank_account"]}
    return {**claimed, "card_last4": member["card_number"][-4:]}


def _refusals(abuser: dict[str, str], debtor: dict[str, str], number: int) -> Iterator[dict[str, Any]]:
    decided = {"decided_by": "desk-lead", "review_on": "2027-05-31"}
    missing = ("decided_by", "review_on", None)[number % 3]
    yield _request("refusal", abuser, {"reason_code": "abuse", "evidence_ref": f"case-{number:04}", **decided})
    arrears = {"reason_code": "arrears", "evidence_ref": f"dunning-{number:04}", "arrears_micros": 12_800 * 10**6}
    yield _request("refusal", debtor, {**arrears, **{name: text for name, text in decided.items() if name != missing}})


def _cases(concerned: list[str], number: int) -> Iterator[dict[str, Any]]:
    """Return the case that somebody brings on a day, if any."""
    police = {
        **{"basis": "D-04", "recipient_id": "police", "authority": "例示県警察本部", "statute": "ccp-197-2"},
        **{"items": ["NAME", "ADDR"], "member_ids": concerned},
    }
    hard = {
        "necessity": "不正な取引による損害を止めるため",
        "why_consent_is_hard": "本人に知らせると証拠が失われるおそれがあるため",
    }
    if number == 1:
        yield _request("disclosure", None, {**police, "case_id": "K-2026-0117"})
    if number == 3:
        yield _request("disclosure", None, police)  # without the number of the case
    if number == 5:
        yield _request("disclosure", None, {**police, **hard, "basis": "D-06", "case_id": "K-2026-0121"})


def _choices(
    clients: Clients, people: People, number: int, to: str, rng: np.random.Generator
) -> Iterator[dict[str, Any]]:
    """Return a day's choices: people let an advertiser have their data, and some of them withdraw it the day after."""
    first = len(clients.members) - (number + 1) * _PARTNER_CONSENTS
    ids = member_ids(clients.members).to_pylist()
    today = [ids[(first + at) % len(ids)] for at in range(_PARTNER_CONSENTS)]
    before = ids[(first + _PARTNER_CONSENTS) % len(ids)]
    for member in today[:8]:
        yield {"member_id": member, "choice": "consent", "scope": "provide_contact", "recipient_id": to}
    yield {"member_id": today[8], "choice": "consent", "scope": "provide_contact"}  # names no recipient: for none
    if number:
        yield {"member_id": before, "choice": "withdraw", "scope": "provide_contact", "recipient_id": to}
    yield {"member_id": today[9], "choice": "opt_out", "scope": "ads"}
    yield {"member_id": today[10], "choice": "opt_out", "scope": "mail"}
    yield {"member_id": today[11], "choice": "opt_out", "scope": "survey"}
    yield (
        {"member_id": today[0], "choice": "opt_out", "scope": "all"}
        if number == 3
        else {
            "member_id": today[9],
            "choice": "opt_in",
            "scope": "mail",
        }
    )
    cookie = people.cookie_id[int(rng.integers(0, len(people.cookie_id)))].as_py()
    yield {"cookie_id": cookie, "choice": "opt_out", "scope": "ads"}
