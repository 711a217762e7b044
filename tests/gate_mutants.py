"""Small changes of the product's own contracts and statements, and the gate's judgement of the part they are in."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType

import pytest

from quorum.errors import PolicyError
from quorum.lineage.crossings import Crossing, Crossings
from quorum.lineage.flows import Flows
from quorum.lineage.product import product_lineage
from quorum.lineage.purposes import check_purposes
from quorum.lineage.refusal import LineageError
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.tables.catalog import Column, Table


def column(name: str, category: str, type_: str = "VARCHAR") -> Column:
    return Column(name, type_, category, "text", "planted")


def table(name: str, purpose: str, statement: str, *columns: Column) -> Table:
    return Table(name, "planted", "a row", purpose, "test", "cube", columns, statement, False, ())


def planted(catalog: Catalog, *tables: Table) -> Catalog:
    return Catalog(MappingProxyType({**catalog.tables, **{made.name: made for made in tables}}))


def rewritten(catalog: Catalog, name: str, old: str, new: str, *added: Column) -> Catalog:
    """The catalogue with a part of a statement in the place of another, and columns added to its contract."""
    contract = catalog[name]
    statement = str(contract.query).replace(old, new, 1)
    assert statement != contract.query, f"{name} does not say {old}"
    return planted(catalog, replace(contract, query=statement, columns=(*contract.columns, *added)))


def declaring(declared: Crossings, section: str, to: str, base: str, way: str) -> Crossings:
    return replace(declared, **{section: MappingProxyType({**getattr(declared, section), Crossing(to, base): way})})


def judged(catalog: Catalog, policy: Policy, declared: Crossings, *names: str) -> Flows:
    """Judge some tables and all that they are made of; they bind: what is refused is what they do."""
    product_lineage(part_of(catalog, names), policy)
    return check_purposes(part_of(catalog, names), policy, part_declared(declared, part_of(catalog, names)))


def part_of(catalog: Catalog, names: tuple[str, ...]) -> Catalog:
    wanted: dict[str, Table] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted[name] = catalog[name]
            waiting += [read.table for read in catalog[name].reads]
    return Catalog(MappingProxyType(wanted))


def part_declared(declared: Crossings, catalog: Catalog) -> Crossings:
    def kept(section: str) -> MappingProxyType[Crossing, str]:
        crossings = getattr(declared, section).items()
        return MappingProxyType({c: way for c, way in crossings if c.to.split(".")[0] in catalog.tables})

    return Crossings(kept("values"), kept("uses"), kept("purposes"))


def refusal(catalog: Catalog, policy: Policy, declared: Crossings, *names: str) -> PolicyError:
    with pytest.raises(PolicyError) as refused:
        judged(catalog, policy, declared, *names)
    assert not isinstance(refused.value, LineageError)
    assert refused.value.exit_code == 13
    assert refused.value.remedy
    return refused.value


KEY = column("person_key", "KEY")
