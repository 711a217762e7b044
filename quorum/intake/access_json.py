"""The fast path of JSON lines: the regular ones of a block, read at once.

A line is regular if it is certain that the careful path would read the same: one flat object, UTF-8, no control
characters, declared fields of the usual types, a time, a request. One line that the reader refuses sends its whole
block to the careful path (`access_lines`): blocks are small, and such lines are few.

What belongs here: telling and reading regular lines. What does not: what a field says (`access_fields`).
"""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow.json import ParseOptions, ReadOptions, read_json

from quorum.intake import access_fields as fields
from quorum.intake.access_columns import leading_addresses, portal_cookies, third_parties
from quorum.intake.access_lines import JSON_FIELDS, json_status
from quorum.intake.access_scan import SCHEMA
from quorum.intake.lines import Lines, Positions

Mask = npt.NDArray[np.bool_]

_WORTHWHILE = 64  # lines; of fewer the careful path makes as short work
_READ_BYTES = 8 << 20
_NUMBERS = ("status", "bytes")
_REQUEST = r"^(?P<method>[A-Z]+) (?P<path>/[^ ?#]*)(?:[?#][^ ]*)? HTTP/[0-9](?:\.[0-9])?$"


def scan_json(lines: Lines, indexes: Positions) -> tuple[pa.Table, Positions]:
    """Read the regular JSON lines among those with the given indexes.

    Returns:
        Rows of `access_scan.SCHEMA`, in order; and the indexes of the lines that are left to the careful path.
    """
    candidates = indexes[_look_regular(lines)[indexes]] if len(indexes) >= _WORTHWHILE else indexes[:0]
    records = _records(lines, candidates) if len(candidates) >= _WORTHWHILE else None
    if records is None:
        return SCHEMA.empty_table(), indexes
    at = _read_distinct(records["time"], fields.instant, pa.int64())
    status = _read_distinct(records["status"], _status, pa.int32())
    method, path = _requests(records["request"])
    is_regular = (
        _holds(pc.is_valid(at)) & _holds(pc.is_valid(records["request"])) & ~_holds(pc.equal(status, _NO_STATUS))
    )
    for name in ("request", "ip", "cookie", "user_agent"):
        is_regular &= ~_holds(pc.match_substring(records[name], "\0"))
    columns = {
        "line_n": pa.array(lines.numbers[candidates]),
        "at": at,
        "ip": _addresses(records["ip"]),
        "cookie_id": _cookies(records["cookie"]),
        "method": method,
        "path": path,
        "status": status,
        "user_agent": _present(records["user_agent"]),
        "third_parties": _third_parties(records["cookie"]),
    }
    table = pa.table(columns, schema=SCHEMA).filter(pa.array(is_regular))
    return table, np.setdiff1d(indexes, candidates[is_regular], assume_unique=True)


def _look_regular(lines: Lines) -> Mask:
    """Whether each line is one pair of braces around text without control characters."""
    codes, starts, ends = lines.codes, lines.starts, lines.ends
    if not len(codes):
        return np.zeros(len(lines), dtype=np.bool_)
    opening, closing = (np.flatnonzero(codes == ord(brace)) for brace in "{}")
    regular: Mask = (codes[starts.clip(max=len(codes) - 1)] == ord("{")) & (codes[ends - 1] == ord("}"))
    regular &= np.diff(np.append(np.searchsorted(opening, starts), len(opening))) == 1
    regular &= np.diff(np.append(np.searchsorted(closing, starts), len(closing))) == 1
    control = np.flatnonzero((codes < ord(" ")) & (codes != ord("\n")) & (codes != ord("\r")))
    regular[np.searchsorted(starts, control, side="right") - 1] = False
    return regular


def _records(lines: Lines, candidates: Positions) -> pa.Table | None:
    """Parse lines; None if the reader refuses one of them, for whatever reason."""
    is_whole = len(candidates) == len(lines)
    block = lines.block if is_whole else b"\n".join([lines[index] for index in candidates.tolist()])
    try:
        block.decode()
        first = json.loads(lines[int(candidates[0])])
        read = ReadOptions(block_size=_READ_BYTES)
        parse = ParseOptions(explicit_schema=_schema(first), unexpected_field_behavior="error")
        records = read_json(pa.BufferReader(block), read_options=read, parse_options=parse)
    except (ValueError, RecursionError, pa.ArrowException):
        return None
    return records.combine_chunks() if records.num_rows == len(candidates) else None


def _schema(first: object) -> pa.Schema:
    """Return the types of the declared fields: numbers may be written as numbers or, throughout, as text."""
    record = first if isinstance(first, dict) else {}
    return pa.schema(
        [
            (name, pa.int64() if name in _NUMBERS and not isinstance(record.get(name), str) else pa.string())
            for name in sorted(JSON_FIELDS)
        ]
    )


_NO_STATUS = -1


def _status(value: object) -> int | None:
    try:
        return json_status(value)
    except ValueError:
        return _NO_STATUS


def _read_distinct(column: pa.ChunkedArray, read: Callable[..., object], kind: pa.DataType) -> pa.Array:
    distinct = column.combine_chunks().dictionary_encode()
    values = pa.array([read(value) for value in distinct.dictionary.to_pylist()], kind)
    return values.take(distinct.indices)


def _requests(column: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    requests = column.combine_chunks()
    found = pc.extract_regex(requests, _REQUEST)
    others = pc.and_(pc.is_null(found), pc.is_valid(requests))
    read = [fields.request_of(text) for text in requests.filter(others).to_pylist()]
    method, path = (
        pc.replace_with_mask(pc.struct_field(found, name), others, pa.array([pair[n] for pair in read], pa.string()))
        for n, name in enumerate(("method", "path"))
    )
    return method, path


def _addresses(column: pa.ChunkedArray) -> pa.Array:
    texts = column.combine_chunks()
    addresses = leading_addresses(texts)
    others = pc.and_(pc.is_null(addresses), pc.is_valid(texts))
    read = [fields.forwarded_address(text) for text in texts.filter(others).to_pylist()]
    return pc.replace_with_mask(addresses, others, pa.array(read, pa.string()))


def _cookies(column: pa.ChunkedArray) -> pa.Array:
    """Return the portal's cookies: a field is a cookie header, or the bare value."""
    texts = column.combine_chunks()
    return pc.if_else(pc.match_substring(texts, "="), portal_cookies(texts), _present(texts))


def _third_parties(column: pa.ChunkedArray) -> pa.Array:
    distinct = column.combine_chunks().dictionary_encode()
    return third_parties(distinct.dictionary).take(distinct.indices)


def _present(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    return pc.if_else(pc.is_in(texts, pa.array(["", "-"])), None, texts)


def _holds(condition: pa.Array | pa.ChunkedArray) -> Mask:
    """Return where a condition is true; null is not true."""
    holds: Mask = pc.fill_null(condition, False).to_numpy(zero_copy_only=False)
    return holds
