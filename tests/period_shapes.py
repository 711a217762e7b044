"""A week and a month in which campaigns tell different families, for the tests of pages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
from release_night import references

from quorum.policy import Policy
from quorum.release.month_shapes import month_shape
from quorum.release.shapes import package_shapes
from quorum.release.week_shapes import week_shape
from quorum.tables import KeyPlan, PackageShape, TableShape

MONDAY = date(2026, 11, 16)
FAMILIES = ("impressions", "clicks", "conversions")


def planned(policy: Policy, *periods: str, level: int = 2) -> KeyPlan:
    """A plan that tells each family by one kind of period, in every table."""
    tables = [table.name for table in policy.reports["campaign"].tables]
    return KeyPlan(dict(zip(FAMILIES, periods, strict=True)), {t: dict.fromkeys(FAMILIES, level) for t in tables})


def campaigns(policy: Policy, names: dict[str, pa.Table], day: date, plan: dict[str, KeyPlan]) -> PackageShape:
    shapes = package_shapes(policy, names, day)
    return replace(next(s for s in shapes if s.report == "campaign" and s.recipient_id == "adv-a"), plan=plan)


def week(policy: Policy) -> PackageShape:
    """Of c000 everything is told by week, of c001 clicks and conversions; a creative of c001 comes on Thursday."""
    plan = {"c000": planned(policy, "week", "week", "week"), "c001": planned(policy, "day", "week", "week")}
    came = references(3)
    rows = [*came["pseudo__creative"].to_pylist(), {"creative_id": "cr1z", "campaign_id": "c001", "name": "Z"}]
    came["pseudo__creative"] = pa.Table.from_pylist(rows, schema=came["pseudo__creative"].schema)
    days = [MONDAY + timedelta(days=n) for n in range(7)]
    shape = week_shape(
        policy, {day: campaigns(policy, references(3) if n < 3 else came, day, plan) for n, day in enumerate(days)}
    )
    assert shape is not None
    return shape


def month(policy: Policy) -> PackageShape:
    """c000 is told by day, c001 by month; of both the invoice tells the totals."""
    plan = {"c000": planned(policy, "day", "day", "week"), "c001": planned(policy, "month", "month", "month")}
    days = [date(2026, 11, 1) + timedelta(days=n) for n in range(30)]
    shape = month_shape(policy, {day: campaigns(policy, references(3), day, plan) for day in days}, set(plan))
    assert shape is not None
    return shape


def rows_of(table: TableShape, number: int | None) -> pa.Table:
    """Every cell published with a number, or withheld."""
    places = list(table.coordinates())
    columns: dict[str, pa.Array] = {
        name: pa.array([place[n] for place in places], pa.string()) for n, name in enumerate(table.columns)
    }
    columns |= {m.name: pa.array([number] * len(places), pa.int64()) for m in table.measures}
    word = "withheld" if number is None else "published"
    return pa.table(columns | {f"status_{name}": pa.array([word] * len(places)) for name in table.families})
