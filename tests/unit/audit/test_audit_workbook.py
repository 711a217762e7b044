"""A workbook that says anything else than the csv files, or does anything at all, is refused."""

from __future__ import annotations

import io
import re
import struct
import warnings
import zipfile
from collections.abc import Callable

import pytest
from release_night import NIGHT, cube_tables, references, withhold

from quorum.audit.package import parse_files
from quorum.audit.workbook import WORKBOOK
from quorum.errors import ReleaseError
from quorum.policy import Policy
from quorum.release.package import table_files
from quorum.release.shapes import package_shapes
from quorum.report.facts import page_facts
from quorum.report.workbook import render_workbook

BOOK, SHEET, LEGEND = "xl/workbook.xml", "xl/worksheets/sheet2.xml", "xl/worksheets/sheet1.xml"
TEXTS, RELATIONS = "xl/sharedStrings.xml", "xl/_rels/workbook.xml.rels"
Parts = dict[str, bytes]


@pytest.fixture(scope="module")
def files(policy: Policy) -> dict[str, bytes]:
    shape = next(shape for shape in package_shapes(policy, references(), NIGHT) if shape.report == "sections")
    tables = withhold(shape, cube_tables(shape, policy, people=2_500), policy)
    return {**table_files(shape, tables, policy), **render_workbook(page_facts(policy, references(), shape), tables)}


