"""A grammar of statements for the oracle of lineage.

What belongs here: drawing statements over three small tables: joins, filters, groups, windows, subqueries, set
operations, lists, structs, CTEs. What does not: running them.
"""

from __future__ import annotations

import random

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
                lambda: f"struct_pack(p := {inner()}, q := {inner()}).{self.draw.choice('pq')}",
                lambda: f"row({inner()}, {inner()})[{self.draw.choice('12')}]",
                lambda: self.of_whole_row(scope) or column,
                lambda: self.scalar(scope, depth - 1),
            ]
        )()

    def of_whole_row(self, scope: Scope) -> str | None:
        column = self.column(scope, "int")
        return column and "({}).{}".format(*column.split("."))

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
        if self.maybe(0.3):
            condition = f"{self.column(own, 'int')} = {self.column(scope, 'int') or 1}"
        return f"FROM {table} AS {alias} WHERE {condition}", own, alias

    def scalar(self, scope: Scope, depth: int) -> str:
        source, own, _ = self.inner(scope, depth)
        function = self.draw.choice(["max", "min", "sum", "count"])
        if self.maybe(0.6):
            return f"(SELECT CAST({function}({self.number(own, 1)}) AS INTEGER) {source})"
        seen = {**scope, **own}
        number, other, name = self.number(seen, 0), self.number(seen, 0), self.name("i")
        rows = self.draw.choice(
            [
                lambda: f"SELECT DISTINCT {number} AS {name} {source}",
                lambda: f"SELECT {number} AS {name} {source} GROUP BY ALL",
                lambda: f"SELECT count(*) AS {name} {source} GROUP BY {number}",
                lambda: f"SELECT {number} AS {name} {source} {self.word()} SELECT {self.number(seen, 0)} {source}",
                lambda: f"SELECT row_number() OVER (PARTITION BY {number} ORDER BY {other}) AS {name} {source}",
                lambda: f"SELECT {number} AS {name} {source} ORDER BY {other}, {number} LIMIT 1",
                lambda: f"SELECT unnest([{number}, {other}]) AS {name} {source}",
            ]
        )()
        return f"(SELECT CAST({function}({name}) AS INTEGER) FROM ({rows}))"

    def word(self) -> str:
        return self.draw.choice(["UNION", "UNION ALL", "EXCEPT", "EXCEPT ALL", "INTERSECT", "INTERSECT ALL"])

    def compared(self, depth: int, ctes: Scope) -> tuple[str, dict[str, str]]:
        """Two tables compared row by row: a column or two of each."""
        tables = self.draw.choices(list(TABLES), k=2)
        numbers = [[name for name, kind in TABLES[table].items() if kind == "int"] for table in tables]
        width = self.draw.choice([1, 2])
        one, two = (self.draw.sample(names, width) for names in numbers)
        made = [self.name("o") for _ in one]
        listed = ", ".join(f"{column} AS {name}" for column, name in zip(one, made, strict=True))
        return (
            f"SELECT {listed} FROM {tables[0]} {self.word()} SELECT {', '.join(two)} FROM {tables[1]}",
            dict.fromkeys(made, "int"),
        )

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

    def repeated(self, depth: int, ctes: Scope) -> tuple[str, dict[str, str]]:
        """Rows of a table, each as often as a list of it is long."""
        source, alias, columns = self.source(0, ctes)
        scope: Scope = {alias: columns}
        kept, made = self.name("o"), self.name("o")
        return (
            f"SELECT {self.number(scope, 0)} AS {kept}, unnest({self.numbers(scope)}) AS {made} FROM {source}",
            {kept: "int", made: "int"},
        )

    def source(self, depth: int, ctes: Scope) -> tuple[str, str, dict[str, str]]:
        alias = self.name("t")
        if ctes and self.maybe(0.5):
            name = self.draw.choice(list(ctes))
            return f"{name} AS {alias}", alias, ctes[name]
        if depth > 0 and self.maybe(0.3):
            made, columns = self.draw.choice([self.query, self.query, self.pivot, self.unpivot, self.compared])(
                depth - 1, ctes
            )
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
                own, inner = "", scope
                if self.maybe(0.5):
                    own, columns, _ = self.inner(scope, 0)
                    inner = {**scope, **columns}
                    order = f"{self.number(inner, 0)}, {self.number(inner, 0)}, {self.number(columns, 0)}"
                    own += f" ORDER BY {order} LIMIT 2" if self.maybe(0.5) else ""
                text = f"{text}, LATERAL (SELECT {self.number(inner, 1)} AS {made} {own}) AS {alias}"
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
        if self.maybe(0.15):
            fixed = f"[{self.number(scope, 0)}, {self.number(scope, 0)}]"
            items.append(f"unnest({self.draw.choice([fixed, self.numbers(scope)])}) AS {(name := self.name('o'))}")
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
        shape = self.draw.choice([self.query] * 8 + [self.compared, self.repeated])
        body, columns = shape(2, ctes)
        if self.maybe(0.2):
            other, their = self.query(1, ctes)
            if list(their.values()) == list(columns.values()):
                body = f"({body}) {self.word()} ({other})"
        if self.maybe(0.3):
            body = f"SELECT * FROM ({body}) ORDER BY ALL" + (
                f" LIMIT {self.draw.randrange(1, 4)}" if self.maybe(0.6) else ""
            )
        elif self.maybe(0.2):
            source, own, _ = self.inner({}, 0)
            number = f"SELECT abs({self.draw.choice(['max', 'min', 'count'])}({self.number(own, 0)})) {source}"
            places = ", ".join(str(place + 1) for place in range(len(columns)))
            body = f"SELECT * FROM ({body}) ORDER BY {places} {self.draw.choice(['LIMIT', 'OFFSET'])} ({number})"
        head = f"WITH RECURSIVE {', '.join(heads)} " if heads else ""
        return head + body
