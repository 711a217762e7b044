"""People reached in a week or month, each counted once: where their number may be told.

What belongs here: the decision, taken after everything else of the package was decided, and keeping the table out of
that. What does not: counting (`quorum.disclosure.month`), and which campaigns are listed (`quorum.release.reach`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from quorum.disclosure.grid import Bools
from quorum.disclosure.invoice import TOTALS
from quorum.disclosure.primary import has_enough_heads
from quorum.disclosure.types import PackageCube
from quorum.policy import FamilySpec, RuleSet
from quorum.tables.periods import DAY, kind_of
from quorum.tables.shape import ALL, PackageShape

REACH = "reach"
"""The table of a week or month that tells the people of whole campaigns."""

_APART = (REACH, TOTALS)
"""Tables whose totals say nothing of what control decided."""


def shape_without_reach(shape: PackageShape) -> PackageShape:
    """Return a shape without the table of reach: what is counted from days and decided together.

    Args:
        shape: of any package.

    Guarantee:
        Every other table is there, unchanged.

    Source: docs/decisions/0003-complementary-suppression.md, "Reach of weeks and months".
    """
    return replace(shape, tables=tuple(table for table in shape.tables if table.name != REACH))


def without_reach(cube: PackageCube) -> PackageCube:
    """Return a cube without the table of reach.

    Args:
        cube: of any package.

    Guarantee:
        Every other number is there, unchanged.

    Source: docs/decisions/0003-complementary-suppression.md, "Reach of weeks and months".
    """
    if REACH not in cube.tables:
        return cube
    tables = {name: rows for name, rows in cube.tables.items() if name != REACH}
    return replace(cube, shape=shape_without_reach(cube.shape), tables=tables)


def tell_reach(
    cube: PackageCube, decided: Mapping[str, Mapping[str, Bools]], rule_set: RuleSet, family: FamilySpec
) -> Bools:
    """Say of which campaigns the people reached are told.

    Args:
        cube: of the package, with the table of reach.
        decided: table to family to the status of each row, for all other tables.
        rule_set: the threshold.
        family: the one that makes the cells: its heads are the reach.

    Returns:
        One truth value a row of the table of reach.

    Guarantee:
        True only where the plan tells the family in packages of this kind of period and in no shorter one, so that
        people are told for the period or for parts of it, never for both; where the total of the family's events is
        published beside it; and where enough people who count (rule 5) were reached. Nothing else is decided by it.

    Source: disclosure.md, rules 1, 5, 6 (reach over days: the margin or the parts, never both), 7 and 8.
    """
    kind = kind_of(cube.shape.period)
    enough = has_enough_heads(cube.values(REACH, family.judged), rule_set.heads[family.name])
    totals = _published_totals(cube.shape, decided, family.name)
    plans = cube.shape.plan
    keys = [place[0] for place in cube.shape.table(REACH).coordinates()]
    told = [
        kind != DAY and key in totals and key in plans and plans[key].permits(kind, REACH, family.name, 0)
        for key in keys
    ]
    return np.asarray(enough & np.array(told, dtype=np.bool_), dtype=np.bool_)


def _published_totals(shape: PackageShape, decided: Mapping[str, Mapping[str, Bools]], family: str) -> set[str]:
    """Return the campaigns of which a table of the report publishes the total of a family."""
    found = set()
    for table in shape.tables:
        if table.name not in _APART and family in table.families:
            shown = decided[table.name][family]
            found |= {
                place[0]
                for row, place in enumerate(table.coordinates())
                if shown[row] and all(level == ALL for level in place[1:])
            }
    return found
