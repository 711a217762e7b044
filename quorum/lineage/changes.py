"""A category changes only through a named, declared, proven declassifier: each column of each statement is judged.

What belongs here: contracts against lineage, statement by statement. What does not: what a purpose may hold
(`quorum.lineage.purposes`), and what the declassifiers do (`quorum.lineage.declassifiers`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from quorum.errors import PolicyError
from quorum.lineage.crossings import Crossing
from quorum.lineage.declassifiers import COUNT, USES, VALUES, Declassifier
from quorum.lineage.derive import Lineage
from quorum.lineage.flows import STATISTIC, Flows, of_contracts
from quorum.lineage.product import Statements
from quorum.policy import DataCategory
from quorum.tables.catalog import Table
from quorum.zones import Zone

_GUARDED = frozenset({"identifier", "restricted"})
_PERSONAL = frozenset({"identifier", "pseudonym"})


def check_changes(flows: Flows, statements: Statements) -> None:
    """Check every value and every use of every statement against what is declared.

    Guarantee: a value of a column has that column's category at its source, is about no person, is counted, or comes
    through a declared crossing; with the declassifier of a crossing taken out of the statement, the crossing is gone:
    nothing goes past it. What decides about the rows of a table behind the vault is no identifier and no restricted
    column, or is declared in the same way.

    Source: the lineage of the statements, as derived, and derived again without the declassifier.

    Raises:
        PolicyError: a change that is not declared, or a declared one that is not what it says.
    """
    proofs = _Proofs(flows, statements)
    for name, lineage in flows.lineages.items():
        table = flows.catalog[name]
        for column, base in value_changes(flows, table, lineage):
            _check_value(flows, proofs, table, column, base)
        for base in sorted(guarded_uses(flows, table)):
            _check_use(flows, table, base)
        _check_statistics(flows, table)
    for crossing, way in flows.declared.uses.items():
        _prove_use(flows, proofs, crossing, USES[way])


def value_changes(flows: Flows, table: Table, lineage: Lineage) -> Iterator[tuple[str, str]]:
    """Yield (column, base column) wherever a value comes from another category and that must be accounted for.

    What is about no person may become anything that goes no further than itself.
    """
    for column, value in lineage.columns.items():
        own = flows.categories[f"{table.name}.{column}"]
        for base in sorted(of_contracts(value)):
            if flows.categories[base].code != own.code and not _is_about_nobody(flows.categories[base], own):
                yield column, base


def guarded_uses(flows: Flows, table: Table) -> frozenset[str]:
    """Return the guarded columns that decide about a table's rows and that nobody has allowed yet.

    In the extract of a purpose, the policy's list for that purpose is the permission (`quorum.lineage.purposes`), and
    what a disclosure takes from is about persons who are named; everywhere else a use is declared.
    """
    if table.zone is Zone.EXTRACT:
        return frozenset()
    return frozenset(base for base in flows.used(table.name) if flows.categories[base].klass in _GUARDED)


@dataclass
class _Proofs:
    """Lineages of statements with a declassifier taken out, each derived once."""

    flows: Flows
    statements: Statements
    _known: dict[tuple[str, str], Lineage] = field(default_factory=dict)

    def without(self, table: str, way: str) -> Lineage:
        if (table, way) not in self._known:
            self._known[table, way] = self.statements.lineage(table, way)
        return self._known[table, way]


def _is_about_nobody(base: DataCategory, own: DataCategory) -> bool:
    return base.klass == "fact" and own.klass != "statistic" and (own.klass != "fact" or {*own.zones} <= {*base.zones})


def _check_value(flows: Flows, proofs: _Proofs, table: Table, column: str, base: str) -> None:
    own, source = flows.categories[f"{table.name}.{column}"], flows.categories[base]
    way = flows.declared.values.get(Crossing(f"{table.name}.{column}", base))
    if way is None:
        if own.code == STATISTIC and base not in proofs.without(table.name, COUNT).columns[column]:
            return
        if own.code == STATISTIC and source.klass == "fact":
            return
        raise _refused(
            table,
            f"{table.name}.{column} is {own.code}, and its value comes from {base}, which is {source.code}",
            f"count it; if it is {source.code}, say so in table.yaml"
            if own.code == STATISTIC
            else f"if it is {source.code}, say so in table.yaml; else take it through a declassifier and declare that",
        )
    declassifier = VALUES[way]
    asked = f"{table.name}.{column} ({own.code}) from {base} ({source.code}) by {way}"
    if not declassifier.from_(source) or not declassifier.to(table.column(column), own, table):
        raise _refused(table, asked, f"{way} is {declassifier.does}: declare what it is fit for")
    if declassifier.severs is not None and base in proofs.without(table.name, way).columns[column]:
        raise _refused(table, f"{asked}, and the value goes past {way}", f"take it through {way} only")


def _check_use(flows: Flows, table: Table, base: str) -> None:
    if Crossing(table.name, base) not in flows.declared.uses:
        raise _refused(
            table,
            f"rows of {table.name} are decided by {base} ({flows.categories[base].code})",
            "leave it out of joins, filters, groups and orders, or declare the use",
        )


def _prove_use(flows: Flows, proofs: _Proofs, crossing: Crossing, way: Declassifier) -> None:
    """Check that a declared use is what it says: gone with the declassifier, or in a table that tells nothing else."""
    if crossing.to not in flows.lineages or crossing.base not in flows.used(crossing.to):
        return  # `unneeded_changes` says so
    table = flows.catalog[crossing.to]
    asked = f"{crossing.to} uses {crossing.base} by {way.name}"
    unfit = [column for column in table.columns if not way.to(column, flows.policy.columns[column.category], table)]
    if unfit or not way.from_(flows.categories[crossing.base]):
        raise _refused(table, asked, f"{way.name} is {way.does}: declare what it is fit for")
    if way.severs is not None and crossing.base in proofs.without(table.name, way.name).use:
        raise _refused(table, f"{asked}, and it is used beside {way.name}", f"use it for {way.name} only")


def _check_statistics(flows: Flows, table: Table) -> None:
    """A number in a row about one person is that person's, whatever was counted."""
    classes = {column.name: flows.policy.columns[column.category].klass for column in table.columns}
    counts = [name for name, klass in classes.items() if klass == "statistic"]
    if counts and _PERSONAL & set(classes.values()):
        raise _refused(
            table,
            f"{table.name}.{counts[0]} is {STATISTIC} in a row about one person",
            "give it the category of what was counted",
        )


def unneeded_changes(flows: Flows) -> frozenset[Crossing]:
    """Return the declared values and uses that do not happen."""
    happening = {
        Crossing(f"{name}.{column}", base)
        for name, lineage in flows.lineages.items()
        for column, base in value_changes(flows, flows.catalog[name], lineage)
    }
    used = {Crossing(name, base) for name in flows.lineages for base in flows.used(name)}
    return frozenset({*(set(flows.declared.values) - happening), *(set(flows.declared.uses) - used)})


def _refused(table: Table, asked: str, remedy: str) -> PolicyError:
    return PolicyError(
        "policy.category_change",
        f"{asked} (for {table.purpose})",
        "the category of the source, or a declassifier declared in declassifiers.yaml",
        remedy,
    )
