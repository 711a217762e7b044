"""The oracle of lineage: change the values of one base column, run again, compare.

What belongs here: the tables of a schema as they are, and once for each column and change. What does not: statements.
"""

from __future__ import annotations

import random
from typing import Any

import duckdb

from quorum.lineage.derive import Lineage

ROWS = 7
CHANGES = 2


class Oracle:
    """Databases of one schema that differ in one column each.

    Args:
        schema: CREATE statements.
        seed: of all values.
    """

    def __init__(self, schema: str, seed: int) -> None:
        self.schema, self.draw = schema, random.Random(seed)
        opened = self._opened()
        self.types: dict[tuple[str, str, str], Any] = {}
        for owner, table in opened.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall():
            relation = opened.table(f'"{owner}"."{table}"')
            self.types |= {
                (owner, table, name): kind for name, kind in zip(relation.columns, relation.types, strict=True)
            }
        for made in opened.execute(_GENERATED).fetchall():
            del self.types[made]
        self.values = {column: self._values(column) for column in self.types}
        self.base = self._filled(self.values)
        self.changed = {
            column: [self._filled({**self.values, column: self._values(column)}) for _ in range(CHANGES)]
            for column in self.types
        }

    def _opened(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(config={"threads": 1})
        connection.execute(self.schema)
        return connection

    def _values(self, column: tuple[str, str, str]) -> list[str]:
        return [self._value(self.types[column]) for _ in range(ROWS)]

    def _filled(self, values: dict[tuple[str, str, str], list[str]]) -> duckdb.DuckDBPyConnection:
        connection = self._opened()
        for owner, table in {column[:2] for column in values}:
            listed = {column[2]: given for column, given in values.items() if column[:2] == (owner, table)}
            names = ", ".join(f'"{name}"' for name in listed)
            rows = ", ".join(f"({', '.join(row)})" for row in zip(*listed.values(), strict=True))
            connection.execute(f'INSERT INTO "{owner}"."{table}" ({names}) VALUES {rows}')
        return connection

    def _value(self, kind: Any) -> str:
        draw = self.draw
        if draw.random() < 0.12:
            return "NULL"
        if str(kind) == "JSON":
            return f"""'{{"a": {draw.randrange(4)}, "{draw.choice("bc")}": "{draw.choice("xy")}"}}'"""
        if kind.id == "struct":
            return "{" + ", ".join(f"'{name}': {self._value(child)}" for name, child in kind.children) + "}"
        if kind.id == "list":
            return "[" + ", ".join(self._value(kind.children[0][1]) for _ in range(draw.randrange(3))) + "]"
        if kind.id == "map":
            return f"MAP {{'{draw.choice('ab')}': {self._value(kind.children[1][1])}}}"
        if kind.id == "enum":
            return f"'{draw.choice(kind.children[0][1])}'"
        return {
            "integer": lambda: str(draw.randrange(4)),
            "varchar": lambda: f"'{draw.choice('abpuvw')}{draw.choice(['', 'u'])}'",
            "date": lambda: f"DATE '2000-01-0{draw.randrange(1, 5)}'",
            "boolean": lambda: draw.choice(["true", "false"]),
        }[kind.id]()

    def misses(self, sql: str, lineage: Lineage) -> list[str]:
        """Return the base columns whose change changed an output that does not name them."""
        names, rows = _run(self.base, sql)
        missed = []
        for column, databases in self.changed.items():
            base = ".".join(column).removeprefix("main.")
            if base in lineage.use:
                continue
            free = [place for place, name in enumerate(names) if base not in lineage.columns[name]]
            expected = _seen(rows, free)
            if any(_seen(_run(database, sql)[1], free) != expected for database in databases):
                missed.append(base)
        return missed


_GENERATED = """
SELECT table_schema, table_name, column_name FROM information_schema.columns WHERE is_generated = 'ALWAYS'
"""


def _run(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
    done = connection.execute(sql)
    return [column[0] for column in done.description], done.fetchall()


def _seen(rows: list[tuple[object, ...]], places: list[int]) -> list[str]:
    return sorted(repr([row[place] for place in places]) for row in rows)
