"""The pages of weeks and months, in which campaigns tell different families and some have no table of creatives."""

from __future__ import annotations

import re
from dataclasses import replace

import pyarrow as pa
import pytest
from period_shapes import month, rows_of, week
from release_night import references

from quorum.policy import Policy
from quorum.report.earlier import Earlier
from quorum.report.facts import page_facts
from quorum.report.headline import Headline
from quorum.report.html import render
from quorum.report.labels import Words
from quorum.report.model import WITHHELD
from quorum.report.released import Released
from quorum.report.why_page import withheld_lines
from quorum.tables import PackageShape


def told(shape: PackageShape, number: int | None) -> dict[str, pa.Table]:
    return {table.name: rows_of(table, number) for table in shape.tables}


def test_a_page_is_made_of_a_week_in_which_campaigns_tell_different_families(policy: Policy) -> None:
    shape = week(policy)
    facts = page_facts(policy, references(3), shape)
    for number in (None, 700):
        assert b"Autumn campaign 1" in render(facts, told(shape, number))["report.en.html"]


def test_what_other_packages_tell_is_not_called_withheld(policy: Policy) -> None:
    shape = week(policy)
    released = Released(shape, told(shape, None), policy)
    words = Words("en", policy, {})
    lines = withheld_lines(released, "c001", words)
    assert len(withheld_lines(released, "c000", words)) == 3
    assert [words["click_n"] in line or words["conversion_n"] in line for line in lines] == [True, True]


def test_a_dash_of_a_week_is_named_once_with_the_reports_that_tell_it(policy: Policy) -> None:
    shape = week(policy)
    page = render(page_facts(policy, references(3), shape), told(shape, 700))["report.en.html"].decode()
    assert page.count("by day</i>") == 0
    sentence = "told by the daily reports (how many, of 2, in brackets): Impressions, People reached, Click rate"
    assert page.count(sentence) == 1


def test_the_change_is_of_the_number_that_most_campaigns_tell_and_says_of_which(policy: Policy) -> None:
    shape = week(policy)
    before = Earlier("2026-W46", {("c000", "click_n"): 350, ("c001", "click_n"): 1_400})
    facts = page_facts(policy, references(3), shape, before=before)
    table = Headline(facts, Released(shape, told(shape, 700), policy), Words("en", policy, {})).table()
    assert table.header[-1] == "Change: Clicks"
    assert [row.cells[-1].text for row in table.rows] == ["+100.0%", "−50.0%"]
    nothing = page_facts(policy, references(3), shape, before=Earlier("2026-W46", {}))
    header = Headline(nothing, Released(shape, told(shape, 700), policy), Words("en", policy, {})).table().header
    assert not header[-1].startswith("Change")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_totals_of_a_month_stand_on_its_page_once_and_nothing_else_is_called_withheld(
    policy: Policy, language: str
) -> None:
    shape = month(policy)
    words = Words(language, policy, {})
    facts = page_facts(policy, references(3), shape)
    page = render(facts, told(shape, 700))[f"report.{language}.html"].decode()
    assert f"<h3>{words['totals']}</h3>" not in page
    assert f">{words['totals']}<" not in page
    assert page.count(words["totals_invoiced"]) == 1
    headline = Headline(facts, Released(shape, told(shape, 700), policy), words)
    invoiced = {words[name] for name in ("impression_n", "click_n", "click_rate", "cost")}
    tiles = {key.key: {tile.label: tile.cell for tile in headline.tiles(key)} for key in facts.keys}
    assert {key: set(of_key) - invoiced for key, of_key in tiles.items()} == {
        "c000": set(),
        "c001": {words["people_n"]},
    }
    assert WITHHELD not in {cell.state for of_key in tiles.values() for cell in of_key.values()}
    assert words["people_n"] in headline.elsewhere(), "the page says that it does not tell them of c000"


def test_a_page_details_no_campaign_of_which_nothing_is_told(policy: Policy) -> None:
    shape = month(policy)
    tables = told(shape, None)
    silent = render(page_facts(policy, references(3), shape), tables)["report.en.html"].decode()
    assert '<section class="key"' not in silent
    assert "Left out below" in silent
    assert 'href="#k' not in silent
    tables["totals"] = rows_of(shape.table("totals"), 700)
    page = render(page_facts(policy, references(3), shape), tables)["report.en.html"].decode()
    assert "Left out below" not in page
    links = re.findall(r'href="#(k\d+)"', page)
    assert links
    assert all(f'id="{link}"' in page for link in links)


def test_zeros_that_targeting_makes_tell_nothing_of_a_campaign(policy: Policy) -> None:
    shape = month(policy)
    tables = told(shape, None)
    name = next(table.name for table in shape.tables if "gender" in table.columns)
    outside = [row | dict.fromkeys(_measures(shape, name), 0) if row["gender"] == "male" else row
               for row in tables[name].to_pylist()]  # fmt: skip
    tables[name] = pa.Table.from_pylist(outside, schema=tables[name].schema)
    key = tables[name].column("campaign_id")[0].as_py()
    assert Released(shape, tables, policy).tells_some(key)
    aimed = replace(shape, targeting={key: {"gender": ("female",)}})
    assert not Released(aimed, tables, policy).tells_some(key)


def _measures(shape: PackageShape, table: str) -> list[str]:
    return [measure.name for measure in shape.table(table).measures]
