r"""The fields of an access-log line: time, client address, request, cookie. One reading for all formats and both paths.

What belongs here: what a field says. What does not: where in a line it stands (`access_lines`, `access_scan`). A field
is written by whoever sends the request: nothing here takes more than linear time, and nothing long is remembered.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Literal

from quorum.intake.addresses import canonical_address, first_public, split_list
from quorum.patterns import find_identifiers

COOKIE_NAME = "quid"
UNLISTED = "other"
"""Stands for third parties whose name may not be told."""
FIRST_YEAR, LAST_YEAR = 1970, 9998
"""Times outside are no times of requests; a date after the last could not be written in another zone."""

DAY_MICROS = 86_400_000_000
HOUR_MICROS = 3_600_000_000
MINUTE_MICROS = 60_000_000
TOKYO_MICROS = 9 * HOUR_MICROS
"""Asia/Tokyo is UTC+9 without exception since 1951."""

Look = Literal["none", "cookie", "forwarded", "other"]

_LONGEST_TIME = 64
_LISTED_NAMES = 50  # of one header
_COOKIE_TOKEN = re.compile(r"[A-Za-z0-9_.-]{1,64}", re.ASCII)
_DIGITS = re.compile(r"[0-9]+", re.ASCII)
_REMEMBERED = 1 << 16
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_CLOCK = r"(\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))? *(?:[Zz]|([+-])(\d\d):?(\d\d)?)"
_LOG_TIME = re.compile(r"(\d{1,2})/([A-Za-z]{3})/(\d{4}):" + _CLOCK, re.ASCII)
_ISO_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt ]" + _CLOCK, re.ASCII)
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_PROTOCOL = re.compile(r"[A-Z]+/\d+(?:\.\d+)?", re.ASCII)
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", re.ASCII)
_QUERY = re.compile("[?#]")
_ESCAPE = re.compile(rb'\\(?:x([0-9A-Fa-f]{2})|(["\\nrtbv]))')
_ESCAPED = {b'"': b'"', b"\\": b"\\", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"v": b"\v"}
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def text_of(raw: bytes) -> str:
    r"""Return a field as text: ``\"``, ``\\``, ``\x22`` unescaped, what is not UTF-8 or cannot be stored as U+FFFD."""
    if b"\\" in raw:
        raw = _ESCAPE.sub(lambda m: bytes.fromhex(m[1].decode()) if m[1] else _ESCAPED[m[2]], raw)
    return storable(raw.decode("utf-8", "replace"))


def storable(text: str) -> str:
    """Return text that every engine can hold: NUL and lone surrogates as U+FFFD."""
    return _UNSTORABLE.sub("\ufffd", text)


def present(text: str | None) -> str | None:
    """Return the text, or None where a log writes that there is none: empty or ``-``."""
    return None if text in (None, "", "-") else text


def instant(text: str) -> int | None:
    """Return the instant of a time in microseconds since 1970 UTC, or None if it is impossible or has no offset.

    Args:
        text: as common logs write it (``21/Nov/2026:01:02:03 +0900``) or ISO 8601; fractions are cut to microseconds.
    """
    return _instant(text) if len(text) <= _LONGEST_TIME else None


@lru_cache(maxsize=_REMEMBERED)
def _instant(text: str) -> int | None:
    stripped = text.strip(" \t")
    try:
        if found := _ISO_TIME.fullmatch(stripped):
            year, month, day, *clock = found.groups()
            return _micros(int(year), int(month), int(day), clock)
        if found := _LOG_TIME.fullmatch(stripped):
            day, month, year, *clock = found.groups()
            return _micros(int(year), _MONTHS.index(month.lower()) + 1, int(day), clock)
    except ValueError:  # no such date, hour or month
        return None
    return None


def _micros(year: int, month: int, day: int, clock: list[str | None]) -> int | None:
    hour, minute, second, fraction, sign, hours, minutes = clock
    local = datetime(year, month, day, int(hour or 0), int(minute or 0), int(second or 0), tzinfo=UTC)
    offset = int(hours or 0) * 60 + int(minutes or 0)
    if int(hours or 0) >= 24 or int(minutes or 0) >= 60 or not FIRST_YEAR <= year <= LAST_YEAR:
        return None
    micros = (local - _EPOCH) // _MICROSECOND - (-offset if sign == "-" else offset) * MINUTE_MICROS
    return micros + int((fraction or "").ljust(6, "0")[:6])


