"""JSON, one object a line: the engine reads a block's regular lines at once, a careful reader each of the others.

A line is regular if it is one flat object whose keys are declared and differ, with texts, integers and nulls as values.
What the engine is not sure of, or is more lenient about than RFC 8259 (a comma before the brace, NaN), goes to the
careful reader, which decides line by line: a bad line never costs its neighbours. A source whose records hold objects
is read carefully throughout: such files are small.

What belongs here: structure. What does not: whether a value makes sense.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from quorum.intake.accounting import Reason
from quorum.intake.batches import Batch, Declared, RecordReason, rejected_of, rows_of, sliced
from quorum.intake.files import LINE_LIMIT
from quorum.intake.lines import Lines

_OPEN, _CLOSE, _COMMA, _SPACE = (ord(character) for character in "{}, ")
_IRREGULAR_VALUE = r'"\s*:\s*([^"0-9n\s-]|-[^0-9]|n[^u]|-?[0-9]+[.eE])'
_DEEPEST = 16
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")

Record = dict[str, str | None]


class _Engine(Protocol):
    def query(self, sql: str, relations: dict[str, pa.Table], /) -> pa.Table: ...


class NotARecordError(Exception):
    """A line is not a record of its source; the only argument is the reason."""


class _Integer(str):
    """The text of an integer, as it stands in the line."""


class _Decimal(str):
    """The text of a number with a point or an exponent, as it stands in the line."""


class _Pairs(list[tuple[str, Any]]):
    """An object, its keys as they stand in the line."""


def json_batches(blocks: Iterator[bytes], declared: Declared, engine: _Engine) -> Iterator[Batch]:
    """Read lines of JSON.

    Args:
        blocks: whole lines, as `quorum.intake.files.line_blocks` gives them.
        declared: what the source may say.
        engine: runs the statement that reads regular lines.

    Yields:
        A batch for each block; ``line_n`` is the number of the line, from 1. Integers become their text.
    """
    statement, first = regular_statement(declared), 1
    for block in blocks:
        lines = Lines(block, first)
        yield _read_block(lines, declared, engine, statement)
        first += len(lines)


def _read_block(lines: Lines, declared: Declared, engine: _Engine, statement: str) -> Batch:
    candidates = np.flatnonzero(_looks_regular(lines) & (not declared.objects))
    texts = lines.array(candidates)
    try:
        texts = texts.cast(pa.string_view())
    except pa.ArrowInvalid:
        candidates = candidates[_is_unicode(lines, candidates)]
        texts = lines.array(candidates).cast(pa.string_view())
    landed_lines = pa.table({"line_n": lines.first + candidates, "line": texts})
    regular = engine.query(statement, {"landed_line": sliced(landed_lines)})
    others = np.setdiff1d(lines.numbers, regular["line_n"].to_numpy(), assume_unique=True)
    careful, rejected = _read_carefully(lines, others, declared)
    rows = pa.concat_tables([regular, careful])
    if (np.diff(rows["line_n"].to_numpy()) < 0).any():
        rows = rows.sort_by("line_n")
    return Batch(rows, rejected, _line_getter(lines))


def _read_carefully(lines: Lines, numbers: npt.NDArray[np.int64], declared: Declared) -> tuple[pa.Table, pa.Table]:
    good: list[tuple[int, Record]] = []
    bad: list[tuple[int, str, bytes]] = []
    for number in numbers.tolist():
        line = lines[number - lines.first]
        try:
            good.append((number, read_line(line, declared, is_first=number == 1)))
        except NotARecordError as refusal:
            bad.append((number, _reason(str(refusal), lines, number), line[:LINE_LIMIT]))
    return rows_of(declared.fields, [n for n, _ in good], [record for _, record in good]), rejected_of(bad)


def _reason(reason: str, lines: Lines, number: int) -> str:
    """A last line without an end that is not JSON was cut off by whoever wrote it."""
    is_cut = number == lines.first + len(lines) - 1 and not lines.block.endswith(b"\n")
    return Reason.TRUNCATED if is_cut and reason == RecordReason.NOT_JSON else reason


def read_line(line: bytes, declared: Declared, *, is_first: bool = False) -> Record:
    """Read one line carefully.

    Args:
        line: without its end.
        declared: what the source may say.
        is_first: of its file; then a byte order mark is no part of it.

    Returns:
        The kept fields that the line has; a lone surrogate becomes U+FFFD.

    Raises:
        NotARecordError: with the reason.
    """
    if len(line) > LINE_LIMIT:
        raise NotARecordError(Reason.TOO_LONG)
    try:
        text = line.decode("utf-8-sig" if is_first else "utf-8").strip(" \t\r")
    except UnicodeDecodeError:
        raise NotARecordError(RecordReason.NOT_JSON) from None
    if not text:
        raise NotARecordError(Reason.EMPTY)
    pairs = _load(text)
    if not isinstance(pairs, _Pairs):
        raise NotARecordError(RecordReason.NOT_AN_OBJECT)
    names = [name for name, _ in pairs]
    if not set(names) <= set(declared.names):
        raise NotARecordError(Reason.UNDECLARED)
    if len(names) != len(set(names)):
        raise NotARecordError(Reason.BAD_VALUE)
    record = {name: _text(value, name, declared) for name, value in pairs}
    return {name: record.get(name) for name in declared.fields}


def _load(text: str) -> object:
    try:
        return json.loads(
            text, object_pairs_hook=_Pairs, parse_int=_integer, parse_float=_Decimal, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError):
        raise NotARecordError(RecordReason.NOT_JSON) from None


def _integer(text: str) -> _Integer:
    return _Integer("0" if text == "-0" else text)


def _refuse_constant(_: str) -> NoReturn:
    raise ValueError


def _text(value: object, name: str, declared: Declared) -> str | None:
    if name in declared.objects and value is not None:
        if not isinstance(value, _Pairs):
            raise NotARecordError(Reason.BAD_VALUE)
        return canonical_text(value).translate(_SURROGATES)
    if value is None or isinstance(value, _Integer):
        return value
    if isinstance(value, _Decimal) and name in declared.numbers:
        return value
    if isinstance(value, str) and not isinstance(value, _Decimal):
        return value.translate(_SURROGATES)
    if name in declared.lists and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ";".join(value).translate(_SURROGATES)
    raise NotARecordError(Reason.BAD_VALUE)


def canonical_text(value: object, depth: int = 0) -> str:
    """Return a value of `_load` as JSON in one spelling: keys in order, no spaces, numbers as they were written.

    Raises:
        NotARecordError: a key stands twice, or the value is nested too deeply.
    """
    if depth > _DEEPEST:
        raise NotARecordError(Reason.BAD_VALUE)
    if isinstance(value, _Pairs):
        members = sorted(value, key=lambda member: member[0])
        if len({key for key, _ in members}) != len(members):
            raise NotARecordError(Reason.BAD_VALUE)
        return "{" + ",".join(f"{_quoted(key)}:{canonical_text(each, depth + 1)}" for key, each in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(canonical_text(each, depth + 1) for each in value) + "]"
    if isinstance(value, (_Integer, _Decimal)):
        return str(value)
    return _quoted(value)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def regular_statement(declared: Declared) -> str:
    """Return the statement that reads regular lines of ``landed_line(line_n, line)``; the others are not in its result.

    A key that is not declared, or stands twice, makes the keys outnumber the declared fields that are found. Values are
    looked at as text: what may follow a colon is a quote, a whole number or null. A text that holds such a colon is not
    regular either, but that costs no more than a careful look.
    """
    columns = ", ".join(f'record."{name}"' for name in declared.fields)
    structure = ", ".join(f'"{name}": "VARCHAR"' for name in declared.fields)
    paths = ", ".join(f"'$.{name}'" for name in declared.names)
    return f"""
        SELECT line_n, {columns}
        FROM (
            SELECT
                line_n,
                json_transform(line, '{{{structure}}}') AS record,
                list_count(json_type(line, [{paths}])) AS found_n,
                len(json_keys(line)) AS keys_n
            FROM landed_line
            WHERE json_valid(line) AND NOT regexp_matches(line, '{_IRREGULAR_VALUE}')
        )
        WHERE keys_n = found_n
    """


def _looks_regular(lines: Lines) -> npt.NDArray[np.bool_]:
    """Whether each line is wrapped in braces, with no comma before the last one."""
    codes, starts, ends = lines.codes, lines.starts, lines.ends
    last = np.maximum(ends - 1, 0)
    before = np.maximum(ends - 2, 0)
    before = np.where(codes[before] == _SPACE, np.maximum(before - 1, 0), before)
    wrapped = (codes[np.minimum(starts, max(len(codes) - 1, 0))] == _OPEN) & (codes[last] == _CLOSE)
    regular: npt.NDArray[np.bool_] = (
        wrapped
        & (ends - starts >= 2)
        & (ends - starts <= LINE_LIMIT)
        & (codes[before] != _COMMA)
        & (codes[before] > _SPACE)
    )
    return regular


def _is_unicode(lines: Lines, indexes: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    def decodes(line: bytes) -> bool:
        try:
            line.decode("utf-8")
        except UnicodeDecodeError:
            return False
        return True

    return np.array([decodes(lines[index]) for index in indexes.tolist()], dtype=np.bool_)


def _line_getter(lines: Lines) -> Callable[[pa.Array], pa.Array]:
    def line_of(numbers: pa.Array) -> pa.Array:
        return lines.array(pc.subtract(numbers, lines.first).to_numpy(zero_copy_only=False)).cast(pa.binary())

    return line_of
