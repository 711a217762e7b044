"""Parquet: every type becomes text or a reason, and a broken file gives nothing."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quorum.intake.batches import Declared, Format
from quorum.intake.files import Landed
from quorum.intake.parquet_records import open_parquet, parquet_batches

DECLARED = Declared(fields=("id", "at", "value"), formats=frozenset({Format.PARQUET}), numbers=frozenset({"value"}))
AT = datetime(2026, 11, 21, 1, 2, 3, 456789, tzinfo=UTC)


def landed(path: Path) -> Landed:
    return Landed("ads", f"ads/{path.name}", path, 1, 1, is_duplicate=False, is_truncated=False)


def read(path: Path) -> list[object]:
    file = open_parquet(landed(path))
    assert file is not None
    found: dict[int, object] = {}
    for batch in parquet_batches(file, DECLARED):
        found.update((row["line_n"], (row["id"], row["at"], row["value"])) for row in batch.rows.to_pylist())
        found.update((row["line_n"], row["reason"]) for row in batch.rejected.to_pylist())
    return [found[number] for number in range(1, len(found) + 1)]


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("id", pa.array(["a", None]), ["a", None]),
        ("id", pa.array(["a", "b"], pa.large_string()), ["a", "b"]),
        ("id", pa.array(["a", "b"]).dictionary_encode(), ["a", "b"]),
        ("id", pa.array([1, 2**62]), ["1", str(2**62)]),
        ("id", pa.array([b"a", b"\xff"]), ["a", "bad_value"]),
        ("id", pa.array([1.5, None]), ["bad_value", None]),
        ("id", pa.array([True, None]), ["bad_value", None]),
        ("id", pa.array([["a"], None]), ["bad_value", None]),
        ("id", pa.nulls(2), [None, None]),
        ("id", pa.array([date(2026, 11, 21)]), ["2026-11-21"]),
        ("at", pa.array([AT], pa.timestamp("us", "UTC")), ["2026-11-21 01:02:03.456789Z"]),
        ("at", pa.array([AT], pa.timestamp("ns", "Asia/Tokyo")), ["2026-11-21 01:02:03.456789Z"]),
        ("at", pa.array([AT.replace(tzinfo=None)], pa.timestamp("ms")), ["2026-11-21 01:02:03.456000"]),
        ("value", pa.array([5.0, 1e15, None, float("nan")]), ["5", "1000000000000000", None, None]),
        ("value", pa.array([5.5, 1e300, -1.0]), ["bad_value", "bad_value", "-1"]),
        ("value", pa.array([Decimal("5.00")]), ["5.00"]),
    ],
)  # fmt: skip
def test_what_becomes_of_a_column(tmp_path: Path, name: str, values: pa.Array, expected: list[object]) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({name: values}), path)
    at = DECLARED.fields.index(name)
    assert [row if isinstance(row, str) else row[at] for row in read(path)] == expected


def test_rows_are_numbered_over_batches_and_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [str(n) for n in range(1, 2001)]}), path, row_group_size=300)
    assert [row[0] for row in read(path)] == [str(n) for n in range(1, 2001)]


@pytest.mark.clause("C-01")
def test_an_undeclared_column_makes_every_row_undeclared_and_the_row_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": ["a"], "password": [b"\xff"]}), path)
    file = open_parquet(landed(path))
    assert file is not None
    (batch,) = parquet_batches(file, DECLARED)
    assert batch.read == 1
    assert batch.rejected["reason"].to_pylist() == ["undeclared"]
    assert json.loads(batch.rejected["line"][0].as_py())["id"] == "a"


def test_text_that_is_not_unicode_is_bad_where_it_stands_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    texts = pa.Array.from_buffers(pa.string(), 2, pa.array([b"a", b"\xff"]).buffers())
    pq.write_table(pa.table({"id": texts}), path)
    file = open_parquet(landed(path))
    assert file is not None
    (batch,) = parquet_batches(file, DECLARED)
    assert batch.rows["id"].to_pylist() == ["a"]
    assert batch.rejected["line"].to_pylist() == [b'{"id": "b\'\\\\xff\'"}']


def test_a_packed_file_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": ["a"]}), path)
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert read(path) == [("a", None, None)]


@pytest.mark.parametrize("keep", [4, 30, -1, -8])
def test_a_broken_file_is_not_opened(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"id": [str(n) for n in range(1000)]}), path)
    path.write_bytes(path.read_bytes()[:keep])
    assert open_parquet(landed(path)) is None


def test_a_file_whose_pages_are_damaged_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(
        pa.table({"id": [f"{n:032x}" for n in range(20_000)]}), path, compression="gzip", row_group_size=5000
    )
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 64] = bytes(64)
    path.write_bytes(content)
    assert open_parquet(landed(path)) is None
