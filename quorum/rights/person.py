"""Whom an erasure is about: every name under which the house knows one member, and nobody else.

What a member shares with another one is not theirs alone: of a cookie that two members used, only the time between the
login of this one and the next login of another; of a telephone number that two registered, nothing.

What belongs here: collecting names. What does not: which rows they are in (`quorum.rights.rules`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.intake.spellings import digits_of, spelt
from quorum.ledger.tombstones import ALWAYS, COOKIE, MEMBER, TOKEN, Span, Tombstone, pseudonyms
from quorum.rights.parts import batches, parts_of
from quorum.zones import Zone

LINKS, LOGINS, REGISTRATIONS = "pseudo__login_link", "vault__login", "vault__member"
CONTACTS = ("EMAIL", "TEL", "BANK", "CARD")
"""Categories of which a value stands for one person, where a row names no other."""

_NAMING = {"NAME": 3, "NICK": 4, "EMAIL": 6, "ADDR": 8, "TEL": 9, "BANK": 7, "CARD": 12}
"""Category to the shortest spelling that names somebody: a shorter one is a word."""
_NUMBERS = ("TEL", "BANK", "CARD")


@dataclass(frozen=True)
class Person:
    """The names of one member.

    Args:
        member_id: the member number.
        member_keys: pseudonyms of the member.
        cookie_keys: pseudonyms of the cookies that no other member used.
        cookies: ids of these cookies.
        shared: ids and pseudonyms of the other cookies, to the spans in which they were this member's.
        pieces: spellings (`quorum.intake.spellings`) of identifiers that no other member has.
        contacts: those of them that are of `CONTACTS`.
    """

    member_id: str = field(repr=False)
    member_keys: frozenset[str] = field(repr=False)
    cookie_keys: frozenset[str] = field(repr=False)
    cookies: frozenset[str] = field(repr=False)
    shared: Mapping[str, tuple[Span, ...]] = field(repr=False)
    pieces: frozenset[str] = field(repr=False)
    contacts: frozenset[str] = field(repr=False)

    @property
    def keys(self) -> frozenset[str]:
        """All pseudonyms that are nobody else's."""
        return self.member_keys | self.cookie_keys

    def tombstones(self, until: int) -> Iterator[Tombstone]:
        """Yield what is refused from now on.

        Args:
            until: up to which instant events of the cookies are refused, microseconds since 1970.
        """
        before = (ALWAYS[0], until)
        yield from (Tombstone(MEMBER, key) for key in self.member_keys)
        yield from (Tombstone(COOKIE, key, before) for key in self.cookie_keys)
        for key, spans in self.shared.items():
            yield from (Tombstone(COOKIE, key, (since, min(last, until))) for since, last in spans)
        yield from (Tombstone(TOKEN, piece, before) for piece in self.pieces)


def find_person(desk: Desk, member_id: str) -> Person:
    """Collect the names of a member from registrations, requests, logins and links of all nights."""
    member_key = _key(desk, "member", member_id)
    public_key = _key(desk, "public", member_id)
    used, also_of_others = _cookies_of(desk, member_id)
    spans, linked_to_others = _spans(desk, member_key)
    key_of = {cookie: key for key, cookie in pseudonyms(desk.keys, "cookie", used).items()}
    shared_keys = linked_to_others | {key_of[cookie] for cookie in also_of_others}
    own = {cookie for cookie in used if key_of[cookie] not in shared_keys}
    shared = {key: spans.get(key, ()) for key in shared_keys}
    shared |= {cookie: shared[key_of[cookie]] for cookie in used - own}
    named, contacts = _registered(desk, member_id)
    return Person(
        member_id=member_id,
        member_keys=frozenset({member_key, public_key}),
        cookie_keys=frozenset({*(spans.keys() - shared_keys), *(key_of[cookie] for cookie in own)}),
        cookies=frozenset(own),
        shared=shared,
        pieces=frozenset({spelt(member_id), *map(spelt, own), *named}),
        contacts=frozenset(contacts),
    )


