"""Measures against published answers, against those of pycanon 1.3.6 on the same file, and against plain loops."""

from __future__ import annotations

import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorum.errors import UsageError
from quorum.measure import Diversity, Microdata, class_sizes, diversity, k_anonymity, uniqueness


@pytest.fixture(scope="module")
def oracles(shared: Path) -> dict[str, dict[str, Any]]:
    listed = json.loads((shared / "data" / "oracles.json").read_text(encoding="utf-8"))["anonymity"]
    return {each["id"]: each for each in listed}


@pytest.fixture
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        yield opened


@pytest.fixture(scope="module")
def adult(shared: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as opened:
        path = shared / "data" / "anonymity" / "adult.csv"
        opened.execute("create table adult as select * from read_csv(?, delim = ';', header = true)", [str(path)])
        yield opened


def load(connection: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]], columns: str) -> None:
    connection.execute(f"create or replace table t ({columns})")
    connection.executemany(f"insert into t values ({', '.join('?' * len(rows[0]))})", rows)


def test_uniques_of_a_census_extract(adult: duckdb.DuckDBPyConnection, oracles: dict[str, dict[str, Any]]) -> None:
    expected = oracles["adult-all-9"]["expect"]
    data = Microdata(adult, "adult", tuple(adult.table("adult").columns))
    found = uniqueness(data)
    assert (found.classes, found.unique_people) == (expected["classes"], expected["uniques"])
    assert found.average_risk == pytest.approx(expected["average_risk"], abs=1e-12)
    assert found.unique_share == pytest.approx(expected["uniques_share"], abs=1e-12)
    assert k_anonymity(data) == expected["k"]


def test_k_of_a_generalised_census_extract(
    shared: Path, adult: duckdb.DuckDBPyConnection, oracles: dict[str, dict[str, Any]]
) -> None:
    oracle = oracles["adult-levels-k5"]
    joins, columns = [], []
    for name, level in zip(oracle["columns"], oracle["levels"], strict=True):
        path = shared / "data" / "anonymity" / f"adult_hierarchy_{name}.csv"
        adult.execute(
            f'create or replace table "h_{name}" as select column0 as value, column{level} as category '
            "from read_csv(?, delim = ';', header = false, all_varchar = true)",
            [str(path)],
        )
        joins.append(f'join "h_{name}" on cast(adult."{name}" as varchar) = "h_{name}".value')
        columns.append(f'"h_{name}".category as "{name}"')
    adult.execute(f"create or replace view general as select {', '.join(columns)} from adult {' '.join(joins)}")
    data = Microdata(adult, "general", tuple(oracle["columns"]))
    assert uniqueness(data).people == 30162
    assert k_anonymity(data) == oracle["expect"]["k"]
    assert uniqueness(data).classes == oracle["expect"]["classes"]


def test_missing_values_that_match_anything(
    connection: duckdb.DuckDBPyConnection, oracles: dict[str, dict[str, Any]]
) -> None:
    oracle = oracles["freq-calc-missing"]
    load(connection, [(n, *row) for n, row in enumerate(oracle["rows"])], "p integer, a integer, b integer, c integer")
    for person in (None, "p"):
        sizes = class_sizes(Microdata(connection, "t", ("a", "b", "c"), person), missing_matches_anything=True)
        found = connection.execute(
            f"select people_n from t join ({sizes}) s on t.a is not distinct from s.a and t.b is not distinct from s.b "
            "and t.c is not distinct from s.c order by t.p"
        ).fetchall()
        assert [n for (n,) in found] == oracle["expect"]["class_size_missing_matches_anything"]


@pytest.mark.parametrize(
    ("known", "sensitive", "distinct_l", "entropy_l", "t_name", "t", "delta"),
    [
        (("sex", "race", "education"), "occupation", 1, 1, "t_equal", 0.8935083880379285, 4.504195642273519),
        (("sex", "race", "education"), "age", 1, 1, "t_ordered", 0.3549818905475821, 5.729370654250058),
        (("sex", "race"), "occupation", 10, 7, "t_equal", 0.3249624441807344, 3.132721992807618),
        (("sex", "race"), "age", 33, 27, "t_ordered", 0.09193571485872032, 2.868920576218943),
        (("sex", "race"), "salary-class", 2, 1, "t_equal", 0.20294547375208355, 1.6890000223204622),
    ],
)
def test_diversity_as_another_library_finds_it(
    adult: duckdb.DuckDBPyConnection,
    known: tuple[str, ...],
    sensitive: str,
    distinct_l: int,
    entropy_l: int,
    t_name: str,
    t: float,
    delta: float,
) -> None:
    found = diversity(Microdata(adult, "adult", known), sensitive)
    assert (found.distinct_l, math.floor(found.entropy_l + 1e-9)) == (distinct_l, entropy_l)
    assert getattr(found, t_name) == pytest.approx(t, abs=1e-12)
    assert found.delta == pytest.approx(delta, abs=1e-9)


