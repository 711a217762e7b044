"""A catalogue that holds only what a schema declares, with no rows and no way out.

What belongs here: reading declarations into an empty database. What does not: the statement whose lineage is asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from quorum.lineage.functions import CALLED, ROWS
from quorum.lineage.refusal import LineageError
from quorum.lineage.statement import check_statement

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
    "python_enable_replacements": "false",
    "memory_limit": "1GB",
    "threads": 1,
}
_COMMENT = re.compile(r"\A(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/)+", re.DOTALL)
_DECLARATION = re.compile(
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(TABLE|VIEW|MACRO|FUNCTION|TYPE|SCHEMA|SEQUENCE|(?:UNIQUE\s+)?INDEX)\b",
    re.IGNORECASE,
)
_ADDITION = re.compile(r"(?:ALTER\s+TABLE|COMMENT\s+ON)\b", re.IGNORECASE)
_VIEWS = "SELECT sql FROM duckdb_views() WHERE NOT internal"
_ALLOWED = frozenset(name.lower() for name in CALLED | ROWS)
_AS = re.compile(r"\sAS\s", re.IGNORECASE)


@dataclass(frozen=True)
class Declared:
    """An empty database of declared tables.

    Args:
        connection: to it; close it when done.
        macros: names of its scalar macros, in lower case.
        relations: names of its table macros, in lower case.
        aliases: names that views and macros give to columns which had another one, in lower case.
    """

    connection: duckdb.DuckDBPyConnection
    macros: frozenset[str]
    relations: frozenset[str]
    aliases: frozenset[str]


def declare(schema: str) -> Declared:
    """Read a schema into an empty database in memory that can reach no file, no setting and no network.

    Args:
        schema: ``CREATE TABLE``, ``VIEW``, ``MACRO`` and ``TYPE`` statements, and what may go with them: ``SCHEMA``,
            ``SEQUENCE``, ``INDEX``, ``ALTER TABLE``, ``COMMENT ON``. No data.

    Raises:
        LineageError: something else is in it, it does not bind, or a view or macro calls what is not allowed.
    """
    connection = duckdb.connect(":memory:", config=_SETTINGS)
    try:
        _create(connection, schema)
        connection.execute("SET lock_configuration = true")
        return _checked(connection)
    except duckdb.Error as error:
        connection.close()
        raise LineageError(f"the schema does not bind ({type(error).__name__})") from None
    except LineageError:
        connection.close()
        raise


def _create(connection: duckdb.DuckDBPyConnection, schema: str) -> None:
    for statement in connection.extract_statements(schema.removeprefix("\ufeff")):
        text = _COMMENT.sub("", statement.query)
        declaration = _DECLARATION.match(text) if statement.type == duckdb.StatementType.CREATE else None
        is_addition = statement.type == duckdb.StatementType.ALTER and _ADDITION.match(text)
        if declaration is None and not is_addition:
            raise LineageError("the schema holds more than declarations of tables, views, macros and types")
        if declaration and declaration[1].upper() == "TABLE" and _is_select(connection, text):
            raise LineageError("the schema holds a table made by a query; declare its columns")
        connection.execute(statement)


def _is_select(connection: duckdb.DuckDBPyConnection, text: str) -> bool:
    """Tell whether a CREATE TABLE ends in AS SELECT; a default or a check that says AS is followed by a type."""
    return any(_parses(connection, text[found.end() :]) for found in _AS.finditer(text))


def _parses(connection: duckdb.DuckDBPyConnection, text: str) -> bool:
    answer = connection.execute("SELECT json_serialize_sql(?) ->> 'error'", [text]).fetchall()
    return bool(answer[0][0] == "false")


def _checked(connection: duckdb.DuckDBPyConnection) -> Declared:
    """Check the bodies of views and macros like statements: what they call would be folded away as well."""
    found = connection.execute(
        "SELECT lower(function_name), function_type, macro_definition, internal FROM duckdb_functions()"
    ).fetchall()
    macros = [(name, kind, body) for name, kind, body, is_internal in found if not is_internal]
    hidden = {name for name, _, _, is_internal in found if is_internal} - _ALLOWED
    if any(name in hidden for name, _, _ in macros):
        raise LineageError("a macro with the name of a function that is not allowed")
    scalars = frozenset(name for name, kind, _ in macros if kind == "macro")
    relations = frozenset(name for name, kind, _ in macros if kind == "table_macro")
    bodies = [f"SELECT {body}" if kind == "macro" else body for _, kind, body in macros]
    bodies += [_body(connection, text) for (text,) in connection.execute(_VIEWS).fetchall()]
    parsed = [check_statement(connection, body, scalars, relations) for body in bodies]
    return Declared(connection, scalars, relations, frozenset().union(*(body.aliases for body in parsed)))


def _body(connection: duckdb.DuckDBPyConnection, view: str) -> str:
    bodies = (view[found.end() :] for found in _AS.finditer(view))
    body = next((body for body in bodies if _parses(connection, body)), None)
    if body is None:
        raise LineageError("a view that cannot be read")
    return body
