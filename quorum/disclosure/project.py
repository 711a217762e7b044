"""From a recipient's rows of the cubes to the whole product of public categories.

What belongs here: placing rows, folding what no key set lists, zero-filling. What does not: rules, thresholds, and
margins made by adding up: a margin is the cube's own row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from quorum.disclosure.grid import Bools, Coordinate, Ints, coordinate_columns, coordinates_of, sizes
from quorum.disclosure.sums import verify_sums
from quorum.disclosure.targeting import fold_untargeted
from quorum.disclosure.types import PackageCube
from quorum.errors import ConfigurationError
from quorum.policy import FamilySpec, Policy, ReportSpec
from quorum.tables.shape import ALL, Dimension, PackageShape, TableShape
from quorum.tables.targeting import UNKNOWN

FOLD = {"placement": "other"}
"""Where a value outside the key set of a column goes, if not to ``unknown``."""


def project(shape: PackageShape, cubes: Mapping[str, pa.Table], report: ReportSpec, policy: Policy) -> PackageCube:
    """Place a recipient's rows of the cubes on the public categories of its package.

    Args:
        shape: the package.
        cubes: cube to the rows of this recipient's keys: dimension columns (string; ``ALL`` for a margin), measures
            (int64). Rows may be missing where nothing happened; their order does not matter.
        report: the report; says which cube a table comes from.
        policy: the families.

    Returns:
        Every table of the shape, every coordinate, in order, 0 where the cube has no row.

    Raises:
        ConfigurationError: a key of the report is not the shape's; a category is outside a key set that has no
            ``unknown``; a row stands there twice; a table has no cube; margins are not the sums of their parts.

    Guarantee:
        No event is lost: a category outside its key set goes to ``unknown`` (placement: ``other``). Of categories
        folded together, events are summed, people are the largest single number, rest is what cannot be fewer: lower
        bounds that hold for every overlap. The upper bound, for what must lie outside a group, is
        `PackageCube.heads_at_most`. Categories outside a campaign's targeting are folded into ``unknown`` before,
        and are 0.

    Source: disclosure.md, rules 4, 9 and 10; architecture.md, "A report package".
    """
    families = [policy.families[name] for name in report.families]
    sources = {spec.name: spec.cube for spec in report.tables}
    tables, at_most = {}, {}
    for table in shape.tables:
        if sources.get(table.name) not in cubes:
            raise ConfigurationError("cube.missing", f"no cube for table {table.name}", "one of reports.yaml")
        rows = fold_untargeted(table, cubes[sources[table.name]], shape.targeting)
        tables[table.name], bounds = _place(table, rows, report.key, families)
        if bounds:
            at_most[table.name] = bounds
    cube = PackageCube(shape, tables, at_most)
    verify_sums(cube, families)
    return cube


@dataclass(frozen=True)
class _Fold:
    """Which row of the product each row of the cube belongs to.

    Args:
        rows: one a row of the cube.
        size: rows of the product.
        folded: rows of the product into which a category outside the key set went.
    """

    rows: Ints
    size: int
    folded: Bools

    def sum(self, values: Ints) -> Ints:
        """Return the sum of what falls on each row."""
        total = np.zeros(self.size, dtype=np.int64)
        np.add.at(total, self.rows, values)
        return total

    def largest(self, values: Ints) -> Ints:
        """Return the largest of what falls on each row, 0 where nothing does."""
        most = np.zeros(self.size, dtype=np.int64)
        np.maximum.at(most, self.rows, values)
        return most


def _place(table: TableShape, cube: pa.Table, key: str, families: list[FamilySpec]) -> tuple[pa.Table, dict[str, Ints]]:
    fold = _fold(table, cube, key)
    columns: dict[str, pa.Array | Ints] = dict(coordinate_columns(table))
    at_most: dict[str, Ints] = {}
    for family in families:
        columns[family.count] = fold.sum(_measure(cube, family.count))
        for column in dict.fromkeys((family.heads, family.judged)):
            heads = _measure(cube, column)
            columns[column] = fold.largest(heads)
            if fold.folded.any():
                at_most[column] = fold.sum(heads)
        if family.rest is not None:
            columns[family.rest] = _rest(fold, _measure(cube, family.judged), _measure(cube, family.rest))
    return pa.table(columns), at_most


def _rest(fold: _Fold, heads: Ints, rest: Ints) -> Ints:
    """Return how many people of a cell, of those who count, are outside the family at least.

    Those in or beside the family in the largest folded part are people of the cell; whoever of them is in the family in
    any part is counted in the sum of heads.
    """
    bound: Ints = np.maximum(fold.largest(rest + heads) - fold.sum(heads), 0)
    return bound


def _measure(cube: pa.Table, column: str) -> Ints:
    if column not in cube.column_names:
        raise ConfigurationError("cube.measure", f"the cube has no column {column}", "the report's families")
    values = cube[column].combine_chunks()
    if values.null_count:
        raise ConfigurationError("cube.values", f"{column} is missing in a row", "a count in every row")
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.int64)


def _fold(table: TableShape, cube: pa.Table, key: str) -> _Fold:
    counts = sizes(table)
    rows = np.zeros(cube.num_rows, dtype=np.int64)
    exact = np.ones(cube.num_rows, dtype=np.bool_)
    for dimension, count in zip(table.dimensions, counts, strict=True):
        listed = {coordinate: index for index, coordinate in enumerate(coordinates_of(dimension))}
        found: dict[tuple[str | None, ...], tuple[int, bool]] = {}
        places = []
        for given in zip(*(_texts(cube, level) for level in dimension.levels), strict=True):
            if given not in found:
                found[given] = _find(given, dimension, listed, key)
            places.append(found[given])
        rows = rows * count + np.array([place for place, _ in places], dtype=np.int64)
        exact &= np.array([known for _, known in places], dtype=np.bool_)
    size = int(np.prod(counts))
    if np.any(np.bincount(rows[exact], minlength=size) > 1):
        raise ConfigurationError("cube.twice", f"a cell of {table.name} stands in the cube twice", "one row a cell")
    folded = np.zeros(size, dtype=np.bool_)
    folded[rows[~exact]] = True
    return _Fold(rows, size, folded)


def _texts(cube: pa.Table, column: str) -> list[str | None]:
    if column not in cube.column_names:
        raise ConfigurationError("cube.dimension", f"the cube has no column {column}", "the table's dimensions")
    texts: list[str | None] = cube[column].to_pylist()
    return texts


def _find(
    given: tuple[str | None, ...], dimension: Dimension, listed: Mapping[Coordinate, int], key: str
) -> tuple[int, bool]:
    """Return the place of a coordinate, and whether it is listed itself or folded into another category."""
    known = tuple(UNKNOWN if level is None else level for level in given)
    if known in listed:
        return listed[known], known == given
    depth = sum(level != ALL for level in known)
    for start in reversed(range(1 if dimension.levels[0] == key else 0, depth)):
        names = tuple(FOLD.get(column, UNKNOWN) for column in dimension.levels[start:depth])
        folded = known[:start] + names + known[depth:]
        if folded in listed:
            return listed[folded], False
    raise ConfigurationError(
        "cube.category",
        f"a value of {dimension.levels[-1]} outside its key set",
        "the key set, or one with the category unknown",
        "project one recipient's keys only; declare the category",
    )
