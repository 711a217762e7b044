"""Network addresses in text: canonical form, whether one could be a client's on the open Internet, lists of them.

What belongs here: reading addresses. What does not: truncating them to networks (``sql/``), or which field held them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address

_OCTET = r"(?:0|[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5])"
IPV4 = rf"{_OCTET}(?:\.{_OCTET}){{3}}"
"""An IPv4 address. An octet with a leading zero is none: programs disagree on whether it is octal."""

CLOSED_IPV4 = (
    r"(?:0|10|127|22[4-9]|2[3-5][0-9])\..*"
    r"|100\.(?:6[4-9]|[7-9][0-9]|1[01][0-9]|12[0-7])\..*|169\.254\..*|172\.(?:1[6-9]|2[0-9]|3[01])\..*|192\.168\..*"
)
"""Addresses that no client on the open Internet has: private, shared, loopback, link-local, multicast, reserved.

Addresses kept for documentation stand for public ones, as they do in documentation.

Source: RFC 1918, RFC 6598, RFC 6890.
"""

_LONGEST = 64
_REMEMBERED = 1 << 17
_IPV4 = re.compile(rf"({IPV4})(?::[0-9]{{1,5}})?")
_IPV6 = re.compile(r"\[?([0-9A-Fa-f:.]{2,45})(?:%[0-9A-Za-z._~-]{1,32})?(?:\](?::[0-9]{1,5})?)?")
_CLOSED_IPV4 = re.compile(CLOSED_IPV4)


def canonical_address(text: str) -> str | None:
    """Return the canonical text of an address, or None if the text is none.

    A port, brackets, quotes and a zone are dropped; an IPv4 address inside an IPv6 one (``::ffff:192.0.2.1``) is that
    IPv4 address.

    Args:
        text: one address without spaces.

    Example:
        >>> canonical_address("[2001:DB8:0::1%eth0]:443")
        '2001:db8::1'
    """
    return _canonical(text) if len(text) <= _LONGEST else None


@lru_cache(maxsize=_REMEMBERED)
def _canonical(text: str) -> str | None:
    bare = text.strip("\"'")
    if found := _IPV4.fullmatch(bare):
        return found[1]
    if ":" not in bare or not (found := _IPV6.fullmatch(bare)):
        return None
    try:
        address = IPv6Address(found[1])
    except AddressValueError:
        return None
    return str(address.ipv4_mapped or address)


def is_public(address: str) -> bool:
    """Whether a canonical address could be a client's on the open Internet; for IPv6, whether it is in 2000::/3.

    Source: `CLOSED_IPV4`; RFC 4291 and the registry of IPv6 unicast assignments, which allots from 2000::/3 only.
    """
    if ":" in address:
        return int(address.partition(":")[0] or "0", 16) >> 13 == 1
    return _CLOSED_IPV4.fullmatch(address) is None


def split_list(text: str) -> list[str]:
    """Return the items of a list separated by commas, spaces or both."""
    return text.replace(",", " ").split()


def first_public(items: Iterable[str]) -> str | None:
    """Return the first item that is a public address, in canonical form, or None."""
    for item in items:
        address = canonical_address(item)
        if address is not None and is_public(address):
            return address
    return None
