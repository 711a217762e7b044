"""The closed list of ways in which a column may become another category, and how each is taken out of a statement.

What belongs here: names, what each does, from what to what, and its severing: with the declassifier taken out of a
statement, whatever went through it alone is no longer in the lineage, and whatever went past it still is. What does
not: which column goes through which (``policy/declassifiers.yaml``) and judging it (`quorum.lineage.changes`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import duckdb

from quorum.lineage.refusal import LineageError
from quorum.policy import DataCategory
from quorum.tables.catalog import Column, Table

Node = Mapping[str, Any]

COUNT = "count"
"""Not declared: whatever is counted or summed over people becomes STAT, and STAT comes from nothing else."""

_TESTS = frozenset({"regexp_matches", "starts_with", "contains", "~~", "!~~", "~~*", "!~~*"})
_EQUAL = frozenset({"COMPARE_EQUAL", "COMPARE_NOTEQUAL", "COMPARE_NOT_DISTINCT_FROM", "COMPARE_DISTINCT_FROM"})
_MEMBERSHIP = frozenset({"COMPARE_IN", "COMPARE_NOT_IN"})
_NULL_TESTS = frozenset({"OPERATOR_IS_NULL", "OPERATOR_IS_NOT_NULL"})


@dataclass(frozen=True)
class Declassifier:
    """A named way for a value or a use.

    Args:
        name: as ``declassifiers.yaml`` says.
        does: what it does, in a few words.
        from_: whether a category may go in.
        to: whether it may become a column, of a category, of a table; of a use, whether the table may have that column.
        severs: whether a part of a parsed statement is the declassifier; None if the contract alone proves it.
        type: of what stands in its place when it is severed.
    """

    name: str
    does: str
    from_: Callable[[DataCategory], bool]
    to: Callable[[Column, DataCategory, Table], bool]
    severs: Callable[[Node], bool] | None
    type: str = "BIGINT"


def _calls(*names: str) -> Callable[[Node], bool]:
    return lambda node: node.get("class") == "FUNCTION" and node.get("function_name") in names


def _is_pseudonym(node: Node) -> bool:
    return node.get("class") == "FUNCTION" and str(node.get("function_name")).startswith("pseudonym_")


def _is_null_test(node: Node) -> bool:
    return node.get("type") in _NULL_TESTS


def _is_equality(node: Node) -> bool:
    return node.get("type") in _EQUAL | _MEMBERSHIP or _is_null_test(node)


def _is_test(node: Node) -> bool:
    return node.get("class") in ("COMPARISON", "BETWEEN") or _is_equality(node) or _calls(*_TESTS)(node)


def _is_window(node: Node) -> bool:
    return node.get("class") == "WINDOW" and node.get("function_name") == "row_number"


def _of(*codes: str) -> Callable[[DataCategory], bool]:
    return lambda category: category.code in codes


def _class(*classes: str) -> Callable[[DataCategory], bool]:
    return lambda category: category.klass in classes


def _into(*codes: str) -> Callable[[Column, DataCategory, Table], bool]:
    return lambda _, category, __: category.code in codes


def _anywhere(_: Column, __: DataCategory, ___: Table) -> bool:
    return True


def _anything(_: DataCategory) -> bool:
    return True


VALUES: Mapping[str, Declassifier] = MappingProxyType(
    {
        way.name: way
        for way in (
            Declassifier(
                "hmac_pseudonym",
                "HMAC-SHA256 under a derived key",
                _anything,
                _into("KEY"),
                _is_pseudonym,
                "VARCHAR",
            ),
            Declassifier(
                "truncated_network",
                "an address cut to /24 or /48",
                _of("IP"),
                _into("NET"),
                _calls("truncate_network"),
                "VARCHAR",
            ),
            Declassifier(
                "completed_years",
                "age on the night",
                _of("DOB"),
                _into("AGE"),
                _calls("completed_years"),
                "INTEGER",
            ),
            Declassifier("presence", "whether there is one", _anything, _anywhere, _is_null_test, "BOOLEAN"),
            Declassifier(
                "condition",
                "a test that decides between other values",
                _class("attribute", "choice", "fact"),
                _anywhere,
                _is_test,
                "BOOLEAN",
            ),
            Declassifier(
                "flag",
                "true or false about an attribute",
                _class("attribute"),
                lambda column, category, _: column.type == "BOOLEAN" and category.klass == "attribute",
                None,
            ),
            Declassifier(
                "matched",
                "whether two values are the same",
                _class("identifier", "restricted"),
                lambda _, category, table: table.zone.is_sealed and category.klass in ("fact", "restricted"),
                _is_equality,
                "BOOLEAN",
            ),
        )
    }
)
"""Declassifiers of values."""

USES: Mapping[str, Declassifier] = MappingProxyType(
    {
        way.name: way
        for way in (
            Declassifier("latest_version", "the last row of each", _anything, _anywhere, _is_window),
            Declassifier(
                "honoured_choice",
                "who made a choice and when; the table tells choices only",
                _class("attribute", "pseudonym", "identifier"),
                lambda _, category, __: category.klass in ("choice", "pseudonym") or category.code == "FACT",
                None,
            ),
            Declassifier(
                "link_in_time",
                "who was whom and when; the table tells that only",
                _class("attribute", "pseudonym"),
                lambda _, category, __: category.klass == "pseudonym" or category.code == "TIME",
                None,
            ),
        )
    }
)
"""Declassifiers of uses."""

READS: Mapping[str, str] = MappingProxyType({"segment_id": "who is in a segment and since when, by the segment's id"})
"""What a table may read of another purpose's table."""

