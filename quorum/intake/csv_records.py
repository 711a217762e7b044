"""Comma-separated records with a header (RFC 4180), UTF-8 with or without a byte order mark, line ends inside quotes.

An unclosed quote would swallow everything up to the next one. So a line is first read by itself; only if it ends inside
quotes are the following lines joined to it, up to a limit; and if what results is no record, the first of the lines is
bad and reading goes on with the second.

What belongs here: structure. What does not: whether a value makes sense. Such files are small beside logs (catalogues,
members), so there is one reader for all lines, and it is careful.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from itertools import islice

import pyarrow as pa

from quorum.intake.accounting import Reason
from quorum.intake.batches import Batch, Declared, RecordReason, rejected_of, rows_of
from quorum.intake.files import LINE_LIMIT

_BATCH_RECORDS = 20_000
_JOINED_LINES = 100
_JOINED_BYTES = 64 << 10


def csv_batches(blocks: Iterator[bytes], declared: Declared) -> Iterator[Batch]:
    """Read records.

    Args:
        blocks: whole lines, as `quorum.intake.files.line_blocks` gives them; the first line is the header.
        declared: what the source may say; a header with another column makes every record ``undeclared``.

    Yields:
        Batches of at most 20,000 records; ``line_n`` is the number of the record, from 1, without the header. An empty
        text is null.
    """
    lines = _Lines(blocks)
    header = read_header(lines.take())
    is_declared = set(header) <= set(declared.names)
    number = 1
    while found := list(islice(_records(lines, len(header)), _BATCH_RECORDS)):
        good: list[tuple[int, dict[str, str | None]]] = []
        bad: list[tuple[int, str, bytes]] = []
        received: dict[int, bytes] = {}
        for line, cells in found:
            if isinstance(cells, str) or not is_declared:
                bad.append((number, cells if isinstance(cells, str) else Reason.UNDECLARED, line[:LINE_LIMIT]))
            else:
                received[number] = line
                good.append((number, {name: cell or None for name, cell in zip(header, cells, strict=True)}))
            number += 1
        yield _batch(declared, good, bad, received)


def read_header(line: bytes) -> list[str]:
    """Return the names in a header, or nothing if it is none: not UTF-8, or a name that is empty or there twice."""
    cells = _cells(line.removeprefix(b"\xef\xbb\xbf"))
    names = [name.strip() for name in cells] if cells else []
    return names if len(names) == len(set(names)) and all(names) else []


def _batch(
    declared: Declared,
    good: list[tuple[int, dict[str, str | None]]],
    bad: list[tuple[int, str, bytes]],
    received: dict[int, bytes],
) -> Batch:
    def line_of(numbers: pa.Array) -> pa.Array:
        return pa.array([received[number][:LINE_LIMIT] for number in numbers.to_pylist()], pa.binary())

    rows = rows_of(declared.fields, [number for number, _ in good], [record for _, record in good])
    return Batch(rows, rejected_of(bad), line_of)


class _Lines:
    """Lines of blocks, one by one, that can be put back."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._fresh = (line for block in blocks for line in block.removesuffix(b"\n").split(b"\n"))
        self._returned: deque[bytes] = deque()

    def take(self) -> bytes:
        """Return the next line, without its end.

        Raises:
            StopIteration: there is none.
        """
        return self._returned.popleft() if self._returned else next(self._fresh)

    def put_back(self, lines: list[bytes]) -> None:
        self._returned.extendleft(reversed(lines))


def _records(lines: _Lines, width: int) -> Iterator[tuple[bytes, list[str] | str]]:
    """Yield each record as received, with its cells or the reason why it has none."""
    while True:
        try:
            first = lines.take()
        except StopIteration:
            return
        if not first.strip():
            yield first, Reason.EMPTY
        elif len(first) > LINE_LIMIT:
            yield first, Reason.TOO_LONG
        else:
            yield _record(first, lines, width)


def _record(first: bytes, lines: _Lines, width: int) -> tuple[bytes, list[str] | str]:
    cells = _cells(first)
    if cells is not None and len(cells) == width:
        return first, cells
    if cells is None and b'"' in first:
        joined = first
        used: list[bytes] = []
        while len(used) < _JOINED_LINES and len(joined) <= _JOINED_BYTES:
            try:
                used.append(lines.take())
            except StopIteration:
                break
            joined += b"\n" + used[-1]
            if b'"' in used[-1] and (cells := _cells(joined)) is not None:
                if len(cells) == width:
                    return joined, cells
                break
        lines.put_back(used)
    return first, RecordReason.NOT_CSV


def _cells(record: bytes) -> list[str] | None:
    """Return the cells of a record, or None if it is not UTF-8, or not one whole record."""
    try:
        rows = list(csv.reader([record.decode("utf-8").removesuffix("\r")], strict=True))
    except (UnicodeDecodeError, csv.Error):
        return None
    return rows[0] if len(rows) == 1 else None