def request_of(text: str) -> tuple[str | None, str | None]:
    """Return method and path of a request line; both None where it is empty or not HTTP.

    The path is without query string and fragment, percent-encoding is kept, an absolute form is reduced to its path.
    It is None where the target is none, e.g. of ``OPTIONS *``.
    """
    method, _, rest = text.strip(" ").partition(" ")
    target, space, protocol = rest.rpartition(" ")
    if not (space and _PROTOCOL.fullmatch(protocol)):
        target, protocol = rest, ""
    target = target.strip(" ")
    is_http = not protocol or protocol.startswith("HTTP/")
    if not (target and is_http and _TOKEN.fullmatch(method)):
        return None, None
    if absolute := _ABSOLUTE.match(target):
        target = "/" + target[absolute.end() :].removeprefix("/")
    if not target.startswith("/"):
        return (method if protocol else None), None
    return method, _QUERY.split(target, maxsplit=1)[0]


def first_field_address(prefix: str) -> tuple[str | None] | None:
    """Read what stands before the time: addresses or a host name, identity, user.

    Returns:
        A tuple of the first public address, or of None if the line has none; None if this is no such prefix. One name
        may stand before the addresses (a virtual host, ``unknown``); a user may have spaces.
    """
    items = split_list(prefix)
    if len(items) < 2:
        return None
    first = 0 if canonical_address(items[0]) else 1
    last = next((n for n in range(first, len(items)) if canonical_address(items[n]) is None), len(items))
    if first == last and len(items) > 3 and items[1] != "-":
        return None
    return (first_public(items[first:last]),)


def forwarded_address(text: str) -> str | None:
    """Return the first public address of an X-Forwarded-For list, or None."""
    return first_public(split_list(text))


def cookie_id(text: str) -> str | None:
    """Return the value of the portal's cookie in a cookie header (``a=b; quid=...``), or None."""
    for pair in text.split(";"):
        name, equals, value = pair.partition("=")
        if equals and name.strip(" \t") == COOKIE_NAME:
            return present(value.strip(" \t").strip('"'))
    return None


def third_parties(text: str) -> str | None:
    """Return the names of the other cookies in a cookie header, each once, split by spaces; None without one.

    A value is never part of it. A name that is not of a closed set of characters, that looks like a value (nothing
    follows it, or a padding does) or like what names a person becomes `UNLISTED`; runs of digits become ``0``.
    """
    if "=" not in text:
        return None
    names: set[str] = set()
    for pair in text.split(";"):
        name, _, value = pair.partition("=")
        name = name.strip(" \t")
        if name != COOKIE_NAME and pair.strip(" \t"):
            names.add(_listed(name, value) if len(names) < _LISTED_NAMES else UNLISTED)
    return " ".join(sorted(names)) or None


def _listed(name: str, value: str) -> str:
    if not value.strip(" \t") or value.startswith("=") or not _COOKIE_TOKEN.fullmatch(name):
        return UNLISTED
    return _without_numbers(name)


@lru_cache(maxsize=_REMEMBERED)
def _without_numbers(name: str) -> str:
    return UNLISTED if find_identifiers(name) else _DIGITS.sub("0", name)


def look_of(text: str) -> Look:
    """Tell by its look what a quoted field after the user agent is; ``other`` fields are not declared."""
    if present(text) is None:
        return "none"
    if "=" in text:
        return "cookie"
    is_list = all(item in ("unknown", "-") or item[0] == "_" or canonical_address(item) for item in split_list(text))
    return "forwarded" if is_list else "other"


def cookie_and_forwarded(extras: list[str]) -> tuple[str, str] | None:
    """Tell cookie field and X-Forwarded-For among the quoted fields after the user agent, none to two of them.

    Returns:
        The two texts, ``-`` for what is not there; None if the fields are not of these two. Of two fields the first is
        the cookie, and whatever stands in the second is the forwarded list, unless the looks say the contrary.
    """
    looks = [look_of(text) for text in extras]
    match looks:
        case []:
            return "-", "-"
        case ["none"]:
            return "-", "-"
        case ["cookie"]:
            return extras[0], "-"
        case ["forwarded"]:
            return "-", extras[0]
        case ["none" | "forwarded", "cookie"]:
            return extras[1], extras[0]
        case ["cookie" | "none", _]:
            return extras[0], extras[1]
        case ["forwarded", "none"]:
            return "-", extras[0]
    return None
