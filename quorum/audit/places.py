"""Coordinates of tables as cells: which rows of tables are one cell, and which rows make up a margin.

What belongs here: reading coordinates. What does not: variables, values, and the relations that follow from them
(`quorum.audit.equations`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from quorum.audit.package import ParsedTable
from quorum.tables.shape import ALL, Dimension

Key = tuple[str, str]
"""The report's key as (column, category)."""

Place = tuple[tuple[str, str], ...]
"""Coordinates as (column, category) pairs without the margins: equal places of a universe are one cell."""


def margins(table: ParsedTable, groups: Mapping[str, Mapping[str, str]]) -> Iterator[tuple[str, int, list[int]]]:
    """Yield every margin of a table, level by level.

    Args:
        table: the parsed table.
        groups: child category to parent, by column; a child listed beside its parent is not summed twice.

    Yields:
        The column that the margin sums over, the margin's row, the rows of its categories.

    Guarantee:
        A dimension without an ALL row has no margin over its first level; categories of a finer level are summed to
        their own coarser category only.

    Source: architecture.md, "A report package".
    """
    parents = tuple((column, child, parent) for column, own in groups.items() for child, parent in own.items())
    for column, whole, rows in _margins(table.coordinates, table.shape.dimensions, parents):
        yield column, whole, list(rows)


@lru_cache(maxsize=64)
def _margins(
    coordinates: tuple[tuple[str, ...], ...],
    dimensions: tuple[Dimension, ...],
    parents: tuple[tuple[str, str, str], ...],
) -> tuple[tuple[str, int, tuple[int, ...]], ...]:
    """Return the margins of rows; a recipient's packages have the same rows night after night."""
    row_of = {place: row for row, place in enumerate(coordinates)}
    parts: dict[tuple[str, int], list[int]] = {}
    columns = [level for dimension in dimensions for level in dimension.levels]
    position = {column: place for place, column in enumerate(columns)}
    listed = {column: {row[place] for row in coordinates} for column, place in position.items()}
    parent_of = {(column, child): parent for column, child, parent in parents}
    for row, place in enumerate(coordinates):
        for dimension in dimensions:
            depth = sum(place[position[level]] != ALL for level in dimension.levels)
            if depth == 0 or (depth == 1 and not dimension.has_margin):
                continue
            column = dimension.levels[depth - 1]
            at = position[column]
            if parent_of.get((column, place[at])) in listed[column]:
                continue
            whole = row_of[(*place[:at], ALL, *place[at + 1 :])]
            parts.setdefault((column, whole), []).append(row)
    return tuple((column, whole, tuple(rows)) for (column, whole), rows in parts.items())


@lru_cache(maxsize=1 << 17)
def place_of(columns: tuple[str, ...], coordinates: tuple[str, ...]) -> Place:
    """Return what a row's coordinates say wherever they stand: its categories by column, margins left out.

    Args:
        columns: of the dimensions.
        coordinates: of the row, in the same order.

    Guarantee:
        Two rows of a universe and period are one cell exactly if this is equal.

    Source: architecture.md, "A report package" (coordinates equal, ALL elsewhere).
    """
    return tuple(sorted(pair for pair in zip(columns, coordinates, strict=True) if pair[1] != ALL))
