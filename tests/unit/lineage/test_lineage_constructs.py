"""Lineage construct by construct: what an output comes from, what a statement uses, and what is refused."""

from __future__ import annotations

import pytest

from quorum.lineage import LineageError, derive

SCHEMA = """
-- people, and what they bought
CREATE TABLE u (id INTEGER, name VARCHAR DEFAULT 'x', zip VARCHAR, born DATE, s STRUCT(a INTEGER, b VARCHAR),
                l INTEGER[],
                g INTEGER GENERATED ALWAYS AS (id * 2));
CREATE TABLE v (id INTEGER, uid INTEGER, n INTEGER, d DATE, k VARCHAR);
CREATE VIEW local AS SELECT id, name AS called FROM u WHERE zip = '1';
CREATE MACRO hidden(x) AS sha256(CAST(x AS VARCHAR));
CREATE MACRO of_zip(z) AS TABLE SELECT name FROM u WHERE zip = z;
"""

# statement, value of each output column in order, use
KNOWN = [
    # the three flows that a reader of the text alone lets through
    ("SELECT to_json(u) FROM u", ["u.id u.name u.zip u.born u.s u.l"], ""),
    ("SELECT COLUMNS('^n|^b') FROM u", ["u.name", "u.born"], ""),
    ("SELECT name FROM u GROUP BY name, zip", ["u.name"], "u.name u.zip"),
    ("SELECT name FROM u ORDER BY born", ["u.name"], "u.born"),
    ("SELECT count(*) FROM u GROUP BY zip", [""], "u.zip"),
    # rows
    ("SELECT name FROM u WHERE zip = '1'", ["u.name"], "u.zip"),
    ("SELECT u.name FROM u JOIN v ON u.id = v.uid", ["u.name"], "u.id v.uid"),
    ("SELECT u.name FROM u LEFT JOIN v ON u.id = v.uid AND u.id + v.n > 3", ["u.name"], "u.id v.uid v.n"),
    ("SELECT u.name FROM u JOIN v ON u.id > v.uid OR u.zip = v.k", ["u.name"], "u.id v.uid u.zip v.k"),
    ("SELECT k, called FROM local NATURAL JOIN v", ["v.k", "u.name"], "u.zip u.id v.id"),
    ("SELECT name FROM u SEMI JOIN v ON u.id = v.uid", ["u.name"], "u.id v.uid"),
    ("SELECT name FROM u ANTI JOIN v ON u.id = v.uid", ["u.name"], "u.id v.uid"),
    ("SELECT name, k FROM u ASOF JOIN v ON u.id = v.uid AND u.born >= v.d", ["u.name", "v.k"], "u.id v.uid u.born v.d"),
    ("SELECT u.name, v.k FROM u POSITIONAL JOIN v", ["u.name", "v.k"], ""),
    ("SELECT u.name FROM u, v", ["u.name"], ""),
    ("SELECT DISTINCT name FROM u", ["u.name"], "u.name"),
    ("SELECT DISTINCT ON (zip) name FROM u ORDER BY zip, born", ["u.name"], "u.zip u.born"),
    ("SELECT name FROM u LIMIT (SELECT max(n) FROM v)", ["u.name"], "v.n"),
    ("SELECT name FROM u USING SAMPLE 3 ROWS", ["u.name"], ""),
    ("SELECT name FROM u QUALIFY row_number() OVER (PARTITION BY zip ORDER BY born) = 1", ["u.name"], "u.zip u.born"),
    # groups and windows
    ("SELECT zip, max(name) FROM u GROUP BY zip HAVING min(born) > DATE '2000-01-01'",
     ["u.zip", "u.name"], "u.zip u.born"),
    ("SELECT sum(n) FILTER (WHERE k = 'a') FROM v", ["v.n"], "v.k"),
    ("SELECT list(name ORDER BY born) FROM u", ["u.name"], "u.born"),
    ("SELECT arg_max(name, born) FROM u", ["u.name u.born"], ""),
    ("SELECT grouping(zip), count(*) FROM u GROUP BY ROLLUP (zip)", ["", ""], "u.zip"),
    ("SELECT sum(n) OVER (PARTITION BY k ORDER BY d) FROM v", ["v.n"], "v.k v.d"),
    ("SELECT lag(n, 1, uid) OVER (ORDER BY d) FROM v", ["v.n v.uid"], "v.d"),
    ("SELECT sum(n) OVER (ORDER BY d ROWS BETWEEN id PRECEDING AND CURRENT ROW) FROM v", ["v.n"], "v.d v.id"),
    # expressions
    ("SELECT CASE WHEN zip = '1' THEN name ELSE 'x' END FROM u", ["u.zip u.name"], ""),
    ("SELECT u FROM u", ["u.id u.name u.zip u.born u.s u.l"], ""),
    ("SELECT s.a, {'p': name}.p, [id, 1], g FROM u", ["u.s", "u.name", "u.id", "u.id"], ""),
    ("SELECT list_transform(l, lambda x: list_transform(l, lambda y: x + y + id)) FROM u", ["u.l u.id"], ""),
    ("SELECT list_sum(l), upper(name) COLLATE NOCASE FROM u", ["u.l", "u.name"], ""),
    ("SELECT hidden(name), hidden(1) FROM u", ["u.name", ""], ""),
    ("SELECT name FROM u WHERE id = $1", ["u.name"], "u.id"),
    ("SELECT * EXCLUDE (s, l, g) REPLACE (zip AS name) FROM u", ["u.id", "u.zip", "u.zip", "u.born"], ""),
    # statements within statements
    ("SELECT name FROM u WHERE EXISTS (SELECT 1 FROM v WHERE v.uid = u.id AND v.n > 3)", ["u.name"], "u.id v.uid v.n"),
    ("SELECT name FROM u WHERE id NOT IN (SELECT uid FROM v WHERE v.k = u.zip)", ["u.name"], "u.id v.uid v.k u.zip"),
    ("SELECT id IN (SELECT uid FROM v) FROM u", ["u.id v.uid"], ""),
    ("SELECT (SELECT max(n) FROM v WHERE v.uid = u.id) FROM u", ["v.n"], "u.id v.uid"),
    ("SELECT name FROM u WHERE id > ANY (SELECT n FROM v)", ["u.name"], "u.id v.n"),
    ("SELECT t.x FROM u, LATERAL (SELECT n + u.id AS x FROM v WHERE v.uid = u.id) t", ["v.n v.uid u.id"], "v.uid u.id"),
    ("SELECT (SELECT max(concat(v.n, u.zip)) FROM v WHERE v.k = u.zip) FROM u", ["v.n v.k u.zip"], "v.k u.zip"),
    ("SELECT called FROM local", ["u.name"], "u.zip"),
    ("SELECT * FROM of_zip('1')", ["u.name"], "u.zip"),
    ("WITH w AS (SELECT name, born FROM u WHERE zip = '1') SELECT a.name FROM w a JOIN w b ON a.born = b.born",
     ["u.name"], "u.zip u.born"),
    ("WITH w AS (SELECT name FROM u WHERE zip = '1') SELECT n FROM v", ["v.n"], ""),
    ("WITH RECURSIVE r(a, b) AS (SELECT id, zip FROM u UNION ALL SELECT r.a + 1, v.k FROM r JOIN v ON v.uid = r.a) "
     "SELECT b FROM r", ["u.zip v.k"], "u.id v.uid"),
    # sets, lists, pivots
    ("SELECT id, name FROM u UNION ALL SELECT n, k FROM v", ["u.id v.n", "u.name v.k"], ""),
    ("SELECT id FROM u UNION SELECT n FROM v", ["u.id v.n"], "u.id v.n"),
    ("SELECT id FROM u EXCEPT SELECT n FROM v", ["u.id"], "u.id v.n"),
    ("SELECT id FROM u INTERSECT SELECT n FROM v", ["u.id v.n"], "u.id v.n"),
    ("SELECT name, unnest(l) FROM u", ["u.name", "u.l"], "u.l"),
    ("SELECT name, x FROM u, unnest(l) t(x)", ["u.name", "u.l"], "u.l"),
    ("SELECT name, r.range FROM u, range(id) r", ["u.name", "u.id"], "u.id"),
    ("SELECT * FROM (PIVOT v ON k IN ('a', 'b') USING sum(n) GROUP BY uid)", ["v.uid", "v.n", "v.n"], "v.uid v.k"),
    ("SELECT * FROM (UNPIVOT (SELECT id, n, uid FROM v) ON n, uid INTO NAME w VALUE x)", ["v.id", "", "v.n v.uid"],
     "v.n v.uid"),
    ("VALUES (1, 2)", ["", ""], ""),
    ("SELECT name FROM u WHERE 1 = 0", ["u.name"], ""),
    ("SELECT name FROM u ORDER BY rowid", ["u.name"], "u.rowid"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "values", "use"), KNOWN, ids=[sql for sql, _, _ in KNOWN])
