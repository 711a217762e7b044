"""Csv: quoted line ends, and an unclosed quote that swallows nothing."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorum.intake.batches import Declared, Format
from quorum.intake.csv_records import csv_batches, read_header
from quorum.intake.files import LINE_LIMIT

DECLARED = Declared(fields=("id", "name", "note"), formats=frozenset({Format.CSV}), required=frozenset({"id"}))


def read(content: bytes, declared: Declared = DECLARED) -> list[object]:
    """Return what became of each record, in order: its fields or the reason."""
    found: dict[int, object] = {}
    for batch in csv_batches(iter([content]), declared):
        found.update((row["line_n"], tuple(row[name] for name in declared.fields)) for row in batch.rows.to_pylist())
        found.update((row["line_n"], row["reason"]) for row in batch.rejected.to_pylist())
    assert sorted(found) == list(range(1, len(found) + 1))
    return [found[number] for number in sorted(found)]


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        (b"1,a,x\n2,b,y\n", [("1", "a", "x"), ("2", "b", "y")]),
        (b"1,a,x\r\n2,,\r\n", [("1", "a", "x"), ("2", None, None)]),
        (b'1,"a, b","say ""hi"""', [("1", "a, b", 'say "hi"')]),
        (b'1,"a\nb\r\nc",x\n2,b,y\n', [("1", "a\nb\r\nc", "x"), ("2", "b", "y")]),
        ('1,山田,"東京\n都"\n'.encode(), [("1", "山田", "東京\n都")]),
        (b'1,5" pipe,x\n2,b,y\n', [("1", '5" pipe', "x"), ("2", "b", "y")]),
        (b'1,"a,x\n2,b,y\n3,c,z\n', ["not_csv", ("2", "b", "y"), ("3", "c", "z")]),
        (b'1,"a,x\n2,b,"y"\n3,c,z\n', ["not_csv", ("2", "b", "y"), ("3", "c", "z")]),
        (b'1,"a\n' * 3 + b"4,d,w\n", ["not_csv"] * 3 + [("4", "d", "w")]),
        (b'1,"a"b,x\n2,b,y\n', ["not_csv", ("2", "b", "y")]),
        (b"1,a\n2,b,y,z\n3,c,w\n", ["not_csv", "not_csv", ("3", "c", "w")]),
        (b"\n1,a,x\n  \n", ["empty", ("1", "a", "x"), "empty"]),
        (b"1,\xff,x\n2,b,y\n", ["not_csv", ("2", "b", "y")]),
        (b"1,a\rb,x\n2,b,y\n", ["not_csv", ("2", "b", "y")]),
        (b"1," + b"a" * LINE_LIMIT + b",x\n2,b,y\n", ["too_long", ("2", "b", "y")]),
        (b"", []),
    ],
)
def test_what_becomes_of_records(records: bytes, expected: list[object]) -> None:
    assert read(b"id,name,note\n" + records) == expected
    assert read(b"\xef\xbb\xbfid,name,note\r\n" + records) == expected


def test_columns_may_come_in_any_order_and_be_missing() -> None:
    assert read(b"note,id\nx,1\n") == [("1", None, "x")]


@pytest.mark.clause("C-01")
def test_an_undeclared_column_makes_every_record_undeclared() -> None:
    assert read(b"id,name,note,password\n1,a,x,secret\nbad\n") == ["undeclared", "not_csv"]


@pytest.mark.parametrize("header", [b"", b"id,,name", b"id,id", b"\xff\xfei\0d\0", b'id,"na'])
def test_what_is_no_header(header: bytes) -> None:
    assert read_header(header) == []


def test_records_can_be_asked_for_as_received() -> None:
    (batch,) = csv_batches(iter([b'id,name,note\n1,"a\nb",x\n2,b,y\n']), DECLARED)
    assert batch.line_of(batch.rows["line_n"].combine_chunks()).to_pylist() == [b'1,"a\nb",x', b"2,b,y"]


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6)


@given(rows=st.lists(st.tuples(CELLS, CELLS, CELLS).filter(any), max_size=6))
def test_what_a_writer_of_csv_wrote_is_read_back(rows: list[tuple[str, str, str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=csv.QUOTE_ALL).writerows([("id", "name", "note"), *rows])
    assert read(out.getvalue().encode()) == [tuple(cell or None for cell in row) for row in rows]
