"""Rows that are made once and referred to by number.

What belongs here: WITH, recursive and not, and the rows for which a correlated statement is run. What does not: the
join that brings them together (`quorum.lineage.joins`).
"""

from __future__ import annotations

from collections.abc import Sequence

from quorum.lineage.columns import Column, Plan, Value, merged, referred, together, type_id
from quorum.lineage.expressions import is_reference
from quorum.lineage.refusal import LineageError
from quorum.lineage.walk import Domain, Walk


def materialized(walk: Walk, plan: Plan) -> list[Column]:
    """Read WITH, and what the engine itself names."""
    index, known = plan["table_index"], list[Sequence[Value]]()
    if _is_domain(plan["children"][0]):
        walk.domains[index] = _domain(walk, plan["children"][0])

    def rows() -> Sequence[Value]:
        if not known:
            known.append([column.value for column in walk.child(plan, 0)])
        return known[0]

    walk.name(index, rows)
    return walk.child(plan, 1)


def _is_domain(rows: Plan) -> bool:
    """Tell whether rows are the different ones among the rows of a name: no statement of a user is laid out so."""
    return bool(
        rows["type"] == "LOGICAL_AGGREGATE_AND_GROUP_BY"
        and not rows["expressions"]
        and not rows["grouping_sets"]
        and rows["children"][0]["type"] == "LOGICAL_CTE_REF"
        and all(is_reference(group) for group in rows["groups"])
    )


def _domain(walk: Walk, rows: Plan) -> Domain:
    outer = rows["children"][0]
    columns = walk.columns(outer)
    keys = [referred(group, columns) for group in rows["groups"]]
    walk.count(together(key.value for key in keys).uses)
    return Domain(
        outer["cte_index"],
        tuple(column.binding[1] for column in keys),
        tuple(column.value for column in keys),
    )


def recursive(walk: Walk, plan: Plan) -> list[Column]:
    """Read the first rows, then again and again what is made of them, until no value changes."""
    if plan.get("key_targets") or plan.get("ref_recurring"):
        raise LineageError("WITH RECURSIVE ... USING KEY")
    first = walk.child(plan, 0)
    values = [column.value for column in first]
    while True:
        reached = list(values)
        walk.name(plan["table_index"], lambda reached=reached: reached)  # type: ignore[misc]
        again = walk.child(plan, 1)
        values = [merged([had, column.value]) for had, column in zip(reached, again, strict=True)]
        if values == reached:
            break
    if not plan["union_all"]:
        walk.count(together(values).all)
    table = plan["table_index"]
    return [Column((table, n), column.type, values[n], column.name) for n, column in enumerate(first)]


def reference(walk: Walk, plan: Plan) -> list[Column]:
    """Read rows by their number."""
    if plan["is_recurring"]:
        raise LineageError("WITH RECURSIVE ... USING KEY")
    index, table = plan["cte_index"], plan["table_index"]
    values, types, names = walk.named(index), plan["chunk_types"], plan["bound_columns"]
    if not len(values) == len(types) == len(names):
        raise LineageError("a plan that is not laid out as expected")
    return [Column((table, n), type_id(types[n]), value, str(names[n]), (index, n)) for n, value in enumerate(values)]