@pytest.fixture(scope="module")
def parts(files: dict[str, bytes]) -> Parts:
    with zipfile.ZipFile(io.BytesIO(files[WORKBOOK])) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _zip(parts: Parts, *again: tuple[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name, data in (*parts.items(), *again):
            archive.writestr(name, data)
    return out.getvalue()


def _sub(name: str, pattern: bytes, by: bytes | Callable[[re.Match[bytes]], bytes]) -> Callable[[Parts], Parts]:
    def change(parts: Parts) -> Parts:
        changed, n = re.subn(pattern, by, parts[name], count=1)
        assert n == 1, pattern
        return {**parts, name: changed}

    return change


def _without(name: str) -> Callable[[Parts], Parts]:
    return lambda parts: {other: data for other, data in parts.items() if other != name}


def _with(name: str, data: bytes = b"<x/>") -> Callable[[Parts], Parts]:
    return lambda parts: {**parts, name: data}


def _wording(parts: Parts, text: str) -> bytes:
    return str(re.findall(rb"<si><t[^>]*>([^<]*)</t></si>", parts[TEXTS]).index(text.encode())).encode()


def _withheld(by: Callable[[bytes], bytes]) -> Callable[[Parts], Parts]:
    """Replace the first withheld cell of the first table."""

    def change(parts: Parts) -> Parts:
        word = _wording(parts, "非公開 withheld")
        cell = rb'<c r="([A-Z]+[0-9]+)" s="([0-9]+)" t="s"><v>' + word + rb"</v></c>"
        return _sub(SHEET, cell, lambda found: by(found[1]))(parts)

    return change


def _status(parts: Parts) -> Parts:
    """Say published of a withheld cell."""
    withheld, published = _wording(parts, "withheld"), _wording(parts, "published")
    return _sub(SHEET, b"<v>" + withheld + b"</v>", b"<v>" + published + b"</v>")(parts)


NUMBER = rb'(<c r="[A-Z]+[0-9]+" s="[0-9]+">)<v>([0-9]+)</v></c>'
TAMPERS: dict[str, Callable[[Parts], Parts]] = {
    "another number": _sub(SHEET, NUMBER, lambda m: m[1] + b"<v>%d</v></c>" % (int(m[2]) + 1)),
    "a number a little off": _sub(SHEET, NUMBER, lambda m: m[1] + b"<v>" + m[2] + b".0000001</v></c>"),
    "a huge number": _sub(SHEET, NUMBER, lambda m: m[1] + b"<v>9E+999</v></c>"),
    "a negative number": _sub(SHEET, NUMBER, lambda m: m[1] + b"<v>-" + m[2] + b"</v></c>"),
    "a number that is not one": _sub(SHEET, NUMBER, lambda m: m[1] + b"<v>nan</v></c>"),
    "a number as a text": _sub(SHEET, NUMBER, lambda m: m[1][:-1] + b' t="s"><v>0</v></c>'),
    "a formula": _sub(SHEET, NUMBER, lambda m: m[1] + b"<f>1+1</f><v>" + m[2] + b"</v></c>"),
    "a shared formula": _sub(SHEET, NUMBER, lambda m: m[1] + b'<f t="shared" si="0"/><v>' + m[2] + b"</v></c>"),
    "a formula as a text": _sub(SHEET, NUMBER, lambda m: m[1][:-1] + b' t="str"><v>' + m[2] + b"</v></c>"),
    "an empty cell": _sub(SHEET, NUMBER, lambda m: m[1][:-1] + b"/>"),
    "a missing cell": _sub(SHEET, NUMBER, b""),
    "a cell twice": _sub(SHEET, NUMBER, lambda m: m[0] * 2),
    "a cell elsewhere": _sub(SHEET, rb'r="A5"', b'r="A6"'),
    "two rows in exchange": lambda p: {
        **p,
        SHEET: re.sub(rb'r="([A-Z]+)?([56])"', lambda m: b'r="%s%d"' % (m[1] or b"", 11 - int(m[2])), p[SHEET]),
    },
    "0 for withheld": _withheld(lambda at: b'<c r="' + at + b'"><v>0</v></c>'),
    "a number for withheld": _withheld(lambda at: b'<c r="' + at + b'"><v>49</v></c>'),
    "another word for withheld": _withheld(lambda at: b'<c r="' + at + b'" t="s"><v>0</v></c>'),
    "an empty cell for withheld": _withheld(lambda at: b'<c r="' + at + b'"/>'),
    "a text in the cell": _withheld(lambda at: b'<c r="' + at + b'" t="inlineStr"><is><t>x</t></is></c>'),
    "another status": _status,
    "another category": _sub(TEXTS, b"<si><t>20s</t>", b"<si><t>21s</t>"),
    "another column name": _sub(TEXTS, b"<si><t>viewer_n</t>", b"<si><t>people_n</t>"),
    "a column beside that is no name": _sub(TEXTS, b"<si><t>age_band_label</t>", b"<si><t>age_band_hint</t>"),
    "a number for a name": _sub(SHEET, rb'<c r="A9" s="([0-9]+)" t="s"><v>[0-9]+</v>', rb'<c r="A9" s="\1"><v>7</v>'),
    "a number for a head": _sub(SHEET, rb'<c r="A1" s="([0-9]+)" t="s"><v>[0-9]+</v>', rb'<c r="A1" s="\1"><v>7</v>'),
    "a text that is not there": _sub(SHEET, rb't="s"><v>[0-9]+</v>', b't="s"><v>99999</v>'),
    "a broken text number": _sub(SHEET, rb't="s"><v>[0-9]+</v>', b't="s"><v>1.5</v>'),
    "a rich text": _sub(TEXTS, b"<si><t>20s</t>", b"<si><r><t>2</t></r><r><t>0s</t></r>"),
    "a text that is no UTF-8": _sub(TEXTS, b"<si><t>20s</t>", b"<si><t>\xff</t>"),
    "an entity": _sub(TEXTS, b"<sst ", b'<!DOCTYPE x [<!ENTITY e "20s">]><sst '),
    "a hidden row": _sub(SHEET, rb'<row r="5"', b'<row hidden="1" r="5"'),
    "a row hidden by a word": _sub(SHEET, rb'<row r="5"', b'<row hidden="true" r="5"'),
    "a hidden column": _sub(SHEET, rb'<col min="1"', b'<col hidden="1" min="1"'),
    "a column hidden by a word": _sub(SHEET, rb'<col min="1"', b'<col hidden="true" min="1"'),
    "a column of no width": _sub(SHEET, rb'(<col [^>]*width=)"[^"]*"', rb'\1"0"'),
    "a row of no height": _sub(SHEET, rb'<row r="5"', b'<row ht="0.0" customHeight="1" r="5"'),
    "rows of no height": _sub(SHEET, rb"<sheetFormatPr ", b'<sheetFormatPr zeroHeight="1" '),
    "a hidden sheet": _sub(BOOK, rb'sheetId="2"', b'sheetId="2" state="hidden"'),
    "a very hidden sheet": _sub(BOOK, rb'sheetId="2"', b'sheetId="2" state="veryHidden"'),
    "a named range": _sub(BOOK, rb"<definedNames>", b'<definedNames><definedName name="Auto_Open">1</definedName>'),
    "a sheet under another name": _sub(BOOK, b"section_hour", b"section_day"),
    "a sheet named twice": _sub(BOOK, b'section_hour"', b'section_device"'),
    "two sheets in exchange": lambda p: {
        **p,
        SHEET: p["xl/worksheets/sheet3.xml"],
        "xl/worksheets/sheet3.xml": p[SHEET],
    },
    "a sheet too few": _sub(BOOK, rb'<sheet name="[^"]*section_hour"[^>]*/>', b""),
    "no sheet": lambda p: {**p, BOOK: re.sub(rb"<sheet [^>]*/>", b"", p[BOOK])},
    "a sheet without its part": _without(SHEET),
    "no texts": _without(TEXTS),
    "no list of sheets": _without(BOOK),
    "no relations": _without(RELATIONS),
    "an external relation": _sub(RELATIONS, b"<Relationship ", b'<Relationship TargetMode="External" '),
    "a link": _sub(SHEET, rb"<pageMargins", b'<hyperlinks><hyperlink ref="A4" location="x"/></hyperlinks><pageMargins'),
    "a filter that hides": _sub(
        SHEET, rb"<autoFilter ref=\"[^\"]*\"/>", b'<autoFilter ref="A3:B9"><filterColumn colId="0"/></autoFilter>'
    ),
    "a validation": _sub(SHEET, rb"<pageMargins", b"<dataValidations/><pageMargins"),
    "a drawing": _sub(SHEET, rb"<pageMargins", b'<drawing r:id="rId1"/><pageMargins'),
    "cells twice": _sub(SHEET, rb"</sheetData>", b"</sheetData><sheetData></sheetData>"),
    "a number in the legend": _sub(LEGEND, rb't="s"><v>0</v>', b"><v>7</v>"),
    "a hidden row in the legend": _sub(LEGEND, rb'<row r="3"', b'<row hidden="1" r="3"'),
    "a macro": _with("xl/vbaProject.bin"),
    "a comment": _with("xl/comments1.xml"),
    "a part outside": _with("customXml/item1.xml"),
    "a link to another workbook": _with("xl/externalLinks/externalLink1.xml"),
    "a sheet that nothing names, with more": lambda p: {**p, "xl/worksheets/../sheet9.xml": b"<x/>"},
}


def _refused(files: dict[str, bytes], content: bytes) -> str:
    with pytest.raises(ReleaseError) as refused:
        parse_files({**files, WORKBOOK: content})
    assert refused.value.rule == "package.workbook"
    return str(refused.value)


def test_a_sound_workbook_is_read_however_it_is_packed(files: dict[str, bytes], parts: Parts) -> None:
    parse_files(files)
    parse_files({**files, WORKBOOK: _zip(parts)})


@pytest.mark.parametrize("change", TAMPERS.values(), ids=TAMPERS.keys())
def test_a_workbook_that_was_tampered_with_is_refused(
    files: dict[str, bytes], parts: Parts, change: Callable[[Parts], Parts]
) -> None:
    changed = change(parts)
    assert changed != parts
    message = _refused(files, _zip(changed))
    assert not re.search(r"\b\d{2,}\b|20s|21s", message), "no cell is told"


def test_a_part_twice_is_refused(files: dict[str, bytes], parts: Parts) -> None:
    _refused(files, _zip(parts, (SHEET, parts[SHEET])))


def test_what_is_no_workbook_is_refused(files: dict[str, bytes], parts: Parts) -> None:
    whole = files[WORKBOOK]
    for content in (
        b"",
        b"PK\x03\x04",
        whole[:-30],
        whole[:400],
        b"<html>",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        _zip({}),
    ):
        _refused(files, content)


def test_a_workbook_that_unpacks_to_too_much_is_refused_before_it_does(files: dict[str, bytes]) -> None:
    content = bytearray(files[WORKBOOK])
    at = content.index(b"PK\1\2") + 24
    content[at : at + 4] = struct.pack("<I", 0xF0000000)
    assert "unpacks" in _refused(files, bytes(content))
