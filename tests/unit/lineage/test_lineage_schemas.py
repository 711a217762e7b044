"""What a schema may declare, what becomes of it in lineage, and what it may not do."""

from __future__ import annotations

import pytest

from quorum.lineage import LineageError, derive

# schema, statement, value of each output in order, use
DECLARED = [
    ("CREATE TABLE t (i INTEGER PRIMARY KEY, v VARCHAR UNIQUE NOT NULL DEFAULT 'x' CHECK (length(v) > 1), "
     "c INT DEFAULT 3, g INT GENERATED ALWAYS AS (c + i) VIRTUAL)", "SELECT g, v FROM t WHERE g > 1",
     [{"t.c", "t.i"}, {"t.v"}], {"t.c", "t.i"}),
    ("CREATE TABLE p (id INT PRIMARY KEY); CREATE TABLE c (pid INT REFERENCES p(id))", "SELECT pid FROM c",
     [{"c.pid"}], set()),
    ("CREATE SEQUENCE s; CREATE TABLE t (i INT DEFAULT nextval('s')); CREATE INDEX x ON t (i); "
     "COMMENT ON TABLE t IS 'of one column'; ALTER TABLE t ADD COLUMN n INT", "SELECT i, n FROM t", [{"t.i"}, {"t.n"}],
     set()),
    ("CREATE SCHEMA x; CREATE TABLE x.t (i INT); CREATE TABLE t (i INT); CREATE VIEW x.w AS FROM x.t",
     "SELECT a.i AS a, w.i AS b FROM main.t a, x.w", [{"t.i"}, {"x.t.i"}], set()),
    ("CREATE TYPE e AS ENUM ('a', 'b'); CREATE TYPE r AS STRUCT(k e, n INT); CREATE TABLE t (r r, l e[], d DECIMAL)",
     "SELECT r.k, l[1] AS l, d FROM t", [{"t.r"}, {"t.l"}, {"t.d"}], set()),
    ("CREATE TABLE t (i INT); CREATE RECURSIVE VIEW w(n) AS SELECT i FROM t UNION ALL SELECT n + 1 FROM w WHERE n < 5",
     "SELECT n FROM w", [{"t.i"}], {"t.i"}),
    ('CREATE TABLE t (i INT, o INT); CREATE VIEW "v AS SELECT 1" AS SELECT i AS "x as y" FROM t ORDER BY o LIMIT 2',
     'FROM "v AS SELECT 1"', [{"t.i"}], {"t.o"}),
    ("CREATE TABLE t (i INT, n INT); CREATE MACRO f(x) AS x + 1, (x, y) AS x * y; "
     "CREATE FUNCTION g(z := 3) AS TABLE SELECT n FROM t WHERE i = z", "SELECT f(n) AS a, f(n, 2) AS b FROM g(z := 4)",
     [{"t.n"}, {"t.n"}], {"t.i"}),
    ("CREATE TABLE t (i INT); CREATE MACRO twice(x) AS (SELECT sum(i) FROM t WHERE i > x); "
     "CREATE MACRO more(x) AS twice(x) + 1", "SELECT more(3) AS a", [{"t.i"}], {"t.i"}),
    ('CREATE TABLE t ("select" INT, "a""b" INT, "x.y" INT)', 'SELECT "select", "a""b", "x.y" FROM T',
     [{"t.select"}, {'t.a"b'}, {"t.x.y"}], set()),
    ("\ufeffCREATE TABLE t (i INT);\r\n;;\r\n-- the end", "\ufeffSELECT i\r\nFROM t;\r\n", [{"t.i"}], set()),
    # macros that go by the names of what the engine is asked with change nothing
    ("CREATE TABLE t (i INT); CREATE MACRO lower(x) AS 'sum'", "SELECT i FROM t ORDER BY lower('a')", [{"t.i"}], set()),
]  # fmt: skip


@pytest.mark.parametrize(("schema", "sql", "values", "use"), DECLARED)
def test_what_is_declared_is_known(schema: str, sql: str, values: list[set[str]], use: set[str]) -> None:
    found = derive(schema, sql)
    assert list(found.columns.values()) == values
    assert found.use == use


@pytest.mark.parametrize(
    "schema",
    [
        "CREATE TABLE t (i INT); INSERT INTO t VALUES (1)",
        "CREATE TABLE t AS FROM range(3)",
        "CREATE TABLE t (i INT); DROP TABLE t",
        "BEGIN; CREATE TABLE t (i INT)",
        "SET VARIABLE x = 1",
        "ATTACH 'x.db'",
        "CREATE TABLE t (i INT",
        "CREATE TABLE t (i INT); CREATE TABLE t (i INT)",
        "CREATE MACRO f(x := getvariable('y')) AS x",
        "CREATE MACRO f(x) AS getvariable(x)",
        "CREATE MACRO getvariable(x) AS x",
        "CREATE MACRO json_serialize_plan(x, optimize := true) AS x",
        "CREATE MACRO duckdb_functions() AS TABLE SELECT 1",
        "CREATE TABLE t (g VARCHAR GENERATED ALWAYS AS (getvariable('x')))",
        "CREATE VIEW v AS SELECT current_setting('threads') AS n",
        "CREATE VIEW \"v AS SELECT 1; --\" AS SELECT getvariable('x') AS n",
        "CREATE VIEW v AS FROM 'x.csv'",
        "CREATE VIEW v AS FROM read_text('x')",
    ],
)
def test_what_a_schema_may_not_do_is_refused(schema: str) -> None:
    with pytest.raises(LineageError):
        derive(schema, "SELECT 1 AS one")
