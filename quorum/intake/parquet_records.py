"""Records of a Parquet file, as columns of text like those of any other format.

The file is decoded once before anything is given out: one that breaks off loads nothing, as a compressed stream does.

What belongs here: types to text. What does not: whether a value makes sense.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from io import BytesIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from quorum.intake.accounting import Reason
from quorum.intake.batches import Batch, Declared, rejected_of
from quorum.intake.files import Landed, whole_bytes

MAGIC = b"PAR1"
_BATCH_ROWS = 1 << 18
_EXACT = 1 << 53  # integers that a float holds exactly


def open_parquet(landed: Landed) -> pq.ParquetFile | None:
    """Open a Parquet file and decode it once; None if it is broken anywhere."""
    with landed.path.open("rb") as handle:
        is_plain = handle.read(len(MAGIC)) == MAGIC
    try:
        file = pq.ParquetFile(landed.path if is_plain else BytesIO(whole_bytes(landed)))
        rows = sum(batch.num_rows for batch in file.iter_batches(batch_size=_BATCH_ROWS))
    except (pa.ArrowException, OSError, ValueError):
        return None
    return file if rows == file.metadata.num_rows else None


def parquet_batches(file: pq.ParquetFile, declared: Declared) -> Iterator[Batch]:
    """Read rows.

    Args:
        file: opened by `open_parquet`.
        declared: what the source may say; another column makes every row ``undeclared``.

    Yields:
        Batches of rows; ``line_n`` is the number of the row, from 1. Instants with a zone are written in UTC, those
        without are written without one. A rejected row is kept as JSON: a file of columns has no lines.
    """
    first = 1
    names = file.schema_arrow.names
    is_declared = set(names) <= set(declared.names) and len(set(names)) == len(names)
    for received in file.iter_batches(batch_size=_BATCH_ROWS):
        line_n = pa.array(range(first, first + received.num_rows), pa.int64())
        line_of = _line_getter(received, first)
        if is_declared:
            yield _read_batch(received, line_n, line_of, declared)
        else:
            yield _rejecting(Batch(_empty(declared), rejected_of([]), line_of), line_n, Reason.UNDECLARED)
        first += received.num_rows


def _read_batch(
    received: pa.RecordBatch, line_n: pa.Array, line_of: Callable[[pa.Array], pa.Array], declared: Declared
) -> Batch:
    columns: dict[str, pa.Array] = {"line_n": line_n}
    bad = pa.repeat(pa.scalar(False), received.num_rows)
    for name in declared.fields:
        if name not in received.schema.names:
            columns[name] = pa.nulls(received.num_rows, pa.string())
            continue
        columns[name], unreadable = _text(received.column(name), is_number=name in declared.numbers)
        bad = pc.or_(bad, unreadable)
    rows = pa.table(columns)
    batch = Batch(rows.filter(pc.invert(bad)), rejected_of([]), line_of)
    return _rejecting(batch, line_n.filter(bad), Reason.BAD_VALUE) if pc.any(bad).as_py() else batch


def _rejecting(batch: Batch, line_n: pa.Array, reason: Reason) -> Batch:
    rejected = pa.table(
        {"line_n": line_n, "reason": pa.repeat(str(reason), len(line_n)), "line": batch.line_of(line_n)}
    )
    return Batch(batch.rows, rejected, batch.line_of)


def _empty(declared: Declared) -> pa.Table:
    return pa.schema([("line_n", pa.int64()), *((name, pa.string()) for name in declared.fields)]).empty_table()


def _text(column: pa.Array, *, is_number: bool) -> tuple[pa.Array, pa.Array]:
    """Return a column as text, and where it has a value that is none."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _text(column.cast(kind.value_type), is_number=is_number)
    none_bad = pa.repeat(pa.scalar(False), len(column))
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        return _unicode(column.cast(pa.binary()))
    if pa.types.is_floating(kind) and is_number:
        column = pc.if_else(pc.is_nan(column), None, column)
        whole = pc.fill_null(pc.and_(pc.equal(pc.trunc(column), column), pc.less(pc.abs(column), _EXACT)), True)
        text = pc.if_else(whole, column, None).cast(pa.int64()).cast(pa.string())
        return text, pc.invert(whole)
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", tz=None if kind.tz is None else "UTC"), safe=False)
        return column.cast(pa.string()), none_bad
    if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_date(kind) or pa.types.is_null(kind):
        return column.cast(pa.string()), none_bad
    return pa.nulls(len(column), pa.string()), column.is_valid()


def _unicode(column: pa.Array) -> tuple[pa.Array, pa.Array]:
    """A writer may have put any bytes where it promised UTF-8."""
    try:
        return column.cast(pa.string()), pa.repeat(pa.scalar(False), len(column))
    except pa.ArrowInvalid:
        texts = [None if value is None else _decoded(value) for value in column.to_pylist()]
        text = pa.array(texts, pa.string())
        return text, pc.and_(column.is_valid(), text.is_null())


def _decoded(value: bytes) -> str | None:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _line_getter(received: pa.RecordBatch, first: int) -> Callable[[pa.Array], pa.Array]:
    def line_of(numbers: pa.Array) -> pa.Array:
        rows = received.take(pc.subtract(numbers, first))
        return pa.array([_as_json(rows.slice(i, 1)) for i in range(rows.num_rows)], pa.binary())

    return line_of


def _as_json(row: pa.RecordBatch) -> bytes:
    """A row as JSON; what is not UTF-8 or not JSON is written as Python writes it."""
    try:
        values = row.to_pylist()[0]
    except (UnicodeDecodeError, ValueError, OverflowError):
        values = {name: repr(row.column(name).view(pa.binary())[0].as_py()) for name in row.schema.names}
    return json.dumps(values, ensure_ascii=False, default=repr).encode("utf-8", "replace")
