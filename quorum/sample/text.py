"""Text by the million: digits, instants, addresses and lines as Arrow arrays, without a Python loop over rows.

What belongs here: how numbers become text. What does not: which numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quorum.sample.draw import Ints, Small

DAY_MS = 86_400_000
_HEX = np.frombuffer(b"0123456789abcdef", dtype=np.uint8)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_OCTETS = [str(octet) for octet in range(256)]


def fixed(characters: Small) -> pa.StringArray:
    """Return a string array from characters of one width; uint8, shape (rows, width)."""
    rows, width = characters.shape
    offsets = np.arange(rows + 1, dtype=np.int32) * np.int32(width)
    data = np.ascontiguousarray(characters)
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(data))


def digits(values: npt.NDArray[Any], width: int) -> Small:
    """Return decimal digits with leading zeros; uint8, shape (rows, width)."""
    out = np.empty((len(values), width), dtype=np.uint8)
    rest = values.astype(np.int64)
    for column in range(width - 1, -1, -1):
        rest, digit = np.divmod(rest, 10)
        out[:, column] = digit + 48
    return out


def hexadecimal(values: npt.NDArray[np.uint64], width: int) -> Small:
    """Return lower-case hexadecimal digits; uint8, shape (rows, width)."""
    out = np.empty((len(values), width), dtype=np.uint8)
    for column in range(width):
        out[:, column] = _HEX[(values >> np.uint64(4 * (width - 1 - column))) & np.uint64(15)]
    return out


def iso(day: date, ms: Ints) -> pa.StringArray:
    """Return ISO 8601 instants such as ``2026-11-21T10:05:03.120+09:00``.

    Args:
        day: the civil day in Asia/Tokyo that the milliseconds count from.
        ms: milliseconds since its midnight, int64; may lie outside the day.
    """
    shift, inside = np.divmod(ms, DAY_MS)
    heads = _by_day(day, shift, lambda each: each.isoformat())
    return fixed(_stamp(heads, inside, b"T%H:%M:%S.%L+09:00"))


def clf(day: date, ms: Ints) -> pa.StringArray:
    """Return instants as access logs write them, such as ``21/Nov/2026:10:05:03 +0900``; arguments as for `iso`."""
    shift, inside = np.divmod(ms, DAY_MS)
    heads = _by_day(day, shift, lambda each: f"{each.day:02}/{_MONTHS[each.month - 1]}/{each.year:04}")
    return fixed(_stamp(heads, inside, b":%H:%M:%S +0900"))


def _by_day(day: date, shift: Ints, write: Any) -> Small:
    """Write the date of each row; few different days, so a small table and a look-up."""
    first = int(shift.min()) if len(shift) else 0
    last = int(shift.max()) if len(shift) else 0
    names = [write(day + timedelta(days=offset)).encode() for offset in range(first, last + 1)]
    table = np.frombuffer(b"".join(names), dtype=np.uint8).reshape(len(names), -1)
    return table[shift - first]


def _stamp(heads: Small, ms: Ints, pattern: bytes) -> Small:
    """Put the time of day behind each date, following a pattern of %H %M %S %L and plain characters."""
    parts: list[Small] = [heads]
    fields = {72: (ms // 3_600_000, 2), 77: (ms // 60_000 % 60, 2), 83: (ms // 1000 % 60, 2), 76: (ms % 1000, 3)}
    position = 0
    while position < len(pattern):
        if pattern[position] == 37:
            values, width = fields[pattern[position + 1]]
            parts.append(digits(values, width))
            position += 2
        else:
            parts.append(np.full((len(ms), 1), pattern[position], dtype=np.uint8))
            position += 1
    return np.hstack(parts)


def ipv4(addresses: npt.NDArray[np.uint32]) -> pa.StringArray:
    """Return dotted quads."""
    octets = pa.array(_OCTETS)
    parts = [
        octets.take(pa.array(((addresses >> np.uint32(s)) & np.uint32(255)).astype(np.int32))) for s in (24, 16, 8, 0)
    ]
    return pc.binary_join_element_wise(*parts, ".")


def pick(pool: Sequence[str] | pa.Array, which: npt.NDArray[Any]) -> pa.Array:
    """Return ``pool[which]`` as an Arrow array."""
    array = pool if isinstance(pool, pa.Array) else pa.array(list(pool), pa.string())
    return array.take(pa.array(which.astype(np.int32)))


def join(*pieces: pa.Array | str) -> pa.Array:
    """Return the pieces of each row joined without a separator; a plain string stands for itself in every row."""
    return pc.binary_join_element_wise(*(pa.scalar(p) if isinstance(p, str) else p for p in pieces), "")


def as_bytes(lines: pa.StringArray) -> pa.Buffer:
    """Return the bytes of all rows, one after the other; a view, nothing is copied.

    Args:
        lines: without nulls, each row with its own line end.
    """
    if not len(lines):
        return pa.py_buffer(b"")
    offsets = np.frombuffer(lines.buffers()[1], dtype=np.int32)
    first, last = int(offsets[lines.offset]), int(offsets[lines.offset + len(lines)])
    return lines.buffers()[2].slice(first, last - first)
