"""Operators over the rows of one other operator.

What belongs here: projection, filter, order, limit, groups, windows, lists taken apart. What does not: joins and sets
(`quorum.lineage.joins`).
"""

from __future__ import annotations

from dataclasses import replace

from quorum.lineage.columns import Column, Plan, Value, resolver
from quorum.lineage.expressions import repeating
from quorum.lineage.walk import Walk


def mapped(columns: list[Column], places: list[int]) -> list[Column]:
    """Return the columns that an operator keeps; no list of places keeps all."""
    return [columns[place] for place in places] if places else columns


def projection(walk: Walk, plan: Plan) -> list[Column]:
    """Read SELECT."""
    return walk.made(plan["table_index"], plan["expressions"], walk.child(plan))


def filtered(walk: Walk, plan: Plan) -> list[Column]:
    """Read WHERE, HAVING, QUALIFY."""
    columns = walk.child(plan)
    walk.used(plan["expressions"], columns)
    return mapped(columns, plan["projection_map"])


def ordered(walk: Walk, plan: Plan) -> list[Column]:
    """Read ORDER BY."""
    columns = walk.child(plan)
    walk.arranged(plan["orders"], columns)
    return mapped(columns, plan["projections"])


def limited(walk: Walk, plan: Plan) -> list[Column]:
    """Read LIMIT and OFFSET."""
    columns = walk.child(plan)
    walk.used([plan["limit_val"], plan["offset_val"]], columns)
    return columns


def distinct(walk: Walk, plan: Plan) -> list[Column]:
    """Read DISTINCT and DISTINCT ON."""
    columns = walk.child(plan)
    walk.arranged([plan["distinct_targets"], plan.get("order_by")], columns)
    return columns


def aggregated(walk: Walk, plan: Plan) -> list[Column]:
    """Read GROUP BY and aggregates."""
    columns = walk.child(plan)
    walk.arranged(plan["groups"], columns)
    groups = walk.made(plan["group_index"], plan["groups"], columns)
    aggregates = walk.made(plan["aggregate_index"], plan["expressions"], columns)
    groupings = [
        Column((plan["groupings_index"], number), "BIGINT", Value())
        for number, _ in enumerate(plan["grouping_functions"])
    ]
    return groups + aggregates + groupings


def windowed(walk: Walk, plan: Plan) -> list[Column]:
    """Read OVER: rows move to where their window is, and stay in that order."""
    columns = walk.child(plan)
    made = walk.made(plan["window_index"], plan["expressions"], columns)
    return columns + [column.with_value(replace(column.value, moves=column.value.uses)) for column in made]


def unnested(walk: Walk, plan: Plan) -> list[Column]:
    """Read UNNEST: the length of a list says how often its row is repeated, unless it is written out."""
    columns = walk.child(plan)
    for expression in plan["expressions"]:
        walk.count(repeating(expression, resolver(columns)))
    return columns + walk.made(plan["unnest_index"], plan["expressions"], columns)


def same(walk: Walk, plan: Plan) -> list[Column]:
    """Read what passes its rows on: a sample."""
    return walk.child(plan)
