"""The first screen: sums and changes of released totals alone, and what other packages tell in one sentence."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv
import pytest
from release_night import NIGHT, cube_tables, references, withhold

from quorum.disclosure import PackageCube, control
from quorum.policy import Policy
from quorum.release.package import table_files
from quorum.release.shapes import package_shapes
from quorum.report.earlier import Earlier, period_before, read_earlier
from quorum.report.effective import Comparisons
from quorum.report.facts import PageFacts, page_facts
from quorum.report.headline import Headline
from quorum.report.html import render
from quorum.report.labels import Words
from quorum.report.model import ELSEWHERE, WITHHELD, Grid, Panel, blocks
from quorum.report.released import Released
from quorum.report.rows import Rows
from quorum.report.told import told_elsewhere
from quorum.tables import KeyPlan, PackageShape
from quorum.tables.shape import ALL

Tables = dict[str, pa.Table]
FAMILIES = ("impressions", "clicks", "conversions")


def _shape(policy: Policy, campaigns: int = 3) -> PackageShape:
    return next(s for s in package_shapes(policy, references(campaigns), NIGHT) if s.report == "campaign")


@pytest.fixture(scope="module")
def night(policy: Policy) -> tuple[PageFacts, Tables]:
    shape = _shape(policy)
    return page_facts(policy, references(), shape), withhold(shape, cube_tables(shape, policy, 4_000), policy)


def _headline(night: tuple[PageFacts, Tables], language: str = "en", **changed: object) -> Headline:
    facts, tables = night
    facts = replace(facts, **changed)
    words = Words(language, facts.policy, facts.creatives)
    return Headline(facts, Released(facts.shape, tables, facts.policy), words)


def _total(headline: Headline, key: str, measure: str) -> int:
    found = headline.released.total(key, measure)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("period", "before"),
    [("2026-11-01", "2026-10-31"), ("2026-11-21.r2", "2026-11-20"), ("2026-W47", "2026-W46"), ("2026-01", "2025-12")],
)
def test_the_period_before(period: str, before: str) -> None:
    assert period_before(period) == before


def test_sums_are_over_the_campaigns_whose_number_is_released(night: tuple[PageFacts, Tables]) -> None:
    headline = _headline(night)
    keys = [key.key for key in headline.facts.keys]
    tiles = {tile.label: tile for tile in headline.overview()}
    assert tiles["Impressions"].cell.text == f"{sum(_total(headline, key, 'impression_n') for key in keys):,}"
    most = max(_total(headline, key, "people_n") for key in keys)
    assert tiles["People reached"].cell.text == f"{most:,}+", "people overlap"
    assert tiles["People reached"].note
    assert tiles["Cost"].cell.text.startswith("¥")


def _hide(night: tuple[PageFacts, Tables], key: str, family: str) -> tuple[PageFacts, Tables]:
    """Withhold a family of a campaign everywhere."""
    facts, tables = night
    hidden = {}
    for shape in facts.shape.tables:
        rows = tables[shape.name].to_pylist()
        for row in rows:
            if row["campaign_id"] == key:
                row[f"status_{family}"] = "withheld"
                row.update({m.name: None for m in shape.measures if m.family == family})
        hidden[shape.name] = pa.Table.from_pylist(rows, schema=tables[shape.name].schema)
    return facts, hidden


def test_a_withheld_total_is_left_out_of_sums_and_said(night: tuple[PageFacts, Tables]) -> None:
    headline = _headline(_hide(night, "c001", "clicks"))
    tiles = {tile.label: tile for tile in headline.overview()}
    clicks = _total(headline, "c000", "click_n") + _total(headline, "c002", "click_n")
    assert tiles["Clicks"].cell.text == f"{clicks:,}"
    assert tiles["Clicks"].note == "sum of 2, 3 in all"
    assert f"in 2 of them, there were {clicks:,}: a click rate of" in headline.lead()
    own = {tile.label: tile for tile in headline.tiles(headline.facts.keys[1])}
    assert own["Clicks"].cell.state == own["Click rate"].cell.state == own["Cost"].cell.state == WITHHELD
    assert own["Clicks"].cell.text == ""


def test_changes_are_against_released_totals_of_the_period_before(night: tuple[PageFacts, Tables]) -> None:
    plain = _headline(night)
    shown, clicks = _total(plain, "c000", "impression_n"), _total(plain, "c000", "click_n")
    before = Earlier("2026-11-20", {("c000", "impression_n"): shown * 2, ("c000", "click_n"): clicks})
    headline = _headline(night, before=before)
    own = {tile.label: tile for tile in headline.tiles(headline.facts.keys[0])}
    assert (own["Impressions"].change, own["Impressions"].trend) == ("−50.0%", -1)
    assert (own["Clicks"].change, own["Clicks"].trend) == ("±0.0%", 0)
    assert own["People reached"].change == "withheld or not reported before"
    points = (20_000 * clicks * shown + 2 * shown * shown) // (4 * shown * shown)
    assert own["Click rate"].change == f"+{points // 100}.{points % 100:02} points"
    whole = {tile.label: tile for tile in headline.overview()}
    assert whole["Impressions"].change == "−50.0%"
    assert "change of the 1 released before too" in whole["Impressions"].note
    assert "Compared with Fri 20 Nov 2026" in render(headline.facts, night[1])["report.en.html"].decode()


def test_sections_have_views_a_person_and_no_such_number_over_all_of_them(policy: Policy) -> None:
    shape = next(s for s in package_shapes(policy, references(), NIGHT) if s.report == "site")
    tables = withhold(shape, cube_tables(shape, policy, 2_000), policy)
    released = Released(shape, tables, policy)
    facts = page_facts(policy, references(), shape)
    key = facts.keys[0]
    views, viewers = released.total(key.key, "view_n"), released.total(key.key, "viewer_n")
    assert views is not None
    assert viewers is not None
    before = Earlier("2026-11-20", {(key.key, "view_n"): 2 * views, (key.key, "viewer_n"): viewers})
    headline = Headline(replace(facts, before=before), released, Words("en", policy, {}))
    own = {tile.label: tile for tile in headline.tiles(key)}
    less = (200 * views + viewers) // (2 * viewers)
    assert own["Views a person"].change == f"−{less // 100}.{less % 100:02}"
    assert [tile.label for tile in headline.overview()] == ["Page views", "Viewers"]


def test_totals_of_the_period_before_are_read_from_its_package(
    night: tuple[PageFacts, Tables], policy: Policy, tmp_path: Path
) -> None:
    facts, tables = _hide(night, "c002", "clicks")
    for name, content in table_files(facts.shape, tables, policy).items():
        (tmp_path / name).write_bytes(content)
    earlier = read_earlier(tmp_path, facts.shape)
    released = Released(facts.shape, tables, policy)
    assert earlier.period == "2026-11-20"
    for key in ("c000", "c001", "c002"):
        for measure in ("impression_n", "people_n", "click_n", "conversion_n"):
            assert earlier.totals.get((key, measure)) == released.total(key, measure)
    assert ("c002", "click_n") not in earlier.totals


def _by_week(facts: PageFacts) -> PageFacts:
    """Clicks and conversions of the first campaign are told by week; of the second clicks without categories."""
    tables = [table.name for table in facts.shape.tables]
    everything = {table: dict.fromkeys(FAMILIES, 9) for table in tables}
    no_categories = {table: {"impressions": 9, "clicks": 0, "conversions": 0} for table in tables}
    plan = {
        "c000": KeyPlan(dict(zip(FAMILIES, ("day", "week", "week"), strict=True)), everything),
        "c001": KeyPlan(dict.fromkeys(FAMILIES, "day"), no_categories),
    }
    return replace(facts, shape=replace(facts.shape, plan=plan))


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("ja", "クリック数、成果数は、このキャンペーンでは週ごとにお知らせします。"),
        ("en", "Clicks, Conversions: told by week for this campaign."),
    ],
)
def test_what_is_told_by_week_is_one_sentence_in_a_page_of_a_day(
    night: tuple[PageFacts, Tables], policy: Policy, language: str, sentence: str
) -> None:
    facts, tables = _hide(_hide(night, "c000", "clicks"), "c000", "conversions")
    facts = _by_week(facts)
    assert told_elsewhere(Released(facts.shape, tables, policy), "c000") == {"week": ("clicks", "conversions")}
    headline = _headline((facts, tables), language)
    own = {tile.label: tile for tile in headline.tiles(facts.keys[0])}
    assert Words(language, policy, {})["click_n"] not in own  # said in the sentence, and in no tile
    text = render(facts, tables)[f"report.{language}.html"].decode()
    first = text[text.index('id="k1"') : text.index('id="k2"')]
    assert first.count(sentence) == 1
    header = re.findall(r'<th scope="col">(.*?)</th>', first)
    assert header
    assert Words(language, policy, {})["click_n"] not in header
    second = text[text.index('id="k2"') : text.index('id="k3"')]
    assert sentence not in second
    assert (
        second.count(Words(language, policy, {})["untold_parts"].split("{}")[1]) == 2
    )  # clicks, conversions: once each
    table = headline.table()
    assert [cell.text for cell in table.rows[0].cells if cell.state == ELSEWHERE] == ["–"] * 2
    assert headline.elsewhere() in text


def test_rows_add_up_with_what_is_withheld_together(policy: Policy) -> None:
    shape = _shape(policy, 2)
    cube = PackageCube(shape, cube_tables(shape, policy, 2_500))
    families = [policy.families[name] for name in FAMILIES]
    tables = dict(control(cube, policy.rule_sets["standard"], families).tables)
    released, checked = Released(shape, tables, policy), 0
    table = shape.table("audience_occupation")
    rows = Rows(released, table, "c000", Words("en", policy, {}), Comparisons())
    places = rows.places(table.dimensions[1], 1)
    names = [measure.name for measure in rows.measures(FAMILIES)]
    body = rows.body(["occupation"], "occupation", places, len(places), FAMILIES)
    total = rows.total(FAMILIES)
    for n, _ in enumerate(names[:3]):
        numbers = [int(row.cells[n].text.replace(",", "")) for row in body if row.cells[n].text not in ("", "–")]
        assert sum(numbers) == int(total.cells[n].text.replace(",", ""))
        checked += any(row.cells[n].state == WITHHELD for row in body)
    assert checked, "nothing was withheld"


def test_the_rest_of_a_total_is_not_written_for_a_lone_withheld_part(night: tuple[PageFacts, Tables]) -> None:
    facts, tables = night
    rows = tables["audience_device"].to_pylist()
    others = [row for row in rows if row["campaign_id"] == "c000" and row["device"] != ALL]
    for row in others:
        row.update(impression_n=100, status_impressions="published")
    others[0].update(impression_n=None, status_impressions="withheld")
    next(row for row in rows if row["campaign_id"] == "c000" and row["device"] == ALL)["impression_n"] = 777_776
    tables = {**tables, "audience_device": pa.Table.from_pylist(rows, schema=tables["audience_device"].schema)}
    text = render(facts, tables)["report.ja.html"].decode()
    assert f"{777_776 - 100 * (len(others) - 1):,}" not in text


def test_no_withheld_number_is_on_a_page(policy: Policy) -> None:
    shape = _shape(policy, 2)
    cubes = cube_tables(shape, policy, 40_000)
    tables = withhold(shape, cubes, policy)
    regions = tables["audience_area"].to_pylist()
    hidden = set()
    for row, counted in zip(regions, cubes["audience_area"].to_pylist(), strict=True):
        if row["region"] != ALL:
            hidden |= {counted["impression_n"], counted["people_n"]}
            row.update(dict.fromkeys(("impression_n", "people_n", "click_n", "clicker_n"), None))
            row.update(dict.fromkeys(("conversion_n", "converter_n"), None))
            row.update({f"status_{family}": "withheld" for family in FAMILIES})
    tables = {**tables, "audience_area": pa.Table.from_pylist(regions, schema=tables["audience_area"].schema)}
    published = {v for t in tables.values() for row in t.to_pylist() for v in row.values() if isinstance(v, int)}
    telling = {f"{number:,}" for number in hidden - published if number >= 1_000}
    assert len(telling) > 3, "nothing withheld would be recognised"
    for page in render(page_facts(policy, references(2), shape), tables).values():
        assert not telling & set(re.findall(r"[\d,]+", page.decode()))


def test_pages_are_a_function_of_the_files(night: tuple[PageFacts, Tables], policy: Policy) -> None:
    facts, tables = night
    files = table_files(facts.shape, tables, policy)
    read = {}
    for table in facts.shape.tables:
        strings = {name: pa.string() for name in tables[table.name].column_names if not name.endswith("_n")}
        options = csv.ConvertOptions(column_types=strings, strings_can_be_null=False)
        read[table.name] = csv.read_csv(pa.BufferReader(files[f"{table.name}.csv"]), convert_options=options)
    assert render(facts, read) == render(facts, tables)


def test_panels_stand_in_two_stacks_of_about_the_same_height() -> None:
    def panel(name: str, *, is_wide: bool = False) -> Panel:
        return Panel(name, Grid(name, (), ()), is_wide=is_wide)

    panels = [panel("a"), panel("b"), panel("c"), panel("d", is_wide=True), panel("e")]
    shown = [[[p.title for p in stack] for stack in block] for block in blocks(panels)]
    assert shown == [[["a", "c"], ["b"]], [["d"]], [["e"], []]]


@pytest.mark.parametrize(
    ("number", "ja", "en"), [(999, "999", "999"), (12_345, "1.2万", "12.3k"), (2_500_000, "250万", "2.5M")]
)
def test_numbers_are_written_short_on_tiles(policy: Policy, number: int, ja: str, en: str) -> None:
    assert [Words(language, policy, {}).short(number) for language in ("ja", "en")] == [ja, en]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_lead_says_all_clicks_and_of_how_many_the_rate_is(
    night: tuple[PageFacts, Tables], policy: Policy, language: str
) -> None:
    keys = [key.key for key in night[0].keys]
    total = sum(Released(night[0].shape, night[1], policy).total(key, "click_n") or 0 for key in keys)
    for number, key in enumerate(keys, start=1):
        night = _hide(night, key, "impressions")
        lead = _headline(night, language).lead()
        assert f"{total:,}" in lead
        assert ("%" in lead) == (number < len(keys))
