"""A member is erased from a home of two nights, and stays away however their old files come back."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import zstandard

from quorum.engine.store import Store
from quorum.keys import KeyRing
from quorum.ledger.tombstones import pseudonyms
from quorum.rights.parts import batches, parts_of
from quorum.sample import write_sample
from quorum.tables import Catalog
from quorum.zones import Home

pytestmark = pytest.mark.slow

FIRST, SECOND, THIRD, FOURTH = (date(2026, 11, day) for day in (20, 21, 22, 23))
KEY = "a7" * 32
OWN, SHARED, NEIGHBOUR = "own-cookie-7731", "family-cookie-42", "neighbour-9000"
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Person:
    """One member of the sample, with what was planted about them: also the cookies that nobody else used."""

    record: dict[str, Any]
    cookies: set[str]
    keys: set[str]

    @property
    def needles(self) -> set[str]:
        """What must not be found: identifiers and pseudonyms, none of them short."""
        fields = ("member_id", "name", "email", "phone", "address", "bank_account", "card_number", "nickname")
        return {self.record[name] for name in fields} | self.cookies | self.keys


@dataclass(frozen=True)
class Portal:
    """A landing folder, a home, and what was in it before and after the erasure."""

    landing: Path
    home: Path
    person: Person
    before: dict[str, Counter[Row]]
    after: dict[str, Counter[Row]]
    frozen: dict[str, bytes]
    receipt: dict[str, Any]


def run(landing: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("QUORUM_", "DAGSTER_"))}
    environ |= {"QUORUM_MASTER_KEY": KEY, "QUORUM_LANDING": str(landing), "QUORUM_HOME": str(home)}
    program = str(Path(sys.executable).with_name("quorum"))
    return subprocess.run([program, *arguments], capture_output=True, text=True, env=environ, timeout=600)


def text_of(path: Path) -> str:
    openers = {".zst": zstandard.open, ".gz": gzip.open}
    with openers.get(path.suffix, open)(path, "rb") as content:
        return content.read().decode("utf-8", "surrogateescape")


def add(landing: Path, night: date, source: str, name: str, *records: object) -> None:
    path = landing / night.isoformat() / source / name
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [record if isinstance(record, str) else json.dumps(record, ensure_ascii=False) for record in records]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8", errors="surrogateescape")


def registrations(landing: Path) -> list[dict[str, Any]]:
    lines = [line for path in sorted(landing.glob("*/members/*.zst")) for line in text_of(path).splitlines()]
    return [json.loads(line) for line in lines]


def logins(landing: Path) -> dict[str, set[str]]:
    """Return the cookies of all logins, each with its members."""
    used: dict[str, set[str]] = {}
    for path in sorted(landing.glob("*/logins/*.*")):
        for line in text_of(path).splitlines():
            used.setdefault(json.loads(line)["cookie_id"], set()).add(json.loads(line)["member_id"])
    return used


def seldom(landing: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a member of whom every identifier is theirs alone, and who logged in; and somebody else."""
    members = {record["member_id"]: record for record in registrations(landing)}
    logged_in = set().union(*(members for members in logins(landing).values() if len(members) == 1))
    for name in ("name", "email", "phone", "address", "nickname", "bank_account", "card_number"):
        values = Counter(record[name] for record in members.values())
        members = {key: record for key, record in members.items() if record[name] and values[record[name]] == 1}
    shared = set().union(*(members for members in logins(landing).values() if len(members) > 1))
    first, *others = (members[key] for key in sorted((logged_in - shared) & members.keys()))
    return first, others[0]


