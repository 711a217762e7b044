"""The workbook of a package: a sheet for each table and a legend, Japanese first.

What belongs here: which cells a sheet has, and their formats. What does not: the columns' words
(`quorum.report.sheets`), the container (`quorum.report.archive`), and numbers that were not released.
"""

from __future__ import annotations

import io
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from quorum.errors import ReleaseError
from quorum.release.extracts import draw, with_extracts
from quorum.release.package import WORKBOOK
from quorum.report.archive import pack
from quorum.report.facts import PageFacts
from quorum.report.sheets import Column, Legend, Line, SheetWords

if TYPE_CHECKING:
    import pyarrow as pa
    from xlsxwriter import Workbook
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

HEADER_ROWS = 3
"""Japanese, English, the csv's column names."""
_TAB_LENGTH = 31
_NARROW, _WIDE, _LEGEND_WIDTH = 9, 42, 62
_MEASURED_ROWS = 400
"""Rows that a column's width is taken from; more of them do not make it nicer."""
_INK, _PALE, _GREY = "#16324F", "#E8EEF4", "#6B7280"
_FONT = {"font_name": "Yu Gothic", "font_size": 10, "valign": "top"}
_FORMATS: Mapping[str, Mapping[str, object]] = {
    "head": {"bold": True, "font_color": "#FFFFFF", "bg_color": _INK, "text_wrap": True, "valign": "vcenter"},
    "head_en": {"font_color": _INK, "bg_color": _PALE, "text_wrap": True},
    "head_name": {"font_color": _GREY, "bg_color": _PALE, "bottom": 1},
    "label": {},
    "label_total": {"bold": True},
    "code": {"font_color": _GREY},
    "code_total": {"font_color": _GREY},
    "count": {"num_format": "#,##0"},
    "count_total": {"num_format": "#,##0", "bold": True},
    "yen": {"num_format": "#,##0.00"},
    "yen_total": {"num_format": "#,##0.00", "bold": True},
    "withheld": {"font_color": _GREY, "italic": True, "align": "right", "bg_color": "#F1F1F1"},
    "title": {"bold": True, "font_size": 16, "font_color": _INK},
    "section": {"bold": True, "font_color": "#FFFFFF", "bg_color": _INK},
    "text": {"text_wrap": True},
}


def render_workbook(facts: PageFacts, tables: Mapping[str, pa.Table]) -> dict[str, bytes]:
    """Return the workbook of a package.

    Args:
        facts: public facts, from `quorum.report.facts.page_facts`.
        tables: released tables, from `quorum.release.safe.read_safe`: dimension columns, measures (null where
            withheld), ``status_<family>``.

    Returns:
        ``report.xlsx`` to its bytes. The same arguments give the same bytes: no time, no author, one form of the
        container. Every text is a text, whatever character it begins with; there are no formulas and no links. What is
        withheld is the word ``非公開 withheld``, never a number.

    Raises:
        ReleaseError: the name of a table is too long for a sheet.
    """
    from xlsxwriter import Workbook

    tables = draw(facts.shape, tables, facts.policy)
    facts = replace(facts, shape=with_extracts(facts.shape, facts.policy))
    words, out = SheetWords(facts), io.BytesIO()
    book = Workbook(out, {"in_memory": True, "strings_to_urls": False, "strings_to_formulas": False})
    book.set_properties({"created": datetime(1980, 1, 1, tzinfo=UTC)})
    formats = {name: book.add_format({**_FONT, **spec}) for name, spec in _FORMATS.items()}
    formats["quoted"] = book.add_format({**_FONT, "quote_prefix": True})
    tabs = {table.name: _tab(words.short_title(table), table.name) for table in facts.shape.tables}
    _write_legend(book, formats, words.legend(tabs))
    for table in facts.shape.tables:
        columns = words.columns(table, tables[table.name])
        _write_table(book.add_worksheet(tabs[table.name]), formats, columns, words.totals(table, tables[table.name]))
    book.close()
    return {WORKBOOK: _repacked(out.getvalue())}


