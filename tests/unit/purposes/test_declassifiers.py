"""Each declassifier is what it says: what goes past it, what it is not fit for and what it leaves open is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import duckdb
import pytest

from quorum.errors import PolicyError
from quorum.lineage.crossings import Crossing, Crossings, declared_crossings
from quorum.lineage.declassifiers import COUNT, USES, VALUES, severed
from quorum.lineage.purposes import check_purposes
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.tables.catalog import Column, Table


@dataclass(frozen=True)
class Bypass:
    """A part of a statement of the product, and one in its place that goes past the declassifier."""

    way: str
    table: str
    old: str
    new: str


BYPASSES = [
    Bypass("hmac_pseudonym", "pseudo__login", "pseudonym_cookie(cookie_id)", "left(cookie_id, 8)"),
    Bypass("hmac_pseudonym", "pseudo__login", "pseudonym_cookie(cookie_id)", "sha256(cookie_id)"),
    Bypass(
        "hmac_pseudonym",
        "pseudo__login",
        "pseudonym_cookie(cookie_id)",
        "pseudonym_cookie(cookie_id) || left(cookie_id, 2)",
    ),
    Bypass("hmac_pseudonym", "p09__public_nickname", "pseudonym_public(member_id)", "member_id"),
    Bypass("truncated_network", "pseudo__ad_event", "truncate_network(ip)", "coalesce(truncate_network(ip), ip)"),
    Bypass("truncated_network", "pseudo__ad_event", "truncate_network(ip)", "ip || '/24'"),
    Bypass(
        "completed_years",
        "pseudo__member",
        "completed_years(birth_date, $night)",
        "completed_years(birth_date, $night) * 0 + cast(strftime(birth_date, '%Y') as integer)",
    ),
    Bypass(
        "presence",
        "seg__ad_event",
        "when person_n is null then 'unknown' else creative_id",
        "when person_n is null then 'unknown' else cast(person_n as varchar)",
    ),
    Bypass(
        "presence",
        "seg__ad_event",
        "when person_n is null then 'unknown' else device",
        "when person_n = 7 then 'unknown' else device",
    ),
    Bypass(
        "presence",
        "seg__ad_event",
        "beyond.event_key is not null as is_clipped",
        "event.event_key > '8' as is_clipped",
    ),
    Bypass(
        "condition",
        "pseudo__ad_event",
        "then event.value_micros end",
        "then event.value_micros else length(event.event_type) end",
    ),
    Bypass("matched", "p06__verification", "then 'failed'", "then left(registered.name, 1)"),
    Bypass("matched", "p06__verification", "else 'failed'", "else cast(length(claim.claimed_name) as varchar)"),
    Bypass(
        "latest_version",
        "pseudo__member",
        "from vault__member__history",
        "from vault__member__history where member_id <> 'm-1'",
    ),
]


@pytest.fixture(scope="module")
def declared(policy: Policy) -> Crossings:
    return declared_crossings(policy.folder)


def alone(catalog: Catalog, changed: Table) -> Catalog:
    """A catalogue of one table and its parents, which are made by nobody."""
    parents = {read.table: replace(catalog[read.table], query=None, parents=()) for read in changed.reads}
    return Catalog(MappingProxyType({**parents, changed.name: changed}))


def of_table(declared: Crossings, name: str) -> Crossings:
    def kept(crossings: Mapping[Crossing, str]) -> Mapping[Crossing, str]:
        return MappingProxyType({c: way for c, way in crossings.items() if c.to.split(".")[0] == name})

    return Crossings(kept(declared.values), kept(declared.uses), kept(declared.purposes))


def refusal(catalog: Catalog, policy: Policy, declared: Crossings, changed: Table) -> PolicyError:
    with pytest.raises(PolicyError) as refused:
        check_purposes(alone(catalog, changed), policy, of_table(declared, changed.name))
    assert refused.value.rule == "policy.category_change", str(refused.value)
    return refused.value


@pytest.mark.parametrize("bypass", BYPASSES, ids=lambda bypass: f"{bypass.way}: {bypass.new[:50]}")
def test_what_goes_past_a_declassifier_is_refused(
    bypass: Bypass, catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    table = catalog[bypass.table]
    check_purposes(alone(catalog, table), policy, of_table(declared, table.name))  # as it is, it passes
    changed = replace(table, query=str(table.query).replace(bypass.old, bypass.new, 1))
    assert changed.query != table.query
    refused = refusal(catalog, policy, declared, changed)
    assert bypass.way in str(refused)
    assert bypass.table in str(refused)


def test_every_declassifier_that_can_be_gone_past_has_a_bypass() -> None:
    assert {bypass.way for bypass in BYPASSES} == {
        way.name for way in (*VALUES.values(), *USES.values()) if way.severs is not None
    }


def retyped(table: Table, name: str, **changes: str) -> Table:
    columns = tuple(replace(column, **changes) if column.name == name else column for column in table.columns)
    return replace(table, columns=columns)


def test_a_flag_is_true_or_false(catalog: Catalog, policy: Policy, declared: Crossings) -> None:
    wider = retyped(catalog["seg__traffic"], "is_bot", type="VARCHAR")
    assert "flag" in str(refusal(catalog, policy, declared, wider))


@pytest.mark.parametrize(
    ("name", "said", "category"),
    [("pseudo__standing_choice", "1 as extra", "VIEW"), ("pseudo__login_link", "1 as extra", "HOW")],
)
def test_a_table_that_tells_more_is_no_table_of_choices_or_links(
    name: str, said: str, category: str, catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    table = catalog[name]
    extra = Column("extra", "INTEGER", category, "text", "planted")
    body, separator, last = str(table.query).rpartition("\nselect\n")
    wider = replace(table, query=f"{body}{separator}    {said},\n{last}", columns=(extra, *table.columns))
    refused = refusal(catalog, policy, declared, wider)
    assert "declare what it is fit for" in refused.remedy


WRONG = [
    ("pseudo__member", "pseudo__member.age_years", "vault__member.birth_date", "hmac_pseudonym"),
    ("pseudo__login", "pseudo__login.cookie_key", "vault__login.cookie_id", "truncated_network"),
    ("pseudo__login", "pseudo__login.cookie_key", "vault__login.cookie_id", "condition"),
    ("pseudo__login", "pseudo__login.cookie_key", "vault__login.cookie_id", "flag"),
    ("pseudo__login", "pseudo__login.cookie_key", "vault__login.cookie_id", "matched"),
    ("pseudo__login", "pseudo__login.cookie_key", "vault__login.cookie_id", "presence"),
    ("pseudo__member", "pseudo__member.member_key", "vault__member.member_id", "completed_years"),
]


@pytest.mark.parametrize(("name", "to", "base", "way"), WRONG)
def test_a_crossing_declared_by_another_way_is_refused(
    name: str, to: str, base: str, way: str, catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    other = replace(declared, values=MappingProxyType({**declared.values, Crossing(to, base): way}))
    assert way in str(refusal(catalog, policy, other, catalog[name]))


@pytest.mark.parametrize(
    ("way", "sql", "gone"),
    [
        (COUNT, "select count(distinct a) + min(a) as n, count(*) filter (where a > 1) as m from t", "count("),
        ("presence", "select case when a is not null then 1 end as n from t", "IS NOT NULL"),
        ("condition", "select a between 1 and 2 and b in ('x') and c like 'y%' as n from t", "BETWEEN"),
        ("hmac_pseudonym", "select pseudonym_member(a) as n from t", "pseudonym_member"),
    ],
)
def test_what_stands_in_its_place_comes_from_nowhere_and_is_not_folded_away(way: str, sql: str, gone: str) -> None:
    with duckdb.connect() as connection:
        left = severed(connection, sql, way)
    assert gone not in left
    assert "random()" in left
    assert "min(a)" in left or "min(a)" not in sql
    assert "NULL AS" not in left.upper()
