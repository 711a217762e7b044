"""Lineage against what happens: change one base column, run again, compare.

Statements are drawn over three small tables from a grammar of joins, filters, groups, windows, subqueries, set
operations, CTEs and so on. An output column may change only if the changed base column is in its value or in use. The
oracle is tried itself on walks with a piece taken out: it has to find what they miss.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import pytest

from quorum.lineage import joins
from quorum.lineage import walk as walking
from quorum.lineage.columns import Column, Plan, Value
from quorum.lineage.declared import Declared, declare
from quorum.lineage.derive import Lineage, derive_in
from quorum.lineage.operators import OPERATORS

STATEMENTS = 400
TABLES = {
    "a": {"id": "int", "g": "int", "x": "int", "t": "text"},
    "b": {"id": "int", "aid": "int", "y": "int", "k": "text"},
    "c": {"n": "int", "m": "int", "e": "text"},
}
SQL_TYPES = {"int": "INTEGER", "text": "VARCHAR"}
SCHEMA = ";".join(
    f"CREATE TABLE {table} ({', '.join(f'{name} {SQL_TYPES[kind]}' for name, kind in columns.items())})"
    for table, columns in TABLES.items()
)
COLUMNS = [f"{table}.{name}" for table, columns in TABLES.items() for name in columns]
ROWS = 7
CHANGES = 3
Scope = dict[str, dict[str, str]]


class Grammar:
    """Draws statements; each expression is of a known type, each output has a name of its own."""

    def __init__(self, seed: int) -> None:
        self.draw = random.Random(seed)
        self.named = 0

    def name(self, letter: str) -> str:
        self.named += 1
        return f"{letter}{self.named}"

    def maybe(self, share: float) -> bool:
        return self.draw.random() < share

    def column(self, scope: Scope, kind: str) -> str | None:
        found = [f"{alias}.{name}" for alias, columns in scope.items() for name, k in columns.items() if k == kind]
        return self.draw.choice(found) if found else None

    def number(self, scope: Scope, depth: int) -> str:
        column = self.column(scope, "int") or f"length(repeat('z', {self.draw.randrange(4)}))"
        if depth <= 0 or self.maybe(0.45):
            return column
        inner = lambda: self.number(scope, depth - 1)  # noqa: E731
        return self.draw.choice(
            [
                lambda: f"({inner()} + {inner()})",
                lambda: f"({inner()} * 2 - 1)",
                lambda: f"coalesce({inner()}, {inner()})",
                lambda: f"CASE WHEN {self.predicate(scope, depth - 1)} THEN {inner()} ELSE {inner()} END",
                lambda: f"length({self.text(scope, depth - 1)})",
                lambda: f"greatest({inner()}, {inner()})",
                lambda: f"CAST(list_sum(list_transform([{inner()}, 1], lambda q: q + {column})) AS INTEGER)",
                lambda: f"struct_pack(p := {inner()}, q := {inner()}).p",
                lambda: self.scalar(scope, depth - 1),
            ]
        )()

    def numbers(self, scope: Scope) -> str:
        return f"list_resize([{self.number(scope, 0)}], coalesce(abs({self.number(scope, 0)}), 0) % 3)"

    def text(self, scope: Scope, depth: int) -> str:
        column = self.column(scope, "text") or "repeat('z', 1)"
        if depth <= 0 or self.maybe(0.5):
            return column
        return self.draw.choice(
            [
                lambda: f"concat({self.text(scope, depth - 1)}, '-', {self.number(scope, depth - 1)})",
                lambda: f"left({self.text(scope, depth - 1)}, 1)",
                lambda: f"CAST({self.number(scope, depth - 1)} AS VARCHAR)",
                lambda: f"CASE WHEN {self.predicate(scope, depth - 1)} THEN {self.text(scope, depth - 1)} END",
                lambda: f"CAST(to_json({self.draw.choice(list(scope))}) AS VARCHAR)",
            ]
        )()

    def predicate(self, scope: Scope, depth: int) -> str:
        number = self.number(scope, depth - 1)
        simple = [
            lambda: f"{number} {self.draw.choice(['<', '>', '=', '<>'])} {self.number(scope, depth - 1)}",
            lambda: f"{number} > {self.draw.randrange(3)}",
            lambda: f"{number} IS {self.draw.choice(['', 'NOT '])}NULL",
            lambda: f"{self.text(scope, depth - 1)} LIKE 'u%'",
            lambda: f"{number} BETWEEN 1 AND 2",
            lambda: f"{number} IN (0, 2)",
        ]
        if depth <= 0 or self.maybe(0.55):
            return "(" + self.draw.choice(simple)() + ")"
        return self.draw.choice(
            [
                lambda: f"({self.predicate(scope, depth - 1)} AND {self.predicate(scope, depth - 1)})",
                lambda: f"({self.predicate(scope, depth - 1)} OR {self.predicate(scope, depth - 1)})",
                lambda: f"(NOT {self.predicate(scope, depth - 1)})",
                lambda: self.exists(scope, depth - 1),
                lambda: self.member(scope, depth - 1),
                lambda: self.compared_to_any(scope, depth - 1),
            ]
        )()

    def inner(self, scope: Scope, depth: int) -> tuple[str, Scope, str]:
        """FROM and WHERE of a subquery, correlated or not."""
        table, alias = self.draw.choice(list(TABLES)), self.name("s")
        own: Scope = {alias: TABLES[table]}
        seen = {**scope, **own} if self.maybe(0.6) else own
        condition = self.predicate(seen, min(depth, 1))
        return f"FROM {table} AS {alias} WHERE {condition}", own, alias

    def scalar(self, scope: Scope, depth: int) -> str:
        source, own, _ = self.inner(scope, depth)
        function = self.draw.choice(["max", "min", "sum", "count"])
        return f"(SELECT CAST({function}({self.number(own, 1)}) AS INTEGER) {source})"

    def exists(self, scope: Scope, depth: int) -> str:
        source, _, _ = self.inner(scope, depth)
        return f"({self.draw.choice(['', 'NOT '])}EXISTS (SELECT 1 {source}))"

    def member(self, scope: Scope, depth: int) -> str:
        source, own, _ = self.inner(scope, depth)
        word = self.draw.choice(["IN", "NOT IN"])
        return f"({self.number(scope, 0)} {word} (SELECT {self.number(own, 1)} {source}))"

    def compared_to_any(self, scope: Scope, depth: int) -> str:
        source, own, _ = self.inner(scope, depth)
        return (
            f"({self.number(scope, 0)} >= {self.draw.choice(['ANY', 'ALL'])} (SELECT {self.number(own, 1)} {source}))"
        )

    def source(self, depth: int, ctes: Scope) -> tuple[str, str, dict[str, str]]:
        alias = self.name("t")
        if ctes and self.maybe(0.5):
            name = self.draw.choice(list(ctes))
            return f"{name} AS {alias}", alias, ctes[name]
        if depth > 0 and self.maybe(0.3):
            made, columns = self.draw.choice([self.query, self.query, self.pivot, self.unpivot])(depth - 1, ctes)
            return f"({made}) AS {alias}", alias, columns
        table = self.draw.choice(list(TABLES))
        return f"{table} AS {alias}", alias, TABLES[table]

    def pivot(self, depth: int, ctes: Scope) -> tuple[str, dict[str, str]]:
        given, columns = self.query(0, ctes)
        numbers = [name for name, kind in columns.items() if kind == "int"]
        if len(numbers) < 2:
            return given, columns
        on, of = self.draw.sample(numbers, 2)
        kept = {name: kind for name, kind in columns.items() if name not in (on, of)}
        one, two = self.name("p"), self.name("p")
        return (
            f"SELECT * FROM (PIVOT ({given}) ON {on} IN (0 AS {one}, 1 AS {two}) USING max({of}))",
            {**kept, one: "int", two: "int"},
        )

    def unpivot(self, depth: int, ctes: Scope) -> tuple[str, dict[str, str]]:
        table = self.draw.choice(["a", "b"])
        first, second = ("g", "x") if table == "a" else ("aid", "y")
        key, value = self.name("k"), self.name("v")
        kept = {name: kind for name, kind in TABLES[table].items() if name not in (first, second)}
        return (
            f"SELECT * FROM (UNPIVOT {table} ON {first}, {second} INTO NAME {key} VALUE {value})",
            {**kept, key: "text", value: "int"},
        )

    def sources(self, depth: int, ctes: Scope) -> tuple[str, Scope]:
        text, alias, columns = self.source(depth, ctes)
        scope: Scope = {alias: columns}
        for _ in range(self.draw.choice([0, 0, 1, 1, 2])):
            kind = self.draw.choice(
                ["JOIN", "LEFT JOIN", "FULL JOIN", "RIGHT JOIN", "SEMI JOIN", "ANTI JOIN", ",", "LATERAL", "UNNEST"]
            )
            if kind == "LATERAL":
                alias, made = self.name("t"), self.name("w")
                text = f"{text}, LATERAL (SELECT {self.number(scope, 1)} AS {made}) AS {alias}"
                scope[alias] = {made: "int"}
                continue
            if kind == "UNNEST":
                alias, made = self.name("t"), self.name("w")
                text = f"{text}, UNNEST({self.numbers(scope)}) AS {alias}({made})"
                scope[alias] = {made: "int"}
                continue
            right, alias, columns = self.source(depth, ctes)
            if kind == ",":
                text, scope = f"{text}, {right}", {**scope, alias: columns}
                continue
            both = {**scope, alias: columns}
            left_number, right_number = self.column(scope, "int"), self.column({alias: columns}, "int")
            condition = f"{left_number or 1} = {right_number or 1}"
            if kind in ("JOIN", "LEFT JOIN") and self.maybe(0.4):
                condition += f" AND {self.predicate(both, 0)}"
            text = f"{text} {kind} {right} ON {condition}"
            if kind not in ("SEMI JOIN", "ANTI JOIN"):
                scope = both
        return text, scope

    def window(self, scope: Scope) -> str:
        function = self.draw.choice(
            ["row_number()", "rank()", "sum({})", "lag({})", "count({})", "max({})", "first_value({})"]
        )
        over = f"PARTITION BY {self.number(scope, 0)} " if self.maybe(0.5) else ""
        over += f"ORDER BY {self.number(scope, 0)}, {self.text(scope, 0)}"
        call = function.format(self.number(scope, 1))
        if call.startswith(("sum", "count", "max")) and self.maybe(0.4):
            call += f" FILTER (WHERE {self.predicate(scope, 0)})"
        return f"CAST({call} OVER ({over}) AS INTEGER)"

    def query(self, depth: int, ctes: Scope) -> tuple[str, dict[str, str]]:
        source, scope = self.sources(depth, ctes)
        where = f" WHERE {self.predicate(scope, depth)}" if self.maybe(0.4) else ""
        shape = self.draw.choice(["plain", "plain", "grouped", "grouped", "all", "whole"])
        if shape == "grouped":
            return self.grouped(f"FROM {source}{where}", scope, depth)
        if shape == "whole" and len(scope) == 1 and not where:
            (columns,) = scope.values()
            return f"SELECT * FROM {source}{where}", columns
        items, columns = [], {}
        for _ in range(self.draw.choice([1, 2, 3])):
            kind = self.draw.choice(["int", "int", "text", "window"])
            made = {"int": self.number, "text": self.text}.get(kind)
            expression = made(scope, depth + 1) if made else self.window(scope)
            name = self.name("o")
            items.append(f"{expression} AS {name}")
            columns[name] = "text" if kind == "text" else "int"
        if self.maybe(0.08):
            items.append(f"unnest({self.numbers(scope)}) AS {(name := self.name('o'))}")
            columns[name] = "int"
            return f"SELECT {', '.join(items)} FROM {source}{where}", columns
        distinct = ""
        if self.maybe(0.15):
            distinct = self.draw.choice(["DISTINCT ", f"DISTINCT ON ({self.number(scope, 0)}) "])
        qualify = f" QUALIFY {self.window(scope)} <= 2" if self.maybe(0.12) and not distinct else ""
        return f"SELECT {distinct}{', '.join(items)} FROM {source}{where}{qualify}", columns

    def grouped(self, source: str, scope: Scope, depth: int) -> tuple[str, dict[str, str]]:
        key, name = self.number(scope, 1), self.name("o")
        if "SELECT" in key:
            key = self.number(scope, 0)
        function = self.draw.choice(["sum", "max", "count", "min", "count(DISTINCT", "first"])
        close = ")" if function == "count(DISTINCT" else ""
        opened = function + " " if close else function + "("
        argument = self.number(scope, 1)
        ordered = f" ORDER BY {self.number(scope, 0)}, {self.text(scope, 0)}" if function == "first" else ""
        filtered = f" FILTER (WHERE {self.predicate(scope, 0)})" if self.maybe(0.3) else ""
        made = self.name("o")
        having = f" HAVING max({self.number(scope, 0)}) > 0" if self.maybe(0.25) else ""
        sets = self.draw.choice(
            [f"GROUP BY ({key})", f"GROUP BY ROLLUP (({key}))", f"GROUP BY ({key}), ({self.number(scope, 0)})"]
        )
        return (
            f"SELECT {key} AS {name}, CAST({opened}{argument}{ordered}{close or ')'}{filtered} AS INTEGER) AS {made} "
            f"{source} {sets}{having}",
            {name: "int", made: "int"},
        )

    def statement(self) -> str:
        ctes: Scope = {}
        heads = []
        if self.maybe(0.35):
            text, columns = self.query(1, {})
            name = self.name("w")
            heads.append(f"{name} AS {self.draw.choice(['', 'MATERIALIZED '])}({text})")
            ctes[name] = columns
        if self.maybe(0.15):
            name = self.name("r")
            start = self.draw.choice(
                ["SELECT id, x, t FROM a", "SELECT n, m, e FROM c", "SELECT id, y, k FROM b WHERE aid > 0"]
            )
            union = self.draw.choice(["UNION", "UNION ALL"])
            heads.append(f"{name}(h, i, j) AS ({start} {union} SELECT h + 1, h, j FROM {name} WHERE h < 3)")
            ctes[name] = {"h": "int", "i": "int", "j": "text"}
        body, columns = self.query(2, ctes)
        if self.maybe(0.2):
            other, their = self.query(1, ctes)
            if list(their.values()) == list(columns.values()):
                word = self.draw.choice(["UNION", "UNION ALL", "EXCEPT", "INTERSECT", "EXCEPT ALL"])
                body = f"({body}) {word} ({other})"
        if self.maybe(0.3):
            body = f"SELECT * FROM ({body}) ORDER BY ALL" + (
                f" LIMIT {self.draw.randrange(1, 4)}" if self.maybe(0.6) else ""
            )
        elif self.maybe(0.1):
            first = next(iter(columns))
            body = f"SELECT {first} FROM ({body}) ORDER BY ALL LIMIT (SELECT max(m) FROM c)"
        head = f"WITH RECURSIVE {', '.join(heads)} " if heads else ""
        return head + body


class Oracle:
    """The three tables as they are, and once for each column and change with that column's values changed."""

    def __init__(self, seed: int) -> None:
        self.connection = duckdb.connect(config={"threads": 1})
        draw = random.Random(seed)
        base = {
            f"{table}.{name}": [self._value(draw, kind) for _ in range(ROWS)]
            for table, columns in TABLES.items()
            for name, kind in columns.items()
        }
        self._fill("base", base)
        for column in COLUMNS:
            table, name = column.split(".")
            for change in range(CHANGES):
                changed = [self._value(draw, TABLES[table][name]) for _ in range(ROWS)]
                self._fill(f"{table}_{name}_{change}", {**base, column: changed})

    @staticmethod
    def _value(draw: random.Random, kind: str) -> object:
        if draw.random() < 0.12:
            return None
        return draw.randrange(4) if kind == "int" else draw.choice("uvw") + draw.choice("uvw")

    def _fill(self, schema: str, values: dict[str, list[object]]) -> None:
        self.connection.execute(f"CREATE SCHEMA {schema}; USE {schema}; {SCHEMA}")
        for table, columns in TABLES.items():
            rows = list(zip(*(values[f"{table}.{name}"] for name in columns), strict=True))
            self.connection.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(columns))})", rows)

    def run(self, schema: str, sql: str) -> tuple[list[str], list[tuple[object, ...]]]:
        self.connection.execute(f"USE {schema}")
        done = self.connection.execute(sql)
        return [column[0] for column in done.description], done.fetchall()

    def misses(self, sql: str, lineage: Lineage) -> list[str]:
        """Return the base columns whose change changed an output that does not name them."""
        names, rows = self.run("base", sql)
        missed = []
        for column in COLUMNS:
            if column in lineage.use:
                continue
            free = [place for place, name in enumerate(names) if column not in lineage.columns[name]]
            table, name = column.split(".")
            for change in range(CHANGES):
                _, changed = self.run(f"{table}_{name}_{change}", sql)
                if _seen(rows, free) != _seen(changed, free):
                    missed.append(column)
                    break
        return missed