def test_lineage_of(sql: str, values: list[str], use: str) -> None:
    found = derive(SCHEMA, sql)
    assert [set(value) for value in found.columns.values()] == [set(value.split()) for value in values]
    assert found.use == set(use.split())


def test_outputs_of_one_name_are_one_entry() -> None:
    assert derive(SCHEMA, "SELECT u.id, v.id FROM u, v").as_record() == {
        "columns": {"id": {"value": ["u.id", "v.id"]}},
        "use": [],
    }


REFUSED = [
    "",
    "SELECT 1; SELECT name FROM u",
    "INSERT INTO u (id) VALUES (1)",
    "DELETE FROM u",
    "WITH x AS (INSERT INTO u (id) VALUES (1) RETURNING id) SELECT * FROM x",
    "CREATE TABLE x AS SELECT name FROM u",
    "COPY u TO 'out.csv'",
    "EXPLAIN SELECT name FROM u",
    "DESCRIBE u",
    "SUMMARIZE u",
    "SELECT * FROM (SHOW TABLES)",
    "PIVOT v ON k USING sum(n)",
    "SELECT * FROM read_csv('secret.csv')",
    "SELECT * FROM 'secret.parquet'",
    "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM glob('*')",
    "SELECT * FROM query('SELECT name FROM u')",
    "SELECT * FROM query_table('u')",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM undeclared",
    "SELECT undeclared FROM u",
    "SELECT name FROM u WHERE",
    "SELECT getvariable('x'), name FROM u",
    "SELECT system.main.getvariable('x')",
    "SELECT name FROM u WHERE zip = getvariable('zip')",
    "SELECT current_setting('threads')",
    "SELECT nextval('s')",
    "SELECT current_query()",
    "SELECT write_log(name) FROM u",
    "SELECT stats(name) FROM u",
]


@pytest.mark.parametrize("sql", REFUSED)
def test_refused(sql: str) -> None:
    with pytest.raises(LineageError) as refused:
        derive(SCHEMA, sql)
    assert refused.value.exit_code == 13
    assert refused.value.reason


def test_a_reason_quotes_no_literal() -> None:
    for sql in ("SELECT CAST('marker-81' AS INTEGER)", "SELECT name FROM u WHERE born > DATE 'marker-81'",
                "SELECT * FROM 'marker-81.csv'", "SELECT name FROM u WHERE marker-81 x y"):  # fmt: skip
        try:
            derive(SCHEMA, sql)
        except LineageError as refused:
            assert "marker" not in str(refused)
