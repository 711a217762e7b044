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


def test_a_category_that_the_purpose_does_not_use_is_refused(catalog: Catalog, policy: Policy) -> None:
    narrow = replace(
        policy, purposes=MappingProxyType({**policy.purposes, "P-03": replace(policy.purposes["P-03"], uses=("GEN",))})
    )
    with pytest.raises(PolicyError) as refused:
        check_conformity(catalog, narrow)
    assert refused.value.rule == "policy.use"


@pytest.mark.parametrize(("purpose", "rule"), [("P-07", "policy.purpose_within"), ("P-99", "policy.purpose")])
def test_a_purpose_outside_its_parents_is_refused(catalog: Catalog, policy: Policy, purpose: str, rule: str) -> None:
    with pytest.raises(PolicyError) as refused:
        check_conformity(changed(catalog, "safe__release", purpose=purpose, columns=()), policy)
    assert refused.value.rule == rule
