"""The workbook: the csv's numbers on sheets, nothing that computes, no trace of who wrote it, the same bytes again."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import openpyxl
import pyarrow as pa
import pytest
from openpyxl.worksheet.worksheet import Worksheet
from release_night import NIGHT, cube_tables, references, withhold

from quorum.audit.identifiers import sweep
from quorum.audit.package import parse_files
from quorum.errors import ReleaseError
from quorum.policy import Policy
from quorum.release.extracts import draw, with_extracts
from quorum.release.package import csv_bytes, table_files
from quorum.release.shapes import package_shapes
from quorum.report.archive import pack
from quorum.report.facts import PageFacts, page_facts
from quorum.report.workbook import HEADER_ROWS, render_workbook

HEADS = HEADER_ROWS
WITHHELD = "非公開 withheld"
FORMULAS = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "＝HYPERLINK(1)",
    '=HYPERLINK("http://example.jp/","x")',
    "http://example.jp/",
    "mailto:x",
    "{=A1}",
    "12345",
    "1e99",
    "2026-11-21",
    "TRUE",
    "_x0041_",
    "a\x01b",
    "a\nb",
    "<script>&amp;</script>",
)

Tables = dict[str, pa.Table]


@pytest.fixture(scope="module")
def made(policy: Policy) -> tuple[PageFacts, Tables]:
    shape = next(shape for shape in package_shapes(policy, references(), NIGHT) if shape.report == "campaign")
    tables = withhold(shape, cube_tables(shape, policy, people=2_500), policy)
    return page_facts(policy, references(), shape), tables


@pytest.fixture(scope="module")
def content(made: tuple[PageFacts, Tables]) -> bytes:
    return render_workbook(*made)["report.xlsx"]


def _sheets(content: bytes) -> dict[str, Worksheet]:
    return {sheet.title.rpartition(" ")[2]: sheet for sheet in openpyxl.load_workbook(io.BytesIO(content)).worksheets}


def _grid(sheet: Worksheet) -> list[list[object]]:
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def test_every_table_is_a_sheet_with_the_numbers_of_its_csv(made: tuple[PageFacts, Tables], content: bytes) -> None:
    sheets, withheld, (facts, decided) = _sheets(content), 0, made
    carried = draw(facts.shape, decided, facts.policy)
    assert list(sheets) == ["凡例", *(table.name for table in with_extracts(facts.shape, facts.policy).tables)]
    assert set(sheets) == {"凡例", *carried}
    for name, table in carried.items():
        grid = _grid(sheets[name])
        columns = {head: [row[at] for row in grid[HEADS:]] for at, head in enumerate(grid[HEADS - 1])}
        for column in table.column_names:
            expected = [WITHHELD if value is None else value for value in table[column].to_pylist()]
            assert columns[column] == expected, (name, column)
            assert {type(value) for value in columns[column]} <= {int, str}
            withheld += columns[column].count(WITHHELD)
    assert withheld > 100, "a withheld cell says so and is no 0"


def test_heads_are_japanese_first_and_stay_in_sight(content: bytes) -> None:
    sheet = _sheets(content)["audience_age_gender"]
    heads = [row[:4] for row in _grid(sheet)[:HEADS]]
    assert heads[0][2:] == ["年代（名称）", "年代（コード）"]
    assert heads[1][2:] == ["Age (name)", "Age (code)"]
    assert heads[2][2:] == ["age_band_label", "age_band"]
    assert sheet.freeze_panes == "A4"
    assert sheet.auto_filter.ref.startswith("A3:")
    assert sheet.print_title_rows == "$1:$3"
    measure = next(cell for cell in sheet[HEADS] if cell.value == "impression_n")
    number = next(cell for cell in sheet[measure.column_letter][HEADS:] if isinstance(cell.value, int))
    assert number.number_format == "#,##0"
    assert sheet.column_dimensions["A"].width > 9
    assert "合計 / Total" in {row[2] for row in _grid(sheet)}


def test_the_legend_says_what_withheld_means_in_both_languages(content: bytes) -> None:
    legend = [row for row in _grid(_sheets(content)["凡例"]) if any(row)]
    assert all(ja and en for ja, en in legend)
    ja, en = ("\n".join(texts) for texts in zip(*legend, strict=True))
    for text in (
        "0 ではありません",
        "みなと銀行株式会社",
        "2026年11月21日",
        "standard",
        "50人以上",
        "20人以上",
        "クリック率",
    ):
        assert text in ja
    for text in (
        "is a text, not 0",
        "Minato Bank",
        "50 people or more",
        "20 people or more",
        "Click rate",
        "VERIFY.md",
    ):
        assert text in en
    assert "{" not in ja + en


@pytest.mark.parametrize("name", FORMULAS)
def test_a_name_is_a_text_whatever_it_begins_with(made: tuple[PageFacts, Tables], name: str) -> None:
    facts, tables = made
    names = tuple(replace(key, names={"ja": name, "en": name}) for key in facts.keys)
    named = replace(
        facts, keys=names, creatives=dict.fromkeys(facts.creatives, name), recipient={"ja": name, "en": name}
    )
    content = render_workbook(named, tables)["report.xlsx"]
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {member: archive.read(member) for member in archive.namelist()}
    sheets = b"".join(part for member, part in parts.items() if "worksheets/" in member)
    assert not re.search(rb"<f[ >]|hyperlink|externalLink", sheets)
    assert not any("rels" in member and b"External" in part for member, part in parts.items())
    for sheet in openpyxl.load_workbook(io.BytesIO(content)).worksheets[1:]:
        cell = sheet.cell(HEADS + 1, 1)
        assert cell.data_type == "s"
        assert cell.quotePrefix == (not name[0].isalnum())
    parse_files({**table_files(facts.shape, tables, facts.policy), "report.xlsx": content})


def test_the_same_report_gives_the_same_bytes_at_any_time(
    made: tuple[PageFacts, Tables], content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setenv("USER", "somebody")
    time.tzset()
    try:
        assert render_workbook(*made)["report.xlsx"] == content
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_workbook_tells_nothing_of_who_made_it_or_when(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = archive.infolist()
        core = archive.read("docProps/core.xml").decode()
        whole = b"".join(archive.read(member) for member in members)
        assert archive.comment == b""
    assert {member.date_time for member in members} == {(1980, 1, 1, 0, 0, 0)}
    assert {(member.external_attr, member.extra, member.comment) for member in members} == {(0, b"", b"")}
    assert set(re.findall(r"\d{4}-\d\d-\d\dT[\d:]+Z", core)) == {"1980-01-01T00:00:00Z"}
    assert (
        re.findall(r"<dc:creator>(.*?)</dc:creator>|<cp:lastModifiedBy>(.*?)</cp:lastModifiedBy>", core)
        == [("", "")] * 2
    )
    assert not re.search(rb"(?i)quorum|xlsxwriter|python|/(work|home|tmp)/", whole)


def test_a_sound_workbook_has_no_identifier_and_a_canary_in_it_is_found(
    made: tuple[PageFacts, Tables], content: bytes
) -> None:
    facts, tables = made
    files = table_files(facts.shape, tables, facts.policy)
    canary = "hanako.canary@example.jp"
    assert not sweep([parse_files({**files, "report.xlsx": content})], [canary]).claims
    named = replace(facts, creatives={**facts.creatives, "cr0a": f"バナー {canary}"})
    claims = sweep([parse_files({**files, **render_workbook(named, tables)})], [canary]).claims
    assert {(claim.where[0], claim.what) for claim in claims} == {
        ("report.xlsx", "email"),
        ("report.xlsx", "canary plain"),
    }


def test_yen_stand_beside_micro_yen(made: tuple[PageFacts, Tables]) -> None:
    facts, tables = made
    table = facts.shape.table("audience_device")
    money = replace(table.measures[0], name="cost_micros")
    shape = replace(facts.shape, tables=(replace(table, measures=(money,)),))
    values = [None, 0, 1, 123_456_789, 9_007_199_254_740_991, *range(table.row_n - 5)]
    status = ["withheld", *["published"] * (len(values) - 1)]
    columns = {column: tables[table.name][column] for column in table.columns}
    rows = pa.table({**columns, "cost_micros": pa.array(values, pa.int64()), "status_impressions": status})
    content = render_workbook(replace(facts, shape=shape), {table.name: rows})["report.xlsx"]
    grid = _grid(_sheets(content)[table.name])
    yen = [row[grid[HEADS - 1].index("cost_yen")] for row in grid[HEADS:]]
    assert yen[:4] == [WITHHELD, 0, 0.000001, 123.456789]
    assert grid[0][grid[HEADS - 1].index("cost_yen")] == "費用（円）"
    parse_files({**table_files(shape, {table.name: rows}, facts.policy), "report.xlsx": content})


def test_a_table_whose_name_is_no_sheet_is_refused(made: tuple[PageFacts, Tables]) -> None:
    facts, tables = made
    table = replace(facts.shape.tables[0], name="a_name_of_thirty_two_characters__")
    with pytest.raises(ReleaseError, match="31 characters"):
        render_workbook(
            replace(facts, shape=replace(facts.shape, tables=(table,))), {table.name: tables["performance"]}
        )


def test_an_archive_can_be_read_by_others(tmp_path: Path) -> None:
    members = {"a/表.xml": b"<a/>" * 1000, "empty": b"", "b": os.urandom(5000)}
    with zipfile.ZipFile(io.BytesIO(pack(members))) as archive:
        assert archive.testzip() is None
        assert {member: archive.read(member) for member in archive.namelist()} == members


def _opened_in_libreoffice(folder: Path, name: str) -> list[Path]:
    """Convert every sheet of a file to csv by LibreOffice and return the files."""
    soffice = shutil.which("soffice")
    assert soffice, "LibreOffice (Debian: libreoffice-calc-nogui) opens what a recipient opens"
    target = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    profile = f"-env:UserInstallation=file://{folder / 'profile'}"
    command = [soffice, profile, "--headless", "--convert-to", target, "--outdir", str(folder / "out"), name]
    subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=120)
    return sorted((folder / "out").glob("*.csv"))


@pytest.mark.office
def test_libreoffice_opens_workbook_and_csv_with_the_same_numbers(
    made: tuple[PageFacts, Tables], content: bytes, tmp_path: Path
) -> None:
    _, tables = made
    (tmp_path / "report.xlsx").write_bytes(content)
    sheets = {
        path.stem.rpartition(" ")[2].removeprefix("report-"): path
        for path in _opened_in_libreoffice(tmp_path, "report.xlsx")
    }
    for name, table in tables.items():
        rows = list(csv.reader(sheets[name].read_text("utf-8").splitlines()))
        own = [at for at, head in enumerate(rows[HEADS - 1]) if head in table.column_names]
        shown = [[row[at].replace(",", "").replace(WITHHELD, "") for at in own] for row in rows[HEADS - 1 :]]
        (tmp_path / f"{name}.csv").write_bytes(csv_bytes(table))
        (own_csv,) = [path for path in _opened_in_libreoffice(tmp_path, f"{name}.csv") if path.stem.startswith(name)]
        opened = list(csv.reader(own_csv.read_text("utf-8").splitlines()))
        assert shown == opened == list(csv.reader(csv_bytes(table).decode().splitlines()))
    assert "冬のボーナス" in sheets["performance"].read_text("utf-8")