def plant(landing: Path, person: dict[str, Any], other: dict[str, Any]) -> None:
    """Put the person wherever a person can be: whole, broken, waiting, beside others, in other people's words."""
    me, at = person["member_id"], "2026-11-20T{:02}:00:00+09:00".format
    event = {"campaign_id": "x-1", "creative_id": "x-1", "placement": "top", "type": "impression"}
    add(
        landing,
        FIRST,
        "logins",
        "planted.json",
        {"event_id": "pl-1", "ts": at(9), "cookie_id": OWN, "member_id": me},
        {"event_id": "pl-2", "ts": at(10), "cookie_id": SHARED, "member_id": me},
        {"event_id": "pl-3", "ts": at(20), "cookie_id": SHARED, "member_id": other["member_id"]},
    )
    add(
        landing,
        FIRST,
        "ads",
        "planted.json",
        {**event, "event_id": "pa-1", "ts": at(8), "cookie_id": OWN},
        {**event, "event_id": "pa-2", "ts": at(12), "cookie_id": OWN},
        {**event, "event_id": "pa-3", "ts": at(12), "cookie_id": SHARED},
        {**event, "event_id": "pa-4", "ts": at(21), "cookie_id": SHARED},
        {**event, "event_id": "pa-5", "ts": "2026-11-23T12:00:00+09:00", "cookie_id": OWN},
        {**event, "event_id": "pa-6", "ts": "broken", "cookie_id": OWN},
    )
    add(
        landing,
        FIRST,
        "access",
        "planted.log",
        f'203.0.113.9 - - [20/Nov/2026:11:00:00 +0900] "GET /news/1 HTTP/1.1" 200 5 "-" "agent" "quid={OWN}"',
        f'203.0.113.9 - - [20/Nov/2026:12:00:00 +0900] "GET /news/2 HTTP/1.1" 200 5 "-" "agent" "quid={NEIGHBOUR}"',
        f'203.0.113.9 - - [20/Nov/2026:11:00:01 +0900] "GET /open-quote HTTP/1.1 200 5 "-" "agent" "quid={OWN}"',
    )
    add(landing, FIRST, "members", "broken.json", json.dumps(person, ensure_ascii=False)[:-1])
    add(landing, FIRST, "mail", "letter.txt", f"{person['name']}様 お電話 {person['phone']}", "nothing about anybody")
    choice = {"ts": at(13), "choice": "opt_out", "scope": "ads"}
    add(
        landing,
        FIRST,
        "preferences",
        "planted.json",
        {**choice, "event_id": "pp-1", "member_id": me},
        {**choice, "event_id": "pp-2", "cookie_id": OWN},
        {**choice, "event_id": "pp-3", "member_id": other["member_id"]},
    )
    add(
        landing,
        FIRST,
        "partners",
        "planted.csv",
        "receipt_id,partner_id,member_id,ts,item_category,amount_micros,billed_micros",
        f"rc-1,shop-09,{me},{at(14)},books,1000000,1000000",
        f"rc-2,shop-09,{other['member_id']},{at(14)},books,1000000,1000000",
    )
    notice = {"message_id": "n-1", "channel": "post", "member_ids": [me, other["member_id"]]}
    enquiry = {"topic": "other", "text": "hello"}
    add(
        landing,
        SECOND,
        "requests",
        "planted.json",
        {"request_id": "erase-1", "ts": at(15), "kind": "erase", "member_id": me},
        {"request_id": "pr-2", "ts": at(15), "kind": "notice", "details": notice},
        {"request_id": "pr-3", "ts": at(15), "kind": "enquiry", "details": {**enquiry, "reply_to": person["email"]}},
        {
            "request_id": "pr-4",
            "ts": at(15),
            "kind": "enquiry",
            "member_id": other["member_id"],
            "details": {**enquiry, "text": f"forward it to {person['email']} please"},
        },
    )


def rows_of(home: Path, catalog: Catalog) -> dict[str, Counter[Row]]:
    """Return all stored rows of the tables of people, decoded."""
    store = Store(Home(home), catalog, KeyRing(bytes.fromhex(KEY)))
    return {
        table.name: Counter(
            (part.night, *(repr(value) for value in row.values()))
            for part in parts_of(store, table.name)
            for rows in batches(store, part)
            for row in rows.to_pylist()
        )
        for table in catalog.tables.values()
        if not table.in_memory
    }


def frozen(home: Path) -> dict[str, bytes]:
    folders = (home / "out", home / "warehouse" / "cube", home / "warehouse" / "safe")
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


def found_in(home: Path, catalog: Catalog, needles: set[str]) -> dict[str, int]:
    """Return where something of the person is: every byte of the home, and every stored value decoded."""
    found = Counter[str]()
    for path in (path for path in home.rglob("*") if path.is_file()):
        content = path.read_bytes()
        if content.startswith(b"SQLite format 3\0"):
            content += dumped(path)
        found[str(path.relative_to(home))] += sum(needle.encode() in content for needle in needles)
    for table, rows in rows_of(home, catalog).items():
        told = "\n".join(" ".join(map(str, row)) for row in rows)
        found[table] += sum(needle in told for needle in needles)
    return {where: count for where, count in found.items() if count}


