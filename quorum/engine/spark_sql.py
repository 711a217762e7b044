"""The statements of ``sql/`` in Spark's dialect: translated, never written twice.

What belongs here: translating a statement, and macros written out where they are called. What does not: running it
(`quorum.engine.spark`), and which SQL is portable (``docs/portable_sql.md``, `tests/contract/test_sql_portable.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import sqlglot
from sqlglot import exp

from quorum.errors import ConfigurationError

_MACRO = re.compile(r"CREATE MACRO (\w+)\(([^)]*)\) AS (.*)", re.DOTALL)
_DUCKDB, _SPARK = "duckdb", "spark"


@dataclass(frozen=True)
class Macro:
    """A scalar macro.

    Args:
        parameters: their names.
        body: an expression over them.
    """

    parameters: tuple[str, ...]
    body: exp.Expression


def read_macros(definitions: Sequence[str]) -> dict[str, Macro]:
    """Return DuckDB's ``CREATE MACRO`` statements by the name that they define.

    Args:
        definitions: as `quorum.engine.macros` writes them.

    Raises:
        ConfigurationError: one of them is no scalar macro; the message carries none of its text.
    """
    found = {}
    for definition in definitions:
        match = _MACRO.fullmatch(definition)
        if match is None:
            raise ConfigurationError("engine.macro", "a macro that cannot be read", "CREATE MACRO name(...) AS ...")
        parameters = tuple(name.strip() for name in match[2].split(","))
        body = sqlglot.parse_one(f"SELECT {match[3]}", read=_DUCKDB).expressions[0]
        found[match[1]] = Macro(parameters, body)
    return found


def translate(statement: str, night: date, macros: Mapping[str, Macro]) -> str:
    """Return a statement of the catalogue as Spark reads it.

    Args:
        statement: DuckDB's SQL, one SELECT; ``$night`` stands for the night.
        night: the night.
        macros: written out where they are called; Spark has none.

    Returns:
        The statement, with the night as a literal.

    Example:
        >>> translate("select n // 2 as half from t where d = $night", date(2026, 11, 21), {})
        "SELECT n DIV 2 AS half FROM t WHERE d = CAST('2026-11-21' AS DATE)"

    Guarantee:
        Nothing but the dialect changes: a construct of the portable subset gives the same rows.

    Source: sqlglot; docs/portable_sql.md.
    """
    tree = sqlglot.parse_one(statement, read=_DUCKDB)

    def put(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Parameter | exp.Placeholder) and node.name == "night":
            return exp.cast(exp.Literal.string(night.isoformat()), "DATE")
        if isinstance(node, exp.Anonymous) and node.name.lower() in macros:
            return exp.paren(_written_out(macros[node.name.lower()], node.expressions).transform(put))
        return node

    return str(tree.transform(put).sql(dialect=_SPARK))


def _written_out(macro: Macro, arguments: Sequence[exp.Expression]) -> exp.Expression:
    """Return a macro's body with arguments in place of its parameters."""
    given = dict(zip(macro.parameters, arguments, strict=True))

    def put(node: exp.Expression) -> exp.Expression:
        if isinstance(node, exp.Column) and not node.table and node.name in given:
            return exp.paren(given[node.name].copy())
        return node

    return macro.body.copy().transform(put)
