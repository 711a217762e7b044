"""What was collected before a purpose took effect is not read for it: one second before, and the second itself."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pytest

from quorum.engine.collected import collected_condition
from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.tables import Catalog, Column, Table
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
EFFECTIVE = datetime(2026, 11, 20, 15)  # noqa: DTZ001 - 2026-11-21 00:00 in Asia/Tokyo, in UTC without a zone
SECOND = timedelta(seconds=1)
Engine = Callable[[Policy, Catalog], DuckEngine]


def since(policy: Policy, code: str, *, uses_from: dict[str, datetime] | None = None) -> Policy:
    """The policy with a purpose, or with a category of it, that holds from `EFFECTIVE`."""
    purpose = policy.purposes[code]
    changed = (
        dataclasses.replace(purpose, effective_at=EFFECTIVE)
        if uses_from is None
        else dataclasses.replace(purpose, uses_from=MappingProxyType(uses_from))
    )
    return dataclasses.replace(policy, purposes=MappingProxyType({**policy.purposes, code: changed}))


def minutes(at: datetime) -> int:
    return int(at.replace(tzinfo=UTC).timestamp()) // 60


def rows(catalog: Catalog, table: str, *given: dict[str, Any]) -> pa.Table:
    schema = catalog[table].arrow_schema()
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in given], schema=schema)


def reading(catalog: Catalog, table: str, statement: str, *columns: Column, purpose: str) -> Catalog:
    """The catalogue with a table of a purpose that a statement makes."""
    made = Table(table, "made for a test", "a row", purpose, "test", "vault", columns, statement, False, ())
    return Catalog(MappingProxyType({**catalog.tables, table: made}))


@pytest.fixture
def engine(home: Home, keys: KeyRing) -> Iterator[Engine]:
    with ExitStack() as open_engines:

        def make(policy: Policy, catalog: Catalog) -> DuckEngine:
            made = DuckEngine(Store(home, catalog, keys), policy, keys, memory_limit="300MB", threads=1)
            open_engines.callback(made.close)
            return made

        yield make


@pytest.mark.clause("R-02")
def test_of_minutes_the_last_one_before_is_left_out_and_the_first_one_is_read(
    engine: Engine, policy: Policy, catalog: Catalog, home: Home, keys: KeyRing
) -> None:
    events = [
        {"event_type": "impression", "campaign_id": name, "person_key": "p1", "minute_n": minutes(at)}
        for name, at in (("before", EFFECTIVE - SECOND), ("at", EFFECTIVE), ("after", EFFECTIVE + 60 * SECOND))
    ]
    Store(home, catalog, keys).write("seg__event", NIGHT, rows(catalog, "seg__event", *events))
    later = engine(since(policy, "P-03"), catalog)
    assert later.run("seg__ad_event", NIGHT)["campaign_id"].to_pylist() == ["at", "after"]
    assert engine(policy, catalog).run("seg__ad_event", NIGHT).num_rows == 3


@pytest.mark.clause("R-02")
def test_of_instants_in_the_vault_the_last_second_before_is_left_out(
    engine: Engine, policy: Policy, catalog: Catalog, home: Home, keys: KeyRing
) -> None:
    name = Column("name", "VARCHAR", "NAME", "text", "name")
    statement = "select name from vault__member__history"
    changed = reading(catalog, "p05__made", statement, name, purpose="P-05")
    members = [
        {"member_id": "m-1", "name": "before", "updated_at": EFFECTIVE - SECOND},
        {"member_id": "m-2", "name": "at", "updated_at": EFFECTIVE},
    ]
    Store(home, catalog, keys).write("vault__member", NIGHT, rows(catalog, "vault__member", *members))
    assert engine(since(policy, "P-05"), changed).run("p05__made", NIGHT)["name"].to_pylist() == ["at"]


@pytest.mark.clause("R-02")
def test_of_civil_dates_the_day_before_is_left_out(
    engine: Engine, policy: Policy, catalog: Catalog, home: Home, keys: KeyRing
) -> None:
    item = Column("item_category", "VARCHAR", "ITEM", "text", "goods")
    statement = "select item_category from pseudo__partner_item__history"
    changed = reading(catalog, "p01__made", statement, item, purpose="P-01")
    items = [
        {"member_key": "k", "item_category": "before", "transaction_date": NIGHT - timedelta(days=1)},
        {"member_key": "k", "item_category": "at", "transaction_date": NIGHT},
    ]
    Store(home, catalog, keys).write("pseudo__partner_item", NIGHT, rows(catalog, "pseudo__partner_item", *items))
    assert engine(since(policy, "P-01"), changed).run("p01__made", NIGHT)["item_category"].to_pylist() == ["at"]


def test_a_category_added_later_holds_for_the_statements_that_may_read_it(policy: Policy, catalog: Catalog) -> None:
    added = since(policy, "P-01", uses_from={"OCC": EFFECTIVE})
    member = catalog["pseudo__member"]

    def condition(statement: str) -> str:
        child = reading(catalog, "p01__made", statement, purpose="P-01")["p01__made"]
        return str(collected_condition(child, member, added))

    assert "2026-11-20 15:00:00" in condition("select occupation from pseudo__member")
    assert "2026-11-20 15:00:00" in condition("select * from pseudo__member")
    assert "2026-11-20 15:00:00" in condition("select member.* from pseudo__member as member")
    assert "2014-03-31 15:00:00" in condition("select gender -- occupation\nfrom pseudo__member")
    assert "2014-03-31 15:00:00" in condition("select gender, count(*) from pseudo__member group by gender")


def test_the_infrastructure_the_own_purpose_and_what_is_about_nobody_are_read_whole(
    policy: Policy, catalog: Catalog
) -> None:
    for child, parent in (
        ("seg__person_day", "pseudo__member"),
        ("cube__audience_device", "seg__ad_event"),
        ("safe__performance", "pseudo__recipient"),
    ):
        assert collected_condition(catalog[child], catalog[parent], since(policy, "P-03")) is None


def test_people_who_are_no_members_stay(policy: Policy, catalog: Catalog, engine: Engine) -> None:
    given = {
        "seg__event": rows(
            catalog,
            "seg__event",
            *(
                {"event_type": "impression", "campaign_id": key, "person_key": key, "minute_n": minutes(EFFECTIVE)}
                for key in ("cookie", "old_member", "new_member")
            ),
        ),
        "seg__person_day": rows(
            catalog,
            "seg__person_day",
            {"person_n": 1, "person_key": "cookie", "is_bot": False},
            {"person_n": 2, "person_key": "new_member", "is_bot": False, "collected_at": EFFECTIVE},
            {"person_n": 3, "person_key": "old_member", "is_bot": False, "collected_at": EFFECTIVE - SECOND},
        ),
    }
    found = engine(since(policy, "P-03"), catalog).run("seg__ad_event", NIGHT, given).to_pylist()
    assert {row["campaign_id"]: row["person_n"] for row in found} == {"cookie": 1, "new_member": 2, "old_member": None}
