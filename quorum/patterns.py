"""What an identifier looks like: e-mail, telephone, network address, card, postal code, key.

What belongs here: the patterns and the normalisation before them, for everything that must recognise an identifier
in a text. What does not: deciding what happens then, and searching files (`quorum.audit.identifiers`). Nothing here
returns, logs or raises with the matched text.

Texts only: a count in a measure column is a number, not a text, and must not be given to these patterns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address

# NFKC leaves most hyphens and the long vowel mark alone, and U+2212 too; people type any of them between digits.
_HYPHENS = dict.fromkeys(map(ord, "‐‑‒–—―−ー－"), "-")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"), None)

_EMAIL = re.compile(r"[\w.+%-]{1,64}(?:@|%40)(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}", re.IGNORECASE)
_TELEPHONE_DOMESTIC = re.compile(r"(?<![\w+.-])\(?(0\d{1,4})\)?[-\s(]?(\d{1,4})[-\s)]?(\d{3,4})(?![\w-])")
_TELEPHONE_INTERNATIONAL = re.compile(r"(?<![\w+])\+\d(?:[-\s().]{0,2}\d){7,14}(?!\d)")
_IPV4 = re.compile(r"(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?![\w]|\.\d)")
_IPV6 = re.compile(r"(?<![\w:])[0-9a-f:]{2,39}(?![\w:])", re.IGNORECASE)
_CARD = re.compile(r"(?<![\w-])[2-6]\d{3}(?:[-\s]?\d){9,15}(?![\w-])")  # 13 to 19 digits
_POSTAL_CODE = re.compile(r"(?<![\w-])\d{3}-\d{4}(?![\w-])|〒\s*\d{3}-?\d{4}(?!\d)")
_UUID = re.compile(r"(?<!\w)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?!\w)", re.IGNORECASE)
_TOKEN = re.compile(r"[A-Za-z0-9]{16,}")
_HEX = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
_SWITCH = re.compile(r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)")

_TELEPHONE_DIGITS = (10, 11)
_IPV6_GROUPS = 3
_KEY_SWITCHES = 4  # summer2026banner01 changes three times between letters and digits; a random key far more often


def normalise(text: str) -> str:
    """Return a text in the form in which patterns are sought: NFKC, one hyphen, nothing invisible.

    Example:
        >>> normalise("０３−１２３４ー５６７８")
        '03-1234-5678'
    """
    return unicodedata.normalize("NFKC", text).translate(_INVISIBLE).translate(_HYPHENS)


def find_identifiers(text: str) -> tuple[str, ...]:
    """Return the names of the identifier patterns that a text contains, never the text that matched.

    Args:
        text: any text that a person may read: a category, a name, a description, a page's text.

    Returns:
        Names out of ``email``, ``telephone``, ``ipv4``, ``ipv6``, ``card``, ``postal_code`` and ``key``, in that order,
        each once.

    Example:
        >>> find_identifiers("連絡先 ０９０‐１２３４‐５６７８ または hanako@example.jp")
        ('email', 'telephone')
        >>> find_identifiers("1,234 people, 2026-11-21, 09-11")
        ()
    """
    normal = normalise(text)
    return tuple(name for name, found in _PATTERNS.items() if found(normal))


def _telephone(text: str) -> bool:
    if _TELEPHONE_INTERNATIONAL.search(text):
        return True
    return any(sum(map(len, match.groups())) in _TELEPHONE_DIGITS for match in _TELEPHONE_DOMESTIC.finditer(text))


def _ipv6(text: str) -> bool:
    return any(_is_ipv6(match.group()) for match in _IPV6.finditer(text))


def _is_ipv6(candidate: str) -> bool:
    if sum(map(bool, candidate.split(":"))) < _IPV6_GROUPS and not candidate.startswith("fe80"):
        return False
    try:
        IPv6Address(candidate)
    except AddressValueError:
        return False
    return True


def _card(text: str) -> bool:
    return any(_passes_luhn(re.sub(r"\D", "", match.group())) for match in _CARD.finditer(text))


def _passes_luhn(digits: str) -> bool:
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _key(text: str) -> bool:
    if _UUID.search(text):
        return True
    return any(_is_key(match.group()) for match in _TOKEN.finditer(text))


def _is_key(token: str) -> bool:
    has_hex = any(any(map(str.isdigit, match.group())) for match in _HEX.finditer(token))
    return has_hex or len(_SWITCH.findall(token)) >= _KEY_SWITCHES


def _searching(pattern: re.Pattern[str]) -> Callable[[str], bool]:
    return lambda text: pattern.search(text) is not None


_PATTERNS: dict[str, Callable[[str], bool]] = {
    "email": _searching(_EMAIL),
    "telephone": _telephone,
    "ipv4": _searching(_IPV4),
    "ipv6": _ipv6,
    "card": _card,
    "postal_code": _searching(_POSTAL_CODE),
    "key": _key,
}
