"""Which numbers of a campaign a package can tell at all, by the plan that was fixed beforehand.

What belongs here: reading the plan of a shape. What does not: which cells of those that can be told are published.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from quorum.disclosure.invoice import TOTALS
from quorum.report.released import Released
from quorum.tables import PackageShape, TableShape
from quorum.tables.periods import kind_of
from quorum.tables.targeting import named_n

Depths = Mapping[tuple[str, ...], int]


def depths(shape: PackageShape, table: TableShape, key: str) -> Depths:
    """Return, for each row of a key, how many categories it names beside the key, as plans count them.

    Args:
        shape: of the package.
        table: its table.
        key: the campaign or section.
    """
    own, *others = table.dimensions
    mine = replace(own, keys=tuple(path for path in own.keys if path[0] == key))
    part = replace(table, dimensions=(mine, *others))
    return dict(zip(part.coordinates(), named_n(part, shape.targeting), strict=True))


def is_planned(
    shape: PackageShape, table: TableShape, family: str, named: Depths, coordinates: Iterable[tuple[str, ...]]
) -> bool:
    """Say whether the plan lets any of these cells of one key be told in a package.

    Args:
        shape: of the package.
        table: its table.
        family: the family.
        named: from `depths`.
        coordinates: cells of the table, of one key.
    """
    kind = kind_of(shape.period)
    for coordinate in coordinates:
        plan = shape.plan.get(coordinate[0])
        if plan is None or table.name == TOTALS or plan.permits(kind, table.name, family, named[coordinate]):
            return True
    return False


def told_elsewhere(released: Released, key: str) -> dict[str, tuple[str, ...]]:
    """Return, for each other kind of period, the families that its packages tell of a key, and this one does not.

    Args:
        released: the released tables.
        key: the campaign or section.
    """
    plan = released.shape.plan.get(key)
    if plan is None:
        return {}
    here = kind_of(released.shape.period)
    found: dict[str, tuple[str, ...]] = {}
    for family in released.families:
        kind = plan.periods.get(family.name, here)
        if kind != here and released.total(key, family.count) is None:  # a month repeats what the invoice tells
            found[kind] = (*found.get(kind, ()), family.name)
    return found
