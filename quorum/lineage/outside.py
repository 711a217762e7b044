"""What reaches another company: no cookie, no address, no number of a member, and no function of any of them (K-03).

What belongs here: the way back from cubes, safe tables and what disclosures take from, through every statement. What
does not: what a declassifier makes of a value inside the house: a hash or a prefix of a cookie is a cookie outside.
"""

from __future__ import annotations

from quorum.errors import PolicyError
from quorum.lineage.crossings import Crossing
from quorum.lineage.flows import INFRASTRUCTURE, STATISTIC, Flows
from quorum.tables.catalog import Table
from quorum.zones import Zone

_OUTSIDE = frozenset({Zone.CUBE, Zone.SAFE, Zone.OUT})
_CODES = frozenset({"COOKIE", "IP", "MEMBER", "RAW"})
_TELLS_NOTHING = "presence"


def check_outside(flows: Flows) -> None:
    """Check every column that can reach another company, back to what landed.

    Guarantee: no value of a cube, of a safe table or of a table that a disclosure takes from is made of a cookie id, an
    address, a member's number, a line as it was received, or a pseudonym, through any number of statements and through
    any declassifier, but as a count or as whether there is one.

    Source: clause K-03: nobody else can read the portal's cookies.

    Raises:
        PolicyError: a column is made of one.
    """
    for _, table in sorted(flows.catalog.tables.items()):
        if is_outside(table):
            for column in table.columns:
                _check_column(flows, table, column.name)


def is_outside(table: Table) -> bool:
    """Say whether a table is one that another company's copy can be made from."""
    return table.zone in _OUTSIDE or (table.zone is Zone.EXTRACT and table.purpose == INFRASTRUCTURE)


def _check_column(flows: Flows, table: Table, name: str) -> None:
    seen: set[str] = set()
    waiting = [f"{table.name}.{name}"]
    while waiting:
        column = waiting.pop()
        if column in seen:
            continue
        seen.add(column)
        category = flows.categories[column]
        if category.code in _CODES or category.klass == "pseudonym":
            raise PolicyError(
                "policy.outside",
                f"{table.name}.{name} is made of {column} ({category.code}) for {table.purpose}",
                "no cookie, address or member's number, and no function of one, outside the house (K-03)",
                "count it, or leave the column out",
            )
        waiting += _behind(flows, column)


def _behind(flows: Flows, column: str) -> list[str]:
    """Return what a column is made of; a count tells nothing of what was counted, and was proven to be one."""
    if flows.categories[column].code == STATISTIC:
        return []
    owner, name = column.split(".")
    declared = flows.declared.values
    return [base for base in flows.bases(owner, name) if declared.get(Crossing(column, base)) != _TELLS_NOTHING]
