"""Lineage of one statement over a declared schema.

What belongs here: from two texts to the answer. What does not: the walk itself (`quorum.lineage.walk`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import duckdb

from quorum.lineage.columns import named
from quorum.lineage.declared import Declared, declare
from quorum.lineage.operators import OPERATORS
from quorum.lineage.refusal import LineageError
from quorum.lineage.statement import Parsed, check_statement, with_constants
from quorum.lineage.walk import Walk

__all__ = ["Lineage", "LineageError", "derive", "derive_in"]

_PLAN = "SELECT system.main.json_serialize_plan(?, optimize := false)"


@dataclass(frozen=True)
class Lineage:
    """What a statement's output depends on.

    Args:
        columns: for each output column, in order, the base columns (``table.column``) that its value comes from. Output
            columns of one name are one entry.
        use: the base columns used to filter, join, group, sort, compare, partition, limit or repeat rows.
    """

    columns: Mapping[str, frozenset[str]]
    use: frozenset[str]

    def as_record(self) -> dict[str, object]:
        """Return it as ``quorum policy lineage`` prints it, base columns sorted."""
        return {
            "columns": {name: {"value": sorted(value)} for name, value in self.columns.items()},
            "use": sorted(self.use),
        }


def derive(schema: str, sql: str) -> Lineage:
    """Return the lineage of one SELECT over a declared schema.

    Args:
        schema: declarations of tables, views, macros and types, as for `declare`.
        sql: the statement; parameters are constants.

    Guarantee: if the rows of the output, or their order, can change when the values of one base column change, then
    that column is in the value of an output column or in use. Errors at run time and the time taken are not covered.

    Source: DuckDB's own binder, `json_serialize_plan(sql, optimize := false)`.

    Raises:
        LineageError: the lineage is not known.
    """
    declared = declare(schema)
    try:
        return derive_in(declared, sql)
    finally:
        declared.connection.close()


def derive_in(declared: Declared, sql: str) -> Lineage:
    """Return the lineage of one SELECT over a schema that was read once, as for `derive`.

    Raises:
        LineageError: the lineage is not known.
    """
    sql = sql.removeprefix("\ufeff")
    try:
        parsed = check_statement(declared.connection, sql, declared.macros, declared.relations)
        walk = Walk(OPERATORS, parsed.aliases | declared.aliases)
        made = walk.columns(_plan(declared.connection, sql, parsed))
        values = [named(column.value.bases) for column in made]
        use = named(walk.use.union(*(column.value.uses for column in made)))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise LineageError("a plan that is not laid out as expected") from None
    except RecursionError:
        raise LineageError("a statement nested too deeply") from None
    columns: dict[str, frozenset[str]] = {}
    for name, value in zip(_names(declared.connection, sql, parsed.parameters, len(values)), values, strict=True):
        columns[name] = columns.get(name, frozenset()) | value
    return Lineage(MappingProxyType(columns), use)


def _plan(connection: duckdb.DuckDBPyConnection, sql: str, parsed: Parsed) -> Mapping[str, Any]:
    serialized = _serialized(connection, sql)
    if serialized["error"] and serialized["error_type"] == "internal" and parsed.parameters:
        for kind in ("STRING", "INTEGER"):
            serialized = _serialized(connection, with_constants(connection, parsed, kind))
            if not serialized["error"]:
                break
    if serialized["error"]:  # its message may quote the statement
        raise LineageError(f"the statement does not bind ({serialized['error_type']} error)")
    plans = serialized["plans"]
    if len(plans) != 1:
        raise LineageError(f"{len(plans)} plans, not one")
    plan: Mapping[str, Any] = plans[0]
    return plan


def _serialized(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, Any]:
    try:
        answer = connection.execute(_PLAN, [sql]).fetchall()
    except duckdb.Error as error:
        raise LineageError(f"the statement does not bind ({type(error).__name__})") from None
    serialized: dict[str, Any] = json.loads(answer[0][0])
    return serialized


def _names(connection: duckdb.DuckDBPyConnection, sql: str, parameters: Sequence[str], expected: int) -> list[str]:
    """Return the names of the output columns; parameters are given as NULL, and there are no rows to read."""
    values: object = None
    if parameters:
        values = [None] * len(parameters) if parameters[0].isdigit() else dict.fromkeys(parameters)
    try:
        names = list(connection.sql(sql, params=values).columns)
    except duckdb.Error as error:
        raise LineageError(f"the statement does not bind ({type(error).__name__})") from None
    if len(names) != expected:
        raise LineageError("a plan that is not laid out as expected")
    return names
