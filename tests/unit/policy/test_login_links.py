"""On login a person becomes known, from the login on: one table links cookie to member, and nothing is dated back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest

from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Home, Zone

NIGHT = date(2026, 11, 21)
LOGIN = datetime(2026, 11, 21, 3, tzinfo=UTC).replace(tzinfo=None)
EVENT: Mapping[str, Any] = {
    "event_hour": 12,
    "event_date": NIGHT,
    "event_type": "impression",
    "campaign_id": "k1",
    "creative_id": "k1-a",
    "placement": "top",
    "device": "mobile",
    "is_crawler": False,
    "cookie_key": "c1",
}


@pytest.fixture
def engine(home: Home, catalog: Catalog, keys: KeyRing, policy: Policy) -> Iterator[DuckEngine]:
    opened = DuckEngine(Store(home, catalog, keys), policy, keys)
    yield opened
    opened.close()


def given(catalog: Catalog, table: str, rows: list[Mapping[str, Any]]) -> pa.Table:
    schema = catalog[table].arrow_schema()
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)


@pytest.mark.clause("C-06")
def test_a_row_one_second_before_the_login_keeps_no_member(engine: DuckEngine, catalog: Catalog) -> None:
    logins = [{"cookie_key": "c1", "member_key": "m1", "login_at": LOGIN, "login_date": NIGHT}]
    nothing = given(catalog, "pseudo__login_link", [])
    relations = {"pseudo__login": given(catalog, "pseudo__login", logins), "pseudo__login_link__previous": nothing}
    links = engine.run("pseudo__login_link", NIGHT, relations)
    assert [(row["member_key"], row["valid_from"]) for row in links.to_pylist()] == [("m1", LOGIN)]
    events = [{**EVENT, "event_at": at} for at in (LOGIN.replace(hour=2, minute=59, second=59), LOGIN)]
    told = engine.run(
        "seg__event",
        NIGHT,
        {
            "pseudo__login_link": links,
            "pseudo__ad_event": given(catalog, "pseudo__ad_event", events),
            "pseudo__access": given(catalog, "pseudo__access", []),
        },
    )
    assert sorted((row["person_key"], row["person_kind"]) for row in told.to_pylist()) == [
        ("c1", "cookie"),
        ("m1", "member"),
    ]


@pytest.mark.clause("C-06")
def test_one_table_links_cookie_to_member(catalog: Catalog) -> None:
    both = {"cookie_key", "member_key"}
    linking = {
        table.name
        for table in (*catalog.in_zone(Zone.PSEUDO), *catalog.in_zone(Zone.SEG))
        if both <= {column.name for column in table.columns}
    }
    assert linking - {"pseudo__login", "pseudo__preference"} == {"pseudo__login_link"}  # these two say what landed