def _tab(title: str, name: str) -> str:
    """Return the name of a table's sheet: what it is in Japanese, then the table's name, if there is room for both."""
    if len(name) > _TAB_LENGTH:
        raise ReleaseError("release.workbook", f"a table named {name}", f"{_TAB_LENGTH} characters", "shorten it")
    whole = f"{title} {name}"
    return whole if len(whole) <= _TAB_LENGTH else name


def _write_table(
    sheet: Worksheet, formats: Mapping[str, Format], columns: Sequence[Column], totals: Sequence[bool]
) -> None:
    """Write a table below its three header rows, which stay in sight; the filter stands on the third."""
    last = HEADER_ROWS - 1 + len(totals)
    for at, column in enumerate(columns):
        for row, (text, style) in enumerate(zip(column.head, ("head", "head_en", "head_name"), strict=True)):
            sheet.write_string(row, at, text, formats[style])
        _write_column(sheet, formats, at, column, totals)
        sheet.set_column(at, at, _width(column))
    sheet.set_row(0, 32)
    sheet.set_row(1, 30)
    sheet.freeze_panes(HEADER_ROWS, 0)
    sheet.autofilter(HEADER_ROWS - 1, 0, last, len(columns) - 1)
    _set_print(sheet)
    sheet.repeat_rows(0, HEADER_ROWS - 1)


def _write_column(
    sheet: Worksheet, formats: Mapping[str, Format], at: int, column: Column, totals: Sequence[bool]
) -> None:
    plain, bold = formats[column.kind], formats[f"{column.kind}_total"]
    for row, (value, is_total) in enumerate(zip(column.values, totals, strict=True), HEADER_ROWS):
        if value is None:
            sheet.write_string(row, at, column.withheld, formats["withheld"])
        elif isinstance(value, str):
            style = formats["quoted"] if not value[:1].isalnum() else bold if is_total else plain
            sheet.write_string(row, at, value, style)
        else:
            sheet.write_number(row, at, value, bold if is_total else plain)


def _write_legend(book: Workbook, formats: Mapping[str, Format], legend: Legend) -> None:
    """Write the legend as the first sheet: Japanese on the left, English on the right."""
    sheet = book.add_worksheet(legend.tab)
    sheet.set_column(0, 1, _LEGEND_WIDTH, formats["text"])
    sheet.hide_gridlines(2)
    _write_line(sheet, 0, legend.title, formats["title"])
    row = 1
    for title, lines in legend.sections:
        row += 1
        _write_line(sheet, row, title, formats["section"])
        for line in lines:
            row += 1
            _write_line(sheet, row, line, formats["text"])
            sheet.set_row(row, 15 * max(1, *(-(-_cells(text) // _LEGEND_WIDTH) for text in line)))
        row += 1
    sheet.activate()
    _set_print(sheet)


def _write_line(sheet: Worksheet, row: int, line: Line, style: Format) -> None:
    for at, text in enumerate(line):
        sheet.write_string(row, at, text, style)


def _set_print(sheet: Worksheet) -> None:
    sheet.set_paper(9)  # A4
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.set_footer("&L&A&R&P / &N")


def _width(column: Column) -> int:
    texts = [*column.head[:2], *(_shown(value) for value in column.values[:_MEASURED_ROWS])]
    header = _cells(column.head[2]) + 3  # the filter's button
    return min(_WIDE, max(_NARROW, header, *(min(_cells(text), 24) + 2 for text in texts[:2]), *map(_cells, texts[2:])))


def _shown(value: object) -> str:
    return f"{value:,} " if isinstance(value, int | float) else str(value or "") + "  "


def _cells(text: str) -> int:
    """Return how many Latin letters wide a text is; a Japanese character is two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WFA" else 1 for character in text)


def _repacked(content: bytes) -> bytes:
    """Return a workbook in a container whose bytes depend on its members alone."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members: dict[str, Any] = {member.filename: archive.read(member) for member in archive.infolist()}
    return pack(members)
