"""Whole campaigns in a week or month: events from its frozen days, people counted once, and what the invoice tells.

What belongs here: the rows of the tables of reach and of totals. What does not: whether they may be repeated
(`quorum.disclosure.invoice`), and the other tables of a month, which are counted as those of a week.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from quorum.disclosure.grid import Ints, coordinate_columns
from quorum.disclosure.invoice import CHARGED, COST_MICROS
from quorum.disclosure.types import PackageCube
from quorum.policy import FamilySpec
from quorum.tables.shape import ALL, TableShape

Price = tuple[str, int]
"""Price model, and micro-yen for each event that it counts."""


def sum_totals(
    table: TableShape,
    days: Sequence[PackageCube],
    people: pa.Table,
    families: Sequence[FamilySpec],
    prices: Mapping[str, Price],
) -> pa.Table:
    """Return the table of totals: a row a campaign.

    Args:
        table: its shape; campaigns in order.
        days: the cubes of the recipient's day packages of the month.
        people: the cube of the month's people.
        families: of the report.
        prices: of every campaign of the table.

    Returns:
        The columns of `sum_keys`, and ``cost_micros`` (int64).

    Guarantee:
        As of `sum_keys`. Cost is the number of events that are charged times the price, exactly.

    Source: disclosure.md, rules 8 and 9; architecture.md, "What lands" (cost).
    """
    summed = sum_keys(table, days, people, families)
    counts = {family.name: summed[family.count].to_pylist() for family in families}
    keys = summed[table.columns[0]].to_pylist()
    cost = [counts[CHARGED[prices[key][0]]][row] * prices[key][1] for row, key in enumerate(keys)]
    return summed.append_column(COST_MICROS, pa.array(cost, pa.int64()))


def sum_keys(
    table: TableShape, days: Sequence[PackageCube], people: pa.Table, families: Sequence[FamilySpec]
) -> pa.Table:
    """Return what was counted of whole campaigns in a week or month: a row a campaign.

    Args:
        table: its shape; campaigns in order.
        days: the cubes of the recipient's day packages of the period.
        people: the cube of the period's people.
        families: of the report.

    Returns:
        The campaign (string); for each family its events, people, those who count, rest (int64).

    Guarantee:
        Events are exact sums of the frozen day cubes over the days that list the campaign. People are those who are
        still there at the period's end, each once.

    Source: disclosure.md, rule 8.
    """
    keys = [path[0] for path in table.dimensions[0].keys]
    row_of = {key: row for row, key in enumerate(keys)}
    columns: dict[str, pa.Array | Ints] = dict(coordinate_columns(table))
    there = _people(people, table.columns[0])
    for family in families:
        events = np.zeros(len(keys), dtype=np.int64)
        for cube in days:
            for key, value in day_totals(cube, family.count).items():
                if key in row_of:
                    events[row_of[key]] += value
        columns[family.count] = events
        for column in family.columns:
            if column != family.count:
                columns[column] = np.array([there.get(key, {}).get(column, 0) for key in keys], dtype=np.int64)
    return pa.table(columns)


def day_totals(cube: PackageCube, column: str) -> dict[str, int]:
    """Return a measure of every campaign as a whole.

    Args:
        cube: of a package.
        column: the measure.

    Guarantee:
        The total is one cell in all tables: the first tells it.

    Source: architecture.md, "A report package".
    """
    first = cube.shape.tables[0]
    values = cube.values(first.name, column)
    places = enumerate(first.coordinates())
    return {place[0]: int(values[row]) for row, place in places if all(level == ALL for level in place[1:])}


def _people(people: pa.Table, key: str) -> dict[str, dict[str, int]]:
    """Return the people of each campaign as a whole."""
    texts = [name for name in people.column_names if people[name].type == pa.string() and name != key]
    return {row[key]: row for row in people.to_pylist() if all(row[name] == ALL for name in texts)}
