"""Which packages a night owes, and their public shape."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from release_night import NIGHT, references

from quorum.errors import InputError
from quorum.policy import Policy
from quorum.release.shapes import is_safe_id, package_shapes, planned_shape
from quorum.tables import Catalog, KeyPlan, PackageShape


def _set(table: pa.Table, column: str, row: int, value: object) -> pa.Table:
    values = table[column].to_pylist()
    values[row] = value
    return table.set_column(table.column_names.index(column), column, pa.array(values, table[column].type))


def test_each_recipient_gets_the_reports_of_its_kind(policy: Policy) -> None:
    owed = [(shape.recipient_id, shape.report) for shape in package_shapes(policy, references(), NIGHT)]
    assert owed == [("adv-a", "campaign"), ("info-a", "sections"), ("site", "site")]


def test_a_campaign_counts_from_its_first_to_its_last_day(policy: Policy) -> None:
    last_day = {s.recipient_id for s in package_shapes(policy, references(), date(2026, 11, 20))}
    assert "adv-b" in last_day
    before = {s.recipient_id for s in package_shapes(policy, references(), date(2026, 10, 31))}
    assert before == {"info-a", "site"}


def test_without_reference_data_the_site_is_the_one_recipient(policy: Policy) -> None:
    empty = {name: table.slice(0, 0) for name, table in references().items()}
    (shape,) = package_shapes(policy, empty, NIGHT)
    assert (shape.recipient_id, shape.report) == ("site", "site")
    assert shape.tables[0].dimensions[0].keys == (("other",),)


def test_a_declared_site_replaces_the_implicit_one(policy: Policy) -> None:
    tables = references()
    tables["pseudo__recipient"] = _set(tables["pseudo__recipient"], "kind", 1, "site")
    owed = [(s.recipient_id, s.report) for s in package_shapes(policy, tables, NIGHT)]
    assert ("adv-b", "site") in owed
    assert ("site", "site") not in owed


def test_sections_are_listed_once_and_the_site_sees_all(shapes: dict[str, PackageShape]) -> None:
    assert shapes["sections"].tables[0].dimensions[0].keys == (("weather",),)
    assert shapes["site"].tables[0].dimensions[0].keys == (("news",), ("other",), ("weather",))


def test_creatives_nest_below_their_campaign_with_unknown(shapes: dict[str, PackageShape]) -> None:
    nest = shapes["campaign"].table("performance").dimensions[0]
    assert nest.levels == ("campaign_id", "creative_id")
    assert not nest.has_margin
    assert [key for key in nest.keys if key[0] == "c000"] == [("c000", "cr0a"), ("c000", "cr0b"), ("c000", "unknown")]
    assert next(iter(nest.coordinates())) == ("c000", "ALL")


def test_heads_stand_only_where_every_dimension_partitions_people(shapes: dict[str, PackageShape]) -> None:
    with_heads = {t.name for t in shapes["campaign"].tables if any(m.kind == "heads" for m in t.measures)}
    assert with_heads == {
        "audience_age_gender",
        "audience_area",
        "audience_occupation",
        "audience_age_gender_region",
    }


def test_counts_sum_over_time_and_heads_do_not(shapes: dict[str, PackageShape]) -> None:
    performance = shapes["campaign"].table("performance").measures[0]
    assert performance.additive_over == ("creative_id", "placement", "period")
    area = {m.name: m.additive_over for m in shapes["campaign"].table("audience_area").measures}
    assert area["impression_n"] == ("region", "prefecture", "period")
    assert area["people_n"] == ("region", "prefecture")


def test_no_event_can_change_a_shape(policy: Policy) -> None:
    tables = references()
    shuffled = {
        name: table.take(pc.sort_indices(table, [(table.column_names[1], "descending")]))
        for name, table in tables.items()
    }
    assert package_shapes(policy, shuffled, NIGHT) == package_shapes(policy, tables, NIGHT)


@pytest.mark.parametrize(
    "text", ["..", ".staging", "a/b", "=1+1", "-1", "+1", "@x", "", "a b", "ALL", "x" * 65, "秋", "a\n"]
)
def test_an_id_that_is_no_file_name_is_refused_and_not_repeated(policy: Policy, text: str) -> None:
    assert not is_safe_id(text)
    for table, column in (
        ("pseudo__recipient", "recipient_id"),
        ("pseudo__campaign", "campaign_id"),
        ("pseudo__creative", "creative_id"),
        ("pseudo__section", "section_id"),
    ):
        tables = references()
        tables[table] = _set(tables[table], column, 0, text)
        with pytest.raises(InputError) as error:
            package_shapes(policy, tables, NIGHT)
        assert len(text) < 2 or text in ("ALL", "..") or text not in str(error.value)


def test_a_report_that_is_not_told_by_day_is_not_owed(policy: Policy) -> None:
    weekly = {name: replace(report, periods=("week",)) for name, report in policy.reports.items()}
    assert package_shapes(replace(policy, reports=weekly), references(), NIGHT) == []


def test_another_kind_of_recipient_cannot_take_the_name_of_the_site(policy: Policy) -> None:
    tables = references()
    tables["pseudo__recipient"] = _set(tables["pseudo__recipient"], "recipient_id", 0, "site")
    with pytest.raises(InputError, match=r"release\.site"):
        package_shapes(policy, tables, NIGHT)


def test_the_contracts_of_the_safe_zone_are_what_the_reports_give(policy: Policy, catalog: Catalog) -> None:
    for shape in package_shapes(policy, references(), NIGHT):
        for table in shape.tables:
            contract = catalog[f"safe__{table.name}"]
            families = [f"status_{family}" for family in table.families]
            expected = ["recipient_id", "report", *table.columns, *(m.name for m in table.measures), *families]
            assert [column.name for column in contract.columns] == expected
            cube = next(t.cube for t in policy.reports[shape.report].tables if t.name == table.name)
            assert cube in contract.parents


def test_tables_of_pairs_list_campaigns_whose_plan_tells_their_finest_cells(
    policy: Policy, shapes: dict[str, PackageShape]
) -> None:
    whole = shapes["campaign"]
    first, *others = dict.fromkeys(path[0] for path in whole.tables[0].dimensions[0].keys)
    levels = {
        "audience_age_gender_region": {"impressions": 3, "clicks": 0, "conversions": 0},
        "audience_device_hour": {"impressions": 1, "clicks": 1, "conversions": 1},
    }
    by_day, by_week = (dict.fromkeys(("impressions", "clicks", "conversions"), kind) for kind in ("day", "week"))
    listed = planned_shape(policy, replace(whole, plan={first: KeyPlan(by_day, levels)}))
    pairs = {table.name: table for table in listed.tables if table.name in levels}
    assert set(pairs) == {"audience_age_gender_region"}
    assert {path[0] for path in pairs["audience_age_gender_region"].dimensions[0].keys} == {first}
    assert len(listed.tables) == len(whole.tables) - 1
    assert others
    weekly = planned_shape(policy, replace(whole, plan={first: KeyPlan(by_week, levels)}))
    assert not set(levels) & {table.name for table in weekly.tables}
