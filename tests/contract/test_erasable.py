"""Every kept table with something about a person is gone through by an erasure, or is left alone for a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest

from quorum.policy import Policy
from quorum.rights.erase import ZONES
from quorum.rights.rules import EXEMPT, is_about_people, rule_of
from quorum.tables import Catalog, Table


def without_a_rule(catalog: Catalog, policy: Policy) -> set[str]:
    kept = [table for table in catalog.tables.values() if table.zone in ZONES and not table.in_memory]
    return {table.name for table in kept if is_about_people(table, policy) and not rule_of(table).finds_rows}


def test_every_table_of_people_has_a_rule(catalog: Catalog, policy: Policy) -> None:
    assert without_a_rule(catalog, policy) - EXEMPT.keys() == set()


def test_what_is_left_alone_is_there_and_holds_no_identifier(catalog: Catalog, policy: Policy) -> None:
    for name, why in EXEMPT.items():
        assert len(why) > 20
        assert not {policy.columns[c.category].klass for c in catalog[name].columns} & {"identifier"}, name


def test_what_no_zone_of_people_holds_is_about_nobody(catalog: Catalog, policy: Policy) -> None:
    for table in catalog.tables.values():
        if table.zone not in ZONES:
            assert not is_about_people(table, policy), table.name


@pytest.mark.parametrize(
    ("table", "column"),
    [("vault__preference", "member_id"), ("pseudo__member", "member_key"), ("seg__ad_event", "person_n")],
)
def test_a_new_table_without_a_rule_is_found(catalog: Catalog, policy: Policy, table: str, column: str) -> None:
    def stripped(contract: Table) -> Table:
        others = [c for c in contract.columns if c.category not in ("MEMBER", "COOKIE", "KEY")]
        names = [replace(contract.column(column), category="NICK", type="VARCHAR")]
        return replace(contract, columns=(*names, *others))

    changed = replace(catalog, tables={**catalog.tables, table: stripped(catalog[table])})
    assert table in without_a_rule(changed, policy)


def test_cookies_that_were_shared_can_be_told_apart_by_an_instant(catalog: Catalog) -> None:
    for table in catalog.tables.values():
        rule = rule_of(table)
        if table.zone in ZONES and not table.in_memory and (rule.cookies or "cookie_key" in rule.keys):
            assert rule.instant is not None or rule.members or "member_key" in rule.keys, table.name
