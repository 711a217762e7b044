"""Positions in a table's product of categories: where a row stands, what its margin is, which rows are one cell.

What belongs here: the trees of a dimension's coordinates as index arrays. What does not: counts, equations, rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import prod

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from quorum.tables.shape import ALL, Dimension, TableShape
from quorum.tables.targeting import UNKNOWN

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Coordinate = tuple[str, ...]


@lru_cache(maxsize=4096)
def coordinates_of(dimension: Dimension) -> tuple[Coordinate, ...]:
    """Return a dimension's coordinates.

    Args:
        dimension: any.

    Returns:
        Every coordinate, level by level, in the order of the published file.

    Guarantee:
        A coordinate comes after the one a level up.

    Source: architecture.md, "A report package" (the whole product of categories, level by level).
    """
    return tuple(dimension.coordinates())


@lru_cache(maxsize=16)
def rows_of(table: TableShape) -> tuple[Coordinate, ...]:
    """Return a table's rows: one coordinate a column, in the order of the published file.

    Args:
        table: any.

    Guarantee:
        As of `coordinates_of`.

    Source: architecture.md, "A report package".
    """
    return tuple(table.coordinates())


def parent_of(coordinate: Coordinate) -> Coordinate | None:
    """Return the coordinate one level up, or None for a margin over everything.

    Example:
        >>> parent_of(("kanto", "tokyo")), parent_of(("kanto", "ALL")), parent_of(("ALL", "ALL"))
        (('kanto', 'ALL'), ('ALL', 'ALL'), None)

    Guarantee:
        A category has one parent.

    Source: architecture.md, "A report package" (quorum:hierarchy).
    """
    depth = sum(level != ALL for level in coordinate)
    if depth == 0:
        return None
    return coordinate[: depth - 1] + (ALL,) * (len(coordinate) - depth + 1)


def parents(coordinates: Sequence[Coordinate]) -> Ints:
    """Return each coordinate's parent.

    Args:
        coordinates: of one dimension.

    Returns:
        One entry a coordinate, int64: the parent's position in the same sequence, or -1 where it is not listed.

    Guarantee:
        As of `parent_of`.

    Source: architecture.md, "A report package".
    """
    position = {coordinate: index for index, coordinate in enumerate(coordinates)}
    above = (parent_of(coordinate) for coordinate in coordinates)
    return np.array([-1 if one is None else position.get(one, -1) for one in above], dtype=np.int64)


def sizes(table: TableShape) -> tuple[int, ...]:
    """Return the number of coordinates of each dimension of a table.

    Args:
        table: its shape.

    Guarantee:
        Their product is the number of rows; a row's position is that of its coordinates, the first dimension slowest.

    Source: architecture.md, "A report package".
    """
    return tuple(len(coordinates_of(dimension)) for dimension in table.dimensions)


def coordinate_columns(table: TableShape) -> dict[str, pa.Array]:
    """Return the dimension columns of a table.

    Args:
        table: its shape.

    Returns:
        Column to its texts (string), one a row.

    Guarantee:
        Read row by row they are `TableShape.coordinates`.

    Source: architecture.md, "A report package".
    """
    columns: dict[str, pa.Array] = {}
    counts = sizes(table)
    for place, dimension in enumerate(table.dimensions):
        before, after = prod(counts[:place]), prod(counts[place + 1 :])
        rows = np.tile(np.repeat(np.arange(counts[place]), after), before)
        for level, name in enumerate(dimension.levels):
            names = pa.array([coordinate[level] for coordinate in coordinates_of(dimension)], pa.string())
            columns[name] = names.take(pa.array(rows))
    return columns


@dataclass(frozen=True, eq=False)
class Axis:
    """The distinct categories of a dimension, within one key of the report, as a tree.

    Args:
        columns: the columns of its levels.
        coordinates: as listed, parents before children.
        node: coordinate to node. A margin with exactly one listed category is that category: one node.
        parent: node to parent node, or -1; parents come first.
        partitions: whether a person is in exactly one category.
        fixed: node to whether targeting makes it the only category of its parent beside ``unknown``.

    Guarantee:
        Made by `build_axis`: nodes are different people or no people, never two names of the same.

    Source: disclosure.md, rule 6 (hierarchies).
    """

    columns: tuple[str, ...]
    coordinates: tuple[Coordinate, ...]
    node: Ints
    parent: Ints
    partitions: bool
    fixed: Bools


def build_axis(
    columns: tuple[str, ...], coordinates: tuple[Coordinate, ...], partitions: bool, *, is_aimed: bool = False
) -> Axis:
    """Return the tree of coordinates, with aliases merged.

    Args:
        columns: the columns of the levels.
        coordinates: parents before children.
        partitions: whether a person is in exactly one category.
        is_aimed: whether the coordinates are those that a targeting left.

    Guarantee:
        Two coordinates share a node exactly if public structure alone makes them the same people: a chain of margins
        with one listed category each.

    Source: disclosure.md, rule 2 (within its parent margin), rule 10 (public facts only).
    """
    above = parents(coordinates)
    children = np.bincount(above[above >= 0], minlength=len(coordinates))
    node = np.zeros(len(coordinates), dtype=np.int64)
    parent: list[int] = []
    for index, up in enumerate(above.tolist()):
        if up >= 0 and children[up] == 1:
            node[index] = node[up]
        else:
            node[index] = len(parent)
            parent.append(-1 if up < 0 else int(node[up]))
    is_known = np.ones(len(parent), dtype=np.bool_)
    for coordinate, own in zip(coordinates, node.tolist(), strict=True):
        is_known[own] &= UNKNOWN not in coordinate
    of_node = np.array(parent, dtype=np.int64)
    known = np.bincount(of_node[is_known & (of_node >= 0)], minlength=len(parent))
    fixed = is_known & (of_node >= 0) & (known[of_node] == 1) & is_aimed
    return Axis(columns, coordinates, node, of_node, partitions, fixed)
