"""Every statement of the product has a lineage and passes the gate; each way that is declared is needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from quorum.errors import ConfigurationError, PolicyError
from quorum.lineage.crossings import Crossing, declared_crossings
from quorum.lineage.declassifiers import READS, USES, VALUES
from quorum.lineage.flows import Flows
from quorum.lineage.purposes import check_needed, check_purposes
from quorum.policy import Policy
from quorum.tables import Catalog


@pytest.fixture(scope="module")
def flows(catalog: Catalog, policy: Policy) -> Flows:
    """What the gate returns: it passes."""
    return check_purposes(catalog, policy)


def test_every_statement_has_a_lineage_for_every_column_of_its_contract(catalog: Catalog, flows: Flows) -> None:
    with_query = {name for name, table in catalog.tables.items() if table.query is not None}
    assert set(flows.lineages) == with_query
    for name, lineage in flows.lineages.items():
        assert list(lineage.columns) == [column.name for column in catalog[name].columns], name


@pytest.mark.parametrize(
    ("section", "way"), [("values", way) for way in VALUES] + [("uses", way) for way in USES], ids=str
)
def test_each_way_is_used_and_what_goes_it_is_refused_undeclared(
    section: str, way: str, catalog: Catalog, policy: Policy, flows: Flows
) -> None:
    declared: dict[Crossing, str] = dict(getattr(flows.declared, section))
    gone = next((crossing for crossing in sorted(declared) if declared[crossing] == way), None)
    assert gone is not None, f"nothing goes through {way}: take it off the list"
    kept = MappingProxyType({crossing: other for crossing, other in declared.items() if crossing != gone})
    with pytest.raises(PolicyError) as refused:
        check_purposes(catalog, policy, replace(flows.declared, **{section: kept}))
    assert gone.base in str(refused.value)


@pytest.mark.clause("C-08")
def test_everything_that_is_declared_happens(flows: Flows) -> None:
    check_needed(flows)


def test_every_read_of_another_purpose_goes_a_way_that_is_on_the_list(flows: Flows) -> None:
    assert set(flows.declared.purposes.values()) <= set(READS)


@pytest.mark.parametrize(
    "text",
    [
        "values: {}",
        "values: {a.b: {from: [c.d], by: trust_me}}\nuses: {}\npurposes: {}",
        "values: {a.b: {from: [c.d], by: latest_version}}\nuses: {}\npurposes: {}",
        "values: {}\nuses: {}\npurposes: {}\nmore: {}",
        "values: [a]\nuses: {}\npurposes: {}",
        ": [",
    ],
)
def test_a_list_of_declassifiers_that_cannot_be_trusted_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "declassifiers.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        declared_crossings(tmp_path)
