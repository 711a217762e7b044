"""Tables of one dimension that a package carries beside the table of several in which their cells stand already.

What belongs here: drawing them from released tables. What does not: deciding anything; a cell is one number, whichever
table lists it, and is told in both or in neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from quorum.errors import ReleaseError
from quorum.policy import Policy
from quorum.tables import Dimension, KeyPlan, PackageShape, TableShape
from quorum.tables.shape import ALL

PERIOD = "period"
"""What a measure that sums over time is additive over."""

Tables = Mapping[str, pa.Table]


def with_extracts(shape: PackageShape, policy: Policy) -> PackageShape:
    """Return the shape of what a package carries: its tables, each followed by those that are drawn from it.

    Args:
        shape: the tables that control decided on.
        policy: ``reports.yaml`` says which dimensions get a table of their own.

    Returns:
        The shape. A table of a week that is named after one of the days and a family lends its extracts that family's
        name too. What is planned for a table is planned for its extracts.

    Raises:
        ReleaseError: two tables would have one name.

    Guarantee:
        An extract has no cell that its table does not have: every equation over its cells is one of that table's.

    Source: disclosure.md, rule 6 (tables of the package) and rule 7.
    """
    drawn = {table.name: _extracts(table, shape, policy) for table in shape.tables}
    tables = tuple(each for table in shape.tables for each in (table, *drawn[table.name]))
    if len({table.name for table in tables}) < len(tables):
        raise ReleaseError("release.tables", "two tables of one name", "a name for each table in reports.yaml")
    plan = {key: _plan(of, drawn) for key, of in shape.plan.items()}
    return replace(shape, tables=tables, plan=plan)


def draw(shape: PackageShape, tables: Tables, policy: Policy) -> dict[str, pa.Table]:
    """Return released or counted tables with the extracts of each.

    Args:
        shape: the tables that control decided on.
        tables: per table of the shape its rows with the dimension columns; of a missing table nothing is drawn.
        policy: as in `with_extracts`.

    Guarantee:
        Each row of an extract is a row of its table that has ALL in every other dimension, unchanged.

    Source: disclosure.md, rule 6.
    """
    found = dict(tables)
    for table in (table for table in shape.tables if table.name in tables):
        for extract in _extracts(table, shape, policy):
            others = [column for column in table.columns if column not in extract.columns]
            rows = tables[table.name]
            is_margin = reduce(pc.and_, [pc.equal(rows[column], ALL) for column in others])
            found[extract.name] = rows.filter(is_margin).drop_columns(others).combine_chunks()
    return found


def _extracts(table: TableShape, shape: PackageShape, policy: Policy) -> list[TableShape]:
    """Return the shapes of the tables drawn from one."""
    for spec in policy.reports[shape.report].tables:
        family = table.name.removeprefix(spec.name)
        if table.name.startswith(spec.name) and family in ("", *(f"_{name}" for name in table.families)):
            inner = dict(zip(spec.dimensions, table.dimensions[1:], strict=True)) if spec.alone else {}
            return [_alone(table, f"{name}{family}", inner[dimension]) for dimension, name in spec.alone.items()]
    return []


def _alone(table: TableShape, name: str, dimension: Dimension) -> TableShape:
    """Return a table of the report's key and one dimension; its measures sum over what is left of theirs."""
    own = {*table.dimensions[0].levels, *dimension.levels, PERIOD}
    measures = [
        replace(each, additive_over=tuple(over for over in each.additive_over if over in own))
        for each in table.measures
    ]
    return replace(table, name=name, dimensions=(table.dimensions[0], dimension), measures=tuple(measures))


def _plan(plan: KeyPlan, drawn: Mapping[str, list[TableShape]]) -> KeyPlan:
    levels = dict(plan.levels)
    for name, of in plan.levels.items():
        levels |= {extract.name: of for extract in drawn.get(name, [])}
    return replace(plan, levels=levels)
