"""The Parquet copy of a table must say what its csv says.

What belongs here: comparing two encodings of one table. What does not: reading the csv (`quorum.audit.package`).
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from quorum.audit.descriptor import malformed


def refuse_other_parquet(name: str, content: bytes, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Refuse a Parquet file that differs from the csv file of the same table.

    Args:
        name: the Parquet file's name.
        content: its bytes.
        columns: the csv's columns, in order.
        rows: the csv's rows as texts; an empty text is null in Parquet.

    Raises:
        ReleaseError: the file does not open, or columns, rows or values differ; the message names file and column.

    Guarantee:
        After return, whoever reads one file knows nothing that the other does not say.

    Source: architecture.md, "A report package" (tidy cubes in csv and Parquet).
    """
    try:
        table = pq.ParquetFile(pa.BufferReader(content)).read(use_threads=False)
    except (pa.ArrowException, OSError):  # the text of the error may quote a value
        raise malformed("parquet", f"{name} is no Parquet file", "the same table as the csv") from None
    if tuple(table.column_names) != tuple(columns) or table.num_rows != len(rows):
        raise malformed("parquet", f"{name}: columns or number of rows differ from the csv", "the same table")
    for column, texts in zip(columns, zip(*rows, strict=True), strict=bool(rows)):
        stored = table.column(column).to_pylist()
        if stored != [*texts] and ["" if value is None else str(value) for value in stored] != [*texts]:
            raise malformed("parquet", f"{name}: {column} differs from the csv", "the same values")
