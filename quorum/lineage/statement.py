"""What a statement says before it is bound: one SELECT, of allowed functions.

What belongs here: the check of the parsed statement. It cannot be made on the plan: the binder folds calls such as
``getvariable('x')`` to constants. What does not: columns, which only binding knows.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import duckdb

from quorum.lineage.functions import CALLED, ROWS
from quorum.lineage.refusal import LineageError

_QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
_CALLED = frozenset(name.lower() for name in CALLED)


@dataclass(frozen=True)
class Parsed:
    """What is known of a statement before it is bound.

    Args:
        parameters: their names, in the order of their first use.
        aliases: names, in lower case, that it gives to columns which had another one; with ``*``, it may give any.
        tree: the statement as the parser gives it.
    """

    parameters: tuple[str, ...]
    aliases: frozenset[str]
    tree: Mapping[str, Any]


def check_statement(
    connection: duckdb.DuckDBPyConnection, sql: str, macros: Collection[str] = (), relations: Collection[str] = ()
) -> Parsed:
    """Refuse what is not exactly one SELECT of allowed functions.

    Args:
        connection: any; nothing is bound.
        sql: the statement.
        macros: scalar macros that may be called, in lower case; their own bodies are checked by the caller.
        relations: table macros that may stand in FROM, in lower case.

    Raises:
        LineageError: it is something else.
    """
    if "\0" in sql:
        raise LineageError("a statement with a NUL in it")
    tree = _serialized(connection, sql)
    statements = tree["statements"]
    if len(statements) != 1:
        raise LineageError(f"{len(statements)} statements, not one")
    parameters: dict[str, None] = {}
    aliases: set[str] = set()
    for node, in_from in _nodes(statements[0]):
        kind = str(node.get("type", ""))
        if kind.endswith("_NODE") and kind not in _QUERIES:
            raise LineageError("a statement within it is not a SELECT")
        if kind == "SHOW_REF":
            raise LineageError("DESCRIBE, SHOW and SUMMARIZE read the catalogue")
        if node.get("class") == "PARAMETER":
            parameters[str(node["identifier"])] = None
        if "function_name" in node:
            _check_function(str(node["function_name"]).lower(), macros, relations, in_from=in_from)
        aliases |= _renaming(node)
    return Parsed(tuple(parameters), frozenset(aliases), tree)


def with_constants(connection: duckdb.DuckDBPyConnection, parsed: Parsed, kind: str) -> str:
    """Return a statement with a constant for each parameter; the binder cannot say of all what type they are.

    Args:
        connection: any; nothing is bound.
        parsed: the statement.
        kind: of the constants, ``STRING`` or ``INTEGER``.

    Raises:
        LineageError: the engine cannot write it down.
    """
    tree = copy.deepcopy(parsed.tree)
    for node, _ in _nodes(tree):
        if node.get("class") == "PARAMETER":
            alias = node.get("alias", "")
            node.clear()
            node.update({"class": "CONSTANT", "type": "VALUE_CONSTANT", "alias": alias})
            node["literal"] = {"kind": kind, "text": "1"}
        node.pop("named_param_map", None)
    try:
        written = connection.execute("SELECT system.main.json_deserialize_sql(?)", [json.dumps(tree)]).fetchall()
    except duckdb.Error as error:
        raise LineageError(f"parameters of no type ({type(error).__name__})") from None
    return str(written[0][0])


def _renaming(node: Mapping[str, Any]) -> set[str]:
    """Return the names that a node gives to columns as they are, or as they may be once the binder drops a cast."""
    if node.get("class", "STAR") != "STAR" and node.get("alias"):
        return {str(node["alias"]).lower()}
    if node.get("class") == "STAR" and (node.get("alias") or node.get("replace_list") or node.get("rename_list")):
        return {"*"}
    return set()


def parsed_text(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any] | None:
    """Return statements as the parser gives them; None if they are no SELECT statements, or no SQL.

    Functions of the engine are called by their full names, here and elsewhere: a schema may declare macros.
    """
    answer = connection.execute("SELECT system.main.json_serialize_sql(?)", [sql]).fetchall()
    tree: dict[str, Any] = json.loads(answer[0][0])
    return None if tree["error"] else tree


def _serialized(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    try:
        tree = parsed_text(connection, sql)
    except duckdb.Error as error:
        raise LineageError(f"the statement cannot be read ({type(error).__name__})") from None
    if tree is None:  # the parser's message may quote the statement
        raise LineageError("not one SELECT that can be read as it stands (a PIVOT needs its IN list)")
    return tree


def _check_function(name: str, macros: Collection[str], relations: Collection[str], *, in_from: bool) -> None:
    if in_from and name not in ROWS and name not in relations:
        raise LineageError(f"table function {name}")
    if not in_from and name not in _CALLED and name not in macros:
        raise LineageError(f"function {name}")


def _nodes(statement: Any) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield every object of a parsed statement, and whether it is the call of a table function."""
    waiting = [(statement, False)]
    while waiting:
        part, in_from = waiting.pop()
        if isinstance(part, dict):
            yield part, in_from
            is_call = part.get("type") == "TABLE_FUNCTION"
            waiting += [(value, is_call and key == "function") for key, value in reversed(part.items())]
        elif isinstance(part, list):
            waiting += [(value, False) for value in reversed(part)]