def dumped(path: Path) -> bytes:
    """Return all rows of a database as text."""
    with closing(sqlite3.connect(path)) as database:
        names = database.execute("select name from sqlite_master where type = 'table'").fetchall()
        return repr([database.execute(f'select * from "{name}"').fetchall() for (name,) in names]).encode()


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog) -> Iterator[Portal]:
    landing, home = tmp_path_factory.mktemp("landing"), tmp_path_factory.mktemp("home")
    write_sample(landing, last=SECOND, days=2, members=200, events=2000, campaigns=2, recipients=5, ctr=0.2, seed=11)
    record, other = seldom(landing)
    plant(landing, record, other)
    keys = KeyRing(bytes.fromhex(KEY))
    pseudonymous = {key for kind in ("member", "public") for key in pseudonyms(keys, kind, [record["member_id"]])}
    used = logins(landing)
    own = {cookie for cookie, members in used.items() if members == {record["member_id"]}}
    assert OWN in own and used[SHARED] == {record["member_id"], other["member_id"]}
    assert {cookie for cookie, members in used.items() if record["member_id"] in members} == {*own, SHARED}
    person = Person(record, own, pseudonymous | set(pseudonyms(keys, "cookie", own)))
    done = run(landing, home, "backfill", "--from", str(FIRST), "--to", str(SECOND), "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(found_in(home, catalog, person.needles)) > 10, "the search finds the person while they are there"
    before, still = rows_of(home, catalog), frozen(home)
    erased = run(landing, home, "erase", "--request", "erase-1", "--json")
    assert erased.returncode == 0, erased.stderr
    yield Portal(landing, home, person, before, rows_of(home, catalog), still, json.loads(erased.stdout))


def test_nothing_of_the_person_is_left_in_any_byte_of_the_home(portal: Portal, catalog: Catalog) -> None:
    assert found_in(portal.home, catalog, portal.person.needles) == {}


def test_everybody_else_is_untouched_and_the_receipt_counts_what_went(portal: Portal) -> None:
    counted = Counter[str]()
    for entry in portal.receipt["removed"]:
        counted[entry["table"]] += entry["rows"]
    struck = {entry["table"]: entry["rows"] for entry in portal.receipt["struck"]}
    assert struck == {"vault__request": 2, "vault__enquiry": 1}
    numbered = {"seg__ad_event", "seg__page_view", "seg__campaign_person", "seg__section_person"}
    for table, rows in portal.before.items():
        gone, new = rows - portal.after[table], portal.after[table] - rows
        if table == "vault__disclosure" or table.startswith(("cube__", "safe__")):
            assert not gone and not new, table
            continue
        assert gone.total() - new.total() == counted[table], table
        assert new.total() == struck.get(table, 0), table
        if table not in numbered:
            mine = sum(
                n for row, n in gone.items() if any(needle in " ".join(map(str, row)) for needle in told(portal))
            )
            assert mine == gone.total(), f"{table} lost rows of others"
    assert counted["vault__member"] and counted["seg__person_day"] and counted["seg__ad_event"]
    assert counted["vault__rejected_line"] == 4
    assert counted["vault__enquiry"] == counted["vault__notice"] == 1


def told(portal: Portal) -> set[str]:
    """What a row of the person's holds: what is searched for, and the cookie that was theirs for a time."""
    shared = set(pseudonyms(KeyRing(bytes.fromhex(KEY)), "cookie", [SHARED]))
    return portal.person.needles | shared | {SHARED}


def test_the_shared_cookie_keeps_what_was_the_others(portal: Portal) -> None:
    shared = next(iter(pseudonyms(KeyRing(bytes.fromhex(KEY)), "cookie", [SHARED])))
    left = [row for row in portal.after["pseudo__ad_event"] if f"'{shared}'" in row]
    assert len(left) == 1 and any("21, 0" not in str(value) and "12, 0" in str(value) for value in left[0])
    assert any(SHARED in str(row) for row in portal.after["vault__login"])


def test_what_is_published_and_counted_stays_to_the_byte(portal: Portal) -> None:
    assert {path: content for path, content in frozen(portal.home).items() if path in portal.frozen} == portal.frozen


def test_the_receipt_names_nobody_and_says_what_to_delete(portal: Portal) -> None:
    text = json.dumps(portal.receipt, ensure_ascii=False)
    assert not [needle for needle in {*portal.person.needles, SHARED} if needle in text]
    files = {(file["source"], file["night"], file["name"]) for file in portal.receipt["landing_files"]}
    assert ("partners", str(FIRST), "planted.csv") in files
    assert ("members", str(FIRST), "broken.json") in files
    assert ("ads", str(FIRST), "planted.json") in files
    assert portal.receipt["policy_digest"] and portal.receipt["tombstone"] and portal.receipt["not_attributable"]
    assert {"out", "vault__disclosure"} <= {entry["what"] for entry in portal.receipt["stays"]}


def test_doing_it_again_changes_nothing_and_gives_the_same_receipt(portal: Portal) -> None:
    entries = run(portal.landing, portal.home, "ledger", "show").stdout
    again = run(portal.landing, portal.home, "erase", "--request", "erase-1", "--json")
    assert (again.returncode, json.loads(again.stdout)) == (0, portal.receipt)
    assert run(portal.landing, portal.home, "ledger", "show").stdout == entries
    assert not [needle for needle in portal.person.needles if needle in entries]
    assert run(portal.landing, portal.home, "ledger", "verify").returncode == 0


def test_a_request_that_did_not_land_erases_nobody(portal: Portal) -> None:
    for request in ("pr-2", "no-such-request"):
        refused = run(portal.landing, portal.home, "erase", "--request", request)
        assert refused.returncode == 13
        assert request not in refused.stderr


def test_the_person_stays_away_when_the_old_files_land_again(portal: Portal, catalog: Catalog) -> None:
    again(portal.landing)
    third = run(portal.landing, portal.home, "nightly", "--date", str(THIRD), "--json")
    night = json.loads(third.stdout)
    assert (third.returncode, night["errors"]) == (0, [])
    refused = Counter[str]()
    for landed in night["accounting"]:
        assert landed["read"] == landed["loaded"] + landed["duplicate"] + sum(landed["quarantined"].values())
        refused[landed["source"]] += landed["quarantined"].get("erased", 0)
    for source in ("members", "logins", "partners", "preferences", "requests", "ads", "access"):
        assert refused[source], source
    assert found_in(portal.home, catalog, portal.person.needles) == {}
    add(portal.landing, FOURTH, "ads", "nothing.json")
    fourth = run(portal.landing, portal.home, "nightly", "--date", str(FOURTH), "--json")
    assert fourth.returncode == 0, fourth.stdout
    assert found_in(portal.home, catalog, portal.person.needles) == {}
    rows = rows_of(portal.home, catalog)
    people = [row for row in rows["seg__person_day"] if row[0] == THIRD]
    assert 0 < len(people) < 500
    members = Counter(row[0] for row in rows["pseudo__member"].elements())
    assert members[THIRD] == members[FOURTH] == members[SECOND] > 100


def again(landing: Path) -> None:
    """Land the two nights once more: as they were, and every source as one other file, in another order."""
    for day in (FIRST, SECOND):
        for path in sorted((landing / day.isoformat()).rglob("*")):
            if path.is_file() and path.parent.name != "reference":
                copy = (
                    landing
                    / THIRD.isoformat()
                    / path.relative_to(landing / day.isoformat()).parent
                    / f"{day}.{path.name}"
                )
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
    for source in ("members", "logins", "preferences", "requests", "ads", "access"):
        lines = [
            line
            for day in (FIRST, SECOND)
            for path in sorted((landing / day.isoformat() / source).glob("*.*"))
            if path.suffix != ".parquet" and path.name[0] not in "._"
            for line in text_of(path).splitlines()
        ]
        add(landing, THIRD, source, f"joined.{'log' if source == 'access' else 'json'}", *reversed(lines))
    planted = (landing / FIRST.isoformat() / "partners" / "planted.csv").read_text(encoding="utf-8").splitlines()
    add(landing, THIRD, "partners", "joined.csv", planted[0], *reversed(planted[1:]))
    letter = (landing / FIRST.isoformat() / "mail" / "letter.txt").read_text(encoding="utf-8")
    add(landing, THIRD, "post", "letter.txt", *reversed(letter.splitlines()))
    for path in (landing / FIRST.isoformat() / "reference").iterdir():
        target = landing / THIRD.isoformat() / "reference" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
