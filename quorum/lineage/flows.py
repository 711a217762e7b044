"""The catalogue as one graph of columns: what each takes its value from, and what decides about its rows.

What belongs here: categories, edges, and which edges a declassifier stands on. What does not: what is allowed
(`quorum.lineage.changes`, `quorum.lineage.purposes`, `quorum.lineage.outside`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from quorum.lineage.crossings import Crossing, Crossings
from quorum.lineage.derive import Lineage
from quorum.policy import DataCategory, Policy
from quorum.tables.catalog import Catalog, Table

INFRASTRUCTURE = "INFRA"
POLICY_RELATION = "policy__"
STATISTIC = "STAT"


@dataclass(frozen=True)
class Flows:
    """Tables, their lineage, and what is declared about it.

    Args:
        catalog: the contracts.
        policy: categories and purposes.
        declared: what ``declassifiers.yaml`` declares.
        lineages: of every table with a statement.
    """

    catalog: Catalog
    policy: Policy
    declared: Crossings
    lineages: Mapping[str, Lineage]

    @cached_property
    def categories(self) -> Mapping[str, DataCategory]:
        """The category of every column, ``table.column``."""
        return {
            f"{name}.{column.name}": self.policy.columns[column.category]
            for name, table in self.catalog.tables.items()
            for column in table.columns
        }

    def bases(self, table: str, column: str) -> frozenset[str]:
        """Return the columns of contracts that a column takes its value from.

        A column of a table that Python makes is assumed to take its value from every column of its declared parents
        that has its category; the policy's own key sets are about nobody and are left out.
        """
        if table in self.lineages:
            return of_contracts(self.lineages[table].columns[column])
        contract = self.catalog[table]
        category = contract.column(column).category
        return frozenset(
            f"{parent}.{other.name}"
            for parent in contract.parents
            for other in self.catalog[parent].columns
            if other.category == category
        )

    def used(self, table: str) -> frozenset[str]:
        """Return the columns of contracts that decide about a table's rows; none for one that Python makes."""
        return of_contracts(self.lineages[table].use) if table in self.lineages else frozenset()

    def uses_behind(self, table: Table) -> frozenset[str]:
        """Return the columns that decide about the rows of a table or of any table before it.

        The way ends at a use that is declared, at a landed table, and at a table of another purpose: what may be read
        of that one is judged by itself.
        """
        return frozenset(self._uses_behind(table, set()))

    def _uses_behind(self, table: Table, seen: set[str]) -> set[str]:
        seen.add(table.name)
        found = {base for base in self.used(table.name) if Crossing(table.name, base) not in self.declared.uses}
        for read in table.reads:
            parent = self.catalog[read.table]
            if parent.name not in seen and parent.purpose in (INFRASTRUCTURE, table.purpose):
                found |= self._uses_behind(parent, seen)
        return found


def of_contracts(columns: Iterable[str]) -> frozenset[str]:
    """Leave out the columns of the policy's own relations."""
    return frozenset(column for column in columns if not column.startswith(POLICY_RELATION))
