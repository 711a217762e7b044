"""Erasing a person from everything that is stored about people, once and for good, on their request.

The order matters, for a power cut may come at any moment: an entry in the ledger with what will go, then the tombstone,
so that from here on nothing comes back; then one file after the other, each replaced whole. First go the rows that are
found by the person's names, then those that tell the names, last of all the file with the request. So whoever runs it
again finds what is needed for the rest. Frozen cubes, safe tables and released packages hold no person; they stay and
are never computed again.

What belongs here: the order. What does not: whose a row is (`quorum.rights.rules`), and what is told (`receipt`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.engine.store import Store
from quorum.errors import PolicyError
from quorum.intake.spellings import pieces_of
from quorum.ledger.tombstones import bury, reference_of
from quorum.policy.grants import check_may_act
from quorum.rights.parts import Part, batches, parts_of, rewrite, sweep
from quorum.rights.person import LINKS, Person, end_of, find_person, micros_of
from quorum.rights.rules import EXEMPT, Rule, are_members, are_of, rule_of, struck
from quorum.tables import Table
from quorum.zones import Zone

ACT, BEGIN, DONE = "erase", "erase_begin", "erase_done"
ZONES = (Zone.EXTRACT, Zone.SEG, Zone.PSEUDO, Zone.VAULT)
"""The zones that hold people, in the order in which they are gone through."""

_REQUESTS = "vault__request"
_NUMBERS = "seg__person_day"


@dataclass(frozen=True)
class Found:
    """What of a person is in one file.

    Args:
        part: the file.
        rows: rows of the person.
        sources: those of them from which the person's names are collected.
        struck: rows of others whose text names the person.
        files: numbers of the landed files from which the rows came.
        latest: latest instant of the person's rows, microseconds since 1970; None if rows have none.
    """

    part: Part
    rows: int
    sources: int
    struck: int
    files: frozenset[int] = field(repr=False)
    latest: int | None


def erase(desk: Desk, request: str, now: datetime) -> dict[str, Any]:
    """Erase the person who asks for it in a request that landed.

    Args:
        desk: who acts, and where; the lock of the home must be held.
        request: a ``request_id`` of kind ``erase``.
        now: the time, with a zone; what the person's cookies did until then is refused from now on.

    Returns:
        The body of the ledger's last entry about it: counts only, and numbers of landed files. Run again, it goes on
        where it was stopped; once done, it returns the same and touches nothing.

    Raises:
        PolicyError: the role may not erase, or no such request landed.
    """
    check_may_act(desk.policy, desk.actor, ACT)
    reference = reference_of(desk.keys, request)
    done = _entry(desk, DONE, reference)
    if done is not None:
        return done
    requested = _requested(desk, request)
    if requested is not None:
        _erase(desk, *requested, reference, now)
    elif _entry(desk, BEGIN, reference) is None:
        raise PolicyError(
            "erase.request",
            "an erasure without a request for it",
            "a request of kind erase that has landed and names a member",
            "let the request land, run the night, and erase then",
        )
    body = {**_planned(desk, reference), "reference": reference, "who": desk.actor.name, "role": desk.actor.role}
    desk.ledger.append(DONE, {**body, "policy_version": desk.policy.version, "policy_digest": desk.policy.digest})
    return dict(_entry(desk, DONE, reference) or {})


def pending(store: Store) -> int:
    """Return how many requests to erase landed and are not done; done ones are gone with the person."""
    kinds = (rows["kind"] for part in parts_of(store, _REQUESTS) for rows in batches(store, part, ("kind",)))
    return sum(pc.sum(pc.equal(each, ACT)).as_py() or 0 for each in kinds)


def tables_of_people(desk: Desk) -> list[Table]:
    """Return the kept tables that an erasure goes through, in its order."""
    tables = [
        table
        for zone in ZONES
        for table in desk.catalog.in_zone(zone)
        if not table.in_memory and table.name not in EXEMPT and rule_of(table).finds_rows
    ]
    return sorted(tables, key=lambda table: table.name == _NUMBERS)


def _erase(desk: Desk, member_id: str, own_part: Part, reference: str, now: datetime) -> None:
    person = find_person(desk, member_id)
    tables = tables_of_people(desk)
    found = [each for table in tables for each in _find(desk, person, table)]
    nights = [night for table in tables if table.zone is Zone.VAULT for night in desk.store.nights(table.name)]
    seen = [each.latest for each in found if each.latest is not None]
    until = max([micros_of(now), *(end_of(night) for night in nights), *seen])
    counts = _counts(found)
    unnamed = [file.file_n for file in desk.ledger.landed(counts["files"]) if _is_named_after(person, file.name)]
    desk.ledger.append(BEGIN, {"reference": reference, "until_us": until, "unnamed": unnamed, **counts})
    bury(desk.ledger, desk.keys, person.tombstones(until), reference)
    for table in tables:
        sweep(desk.store, table.name)
    for each in (each for each in found if each.rows > each.sources or each.struck):
        rewrite(desk.store, each.part, _leaving(desk, person, each.part, is_last=False))
    for each in sorted(
        (each for each in found if each.sources), key=lambda e: (e.part == own_part, e.part.table == LINKS)
    ):
        rewrite(desk.store, each.part, _leaving(desk, person, each.part, is_last=True))


def _leaving(desk: Desk, person: Person, part: Part, *, is_last: bool) -> Callable[[pa.Table], pa.Table]:
    """Return what leaves the rows that stay: until the last round, also those that tell the person's names.

    The links go last: they alone say of every cookie whether it was another's too.
    """
    rule, numbers = rule_of(desk.catalog[part.table]), _numbers(desk, person, part)

    def leave(rows: pa.Table) -> pa.Table:
        going = are_of(rule, person, rows, numbers)
        if not is_last:
            going = pc.and_(going, pc.invert(_are_sources(rule, person, part, rows)))
        return struck(rule, person, rows.filter(pc.invert(going)))[0]

    return leave


def _are_sources(rule: Rule, person: Person, part: Part, rows: pa.Table) -> pa.Array:
    """Return which rows tell the person's names: what names the member, and the links of the member's cookies."""
    return (
        are_of(rule, person, rows, pa.array([], pa.int64())) if part.table == LINKS else are_members(rule, person, rows)
    )


def _is_named_after(person: Person, name: str) -> bool:
    return not person.pieces.isdisjoint(pieces_of(name) | pieces_of(name.replace(".", " ").replace("_", " ")))


def _requested(desk: Desk, request: str) -> tuple[str, Part] | None:
    """Return the member who asks to be erased, and where the request lies."""
    for part in parts_of(desk.store, _REQUESTS):
        for rows in batches(desk.store, part, ("request_id", "kind", "member_id")):
            asked = rows.filter(pc.and_(pc.equal(rows["request_id"], request), pc.equal(rows["kind"], ACT)))
            for row in asked.to_pylist():
                if row["member_id"] is not None:
                    return row["member_id"], part
    return None


def _find(desk: Desk, person: Person, table: Table) -> Iterator[Found]:
    """Yield what there is of a person in each file of a table that holds something."""
    rule, read = rule_of(table), 0
    for part in parts_of(desk.store, table.name):
        found, numbers = [], _numbers(desk, person, part)
        for rows in batches(desk.store, part, rule.columns):
            read += rows.num_rows
            is_own = are_of(rule, person, rows, numbers)
            others = struck(rule, person, rows.filter(pc.invert(is_own)))[1] if rule.texts else 0
            sources = pc.sum(pc.and_(is_own, _are_sources(rule, person, part, rows))).as_py() or 0
            found.append(_found(part, rule, rows.filter(is_own), sources, others))
        whole = Found(
            part,
            sum(each.rows for each in found),
            sum(each.sources for each in found),
            sum(each.struck for each in found),
            frozenset().union(*(each.files for each in found)),
            max((each.latest for each in found if each.latest is not None), default=None),
        )
        if whole.rows or whole.struck:
            yield whole
    desk.store.note(table.name, read)


def _found(part: Part, rule: Rule, own: pa.Table, sources: int, others: int) -> Found:
    files = own["file_n"].unique().drop_null().to_pylist() if rule.has_file else []
    latest = pc.max(own[rule.instant]).as_py() if rule.instant else None
    return Found(part, own.num_rows, sources, others, frozenset(files), None if latest is None else micros_of(latest))


def _numbers(desk: Desk, person: Person, part: Part) -> pa.Array:
    """Return the person's numbers within the night of a file."""
    if not rule_of(desk.catalog[part.table]).numbers:
        return pa.array([], pa.int64())
    people = desk.store.read(_NUMBERS, part.night, columns=("person_n", "person_key"))
    known = pa.array(sorted(person.keys), pa.string())
    return people.filter(pc.is_in(people["person_key"], known))["person_n"].combine_chunks()


