"""Scalar macros that statements may call: keyed pseudonyms, truncated networks, ages.

What belongs here: their definitions, as data made from the key ring. What does not: who calls them (``sql/``) and the
connection that holds them (`quorum.engine.duck`). A definition that holds a key is created once, in the connection that
reads the vault, and is never printed.
"""

from __future__ import annotations

from quorum.keys import KeyRing

_BLOCK_BYTES = 64  # of SHA-256
_PSEUDONYM_CHARACTERS = 32  # 128 bits, hex


def pseudonym_macros(keys: KeyRing) -> tuple[str, ...]:
    """Return the macros that turn an identifier into a keyed pseudonym: 32 hexadecimal characters, NULL for NULL.

    ``pseudonym_cookie``, ``pseudonym_member``, ``pseudonym_event`` and ``pseudonym_public`` take the identifier; each
    has a key of its own, so that a member's public id does not give the key under which the house knows the member.
    ``pseudonym_browser`` takes the civil date, the truncated network and the user agent
    (``date|network|user_agent``, empty for a missing agent), and is NULL without a network.

    Source: RFC 2104 (HMAC) with SHA-256, truncated to 128 bits (section 5).
    """
    return (
        *(
            f"CREATE MACRO pseudonym_{kind}(message) AS {_hmac(keys.derive(f'pseudonym/{kind}'), 'message')}"
            for kind in ("cookie", "member", "event", "public")
        ),
        "CREATE MACRO pseudonym_browser(civil_date, network, user_agent) AS "
        + _hmac(
            keys.derive("pseudonym/browser"),
            "CAST(civil_date AS VARCHAR) || '|' || network || '|' || coalesce(user_agent, '')",
        ),
    )


def _hmac(key: bytes, message: str) -> str:
    """Return the expression of the HMAC of a text expression; a key no longer than a block is not hashed."""
    padded = key.ljust(_BLOCK_BYTES, b"\0")
    inner = bytes(byte ^ 0x36 for byte in padded).hex()
    outer = bytes(byte ^ 0x5C for byte in padded).hex()
    digest = f"sha256(from_hex('{outer}') || from_hex(sha256(from_hex('{inner}') || encode({message}))))"
    return f"left({digest}, {_PSEUDONYM_CHARACTERS})"


AGE_MACROS = (
    # Completed years on a civil date: the difference of the dates read as numbers, 20261121 - 19900315 = 360806; NULL
    # for somebody who is not born yet.
    "CREATE MACRO completed_years(birth_date, civil_date) AS CASE WHEN "
    "CAST(strftime(civil_date, '%Y%m%d') AS INTEGER) >= CAST(strftime(birth_date, '%Y%m%d') AS INTEGER) THEN CAST(("
    "CAST(strftime(civil_date, '%Y%m%d') AS INTEGER) - CAST(strftime(birth_date, '%Y%m%d') AS INTEGER)) // 10000 "
    "AS INTEGER) END",
)

# The group of an address written in full; `split_part` gives '' for the empty groups that `::` leaves at either end.
_GROUP = "lpad(split_part(spelled, ':', {n}), 4, '0')"

NETWORK_MACROS = (
    # The value, 0 to 255, of two hexadecimal characters.
    "CREATE MACRO hex_byte(pair) AS "
    "(instr('0123456789abcdef', left(pair, 1)) - 1) * 16 + instr('0123456789abcdef', right(pair, 1)) - 1",
    # An IPv6 address in lower case with `::` written out: eight groups, the first or the last may be empty.
    "CREATE MACRO ipv6_spelled(ip) AS "
    "replace(ip, '::', ':' || repeat('0:', CAST(8 - length(ip) + length(replace(ip, ':', '')) AS INTEGER)))",
    "CREATE MACRO ipv4_network(ip) AS "
    "split_part(ip, '.', 1) || '.' || split_part(ip, '.', 2) || '.' || split_part(ip, '.', 3) || '.0/24'",
    # An IPv4 address inside an IPv6 one (RFC 4291, 2.5.5.2), whose last 32 bits are written as two groups.
    "CREATE MACRO mapped_network(spelled) AS "
    f"CAST(hex_byte(left({_GROUP.format(n=7)}, 2)) AS VARCHAR) || '.' || "
    f"CAST(hex_byte(right({_GROUP.format(n=7)}, 2)) AS VARCHAR) || '.' || "
    f"CAST(hex_byte(left({_GROUP.format(n=8)}, 2)) AS VARCHAR) || '.0/24'",
    "CREATE MACRO ipv6_network(spelled) AS "
    f"{_GROUP.format(n=1)} || ':' || {_GROUP.format(n=2)} || ':' || {_GROUP.format(n=3)} || '::/48'",
    # What is not an address has no network.
    "CREATE MACRO truncate_network(ip) AS CASE "
    "WHEN regexp_matches(ip, '^[0-9]{1,3}([.][0-9]{1,3}){3}$') THEN ipv4_network(ip) "
    "WHEN regexp_matches(lower(ip), '^::ffff:[0-9]{1,3}([.][0-9]{1,3}){3}$') THEN ipv4_network(substring(ip, 8)) "
    "WHEN regexp_matches(lower(ip), '^::ffff:[0-9a-f]{1,4}:[0-9a-f]{1,4}$') "
    "THEN mapped_network(ipv6_spelled(lower(ip))) "
    "WHEN regexp_matches(lower(ip), '^[0-9a-f:]*:[0-9a-f:]*$') THEN ipv6_network(ipv6_spelled(lower(ip))) END",
)
