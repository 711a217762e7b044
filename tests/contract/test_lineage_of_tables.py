"""Every statement of the product has a lineage, and no identifier gets out but through a declared declassifier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from quorum.errors import ConfigurationError
from quorum.lineage.crossings import Crossing, crossings, declared_crossings, reached
from quorum.lineage.derive import Lineage
from quorum.lineage.product import product_lineage
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Zone


@pytest.fixture(scope="module")
def lineages(catalog: Catalog, policy: Policy) -> Mapping[str, Lineage]:
    return product_lineage(catalog, policy)


@pytest.fixture(scope="module")
def declared(root: Path) -> Mapping[Crossing, str]:
    return declared_crossings(root / "policy")


def test_every_statement_has_a_lineage_for_every_column_of_its_contract(
    catalog: Catalog, lineages: Mapping[str, Lineage]
) -> None:
    with_query = {name for name, table in catalog.tables.items() if table.query is not None}
    assert set(lineages) == with_query
    for name, lineage in lineages.items():
        assert list(lineage.columns) == [column.name for column in catalog[name].columns], name


def test_every_crossing_is_declared_and_every_declaration_is_needed(
    catalog: Catalog, policy: Policy, lineages: Mapping[str, Lineage], declared: Mapping[Crossing, str]
) -> None:
    assert sorted(crossings(catalog, policy, lineages)) == sorted(declared)


def test_no_cube_reaches_an_identifier_but_through_a_declassifier(
    catalog: Catalog, policy: Policy, lineages: Mapping[str, Lineage], declared: Mapping[Crossing, str]
) -> None:
    cubes = catalog.in_zone(Zone.CUBE)
    assert cubes
    for cube in cubes:
        assert reached(catalog, policy, lineages, declared, cube.name) == frozenset(), cube.name


def test_without_the_declassifiers_the_cubes_do_reach_identifiers(
    catalog: Catalog, policy: Policy, lineages: Mapping[str, Lineage]
) -> None:
    found = reached(catalog, policy, lineages, {}, "cube__audience_age_gender")
    assert {"vault__member.birth_date", "vault__member.member_id", "vault__ad_event.cookie_id"} <= found


def test_a_statement_that_lets_an_identifier_out_is_found(
    catalog: Catalog, policy: Policy, declared: Mapping[Crossing, str]
) -> None:
    member = catalog["pseudo__member"]
    leaky = str(member.query).replace("lower(trim(occupation))", "lower(trim(email))")
    assert leaky != member.query
    tables = {**catalog.tables, "pseudo__member": replace(member, query=leaky)}
    changed = replace(catalog, tables=tables)
    new = crossings(changed, policy, product_lineage(changed, policy)) - set(declared)
    assert Crossing("pseudo__member", "vault__member.email") in new  # looked up by it
    assert "vault__member.email" in reached(
        changed, policy, product_lineage(changed, policy), declared, "cube__audience_occupation"
    )


@pytest.mark.parametrize(
    "text", ["values: {}", "values: {a.b: {from: [c.d], by: trust_me}}\nuses: {}", "values: [a]\nuses: {}", ": ["]
)
def test_a_list_of_declassifiers_that_cannot_be_trusted_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "declassifiers.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        declared_crossings(tmp_path)
