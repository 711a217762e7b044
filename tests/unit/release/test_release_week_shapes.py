"""What a week lists: campaigns that tell something by week, on two days or more, with the categories of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
import pytest
from release_night import references

from quorum.disclosure.reach import REACH
from quorum.policy import Policy
from quorum.release.shapes import package_shapes
from quorum.release.week_shapes import week_shape, week_tables
from quorum.tables import KeyPlan, PackageShape

MONDAY = date(2026, 11, 16)
DAYS = [MONDAY + timedelta(days=n) for n in range(7)]
BY_WEEK = {"impressions": "week", "clicks": "week", "conversions": "week"}
CLICKS = {"impressions": "day", "clicks": "week", "conversions": "week"}
BY_DAY = {"impressions": "day", "clicks": "day", "conversions": "day"}
TABLES = (
    "performance",
    "audience_age_gender",
    "audience_area",
    "audience_occupation",
    "audience_device",
    "audience_hour",
)
FAMILIES = ("impressions", "clicks", "conversions")


def planned(periods: Mapping[str, str], level: int = 2) -> KeyPlan:
    return KeyPlan(periods, {table: dict.fromkeys(FAMILIES, level) for table in TABLES})


def days(
    policy: Policy, plans: Mapping[str, KeyPlan], tables: Mapping[date, dict[str, pa.Table]] | None = None
) -> dict[date, PackageShape]:
    given = tables or {}
    found = {}
    for day in DAYS:
        shapes = package_shapes(policy, given.get(day, references(3)), day)
        shape = next((s for s in shapes if s.report == "campaign" and s.recipient_id == "adv-a"), None)
        if shape is not None:
            found[day] = replace(shape, plan=plans)
    return found


def edited(table: str, column: str, key: str, value: object) -> dict[str, pa.Table]:
    """Reference data with a value changed in the first row that starts with a key."""
    tables = references(3)
    rows = tables[table].to_pylist()
    next(row for row in rows if key in row.values())[column] = value
    return {**tables, table: pa.Table.from_pylist(rows, schema=tables[table].schema)}


def keys(shape: PackageShape, table: str) -> set[str]:
    return {path[0] for path in shape.table(table).dimensions[0].keys}


def test_each_campaign_stands_in_the_tables_of_the_families_it_tells_by_week(policy: Policy) -> None:
    shape = week_shape(
        policy, days(policy, {"c000": planned(BY_WEEK), "c001": planned(CLICKS), "c002": planned(BY_DAY)})
    )
    assert shape is not None
    assert shape.period == "2026-W47"
    assert keys(shape, "performance") == {"c000"}
    assert keys(shape, "performance_clicks") == {"c001"}
    assert shape.table("performance_clicks").families == ("clicks", "conversions")
    assert "performance_conversions" not in {table.name for table in shape.tables}
    assert set(shape.plan) == {"c000", "c001"}
    assert shape.plan["c001"].levels["audience_area_clicks"] == {"clicks": 2, "conversions": 2}
    assert [t.name for t in shape.tables if any(m.kind == "heads" for m in t.measures)] == [REACH]
    assert not [d for t in shape.tables for d in t.dimensions if d.partitions_people]


def test_a_week_of_nothing_has_no_package(policy: Policy) -> None:
    assert week_shape(policy, days(policy, {name: planned(BY_DAY) for name in ("c000", "c001", "c002")})) is None
    assert week_shape(policy, days(policy, {})) is None


def test_a_campaign_of_one_day_is_not_listed_twice(policy: Policy) -> None:
    plans = {"c000": planned(BY_WEEK), "c001": planned(BY_WEEK)}
    sunday = edited("pseudo__campaign", "starts_on", "c001", DAYS[6])
    shape = week_shape(policy, days(policy, plans, dict.fromkeys(DAYS, sunday)))
    assert shape is not None
    assert keys(shape, "audience_area") == {"c000"}
    saturday = edited("pseudo__campaign", "starts_on", "c001", DAYS[5])
    shape = week_shape(policy, days(policy, plans, dict.fromkeys(DAYS, saturday)))
    assert shape is not None
    assert keys(shape, "audience_area") == {"c000", "c001"}


def test_a_table_whose_categories_change_is_left_out_for_the_week(policy: Policy) -> None:
    plans = {"c000": planned(BY_WEEK), "c001": planned(BY_WEEK)}
    renamed = edited("pseudo__creative", "creative_id", "cr0a", "cr0new")
    shape = week_shape(policy, days(policy, plans, dict.fromkeys(DAYS[3:], renamed)))
    assert shape is not None
    assert keys(shape, "performance") == {"c001"}
    assert keys(shape, "audience_area") == {"c000", "c001"}
    assert "performance" not in shape.plan["c000"].levels
    alone = week_shape(policy, days(policy, {"c000": planned(BY_WEEK)}, dict.fromkeys(DAYS[3:], renamed)))
    assert alone is not None
    assert [table.name for table in alone.tables] == [*(name for name in TABLES if name != "performance"), REACH]


def test_a_campaign_whose_people_were_counted_on_other_days_is_left_out(policy: Policy) -> None:
    plans = {"c000": planned(BY_WEEK), "c001": planned(BY_WEEK)}
    counted = {day: {"c000", "c001"} for day in DAYS}
    whole = week_shape(policy, days(policy, plans), counted=counted)
    assert whole is not None
    assert keys(whole, "audience_area") == {"c000", "c001"}
    handed_over = edited("pseudo__campaign", "recipient_id", "c001", "adv-b")
    shape = week_shape(policy, days(policy, plans, dict.fromkeys(DAYS[3:], handed_over)), counted=counted)
    assert shape is not None
    assert keys(shape, "audience_area") == {"c000"}
    never_done = {day: shape for day, shape in days(policy, plans).items() if day != DAYS[2]}
    assert week_shape(policy, never_done, counted=counted) is None


@pytest.mark.parametrize("report", ["campaign"])
def test_tables_of_a_week_have_names_of_their_own(policy: Policy, report: str) -> None:
    names = [table.name for table in week_tables(policy.reports[report])]
    assert len(set(names)) == len(names) == 21


def test_a_week_that_begins_in_the_month_before_its_sundays_tells_nothing_that_the_invoice_tells(
    policy: Policy,
) -> None:
    last = {MONDAY + timedelta(days=14 + n): MONDAY + timedelta(days=n) for n in range(7)}
    given = days(policy, {"c000": planned(BY_WEEK), "c001": planned({**CLICKS, "clicks": "day"})})
    crossing = {day: given[old] for day, old in last.items()}
    invoiced = dict.fromkeys(("c000", "c001"), ("impressions", "clicks"))
    shape = week_shape(policy, crossing, invoiced=invoiced)
    assert shape is not None
    assert shape.period == "2026-W49"
    assert {key for table in shape.tables for key in keys(shape, table.name)} == {"c001"}, "conversions alone"
    assert (
        week_shape(policy, crossing, invoiced={"c001": (*invoiced["c001"], "conversions"), "c000": ("clicks",)}) is None
    )
    december = {day: shape for day, shape in crossing.items() if day.month == 12}
    assert "c000" in keys(week_shape(policy, december, invoiced=invoiced), "performance"), (
        "all days are of the Sunday's month"
    )


def test_a_week_targets_what_its_days_did(policy: Policy) -> None:
    plans = {"c000": planned(BY_WEEK), "c001": planned(BY_DAY)}
    targeting = {"c000": {"gender": ("female",)}, "c001": {"gender": ("male",)}}
    shape = week_shape(policy, {day: replace(own, targeting=targeting) for day, own in days(policy, plans).items()})
    assert shape is not None
    assert shape.targeting == {"c000": {"gender": ("female",)}}
