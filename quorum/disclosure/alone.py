"""One key of a report by itself: its part of a package's shape, and which rows of a table are its own.

What belongs here: picking a key out of public structure. What does not: counts, and what is concluded from them.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from quorum.disclosure.grid import Ints, coordinates_of, sizes
from quorum.tables.shape import Dimension, PackageShape, TableShape


def of_key(shape: PackageShape, key: str) -> PackageShape:
    """Return the package that a recipient would get who had this key alone.

    Args:
        shape: a package.
        key: one of its keys.

    Returns:
        The same tables, in order, without the rows of other keys; the plan of the key, if it has one.

    Guarantee:
        A row of the one is a row of the other, in the same order.

    Source: architecture.md, "A report package" (keys share no equation).
    """
    plan = {key: shape.plan[key]} if key in shape.plan else {}
    return replace(shape, tables=tuple(_table(table, key) for table in shape.tables), plan=plan)


def rows_by_key(table: TableShape) -> dict[str, Ints]:
    """Return the rows of a table by key of the report.

    Args:
        table: of a package.

    Returns:
        Key to the positions of its rows, rising: those of `of_key`, in order.

    Guarantee:
        Each row belongs to one key.

    Source: architecture.md, "A report package".
    """
    inner = prod(sizes(table)[1:])
    found: dict[str, list[int]] = {}
    for position, coordinate in enumerate(coordinates_of(table.dimensions[0])):
        found.setdefault(coordinate[0], []).append(position)
    return {
        key: (np.array(positions, dtype=np.int64)[:, None] * inner + np.arange(inner)).ravel()
        for key, positions in found.items()
    }


def inner_dimensions(table: TableShape) -> tuple[Dimension, ...]:
    """Return what a table of one key is divided by, without the key itself.

    Args:
        table: of one key, as of `of_key`.

    Returns:
        The dimensions in order; what is nested below the key comes first, as a dimension whose margin is the total of
        the key.

    Guarantee:
        The product of their coordinates is the table's rows, in order.

    Source: architecture.md, "A report package".
    """
    first, *others = table.dimensions
    if len(first.levels) == 1:
        return tuple(others)
    nested = Dimension(first.levels[1:], tuple(path[1:] for path in first.keys), True, first.partitions_people)
    return (nested, *others)


def _table(table: TableShape, key: str) -> TableShape:
    first, *others = table.dimensions
    own = replace(first, keys=tuple(path for path in first.keys if path[0] == key))
    return replace(table, dimensions=(own, *others))
