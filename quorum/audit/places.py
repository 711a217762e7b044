"""Coordinates of tables as cells: which rows of tables are one cell, and which rows make up a margin.

What belongs here: reading coordinates. What does not: variables, values, and the relations that follow from them
(`quorum.audit.equations`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from quorum.audit.package import ParsedTable
from quorum.tables.shape import ALL

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
    row_of = {place: row for row, place in enumerate(table.coordinates)}
    parts: dict[tuple[str, int], list[int]] = {}
    position = {column: place for place, column in enumerate(table.shape.columns)}
    listed = {column: {row[place] for row in table.coordinates} for column, place in position.items()}
    for row, place in enumerate(table.coordinates):
        for dimension in table.shape.dimensions:
            depth = sum(place[position[level]] != ALL for level in dimension.levels)
            if depth == 0 or (depth == 1 and not dimension.has_margin):
                continue
            column = dimension.levels[depth - 1]
            at = position[column]
            if groups.get(column, {}).get(place[at]) in listed[column]:
                continue
            whole = row_of[(*place[:at], ALL, *place[at + 1 :])]
            parts.setdefault((column, whole), []).append(row)
    for (column, whole), rows in parts.items():
        yield column, whole, rows


def place_of(columns: Sequence[str], coordinates: Sequence[str]) -> Place:
    """Return what a row's coordinates say wherever they stand: its categories by column, margins left out.

    Args:
        columns: of the dimensions.
        coordinates: of the row, in the same order.

    Guarantee:
        Two rows of a universe and period are one cell exactly if this is equal.

    Source: architecture.md, "A report package" (coordinates equal, ALL elsewhere).
    """
    return tuple(sorted(pair for pair in zip(columns, coordinates, strict=True) if pair[1] != ALL))