def _seen(rows: list[tuple[object, ...]], places: list[int]) -> list[str]:
    return sorted(repr([row[place] for place in places]) for row in rows)


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle(20261122)


@pytest.fixture
def declared() -> Iterator[Declared]:
    opened = declare(SCHEMA)
    yield opened
    opened.connection.close()


def test_no_statement_depends_on_a_column_that_its_lineage_does_not_name(oracle: Oracle, declared: Declared) -> None:
    free = 0
    for seed in range(STATEMENTS):
        sql = Grammar(seed).statement()
        lineage = derive_in(declared, sql)
        assert oracle.misses(sql, lineage) == [], sql
        named = lineage.use.union(*lineage.columns.values())
        free += len(set(COLUMNS) - named)
    assert free > 3 * STATEMENTS  # it does not hold by naming everything


class Deaf:
    """A walk as one operator sees it whose own use is thrown away; its children are walked as ever."""

    def __init__(self, walk: walking.Walk) -> None:
        self.walk, self.use = walk, set[str]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.walk, name)

    def count(self, bases: object) -> None:
        """Forget it."""

    def used(self, part: object, columns: object) -> None:
        """Forget it."""

    def arranged(self, part: object, columns: object) -> None:
        """Forget it."""


def without_use(kind: str) -> Callable[[pytest.MonkeyPatch], None]:
    def break_it(patch: pytest.MonkeyPatch) -> None:
        rule, fields = OPERATORS[kind]
        patch.setitem(OPERATORS, kind, (lambda walk, plan: rule(Deaf(walk), plan), fields))

    return break_it


