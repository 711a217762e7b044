"""Targeting as a public input: who is outside a campaign's targeting is counted as ``unknown``, before any rule.

What belongs here: moving events and people of categories that a campaign does not target, and the check that nothing is
left there. What does not: which categories those are (`quorum.tables.targeting`), and rules.

A category outside the targeting may be told as 0 only if it is 0 whatever the data say: otherwise ``withheld`` would
tell that it is not. So nothing is counted there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np
import pyarrow as pa

from quorum.disclosure.grid import Bools, Coordinate, Ints
from quorum.disclosure.types import PackageCube
from quorum.errors import ConfigurationError
from quorum.tables.shape import ALL, Dimension, TableShape
from quorum.tables.targeting import UNKNOWN, Targeting, Targets, aim, is_aimed


def fold_untargeted(table: TableShape, cube: pa.Table, targeting: Targeting) -> pa.Table:
    """Return the rows of a cube of a day with what lies outside the targeting counted as ``unknown``.

    Args:
        table: its shape; the report's key is its first column.
        cube: rows of the recipient's keys: dimension columns (string, ``ALL`` for a margin), measures (int64).
        targeting: of the package.

    Returns:
        The same columns, dimensions and whole numbers; coarser levels of a targeted hierarchy are added up anew.

    Raises:
        ConfigurationError: a targeted dimension is one in which a person may be in two categories.

    Guarantee:
        Margins over a whole dimension are untouched, and no event and no person is lost: a person is in one category of
        a targeted dimension, so that events and people alike add up in ``unknown``. Rows of categories outside the
        targeting do not occur.

    Source: disclosure.md, rules 2, 4 and 9 (targeting is a public input).
    """
    aimed = [key in targeting and _is_any_aimed(table, targeting[key]) for key in cube[table.columns[0]].to_pylist()]
    if not any(aimed):
        return cube
    measures = [name for name in cube.column_names if cube[name].type == pa.int64()]
    listed = cube.select([*table.columns, *measures])
    chosen = np.array(aimed)
    part = listed.filter(pa.array(chosen))
    places: dict[Coordinate, int] = {}
    pairs = [
        (row, places.setdefault(place, len(places)))
        for row, coordinate in enumerate(zip(*(part[column].to_pylist() for column in table.columns), strict=True))
        for place in _moved(table, coordinate, targeting[coordinate[0]])
    ]
    sources, targets = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    columns: dict[str, pa.Array] = {
        column: pa.array([place[at] for place in places], pa.string()) for at, column in enumerate(table.columns)
    }
    for name in measures:
        total = np.zeros(len(places), dtype=np.int64)
        np.add.at(total, targets, part[name].to_numpy()[sources])
        columns[name] = pa.array(total, pa.int64())
    return pa.concat_tables([listed.filter(pa.array(~chosen)), pa.table(columns)])


@dataclass(frozen=True, eq=False)
class Mixture:
    """A row of a table that is made up of other rows than its own once people are moved.

    Args:
        row: its position.
        parts: rows, as they were before anything was moved, of which it consists now.
        left_out: finest rows that were in it and are no longer, where it is a coarser level; else none.
    """

    row: int
    parts: Ints
    left_out: Ints


def find_mixtures(table: TableShape, targeting: Targeting) -> list[Mixture]:
    """Return the rows of a table whose people change when those outside the targeting are moved.

    Args:
        table: its shape; the report's key is its first column.
        targeting: of the package.

    Guarantee:
        Public structure alone.

    Source: disclosure.md, rule 9 (targeting is a public input).
    """
    places = list(table.coordinates())
    row_of = {place: row for row, place in enumerate(places)}
    found = []
    for row, place in enumerate(places):
        targets = targeting.get(place[0], {})
        if not targets or not _is_any_aimed(table, targets):
            continue
        parts = _parts(table, place, targets)
        if parts != [place]:
            outside = _left_out(table, place, parts)
            found.append(Mixture(row, _rows(row_of, parts), _rows(row_of, outside)))
    return found


def bound_people(mixtures: Sequence[Mixture], heads: Ints, rest: Ints | None) -> tuple[Ints, Ints, Ints | None]:
    """Return people where a person may be in two categories, with those outside the targeting in ``unknown``.

    Args:
        mixtures: of the table.
        heads: people of a family in every row, before anything is moved.
        rest: people of the row outside the family, likewise; None where the family has none.

    Returns:
        Lower bounds of the heads, upper bounds of the heads, lower bounds of the rest; a row each.

    Guarantee:
        They hold for every overlap of the categories that are moved together. 0 in rows outside the targeting.

    Source: disclosure.md, rules 2, 8 and 9.
    """
    least, most, beside = heads.copy(), heads.copy(), None if rest is None else rest.copy()
    around = heads if rest is None else heads + rest
    for one in mixtures:
        own, total = one.row, int(heads[one.parts].sum())
        bounds, rests = [int(heads[one.parts].max(initial=0))], [int(around[one.parts].max(initial=0)) - total]
        most[own] = total
        if one.left_out.size:  # its own row less what is left out bounds it too
            most[own] = min(total, int(heads[own]))
            bounds.append(int(heads[own] - heads[one.left_out].sum()))
            rests.append(int(around[own] - heads[own] - around[one.left_out].sum()))
        least[own] = max(bounds)
        if beside is not None:
            beside[own] = max(0, *rests)
    return least, most, beside


def verify_zeros(cube: PackageCube) -> None:
    """Refuse a cube with something in a row that targeting makes 0.

    Raises:
        ConfigurationError: a measure of such a row is not 0.

    Guarantee:
        In a cube that passes, what is published as 0 by targeting is 0.

    Source: disclosure.md, rule 2 (empty cells are withheld alike, unless public targeting makes them zero).
    """
    for table in cube.shape.tables:
        zero = zeros_of(cube, table)
        for column in cube.tables[table.name].column_names[len(table.columns) :] if zero.any() else ():
            if cube.values(table.name, column)[zero].any():
                raise ConfigurationError(
                    "cube.targeting",
                    f"{column} of {table.name} in a category outside the targeting",
                    "0: what is outside the targeting is counted as unknown",
                    "project the cube with the package's targeting",
                )


def zeros_of(cube: PackageCube, table: TableShape) -> Bools:
    """Return which rows of a table targeting makes 0.

    Guarantee:
        A function of the shape alone.

    Source: disclosure.md, rule 10.
    """
    return np.array(cube.shape.zeros(table), dtype=np.bool_)


def _rows(row_of: Mapping[Coordinate, int], places: Sequence[Coordinate]) -> Ints:
    return np.array([row_of[place] for place in places], dtype=np.int64)


def _is_any_aimed(table: TableShape, targets: Targets) -> bool:
    return any(is_aimed(dimension, targets) for dimension in table.dimensions[1:])


def _split(table: TableShape, place: tuple[str | None, ...]) -> list[tuple[str | None, ...]]:
    """Return the coordinates of a row by dimension."""
    found, start = [], 0
    for dimension in table.dimensions:
        found.append(place[start : start + len(dimension.levels)])
        start += len(dimension.levels)
    return found


def _moved(table: TableShape, place: tuple[str | None, ...], targets: Targets) -> Iterator[Coordinate]:
    """Yield the rows in which a row of the cube counts; none for a coarser level, which its parts make up anew."""
    choices: list[list[tuple[str | None, ...]]] = []
    for dimension, given in zip(table.dimensions, _split(table, place), strict=True):
        depth = sum(level != ALL for level in given)
        if not is_aimed(dimension, targets) or not depth:
            choices.append([given])
        elif depth < len(given):
            choices.append([])
        else:
            _refuse_overlap(table, dimension)
            path = given if given in _listed(aim(dimension, targets)) else _unknown(dimension)
            choices.append([path[:n] + (ALL,) * (depth - n) for n in range(1, depth + 1)])
    for parts in product(*choices):
        yield tuple(level for part in parts for level in part)  # type: ignore[misc]


def _parts(table: TableShape, place: Coordinate, targets: Targets) -> list[Coordinate]:
    """Return the rows, as they were before anything was moved, that make up a row; itself where nothing changes."""
    choices: list[list[Coordinate]] = []
    for dimension, given in zip(table.dimensions, _split(table, place), strict=True):
        aimed = aim(dimension, targets)
        depth = sum(level != ALL for level in given)
        within = [path for path in dimension.keys if path[:depth] == given[:depth]]
        listed = _listed(aimed)
        kept = [path for path in within if path in listed]
        if aimed is dimension or not depth:
            choices.append([given])  # type: ignore[list-item]
        elif given[:depth] == _unknown(dimension)[:depth]:
            choices.append([path for path in dimension.keys if path == _unknown(dimension) or path not in listed])
        else:
            choices.append([given] if len(kept) == len(within) else kept)  # type: ignore[list-item]
    return [tuple(level for part in parts for level in part) for parts in product(*choices)]


def _left_out(table: TableShape, place: Coordinate, parts: list[Coordinate]) -> list[Coordinate]:
    """Return the finest rows of a coarser level that are not among its parts; none if two dimensions are split."""
    split = [
        (at, dimension)
        for at, dimension in enumerate(table.dimensions)
        if len({tuple(_split(table, part)[at]) for part in parts} | {tuple(_split(table, place)[at])}) > 1
    ]
    if len(split) != 1:
        return []
    at, dimension = split[0]
    given = _split(table, place)[at]
    depth = sum(level != ALL for level in given)
    if depth == len(given) or given[:depth] == _unknown(dimension)[:depth]:
        return []
    kept = {tuple(_split(table, part)[at]) for part in parts}
    outside = [path for path in dimension.keys if path[:depth] == given[:depth] and path not in kept]
    return [_with(table, place, at, path) for path in outside]


def _with(table: TableShape, place: Coordinate, at: int, path: Coordinate) -> Coordinate:
    parts = _split(table, place)
    parts[at] = path
    return tuple(level for part in parts for level in part)  # type: ignore[misc]


@lru_cache(maxsize=4096)
def _listed(dimension: Dimension) -> frozenset[Coordinate]:
    return frozenset(dimension.keys)


def _unknown(dimension: Dimension) -> Coordinate:
    return next(path for path in dimension.keys if path[-1] == UNKNOWN)


def _refuse_overlap(table: TableShape, dimension: Dimension) -> None:
    if not dimension.partitions_people:
        raise ConfigurationError(
            "cube.targeting",
            f"{table.name} targets {dimension.levels[-1]}, where a person may be in two categories",
            "dimensions that partition people",
        )
