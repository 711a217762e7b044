"""Where people reached in a week or month are told: enough count, events are told, and no shorter period tells any."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from disclosure_portal import COUNTED as FAMILIES
from disclosure_portal import flat, plain, rule_set, table

from quorum.disclosure import PackageCube, control
from quorum.disclosure.invoice import TOTALS
from quorum.disclosure.reach import REACH, shape_without_reach, tell_reach, without_reach
from quorum.tables import KeyPlan, Measure, PackageShape, TableShape

KEY, HEADS = "c000", 50
RULES = rule_set(heads=HEADS)
PEOPLE = TableShape(REACH, "ads", (plain(1),), (Measure("people_n", "impressions", "heads", ()),))
DEVICE = table("audience_device", plain(1), flat("device", 2, False), families=FAMILIES[:1])
TOLD = {"audience_device": {"impressions": np.array([True, False, False])}}
UNTOLD = {"audience_device": {"impressions": np.array([False, False, False])}}


def counted(counted_n: int, period: str = "2026-W47", kind: str = "week", people: int = 90) -> PackageCube:
    """A campaign of which everybody saw three impressions, half of them on each of two devices."""
    plan = {KEY: KeyPlan({"impressions": kind}, {"audience_device": {"impressions": 1}, REACH: {"impressions": 0}})}
    shape = PackageShape("adv-a", "campaign", period, (DEVICE, PEOPLE), plan=plan)
    zero = {column: 0 for family in FAMILIES for column in family.columns}

    def rows(of: TableShape, parts: tuple[int, ...]) -> pa.Table:
        listed = [
            {**dict(zip(of.columns, place, strict=True)), **zero, "impression_n": 3 * people // part}
            | {"people_n": people // part, "people_counted_n": counted_n // part}
            for place, part in zip(of.coordinates(), parts, strict=True)
        ]
        return pa.Table.from_pylist(listed)

    return PackageCube(shape, {"audience_device": rows(DEVICE, (1, 2, 2)), REACH: rows(PEOPLE, (1,))})


@pytest.mark.parametrize(("counted_n", "is_told"), [(HEADS, True), (HEADS - 1, False), (0, False)])
def test_reach_needs_people_who_count(counted_n: int, is_told: bool) -> None:
    assert tell_reach(counted(counted_n), TOLD, RULES, FAMILIES[0]).tolist() == [is_told]


def test_reach_is_told_beside_the_events_of_the_campaign_alone() -> None:
    assert tell_reach(counted(90), UNTOLD, RULES, FAMILIES[0]).tolist() == [False]
    exempt = {**UNTOLD, TOTALS: {"impressions": np.array([True])}, REACH: {"impressions": np.array([True])}}
    cube = counted(90)
    totals = replace(PEOPLE, name=TOTALS, measures=(Measure("impression_n", "impressions", "count", ("period",)),))
    shape = replace(cube.shape, tables=(totals, *cube.shape.tables))
    invoiced = PackageCube(shape, {TOTALS: cube.tables[REACH], **cube.tables})
    assert tell_reach(invoiced, exempt, RULES, FAMILIES[0]).tolist() == [False], "an invoice tells no people"


@pytest.mark.parametrize(
    ("period", "kind", "is_told"),
    [
        ("2026-W47", "week", True),
        ("2026-11", "month", True),
        ("2026-W47", "day", False),
        ("2026-W47", "month", False),
        ("2026-11", "week", False),
        ("2026-11", "day", False),
        ("2026-11-21", "day", False),
    ],
)
def test_reach_is_told_in_the_period_that_was_planned_and_never_by_day(period: str, kind: str, is_told: bool) -> None:
    assert tell_reach(counted(90, period, kind), TOLD, RULES, FAMILIES[0]).tolist() == [is_told]


def test_a_campaign_without_a_plan_is_told_by_day_and_has_no_reach() -> None:
    cube = counted(90)
    assert not tell_reach(replace(cube, shape=replace(cube.shape, plan={})), TOLD, RULES, FAMILIES[0]).any()


def test_control_decides_everything_else_first() -> None:
    cube = counted(90)
    safe, alone = control(cube, RULES, FAMILIES), control(without_reach(cube), RULES, FAMILIES)
    assert safe.tables["audience_device"].equals(alone.tables["audience_device"])
    assert safe.tables[REACH].to_pylist() == [
        {"campaign_id": KEY, "people_n": 90, "status_impressions": "published"},
    ]
    assert [t.name for t in shape_without_reach(cube.shape).tables] == list(alone.tables) == ["audience_device"]


def test_what_is_kept_back_is_kept_back_with_its_people() -> None:
    safe = control(counted(90), RULES, FAMILIES, kept_back={"impressions": [KEY]})
    assert safe.tables[REACH].to_pylist() == [
        {"campaign_id": KEY, "people_n": None, "status_impressions": "withheld"},
    ]
