"""Tables of one dimension: the same cells as in the table of several, told in both or in neither."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from quorum.audit.equations import build_system
from quorum.audit.package import parse_files, parse_package
from quorum.audit.reparse import read_again
from quorum.audit.rules import read_rules
from quorum.audit.truth import Truth
from quorum.errors import ReleaseError
from quorum.policy import Policy
from quorum.release.extracts import draw, with_extracts
from quorum.release.package import rule_numbers, stage_package, table_files
from quorum.tables import KeyPlan, PackageShape

Tables = dict[str, pa.Table]
DRAWN = ("audience_age", "audience_gender")


def test_extracts_follow_their_table_and_hold_its_rows(
    shapes: dict[str, PackageShape], campaign_tables: Tables, policy: Policy
) -> None:
    shape = with_extracts(shapes["campaign"], policy)
    names = [table.name for table in shape.tables]
    at = names.index("audience_age_gender")
    assert tuple(names[at + 1 : at + 3]) == DRAWN
    drawn = draw(shapes["campaign"], campaign_tables, policy)
    gender = drawn["audience_gender"]
    rows = campaign_tables["audience_age_gender"]
    margins = rows.filter(pc.equal(rows["age_band"], "ALL")).drop_columns(["age_band"])
    assert gender.equals(margins.combine_chunks())
    listed = list(zip(*(gender[column].to_pylist() for column in shape.table("audience_gender").columns), strict=True))
    assert listed == list(shape.table("audience_gender").coordinates())


def test_what_is_drawn_adds_rows_and_no_unknown(
    shapes: dict[str, PackageShape], campaign_tables: Tables, policy: Policy
) -> None:
    report = policy.reports["campaign"]
    rules = read_rules(rule_numbers(policy.rule_sets["standard"], report, policy))
    without = replace(
        policy,
        reports={"campaign": replace(report, tables=tuple(replace(table, alone={}) for table in report.tables))},
    )
    with_them, bare = (
        parse_files(table_files(shapes["campaign"], campaign_tables, under)) for under in (policy, without)
    )
    assert set(with_them.tables) - set(bare.tables) == set(DRAWN)
    systems = [build_system([package], rules, Truth({})) for package in (with_them, bare)]
    assert len(systems[0].state) == len(systems[1].state)
    assert len(systems[0].targets) > len(systems[1].targets)  # a withheld cell is a target wherever it is listed


def test_an_extract_that_tells_what_its_table_withholds_is_found(
    shapes: dict[str, PackageShape], campaign_tables: Tables, policy: Policy
) -> None:
    report = policy.reports["campaign"]
    rules = read_rules(rule_numbers(policy.rule_sets["standard"], report, policy))
    package = parse_files(table_files(shapes["campaign"], campaign_tables, policy))
    table = package.tables["audience_gender"]
    hidden = (~table.published["clicks"]).nonzero()[0]
    assert hidden.size
    table.published["clicks"][hidden[0]] = True
    assert "agreement" in {claim.what for claim in read_again([package], rules, Truth({})).claims}


def test_a_week_lends_its_family_and_plans_hold_for_extracts(shapes: dict[str, PackageShape], policy: Policy) -> None:
    day = shapes["campaign"]
    table = replace(day.table("audience_age_gender"), name="audience_age_gender_clicks")
    plan = {"c-1": KeyPlan({"clicks": "week"}, {"audience_age_gender_clicks": {"clicks": 1}})}
    week = with_extracts(replace(day, tables=(table,), plan=plan), policy)
    assert [each.name for each in week.tables] == [
        "audience_age_gender_clicks",
        "audience_age_clicks",
        "audience_gender_clicks",
    ]
    assert week.plan["c-1"].levels["audience_gender_clicks"] == {"clicks": 1}


def test_two_tables_of_one_name_are_refused(shapes: dict[str, PackageShape], policy: Policy) -> None:
    shape = shapes["campaign"]
    taken = replace(shape.table("audience_device"), name="audience_gender")
    with pytest.raises(ReleaseError, match=r"release\.tables"):
        with_extracts(replace(shape, tables=(*shape.tables, taken)), policy)


def test_a_staged_package_is_read_back_with_them(
    tmp_path: Path, shapes: dict[str, PackageShape], campaign_tables: Tables, policy: Policy, pages: dict[str, bytes]
) -> None:
    package = parse_package(stage_package(tmp_path, shapes["campaign"], campaign_tables, policy, pages))
    shape = with_extracts(shapes["campaign"], policy)
    assert set(package.tables) == {table.name for table in shape.tables}
    assert package.shape.table("audience_gender").measures == shape.table("audience_gender").measures
