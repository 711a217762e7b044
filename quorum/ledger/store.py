"""One SQLite file (WAL) under ``QUORUM_HOME/ledger``: journal, landed files, nights.

What belongs here: appending and looking up. What does not: any value about a person; bodies carry codes and counts.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from quorum.errors import LedgerError

GENESIS = "0" * 64
_SCHEMA = """
create table if not exists journal (
    seq integer primary key, kind text not null, body text not null, previous text not null, hash text not null
) strict;
create table if not exists landed_file (
    file_n integer primary key, night text not null, source text not null, name text not null, digest text not null,
    accounting text, unique (night, source, name)
) strict;
create table if not exists night (night text primary key, inputs text not null, summary text not null) strict;
create table if not exists release (
    recipient_id text not null, report text not null, period text not null, night text not null,
    certificate text not null, body text not null, primary key (recipient_id, report, period)
) strict;
create table if not exists tombstone (
    kind text not null, hash text not null, since_us integer not null, until_us integer not null,
    primary key (kind, hash, since_us, until_us)
) strict;
"""


@dataclass(frozen=True)
class Entry:
    """An entry of the journal.

    Args:
        seq: position, from 1.
        kind: e.g. ``release``.
        body: JSON-compatible.
        previous: hash of the entry before, 64 zeros for the first.
        hash: SHA-256 over seq, kind, body and previous, hex.
    """

    seq: int
    kind: str
    body: Mapping[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True)
class LandedFile:
    """A file that has landed.

    Args:
        file_n: its number, in order of registration.
        night: the night that took it in.
        source: folder it landed in.
        name: path below the source folder.
        digest: SHA-256 of the decompressed content, hex.
        is_duplicate: the same content was registered before, by this or another night.
    """

    file_n: int
    night: date
    source: str
    name: str
    digest: str
    is_duplicate: bool


def canonical(body: object) -> str:
    """Return JSON with sorted keys and no spaces, the form that is hashed and signed."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