def plain_diversity(rows: list[tuple[Any, ...]]) -> Diversity:
    """Recount with loops; a row is (person, quasi-identifier, another, sensitive value)."""
    pairs = {(p, a, b, s) for p, a, b, s in rows if p is not None}
    values = sorted({s for *_, s in pairs}, key=lambda s: (s is None, s or 0))
    classes: dict[Any, Counter[Any]] = defaultdict(Counter)
    for _, a, b, s in pairs:
        classes[a, b][s] += 1
    overall: Counter[Any] = sum(classes.values(), Counter())
    worst = {"l": math.inf, "h": math.inf, "equal": 0.0, "ordered": 0.0, "delta": 0.0}
    for held in classes.values():
        q = [held[s] / held.total() for s in values]
        p = [overall[s] / overall.total() for s in values]
        worst["l"] = min(worst["l"], len(held))
        worst["h"] = min(worst["h"], -sum(x * math.log(x) for x in q if x))
        worst["equal"] = max(worst["equal"], sum(abs(x - y) for x, y in zip(q, p, strict=True)) / 2)
        moved = sum(abs(sum(q[: n + 1]) - sum(p[: n + 1])) for n in range(len(values)))
        worst["ordered"] = max(worst["ordered"], moved / max(len(values) - 1, 1))
        worst["delta"] = max(worst["delta"], *(abs(math.log(x / y)) for x, y in zip(q, p, strict=True) if x))
    return Diversity(int(worst["l"]), math.exp(worst["h"]), worst["equal"], worst["ordered"], worst["delta"])


some = st.one_of(st.none(), st.integers(0, 2))
people = st.tuples(st.one_of(st.none(), st.integers(0, 8)), some, some, st.one_of(st.none(), st.integers(0, 4)))


@settings(max_examples=80, deadline=None)
@given(st.lists(people, min_size=1, max_size=30).filter(lambda rows: any(row[0] is not None for row in rows)))
def test_measures_equal_a_recount(rows: list[tuple[Any, ...]]) -> None:
    with duckdb.connect() as connection:
        load(connection, rows, "p integer, a integer, b integer, s integer")
        data = Microdata(connection, "t", ("a", "b"), "p")
        classes = defaultdict(set)
        for p, a, b, _ in rows:
            if p is not None:
                classes[a, b].add(p)
        assert k_anonymity(data) == min(map(len, classes.values()))
        unique = uniqueness(data)
        assert (unique.classes, unique.unique_people) == (
            len(classes),
            sum(len(members) == 1 for members in classes.values()),
        )
        found, expected = diversity(data, "s"), plain_diversity(rows)
        assert found.distinct_l == expected.distinct_l
        for name in ("entropy_l", "t_equal", "t_ordered", "delta"):
            assert getattr(found, name) == pytest.approx(getattr(expected, name), abs=1e-9), name


@settings(max_examples=60, deadline=None)
@given(st.lists(people, min_size=1, max_size=20))
def test_classes_with_missing_values_equal_a_recount(rows: list[tuple[Any, ...]]) -> None:
    with duckdb.connect() as connection:
        load(connection, rows, "p integer, a integer, b integer, s integer")
        sizes = class_sizes(Microdata(connection, "t", ("a", "b"), "p"), missing_matches_anything=True)
        found = {(a, b): n for a, b, n in connection.execute(sizes).fetchall()}
        about = [row for row in rows if row[0] is not None]
        assert found == {
            (a, b): len(
                {p for p, c, d, _ in about if (a is None or c is None or a == c) and (b is None or d is None or b == d)}
            )
            for _, a, b, _ in about
        }


def test_a_person_in_many_rows_counts_once(connection: duckdb.DuckDBPyConnection) -> None:
    load(connection, [(1, "x"), (1, "x"), (1, "x"), (2, "y"), (3, "y"), (None, "z")], "p integer, q varchar")
    assert k_anonymity(Microdata(connection, "t", ("q",))) == 1
    assert k_anonymity(Microdata(connection, "t", ("q",), "p")) == 1
    assert uniqueness(Microdata(connection, "t", ("q",), "p")).unique_people == 1
    load(connection, [(1, "x"), (1, "x"), (2, "x")], "p integer, q varchar")
    assert k_anonymity(Microdata(connection, "t", ("q",), "p")) == 2


def test_the_order_of_values_can_be_given(connection: duckdb.DuckDBPyConnection) -> None:
    load(
        connection,
        [(1, "x", "low"), (2, "x", "high"), (3, "y", "low"), (4, "y", "mid")],
        "p integer, q varchar, s varchar",
    )
    data = Microdata(connection, "t", ("q",), "p")
    ranked = diversity(data, "s", {"low": 1, "mid": 5, "high": 9})
    assert ranked.t_ordered == pytest.approx((0 + 0.25) / 2)
    assert diversity(data, "s").t_ordered != pytest.approx(ranked.t_ordered)
    with pytest.raises(UsageError, match="rank"):
        diversity(data, "s", {"low": 1})


def test_nobody_has_no_classes(connection: duckdb.DuckDBPyConnection) -> None:
    load(connection, [(None, "x")], "p integer, q varchar")
    data = Microdata(connection, "t", ("q",), "p")
    assert k_anonymity(data) == 0
    assert uniqueness(data).unique_share == 0
    with pytest.raises(UsageError, match="person"):
        diversity(data, "p")


@pytest.mark.parametrize(("columns", "person"), [((), None), (("q", "q"), None), (("w",), None), (("q",), "w")])
def test_what_cannot_be_measured_is_refused(
    connection: duckdb.DuckDBPyConnection, columns: tuple[str, ...], person: str | None
) -> None:
    load(connection, [(1, "x")], "p integer, q varchar")
    with pytest.raises(UsageError):
        Microdata(connection, "t", columns, person)
    with pytest.raises(UsageError):
        Microdata(connection, "not there", ("q",))