def micros_of(at: datetime) -> int:
    """Return an instant as microseconds since 1970; one without a zone is in UTC."""
    aware = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return (aware - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def end_of(night: date) -> int:
    """Return the last microsecond of a civil date in Asia/Tokyo."""
    return micros_of(datetime(night.year, night.month, night.day, 15, tzinfo=UTC)) - 1


def _key(desk: Desk, kind: str, identifier: str) -> str:
    return next(iter(pseudonyms(desk.keys, kind, [identifier])))


def _cookies_of(desk: Desk, member_id: str) -> tuple[set[str], set[str]]:
    """Return the cookies with which a member logged in, and those of them with which others did too."""
    used: set[str] = set()
    for rows in _rows(desk, LOGINS, ("cookie_id", "member_id")):
        used.update(rows.filter(pc.equal(rows["member_id"], member_id))["cookie_id"].to_pylist())
    known = pa.array(sorted(used), pa.string())
    others: set[str] = set()
    for rows in _rows(desk, LOGINS, ("cookie_id", "member_id")):
        is_shared = pc.and_(pc.not_equal(rows["member_id"], member_id), pc.is_in(rows["cookie_id"], known))
        others.update(rows.filter(is_shared)["cookie_id"].to_pylist())
    return used, others


def _spans(desk: Desk, member_key: str) -> tuple[dict[str, tuple[Span, ...]], set[str]]:
    """Return the spans of a member's cookies, and those of these cookies that were another's too.

    The last state holds every link that ever was.
    """
    nights = desk.store.nights(LINKS)
    if not nights:
        return {}, set()
    links = desk.store.read(LINKS, nights[-1], columns=("cookie_key", "member_key", "valid_from", "valid_to"))
    is_own = pc.equal(links["member_key"], member_key)
    spans: dict[str, tuple[Span, ...]] = {}
    for link in links.filter(is_own).to_pylist():
        until = ALWAYS[1] if link["valid_to"] is None else micros_of(link["valid_to"]) - 1
        spans[link["cookie_key"]] = (*spans.get(link["cookie_key"], ()), (micros_of(link["valid_from"]), until))
    others = set(links.filter(pc.invert(is_own))["cookie_key"].unique().to_pylist())
    return spans, others & spans.keys()


def _registered(desk: Desk, member_id: str) -> tuple[set[str], set[str]]:
    """Return the spellings of what a member gave that names them and no other member, and those that are contacts."""
    named: dict[str, dict[str, set[str]]] = {}
    for table in desk.catalog.in_zone(Zone.VAULT):
        columns = {c.name: c.category for c in table.columns if c.category in _NAMING and c.type == "VARCHAR"}
        members = [c.name for c in table.columns if c.category == "MEMBER"]
        if table.in_memory or not columns or not members:
            continue
        for rows in _rows(desk, table.name, (members[0], *columns)):
            own = rows.filter(pc.equal(rows[members[0]], member_id))
            for name, category in columns.items():
                for text in own[name].unique().drop_null().to_pylist():
                    named.setdefault(category, {}).setdefault(_plain(text, category), set()).update(
                        _spellings(text, category)
                    )
    _forget_shared(desk, member_id, named)
    pieces = {category: set().union(*spelled.values()) for category, spelled in named.items()}
    return set().union(*pieces.values()), set().union(*(pieces.get(category, set()) for category in CONTACTS))


def _spellings(text: str, category: str) -> set[str]:
    found = {spelt(text), digits_of(text)} if category in _NUMBERS else {spelt(text)}
    return {piece for piece in found if len(piece) >= _NAMING[category]}


def _forget_shared(desk: Desk, member_id: str, named: dict[str, dict[str, set[str]]]) -> None:
    """Take out what another member registered too."""
    contract = desk.catalog[REGISTRATIONS]
    columns = {c.name: c.category for c in contract.columns if c.category in named}
    for rows in _rows(desk, REGISTRATIONS, ("member_id", *columns)):
        others = rows.filter(pc.not_equal(rows["member_id"], member_id))
        for name, category in columns.items():
            plain = _plain_column(others[name], category)
            known = pa.array(list(named[category]), pa.string())
            for text in plain.filter(pc.is_in(plain, known)).unique().to_pylist():
                named[category].pop(text, None)


def _plain(text: str, category: str) -> str:
    return str(_plain_column(pa.chunked_array([pa.array([text], pa.string())]), category)[0].as_py())


def _plain_column(texts: pa.ChunkedArray, category: str) -> pa.ChunkedArray:
    """Return texts so that the same one is equal however it was typed; nearly `spelt`, for a whole column at a time."""
    normal = pc.utf8_lower(pc.utf8_normalize(texts, form="NFKC"))
    if category in _NUMBERS:
        digits = pc.replace_substring_regex(normal, pattern=r"[^0-9]+", replacement="")
        return pc.replace_substring_regex(digits, pattern=r"^810?", replacement="0")
    return pc.replace_substring_regex(normal, pattern=r"[-‐‑‒–—―−\s]+", replacement="")


def _rows(desk: Desk, table: str, columns: tuple[str, ...]) -> Iterator[pa.Table]:
    """Yield columns of all rows of a table in batches; when all are read, the ledger is told."""
    read = 0
    for part in parts_of(desk.store, table):
        for rows in batches(desk.store, part, columns):
            read += rows.num_rows
            yield rows
    desk.store.note(table, read)
