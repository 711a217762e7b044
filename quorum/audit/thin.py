"""What a package of a month can learn from one of its days or weeks: totals, and nothing below them.

What belongs here: leaving the rest out, so that a month is judged beside thirty days in seconds. What does not:
equations (`quorum.audit.equations`), and attacks.
"""

from __future__ import annotations

import numpy as np

from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.system import Bools
from quorum.audit.targeting import Targeted
from quorum.tables.shape import ALL, Dimension, PackageShape, TableShape


def only_totals(part: ParsedPackage, whole: ParsedPackage) -> ParsedPackage:
    """Return a package with the totals of its keys alone, if nothing below them can be linked with a longer period.

    Args:
        part: a day or a week.
        whole: the month that it is judged beside.

    Returns:
        The package with tables of totals of events, without files; unchanged if it publishes a family of a key of which
        the month lists cells below the total, but for zeros of a targeting that both state.

    Guarantee:
        What follows from the month about the part follows from the totals: a cell below one is linked with the month
        through it alone, or belongs to a family of a key of which the part publishes nothing, so that all of it may
        have happened in another part.

    Source: disclosure.md, attack 6; docs/decisions/0007-periods-and-plans.md.
    """
    below = {
        (place[0], family)
        for table in whole.tables.values()
        for place in table.coordinates
        if any(level != ALL for level in place[1:])
        for family in table.shape.families
    }
    told = {
        (table.coordinates[row][0], family)
        for table in part.tables.values()
        for zero in [_zeros_of_both(part, whole, table)]
        for family, shown in table.published.items()
        for row in np.flatnonzero(shown & ~zero).tolist()
    }
    if below & told:
        return part
    tables: dict[str, ParsedTable] = {}
    seen: set[tuple[str, str, str]] = set()
    for name, table in part.tables.items():
        thin = _totals(table)
        cells = {(table.shape.universe, key, m.name) for (key,) in thin.coordinates for m in thin.shape.measures}
        if not cells <= seen:
            tables[name] = thin
            seen |= cells
    shape = part.shape
    listed = tuple(table.shape for table in tables.values())
    return ParsedPackage(PackageShape(shape.recipient_id, shape.report, shape.period, listed), tables, {})


def _zeros_of_both(part: ParsedPackage, whole: ParsedPackage, table: ParsedTable) -> Bools:
    """Return which rows the targeting makes 0 in the part and in the whole."""
    theirs, own = whole.shape.targeting, part.shape.targeting
    is_same = np.array([own.get(place[0]) == theirs.get(place[0]) for place in table.coordinates], dtype=np.bool_)
    return Targeted(part, table).zero & is_same


def _totals(table: ParsedTable) -> ParsedTable:
    """Return the rows of a table that name the key alone, without heads: people do not add up over time."""
    rows = [row for row, place in enumerate(table.coordinates) if all(level == ALL for level in place[1:])]
    keys = tuple((table.coordinates[row][0],) for row in rows)
    column, measures = table.shape.columns[0], tuple(m for m in table.shape.measures if m.kind == "count")
    own = Dimension((column,), keys, has_margin=False, partitions_people=False)
    counted = tuple(type(m)(m.name, m.family, m.kind, ("period",)) for m in measures)
    return ParsedTable(
        TableShape(table.shape.name, table.shape.universe, (own,), counted),
        keys,
        {m.name: table.values[m.name][rows] for m in measures},
        {m.family: table.published[m.family][rows] for m in measures},
    )
