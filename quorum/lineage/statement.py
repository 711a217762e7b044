"""What a statement says before it is bound: one SELECT, of allowed functions.

What belongs here: the check of the parsed statement. It cannot be made on the plan: the binder folds calls such as
``getvariable('x')`` to constants. What does not: columns, which only binding knows.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import duckdb

from quorum.lineage.functions import CALLED, ROWS
from quorum.lineage.refusal import LineageError

_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_CALLED = frozenset(name.lower() for name in CALLED)


def check_statement(
    connection: duckdb.DuckDBPyConnection, sql: str, macros: Collection[str] = (), relations: Collection[str] = ()
) -> tuple[str, ...]:
    """Refuse what is not exactly one SELECT of allowed functions; return the names of its parameters.

    Args:
        connection: any; nothing is bound.
        sql: the statement.
        macros: scalar macros that may be called, in lower case; their own bodies are checked by the caller.
        relations: table macros that may stand in FROM, in lower case.

    Raises:
        LineageError: it is something else.
    """
    parsed = _serialized(connection, sql)
    statements = parsed["statements"]
    if len(statements) != 1:
        raise LineageError(f"{len(statements)} statements, not one")
    parameters: dict[str, None] = {}
    for node, in_from in _nodes(statements[0], in_from=False):
        kind = str(node.get("type", ""))
        if kind.endswith("_NODE") and kind not in _QUERIES:
            raise LineageError("a statement within it is not a SELECT")
        if kind == "SHOW_REF":
            raise LineageError("DESCRIBE, SHOW and SUMMARIZE read the catalogue")
        if node.get("class") == "PARAMETER":
            parameters[str(node["identifier"])] = None
        if "function_name" in node:
            _check_function(str(node["function_name"]).lower(), macros, relations, in_from=in_from)
    return tuple(parameters)


def _serialized(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    try:
        answer = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    except duckdb.Error as error:
        raise LineageError(f"the statement cannot be read ({type(error).__name__})") from None
    parsed: dict[str, Any] = json.loads(answer[0][0])
    if parsed["error"]:  # its text may quote the statement
        raise LineageError("not one SELECT that can be read as it stands (a PIVOT needs its IN list)")
    return parsed


def _check_function(name: str, macros: Collection[str], relations: Collection[str], *, in_from: bool) -> None:
    if in_from and name not in ROWS and name not in relations:
        raise LineageError(f"table function {name}")
    if not in_from and name not in _CALLED and name not in macros:
        raise LineageError(f"function {name}")


def _nodes(part: Any, *, in_from: bool) -> Iterator[tuple[Mapping[str, Any], bool]]:
    """Yield every object of a parsed statement, and whether it is the call of a table function."""
    if isinstance(part, dict):
        yield part, in_from
        for key, value in part.items():
            yield from _nodes(value, in_from=key == "function" and part.get("type") == "TABLE_FUNCTION")
    elif isinstance(part, list):
        for value in part:
            yield from _nodes(value, in_from=False)
