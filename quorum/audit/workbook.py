"""The workbook must say what the csv files say, and nothing that computes, links or hides.

What belongs here: reading the sheets of ``report.xlsx`` strictly, and comparing them. What does not: reading the csv
(`quorum.audit.package`), and identifiers in its texts (`quorum.audit.identifiers`).
"""

from __future__ import annotations

import html
import io
import re
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from quorum.audit.descriptor import malformed
from quorum.errors import ReleaseError

WORKBOOK = "report.xlsx"
_BOOK = "xl/workbook.xml"
_HEADS = 3
_LARGEST = 1 << 29
"""Bytes that a workbook may unpack to."""
_PARTS = re.compile(
    r"\[Content_Types\]\.xml|_rels/\.rels|docProps/(app|core)\.xml"
    r"|xl/(workbook|styles|sharedStrings|theme/theme1|worksheets/sheet[0-9]+)\.xml|xl/_rels/workbook\.xml\.rels"
)
_SHEET = re.compile(rb'<sheet name="([^"<]+)" sheetId="[0-9]+" r:id="([A-Za-z0-9]+)"/>')
_TARGET = re.compile(
    rb'<Relationship Id="([A-Za-z0-9]+)" Type="[^"]+/worksheet" Target="(worksheets/sheet[0-9]+\.xml)"/>'
)
_TEXT = re.compile(rb"<si><t(?: xml:space=\"preserve\")?>([^<]*)</t></si>")
_CELL = re.compile(
    rb'<c r="([A-Z]{1,3})([1-9][0-9]{0,6})"(?: s="[0-9]+")?( t="s")?><v>([0-9]+(?:\.[0-9]+)?(?:E[+-][0-9]+)?)</v></c>'
)
_AROUND = frozenset(
    b"worksheet sheetPr pageSetUpPr dimension sheetViews sheetView pane selection sheetFormatPr cols col sheetData "
    b"autoFilter pageMargins pageSetup headerFooter oddFooter".split()
)
_FORBIDDEN = re.compile(rb"""<!|<f[ />]|TargetMode|zeroHeight|\shidden\s*=|\s(?:width|ht)\s*=\s*["']0[."']""")
_WITHHELD = "非公開 withheld"
_MICROS = 1_000_000
_BESIDE = ("_label", "_yen")


class Sheet(NamedTuple):
    """What a sheet must say: the csv of its table.

    Args:
        columns: of the csv, in order.
        measures: those of them that hold numbers.
        rows: as texts; an empty text is a withheld measure.
    """

    columns: Sequence[str]
    measures: Sequence[str]
    rows: Sequence[Sequence[str]]


class _Cells(NamedTuple):
    """The cells of a sheet, in its order: column, row, whether it is a text, and the text or the digits of a number."""

    columns: Sequence[bytes]
    rows: Sequence[bytes]
    are_texts: Sequence[bytes]
    values: Sequence[str]


def refuse_other_workbook(content: bytes, tables: Mapping[str, Sheet]) -> None:
    """Refuse a workbook that does not say exactly what the csv files of a package say.

    Args:
        content: of ``report.xlsx``.
        tables: table to what its csv says.

    Raises:
        ReleaseError: it is no workbook, has a part, sheet or column too many or too few, computes, links or hides
            something, or a cell differs; the message names sheet and column, never a cell.

    Guarantee:
        After return: one legend of texts alone, and a sheet for each table with every column of its csv, in which
        categories and statuses are texts, published measures are the same numbers, and withheld ones the one word for
        it. What is beside them is the names of categories, and yen that are the micro-yen of the csv. No formula, link,
        macro, comment, hidden sheet, row or column.

    Source: architecture.md, "A report package"; ECMA-376, part 1, 18.3.1.
    """
    parts = _parts(content)
    sheets = _sheets(parts)
    shared = _shared(parts.get("xl/sharedStrings.xml", b""))
    found = {name.rpartition(" ")[2]: _cells(name, part, shared) for name, part in sheets[1:]}
    if set(found) != set(tables) or len(found) != len(sheets) - 1:
        raise _malformed("its sheets are other ones than the tables", "a legend, then a sheet for each table")
    if not all(_cells(*sheets[0], shared).are_texts):
        raise _malformed("the legend has a number", "texts alone")
    for name, sheet in tables.items():
        _compare(name, found[name], sheet)


