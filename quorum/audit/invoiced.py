"""Which cells of a package are totals that the invoice tells anyway (rule 9): exempt alike in all attacks.

What belongs here: reading the declaration. What does not: what is exempt from what.
"""

from __future__ import annotations

import numpy as np

from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.places import margins
from quorum.audit.system import Bools
from quorum.tables.periods import MONTH, kind_of
from quorum.tables.shape import ALL

INVOICED = frozenset({"impression_n", "click_n", "cost_micros"})
"""What an invoice tells."""


def invoiced_rows(package: ParsedPackage, table: ParsedTable, family: str) -> Bools:
    """Return the rows that rule 9 exempts: totals of a month that it declares, each measure of the family by name.

    Args:
        package: its descriptor declares totals.
        table: one of its tables.
        family: of the table.

    Returns:
        One truth value a row.

    Guarantee:
        Another package, another measure or a cell below the total is declared in vain; a category without a sibling is
        its margin under another name.

    Source: disclosure.md, rule 9.
    """
    shape, own = package.shape, table.shape.columns[0]
    measures = {m.name for m in table.shape.measures if m.family == family}
    exempt = np.zeros(len(table.coordinates), dtype=np.bool_)
    if kind_of(shape.period) != MONTH:
        return exempt
    is_said = any(
        (said["period"], tuple(_texts(said["dimensions"]))) == (shape.period, (own,))
        and measures <= INVOICED & set(_texts(said["measures"]))
        for said in shape.invariants
    )
    if not is_said:
        return exempt
    exempt[:] = [all(level == ALL for level in place[1:]) for place in table.coordinates]
    lone = [(whole, parts[0]) for _, whole, parts in margins(table, shape.groups) if len(parts) == 1]
    while new := [part for whole, part in lone if exempt[whole] and not exempt[part]]:
        exempt[new] = True
    return exempt


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(each) for each in value) if isinstance(value, list | tuple) else ()
