"""A catalogue that holds only what a schema declares, with no rows and no way out.

What belongs here: reading declarations into an empty database. What does not: the statement whose lineage is asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import duckdb

from quorum.lineage.functions import CALLED, ROWS
from quorum.lineage.refusal import LineageError
from quorum.lineage.statement import check_statement, parsed_text

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
    r"CREATE\s+(?:OR\s+REPLACE\s+)?(TABLE|(?:RECURSIVE\s+)?VIEW|MACRO|FUNCTION|TYPE|SCHEMA|SEQUENCE|(?:UNIQUE\s+)?INDEX)\b",
    re.IGNORECASE,
)
_ADDITION = re.compile(r"(?:ALTER\s+TABLE|COMMENT\s+ON)\b", re.IGNORECASE)
_CALL = re.compile(r"\b(\w+)\"?\s*\(")
_VIEWS = "SELECT sql FROM system.main.duckdb_views() WHERE NOT internal"
_FUNCTIONS = """
SELECT function_name, function_type, macro_definition, internal FROM system.main.duckdb_functions()
WHERE function_type NOT IN ('pragma')
"""
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
        calls = _create(connection, schema)
        connection.execute("SET lock_configuration = true")
        return _checked(connection, calls)
    except duckdb.Error as error:
        connection.close()
        raise LineageError(f"the schema does not bind ({type(error).__name__})") from None
    except LineageError:
        connection.close()
        raise


def _create(connection: duckdb.DuckDBPyConnection, schema: str) -> frozenset[str]:
    """Run the declarations; return what they seem to call, as the catalogue does not show all of it."""
    calls: set[str] = set()
    for statement in connection.extract_statements(schema.removeprefix("\ufeff")):
        text = _COMMENT.sub("", statement.query)
        declaration = _DECLARATION.match(text) if statement.type == duckdb.StatementType.CREATE else None
        is_addition = statement.type == duckdb.StatementType.ALTER and _ADDITION.match(text)
        if declaration is None and not is_addition:
            raise LineageError("the schema holds more than declarations of tables, views, macros and types")
        is_table = declaration is not None and declaration[1].upper() == "TABLE"
        if is_table and _is_select(connection, text):
            raise LineageError("the schema holds a table made by a query; declare its columns")
        called = {call[1].lower() for call in _CALL.finditer(text)}
        calls |= called - {"nextval"} if is_table else called  # as a default, it counts for rows that are put in
        connection.execute(statement)
    return frozenset(calls)


def _is_select(connection: duckdb.DuckDBPyConnection, text: str) -> bool:
    """Tell whether a CREATE TABLE ends in AS SELECT; a default or a check that says AS is followed by a type."""
    return any(parsed_text(connection, text[found.end() :]) for found in _AS.finditer(text))


def _checked(connection: duckdb.DuckDBPyConnection, calls: frozenset[str]) -> Declared:
    """Check the bodies of views and macros like statements: what they call would be folded away as well."""
    found = connection.execute(_FUNCTIONS).fetchall()
    macros = [(name.lower(), kind, body) for name, kind, body, is_internal in found if not is_internal]
    refused = {name.lower() for name, _, _, is_internal in found if is_internal} - _ALLOWED
    if any(name in refused for name, _, _ in macros):
        raise LineageError("a macro with the name of a function that is not allowed")
    if calls & refused:
        raise LineageError("the schema calls a function that is not allowed")
    scalars = frozenset(name for name, kind, _ in macros if kind == "macro")
    relations = frozenset(name for name, kind, _ in macros if kind == "table_macro")
    bodies = [f"SELECT {body}" if kind == "macro" else body for _, kind, body in macros]
    bodies += [_body(connection, text) for (text,) in connection.execute(_VIEWS).fetchall()]
    parsed = [check_statement(connection, body, scalars, relations) for body in bodies]
    return Declared(connection, scalars, relations, frozenset[str]().union(*(body.aliases for body in parsed)))


def _body(connection: duckdb.DuckDBPyConnection, view: str) -> str:
    bodies = (view[found.end() :] for found in _AS.finditer(view))
    body = next((body for body in bodies if parsed_text(connection, body)), None)
    if body is None:
        raise LineageError("a view that cannot be read")
    return body
