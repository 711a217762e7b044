"""Whose a row is, by the contract of its table: no table is named here but those that are left alone, with the reason.

A row is the person's if a column of a member number, of a cookie or of a pseudonym says so; if it names nobody else and
a contact of it is the person's; or if it is a rejected line that names the person. In a row of somebody else, free text
that names the person is struck out and the row stays.

What belongs here: rules and matching. What does not: collecting names (`quorum.rights.person`), writing files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from quorum.intake.erased import unlisted
from quorum.intake.spellings import digits_of, pieces_of, spellings, spelt
from quorum.ledger.store import canonical
from quorum.ledger.tombstones import Span
from quorum.policy import Policy
from quorum.rights.person import CONTACTS, Person, micros_of
from quorum.tables import Table

EXEMPT: Mapping[str, str] = MappingProxyType(
    {
        "vault__disclosure": "the record of disclosures to third parties is kept three years by law; it holds a keyed "
        "pseudonym and no member number",
        "p07__reconciliation": "sums of a night by partner, which the books must keep; it holds no key of a person",
    }
)
"""Tables of people that an erasure leaves alone, and why."""

STRUCK = "(erased)"
_PERSONAL = ("identifier", "restricted", "pseudonym", "choice")
_ABOUT_NO_ROW_OWNER = ("NET",)
_FEWEST_BYTES = 6
_ENCODINGS = ("utf-8", "cp932", "euc_jp", "utf-16-le", "utf-16-be")


@dataclass(frozen=True)
class Rule:
    """How the person's rows of a table are found.

    Args:
        members: columns of member numbers.
        cookies: columns of cookie ids.
        keys: columns of pseudonyms of 128 bits.
        numbers: columns of a person's number within the night (``seg__person_day.person_n``).
        lines: columns of bytes as they were received.
        contacts: columns of `CONTACTS`.
        texts: columns of free text or JSON.
        instant: the column that says when it happened, for cookies that were the person's for a time.
        has_file: whether a row says in which landed file it came.
    """

    members: tuple[str, ...]
    cookies: tuple[str, ...]
    keys: tuple[str, ...]
    numbers: tuple[str, ...]
    lines: tuple[str, ...]
    contacts: tuple[str, ...]
    texts: tuple[str, ...]
    instant: str | None
    has_file: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are looked at."""
        others = (*((self.instant,) if self.instant else ()), *(("file_n",) if self.has_file else ()))
        named = (self.members, self.cookies, self.keys, self.numbers, self.lines, self.contacts, self.texts, others)
        return tuple(dict.fromkeys(name for group in named for name in group))

    @property
    def finds_rows(self) -> bool:
        """Whether the rule can say of a row that it is a person's."""
        return bool(self.members or self.cookies or self.keys or self.numbers or self.lines)


def rule_of(table: Table) -> Rule:
    """Return the rule of a table, from the categories of its columns."""

    def of(*categories: str, kind: str = "VARCHAR") -> tuple[str, ...]:
        return tuple(c.name for c in table.columns if c.category in categories and c.type == kind)

    instants = [c.name for c in table.columns if c.type == "TIMESTAMP"]
    collected = [name for name in instants if name == table.collected]
    times = [name for name in instants if table.column(name).category == "TIME"]
    return Rule(
        members=of("MEMBER"),
        cookies=of("COOKIE"),
        keys=of("KEY"),
        numbers=of("KEY", kind="BIGINT"),
        lines=of("RAW", kind="BLOB"),
        contacts=of(*CONTACTS),
        texts=tuple(name for name in of("RAW", "INQ") if not name.endswith("_id")),
        instant=next(iter([*collected, *times]), None),
        has_file=any(c.name == "file_n" for c in table.columns),
    )


def is_about_people(table: Table, policy: Policy) -> bool:
    """Say whether a table has a column that tells something of a person."""
    return any(
        policy.columns[c.category].klass in _PERSONAL and c.category not in _ABOUT_NO_ROW_OWNER for c in table.columns
    )


def are_of(rule: Rule, person: Person, rows: pa.Table, numbers: pa.Array) -> pa.Array:
    """Return which rows are the person's.

    Args:
        rule: of their table.
        person: whose.
        rows: with at least the columns of the rule.
        numbers: the person's numbers within the night of the rows (int64).
    """
    found = are_members(rule, person, rows)
    for name in rule.cookies:
        found = pc.or_(found, _among(rows[name], person.cookies))
        found = pc.or_(found, _in_spans(rows, name, rule.instant, person.shared))
    for name in rule.keys:
        found = pc.or_(found, _among(rows[name], person.keys))
        if name == "cookie_key":
            found = pc.or_(found, _in_spans(rows, name, rule.instant, person.shared))
    for name in rule.numbers:
        found = pc.or_(found, pc.fill_null(pc.is_in(rows[name].combine_chunks(), numbers), False))
    for name in rule.lines:
        found = pc.or_(found, pa.array([names_in_line(person, line) for line in rows[name].to_pylist()], pa.bool_()))
    if rule.contacts or rule.texts:
        found = pc.or_(found, _by_contact(rule, person, rows))
    return found


