"""The walk over a bound plan of DuckDB 2.0: operators from the tables up to the output.

What belongs here: for each operator, the columns it puts out, in the engine's order, and what it uses. What does not:
binding (`quorum.lineage.derive`) and expressions (`quorum.lineage.expressions`). Columns are referred to by place;
the type of each place is compared with the reference's, and an operator or a field with an expression in it that is
not known is refused: a plan of another version fails, it is not misread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quorum.lineage.expressions import Expression, everything, holds_expression, use_of, value_of
from quorum.lineage.functions import ROWS
from quorum.lineage.refusal import LineageError

Plan = Mapping[str, Any]
Binding = tuple[int, int]

_NOTHING: frozenset[str] = frozenset()
_ROW_ID = frozenset({"rowid"})  # a place that holds the number of a row: it may be there, but not be referred to
_NO_PLACE = 1 << 62  # the engine's virtual columns lie beyond


@dataclass(frozen=True)
class Column:
    """A column between two operators.

    Args:
        binding: the engine's name for it: table index, column index.
        type: the type's id, e.g. ``INTEGER``; empty if the plan does not say.
        value: base columns, ``table.column``, that its value comes from.
    """

    binding: Binding
    type: str
    value: frozenset[str]


@dataclass
class Walk:
    """One walk over one plan; `use` grows on the way."""

    use: set[str] = field(default_factory=set)
    _named: dict[int, Callable[[], Sequence[frozenset[str]]]] = field(default_factory=dict)

    def columns(self, plan: Plan) -> list[Column]:
        """Return the columns that a plan puts out, in order.

        Raises:
            LineageError: an operator, an expression, a function or a field that is not known.
        """
        kind = str(plan["type"])
        rule = _OPERATORS.get(kind)
        if rule is None:
            raise LineageError(f"operator {kind}")
        read, fields = rule
        for name, value in plan.items():
            if name not in fields and name != "children" and holds_expression(value):
                raise LineageError(f"operator {kind} with {name}")
        return read(self, plan)

    def child(self, plan: Plan, number: int = 0) -> list[Column]:
        """Return the columns of a child."""
        return self.columns(plan["children"][number])

    def used(self, part: Any, columns: Sequence[Column]) -> None:
        """Count all that a part of an operator refers to as used."""
        self.use |= everything(part, _resolver(columns))

    def made(self, table: int, expressions: Iterable[Expression], columns: Sequence[Column]) -> list[Column]:
        """Return the columns that expressions make; what they filter, partition or order by counts as used."""
        resolve = _resolver(columns)
        made = []
        for number, expression in enumerate(expressions):
            self.use |= use_of(expression, resolve)
            made.append(Column((table, number), _type_of(expression), value_of(expression, resolve)))
        return made

    def name(self, index: int, rows: Callable[[], Sequence[frozenset[str]]]) -> None:
        """Give rows that are referred to by number; they are walked only if they are referred to."""
        self._named[index] = rows

    def named(self, index: int) -> Sequence[frozenset[str]]:
        """Return the values of rows that were named."""
        if index not in self._named:
            raise LineageError("rows referred to before they are made")
        return self._named[index]()


def _type(declared: Mapping[str, Any]) -> str:
    return str(declared["id"])


def _type_of(expression: Expression) -> str:
    declared = expression["value"]["type"] if "value" in expression else expression.get("return_type")
    return _type(declared) if declared else ""


def _resolver(columns: Sequence[Column]) -> Callable[[Expression], frozenset[str]]:
    by_binding = {column.binding: column for column in columns}

    def resolve(reference: Expression) -> frozenset[str]:
        if reference["expression_class"] == "BOUND_REF":
            place = int(reference["index"])
            column = columns[place] if place < len(columns) else None
        else:
            binding = reference["binding"]
            if reference["depth"]:
                raise LineageError("a reference to an outer statement")
            column = by_binding.get((binding["table_index"], binding["column_index"]))
        if column is None or (column.type and column.type != _type(reference["return_type"])):
            raise LineageError("a plan that is not laid out as expected")
        if column.value & _ROW_ID:
            raise LineageError("the row number of a table")
        return column.value

    return resolve


def _mapped(columns: list[Column], places: Sequence[int]) -> list[Column]:
    return [columns[place] for place in places] if places else columns


def _get(walk: Walk, plan: Plan) -> list[Column]:
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
    data = plan["function_data"]
    if (data["catalog"], data["schema"]) != ("memory", "main") or plan["children"]:
        raise LineageError("a table that the schema does not declare")
    names, types, table = plan["names"], plan["returned_types"], plan["table_index"]
    return [
        Column((table, number), _type(types[index]), frozenset({f"{data['table']}.{names[index]}"}))
        if index < len(names)
        else Column((table, number), "" if index > _NO_PLACE else _refuse_place(), _ROW_ID)
        for number, index in enumerate(indexes)
    ]


def _refuse_place() -> str:
    raise LineageError("a plan that is not laid out as expected")


def _rows(walk: Walk, plan: Plan, indexes: Sequence[int]) -> list[Column]:
    """Rows made of arguments: how many there are, and what is in them, both come from all arguments."""
    given = walk.child(plan) if plan["children"] else []
    arguments = given[: len(plan["input_table_types"])]
    value = _NOTHING.union(*(column.value for column in arguments))
    walk.use |= value
    table, types = plan["table_index"], plan["returned_types"]
    made = [
        Column((table, number), _type(types[index]) if index < len(types) else "", value)
        for number, index in enumerate(indexes)
    ]
    passed = [given[place] for place in plan["projected_input"]]
    return made + [Column((table, len(made) + n), column.type, column.value) for n, column in enumerate(passed)]


def _projection(walk: Walk, plan: Plan) -> list[Column]:
    return walk.made(plan["table_index"], plan["expressions"], walk.child(plan))


def _filter(walk: Walk, plan: Plan) -> list[Column]:
    columns = walk.child(plan)
    walk.used(plan["expressions"], columns)
    return _mapped(columns, plan["projection_map"])


def _order(walk: Walk, plan: Plan) -> list[Column]:
    columns = walk.child(plan)
    walk.used(plan["orders"], columns)
    return _mapped(columns, plan["projections"])


def _limit(walk: Walk, plan: Plan) -> list[Column]:
    columns = walk.child(plan)
    walk.used([plan["limit_val"], plan["offset_val"]], columns)
    return columns


def _distinct(walk: Walk, plan: Plan) -> list[Column]:
    columns = walk.child(plan)
    walk.used([plan["distinct_targets"], plan.get("order_by")], columns)
    return columns


def _aggregate(walk: Walk, plan: Plan) -> list[Column]:
    columns = walk.child(plan)
    walk.used(plan["groups"], columns)
    groups = walk.made(plan["group_index"], plan["groups"], columns)
    aggregates = walk.made(plan["aggregate_index"], plan["expressions"], columns)
    groupings = [
        Column((plan["groupings_index"], number), "BIGINT", _NOTHING)
        for number, _ in enumerate(plan["grouping_functions"])
    ]
    return groups + aggregates + groupings


def _window(walk: Walk, plan: Plan) -> list[Column]:
    columns = walk.child(plan)
    return columns + walk.made(plan["window_index"], plan["expressions"], columns)


def _unnest(walk: Walk, plan: Plan) -> list[Column]:
    columns = walk.child(plan)
    walk.used(plan["expressions"], columns)  # the length of a list says how often its row is repeated
    return columns + walk.made(plan["unnest_index"], plan["expressions"], columns)


def _join(walk: Walk, plan: Plan) -> list[Column]:
    left, right = walk.child(plan, 0), walk.child(plan, 1)
    met = _NOTHING
    for condition in plan["conditions"]:
        if "right" in condition and condition["right"] is not None:
            ours = everything(condition["left"], _resolver(left))
            theirs = everything(condition["right"], _resolver(right))
            met |= ours | theirs
            if condition["comparison"] == "COMPARE_NOT_DISTINCT_FROM":
                right = _standing_for(right, theirs, ours)
        else:  # a condition that is no comparison sees both sides, one after the other
            met |= everything(condition, _resolver(left + right))
    if plan["duplicate_eliminated_columns"]:
        raise LineageError("a correlated join of another version")
    return _joined(walk, plan, left, right, met)


def _standing_for(columns: list[Column], inner: frozenset[str], outer: frozenset[str]) -> list[Column]:
    """The engine may read an outer column of a correlated statement as the inner one that it must equal: count both."""
    return [
        Column(column.binding, column.type, column.value | outer) if column.value & inner else column
        for column in columns
    ]


def _any_join(walk: Walk, plan: Plan) -> list[Column]:
    left, right = walk.child(plan, 0), walk.child(plan, 1)
    return _joined(walk, plan, left, right, everything(plan["condition"], _resolver(left + right)))


def _joined(walk: Walk, plan: Plan, left: list[Column], right: list[Column], met: frozenset[str]) -> list[Column]:
    kind = plan["join_type"]
    kept_left = _mapped(left, plan.get("left_projection_map", ()))
    kept_right = _mapped(right, plan.get("right_projection_map", ()))
    if kind == "MARK":  # every row stays; whether it met one is a value
        return [*kept_left, Column((plan["mark_index"], 0), "BOOLEAN", met)]
    walk.use |= met
    if kind in ("INNER", "LEFT", "RIGHT", "OUTER", "FULL", "SINGLE"):
        return kept_left + kept_right
    if kind in ("SEMI", "ANTI"):
        return kept_left
    if kind in ("RIGHT_SEMI", "RIGHT_ANTI"):
        return kept_right
    raise LineageError(f"join {kind}")


def _side_by_side(walk: Walk, plan: Plan) -> list[Column]:
    return walk.child(plan, 0) + walk.child(plan, 1)


def _union(walk: Walk, plan: Plan) -> list[Column]:
    parts = [walk.columns(child) for child in plan["children"]]
    if any(len(part) != plan["column_count"] for part in parts):
        raise LineageError("a plan that is not laid out as expected")
    return [
        Column((plan["table_index"], number), same[0].type, _NOTHING.union(*(column.value for column in same)))
        for number, same in enumerate(zip(*parts, strict=True))
    ]


def _met_rows(walk: Walk, plan: Plan) -> list[Column]:
    """EXCEPT and INTERSECT: whole rows are compared."""
    for child in plan["children"]:
        walk.use |= _NOTHING.union(*(column.value for column in walk.columns(child)))
    first = walk.child(plan)
    both = _union(walk, plan)
    if plan["type"] == "LOGICAL_INTERSECT":
        return both
    return [Column(to.binding, to.type, own.value) for to, own in zip(both, first, strict=True)]


def _materialized(walk: Walk, plan: Plan) -> list[Column]:
    known: list[Sequence[frozenset[str]]] = []

    def rows() -> Sequence[frozenset[str]]:
        if not known:
            known.append([column.value for column in walk.child(plan, 0)])
        return known[0]

    walk.name(plan["table_index"], rows)
    return walk.child(plan, 1)


def _recursive(walk: Walk, plan: Plan) -> list[Column]:
    """The first rows, then again and again what is made of them, until no value changes."""
    if plan.get("key_targets") or plan.get("ref_recurring"):
        raise LineageError("WITH RECURSIVE ... USING KEY")
    first = walk.child(plan, 0)
    values = [column.value for column in first]
    while True:
        reached = list(values)
        walk.name(plan["table_index"], lambda reached=reached: reached)  # type: ignore[misc]
        again = walk.child(plan, 1)
        values = [had | column.value for had, column in zip(reached, again, strict=True)]
        if values == reached:
            break
    if not plan["union_all"]:
        walk.use |= _NOTHING.union(*values)
    return [Column((plan["table_index"], n), column.type, values[n]) for n, column in enumerate(first)]


def _reference(walk: Walk, plan: Plan) -> list[Column]:
    if plan["is_recurring"]:
        raise LineageError("WITH RECURSIVE ... USING KEY")
    values, types = walk.named(plan["cte_index"]), plan["chunk_types"]
    if len(values) != len(types):
        raise LineageError("a plan that is not laid out as expected")
    return [Column((plan["table_index"], number), _type(types[number]), value) for number, value in enumerate(values)]


def _values(walk: Walk, plan: Plan) -> list[Column]:
    columns = walk.child(plan)
    rows = [walk.made(plan["table_index"], row, columns) for row in plan["expressions"]]
    return [
        Column(same[0].binding, same[0].type, _NOTHING.union(*(column.value for column in same)))
        for same in zip(*rows, strict=True)
    ]


def _one_row(walk: Walk, plan: Plan) -> list[Column]:
    return [Column((plan["table_index"], 0), "", _NOTHING)]


def _constants(walk: Walk, plan: Plan) -> list[Column]:
    return [Column((plan["table_index"], n), _type(kind), _NOTHING) for n, kind in enumerate(plan["chunk_types"])]


def _no_rows(walk: Walk, plan: Plan) -> list[Column]:
    return [
        Column((to["table_index"], to["column_index"]), _type(kind), _NOTHING)
        for to, kind in zip(plan["bindings"], plan["return_types"], strict=True)
    ]


def _same(walk: Walk, plan: Plan) -> list[Column]:
    return walk.child(plan)


# For each operator: how it is read, and the fields in which it may hold expressions.
_OPERATORS: Mapping[str, tuple[Callable[[Walk, Plan], list[Column]], frozenset[str]]] = {
    "LOGICAL_GET": (_get, frozenset()),
    "LOGICAL_PROJECTION": (_projection, frozenset({"expressions"})),
    "LOGICAL_FILTER": (_filter, frozenset({"expressions"})),
    "LOGICAL_ORDER_BY": (_order, frozenset({"orders"})),
    "LOGICAL_LIMIT": (_limit, frozenset({"limit_val", "offset_val"})),
    "LOGICAL_DISTINCT": (_distinct, frozenset({"distinct_targets", "order_by"})),
    "LOGICAL_AGGREGATE_AND_GROUP_BY": (_aggregate, frozenset({"groups", "expressions"})),
    "LOGICAL_WINDOW": (_window, frozenset({"expressions"})),
    "LOGICAL_UNNEST": (_unnest, frozenset({"expressions"})),
    "LOGICAL_COMPARISON_JOIN": (_join, frozenset({"conditions"})),
    "LOGICAL_ASOF_JOIN": (_join, frozenset({"conditions"})),
    "LOGICAL_ANY_JOIN": (_any_join, frozenset({"condition"})),
    "LOGICAL_CROSS_PRODUCT": (_side_by_side, frozenset()),
    "LOGICAL_POSITIONAL_JOIN": (_side_by_side, frozenset()),
    "LOGICAL_UNION": (_union, frozenset()),
    "LOGICAL_EXCEPT": (_met_rows, frozenset()),
    "LOGICAL_INTERSECT": (_met_rows, frozenset()),
    "LOGICAL_MATERIALIZED_CTE": (_materialized, frozenset()),
    "LOGICAL_RECURSIVE_CTE": (_recursive, frozenset()),
    "LOGICAL_CTE_REF": (_reference, frozenset()),
    "LOGICAL_EXPRESSION_GET": (_values, frozenset({"expressions"})),
    "LOGICAL_DUMMY_SCAN": (_one_row, frozenset()),
    "LOGICAL_CHUNK_GET": (_constants, frozenset()),
    "LOGICAL_EMPTY_RESULT": (_no_rows, frozenset()),
    "LOGICAL_SAMPLE": (_same, frozenset()),
}
