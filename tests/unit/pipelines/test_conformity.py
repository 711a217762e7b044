"""Contracts against the policy: what may not enter a zone, and purposes that do not lie within their parents'."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

import pytest

from quorum.conformity import check_conformity
from quorum.errors import PolicyError
from quorum.policy import Policy
from quorum.tables import Catalog, Column, Table


def changed(catalog: Catalog, name: str, **changes: object) -> Catalog:
    tables: Mapping[str, Table] = {**catalog.tables, name: replace(catalog[name], **changes)}
    return Catalog(MappingProxyType(dict(tables)))


def column(category: str) -> Column:
    return Column("extra", "VARCHAR", category, "text", "planted")


def test_the_contracts_conform(catalog: Catalog, policy: Policy) -> None:
    check_conformity(catalog, policy)


@pytest.mark.clause("C-08")
@pytest.mark.parametrize(
    ("table", "category", "rule"),
    [
        ("pseudo__member", "EMAIL", "policy.zone"),
        ("cube__audience_area", "KEY", "policy.zone"),
        ("seg__ad_event", "SHOE_SIZE", "policy.category"),
    ],
)
def test_a_column_that_may_not_be_there_is_refused(
    catalog: Catalog, policy: Policy, table: str, category: str, rule: str
) -> None:
    planted = changed(catalog, table, columns=(*catalog[table].columns, column(category)))
    with pytest.raises(PolicyError) as refused:
        check_conformity(planted, policy)
    assert (refused.value.rule, refused.value.exit_code) == (rule, 13)
    assert table in str(refused.value)


@pytest.mark.parametrize("name", ["email", "industry", "birth_date", "card_number", "gender"])
def test_a_landed_field_is_called_what_it_is(catalog: Catalog, policy: Policy, name: str) -> None:
    columns = tuple(replace(c, category="FACT") if c.name == name else c for c in catalog["vault__member"].columns)
    with pytest.raises(PolicyError) as refused:
        check_conformity(changed(catalog, "vault__member", columns=columns), policy)
    assert refused.value.rule == "policy.landed"
    assert f"vault__member.{name}" in str(refused.value)


def test_a_category_that_the_purpose_does_not_use_is_refused(catalog: Catalog, policy: Policy) -> None:
    narrow = replace(
        policy, purposes=MappingProxyType({**policy.purposes, "P-03": replace(policy.purposes["P-03"], uses=("GEN",))})
    )
    with pytest.raises(PolicyError) as refused:
        check_conformity(catalog, narrow)
    assert refused.value.rule == "policy.use"


@pytest.mark.clause("C-08")
def test_a_purpose_that_is_not_declared_is_refused(catalog: Catalog, policy: Policy) -> None:
    with pytest.raises(PolicyError) as refused:
        check_conformity(changed(catalog, "safe__release", purpose="P-99", columns=()), policy)
    assert refused.value.rule == "policy.purpose"


@pytest.mark.parametrize("parent", ["seg__person_day", "seg__event"])
def test_a_purpose_reads_no_people_of_whom_it_is_not_known_when_they_were_collected(
    catalog: Catalog, policy: Policy, parent: str
) -> None:
    with pytest.raises(PolicyError) as refused:
        check_conformity(changed(catalog, parent, collected=None), policy)
    assert refused.value.rule == "policy.collected"
    assert parent in str(refused.value)


def test_what_is_about_nobody_and_what_people_chose_need_no_date(catalog: Catalog, policy: Policy) -> None:
    assert catalog["pseudo__recipient"].collected is None
    assert catalog["pseudo__standing_choice"].collected is None
    reads = "select person_key from pseudo__standing_choice cross join pseudo__recipient cross join pseudo__stop"
    check_conformity(changed(catalog, "seg__ad_event", query=reads), policy)


def test_a_choice_is_held_for_a_purpose_that_uses_choices_only(catalog: Catalog, policy: Policy) -> None:
    choice = Column("choice", "VARCHAR", "PREF", "text", "planted")
    table = catalog["p09__public_nickname"]
    with pytest.raises(PolicyError) as refused:
        check_conformity(changed(catalog, table.name, columns=(*table.columns, choice)), policy)
    assert refused.value.rule == "policy.use"
