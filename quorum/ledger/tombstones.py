"""Tombstones: who was erased, as keyed hashes, so that an old file that lands again cannot bring them back.

A tombstone is an HMAC, under a key of its own, of a pseudonym or of one spelling of an identifier. It says nothing to
whoever lacks the master key, and with it only whether a given identifier is that of somebody who was erased.

What belongs here: making, keeping and asking them. What does not: erasing (`quorum.rights`), and refusing lines
(`quorum.intake.erased`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from quorum.keys import KeyRing
from quorum.ledger.store import Ledger

MEMBER, COOKIE, TOKEN = "member", "cookie", "token"
ALWAYS = (-(1 << 62), 1 << 62)
"""From which and until which instant, in microseconds since 1970, a tombstone without an end holds."""

Span = tuple[int, int]
_CHARACTERS = 32
_BLOCK_BYTES = 64  # of SHA-256


@dataclass(frozen=True)
class Tombstone:
    """What is refused.

    Args:
        kind: MEMBER (of a member's pseudonym), COOKIE (of a cookie's) or TOKEN (of a spelling of an identifier).
        value: the pseudonym or the spelling; it is hashed before it is kept, and never shown.
        span: from which and until which instant of an event it is refused, both included.
    """

    kind: str
    value: str = field(repr=False)
    span: Span = ALWAYS


@dataclass(frozen=True)
class Erased:
    """Who was erased, to be asked by whoever takes something in.

    Args:
        keys: the key ring; None if nobody was erased.
        spans: kind and keyed hash to the spans that are refused.
    """

    keys: KeyRing | None = field(repr=False)
    spans: Mapping[tuple[str, str], tuple[Span, ...]] = field(repr=False)

    def __bool__(self) -> bool:
        return bool(self.spans)

    def spans_of(self, kind: str, values: Iterable[str]) -> dict[str, tuple[Span, ...]]:
        """Return those of some pseudonyms or spellings that were erased, each with its spans."""
        if self.keys is None:
            return {}
        hashed = _hasher(self.keys.derive("tombstone"), kind)
        found = ((value, self.spans.get((kind, hashed(value)))) for value in values)
        return {value: spans for value, spans in found if spans}

    def members(self, member_ids: Iterable[str]) -> set[str]:
        """Return those of some member numbers that were erased."""
        keys = self._pseudonyms("member", member_ids)
        return {keys[key] for key in self.spans_of(MEMBER, keys)}

    def cookies(self, cookie_ids: Iterable[str]) -> dict[str, tuple[Span, ...]]:
        """Return those of some cookie ids that were erased, each with its spans."""
        keys = self._pseudonyms("cookie", cookie_ids)
        return {keys[key]: spans for key, spans in self.spans_of(COOKIE, keys).items()}

    def _pseudonyms(self, kind: str, identifiers: Iterable[str]) -> dict[str, str]:
        return {} if self.keys is None else pseudonyms(self.keys, kind, identifiers)


NOBODY = Erased(None, MappingProxyType({}))
"""Nobody was erased."""


def load_erased(ledger: Ledger, keys: KeyRing) -> Erased:
    """Return who was erased from a home."""
    spans: dict[tuple[str, str], tuple[Span, ...]] = {}
    for kind, value, since, until in ledger.tombstones():
        spans[kind, value] = (*spans.get((kind, value), ()), (since, until))
    return Erased(keys, MappingProxyType(spans)) if spans else NOBODY


def bury(ledger: Ledger, keys: KeyRing, tombstones: Iterable[Tombstone], reference: str) -> None:
    """Keep tombstones, with an entry of the journal that names counts only.

    Args:
        ledger: where they are kept.
        keys: the key ring.
        tombstones: what is refused from now on.
        reference: of the erasure; see `reference_of`.
    """
    hashed = {kind: _hasher(keys.derive("tombstone"), kind) for kind in (MEMBER, COOKIE, TOKEN)}
    rows = [(t.kind, hashed[t.kind](t.value), *t.span) for t in tombstones]
    counts = {kind: sum(row[0] == kind for row in rows) for kind in (MEMBER, COOKIE, TOKEN)}
    ledger.bury(rows, {"reference": reference, **counts})


def reference_of(keys: KeyRing, request_id: str) -> str:
    """Return how the ledger names an erasure: a keyed hash of the request, for its number may be the person's own."""
    return _hasher(keys.derive("tombstone"), "request")(request_id)


def pseudonyms(keys: KeyRing, kind: str, identifiers: Iterable[str]) -> dict[str, str]:
    """Return the pseudonyms that the engine's macro ``pseudonym_<kind>`` gives, each with its identifier."""
    key = keys.derive(f"pseudonym/{kind}")
    return {hmac.digest(key, text.encode(), "sha256").hex()[:_CHARACTERS]: text for text in identifiers}


def _hasher(key: bytes, kind: str) -> Callable[[str], str]:
    """Return the HMAC-SHA256 of a text of a kind: what all of them begin with is hashed once, for there are millions.

    Source: RFC 2104; the key is shorter than a block.
    """
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key.ljust(_BLOCK_BYTES, b"\0")) + f"{kind}\n".encode())
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key.ljust(_BLOCK_BYTES, b"\0")))

    def hashed(value: str) -> str:
        first, second = inner.copy(), outer.copy()
        first.update(value.encode())
        second.update(first.digest())
        return second.hexdigest()[:_CHARACTERS]

    return hashed