def _parts(content: bytes) -> dict[str, bytes]:
    """Return the members of the archive; only those that a plain workbook has, and none of them active."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            listed = archive.infolist()
            if sum(member.file_size for member in listed) > _LARGEST:
                raise _malformed("it unpacks to more than it may", "a smaller workbook")
            parts = {member.filename: archive.read(member) for member in listed}
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, OSError, EOFError, ValueError):
        raise _malformed("it is no workbook", "Office Open XML") from None
    if len(parts) != len(listed) or not all(_PARTS.fullmatch(name) for name in parts):
        raise _malformed("it has a part that a plain workbook has not", "sheets, texts and styles")
    for name, part in parts.items():
        if name != _BOOK and _FORBIDDEN.search(part):
            raise _malformed("it computes, links or hides something", "texts and numbers")
    return parts


def _sheets(parts: Mapping[str, bytes]) -> list[tuple[str, bytes]]:
    """Return the sheets in their order, each with its name."""
    book, relations = parts.get(_BOOK, b""), parts.get("xl/_rels/workbook.xml.rels", b"")
    listed, targets = _SHEET.findall(book), dict(_TARGET.findall(relations))
    names = re.findall(rb'<definedName name="([^"]*)"', book)
    if book.count(b"<sheet ") != len(listed) or not all(name.startswith(b"_xlnm.") for name in names):
        raise _malformed("it hides a sheet, or names a range", "sheets in sight")
    try:
        return [(html.unescape(name.decode()), parts[f"xl/{targets[at].decode()}"]) for name, at in listed]
    except (KeyError, UnicodeDecodeError):
        raise _malformed("a sheet is missing", "every sheet that it names") from None


def _shared(part: bytes) -> list[str]:
    found = _TEXT.findall(part)
    if part.count(b"<si>") != len(found):
        raise _malformed("it has texts in parts", "plain texts")
    try:
        return [html.unescape(text.decode()) for text in found]
    except UnicodeDecodeError:
        raise _malformed("a text is not UTF-8", "UTF-8") from None


def _around(sheet: bytes) -> bytes:
    """Return what stands before and after the cells of a sheet."""
    before, _, rest = sheet.partition(b"<sheetData>")
    return before + rest.rpartition(b"</sheetData>")[2]


def _cells(name: str, sheet: bytes, shared: Sequence[str]) -> _Cells:
    """Return all cells of a sheet, in its order."""
    inner = sheet.partition(b"<sheetData>")[2].rpartition(b"</sheetData>")[0]
    tags = set(re.findall(rb"<([A-Za-z:]+)", _around(sheet)))
    found = _CELL.findall(inner)
    is_plain = tags <= _AROUND and inner.count(b"<") == 4 * len(found) + 2 * inner.count(b"<row ")
    if not is_plain:
        raise _malformed(f"{name} has something else than cells", "texts and numbers")
    columns, rows, kinds, values = zip(*found, strict=True) if found else ((), (), (), ())
    try:
        texts = [shared[int(value)] if kind else value.decode() for kind, value in zip(kinds, values, strict=True)]
    except (IndexError, ValueError):
        raise _malformed(f"{name} names a text that is not there", "its own texts") from None
    return _Cells(columns, rows, kinds, texts)


def _compare(name: str, cells: _Cells, sheet: Sheet) -> None:
    """Compare a sheet with its csv, column by column, below its heads."""
    width, height = cells.rows.count(b"1"), len(sheet.rows) + _HEADS
    letters = tuple(_letters(column) for column in range(width))
    numbers = [str(row).encode() for row in range(1, height + 1)]
    if cells.columns != letters * height or cells.rows != tuple(row for row in numbers for _ in letters):
        raise _malformed(f"{name}: the number of rows differs from the csv, or it has gaps", "the same table")
    heads = cells.values[(_HEADS - 1) * width : _HEADS * width]
    beside = [head for head in heads if head not in sheet.columns]
    is_headed = all(cells.are_texts[: _HEADS * width])
    if not is_headed or [head for head in heads if head in sheet.columns] != list(sheet.columns):
        raise _malformed(f"{name}: columns differ from the csv", "the same table")
    if len(set(beside)) != len(beside) or not all(head.endswith(_BESIDE) for head in beside):
        raise _malformed(f"{name} has a column that the csv has not", "names of categories, and yen")
    said = dict(zip(sheet.columns, zip(*sheet.rows, strict=True), strict=True))
    for at, head in enumerate(heads):
        below = slice(_HEADS * width + at, None, width)
        are_texts, values = cells.are_texts[below], cells.values[below]
        if head in sheet.measures or head.endswith(_BESIDE[1]):
            is_same = _are_same_numbers(are_texts, values, _numbers(head, said))
        else:
            is_same = all(are_texts) and (head not in said or tuple(values) == said[head])
        if not is_same:
            raise _malformed(f"{name}: {head} differs from the csv", "the same values")


def _numbers(head: str, said: Mapping[str, Sequence[str]]) -> Sequence[str]:
    """Return the numbers of a measure as the csv says them, or the yen that its micro-yen are; empty where withheld."""
    if head in said:
        return said[head]
    micros = said.get(f"{head.removesuffix(_BESIDE[1])}_micros", ())
    return [repr(int(text) / _MICROS) if text else "" for text in micros]


def _are_same_numbers(are_texts: Sequence[bytes], values: Sequence[str], expected: Sequence[str]) -> bool:
    """Say whether a column has the number where one is expected, and the one word where none is."""
    return len(values) == len(expected) and all(
        (not is_text and (value == text or float(value) == float(text))) if text else (is_text and value == _WITHHELD)
        for is_text, value, text in zip(are_texts, values, expected, strict=True)
    )


def _letters(column: int) -> bytes:
    letters = b""
    while column >= 0:
        letters = bytes([65 + column % 26]) + letters
        column = column // 26 - 1
    return letters


def _malformed(what: str, allowed: str) -> ReleaseError:
    return malformed("workbook", f"{WORKBOOK}: {what}", allowed)
