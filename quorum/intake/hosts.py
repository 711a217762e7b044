"""Hosts of pages: which are the portal's own, as far as whoever owns a declared host owns them too (clause K-04).

A declared host stands for itself and what lies below it, but not across a public suffix: below ``example.com`` lies
``news.example.com``, and below a host under which anybody may register lies everybody. The list of public suffixes
comes with the package and its version; nothing is downloaded.

What belongs here: host of a page, registrable domain, first party or not. What does not: rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from publicsuffixlist import PublicSuffixList

from quorum.intake.access_fields import UNLISTED
from quorum.intake.addresses import canonical_address
from quorum.patterns import find_identifiers

_URL = re.compile(
    r"(?i:https?)://(?P<host>[^\s/?#\\@:\[\]]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:[/?#].*)?", re.DOTALL
)
_LISTED = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+", re.ASCII)
_LONGEST_HOST = 253
_DIGITS = re.compile(r"[0-9]{4,}")


@cache
def _suffixes() -> PublicSuffixList:
    return PublicSuffixList()


def page_host(url: str) -> str | None:
    """Return the host of a page's address as the name system spells it, or None if the text is no such address.

    An address with a user part is none: it is how one host is made to look like another.
    """
    found = _URL.fullmatch(url)
    return canonical_host(found["host"]) if found else None


def canonical_host(host: str) -> str | None:
    """Return a host in lower case, without a last dot, international names as ``xn--``; None if it is none."""
    bare = host.strip("[]").rstrip(".")
    if address := canonical_address(bare):
        return address
    try:
        name = bare.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return None
    return name if 0 < len(name) <= _LONGEST_HOST else None


def owned_by(host: str) -> str | None:
    """Return the registrable domain of a host; None for an address, a public suffix or a name without a dot."""
    if canonical_address(host):
        return None
    found: str | None = _suffixes().privatesuffix(host)
    return found


def is_first_party(host: str, declared: Iterable[str]) -> bool:
    """Say whether a host is a declared one or lies below one that has the same owner.

    Args:
        host: as `page_host` gives it.
        declared: hosts of the portal; one that is a public suffix, or an address, stands for nothing but an equal
            address.
    """
    owner = owned_by(host)
    if owner is None:
        return canonical_address(host) is not None and host in set(declared)
    return any((host == own or host.endswith(f".{own}")) and owned_by(own) == owner for own in declared)


def third_party_of(host: str) -> str:
    """Return the name a host is listed under: its registrable domain, or `UNLISTED` where that could be a value."""
    owner = owned_by(host)
    if owner is None or not _LISTED.fullmatch(owner) or _DIGITS.search(owner) or find_identifiers(owner):
        return UNLISTED
    return owner
