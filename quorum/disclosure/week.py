"""A week from its frozen days: events are summed, people are counted anew, and what the days told is looked up.

What belongs here: placing the days' rows on the week's. What does not: rules, and which rows a week has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quorum.disclosure.decide import Told
from quorum.disclosure.grid import Bools, Ints, coordinate_columns
from quorum.disclosure.month import sum_keys
from quorum.disclosure.reach import REACH, shape_without_reach
from quorum.disclosure.targeting import bound_people, find_mixtures
from quorum.disclosure.types import PUBLISHED, PackageCube
from quorum.errors import ConfigurationError
from quorum.policy import FamilySpec
from quorum.tables.shape import ALL, PackageShape, TableShape

Sources = Mapping[str, str]
"""Table of a week to the table of its days."""


def sum_days(
    shape: PackageShape,
    days: Sequence[PackageCube],
    people: pa.Table,
    families: Sequence[FamilySpec],
    sources: Sources,
) -> PackageCube:
    """Return what was counted for a package of a week.

    Args:
        shape: the week's package.
        days: the cubes of the recipient's day packages of the week.
        people: the cube of the week's people: dimension columns of all tables (string; ``ALL`` where a row names no
            category), heads, people who count and rests of each family (int64).
        families: of the report.
        sources: table of the week to table of the days.

    Returns:
        Per table every row of the shape: events are the sum over the days that list the row; people are those of the
        week's cube.

    Raises:
        ConfigurationError: the people's cube has no column of a table or family.

    Guarantee:
        Events are those of the frozen day cubes, whatever was erased since. People are those who are still there, each
        once: a lower bound of those who were, inside and outside of every family and group. Who is outside a campaign's
        targeting is ``unknown``, as in the days; of these the people are bounds.

    Source: disclosure.md, rule 8.
    """
    tables: dict[str, pa.Table] = {}
    at_most: dict[str, dict[str, Ints]] = {}
    if any(table.name == REACH for table in shape.tables):
        tables[REACH] = sum_keys(shape.table(REACH), days, people, families)
    for table in shape_without_reach(shape).tables:
        row_of = {place: row for row, place in enumerate(table.coordinates())}
        columns: dict[str, pa.Array | Ints] = dict(coordinate_columns(table))
        having = [cube for cube in days if sources[table.name] in cube.tables]
        placed = [(cube, *_place(cube.shape.table(sources[table.name]), row_of)) for cube in having]
        counted, mixtures = _people(table, people, row_of), find_mixtures(table, shape.targeting)
        for family in families:
            events = np.zeros(len(row_of), dtype=np.int64)
            for cube, theirs, mine in placed:
                np.add.at(events, mine, cube.values(sources[table.name], family.count)[theirs])
            columns[family.count] = events
            for column in dict.fromkeys((family.heads, family.judged)):
                columns[column], most, _ = bound_people(mixtures, _column(counted, column, len(row_of)), None)
                if mixtures:
                    at_most.setdefault(table.name, {})[column] = most
            if family.rest is not None:
                judged, rest = (_column(counted, column, len(row_of)) for column in (family.judged, family.rest))
                columns[family.rest] = bound_people(mixtures, judged, rest)[2]
        tables[table.name] = pa.table(columns)
    return PackageCube(shape, tables, at_most)


def told_by_days(
    shape: PackageShape,
    days: Sequence[tuple[PackageShape, Mapping[str, pa.Table]]],
    families: Sequence[FamilySpec],
    sources: Sources,
) -> Told:
    """Say which rows of a week are published on every day that lists their campaign.

    Args:
        shape: the week's package.
        days: shape of each day package of the week, and its released tables; no tables where nothing was made safe.
        families: of the report.
        sources: table of the week to table of the days.

    Returns:
        Family to table of the week, but for the table of reach, to one entry a row.

    Guarantee:
        True only where every day that lists the campaign lists the row and publishes the family in it.

    Source: disclosure.md, rule 1 (clicks are published only where impressions are).
    """
    told: dict[str, dict[str, Bools]] = {family.name: {} for family in families}
    for table in shape_without_reach(shape).tables:
        places = list(table.coordinates())
        row_of = {place: row for row, place in enumerate(places)}
        keys = np.array([place[0] for place in places])
        for family in families:
            everywhere = np.ones(len(places), dtype=np.bool_)
            for day, released in days:
                if sources[table.name] not in {t.name for t in day.tables}:
                    continue
                theirs = day.table(sources[table.name])
                listed = np.isin(keys, sorted({path[0] for path in theirs.dimensions[0].keys}))
                shown = np.zeros(len(places), dtype=np.bool_)
                if sources[table.name] in released:
                    status = released[sources[table.name]][f"status_{family.name}"].to_pylist()
                    from_rows, to_rows = _place(theirs, row_of)
                    shown[to_rows] = np.array(status)[from_rows] == PUBLISHED
                everywhere &= shown | ~listed
            told[family.name][table.name] = everywhere
    return told


def _place(table: TableShape, row_of: Mapping[tuple[str, ...], int]) -> tuple[Ints, Ints]:
    """Return the rows of a day's table that the week has, and which rows of the week they are."""
    pairs = [(row, row_of[place]) for row, place in enumerate(table.coordinates()) if place in row_of]
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _people(table: TableShape, people: pa.Table, row_of: Mapping[tuple[str, ...], int]) -> tuple[pa.Table, Ints, Ints]:
    """Return the rows of the people's cube that name the columns of a table alone, and where they belong."""
    missing = sorted(set(table.columns) - set(people.column_names))
    if missing:
        raise ConfigurationError(
            "cube.dimension", f"the cube of a week has no column {missing[0]}", "the table's columns"
        )
    texts = [name for name in people.column_names if people[name].type == pa.string()]
    kept = people
    for name in texts:
        if name not in table.columns:
            kept = kept.filter(pc.equal(kept[name], ALL))
    found = [row_of.get(place, -1) for place in zip(*(kept[name].to_pylist() for name in table.columns), strict=True)]
    rows = np.array(found, dtype=np.int64)
    inside = np.flatnonzero(rows >= 0)
    return kept, inside, rows[inside]


def _column(counted: tuple[pa.Table, Ints, Ints], column: str, size: int) -> Ints:
    rows, theirs, mine = counted
    if column not in rows.column_names:
        raise ConfigurationError("cube.measure", f"the cube of a week has no column {column}", "the report's families")
    values = np.zeros(size, dtype=np.int64)
    values[mine] = np.asarray(rows[column].to_numpy(), dtype=np.int64)[theirs]
    return values
