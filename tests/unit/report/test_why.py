"""Why: statuses, codes and remedies are those of the published cells of the package, in any language."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from markupsafe import escape
from release_night import NIGHT, cube_tables, references, withhold

from quorum.audit.package import ParsedPackage, parse_files
from quorum.disclosure import PackageCube, control
from quorum.errors import UsageError
from quorum.policy import Policy
from quorum.release.package import DESCRIPTOR, table_files
from quorum.release.shapes import package_shapes, planned_shape
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.report.why import BREAKDOWN, FAMILY, LEVEL, LONGER, NEXT, PLAN, TABLE, Held, record_cell, record_summary
from quorum.report.why_cells import Grid, find_cell
from quorum.report.why_periods import following, longer
from quorum.report.why_sheet import cell_page, summary_page
from quorum.report.why_text import describe_cell, describe_summary, why_words
from quorum.tables import PackageShape
from quorum.tables.shape import ALL

Tables = dict[str, pa.Table]


def _shape(policy: Policy, report: str = "campaign") -> PackageShape:
    shape = next(s for s in package_shapes(policy, references(2), NIGHT) if s.report == report)
    return planned_shape(policy, shape)


@pytest.fixture(scope="module")
def files(policy: Policy) -> dict[str, bytes]:
    """The files of a campaign package as control releases it."""
    shape = _shape(policy)
    report = policy.reports["campaign"]
    cube = PackageCube(shape, cube_tables(shape, policy, 1_200))
    safe = control(cube, policy.rule_sets[report.rule_set], [policy.families[name] for name in report.families])
    return table_files(shape, safe.tables, policy)


@pytest.fixture(scope="module")
def package(files: dict[str, bytes]) -> ParsedPackage:
    return parse_files(files)


@pytest.fixture(scope="module")
def held(package: ParsedPackage) -> Held:
    return Held(package)


@cache
def _rows(text: bytes) -> list[dict[str, str]]:
    header, *rows = [line.split(",") for line in text.decode().splitlines()]
    return [dict(zip(header, row, strict=True)) for row in rows]


def _cells(
    files: dict[str, bytes], table: str, *columns: str, status: str, family: str = "impressions"
) -> list[dict[str, str]]:
    """Cells of a table at a level of which a family has a status."""
    every = ("creative_id", "placement", "age_band", "gender", "region", "prefecture", "device")
    found = []
    for row in _rows(files[f"{table}.csv"]):
        named = {c for c in every if row.get(c, ALL) != ALL}
        if named == set(columns) and row[f"status_{family}"] == status:
            found.append({c: row[c] for c in ("campaign_id", *columns)})
    return found


def _status(held: Held, cell: dict[str, str], table: str, family: str) -> object:
    return next(s for s in held.explain(cell).tables[table] if s.family == family)


def test_every_cell_has_the_status_and_the_numbers_of_the_file(files: dict[str, bytes], held: Held) -> None:
    for row in _rows(files["audience_age_gender.csv"]):
        cell = {c: row[c] for c in ("campaign_id", "age_band", "gender")}
        for status in held.explain(cell).tables["audience_age_gender"]:
            assert status.status == row[f"status_{status.family}"]
            assert status.code == {"published": "F", "withheld": "C"}[status.status]
            assert {m: str(v) for m, v in status.measures.items()} == {
                m.name: row[m.name]
                for m in held.package.tables["audience_age_gender"].shape.measures
                if m.family == status.family and row[m.name]
            }
            assert bool(status.instead) == (status.status == "withheld")


def test_a_coarser_cell_is_published_contains_the_cell_and_is_the_nearest(files: dict[str, bytes], held: Held) -> None:
    seen = 0
    for cell in _cells(files, "audience_area", "region", "prefecture", status="withheld"):
        status = _status(held, cell, "audience_area", "impressions")
        wider = [i.facts["cell"] for i in status.instead if i.kind == LEVEL]
        region = {c: cell[c] for c in ("campaign_id", "region")}
        total = {"campaign_id": cell["campaign_id"]}
        published = [
            c for c in (region, total) if _status(held, c, "audience_area", "impressions").status == "published"
        ]
        assert wider == published[:1]
        seen += wider == [region]
    assert seen > 3


def test_a_crossed_cell_has_both_margins_where_both_are_published(files: dict[str, bytes], held: Held) -> None:
    ages, genders = (
        _cells(files, "audience_age_gender", column, status="published") for column in ("age_band", "gender")
    )
    seen = 0
    for cell in _cells(files, "audience_age_gender", "age_band", "gender", status="withheld"):
        status = _status(held, cell, "audience_age_gender", "impressions")
        wider = [i.facts["cell"] for i in status.instead if i.kind == LEVEL]
        margins = [m for m in (*ages, *genders) if m.items() <= cell.items()]
        if margins:
            assert sorted(map(str, wider)) == sorted(map(str, margins))
            seen += len(margins) == 2
    assert seen > 0


def test_measures_of_remedies_are_published_ones(held: Held, files: dict[str, bytes]) -> None:
    cell = _cells(files, "audience_area", "region", "prefecture", status="withheld")[0]
    for status in held.explain(cell).tables["audience_area"]:
        for instead in status.instead:
            if instead.kind in (LEVEL, FAMILY, TABLE):
                assert instead.facts["measures"]
                there = held.explain(instead.facts["cell"]).tables["audience_area"]
                assert instead.facts["measures"] in [s.measures for s in there]


def test_a_family_that_is_required_is_named_where_it_is_published(files: dict[str, bytes], held: Held) -> None:
    row = next(
        r
        for r in _rows(files["audience_device.csv"])
        if (r["status_impressions"], r["status_clicks"]) == ("published", "withheld")
    )
    status = _status(held, {c: row[c] for c in ("campaign_id", "device")}, "audience_device", "conversions")
    family = next(i for i in status.instead if i.kind == FAMILY)
    assert family.facts["family"] == "impressions"
    assert family.facts["measures"] == {"impression_n": int(row["impression_n"])}


@pytest.mark.parametrize("family", ["impressions", "clicks", "conversions"])
@pytest.mark.parametrize("campaign", ["c000", "c001"])
def test_other_dimensions_are_those_with_published_categories(
    files: dict[str, bytes], held: Held, campaign: str, family: str
) -> None:
    crossed = _cells(files, "audience_age_gender", "age_band", "gender", status="withheld", family=family)
    cell = next(c for c in crossed if c["campaign_id"] == campaign)
    status = _status(held, cell, "audience_age_gender", family)
    told = {(i.facts["table"], c) for i in status.instead if i.kind == BREAKDOWN for c in i.facts["columns"]}
    for table, column, named in (
        ("performance", "placement", ("placement",)),
        ("performance", "creative_id", ("creative_id",)),
        ("audience_area", "region", ("region",)),
        ("audience_area", "prefecture", ("region", "prefecture")),
        ("audience_device", "device", ("device",)),
    ):
        there = _cells(files, table, *named, status="published", family=family)
        assert ((table, column) in told) == any(c["campaign_id"] == campaign for c in there), (table, column)
    assert "audience_age_gender" not in {table for table, _ in told}


def test_a_published_crossing_is_no_other_dimension(package: ParsedPackage) -> None:
    """Of a table that publishes one crossed cell alone, neither of the crossed columns is offered."""
    table = package.tables["performance"]
    crossed = np.array([ALL not in coordinate for coordinate in table.coordinates])
    grid = Grid(replace(table, published={**table.published, "clicks": crossed}))
    assert grid.splits({"campaign_id": "c000"}, "clicks") == set()
    assert grid.splits({"campaign_id": "c000"}, "impressions") == {"creative_id", "placement"}


def test_the_same_cell_of_another_universe_is_found(package: ParsedPackage, files: dict[str, bytes]) -> None:
    """Two tables list the same cell; of different universes, one may publish what the other withholds."""
    cell = _cells(files, "audience_device", "device", status="published")[0]
    table = package.tables["audience_device"]
    hidden = replace(
        table,
        shape=replace(table.shape, name="again", universe="other"),
        published={f: np.zeros_like(p) for f, p in table.published.items()},
    )
    held = Held(replace(package, tables={**package.tables, "again": hidden}))
    status = _status(held, cell, "again", "impressions")
    assert next(i for i in status.instead if i.kind == TABLE).facts["table"] == "audience_device"


def test_the_remedies_of_time_and_plan_come_last_for_every_withheld_cell(files: dict[str, bytes], held: Held) -> None:
    for cell in _cells(files, "audience_area", "region", "prefecture", status="withheld")[:20]:
        status = _status(held, cell, "audience_area", "clicks")
        assert [i.kind for i in status.instead][-3:] == [NEXT, LONGER, PLAN]
        assert [i.facts for i in status.instead][-3:] == [
            {"periods": ["2026-11-22"]},
            {"periods": ["2026-W47", "2026-11"]},
            {"heads": 20},
        ]


@pytest.mark.parametrize(
    ("period", "after", "holding"),
    [
        ("2026-11-30", "2026-12-01", ("2026-W49", "2026-11")),
        ("2026-12-31.r2", "2027-01-01", ("2026-W53", "2026-12")),
        ("2026-W53", "2027-W01", ("2026-12", "2027-01")),
        ("2026-W47", "2026-W48", ("2026-11",)),
        ("2026-12", "2027-01", ()),
        ("2026-02", "2026-03", ()),
        ("2026-13", None, ()),
        ("soon", None, ()),
    ],
)
def test_periods(period: str, after: str | None, holding: tuple[str, ...]) -> None:
    assert following(period) == after
    assert longer(period) == holding


def test_a_package_of_a_period_of_its_own_has_no_next_one(package: ParsedPackage, files: dict[str, bytes]) -> None:
    held = Held(replace(package, shape=replace(package.shape, period="soon")))
    assert [i.kind for i in held.later("clicks")] == [PLAN]


def test_coarser_levels_and_an_only_key_are_filled_in(package: ParsedPackage, policy: Policy) -> None:
    asked = {"prefecture": "tokyo", "campaign_id": "c001", "region": ALL}
    assert find_cell(package, asked) == {"campaign_id": "c001", "prefecture": "tokyo", "region": "kanto"}
    assert find_cell(package, {"creative_id": "cr1a"}) == {"creative_id": "cr1a", "campaign_id": "c001"}
    assert list(Held(package).explain(asked).cell) == ["campaign_id", "region", "prefecture"]
    shape = _shape(policy, "sections")
    tables = withhold(shape, cube_tables(shape, policy, 800), policy)
    weather = parse_files(table_files(shape, tables, policy))
    assert find_cell(weather, {"gender": "male"}) == {"gender": "male", "section_id": "weather"}


def test_a_category_that_was_grouped_stands_for_its_group(package: ParsedPackage) -> None:
    device = package.tables["audience_device"].shape.dimensions[1].keys[0][0]
    grouped = replace(package, shape=replace(package.shape, groups={"device": {"watch": device}}))
    assert find_cell(grouped, {"campaign_id": "c000", "device": "watch"})["device"] == device


@pytest.mark.parametrize(
    ("asked", "rule", "allowed"),
    [
        ({"colour": "taro@example.jp"}, "why.dimension", "age_band"),
        ({"campaign_id": "c000", "age_band": "taro@example.jp"}, "why.category", "u20, 20s, 30s"),
        ({"age_band": "20s"}, "why.cell", "c000, c001"),
        ({"creative_id": "unknown"}, "why.cell", "c000, c001"),
        ({"campaign_id": "c000", "creative_id": "cr1a"}, "why.category", "leave campaign_id out"),
        ({"campaign_id": "c000", "region": "kinki", "prefecture": "tokyo"}, "why.category", "leave region out"),
        ({"campaign_id": "c000", "age_band": "20s", "device": "pc"}, "why.category", "unknown"),
        ({"campaign_id": "c000", "age_band": "20s", "region": "kanto"}, "why.table", "audience_area (campaign_id, reg"),
    ],
)
def test_an_unknown_cell_is_told_what_exists_and_not_repeated(
    held: Held, asked: dict[str, str], rule: str, allowed: str
) -> None:
    with pytest.raises(UsageError) as caught:
        held.explain(asked)
    assert caught.value.rule == rule
    assert allowed in caught.value.allowed
    assert "taro@example.jp" not in str(caught.value)


def test_long_lists_of_what_exists_are_cut(package: ParsedPackage) -> None:
    table = package.tables["performance"]
    many = replace(
        table.shape.dimensions[0], keys=tuple(("c000", f"x{n:03}") for n in range(70)) + table.shape.dimensions[0].keys
    )
    shape = replace(table.shape, dimensions=(many, *table.shape.dimensions[1:]))
    wide = replace(package, tables={"performance": replace(table, shape=shape)})
    with pytest.raises(UsageError, match="x059 and 15 more"):
        find_cell(wide, {"campaign_id": "c000", "creative_id": "y"})


def test_the_summary_counts_published_cells_and_no_others(files: dict[str, bytes], held: Held) -> None:
    levels = {(level.table, level.columns): level.published for level in held.summarise()}
    assert levels["audience_area", ("region", "prefecture")]["impressions"] == len(
        _cells(files, "audience_area", "region", "prefecture", status="published")
    )
    assert levels["performance", ()]["impressions"] == len(_cells(files, "performance", status="published"))
    assert set(record_summary(held, held.summarise())["levels"][0]) == {"table", "columns", "published_cells"}


def test_a_package_that_states_no_rules_is_answered_without_numbers(files: dict[str, bytes]) -> None:
    descriptor = json.loads(files[DESCRIPTOR])
    del descriptor["quorum:rule_set"]
    held = Held(parse_files({**files, DESCRIPTOR: json.dumps(descriptor).encode()}))
    assert held.needs() == {}
    cell = _cells(files, "audience_area", "region", "prefecture", status="withheld")[0]
    answer = held.explain(cell)
    assert _status(held, cell, "audience_area", "clicks").instead[-1].facts == {"heads": None}
    text = "\n".join(describe_cell(held, answer, "en"))
    assert "cross fewer of them.\n" in f"{text}\n"
    assert "people or more" not in text


@pytest.mark.parametrize("language", ["ja", "en"])
def test_texts_hold_every_fact_of_the_answer(held: Held, files: dict[str, bytes], language: str) -> None:
    row = next(
        r
        for r in _rows(files["audience_area.csv"])
        if r["prefecture"] != ALL and (r["status_impressions"], r["status_clicks"]) == ("published", "withheld")
    )
    answer = held.explain({c: row[c] for c in ("campaign_id", "prefecture")})
    text = "\n".join(describe_cell(held, answer, language))
    assert f"impression_n {int(row['impression_n']):,}" in text
    assert "SDMX:CL_CONF_STATUS" in text
    assert "2026-11-22" in text
    assert "2026-W47" in text
    record = record_cell(held, answer)
    for instead in (i for f in record["tables"][0]["families"] for i in f["instead"] if i["kind"] == LEVEL):
        assert all(f"{name} {value:,}" in text for name, value in instead["measures"].items())
    summary = "\n".join(describe_summary(held, held.summarise(), language))
    assert "region × prefecture" in summary
    assert "{" not in text + summary


def test_a_cell_that_is_published_whole_needs_nothing_instead(policy: Policy) -> None:
    shape = _shape(policy, "sections")
    tables = withhold(shape, cube_tables(shape, policy, 3_000), policy)
    held = Held(parse_files(table_files(shape, tables, policy)))
    assert describe_cell(held, held.explain({"section_id": "weather"}), "en")[-1] == "All of it is published."


def test_both_languages_have_every_text() -> None:
    assert set(why_words("ja")) == set(why_words("en"))
    assert all(why_words("ja").values())
    assert all(why_words("en").values())


def test_a_grid_lists_only_its_own_cells(package: ParsedPackage) -> None:
    grid = Grid(package.tables["audience_device"])
    assert grid.lists({"campaign_id": "c000"})
    assert not grid.lists({"campaign_id": "c000", "age_band": "20s"})
    assert not grid.lists({"device": "mobile"})
    assert not grid.is_published({"campaign_id": "c000"}, "views")
    assert grid.measures({"campaign_id": "c000", "age_band": "20s"}, "clicks") == {}


def test_the_status_field_carries_the_codes(files: dict[str, bytes]) -> None:
    for resource in json.loads(files[DESCRIPTOR])["resources"]:
        for field in resource["schema"]["fields"]:
            if field["quorum:role"] == "status":
                assert field["quorum:codes"] == {"published": "F", "withheld": "C"}
                assert field["quorum:code_list"] == "SDMX:CL_CONF_STATUS(1.2)"
                assert set(field["quorum:codes"]) == set(field["constraints"]["enum"])
            else:
                assert "quorum:codes" not in field


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_says_where_there_are_numbers(policy: Policy, language: str) -> None:
    shape = _shape(policy)
    cubes = cube_tables(shape, policy, 1_200)
    pages = [
        render(page_facts(policy, references(2), shape), withhold(shape, cubes, policy, totals_only=only))
        for only in (False, True)
    ]
    some, totals = (page[f"report.{language}.html"].decode() for page in pages)
    told = {"ja": "数値のある粒度：合計。", "en": "There are numbers by: Total."}[language]
    assert told in totals
    assert told.removesuffix("。").removesuffix(".") in some
    assert some != totals
    assert "SDMX:CL_CONF_STATUS" in some
    shape = next(s for s in package_shapes(policy, references(1), NIGHT) if s.report == "campaign")
    nothing = {name: _nothing(t) for name, t in withhold(shape, cube_tables(shape, policy, 1_200), policy).items()}
    empty = render(page_facts(policy, references(1), shape), nothing)[f"report.{language}.html"].decode()
    none = {
        "ja": "どの粒度でも非公開です（SDMX コード C）",
        "en": "withheld at every level in this period (SDMX code C)",
    }
    assert empty.count(none[language]) == 3


def _nothing(table: pa.Table) -> pa.Table:
    """A released table of which nothing is published."""
    columns = {}
    for name in table.column_names:
        column = table[name]
        if column.type == pa.int64():
            column = pa.nulls(table.num_rows, pa.int64())
        elif name.startswith("status_"):
            column = pa.repeat(pa.scalar("withheld"), table.num_rows)
        columns[name] = column
    return pa.table(columns)


def _run(*arguments: str) -> tuple[int, str, str]:
    """Run the command in a process of its own."""
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", "why", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[3])
    return done.returncode, done.stdout, done.stderr


@pytest.fixture(scope="module")
def folder(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("package")
    for name, content in files.items():
        (made / name).write_bytes(content)
    return made


def test_the_command(folder: Path, files: dict[str, bytes]) -> None:
    code, out, _ = _run(str(folder))
    assert code == 0
    assert "Published cells:" in out
    assert "公開されたセルの数" in _run(str(folder), "--lang", "ja")[1]
    cell = _cells(files, "audience_age_gender", "age_band", "gender", status="withheld")[0]
    asked = ",".join(f"{column}={category}" for column, category in cell.items())
    code, out, _ = _run(str(folder), "--cell", asked, "--json")
    record = json.loads(out)
    assert (code, record["cell"], record["period"]) == (0, cell, "2026-11-21")
    assert record["tables"][0]["families"][0]["code"] == "C"
    assert record["tables"][0]["families"][0]["measures"] == {}
    assert _run(str(folder), "--json")[1].startswith("{")


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--cell", "colour=red"], 2, "age_band"),
        (["--cell", "campaign_id"], 2, "column=category"),
        (["--cell", "campaign_id=c000,campaign_id=c001"], 2, "each column once"),
        (["--lang", "fr"], 2, "ja"),
    ],
)
def test_the_command_called_wrongly(folder: Path, arguments: list[str], code: int, told: str) -> None:
    found, out, err = _run(str(folder), *arguments)
    assert (found, out) == (code, "")
    assert told in err


def test_a_folder_that_is_no_package(tmp_path: Path) -> None:
    assert _run(str(tmp_path))[0] == 12


def test_a_cell_outside_the_targeting_is_said_to_be_0_beforehand(files: dict[str, bytes]) -> None:
    targeting = {"c000": {"gender": ["female"]}}
    document = {**json.loads(files[DESCRIPTOR]), "quorum:targeting": targeting}
    held = Held(parse_files({**files, DESCRIPTOR: json.dumps(document).encode()}))
    man, woman = (held.explain({"campaign_id": "c000", "gender": g}) for g in ("male", "female"))
    assert (man.is_targeted, woman.is_targeted) == (False, True)
    assert record_cell(held, man)["targeted"] is False
    for language in ("ja", "en"):
        line = why_words(language)["not_targeted"]
        assert line in describe_cell(held, man, language)
        assert line not in describe_cell(held, woman, language)


def test_zeros_by_targeting_are_no_published_cells(files: dict[str, bytes]) -> None:
    """Of two campaigns that target nobody in a table, nothing is counted but totals and ``unknown``."""
    whole = {(level.table, level.columns): level.published for level in Held(parse_files(files)).summarise()}
    targeting = {key: {"occupation": ["nobody"]} for key in ("c000", "c001")}
    document = {**json.loads(files[DESCRIPTOR]), "quorum:targeting": targeting}
    held = Held(parse_files({**files, DESCRIPTOR: json.dumps(document).encode()}))
    aimed = {(level.table, level.columns): level.published for level in held.summarise()}
    at = ("audience_occupation", ("occupation",))
    assert aimed[at]["impressions"] <= 2 < whole[at]["impressions"]
    assert {level: n for level, n in aimed.items() if level != at} == {
        level: n for level, n in whole.items() if level != at
    }


@pytest.mark.parametrize("language", ["ja", "en"])
def test_the_page_says_what_is_printed_and_fetches_nothing(held: Held, files: dict[str, bytes], language: str) -> None:
    row = next(
        r
        for r in _rows(files["audience_area.csv"])
        if r["prefecture"] != ALL and (r["status_impressions"], r["status_clicks"]) == ("published", "withheld")
    )
    answer = held.explain({c: row[c] for c in ("campaign_id", "prefecture")})
    page = cell_page(held, answer, language).decode()
    for line in describe_cell(held, answer, language)[5:]:
        if line.startswith("    - "):
            assert str(escape(line.removeprefix("    - "))) in page
    assert f" {int(row['impression_n']):,}" in page
    assert f'<html lang="{language}">' in page
    assert "Content-Security-Policy" in page
    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    summary = summary_page(held, held.summarise(), language).decode()
    for level in held.summarise():
        assert all(f"<td>{n:,}</td>" in summary for n in level.published.values() if n)
    assert "quorum why PACKAGE --cell campaign_id=" in summary


def test_the_page_is_a_function_of_what_is_published(files: dict[str, bytes], policy: Policy) -> None:
    """Two nights of other numbers below the same pattern differ on the page in the published numbers alone."""
    shape = _shape(policy)
    tables = withhold(shape, cube_tables(shape, policy, 1_200), policy)
    other = withhold(shape, cube_tables(shape, policy, 1_200), policy)
    hidden = {name: _nothing(table) for name, table in tables.items()}
    asked = {"campaign_id": "c000", "age_band": "20s", "gender": "female"}
    same = [Held(parse_files(table_files(shape, one, policy))) for one in (tables, other)]
    assert len({cell_page(one, one.explain(asked), "ja") for one in same}) == 1
    assert len({summary_page(one, one.summarise(), "en") for one in same}) == 1
    few = {name: _nothing(t) for name, t in withhold(shape, cube_tables(shape, policy, 40), policy).items()}
    empty = [Held(parse_files(table_files(shape, one, policy))) for one in (hidden, few)]
    for language in ("ja", "en"):
        assert len({cell_page(one, one.explain(asked), language) for one in empty}) == 1
        assert len({summary_page(one, one.summarise(), language) for one in empty}) == 1
    assert summary_page(empty[0], empty[0].summarise(), "en") != summary_page(same[0], same[0].summarise(), "en")


def test_text_of_a_package_is_text_on_the_page(files: dict[str, bytes]) -> None:
    held = Held(parse_files(files))
    shape = replace(held.package.shape, recipient_id="<img src=x onerror=alert(1)>")
    held = Held(replace(held.package, shape=shape))
    page = summary_page(held, held.summarise(), "en").decode()
    assert "<img" not in page
    assert "&lt;img" in page


def test_the_command_writes_a_page(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "why.html"
    assert _run(str(folder), "--page", str(file), "--lang", "ja") == (0, "", "")
    assert file.read_bytes().startswith(b"<!DOCTYPE html>")
    code, out, err = _run(str(folder), "--page", str(tmp_path / "none" / "why.html"))
    assert (code, out) == (2, "")
    assert "why.page" in err
