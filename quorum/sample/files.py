"""Landed files: plain, gz and zst text written in chunks, csv tables and Parquet, the same bytes every time.

What belongs here: bytes on disk. What does not: what they say. Compressors come from the pinned wheels (Arrow's own
zlib, zstandard), not from the system, so that the bytes do not depend on the machine; a gzip header carries no time.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

CHUNK = 250_000
_SMALL = 4 * CHUNK
_GZ_LEVEL = {True: 9, False: 5}
_ZST_LEVEL = {True: 12, False: 3}
_ENCODINGS = {"event_id": "DELTA_BYTE_ARRAY", "ts": "DELTA_BINARY_PACKED"}  # both are in order


def write_text(path: Path, chunks: Iterable[pa.Buffer | bytes], *, rows: int) -> None:
    """Write chunks of text, compressed as the suffix of `path` says (`.gz`, `.zst`, else plain).

    Args:
        path: the file; its folder is made.
        chunks: bytes, each ending with a line end.
        rows: about how many lines; small files are compressed harder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    small = rows <= _SMALL
    with path.open("wb") as sink:
        if path.suffix == ".gz":
            codec = pa.Codec("gzip", compression_level=_GZ_LEVEL[small])
            for chunk in chunks:
                sink.write(codec.compress(chunk))
        elif path.suffix == ".zst":
            with zstandard.ZstdCompressor(level=_ZST_LEVEL[small]).stream_writer(sink, closefd=False) as packed:
                for chunk in chunks:
                    packed.write(chunk)
        else:
            for chunk in chunks:
                sink.write(chunk)


def write_lines(path: Path, lines: Sequence[str]) -> None:
    """Write a few lines of text, compressed as the suffix says."""
    write_text(path, ["".join(f"{line}\n" for line in lines).encode()], rows=len(lines))


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a csv with a header, UTF-8, compressed as the suffix says."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_text(path, [text.getvalue().encode()], rows=0)


def write_parquet(path: Path, chunks: Iterable[pa.Table], *, rows: int) -> None:
    """Write tables of one schema as one Parquet file, a row group each."""
    path.parent.mkdir(parents=True, exist_ok=True)
    level = _ZST_LEVEL[rows <= _SMALL]
    writer: pq.ParquetWriter | None = None
    for chunk in chunks:
        if writer is None:
            writer = pq.ParquetWriter(
                path,
                chunk.schema,
                compression="zstd",
                compression_level=level,
                store_schema=False,
                write_statistics=False,
                use_dictionary=[name for name in chunk.column_names if name not in _ENCODINGS],
                column_encoding={name: _ENCODINGS[name] for name in chunk.column_names if name in _ENCODINGS},
            )
        writer.write_table(chunk, row_group_size=len(chunk) or None)
    if writer is not None:
        writer.close()
