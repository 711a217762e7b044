"""What a month lists: the totals of the invoice, and what is planned by month on all days of a campaign."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from release_night import references

from quorum.disclosure.invoice import TOTALS
from quorum.disclosure.reach import REACH
from quorum.policy import Policy
from quorum.release.month_shapes import expected_in_month, month_shape, month_tables, without_totals
from quorum.release.shapes import package_shapes
from quorum.tables import KeyPlan, PackageShape

FIRST = date(2026, 11, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(30)]
FAMILIES = ("impressions", "clicks", "conversions")
INVOICED = ["impression_n", "click_n", "cost_micros"]


def planned(policy: Policy, kind: str, level: int = 2) -> KeyPlan:
    tables = [table.name for table in policy.reports["campaign"].tables]
    return KeyPlan(dict.fromkeys(FAMILIES, kind), {table: dict.fromkeys(FAMILIES, level) for table in tables})


@pytest.fixture
def days(policy: Policy) -> dict[date, PackageShape]:
    """c000 by day, c001 by month, c002 by month until the 28th."""
    found = {}
    for day in DAYS:
        shapes = package_shapes(policy, references(3), day)
        shape = next(s for s in shapes if s.report == "campaign" and s.recipient_id == "adv-a")
        last = "month" if day.day <= 28 else "week"
        kinds = {"c000": "day", "c001": "month", "c002": last}
        levels = 1 if day.day > 28 else 2
        plan = {key: planned(policy, kind, levels) for key, kind in kinds.items()}
        found[day] = replace(shape, plan=plan)
    return found


def keys(shape: PackageShape, table: str) -> list[str]:
    return list(dict.fromkeys(path[0] for path in shape.table(table).dimensions[0].keys))


def test_a_month_lists_totals_and_what_is_planned_by_month(policy: Policy, days: dict[date, PackageShape]) -> None:
    shape = month_shape(policy, days, {"c000", "c001", "c002"})
    assert shape is not None
    assert shape.period == "2026-11"
    assert keys(shape, TOTALS) == ["c000", "c001", "c002"]
    assert {tuple(keys(shape, table.name)) for table in shape.tables[1:]} == {("c001",)}
    assert len(shape.tables) == 2 + len(month_tables(policy.reports["campaign"])), "totals, and reach"
    assert shape.invariants == ({"period": "2026-11", "dimensions": ["campaign_id"], "measures": INVOICED},)
    assert [table.name for table in shape.tables if any(m.kind == "heads" for m in table.measures)] == [REACH]
    assert {table.name for table in shape.tables} <= set(expected_in_month(policy, policy.reports["campaign"]))
    assert [table.name for table in without_totals(shape).tables] == [table.name for table in shape.tables[1:]]


def test_its_plan_is_what_holds_on_all_days(policy: Policy, days: dict[date, PackageShape]) -> None:
    shape = month_shape(policy, days, {"c000", "c001", "c002"})
    assert shape is not None
    assert {key: plan.periods["clicks"] for key, plan in shape.plan.items()} == {
        "c000": "day",
        "c001": "month",
        "c002": "week",
    }
    assert shape.plan["c001"].levels["audience_area"]["clicks"] == 1, "never finer than on one of them"


def test_only_what_is_repeated_is_listed(policy: Policy, days: dict[date, PackageShape]) -> None:
    shape = month_shape(policy, days, {"c000", "c900"})
    assert shape is not None
    assert [(table.name, keys(shape, table.name)) for table in shape.tables] == [(TOTALS, ["c000"])]
    assert month_shape(policy, days, set()) is None


def test_a_campaign_of_one_day_has_no_month_below_its_total(policy: Policy, days: dict[date, PackageShape]) -> None:
    shape = month_shape(policy, {FIRST: days[FIRST]}, {"c001"})
    assert shape is not None
    assert [table.name for table in shape.tables] == [TOTALS]


def test_a_campaign_of_two_targetings_has_no_month_below_its_total(
    policy: Policy, days: dict[date, PackageShape]
) -> None:
    female, male = ({"c001": {"gender": (gender,)}} for gender in ("female", "male"))
    aimed = {day: replace(shape, targeting=female) for day, shape in days.items()}
    shape = month_shape(policy, aimed, {"c001"})
    assert shape is not None
    assert shape.targeting == female
    assert len(shape.tables) == 2 + len(month_tables(policy.reports["campaign"])), "totals, and reach"
    for other in (male, {}):
        shape = month_shape(policy, {**aimed, DAYS[-1]: replace(days[DAYS[-1]], targeting=other)}, {"c001"})
        assert shape is not None
        assert [table.name for table in shape.tables] == [TOTALS]
        assert shape.targeting == {}
