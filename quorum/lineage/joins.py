"""Operators over the rows of several others.

What belongs here: joins, correlated statements (which are joins with the rows they are run for), UNION, EXCEPT,
INTERSECT. What does not: rows that are referred to by number (`quorum.lineage.named`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from quorum.lineage.columns import (
    Base,
    Column,
    Outer,
    Plan,
    Renamed,
    Value,
    is_constant,
    merged,
    referred,
    resolver,
    unmarked,
)
from quorum.lineage.expressions import is_reference, taken
from quorum.lineage.refusal import LineageError
from quorum.lineage.rows import mapped
from quorum.lineage.walk import Walk


def compared(walk: Walk, plan: Plan) -> list[Column]:
    """Read a join with conditions; of a correlated statement, the right side is the statement."""
    if plan["duplicate_eliminated_columns"]:
        raise LineageError("a correlated join of another version")
    left = walk.child(plan, 0)
    with walk.runs(_runs_for(walk, plan["children"][0])) as settle:
        right = walk.child(plan, 1)
        met: frozenset[Base] = frozenset()
        for condition in plan["conditions"]:
            if "right" not in condition or condition["right"] is None:
                # a condition that is no comparison sees both sides, one after the other
                met |= _met(walk, condition, left + right)
                continue
            ours, theirs = _met(walk, condition["left"], left), _met(walk, condition["right"], right)
            if condition["comparison"] == "COMPARE_NOT_DISTINCT_FROM":
                is_own_row = _is_own_row(walk, condition, left, theirs)
                if plan["join_type"] != "MARK" and is_own_row:
                    continue
                if not is_own_row:  # of a MARK join: a filter in the statement, not what is compared with its rows
                    walk.count(ours | theirs)
                right = _standing_for(right, theirs, ours, str(condition["left"].get("alias") or "").lower())
            met |= ours | theirs
        right = [column.with_value(settle(column.value)) for column in right]
        met = settle(Value(met)).bases
    return _joined(walk, plan, left, right, met)


def _met(walk: Walk, part: Any, columns: Sequence[Column]) -> frozenset[Base]:
    """Return what a condition compares; what its sides use on the way is used."""
    value = taken(part, resolver(columns))
    walk.count(value.uses)
    return value.bases


def _runs_for(walk: Walk, outer: Plan) -> list[int]:
    """Return the domains of the statements that are run for these outer rows."""
    if outer["type"] != "LOGICAL_CTE_REF":
        return []
    return [index for index, domain in walk.domains.items() if domain.source == outer["cte_index"]]


def _is_own_row(walk: Walk, condition: Mapping[str, Any], left: Sequence[Column], theirs: frozenset[Base]) -> bool:
    """Tell whether a condition only brings what was run for an outer row back to that row: it drops and adds none."""
    only = unmarked(theirs)
    if len(only) != 1 or not is_constant(only):
        return False
    (outer,) = only
    if not isinstance(outer, Outer) or not is_reference(condition["left"]):
        return False
    column, domain = referred(condition["left"], left), walk.domains[outer.domain]
    is_same_constant = unmarked(column.value.bases) == only
    return is_same_constant or column.origin == (domain.source, domain.places[outer.place])


def _standing_for(columns: list[Column], inner: frozenset[Base], outer: frozenset[Base], name: str) -> list[Column]:
    """The engine may read an outer column of a correlated statement as the inner one that it must equal.

    Where an inner column was referred to by the outer one's name, or could have been, count both.
    """
    equal = unmarked(inner)
    is_told_apart = name and not any(isinstance(base, str) and base.lower().endswith(f".{name}") for base in equal)
    marks = {Renamed(name), Renamed("")}

    def both(bases: frozenset[Base]) -> frozenset[Base]:
        return bases | outer if bases & equal and (bases & marks or not is_told_apart) else bases

    return [column.with_value(column.value.changed(both)) for column in columns]


def any_join(walk: Walk, plan: Plan) -> list[Column]:
    """Read a join whose condition is no comparison."""
    left, right = walk.child(plan, 0), walk.child(plan, 1)
    return _joined(walk, plan, left, right, _met(walk, plan["condition"], left + right))


def _joined(walk: Walk, plan: Plan, left: list[Column], right: list[Column], met: frozenset[Base]) -> list[Column]:
    kind = plan["join_type"]
    kept_left = mapped(left, plan.get("left_projection_map", []))
    kept_right = mapped(right, plan.get("right_projection_map", []))
    if kind == "MARK":  # every row stays; whether it met one is a value
        return [*kept_left, Column((plan["mark_index"], 0), "BOOLEAN", Value(met))]
    walk.count(met)
    if kind in ("INNER", "LEFT", "RIGHT", "OUTER", "FULL", "SINGLE"):
        return kept_left + kept_right
    if kind in ("SEMI", "ANTI"):
        return kept_left
    if kind in ("RIGHT_SEMI", "RIGHT_ANTI"):
        return kept_right
    raise LineageError(f"join {kind}")


def side_by_side(walk: Walk, plan: Plan) -> list[Column]:
    """Read a join without a condition."""
    return walk.child(plan, 0) + walk.child(plan, 1)


def union(walk: Walk, plan: Plan) -> list[Column]:
    """Read UNION ALL; UNION is DISTINCT over it."""
    return _stacked(plan, [walk.columns(child) for child in plan["children"]])


def compared_rows(walk: Walk, plan: Plan) -> list[Column]:
    """Read EXCEPT and INTERSECT: whole rows are compared."""
    parts = [walk.columns(child) for child in plan["children"]]
    both = _stacked(plan, parts)
    for column in both:
        walk.count(column.value.uses)
        if len(unmarked(column.value.bases)) != 1 or not is_constant(column.value.bases):  # equal in all rows
            walk.count(column.value.bases)
    if plan["type"] == "LOGICAL_INTERSECT":
        return both
    return [to.with_value(own.value) for to, own in zip(both, parts[0], strict=True)]


def _stacked(plan: Plan, parts: Sequence[Sequence[Column]]) -> list[Column]:
    if any(len(part) != plan["column_count"] for part in parts):
        raise LineageError("a plan that is not laid out as expected")
    return [
        Column((plan["table_index"], n), same[0].type, merged([column.value for column in same]), same[0].name)
        for n, same in enumerate(zip(*parts, strict=True))
    ]
