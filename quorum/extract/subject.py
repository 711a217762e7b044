"""Everything about one verified person, for that person (P-04).

What belongs here: who may have it, collecting it from the statements ``p04__*``, and what keeps two people apart. What
does not: how it reads as a page (`quorum.extract.subject_page`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.errors import PolicyError
from quorum.extract.files import check_out, write_folder
from quorum.extract.identity import check_verified
from quorum.extract.result import Extract, enter
from quorum.extract.segments import load_segments
from quorum.extract.subject_page import pages
from quorum.extract.subject_request import Asked, DeskAnswer, as_held, asked, run_for
from quorum.extract.subject_words import Names
from quorum.policy import Policy
from quorum.policy.grants import check_may_read
from quorum.tables import Table

PURPOSE = "P-04"
SCHEMA = "quorum.subject/1"
SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "registration": "p04__registration",
        "versions": "p04__registration_version",
        "corrections": "p04__correction",
        "attributes": "p04__attribute",
        "purchases": "p04__purchase",
        "usage": "p04__usage",
        "beacons": "p04__beacon",
        "logins": "p04__login",
        "advertisements": "p04__advertisement",
        "segments": "p04__segment",
        "choices": "p04__choice",
        "disclosures": "p04__disclosure",
    }
)
"""Section of a package to the table that it comes from, in order."""
MASKED = ("bank_account_end", "card_number_end")
"""Columns that show an end only: a package can be left lying about."""

_REQUESTS = "vault__access_request"
_PERSON = "person_key"
_HELD = frozenset({"registration", "versions", "corrections", "disclosures"})
_FREE = frozenset({"pseudonym", "fact", "statistic"})
_TOKYO = timedelta(hours=9)
_SHORT = 12


def subject_package(desk: Desk, subject: str, request: str, out: Path | None) -> DeskAnswer:
    """Give one person everything that is held about them: a JSON document, and a page in Japanese and in English.

    Args:
        desk: the desk.
        subject: the member number.
        request: identity of a request of kind ``access`` by that member.
        out: a new folder outside the home for ``subject.json``, ``subject.ja.html`` and ``subject.en.html``; None to
            count only.

    Returns:
        Counts of rows by section of `SECTIONS`.

    Raises:
        PolicyError: the role is not granted the purpose, the request is not there or somebody else's, the identity is
            not verified, or a table holds a column that the purpose may not use or a row of another person.
    """
    check_may_read(desk.policy, desk.actor, PURPOSE)
    if out is not None:
        check_out(desk, PURPOSE, out)
    who = asked(desk, _REQUESTS, request, PURPOSE)
    if who.member_id is None or who.member_key is None or who.member_id != subject:
        raise PolicyError(
            "subject.request", "a package on a request of somebody else", "the subject's own request", "ask them"
        )
    check_verified(desk, who.member_id, who.member_key)
    tables = _collect(desk, who)
    package = Extract(PURPOSE, desk.latest_night(), {SECTIONS[section]: rows for section, rows in tables.items()})
    enter(desk, "served" if out is None else "written", package, request=who.key)
    files = [] if out is None else write_folder(out, _contents(desk, who, tables))
    counts = {section: rows.num_rows for section, rows in tables.items()}
    return DeskAnswer(PURPOSE, package.night, package.tables, counts=counts, files=tuple(files))


def _collect(desk: Desk, who: Asked) -> dict[str, pa.Table]:
    tables = {}
    for section, table in SECTIONS.items():
        check_columns(desk.catalog[table], desk.policy)
        night = as_held(desk) if section in _HELD else desk.latest_night()
        tables[section] = one_person(table, run_for(desk, table, night, who), str(who.member_key))
    return tables


def check_columns(table: Table, policy: Policy) -> None:
    """Refuse a table with a column of a category that the purpose does not list.

    Raises:
        PolicyError: it has one.
    """
    uses = policy.purposes[PURPOSE].uses
    for column in table.columns:
        if column.category not in uses and policy.columns[column.category].klass not in _FREE:
            raise PolicyError(
                "subject.column", f"{table.name}.{column.name} ({column.category})", ", ".join(uses), "leave it out"
            )


def one_person(table: str, rows: pa.Table, member_key: str) -> pa.Table:
    """Return the rows without the key, after refusing those of anybody else.

    Each statement tells whose a row is from the row itself, not from the request.

    Raises:
        PolicyError: a row is of another person, or of nobody.
    """
    others = rows.num_rows - (pc.sum(pc.equal(rows[_PERSON], member_key)).as_py() or 0)
    if others:
        raise PolicyError(
            "subject.two_people", f"{others} rows of somebody else in {table}", "rows of the subject", "mend query.sql"
        )
    return rows.drop_columns([_PERSON])


def _contents(desk: Desk, who: Asked, tables: Mapping[str, pa.Table]) -> dict[str, bytes]:
    sections = {section: [_plain(row) for row in rows.to_pylist()] for section, rows in tables.items()}
    document = {
        "schema": SCHEMA,
        "policy": {"version": desk.policy.version, "digest": desk.policy.digest},
        "purpose": PURPOSE,
        "night": desk.latest_night().isoformat(),
        "request": who.key[:_SHORT],
        "masked": list(MASKED),
        "columns": {section: _columns(desk, SECTIONS[section]) for section in tables},
        "sections": sections,
    }
    written = (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()
    return {
        "subject.json": written,
        **pages(desk.policy, desk.latest_night(), who.key[:_SHORT], tables, _names(desk)),
    }


def _columns(desk: Desk, table: str) -> dict[str, dict[str, str]]:
    return {
        column.name: {
            "category": column.category,
            "ja": desk.policy.columns[column.category].ja,
            "en": desk.policy.columns[column.category].en,
            "unit": column.unit,
            "description": column.description,
        }
        for column in desk.catalog[table].columns
        if column.name != _PERSON
    }


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _text_of(value) for name, value in row.items()}


def _text_of(value: Any) -> Any:
    if isinstance(value, datetime):
        return (value + _TOKYO).isoformat(timespec="milliseconds") + "+09:00"
    return value.isoformat() if isinstance(value, date) else value


def _names(desk: Desk) -> Names:
    """Return what campaigns, sections, recipients and segments are called; the last list that names one wins."""
    found: dict[str, dict[str, tuple[str, str]]] = {"campaign": {}, "section": {}, "recipient": {}}
    for kind, names in found.items():
        listed = desk.store.read(f"pseudo__{kind}", desk.latest_night(), "history").to_pylist()
        names.update({row[f"{kind}_id"]: (row["name_ja"], row["name_en"]) for row in listed})
    catalogue = load_segments(desk.policy).segments
    return Names(**found, segment={one.segment_id: (one.name_ja, one.name_en) for one in catalogue})
