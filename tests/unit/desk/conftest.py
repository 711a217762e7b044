"""A home with one done night, two members, and what they did."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pyarrow as pa
import pytest
from desk_portal import AT, HANAKO, MEMBERS, NIGHT, TARO, Portal

from quorum.desk import Desk
from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.ledger.reads import ReadLog
from quorum.policy import Actor, Policy
from quorum.tables import Catalog
from quorum.zones import Home


@pytest.fixture
def empty_portal(home: Home, keys: KeyRing, catalog: Catalog, policy: Policy) -> Iterator[Portal]:
    ledger = Ledger(home.ledger)
    actor = Actor("somebody", "desk")
    store = Store(home, catalog, keys, ReadLog(ledger, actor).note)
    engine = DuckEngine(store, policy, keys, memory_limit="500MB", threads=1)
    ledger.finish_night(NIGHT, "0" * 64, {})
    yield Portal(Desk(home, policy, keys, ledger, store, engine, actor))
    engine.close()
    ledger.close()


@pytest.fixture
def portal(empty_portal: Portal) -> Portal:
    portal = empty_portal
    updated = datetime(2026, 10, 1)  # noqa: DTZ001
    portal.put(
        "vault__member",
        [
            {"file_n": 1, "line_n": n, "member_id": member, "updated_at": updated, **fields}
            for n, (member, fields) in enumerate(MEMBERS.items(), 1)
        ],
    )
    yen = 1_000_000
    portal.put(
        "vault__partner_transaction",
        [
            {
                "file_n": 2,
                "line_n": n,
                "receipt_id": f"r{n}",
                "partner_id": partner,
                "member_id": member,
                "transaction_at": AT,
                "transaction_date": NIGHT,
                "item_category": item,
                "amount_micros": amount * yen,
                "billed_micros": amount * yen,
            }
            for n, (member, partner, item, amount) in enumerate(
                [
                    (HANAKO, "shop-01", "書籍", 1200),
                    (HANAKO, "shop-02", "食品", 800),
                    (TARO, "shop-01", "家電", 99_000),
                ],
                1,
            )
        ],
    )
    return portal


@pytest.fixture
def keyed(portal: Portal) -> Callable[[str], str]:
    """From a member number to its pseudonym."""

    def key(member: str) -> str:
        rows = pa.table({"m": [member]})
        return str(portal.desk.engine.query("select pseudonym_member(m) as k from t", {"t": rows})["k"][0].as_py())

    return key


@pytest.fixture
def browsing(portal: Portal, keyed: Callable[[str], str]) -> Portal:
    """Both members logged in, viewed pages and saw advertisements; one view lies a second before the login."""
    second = timedelta(seconds=1)
    cookies = {HANAKO: "c-hanako", TARO: "c-taro"}
    portal.put(
        "pseudo__login_link",
        [
            {"cookie_key": cookie, "member_key": keyed(member), "valid_from": AT, "last_login_at": AT}
            for member, cookie in cookies.items()
        ],
    )
    views = [
        (cookies[HANAKO], AT - second, "health"),
        (cookies[HANAKO], AT, "news"),
        (cookies[HANAKO], AT + second, "news"),
        (cookies[TARO], AT + second, "finance"),
    ]
    portal.put(
        "pseudo__access",
        [
            {
                "file_n": 3,
                "line_n": n,
                "access_at": at,
                "access_date": NIGHT,
                "access_hour": 12,
                "cookie_key": cookie,
                "section_id": section,
                "is_page_view": True,
                "device": "mobile",
                "system": "ios",
                "browser": "Safari",
                "is_crawler": False,
            }
            for n, (cookie, at, section) in enumerate(views, 1)
        ],
    )
    portal.put(
        "pseudo__login",
        [
            {"cookie_key": cookie, "member_key": keyed(member), "login_at": AT, "login_date": NIGHT}
            for member, cookie in cookies.items()
        ],
    )
    portal.put(
        "pseudo__beacon",
        [
            {
                "file_n": 6,
                "line_n": n,
                "event_key": f"b{n}",
                "event_at": AT,
                "event_date": NIGHT,
                "event_hour": 12,
                "cookie_key": cookie,
                "section_id": section,
                "device": "mobile",
            }
            for n, (cookie, section) in enumerate([(cookies[HANAKO], "news"), (cookies[TARO], "finance")], 1)
        ],
    )
    portal.put(
        "pseudo__ad_event",
        [
            {
                "file_n": 4,
                "line_n": n,
                "event_key": f"e{n}",
                "event_at": AT,
                "event_date": NIGHT,
                "event_hour": 12,
                "event_type": "impression",
                "campaign_id": campaign,
                "cookie_key": cookie,
            }
            for n, (cookie, campaign) in enumerate([(cookies[HANAKO], "c001"), (cookies[TARO], "c002")], 1)
        ],
    )
    portal.put(
        "pseudo__member",
        [
            {
                "member_key": keyed(member),
                "age_years": age,
                "gender": gender,
                "prefecture": "tokyo",
                "occupation": "clerical",
            }
            for member, age, gender in ((HANAKO, 36, "female"), (TARO, 56, "male"))
        ],
    )
    portal.put(
        "pseudo__preference",
        [
            {
                "person_key": keyed(member),
                "member_key": keyed(member),
                "choice": choice,
                "scope": scope,
                "preference_at": AT,
                "preference_date": NIGHT,
            }
            for member, choice, scope in ((HANAKO, "opt_out", "ads"), (TARO, "opt_out", "mail"))
        ],
    )
    portal.put(
        "p01__segment_assignment",
        [
            {"person_key": keyed(member), "segment_id": segment, "valid_from": NIGHT, "policy_version": 1}
            for member, segment in ((HANAKO, "students"), (TARO, "travellers"))
        ],
    )
    portal.put(
        "vault__disclosure",
        [
            {
                "member_key": keyed(member),
                "disclosure_id": f"d-{n}",
                "basis": "D-03",
                "recipient_id": "r01",
                "recipient_name": recipient,
                "items": "NAME;EMAIL",
                "source": "registration",
                "is_told": is_told,
                "disclosed_on": NIGHT,
                "disclosed_at": AT,
            }
            for n, (member, recipient, is_told) in enumerate(
                [(HANAKO, "甲社", True), (HANAKO, "捜査機関", False), (TARO, "乙社", True)], 1
            )
        ],
    )
    portal.put(
        "pseudo__section",
        [
            {
                "path_prefix": "/news/",
                "section_id": "news",
                "recipient_id": "site",
                "name_ja": "ニュース",
                "name_en": "News",
            }
        ],
    )
    return portal