class Ledger:
    """The ledger of one home. Open it once per process; one writer at a time.

    Args:
        folder: ``QUORUM_HOME/ledger``; made if missing.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(folder / "ledger.sqlite", isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = full")
        self._db.execute("pragma busy_timeout = 10000")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        self._db.execute("begin immediate")
        try:
            yield self._db
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    # -- journal -----------------------------------------------------------------------------------------------------

    def append(self, kind: str, body: Mapping[str, Any]) -> Entry:
        """Append an entry and return it.

        Args:
            kind: e.g. ``release``, ``night``, ``blocked``.
            body: JSON-compatible; codes and counts, no value about a person.
        """
        with self._transaction():
            return self._append(kind, body)

    def _append(self, kind: str, body: Mapping[str, Any]) -> Entry:
        row = self._db.execute("select seq, hash from journal order by seq desc limit 1").fetchone()
        seq, previous = (row[0] + 1, row[1]) if row else (1, GENESIS)
        text = canonical(body)
        digest = _entry_hash(seq, kind, text, previous)
        self._db.execute("insert into journal values (?, ?, ?, ?, ?)", (seq, kind, text, previous, digest))
        return Entry(seq, kind, json.loads(text), previous, digest)

    def entries(self, kind: str | None = None) -> list[Entry]:
        """Return the entries in order, all or of one kind."""
        rows = self._db.execute("select seq, kind, body, previous, hash from journal order by seq").fetchall()
        return [Entry(r[0], r[1], json.loads(r[2]), r[3], r[4]) for r in rows if kind is None or r[1] == kind]

    def verify(self) -> int:
        """Check the whole chain and return the number of entries.

        Raises:
            LedgerError: an entry was changed, removed or put in.
        """
        previous, count = GENESIS, 0
        for seq, kind, body, before, digest in self._db.execute("select * from journal order by seq").fetchall():
            count += 1
            if seq != count or before != previous or digest != _entry_hash(seq, kind, body, before):
                raise LedgerError(
                    "ledger.chain", f"entry {count} does not follow from the one before", "", "restore it"
                )
            previous = digest
        return count

    # -- landed files ------------------------------------------------------------------------------------------------

    def register_file(self, night: date, source: str, name: str, digest: str) -> LandedFile:
        """Register a landed file, once; the second call for the same night, source and name returns the first's number.

        Returns:
            The file; ``is_duplicate`` if the same content has an earlier number under the same source.
        """
        with self._transaction() as db:
            row = db.execute(
                "select file_n, digest from landed_file where night = ? and source = ? and name = ?",
                (night.isoformat(), source, name),
            ).fetchone()
            if row is None:
                cursor = db.execute(
                    "insert into landed_file (night, source, name, digest) values (?, ?, ?, ?)",
                    (night.isoformat(), source, name, digest),
                )
                file_n = int(cursor.lastrowid or 0)
            else:
                file_n = int(row[0])
                if row[1] != digest:
                    db.execute("update landed_file set digest = ? where file_n = ?", (digest, file_n))
            earlier = db.execute(
                "select 1 from landed_file where source = ? and digest = ? and file_n < ? limit 1",
                (source, digest, file_n),
            ).fetchone()
        return LandedFile(file_n, night, source, name, digest, earlier is not None)

    def forget_files(self, night: date, source: str, there: Collection[str]) -> None:
        """Forget the files of a source that a run of a night registered and that are no longer there.

        Args:
            night: a night that is not done.
            source: folder it landed in.
            there: the names that are there.
        """
        with self._transaction() as db:
            rows = db.execute(
                "select file_n, name from landed_file where night = ? and source = ?", (night.isoformat(), source)
            ).fetchall()
            gone = [(file_n,) for file_n, name in rows if name not in there]
            db.executemany("delete from landed_file where file_n = ?", gone)

    def is_delivered(self, source: str, digest: str, night: date) -> bool:
        """Say whether the same content was delivered under a source for an earlier night."""
        row = self._db.execute(
            "select 1 from landed_file where source = ? and digest = ? and night < ? limit 1",
            (source, digest, night.isoformat()),
        ).fetchone()
        return row is not None

    def record_accounting(self, file_n: int, accounting: Mapping[str, Any]) -> None:
        """Keep the accounting of a landed file."""
        with self._transaction() as db:
            db.execute("update landed_file set accounting = ? where file_n = ?", (canonical(accounting), file_n))

    def accounting(self, night: date) -> list[dict[str, Any]]:
        """Return the accounting of all files that a night took in, in order of registration."""
        rows = self._db.execute(
            "select accounting from landed_file where night = ? and accounting is not null order by file_n",
            (night.isoformat(),),
        ).fetchall()
        return [json.loads(row[0]) for row in rows]

    def digests(self, night: date) -> list[list[str]]:
        """Return source, name and content digest of all files that a night took in, in order of registration."""
        rows = self._db.execute(
            "select source, name, digest from landed_file where night = ? order by file_n", (night.isoformat(),)
        ).fetchall()
        return [list(row) for row in rows]

    def landed(self, numbers: Sequence[int]) -> list[LandedFile]:
        """Return files by their numbers, and every other delivery of the same content, in order of registration."""
        marks = ", ".join("?" * len(numbers))
        rows = self._db.execute(
            "select file_n, night, source, name, digest, "
            "row_number() over (partition by source, digest order by file_n) from landed_file "
            "where (source, digest) in "
            f"(select source, digest from landed_file where file_n in ({marks})) order by file_n",
            list(numbers),
        ).fetchall()
        return [LandedFile(r[0], date.fromisoformat(r[1]), r[2], r[3], r[4], r[5] > 1) for r in rows]

    # -- tombstones --------------------------------------------------------------------------------------------------

    def bury(self, tombstones: Sequence[tuple[str, str, int, int]], body: Mapping[str, Any]) -> Entry | None:
        """Keep tombstones for good, with one entry of the journal; what is there already is kept once.

        Args:
            tombstones: kind, keyed hash, and the microseconds since 1970 from which and until which it is refused.
            body: counts; neither a hash nor anything about a person.

        Returns:
            The entry, or None if all of them were there.
        """
        with self._transaction() as db:
            before = db.total_changes
            db.executemany("insert or ignore into tombstone values (?, ?, ?, ?)", tombstones)
            return self._append("tombstone", body) if db.total_changes > before else None

    def tombstones(self) -> list[tuple[str, str, int, int]]:
        """Return all tombstones: kind, keyed hash, since, until."""
        return self._db.execute("select kind, hash, since_us, until_us from tombstone order by kind, hash").fetchall()

    # -- nights ------------------------------------------------------------------------------------------------------

    def finish_night(self, night: date, inputs: str, summary: Mapping[str, Any]) -> None:
        """Record that a night is done, with the keyed digest of its inputs and its summary; it is never done again.

        The summary, counts and the version of the policy, stands in the journal too.

        Raises:
            LedgerError: the night is already done.
        """
        with self._transaction() as db:
            if db.execute("select 1 from night where night = ?", (night.isoformat(),)).fetchone():
                raise LedgerError("ledger.night", f"night {night} is done already", "each night once")
            db.execute("insert into night values (?, ?, ?)", (night.isoformat(), inputs, canonical(summary)))
            self._append("night", {"night": night.isoformat(), "inputs": inputs, **summary})

    def night(self, night: date) -> tuple[str, dict[str, Any]] | None:
        """Return (inputs digest, summary) of a done night, or None."""
        row = self._db.execute("select inputs, summary from night where night = ?", (night.isoformat(),)).fetchone()
        return (row[0], json.loads(row[1])) if row else None

    def nights(self) -> list[date]:
        """Return the done nights in order."""
        rows = self._db.execute("select night from night order by night").fetchall()
        return [date.fromisoformat(row[0]) for row in rows]

    # -- releases ----------------------------------------------------------------------------------------------------

    def enter_release(
        self,
        recipient_id: str,
        report: str,
        period: str,
        night: date,
        certificate: str,
        body: Mapping[str, Any],
        kind: str = "release",
    ) -> Entry:
        """Enter a release, or a recall, before it is published; a period is released once, and recalled once.

        Args:
            recipient_id: who receives it.
            report: which report.
            period: e.g. ``2026-11-21``.
            night: the night that makes it.
            certificate: SHA-256 of certificate.json, hex.
            body: counts of published and withheld cells, verdicts; they stay inside.
            kind: of the entry in the journal: ``release`` or ``recall``.

        Raises:
            LedgerError: the period was released before.
        """
        with self._transaction() as db:
            if self._release(recipient_id, report, period):
                raise LedgerError("ledger.release", f"{report} {period} was released before", "one release a period")
            db.execute(
                "insert into release values (?, ?, ?, ?, ?, ?)",
                (recipient_id, report, period, night.isoformat(), certificate, canonical(body)),
            )
            return self._append(
                kind,
                {
                    "recipient_id": recipient_id,
                    "report": report,
                    "period": period,
                    "night": night.isoformat(),
                    "certificate": certificate,
                    **body,
                },
            )

    def _release(self, recipient_id: str, report: str, period: str) -> tuple[Any, ...] | None:
        row: tuple[Any, ...] | None = self._db.execute(
            "select certificate, body, night from release where recipient_id = ? and report = ? and period = ?",
            (recipient_id, report, period),
        ).fetchone()
        return row

    def release(self, recipient_id: str, report: str, period: str) -> dict[str, Any] | None:
        """Return the body of a release with ``certificate`` and ``night``, or None."""
        row = self._release(recipient_id, report, period)
        return None if row is None else {**json.loads(row[1]), "certificate": row[0], "night": row[2]}

    def last_certificate(self, recipient_id: str, report: str) -> str | None:
        """Return the digest of the recipient's latest certificate of a report, in order of entry, or None."""
        row = self._db.execute(
            "select certificate from release where recipient_id = ? and report = ? order by rowid desc limit 1",
            (recipient_id, report),
        ).fetchone()
        return None if row is None else str(row[0])


def _entry_hash(seq: int, kind: str, body: str, previous: str) -> str:
    return hashlib.sha256(f"{seq}\n{kind}\n{previous}\n{body}".encode()).hexdigest()
