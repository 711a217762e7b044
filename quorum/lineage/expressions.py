"""What a bound expression refers to.

What belongs here: kinds of expressions. What does not: operators (`quorum.lineage.operators`), which say where the
columns that an expression refers to come from. Every reference found anywhere in an expression counts, whatever the
field it stands in; a kind of expression that is not listed is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from quorum.lineage.columns import Base, Expression, Value, is_constant, struct_of, together, type_of
from quorum.lineage.functions import BOUND
from quorum.lineage.refusal import LineageError

Resolve = Callable[[Expression], Value]

_REFERENCES = frozenset({"BOUND_REF", "BOUND_COLUMN_REF"})
_KNOWN = _REFERENCES | {
    "BOUND_AGGREGATE",
    "BOUND_BETWEEN",
    "BOUND_CASE",
    "BOUND_CAST",
    "BOUND_COMPARISON",
    "BOUND_CONJUNCTION",
    "BOUND_CONSTANT",
    "BOUND_FUNCTION",
    "BOUND_LAMBDA",
    "BOUND_OPERATOR",
    "BOUND_PARAMETER",
    "BOUND_UNNEST",
    "BOUND_WINDOW",
}
# The body of a lambda, the aggregate of list_aggregate and the key of list_sort count by places of their own. The list,
# and what a lambda captures, stand beside them among the arguments.
_OWN_PLACES = frozenset({"lambda_expr", "aggr_expr", "sort_key"})
# Fields that decide which rows an aggregate or a window sees and in what order: use, not value.
_ORDERING: Mapping[str, tuple[str, ...]] = {
    "BOUND_AGGREGATE": ("order_bys",),
    "BOUND_WINDOW": ("partitions", "orders", "arg_orders"),
}
_CHOOSING: Mapping[str, tuple[str, ...]] = {
    "BOUND_AGGREGATE": ("filter",),
    "BOUND_WINDOW": ("filters", "start_expr", "end_expr"),
}
_BOUND = frozenset(name.lower() for name in BOUND)
_WRITTEN_LISTS = frozenset({"list_value", "list_pack", "unpivot_list"})
_PACKING = frozenset({"struct_pack", "row"})
_EXTRACTING = frozenset({"struct_extract", "struct_extract_at", "array_extract"})


def value_of(expression: Expression, resolve: Resolve) -> Value:
    """Return what an expression's value comes from: all it refers to but what it only uses.

    Fields of a struct that is made here, or further down, are told apart.

    Raises:
        LineageError: a kind of expression or a function that is not known.
    """
    known = _known(expression, resolve)
    if known is not None:
        return known
    made = together(_taken(expression, resolve, skip_use=True))
    return replace(made, is_written_out=_built_in(expression) in _WRITTEN_LISTS)


def use_of(expression: Expression, resolve: Resolve) -> frozenset[Base]:
    """Return the base columns that aggregates and windows in an expression filter, partition or order by.

    Raises:
        LineageError: a kind of expression or a function that is not known.
    """
    found: frozenset[Base] = frozenset()
    for node in _expressions(expression):
        kind = node["expression_class"]
        for name in _CHOOSING.get(kind, ()):
            found |= everything(node.get(name), resolve)
        for name in _ORDERING.get(kind, ()):
            found |= arranging(node.get(name), resolve)
    return found


def everything(part: Any, resolve: Resolve) -> frozenset[Base]:
    """Return the base columns that all expressions in a part of a plan refer to, in whatever way.

    Raises:
        LineageError: a kind of expression or a function that is not known.
    """
    return taken(part, resolve).all


def taken(part: Any, resolve: Resolve) -> Value:
    """Return a value that is made of all that a part of a plan refers to, in whatever way.

    Raises:
        LineageError: a kind of expression or a function that is not known.
    """
    return together(_taken(part, resolve, skip_use=False))


def arranging(part: Any, resolve: Resolve) -> frozenset[Base]:
    """Return the base columns that rows are grouped or sorted by; a constant arranges nothing.

    Raises:
        LineageError: a kind of expression or a function that is not known.
    """
    each = [taken(expression, resolve) for expression in _outermost(part)]
    return frozenset[Base]().union(*(value.uses if is_constant(value.bases) else value.all for value in each))


def holds_expression(part: Any) -> bool:
    """Tell whether there is an expression anywhere in a part of a plan."""
    return next(iter(_expressions(part)), None) is not None


def is_reference(expression: Expression) -> bool:
    """Tell whether an expression is a reference to a column and nothing else."""
    return expression["expression_class"] in _REFERENCES


def repeating(unnested: Expression, resolve: Resolve) -> frozenset[Base]:
    """Return the base columns that say how often UNNEST repeats a row: those of the list, unless it is written out.

    A list that is not taken is made as well, with the windows in it.

    Raises:
        LineageError: a kind of expression or a function that is not known.
    """
    of_list = value_of(unnested["child"], resolve) if "child" in unnested else Value()
    return of_list.moves if of_list.is_written_out else everything(unnested, resolve)


def _built_in(expression: Expression) -> str:
    path = (expression.get("qname") or {}).get("path") or []
    return str(path[-1]) if path[:-1] == ["system", "main"] else ""


def _constant(expression: Expression) -> str | int | None:
    """Return the name or number that a field is taken by."""
    is_cast = (expression.get("qname") or {}).get("path") == ["__cast"]
    constant = expression["children"][0] if is_cast else expression
    if constant["expression_class"] != "BOUND_CONSTANT" or constant["value"]["is_null"]:
        return None
    value = constant["value"]["value"]
    if isinstance(value, int) and type_of(expression) == "BIGINT":
        return value
    return value if isinstance(value, str) and not is_cast else None


def _parts(part: Any) -> list[Any]:
    """Return the parts of a part, in order, but those whose references count by places of their own."""
    if isinstance(part, dict):
        return [value for key, value in part.items() if key not in _OWN_PLACES]
    return part if isinstance(part, list) else []


def _expressions(part: Any) -> Iterator[Expression]:
    waiting = [part]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict) and "expression_class" in found:
            _check(found)
            yield found
        waiting += _parts(found)


def _outermost(part: Any) -> Iterator[Expression]:
    waiting = [part]
    while waiting:
        found = waiting.pop()
        if isinstance(found, dict) and "expression_class" in found:
            yield found
        else:
            waiting += _parts(found)


def _taken(part: Any, resolve: Resolve, *, skip_use: bool) -> Iterator[Value]:
    """Yield what a part takes: columns, or fields of them."""
    waiting = [part]
    while waiting:
        found = waiting.pop()
        kind = found.get("expression_class") if isinstance(found, dict) else None
        if kind is None:
            waiting += _parts(found)
            continue
        _check(found)
        if kind in _REFERENCES:
            yield resolve(found)
            continue
        field = _known(found, resolve) if _built_in(found) in _EXTRACTING else None
        if field is not None:
            yield field
            yield Value() if skip_use else Value(use_of(found, resolve))
            continue
        skipped = _only_used(found) if skip_use else frozenset[str]()
        waiting += _parts({key: value for key, value in found.items() if key not in skipped})


def _only_used(expression: Expression) -> frozenset[str]:
    """Return the fields that only say which rows are seen, and in what order."""
    kind = expression["expression_class"]
    fields = frozenset((*_ORDERING.get(kind, ()), *_CHOOSING.get(kind, ())))
    return fields - {"orders", "arg_orders"} if expression.get("type") == "WINDOW_FILL" else fields  # a line along them


def _known(expression: Expression, resolve: Resolve) -> Value | None:
    """Return the value of a column, of a struct that is made of values, or of a field of one; None of anything else."""
    _check(expression)
    if expression["expression_class"] in _REFERENCES:
        return resolve(expression)
    function = _built_in(expression)
    if function in _PACKING:
        names = [str(child["first"]) for child in expression["return_type"]["type_info"]["child_types"]]
        return struct_of(names, [value_of(child, resolve) for child in expression["children"]])
    if function not in _EXTRACTING or len(expression["children"]) != 2:
        return None
    of, key = _known(expression["children"][0], resolve), _constant(expression["children"][1])
    return None if of is None or key is None else of.field(key)


def _check(expression: Expression) -> None:
    kind = str(expression["expression_class"])
    if kind not in _KNOWN:
        raise LineageError(f"expression {kind}")
    path = (expression.get("qname") or {}).get("path") or []
    if path and str(path[-1]).lower() not in _BOUND and not _is_collation(str(path[-1])):
        raise LineageError(f"function {path[-1]}")


def _is_collation(name: str) -> bool:
    return name.startswith(("collate_", "icu_collate_"))
