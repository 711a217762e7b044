r"""The careful path: one line of an access log in any declared format, read by a tokenizer, or the reason why not.

Formats are told by looking at the line: NCSA common; combined; combined with a quoted cookie field, a quoted
X-Forwarded-For, or both; JSON. A line may be wrapped in quotes. Fields may hold escaped quotes (``\"``, ``\x22``), and
pairs of quotes that nobody escaped: a field ends where the structure says so, not at the first quote.

What belongs here: where fields begin and end. What does not: what a field says (`access_fields`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from quorum.intake import access_fields as fields
from quorum.intake.accounting import Reason
from quorum.intake.files import LINE_LIMIT

JSON_FIELDS = frozenset({"ip", "time", "request", "status", "bytes", "referrer", "user_agent", "cookie"})

_BLANK = b" \t\r\n\v\f\0"
_BOM = b"\xef\xbb\xbf"
_MASKED = b"\x01\x01"
_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_TIME = re.compile(rb'\[([^\[\]]*)\][ \t]+(?=")')
_RESULT = re.compile(rb'"[ \t]+(?P<status>\d{3}|-)[ \t]+(?:\d+|-)(?=[ \t]*\Z|[ \t]+")')
_RESULT_IN_PART = re.compile(rb'"(?:[ \t]+(?P<status>\d{3}|-))?(?=[ \t]*\Z|[ \t]+")')
_BETWEEN = re.compile(rb'"[ \t]+"')
_STATUS = re.compile(r"\d{3}", re.ASCII)


class Access(NamedTuple):
    """A request, with the identifiers it arrived with.

    Args:
        at: instant, microseconds since 1970 UTC.
        ip: first public client address, canonical.
        cookie_id: the portal's cookie.
        method: HTTP method; None where the request is empty or not HTTP.
        path: path without query string.
        status: HTTP status.
        user_agent: as sent.
        third_parties: names of other cookies, as `access_fields.third_parties` gives them.
    """

    at: int
    ip: str | None
    cookie_id: str | None
    method: str | None
    path: str | None
    status: int | None
    user_agent: str | None
    third_parties: str | None = None


def read_line(line: bytes) -> Access | Reason:
    """Read one line, line end excluded.

    Returns:
        The request, or the reason why the line is quarantined. Nothing is raised, whatever the bytes.
    """
    if len(line) > LINE_LIMIT:
        return Reason.TOO_LONG
    body = line.strip(_BLANK).removeprefix(_BOM).strip(_BLANK)
    if not body:
        return Reason.EMPTY
    reason = Reason.NOT_A_LOG_LINE
    for candidate in _unwrapped(body):
        found = _read_json(candidate) if candidate.startswith(b"{") else _read_ncsa(candidate)
        if isinstance(found, Access):
            return found
        reason = found if reason is Reason.NOT_A_LOG_LINE else reason
    return reason


def _unwrapped(body: bytes) -> Iterator[bytes]:
    """Yield what a line may be inside quotes around it, and last the line itself."""
    if len(body) > 2 and body[:1] in (b'"', b"'") and body[-1:] == body[:1]:
        inside = body[1:-1]
        if b'\\"' in inside:
            yield inside.replace(b"\\\\", _MASKED).replace(b'\\"', b'"').replace(_MASKED, b"\\").strip(_BLANK)
        if b'""' in inside:
            yield inside.replace(b'""', b'"').strip(_BLANK)
        yield inside.strip(_BLANK)
    yield body


# -- NCSA ------------------------------------------------------------------------------------------------------------


def _read_ncsa(body: bytes) -> Access | Reason:
    """Read a line with backslashes as escapes; if that makes no sense, as the plain characters some servers write."""
    masked = _ESCAPE.sub(_MASKED, body) if b"\\" in body else body
    found = _read_masked(body, masked)
    if isinstance(found, Reason) and masked is not body:
        literal = _read_masked(body, body)
        return literal if isinstance(literal, Access) else found
    return found


def _read_masked(body: bytes, masked: bytes) -> Access | Reason:
    """Read a line whose structure is that of ``masked``, of the same length, in which escapes are hidden."""
    time = _TIME.search(masked)
    if time is None:
        return Reason.NOT_A_LOG_LINE
    if masked.count(b'"') % 2:
        return Reason.UNCLOSED_QUOTE
    opening = time.end()
    result = _RESULT.search(masked, opening + 1) or _RESULT_IN_PART.search(masked, opening + 1)
    client = fields.first_field_address(fields.text_of(body[: time.start()]))
    if result is None or client is None:
        return Reason.NOT_A_LOG_LINE
    quoted = _quoted_fields(body, masked, result.end())
    if isinstance(quoted, Reason):
        return quoted
    extras = fields.cookie_and_forwarded(quoted[2:])
    if extras is None:
        return Reason.UNDECLARED
    at = fields.instant(fields.text_of(body[time.start(1) : time.end(1)]))
    if at is None:
        return Reason.BAD_TIME
    method, path = fields.request_of(fields.text_of(body[opening + 1 : result.start()]))
    status = result["status"]
    cookie, forwarded = extras
    return Access(
        at=at,
        ip=fields.forwarded_address(forwarded) or client[0],
        cookie_id=fields.cookie_id(cookie),
        method=method,
        path=path,
        status=int(status) if status not in (None, b"-") else None,
        user_agent=fields.present(quoted[1]) if quoted else None,
        third_parties=fields.third_parties(cookie),
    )


def _quoted_fields(body: bytes, masked: bytes, start: int) -> list[str] | Reason:
    """Return referrer, user agent and up to two more fields; none for a common line; a reason for anything else."""
    rest = masked[start:].strip(b" \t")
    if not rest:
        return []
    if len(rest) < 2 or rest[-1:] != b'"':
        return Reason.UNDECLARED  # something bare after the last field, such as a duration
    first, last = masked.index(b'"', start) + 1, masked.rindex(b'"')
    bounds = [first]
    for between in _BETWEEN.finditer(masked, first, last):
        bounds += between.span()
    bounds.append(last)
    found = [fields.text_of(body[bounds[n] : bounds[n + 1]]) for n in range(0, len(bounds), 2)]
    if len(found) > 4:
        return Reason.UNDECLARED
    return found if len(found) > 1 else Reason.NOT_A_LOG_LINE


# -- JSON ------------------------------------------------------------------------------------------------------------


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        raise ValueError("a field given twice")
    return record


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def _read_json(body: bytes) -> Access | Reason:
    try:
        record = _DECODER.decode(body.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return Reason.NOT_A_LOG_LINE
    if not record.keys() <= JSON_FIELDS:
        return Reason.UNDECLARED
    if not record.keys() >= {"time", "request"}:
        return Reason.MISSING_FIELD
    at = fields.instant(record["time"]) if isinstance(record["time"], str) else None
    if at is None:
        return Reason.BAD_TIME
    try:
        text = {name: _json_text(record.get(name)) for name in ("ip", "request", "user_agent", "cookie")}
        status = json_status(record.get("status"))
    except ValueError:
        return Reason.BAD_VALUE
    method, path = fields.request_of(text["request"])
    return Access(
        at=at,
        ip=fields.forwarded_address(text["ip"]),
        cookie_id=_json_cookie(text["cookie"]),
        method=method,
        path=path,
        status=status,
        user_agent=fields.present(text["user_agent"]),
        third_parties=fields.third_parties(text["cookie"]),
    )


def _json_text(value: object) -> str:
    if value is not None and not isinstance(value, str):
        raise ValueError("not a text")
    return fields.storable(value or "")


def json_status(value: object) -> int | None:
    """Return the status in a field of a JSON line, None if there is none.

    Raises:
        ValueError: it is no status.
    """
    if value in (None, "", "-"):
        return None
    if isinstance(value, bool) or not _STATUS.fullmatch(str(value)):
        raise ValueError("not a status")
    return int(str(value))


def _json_cookie(text: str) -> str | None:
    """Return the portal's cookie: the field is a cookie header, or the bare value."""
    return fields.cookie_id(text) if "=" in text else fields.present(text)
