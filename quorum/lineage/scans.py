"""Operators that read no other operator's rows, or make rows of arguments.

What belongs here: tables, table functions, VALUES, constants. What does not: operators over rows.
"""

from __future__ import annotations

from collections.abc import Sequence

from quorum.lineage.columns import Column, Plan, Value, merged, together, type_id
from quorum.lineage.functions import ROWS
from quorum.lineage.refusal import LineageError
from quorum.lineage.walk import Walk

_VIRTUAL = 1 << 62  # the engine's virtual columns lie beyond, the number of a row among them


def get(walk: Walk, plan: Plan) -> list[Column]:
    """Read a table or a table function."""
    path = plan["qname"]["path"]
    filters = plan["table_filters"]
    if filters["filters"] or filters["multi_column_filters"] or plan["projection_ids"]:
        raise LineageError("a scan with pushed-down parts")
    indexes = [int(column["index"]) for column in plan["column_indexes"]]
    if path == ["seq_scan"]:
        return _scan(plan, indexes)
    if path[:-1] == ["system", "main"] and path[-1] in ROWS:
        return _rows(walk, plan, indexes)
    raise LineageError(f"table function {path[-1]}")


def _scan(plan: Plan, indexes: Sequence[int]) -> list[Column]:
    data, names, types = plan["function_data"], plan["names"], plan["returned_types"]
    if data["catalog"] != "memory" or plan["children"]:
        raise LineageError("a table that the schema does not declare")
    table = data["table"] if data["schema"] == "main" else f"{data['schema']}.{data['table']}"
    columns = []
    for number, index in enumerate(indexes):
        if len(names) <= index < _VIRTUAL:
            raise LineageError("a plan that is not laid out as expected")
        name, kind = (names[index], type_id(types[index])) if index < _VIRTUAL else ("rowid", "")
        columns.append(Column((plan["table_index"], number), kind, Value(frozenset({f"{table}.{name}"})), name))
    return columns


def _rows(walk: Walk, plan: Plan, indexes: Sequence[int]) -> list[Column]:
    """Rows made of arguments: what is in them comes from all arguments, and so does how many there are."""
    given = walk.child(plan) if plan["children"] else []
    arguments = given[: len(plan["input_table_types"])]
    value = together(column.value for column in arguments)
    walk.count(value.moves if all(column.value.is_written_out for column in arguments) else value.all)
    table, types, names = plan["table_index"], plan["returned_types"], plan["names"]
    made = [
        Column((table, n), type_id(types[i]), value, names[i]) if i < len(types) else Column((table, n), "", value)
        for n, i in enumerate(indexes)
    ]
    passed = [given[place] for place in plan["projected_input"]]
    return made + [Column((table, len(made) + n), old.type, old.value, old.name) for n, old in enumerate(passed)]


def values(walk: Walk, plan: Plan) -> list[Column]:
    """Read VALUES: any of its rows."""
    columns = walk.child(plan)
    rows = [walk.made(plan["table_index"], row, columns) for row in plan["expressions"]]
    return [
        Column(same[0].binding, same[0].type, merged([column.value for column in same]))
        for same in zip(*rows, strict=True)
    ]


def one_row(walk: Walk, plan: Plan) -> list[Column]:
    """Read the one row of a statement without FROM."""
    return [Column((plan["table_index"], 0), "", Value())]


def constants(walk: Walk, plan: Plan) -> list[Column]:
    """Read rows of constants."""
    return [Column((plan["table_index"], n), type_id(kind), Value()) for n, kind in enumerate(plan["chunk_types"])]


def no_rows(walk: Walk, plan: Plan) -> list[Column]:
    """Read what the binder knows to be empty."""
    return [
        Column((to["table_index"], to["column_index"]), type_id(kind), Value())
        for to, kind in zip(plan["bindings"], plan["return_types"], strict=True)
    ]
