"""A cube counts: its last step groups by what it shows, and by nothing that it does not show.

What belongs here: the outermost SELECT of a cube's statement, as it is written. What does not: lineage, which cannot
tell a count within a cell from a count within a person that nobody names.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from quorum.errors import PolicyError
from quorum.tables.catalog import Catalog
from quorum.zones import Zone

_AGGREGATES = frozenset({"count", "count_star", "count_if", "sum"})


def check_cubes(catalog: Catalog, connection: duckdb.DuckDBPyConnection) -> None:
    """Check the last step of every cube.

    Guarantee: the outermost SELECT of a cube aggregates, and every expression that it groups by stands in its output,
    so that rows of it differ in what they show; what is shown is not a person (`quorum.lineage.outside`).

    Source: clause P-03: statistics only, no row per person.

    Raises:
        PolicyError: a cube that groups by something else, or by nothing while it counts nothing.
    """
    for table in catalog.in_zone(Zone.CUBE):
        if table.query is not None and not _is_grouped(connection, table.query):
            raise PolicyError(
                "policy.row_per_person",
                f"{table.name} is not grouped by what it shows (for {table.purpose})",
                "one SELECT that counts, grouped by columns of its output and by nothing else",
                "group by the cell, and count people within it",
            )


def _is_grouped(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    answer = connection.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
    node = json.loads(answer[0][0])["statements"][0]["node"]
    if node.get("type") != "SELECT_NODE":
        return False
    counts = any(part.get("function_name") in _AGGREGATES for part in _parts(node["select_list"]))
    shown = [_name(part) for part in _parts(node["select_list"])]
    return counts and all(_name(expression) in shown for expression in node["group_expressions"])


def _parts(part: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every expression within a select list, but not what is aggregated."""
    if isinstance(part, dict):
        yield part
        if part.get("function_name") not in _AGGREGATES:
            for value in part.values():
                yield from _parts(value)
    elif isinstance(part, list):
        for value in part:
            yield from _parts(value)


def _name(expression: Mapping[str, Any]) -> str:
    """Return what an expression is, without where it stands; of a column its own name, however it is qualified."""
    if expression.get("class") == "COLUMN_REF":
        return str(expression["column_names"][-1]).lower()
    kept = {key: value for key, value in expression.items() if key != "alias" and not key.startswith("query_location")}
    return json.dumps(kept, sort_keys=True)
