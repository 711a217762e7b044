"""Statements stay in the subset of SQL that gives the same rows on both engines, and each has a spec case."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import sqlglot
import yaml
from sqlglot import exp
from sqlglot.errors import ErrorLevel

from quorum.tables import Catalog, load_catalog
from quorum.zones import Zone

ROOT = Path(__file__).parents[2]
CATALOG = load_catalog(ROOT / "sql")
STATEMENTS = {name: table.query for name, table in sorted(CATALOG.tables.items()) if table.query is not None}

# Measured to differ in silence between the engines, or to fail on the other one.
FORBIDDEN = {
    "a timestamp cut to a unit": r"\bdate_trunc\s*\(",
    "text read as a time": r"\b(try_)?strptime\s*\(",
    "a time zone": r"\bat\s+time\s+zone\b",
    "an interval": r"\binterval\b",
    "a date minus a date": r"_date\s*-|-\s*\w*_date\b",
    "an unkeyed hash": r"(?<![a-z0-9_])hash\s*\(",
    "an approximate count": r"\bapprox_\w+\s*\(",
    "a distinct list in an order": r"\barray_agg\s*\(\s*distinct\b",
    "a back-reference": r"\\\\?[1-9]",
    "first or last of a group": r"(?<![.\w])(first|last)\s*\(",
    "a list function": r"\blist_(contains|len|sort)\s*\(|\blen\s*\(",
    "a map": r"\bmap\s*[({]",
    "a whole match": r"\bregexp_full_match\s*\(",
    "a part of a time": r"\bextract\s*\(|\b(hour|dayofweek|dow|isodow)\s*\(",
    "a time bucket": r"\btime_bucket\s*\(",
    "a series": r"\b(generate_series|range)\s*\(",
    "a quantile": r"\b(median|quantile\w*|percentile\w*)\s*\(",
    "an asof join": r"\basof\b",
    "REPLACE of a star": r"\*\s*replace\b",
    "COLUMNS": r"\bcolumns\s*\(",
    "a pivot": r"\b(un)?pivot\b",
    "a union by name": r"\bby\s+name\b",
    "JSON arrows": r"->",
    "a random number": r"\b(random|uuid)\s*\(",
    "the time of the run": r"\b(now|today)\s*\(|\bcurrent_(date|time|timestamp)\b",
    "a file": r"\b(read_\w+|glob|parquet_scan|copy|attach)\b",
    "an arbitrary value": r"\b(any_value|arbitrary)\s*\(",
}
_COMMENT = re.compile(r"--[^\n]*")


def body(statement: str) -> str:
    return _COMMENT.sub("", statement).lower()


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_is_one_select_that_transpiles(name: str) -> None:
    parsed = sqlglot.parse(STATEMENTS[name], read="duckdb")
    assert len(parsed) == 1 and isinstance(parsed[0], exp.Select)
    spark = parsed[0].sql(dialect="spark", unsupported_level=ErrorLevel.RAISE)
    sqlglot.parse_one(spark, read="spark")


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_uses_nothing_that_differs_between_engines(name: str) -> None:
    found = [what for what, pattern in FORBIDDEN.items() if re.search(pattern, body(STATEMENTS[name]))]
    assert not found
    for replacement in re.findall(r"regexp_replace\([^\n]*", body(STATEMENTS[name])):
        assert re.search(r"'g'\)", replacement), "without 'g' one engine replaces the first, the other all"


@pytest.mark.parametrize(
    "fragment",
    [
        "select date_trunc('day', access_at) from pseudo__access",
        "select hash(a), first(b order by c) from t",
        "select ends_date - starts_date from t",
        "select regexp_replace(a, '(x)', '\\1') from t",
        "select quantile_cont(a, 0.5) from t",
    ],
)
def test_the_rule_refuses_what_it_should(fragment: str) -> None:
    assert any(re.search(pattern, body(fragment)) for pattern in FORBIDDEN.values())


def test_the_page_names_what_is_not_used(root: Path) -> None:
    page = (root / "docs" / "portable_sql.md").read_text(encoding="utf-8")
    assert [what for what in FORBIDDEN if f"| {what} |" not in page] == []


@pytest.mark.parametrize("name", STATEMENTS)
def test_a_statement_has_a_spec_case(name: str) -> None:
    document = yaml.compose((ROOT / "tests" / "spec" / "cases" / f"{name}.yaml").read_text(encoding="utf-8"))
    cases = {key.value: value for key, value in document.value}["cases"]
    assert len(cases.value) >= 1


def test_no_spec_case_is_left_of_a_statement_that_is_gone() -> None:
    assert {path.stem for path in (ROOT / "tests" / "spec" / "cases").glob("*.yaml")} == set(STATEMENTS)


def test_cubes_come_in_an_order_of_their_own(catalog: Catalog) -> None:
    for table in catalog.in_zone(Zone.CUBE):
        statement = sqlglot.parse_one(str(table.query), read="duckdb")
        order = [key.this.name for key in statement.args["order"].expressions]
        keys = [column.name for column in table.columns if column.type == "VARCHAR" or column.unit == "key"]
        assert order == keys, table.name


def test_sums_are_cast_and_ratios_are_left_to_the_end() -> None:
    for name, statement in STATEMENTS.items():
        if name.startswith("cube__"):
            tree = sqlglot.parse_one(statement, read="duckdb")
            outer = [e.this if isinstance(e, exp.Alias) else e for e in tree.expressions]
            assert not any(isinstance(e, exp.Sum) for e in outer), name
            assert not list(tree.find_all(exp.Div)), name