def are_members(rule: Rule, person: Person, rows: pa.Table) -> pa.Array:
    """Return which rows name the member by number."""
    found = pa.repeat(pa.scalar(False), rows.num_rows)
    for name in rule.members:
        found = pc.or_(found, _among(rows[name], [person.member_id]))
    return found


def names_in_line(person: Person, line: bytes | None) -> bool:
    """Say whether a line as it was received names the person; one that is no text in UTF-8 is searched as bytes."""
    pieces = spellings(line or b"")
    if pieces is not None:
        return not person.pieces.isdisjoint(pieces)
    received = line or b""
    folded = received.lower()  # not of every encoding: half a character may look like a capital letter
    wanted = {piece.encode(encoding, "ignore") for piece in person.pieces for encoding in _ENCODINGS}
    return any(piece in received or piece in folded for piece in wanted if len(piece) >= _FEWEST_BYTES)


def struck(rule: Rule, person: Person, rows: pa.Table) -> tuple[pa.Table, int]:
    """Return rows of others in which no free text names the person, and in how many rows some did."""
    changed: set[int] = set()
    for name in rule.texts:
        texts = rows[name].to_pylist()
        for n, text in enumerate(texts):
            if text and not person.pieces.isdisjoint(pieces_of(text)):
                texts[n] = _without(person, text)
                changed.add(n)
        if changed:
            rows = rows.set_column(rows.column_names.index(name), name, pa.array(texts, rows.schema.field(name).type))
    return rows, len(changed)


def _without(person: Person, text: str) -> str:
    if not text.startswith("{"):
        return STRUCK
    left = unlisted(text, lambda listed: {person.member_id} & set(listed))
    said: Any = json.loads(left or "{}")
    return canonical(_cleared(person, said))


def _cleared(person: Person, said: Any) -> Any:
    if isinstance(said, dict):
        return {name: _cleared(person, value) for name, value in said.items()}
    if isinstance(said, list):
        return [_cleared(person, value) for value in said]
    return STRUCK if isinstance(said, str) and not person.pieces.isdisjoint(pieces_of(said)) else said


def _among(column: pa.ChunkedArray, values: Any) -> pa.Array:
    known = pa.array(sorted(values), pa.string())
    return pc.fill_null(pc.is_in(column.combine_chunks(), known), False)


def _in_spans(rows: pa.Table, name: str, instant: str | None, spans: Mapping[str, tuple[Span, ...]]) -> pa.Array:
    """Return which rows are of a shared cookie while it was the person's; without an instant none is."""
    flags = _among(rows[name], spans)
    if instant is None or not pc.any(flags).as_py():
        return pa.repeat(pa.scalar(False), rows.num_rows)
    judged = flags.to_pylist()
    for row in (n for n, is_shared in enumerate(judged) if is_shared):
        at = rows[instant][row].as_py()
        judged[row] = at is not None and any(s <= micros_of(at) <= u for s, u in spans[rows[name][row].as_py()])
    return pa.array(judged, pa.bool_())


def _by_contact(rule: Rule, person: Person, rows: pa.Table) -> pa.Array:
    """Return which rows name nobody and have a contact of the person's, or list the person and nobody else."""
    is_free = pa.repeat(pa.scalar(True), rows.num_rows)
    for name in (*rule.members, *rule.cookies, *rule.keys):
        is_free = pc.and_(is_free, pc.is_null(rows[name].combine_chunks()))
    judged = is_free.to_pylist()
    for row in (n for n, is_nobodys in enumerate(judged) if is_nobodys):
        contacts = [rows[name][row].as_py() for name in rule.contacts]
        texts = [rows[name][row].as_py() for name in rule.texts]
        judged[row] = any(_is_contact(person, text) for text in contacts) or any(_tells_of(person, t) for t in texts)
    return pa.array(judged, pa.bool_())


def _is_contact(person: Person, text: str | None) -> bool:
    return bool(text) and not person.contacts.isdisjoint({spelt(str(text)), digits_of(str(text))})


def _tells_of(person: Person, text: str | None) -> bool:
    """Say whether what a request says, as JSON, is about the person alone."""
    if not text or not text.startswith("{") or person.pieces.isdisjoint(pieces_of(text)):
        return False
    left = unlisted(text, lambda listed: {person.member_id} & set(listed))
    return left is None or (left == text and any(_is_contact(person, leaf) for leaf in _leaves(json.loads(text))))


def _leaves(said: Any) -> Iterator[str]:
    if isinstance(said, str):
        yield said
    elif isinstance(said, dict | list):
        for each in said.values() if isinstance(said, dict) else said:
            yield from _leaves(each)
