"""The gate: what each purpose may hold, may be decided by, and may read, by the lineage of every statement.

What belongs here: purposes against lineage, and the one call that judges a whole catalogue. What does not: deriving
lineage, changes of category (`quorum.lineage.changes`), other companies (`quorum.lineage.outside`).

What Python makes has no statement, so that the walk ends there: it is taken to hold what its contract says, its zone
holds for it (`quorum.conformity`), and its columns must have the categories of its declared parents. Landed tables are
checked at the door, field by field (`quorum.intake`).
"""

from __future__ import annotations

from pathlib import Path

from quorum.errors import PolicyError
from quorum.lineage.changes import check_changes, unneeded_changes
from quorum.lineage.crossings import Crossing, Crossings, declared_crossings
from quorum.lineage.flows import INFRASTRUCTURE, Flows, of_contracts
from quorum.lineage.grouped import check_cubes
from quorum.lineage.outside import check_outside
from quorum.lineage.product import lineages_of, open_statements
from quorum.policy import Policy
from quorum.tables.catalog import Catalog, Table
from quorum.zones import Zone

_NEUTRAL = frozenset({"pseudonym", "fact", "statistic"})
_NAMING = frozenset({"identifier", "restricted"})
_COMPARING = frozenset({"P-06"})
"""Purposes whose output says how a comparison came out, and holds none of what was compared."""
_BY_NAME = frozenset({"MEMBER"})
"""What decides whom a disclosure is about: the persons who are in its scope."""
_RECEIVED = "RAW"
"""Text as it was received: its fields have categories of their own once they are read."""


def check_purposes(catalog: Catalog, policy: Policy, declared: Crossings | Path | None = None) -> Flows:
    """Judge every table of a catalogue; return what was found, for pages and metadata.

    Args:
        catalog: the contracts, each conforming by itself (`quorum.conformity`).
        policy: categories and purposes.
        declared: what ``declassifiers.yaml`` declares, or the folder it lies in; the policy's own if None.

    Guarantee: if it returns, then for every table with a statement, every category that reaches a column's value is the
    column's own, or went through a declared and proven declassifier; a table of a purpose holds only what the purpose
    uses, and its rows are decided, there and in all tables before it, only by what the purpose uses or touches or by
    a declared use; it reads no table of another purpose but what is declared; a cube counts by what it shows; and
    nothing made of a cookie, an address or a member's number reaches another company but as a count.

    Not guaranteed: what Python does with rows that it reads, and what is in a column that landed under a wrong name.

    Source: the lineage of the statements over their contracts (`quorum.lineage.derive`).

    Raises:
        PolicyError: a table does what is not allowed; the message names table, column, category and purpose.
    """
    if not isinstance(declared, Crossings):
        declared = declared_crossings(declared or policy.folder)
    with open_statements(catalog, policy) as statements:
        flows = Flows(catalog, policy, declared, lineages_of(statements))
        check_changes(flows, statements)
        for _, table in sorted(catalog.tables.items()):
            _check_made_in_python(flows, table)
            _check_held(flows, table)
            _check_decided(flows, table)
            _check_reads(flows, table)
        check_outside(flows)
        check_cubes(catalog, statements.declared.connection)
    return flows


def check_needed(flows: Flows) -> None:
    """Check that everything that is declared happens: what does not would allow it once somebody makes it happen.

    Raises:
        PolicyError: a declaration that nobody needs.
    """
    read = {
        Crossing(name, base)
        for name in flows.lineages
        for base in _columns_read(flows, flows.catalog[name])
        if flows.catalog[base.split(".")[0]].purpose not in (INFRASTRUCTURE, flows.catalog[name].purpose)
    }
    for crossing in sorted(unneeded_changes(flows) | (set(flows.declared.purposes) - read)):
        raise PolicyError(
            "policy.declassifiers",
            f"{crossing.to} from {crossing.base} is declared and does not happen",
            "crossings that happen",
            "take it out of declassifiers.yaml",
        )


def _check_held(flows: Flows, table: Table) -> None:
    """A table of a purpose holds what the purpose uses, and what is about no person."""
    if table.purpose == INFRASTRUCTURE:
        return
    uses = flows.policy.purposes[table.purpose].uses
    for column in table.columns:
        category = flows.policy.columns[column.category]
        compared = table.purpose in _COMPARING and category.klass in _NAMING
        if compared or (category.klass not in _NEUTRAL and category.code not in uses):
            raise PolicyError(
                "policy.holds",
                f"{table.name}.{column.name} ({category.code}) for {table.purpose}",
                "the outcome of a comparison" if compared else f"{', '.join(uses)} and what is about no person",
                "leave the column out",
            )


def _check_decided(flows: Flows, table: Table) -> None:
    """The rows of a table of a purpose, and of all before it, are decided by what the purpose uses or touches."""
    if table.purpose != INFRASTRUCTURE:
        purpose = flows.policy.purposes[table.purpose]
        allowed = {*purpose.uses, *purpose.touches}
    elif table.zone is Zone.EXTRACT:
        allowed = {code for code, category in flows.policy.columns.items() if category.klass not in _NAMING} | _BY_NAME
    else:
        return
    here = flows.used(table.name)
    for base in sorted(flows.uses_behind(table), key=lambda base: (base not in here, base)):
        category = flows.categories[base]
        if category.klass not in _NEUTRAL and category.code not in allowed:
            raise PolicyError(
                "policy.touches",
                f"rows of {table.name} are decided by {base} ({category.code}) for {table.purpose}",
                ", ".join(sorted(allowed)),
                "leave it out of joins, filters, groups and orders, there or in the table between",
            )


def _check_reads(flows: Flows, table: Table) -> None:
    """A table reads the infrastructure and its own purpose; of another purpose's, the declared columns."""
    for parent in dict.fromkeys(read.table for read in table.reads):
        purpose = flows.catalog[parent].purpose
        if purpose in (INFRASTRUCTURE, table.purpose):
            continue
        read = {column for column in _columns_read(flows, table) if column.startswith(f"{parent}.")}
        declared = {crossing.base for crossing in flows.declared.purposes if crossing.to == table.name}
        if not read or not read <= declared:
            what = sorted(read - declared)[0] if read else parent
            raise PolicyError(
                "policy.purpose_within",
                f"{table.name} ({table.purpose}) reads {what} ({purpose})",
                f"tables of {table.purpose} or of the infrastructure, or columns declared under purposes",
                "read another table, or let the privacy officer declare the crossing in declassifiers.yaml",
            )


def _columns_read(flows: Flows, table: Table) -> frozenset[str]:
    if table.name not in flows.lineages:
        return frozenset()
    lineage = flows.lineages[table.name]
    return of_contracts(lineage.use.union(*lineage.columns.values()))


def _check_made_in_python(flows: Flows, table: Table) -> None:
    """What Python makes of stored tables has the categories of those tables; counts come from counts."""
    if table.query is not None or not table.parents:
        return
    sources = {column.category for parent in table.parents for column in flows.catalog[parent].columns}
    classes = {flows.policy.columns[code].klass for code in sources}
    for column in table.columns:
        category = flows.policy.columns[column.category]
        is_made = category.klass == "fact" or (category.klass == "pseudonym" and "identifier" in classes)
        if not is_made and category.code not in sources and _RECEIVED not in sources:
            raise PolicyError(
                "policy.category_change",
                f"{table.name}.{column.name} is {category.code}, which no parent holds (for {table.purpose})",
                ", ".join(sorted(sources)),
                "declare the parent it comes from",
            )
