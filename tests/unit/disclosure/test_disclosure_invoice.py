"""What the invoice tells, how much must stay untold beside it, and totals that are declared."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from disclosure_portal import FAMILIES, flat, package, plain, rule_set, table

from quorum.disclosure import PackageCube, control
from quorum.disclosure.invoice import COST, TOTALS, Piece, has_room, invoiced_families, may_declare
from quorum.disclosure.month import sum_totals
from quorum.errors import ConfigurationError
from quorum.tables import KeyPlan, Measure, PackageShape, TableShape

NAMES = tuple(family.name for family in FAMILIES)


@pytest.mark.parametrize(
    ("untold", "room"),
    [
        ([], True),
        ([Piece(1, 500)], False),
        ([Piece(1, 0), Piece(1, 0)], False),
        ([Piece(1, 30), Piece(1, 30)], False),
        ([Piece(1, 0), Piece(1, 50)], True),
        ([Piece(1, 49), Piece(1, 49), Piece(1, 50)], True),
    ],
    ids=["all told", "one day", "empty days", "the same people twice", "one with enough", "three"],
)
def test_room_is_two_numbers_with_enough_people_in_one(untold: list[Piece], *, room: bool) -> None:
    assert has_room(untold, 50) is room


def test_a_total_is_declared_only_where_everybody_can_see_that_there_is_room() -> None:
    roomy, tight = [Piece(1, 20), Piece(1, 60)], [Piece(1, 20), Piece(1, 20)]
    assert may_declare([], 50, is_told=True, is_settled=False)
    assert may_declare(roomy, 50, is_told=True, is_settled=True)
    assert not may_declare(roomy, 50, is_told=True, is_settled=False), "else it would say that one of them is large"
    assert not may_declare(tight, 50, is_told=True, is_settled=True)
    assert may_declare(tight, 50, is_told=False, is_settled=False), "its totals alone"
    assert not may_declare([Piece(1, 900)], 50, is_told=False, is_settled=False), "the month would be that day"


def test_cost_tells_what_is_charged() -> None:
    assert invoiced_families("cpm", NAMES) == invoiced_families("cpc", NAMES) == NAMES[:2]
    assert invoiced_families("cpa", NAMES) == NAMES


def _month(people: int) -> PackageCube:
    """A month of one campaign with two age bands; the first has all people but five."""
    own = TableShape(
        TOTALS,
        "ads",
        (plain(1),),
        (
            Measure("impression_n", "impressions", "count", ("period",)),
            Measure("click_n", "clicks", "count", ("period",)),
            Measure("cost_micros", COST, "count", ("period",)),
        ),
    )
    ages = table("audience_age", plain(1), replace(flat("age_band", 3), partitions_people=False))
    declared = {
        "period": "2026-11",
        "dimensions": ["campaign_id"],
        "measures": ["impression_n", "click_n", "cost_micros"],
    }
    plan = {"c000": KeyPlan(dict.fromkeys(NAMES, "month"), {"audience_age": dict.fromkeys(NAMES, 1)})}
    shape = replace(package(own, ages, period="2026-11"), invariants=(declared,), plan=plan)
    numbers = {c: 0 for f in FAMILIES for c in (f.count, f.heads, f.rest) if c}

    def rows(t: TableShape, each: list[int]) -> pa.Table:
        places = [dict(zip(t.columns, place, strict=True)) for place in t.coordinates()]
        listed = [
            {**place, **numbers, "impression_n": 2 * n, "people_n": n, "cost_micros": 14 * n}
            for place, n in zip(places, each, strict=True)
        ]
        return pa.Table.from_pylist(listed)

    tables = {TOTALS: rows(own, [people]), "audience_age": rows(ages, [people, people - 5, 5, 0])}
    return PackageCube(shape, tables)


def _words(cube: PackageCube, name: str, family: str = "impressions") -> list[str]:
    return control(cube, rule_set(), FAMILIES).tables[name][f"status_{family}"].to_pylist()


def test_declared_totals_are_published_whatever_they_hold_and_nothing_below_them() -> None:
    for people in (0, 5, 49):
        cube = _month(people) if people >= 5 else _empty()
        assert _words(cube, TOTALS) == _words(cube, TOTALS, "clicks") == _words(cube, TOTALS, COST) == ["published"]
        assert _words(cube, "audience_age") == ["published", "withheld", "withheld", "withheld"]
        assert set(_words(cube, "audience_age", "conversions")) == {"withheld"}


def _empty() -> PackageCube:
    cube = _month(5)
    tables = {
        name: pa.table(
            {
                c: v if v.type == pa.string() else pa.array(np.zeros(len(v), np.int64))
                for c, v in zip(rows.column_names, rows.columns, strict=True)
            }
        )
        for name, rows in cube.tables.items()
    }
    return PackageCube(cube.shape, tables)


def test_below_a_declared_total_the_rules_hold() -> None:
    assert _words(_month(900), "audience_age") == ["published", "withheld", "withheld", "withheld"]


def test_only_a_month_declares() -> None:
    cube = _month(60)
    shape: PackageShape = replace(cube.shape, period="2026-W47")
    with pytest.raises(ConfigurationError, match="month"):
        control(PackageCube(shape, dict(cube.tables)), rule_set(), FAMILIES)


def test_totals_are_exact_sums_of_the_days() -> None:
    month = _month(60)
    days = [
        PackageCube(package(month.shape.tables[1]), {"audience_age": _month(n).tables["audience_age"]})
        for n in (30, 40)
    ]
    people = pa.table({"campaign_id": ["c000", "c000"], "age_band": ["ALL", "age_band0"], "people_n": [50, 45]})
    totals = sum_totals(month.shape.table(TOTALS), days, people, FAMILIES, {"c000": ("cpm", 7)})
    (row,) = totals.to_pylist()
    assert (row["impression_n"], row["people_n"], row["cost_micros"]) == (140, 50, 980)
