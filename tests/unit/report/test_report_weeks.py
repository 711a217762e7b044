"""The page of a week in which campaigns tell different families, and one of them has no table of creatives."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pyarrow as pa
from release_night import references

from quorum.policy import Policy
from quorum.release.shapes import package_shapes
from quorum.release.week_shapes import week_shape
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.report.labels import Words
from quorum.report.released import Released
from quorum.report.why_page import withheld_lines
from quorum.tables import KeyPlan, PackageShape, TableShape

DAYS = [date(2026, 11, 16) + timedelta(days=n) for n in range(7)]
FAMILIES = ("impressions", "clicks", "conversions")


def week(policy: Policy) -> PackageShape:
    """Of c000 everything is told by week, of c001 clicks and conversions; a creative of c001 comes on Thursday."""
    tables = [table.name for table in policy.reports["campaign"].tables]
    plans = {
        key: KeyPlan(dict(zip(FAMILIES, periods, strict=True)), {t: dict.fromkeys(FAMILIES, 2) for t in tables})
        for key, periods in {"c000": ("week", "week", "week"), "c001": ("day", "week", "week")}.items()
    }
    came = references(3)
    rows = [*came["pseudo__creative"].to_pylist(), {"creative_id": "cr1z", "campaign_id": "c001", "name": "Z"}]
    came["pseudo__creative"] = pa.Table.from_pylist(rows, schema=came["pseudo__creative"].schema)
    days = {}
    for day in DAYS:
        shapes = package_shapes(policy, references(3) if day < DAYS[3] else came, day)
        days[day] = replace(next(s for s in shapes if s.report == "campaign"), plan=plans)
    shape = week_shape(policy, days)
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


def test_a_page_is_made_of_a_week_in_which_campaigns_tell_different_families(policy: Policy) -> None:
    shape = week(policy)
    facts = page_facts(policy, references(3), shape)
    for number in (None, 700):
        pages = render(facts, {table.name: rows_of(table, number) for table in shape.tables})
        assert b"c001" in pages["report.en.html"]


def test_what_other_packages_tell_is_not_called_withheld(policy: Policy) -> None:
    shape = week(policy)
    released = Released(shape, {table.name: rows_of(table, None) for table in shape.tables}, policy)
    words = Words("en", policy, {})
    lines = withheld_lines(released, "c001", words)
    assert len(withheld_lines(released, "c000", words)) == 3
    assert [words["click_n"] in line or words["conversion_n"] in line for line in lines] == [True, True]
