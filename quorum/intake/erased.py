"""Refusing what would bring an erased person back: their records are counted as ``erased`` and nothing of them is kept.

An erased member's records are refused for good. What a cookie of theirs did is refused up to the erasure; later it is
the cookie of somebody unknown. Of any other line that is rejected nothing is kept if it names an erased person, or if
it cannot be looked through. Without a tombstone nothing here does any work.

What belongs here: which records, which lines. What does not: tombstones (`quorum.ledger.tombstones`).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from quorum.intake.accounting import Reason
from quorum.intake.spellings import pieces_of, spellings
from quorum.ledger.store import canonical
from quorum.ledger.tombstones import COOKIE, TOKEN, Erased, Span

_LISTED = "member_ids"


def of_members(erased: Erased, members: pa.ChunkedArray) -> pa.Array:
    """Return which of some member numbers are an erased member's; a null is nobody's."""
    return _flags(members, lambda distinct: dict.fromkeys(erased.members(distinct), ()), None)


def of_cookies(erased: Erased, cookies: pa.ChunkedArray, at: pa.ChunkedArray, *, is_keyed: bool) -> pa.Array:
    """Return which events are of a cookie in a span that was erased.

    Args:
        erased: who was erased.
        cookies: the cookie of each event, null for none.
        at: its instant, a timestamp in UTC.
        is_keyed: whether cookies are pseudonyms, else they are ids as they landed.
    """
    known = (lambda distinct: erased.spans_of(COOKIE, distinct)) if is_keyed else erased.cookies
    return _flags(cookies, known, at)


def of_anybody(erased: Erased, texts: pa.ChunkedArray, at: pa.ChunkedArray) -> pa.Array:
    """Return which texts, of instants up to an erasure, name somebody who was erased."""
    pieces = [set() if text is None else pieces_of(text) for text in texts.to_pylist()]
    spans = erased.spans_of(TOKEN, set().union(*pieces))
    instants = _micros(at)
    found = [
        any(_is_within(instant, spans[piece]) for piece in each if piece in spans)
        for each, instant in zip(pieces, instants, strict=True)
    ]
    return pa.array(found, pa.bool_())


def emptied(erased: Erased, lines: pa.Array) -> pa.Array:
    """Return rejected lines, each empty that names somebody who was erased or cannot be looked through."""
    received = lines.to_pylist()
    pieces = [spellings(line) for line in received]
    named = erased.spans_of(TOKEN, set().union(*(each for each in pieces if each is not None)))
    kept = [
        b"" if each is None or not named.keys().isdisjoint(each) else line
        for line, each in zip(received, pieces, strict=True)
    ]
    return pa.array(kept, pa.binary())


def unlisted(details: str, is_erased: Callable[[list[str]], set[str]]) -> str | None:
    """Return what a request says, without the erased members among those that it lists.

    Args:
        details: a JSON object.
        is_erased: returns those of some member numbers that are erased.

    Returns:
        The details, unchanged if they list nobody erased; None if they list nobody else.
    """
    said: Any = json.loads(details)
    listed = said.get(_LISTED) if isinstance(said, dict) else None
    if not isinstance(listed, list):
        return details
    gone = is_erased([each.strip() for each in listed if isinstance(each, str)])
    left = [each for each in listed if not (isinstance(each, str) and each.strip() in gone)]
    if len(left) == len(listed):
        return details
    return canonical({**said, _LISTED: left}) if left else None


def without_erased(erased: Erased, events: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Part events that are kept as they landed into those of people who are there, and the refused ones.

    Args:
        erased: who was erased.
        events: judged, with ``line_n``, ``member_id``, one instant, and maybe ``cookie_id`` or ``details``. Without a
            member, they are of the cookie, or of whoever the details name.

    Returns:
        The events, of which no details list an erased member; and rejected records as of `refused`.
    """
    is_erased = of_members(erased, events["member_id"])
    at = next((events[c.name] for c in events.schema if pa.types.is_timestamp(c.type)), None)
    has_no_member = pc.is_null(events["member_id"])
    if at is not None and "cookie_id" in events.column_names:
        of_cookie = of_cookies(erased, events["cookie_id"], at, is_keyed=False)
        is_erased = pc.or_(is_erased, pc.and_(has_no_member, of_cookie))
    if at is not None and "details" in events.column_names:
        of_unknown = pc.and_(has_no_member, of_anybody(erased, events["details"], at))
        details = [unlisted(text, erased.members) for text in events["details"].to_pylist()]
        events = events.set_column(events.column_names.index("details"), "details", pa.array(details, pa.string()))
        lists_others = pa.array([text is not None and _LISTED in text for text in details], pa.bool_())
        is_erased = pc.or_(is_erased, pc.and_(of_unknown, pc.invert(lists_others)))
        is_erased = pc.or_(is_erased, pc.is_null(events["details"]))
    return events.filter(pc.invert(is_erased)), refused(events, is_erased)


def refused(events: pa.Table, is_erased: pa.Array) -> pa.Table:
    """Return the refused of some events as rejected records with nothing in them: ``line_n``, ``reason``, ``line``."""
    numbers = events["line_n"].filter(is_erased)
    return pa.table(
        {
            "line_n": numbers,
            "reason": pa.repeat(str(Reason.ERASED), len(numbers)),
            "line": pa.repeat(pa.scalar(b"", pa.binary()), len(numbers)),
        }
    )


def _flags(
    column: pa.ChunkedArray,
    spans_of: Callable[[list[str]], Mapping[str, tuple[Span, ...]]],
    at: pa.ChunkedArray | None,
) -> pa.Array:
    """Look each distinct text up once; of the few rows that are found, compare the instant."""
    texts = pa.chunked_array(column.chunks, pa.string()).combine_chunks().dictionary_encode()
    distinct = texts.dictionary.to_pylist()
    spans = spans_of(distinct)
    found = pa.array([text in spans for text in distinct], pa.bool_()).take(texts.indices)
    flags = pc.fill_null(found, False)
    if at is None or not spans or not pc.any(flags).as_py():
        return flags
    instants = _micros(at)
    judged = flags.to_pylist()
    for row in (n for n, is_found in enumerate(judged) if is_found):
        judged[row] = _is_within(instants[row], spans[distinct[texts.indices[row].as_py()]])
    return pa.array(judged, pa.bool_())


def _is_within(instant: int | None, spans: tuple[Span, ...]) -> bool:
    return instant is None or any(since <= instant <= until for since, until in spans)


def _micros(at: pa.ChunkedArray) -> list[int | None]:
    return list(at.cast(pa.timestamp("us")).cast(pa.int64()).to_pylist())