def with_rule(kind: str, rule: Callable[[walking.Walk, Plan], list[Column]]) -> Callable[..., None]:
    return lambda patch: patch.setitem(OPERATORS, kind, (rule, OPERATORS[kind][1]))


def first_part(walk: walking.Walk, plan: Plan) -> list[Column]:
    return [Column((plan["table_index"], n), c.type, c.value) for n, c in enumerate(walk.child(plan))]


def no_value(rule: Callable[..., list[Column]]) -> Callable[..., list[Column]]:
    def read(walk: walking.Walk, plan: Plan) -> list[Column]:
        kept = rule(walk, plan)
        if plan.get("join_type", "MARK") != "MARK":
            return kept
        return [*kept[:-1], Column(kept[-1].binding, kept[-1].type, Value())]

    return read


BROKEN: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "filters": without_use("LOGICAL_FILTER"),
    "sorting under a limit": without_use("LOGICAL_ORDER_BY"),
    "group keys": without_use("LOGICAL_AGGREGATE_AND_GROUP_BY"),
    "distinct": without_use("LOGICAL_DISTINCT"),
    "join conditions": without_use("LOGICAL_COMPARISON_JOIN"),
    "lengths of lists": without_use("LOGICAL_UNNEST"),
    "filters and order of aggregates and windows": lambda patch: patch.setattr(
        walking, "use_of", lambda expression, resolve: frozenset()
    ),
    "the second part of a union": with_rule("LOGICAL_UNION", first_part),
    "what a recursion adds": with_rule("LOGICAL_RECURSIVE_CTE", first_part),
    "whether a row was met": with_rule("LOGICAL_COMPARISON_JOIN", no_value(joins.compared)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_the_oracle_finds_what_a_broken_walk_misses(
    what: str, oracle: Oracle, declared: Declared, monkeypatch: pytest.MonkeyPatch
) -> None:
    BROKEN[what](monkeypatch)
    statements = (Grammar(seed).statement() for seed in range(STATEMENTS))
    assert any(oracle.misses(sql, derive_in(declared, sql)) for sql in statements)
