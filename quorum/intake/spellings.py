"""The ways in which a line could name somebody: every piece of a text that may be an identifier, in one spelling.

A tombstone is a keyed hash, so a line cannot be searched for what it hides: the line is cut into every piece that an
identifier could be, and the pieces are looked up. A piece is in NFKC, lower case, with one kind of hyphen and without
spaces; a telephone, account or card number is its digits, in the domestic form.

What belongs here: cutting and spelling. What does not: looking up (`quorum.intake.erased`), and whose they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import unquote_plus

from quorum.patterns import normalise

LONGEST_LINE = 64 << 10
"""A longer line is not looked through, in bytes: it must not be kept once somebody is erased."""

_SPACE = re.compile(r"\s+")
_FIELDS = re.compile(r"[\"'\t,;|=<>(){}\[\]\r\n]")
_WORDS = re.compile(r"[\s\"'<>,;:=&?/|(){}\[\]\\]+")
_RUNS = re.compile(r"[a-z0-9](?:[a-z0-9._+%@-]*[a-z0-9])?")
_NUMBERS = re.compile(r"(?:\+|(?<!\d))\d[\d\s().-]{5,40}\d")
_WIDE = re.compile(r"[々ぁ-ゖァ-ヺー一-龥]{3,}")
_ESCAPED = re.compile(r"\\u[0-9a-fA-F]{4}")
_FEWEST_DIGITS, _MOST_DIGITS = 7, 19
_WIDE_LENGTHS = range(3, 9)  # of names; a longer one is found as a whole field


def spelt(text: str) -> str:
    """Return a text as its pieces are spelt.

    Example:
        >>> spelt("Ｔａｒｏ　Yamada")
        'taroyamada'
    """
    return _SPACE.sub("", normalise(text).casefold())


def digits_of(text: str) -> str:
    """Return a number as its pieces are spelt: its digits, in the domestic form.

    Example:
        >>> digits_of("+81 90-1234-5678")
        '09012345678'
    """
    normal = normalise(text).strip()
    digits = "".join(filter(str.isdecimal, normal))
    return f"0{digits[2:].removeprefix('0')}" if normal.startswith("+81") else digits


def spellings(line: bytes) -> set[str] | None:
    """Return every piece of a line that may be an identifier, spelt; None if the line cannot be looked through.

    Args:
        line: as received. One that is over-long, or no text in UTF-8, cannot be looked through.
    """
    if len(line) > LONGEST_LINE:
        return None
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    return pieces_of(text)


def pieces_of(text: str) -> set[str]:
    """Return every piece of a text that may be an identifier, spelt."""
    found: set[str] = set()
    for variant in _variants(text):
        normal = normalise(variant).casefold()
        found.update(_pieces(normal))
    found.discard("")
    return found


def _variants(text: str) -> Iterator[str]:
    """Yield a text as it is, without the escapes of JSON, and without those of an address."""
    yield text
    plain = text
    if "\\" in text:
        plain = _ESCAPED.sub(lambda match: str(json.loads(f'"{match.group()}"')), text).replace("\\/", "/")
        yield plain
    if "%" in plain or "+" in plain:
        yield unquote_plus(plain)


def _pieces(normal: str) -> Iterator[str]:
    yield from (_SPACE.sub("", field) for field in _FIELDS.split(normal))
    words = [word.strip(".") for word in _WORDS.split(normal)]
    yield from words
    yield from (first + second for first, second in pairwise(words))
    yield from _RUNS.findall(normal)
    for number in _NUMBERS.findall(normal):
        yield from _numbers(number)
    for run in _WIDE.findall(_SPACE.sub("", normal)):
        for length in _WIDE_LENGTHS:
            yield from (run[start : start + length] for start in range(len(run) - length + 1))


def _numbers(found: str) -> Iterator[str]:
    """Yield the numbers that digits beside each other may be: what spaces part may be one number or several."""
    parts = found.split()
    for first in range(len(parts)):
        for last in range(first + 1, min(first + 5, len(parts)) + 1):
            digits = digits_of(" ".join(parts[first:last]))
            if _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS:
                yield digits
