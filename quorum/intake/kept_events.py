"""Events that are kept in the vault as they landed, in the night in which they landed, each identity once.

Such an event has its instant, so it lies in the night it lands in whatever its date: who reads it compares instants.
Waiting and late are only counted.

What belongs here: the way of a file from records to sealed rows. What does not: what the events of a source say, and
their rows under pseudonyms, which statements make from the sealed ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from quorum.intake import fields as f
from quorum.intake.accounting import Accounting
from quorum.intake.batches import Batch, Declared, Tally, sliced
from quorum.intake.context import Intake
from quorum.intake.erased import without_erased
from quorum.intake.files import landed_files, record
from quorum.intake.records import read_records, reject
from quorum.intake.sealed import sealed_lines
from quorum.intake.seen import SeenKeys, keys_of
from quorum.patterns import find_identifiers


@dataclass(frozen=True)
class Kept:
    """How the events of a source are kept.

    Args:
        source: the folder they land in.
        declared: what the source may say.
        statement: judges records; gives the columns of ``table`` but ``file_n``, and ``event_key``.
        table: where they are sealed.
        identity: columns of ``table`` of which ``key`` is made.
        key: expression of an identity's 32 hexadecimal characters. It stays in memory: it need not be keyed.
        day: column with the civil date.
        plain: fields that go behind the vault as they are. The statement finds them judged as ``is_identifying``:
            whether one of them looks like what names a person.
        early_days: how many days before its date an event that is known may have landed; None for any number.
    """

    source: str
    declared: Declared
    statement: str
    table: str
    identity: tuple[str, ...]
    key: str
    day: str
    plain: tuple[str, ...] = ()
    early_days: int | None = None


def take_in_kept(intake: Intake, night: date, kept: Kept) -> list[Accounting]:
    """Take in the night's events of a source.

    Args:
        intake: the surroundings.
        night: the night; running it again gives the same partitions.
        kept: how they are kept.

    Returns:
        The accounting of each file, in order. An identity that was there before counts as duplicate.
    """
    tallies = []
    seen = _Seen(intake, night, kept)
    with sealed_lines(intake, kept.source, night) as sealed, intake.store.writer(kept.table, night) as vault:
        for landed in landed_files(intake, kept.source, night):
            tally = Tally(landed)
            tallies.append(tally)
            for received in read_records(intake, tally, kept.declared, sealed):
                batch = _with_identifying(received, kept.plain)
                events = f.judge(intake.engine, kept.statement, batch, tally, sealed)
                if intake.erased:
                    events, gone = without_erased(intake.erased, events)
                    reject(tally, sealed, gone)
                events = seen.drop_duplicates(events, tally)
                if not events.num_rows:
                    continue
                file_n = pa.repeat(pa.scalar(landed.file_n, pa.int32()), events.num_rows)
                vault.write(events.append_column("file_n", file_n))
                tally.loaded += events.num_rows
                tally.waiting += _count(pc.greater(events[kept.day], night))
                tally.late += _count(pc.less(events[kept.day], night))
    return [record(intake, tally.landed, tally.accounting()) for tally in tallies]


def _with_identifying(batch: Batch, plain: tuple[str, ...]) -> Batch:
    is_identifying = pa.repeat(pa.scalar(False), batch.rows.num_rows)
    for name in plain:
        texts = batch.rows[name].combine_chunks().dictionary_encode()
        found = [bool(find_identifiers(text)) for text in texts.dictionary.to_pylist()]
        judged = pc.fill_null(pa.array(found, pa.bool_()).take(texts.indices), False)
        is_identifying = pc.or_(is_identifying, judged)
    return replace(batch, rows=batch.rows.append_column("is_identifying", is_identifying))


class _Seen:
    """The identities of events that are stored where an event could be, and of those that were taken in tonight."""

    def __init__(self, intake: Intake, night: date, kept: Kept) -> None:
        self._intake, self._kept, self._first = intake, kept, night
        self._night, self._keys = night, SeenKeys()

    def drop_duplicates(self, events: pa.Table, tally: Tally) -> pa.Table:
        if not events.num_rows:
            return events.drop_columns(["event_key"])
        first = self._earliest(events)
        self._know(day for day in self._intake.store.nights(self._kept.table) if first <= day < self._first)
        self._first = min(first, self._first)
        is_new = self._keys.add_new(keys_of(events["event_key"]))
        tally.duplicate += int(len(is_new) - is_new.sum())
        return events.filter(pa.array(is_new)).drop_columns(["event_key"])

    def _earliest(self, events: pa.Table) -> date:
        """Return the first night that may have stored one of these events."""
        if self._kept.early_days is None:
            return date.min
        earliest: date = min(pc.min(events[self._kept.day]).as_py(), self._night)
        return earliest - timedelta(days=self._kept.early_days)

    def _know(self, days: Iterable[date]) -> None:
        for day in days:
            stored = self._intake.store.read(self._kept.table, day, columns=self._kept.identity)
            query = f"SELECT {self._kept.key} AS event_key FROM stored"
            self._keys.add(keys_of(self._intake.engine.query(query, {"stored": sliced(stored)})["event_key"]))


def _count(flags: pa.ChunkedArray) -> int:
    return int(pc.sum(flags).as_py() or 0)