def _counts(found: list[Found]) -> dict[str, Any]:
    tables: dict[str, dict[str, int]] = {}
    texts: Counter[str] = Counter()
    for each in found:
        night = each.part.night.isoformat()
        if each.rows:
            of_table = tables.setdefault(each.part.table, {})
            of_table[night] = of_table.get(night, 0) + each.rows
        if each.struck:
            texts[each.part.table] += each.struck
    return {"rows": tables, "struck": dict(texts), "files": sorted(frozenset().union(*(each.files for each in found)))}


def _planned(desk: Desk, reference: str) -> dict[str, Any]:
    """Return what all attempts at an erasure found, together: one that was stopped had found the rest before."""
    rows: dict[str, dict[str, int]] = {}
    texts: dict[str, int] = {}
    files: set[int] = set()
    unnamed: set[int] = set()
    until = 0
    for entry in desk.ledger.entries(BEGIN):
        if entry.body["reference"] == reference:
            for table, nights in entry.body["rows"].items():
                rows[table] = _most(rows.get(table, {}), nights)
            texts = _most(texts, entry.body["struck"])
            files |= set(entry.body["files"])
            unnamed |= set(entry.body["unnamed"])
            until = max(until, entry.body["until_us"])
    return {
        "rows": rows,
        "struck": texts,
        "files": sorted(files),
        "unnamed": sorted(unnamed),
        "until_us": until,
    }


def _most(first: Mapping[str, int], second: Mapping[str, int]) -> dict[str, int]:
    return {name: max(first.get(name, 0), second.get(name, 0)) for name in sorted({*first, *second})}


def _entry(desk: Desk, kind: str, reference: str) -> dict[str, Any] | None:
    bodies = [dict(entry.body) for entry in desk.ledger.entries(kind) if entry.body["reference"] == reference]
    return bodies[-1] if bodies else None
