"""Lineage against what happens: change one base column, run again, compare.

An output column may change only if the changed base column is in its value or in use. Statements are drawn from a
grammar, and taken from the corpus of the unit tests. The oracle is tried itself on walks with a piece taken out: it has
to find what they miss.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from lineage_grammar import SCHEMA, TABLES, Grammar
from lineage_oracle import Oracle

from quorum.lineage import expressions, joins, named, rows
from quorum.lineage import walk as walking
from quorum.lineage.columns import Column, Plan, Value
from quorum.lineage.declared import Declared, declare
from quorum.lineage.derive import Lineage, derive_in
from quorum.lineage.operators import OPERATORS

STATEMENTS = 300
CORPUS = yaml.safe_load((Path(__file__).parents[1] / "unit/lineage/statements.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle(SCHEMA, 20261122)


@pytest.fixture
def declared() -> Iterator[Declared]:
    opened = declare(SCHEMA)
    yield opened
    opened.connection.close()


@pytest.fixture(scope="module")
def lineages() -> dict[str, Lineage]:
    opened = declare(SCHEMA)
    drawn = (Grammar(seed).statement() for seed in range(STATEMENTS))
    known = {sql: derive_in(opened, sql) for sql in drawn}
    opened.connection.close()
    return known


def test_no_statement_depends_on_a_column_that_its_lineage_does_not_name(
    oracle: Oracle, lineages: dict[str, Lineage]
) -> None:
    free = 0
    for sql, lineage in lineages.items():
        assert oracle.misses(sql, lineage) == [], sql
        known = lineage.use.union(*lineage.columns.values())
        free += sum(f"{table}.{name}" not in known for table, columns in TABLES.items() for name in columns)
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


def holding_nothing(walk: walking.Walk, plan: Plan) -> list[Column]:
    made = {column.binding: column for column in rows.unnested(walk, plan)}
    return [
        column.with_value(Value()) if table == plan["unnest_index"] else column for (table, _), column in made.items()
    ]


def forgetting(domain: Callable[..., walking.Domain]) -> Callable[..., walking.Domain]:
    def read(walk: walking.Walk, plan: Plan) -> walking.Domain:
        known = domain(walk, plan)
        return replace(known, values=tuple(Value() for _ in known.values))

    return read


BROKEN: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "filters": without_use("LOGICAL_FILTER"),
    "sorting under a limit": without_use("LOGICAL_ORDER_BY"),
    "group keys": without_use("LOGICAL_AGGREGATE_AND_GROUP_BY"),
    "distinct": without_use("LOGICAL_DISTINCT"),
    "join conditions": without_use("LOGICAL_COMPARISON_JOIN"),
    "limits that are statements": without_use("LOGICAL_LIMIT"),
    "rows that are taken out of rows": without_use("LOGICAL_EXCEPT"),
    "rows that must be among rows": without_use("LOGICAL_INTERSECT"),
    "what a list holds": with_rule("LOGICAL_UNNEST", holding_nothing),
    "lengths of lists": without_use("LOGICAL_UNNEST"),
    "filters and order of aggregates and windows": lambda patch: patch.setattr(
        walking, "use_of", lambda expression, resolve: frozenset()
    ),
    "the second part of a union": with_rule("LOGICAL_UNION", first_part),
    "what a recursion adds": with_rule("LOGICAL_RECURSIVE_CTE", first_part),
    "which rows a correlated statement meets": lambda patch: patch.setattr(
        joins, "_is_own_row", lambda walk, condition, left, theirs: True
    ),
    "what is no constant of a run": lambda patch: patch.setattr(expressions, "is_constant", bool),
    "how a value that decides was made": lambda patch: patch.setattr(Value, "all", property(lambda value: value.bases)),
    "other fields of a struct": lambda patch: patch.setattr(Value, "field", lambda value, key: Value()),
    "outer columns of a run": lambda patch: patch.setattr(named, "_domain", forgetting(named._domain)),
    "whether a row was met": with_rule("LOGICAL_COMPARISON_JOIN", no_value(joins.compared)),
}


@pytest.mark.parametrize("what", BROKEN)
def test_the_oracle_finds_what_a_broken_walk_misses(
    what: str, oracle: Oracle, declared: Declared, lineages: dict[str, Lineage], monkeypatch: pytest.MonkeyPatch
) -> None:
    BROKEN[what](monkeypatch)
    broken = ((sql, derive_in(declared, sql)) for sql in lineages)
    assert any(oracle.misses(sql, lineage) for sql, lineage in broken if lineage != lineages[sql])


@pytest.mark.parametrize("schema", CORPUS["schemas"])
def test_no_statement_of_the_corpus_depends_on_more_than_its_lineage(schema: str) -> None:
    text = CORPUS["schemas"][schema]
    oracle, declared = Oracle(text, 20261122), declare(text)
    for case in CORPUS["statements"]:
        if case.get("schema", "people") == schema and not case.get("refused"):
            assert oracle.misses(case["sql"], derive_in(declared, case["sql"])) == [], case["sql"]
    declared.connection.close()
