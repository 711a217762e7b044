"""Cells of a package that somebody holds: finding the one that is asked for, and those that contain it.

What belongs here: coordinates and what is published at them, read from the package's own files. What does not: rules,
and what to say about a cell (`quorum.report.why`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product

from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.errors import UsageError
from quorum.tables import Dimension
from quorum.tables.shape import ALL

_LISTED = 60

Cell = Mapping[str, str]
"""Column to category; a column that is not named is at its margin."""


class Grid:
    """A table of a package, looked up by cell.

    Args:
        table: the parsed table.
        outside: coordinates of rows outside the targeting of their campaign.
    """

    def __init__(self, table: ParsedTable, outside: Collection[tuple[str, ...]] = ()) -> None:
        self.name = table.shape.name
        self.universe = table.shape.universe
        self.columns = table.shape.columns
        self.families = table.shape.families
        self.dimensions = table.shape.dimensions
        self._measures = table.shape.measures
        self._table = table
        self._outside = outside
        self._rows = {coordinate: row for row, coordinate in enumerate(table.coordinates)}

    def lists(self, cell: Cell) -> bool:
        """Say whether the table has a row for a cell."""
        return set(cell) <= set(self.columns) and self._coordinate(cell) in self._rows

    def is_published(self, cell: Cell, family: str) -> bool:
        """Say whether the table lists a cell and publishes a family in it."""
        return family in self.families and self.lists(cell) and bool(self._table.published[family][self._row(cell)])

    def is_outside_targeting(self, cell: Cell) -> bool:
        """Say whether a cell lies outside the targeting of its campaign, so that it is 0 beforehand."""
        return self._coordinate(cell) in self._outside

    def measures(self, cell: Cell, family: str) -> dict[str, int]:
        """Return the published measures of a family in a cell that the table lists; none where it is withheld."""
        if not self.is_published(cell, family):
            return {}
        row = self._row(cell)
        return {m.name: int(self._table.values[m.name][row]) for m in self._measures if m.family == family}

    def cells(self) -> Iterator[dict[str, str]]:
        """Yield every cell in the order of the file."""
        for coordinate in self._table.coordinates:
            yield {
                column: category for column, category in zip(self.columns, coordinate, strict=True) if category != ALL
            }

    def above(self, cell: Cell, family: str) -> list[dict[str, str]]:
        """Return the nearest published cells that contain a cell, in order of the dimensions that they widen.

        A cell is nearest if it contains no other published one that contains the cell.
        """
        found: list[dict[str, str]] = []
        for wider in sorted(self._wider(cell), key=len, reverse=True):
            contains_another = any(set(wider.items()) <= set(nearer.items()) for nearer in found)
            if not contains_another and self.is_published(wider, family):
                found.append(wider)
        return found

    def splits(self, key: Cell, family: str) -> set[str]:
        """Return the finest columns by which published cells of a key are split up, one dimension at a time."""
        found = set()
        for cell in self.cells():
            if key.items() <= cell.items() and self.is_published(cell, family) and not self.is_outside_targeting(cell):
                split = [[level for level in d.levels if level in cell and level not in key] for d in self.dimensions]
                named = [levels for levels in split if levels]
                found |= {named[0][-1]} if len(named) == 1 else set()
        return found

    def _wider(self, cell: Cell) -> Iterator[dict[str, str]]:
        """Yield the cells that contain a cell, itself left out."""
        choices = []
        for dimension in self.dimensions:
            named = [level for level in dimension.levels if level in cell]
            choices.append([named[:depth] for depth in range(len(named), -1, -1)])
        for kept in product(*choices):
            wider = {level: cell[level] for levels in kept for level in levels}
            if len(wider) < len(cell):
                yield wider

    def _coordinate(self, cell: Cell) -> tuple[str, ...]:
        return tuple(cell.get(column, ALL) for column in self.columns)

    def _row(self, cell: Cell) -> int:
        return self._rows[self._coordinate(cell)]


def key_columns(package: ParsedPackage) -> list[str]:
    """Return the columns that every cell names: those of which no table has a margin."""
    dimensions = _dimensions(package)
    return list(dict.fromkeys(d.levels[0] for d in dimensions if not d.has_margin))


def find_cell(package: ParsedPackage, asked: Mapping[str, str]) -> dict[str, str]:
    """Return the cell that is asked for, with the coarser levels that follow from finer ones.

    Args:
        package: the package.
        asked: column to category; ``ALL`` is the same as not naming the column. A key (a campaign, a section) may be
            left out where the package has one. A category that was grouped beforehand stands for its group.

    Raises:
        UsageError: a column or a category that the package does not have, or a category that could be in several
            coarser ones; the message says what exists and does not repeat what was asked.
    """
    dimensions = _dimensions(package)
    asked = {column: _grouped(package, dimensions, column, category) for column, category in asked.items()}
    for column, category in asked.items():
        _refuse_unknown(dimensions, column, category)
    cell = {column: category for column, category in asked.items() if category != ALL}
    for column in key_columns(package):
        if column not in cell and not any(column in d.levels and set(d.levels) & set(cell) for d in dimensions):
            cell[column] = _only(column, _categories(dimensions, column))
    for dimension in dimensions:
        cell |= _coarser(dimension, cell)
    return cell


def _dimensions(package: ParsedPackage) -> list[Dimension]:
    return [dimension for table in package.tables.values() for dimension in table.shape.dimensions]


def _categories(dimensions: Sequence[Dimension], column: str) -> list[str]:
    """Return the categories of a column in all tables, in order."""
    having = [d for d in dimensions if column in d.levels]
    return list(dict.fromkeys(path[d.levels.index(column)] for d in having for path in d.keys))


def _grouped(package: ParsedPackage, dimensions: Sequence[Dimension], column: str, category: str) -> str:
    """Return the group of a category that no table lists by itself, else the category."""
    if category in _categories(dimensions, column):
        return category
    return package.shape.groups.get(column, {}).get(category, category)


def _refuse_unknown(dimensions: Sequence[Dimension], column: str, category: str) -> None:
    columns = list(dict.fromkeys(level for dimension in dimensions for level in dimension.levels))
    if column not in columns:
        raise UsageError("why.dimension", "a dimension that the package does not have", ", ".join(columns))
    categories = _categories(dimensions, column)
    if category not in (ALL, *categories):
        raise UsageError(
            "why.category", f"a category that {column} does not have in this package", _enumerate(categories)
        )


def _coarser(dimension: Dimension, cell: Cell) -> dict[str, str]:
    """Return the levels of a dimension above the finest one that a cell names."""
    named = [level for level in dimension.levels if level in cell]
    if not named:
        return {}
    depth = dimension.levels.index(named[-1]) + 1
    at = {level: dimension.levels.index(level) for level in named}
    paths = {path[:depth] for path in dimension.keys if all(path[n] == cell[level] for level, n in at.items())}
    if not paths and len(named) == 1:
        return {}  # a category of another table, grouped otherwise
    if not paths:
        coarse, fine = named[-2:]
        raise UsageError("why.category", f"a {fine} that is in another {coarse}", f"leave {coarse} out")
    levels = dimension.levels[:depth]
    return {
        level: _only(level, list(dict.fromkeys(path[n] for path in sorted(paths)))) for n, level in enumerate(levels)
    }


def _only(column: str, categories: Sequence[str]) -> str:
    if len(categories) > 1:
        raise UsageError(
            "why.cell", f"a cell of any {column}", _enumerate(categories), f"name one: --cell {column}=..."
        )
    return categories[0]


def _enumerate(categories: Sequence[str]) -> str:
    more = len(categories) - _LISTED
    return ", ".join(categories[:_LISTED]) + (f" and {more} more" if more > 0 else "")
