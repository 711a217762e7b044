"""What a bound expression refers to.

What belongs here: kinds of expressions. What does not: operators (`quorum.lineage.walk`), which say where the columns
that an expression refers to come from. Every reference found anywhere in an expression counts, whatever the field it
stands in; a kind of expression that is not listed is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from quorum.lineage.functions import BOUND
from quorum.lineage.refusal import LineageError

Expression = Mapping[str, Any]
Resolve = Callable[[Expression], frozenset[str]]

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
# The body of a lambda, and the aggregate of list_aggregate, count by places of their own. The list, and what a lambda
# captures, stand beside them among the arguments.
_OWN_PLACES = frozenset({"lambda_expr", "aggr_expr"})
# Fields that decide which rows an aggregate or a window sees and in what order: use, not value.
_USE_FIELDS: Mapping[str, tuple[str, ...]] = {
    "BOUND_AGGREGATE": ("filter", "order_bys"),
    "BOUND_WINDOW": ("partitions", "orders", "arg_orders", "filters", "start_expr", "end_expr"),
}
_BOUND = frozenset(name.lower() for name in BOUND)


def value_of(expression: Expression, resolve: Resolve) -> frozenset[str]:
    """Return the base columns that an expression's value comes from: all it refers to but what it only uses.

    Raises:
        LineageError: a kind of expression or a function that is not known.
    """
    return _union(resolve(found) for found in _references(expression, skip_use=True))


def use_of(expression: Expression, resolve: Resolve) -> frozenset[str]:
    """Return the base columns that aggregates and windows in an expression filter, partition or order by.

    Raises:
        LineageError: a kind of expression or a function that is not known.
    """
    used = [
        reference
        for node in _expressions(expression)
        for field in _USE_FIELDS.get(node["expression_class"], ())
        for reference in _references(node.get(field), skip_use=False)
    ]
    return _union(resolve(found) for found in used)


def everything(part: Any, resolve: Resolve) -> frozenset[str]:
    """Return the base columns that all expressions in a part of a plan refer to, in whatever way.

    Raises:
        LineageError: a kind of expression or a function that is not known.
    """
    return _union(resolve(found) for found in _references(part, skip_use=False))


def holds_expression(part: Any) -> bool:
    """Tell whether there is an expression anywhere in a part of a plan."""
    return next(iter(_expressions(part)), None) is not None


def _union(parts: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*parts)


def _expressions(part: Any) -> Iterator[Expression]:
    if isinstance(part, dict):
        if "expression_class" in part:
            _check(part)
            yield part
        for key, value in part.items():
            if key not in _OWN_PLACES:
                yield from _expressions(value)
    elif isinstance(part, list):
        for value in part:
            yield from _expressions(value)


def _references(part: Any, *, skip_use: bool) -> Iterator[Expression]:
    if isinstance(part, dict):
        kind = part.get("expression_class")
        if kind is not None:
            _check(part)
        if kind in _REFERENCES:
            yield part
            return
        skipped = _USE_FIELDS.get(kind, ()) if skip_use and kind is not None else ()
        for key, value in part.items():
            if key not in _OWN_PLACES and key not in skipped:
                yield from _references(value, skip_use=skip_use)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value, skip_use=skip_use)


def _check(expression: Expression) -> None:
    kind = str(expression["expression_class"])
    if kind not in _KNOWN:
        raise LineageError(f"expression {kind}")
    path = (expression.get("qname") or {}).get("path") or []
    if path and str(path[-1]).lower() not in _BOUND and not _is_collation(str(path[-1])):
        raise LineageError(f"function {path[-1]}")


def _is_collation(name: str) -> bool:
    return name.startswith(("collate_", "icu_collate_"))