_is_count = _calls("count", "count_star", "count_if")


def severed(connection: duckdb.DuckDBPyConnection, sql: str, way: str) -> str:
    """Return a statement in which a value of no origin stands in the place of each call of a declassifier.

    Args:
        connection: any; nothing is bound.
        sql: one SELECT without parameters.
        way: one of `VALUES`, `USES`, or `COUNT`.

    Raises:
        LineageError: the statement cannot be read.
    """
    declared = VALUES.get(way) or USES.get(way)
    is_part = _is_count if declared is None else declared.severs
    if is_part is None:
        return sql
    kind = "BIGINT" if declared is None else declared.type
    answer = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    parsed = json.loads(answer[0][0])
    if parsed["error"]:
        raise LineageError("not one SELECT that can be read as it stands")
    written = json.dumps(_replaced(parsed, is_part, kind))
    text: str = connection.execute("SELECT json_deserialize_sql(?)", [written]).fetchall()[0][0]
    return text


def _replaced(part: Any, is_part: Callable[[Node], bool], kind: str) -> Any:
    if isinstance(part, dict):
        if part.get("class") == "WINDOW" and is_part(part):
            return {**part, "partitions": [], "orders": []}  # a QUALIFY must keep its window
        if is_part(part) and not _has_window(part):
            return _arbitrary(str(part.get("alias", "")), kind)
        return {key: _replaced(value, is_part, kind) for key, value in part.items()}
    if isinstance(part, list):
        return [_replaced(value, is_part, kind) for value in part]
    return part


def _has_window(part: Any) -> bool:
    if isinstance(part, dict):
        return part.get("class") == "WINDOW" or any(_has_window(value) for value in part.values())
    return isinstance(part, list) and any(_has_window(value) for value in part)


def _arbitrary(alias: str, kind: str) -> Node:
    """Return a value that comes from nowhere and that the binder cannot fold away with what stands beside it."""
    chance: Node = {
        "class": "FUNCTION",
        "type": "FUNCTION",
        "alias": "",
        "function_name": "random",
        "schema": "",
        "catalog": "",
        "filter": None,
        "order_bys": {"type": "ORDER_MODIFIER", "orders": []},
        "distinct": False,
        "is_operator": False,
        "export_state": False,
        "arguments": [],
        "qualified_name": {"path": ["random"]},
    }
    type_ = {
        "class": "TYPE",
        "type": "TYPE",
        "alias": "",
        "catalog": "",
        "schema": "",
        "type_name": kind,
        "children": [],
        "qualified_name": {"path": [kind]},
    }
    return {
        "class": "CAST",
        "type": "OPERATOR_CAST",
        "alias": alias,
        "child": chance,
        "try_cast": False,
        "type_expr": type_,
    }
