"""What people typed is no formula in a file that a spreadsheet opens, and nothing else of it is touched."""

from __future__ import annotations

import csv
import io

import pyarrow as pa
import pytest

from quorum.extract.files import as_csv
from quorum.tables.harmless import harmless

COMPUTED = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    "@SUM(A1)",
    "+cmd|x",
    "-cmd|x",
    "\t=1",
    "\r=1",
    "\n=1",
    "＝1+1",
    "＋1",
    "-",
    "+",
]
PLAIN = [
    "",
    "花子",
    "a=1",
    "'=1",
    " =1",
    "+81 90-1234-5678",
    "-5",
    "-1.5",
    "+819012345678",
    "1",
    "0=1",
    "x@y.example",
    None,
]


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_an_apostrophe_stands_before_what_would_be_computed_and_nowhere_else(kind: pa.DataType) -> None:
    table = pa.table({"n": range(len(COMPUTED + PLAIN)), "text": pa.array(COMPUTED + PLAIN, kind)})
    written = harmless(table)
    assert written["text"].to_pylist() == [f"'{text}" for text in COMPUTED] + PLAIN
    assert written.schema == table.schema
    assert written["n"] == table["n"]


def test_a_table_without_such_a_text_is_the_same_one() -> None:
    table = pa.table({"text": PLAIN, "n": [1] * len(PLAIN)})
    assert harmless(table) is table


def test_extracts_open_intact_and_compute_nothing() -> None:
    content = as_csv(pa.table({"nickname": ["=1+1", "花子", None], "yen": [1, -2, None]}))
    assert content.startswith(b"\xef\xbb\xbf"), "by this mark Excel knows that it is UTF-8"
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows == [["nickname", "yen"], ["'=1+1", "1"], ["花子", "-2"], ["", ""]]
