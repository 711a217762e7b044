"""Events by the night in which they count: late ones tonight, waiting ones in their own, each identity once.

An event counts in the later of the night it lands in and its own date. So a partition holds one part for each night
that landed events for it, and a night that is run again replaces exactly its own parts. The first event of an identity
wins, in order of files and lines. One that an earlier night has stored can be in two places only: in a partition that
is written to tonight, or, for a late event, in one since its date.

What belongs here: where an event is written, and which event is one already. What does not: what an event says.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from quorum.intake.batches import Tally
from quorum.intake.seen import Keys, SeenKeys, keys_of

if TYPE_CHECKING:
    from quorum.engine.store import PartitionWriter, Store

_HELD_ROWS = 2_000_000
_KEY_ROWS = 1 << 19


class CountingNights:
    """Takes in the events of one table and night, chunk by chunk.

    Args:
        store: where partitions are written.
        table: with columns ``event_key`` and ``event_date``, partitioned by the night in which events count.
        night: the night that takes them in. Its own partition gets a part even without an event.
        open_files: closes the parts, or leaves them as they were if something fails.
    """

    def __init__(self, store: Store, table: str, night: date, open_files: ExitStack) -> None:
        self._store, self._table, self._night, self._open_files = store, table, night, open_files
        self._part = f"landed-{night.isoformat()}"
        self._writers: dict[date, PartitionWriter] = {}
        self._seen = SeenKeys()
        self._known: set[date] = set()
        self._late: list[tuple[Tally, pa.Table]] = []
        self._know(night)
        self._writer(night)

    def add(self, tally: Tally, events: pa.Table) -> None:
        """Take in events of a file, in order of lines; count them as loaded or duplicate, and as waiting or late."""
        dates = [day for day in pc.unique(events["event_date"]).to_pylist() if day > self._night]
        for day in dates:
            self._know(day)
        is_new = self._seen.add_new(keys_of(events["event_key"]))
        tally.duplicate += int(len(is_new) - is_new.sum())
        fresh = events.filter(pa.array(is_new))
        tally.loaded += fresh.num_rows
        self._write(self._night, fresh.filter(pc.equal(fresh["event_date"], self._night)))
        for day in dates:
            waiting = fresh.filter(pc.equal(fresh["event_date"], day))
            tally.waiting += waiting.num_rows
            self._write(day, waiting)
        late = fresh.filter(pc.less(fresh["event_date"], self._night))
        if late.num_rows:
            self._late.append((tally, late))
        if sum(events.num_rows for _, events in self._late) >= _HELD_ROWS:
            self._write_late()

    def finish(self) -> None:
        """Write what is held, and remove the parts of an earlier run of this night that this run has not written."""
        self._write_late()
        for day in self._store.nights(self._table):
            if day not in self._writers:
                self._store.remove(self._table, day, self._part)

    def _know(self, day: date) -> None:
        """Whatever other nights have stored in a partition counts as seen from now on."""
        if day not in self._known:
            self._known.add(day)
            others = [path for path in self._store.files(self._table, day) if path.stem != self._part]
            for keys in _stored_keys(others):
                self._seen.add(keys)

    def _write(self, day: date, events: pa.Table) -> None:
        if events.num_rows:
            self._writer(day).write(events)

    def _writer(self, day: date) -> PartitionWriter:
        if day not in self._writers:
            self._writers[day] = self._open_files.enter_context(self._store.writer(self._table, day, self._part))
        return self._writers[day]

    def _write_late(self) -> None:
        """Write late events, but for those that a night since their date has stored."""
        if not self._late:
            return
        keys = [keys_of(events["event_key"]) for _, events in self._late]
        first = min(pc.min(events["event_date"]).as_py() for _, events in self._late)
        stored = self._stored_among(np.concatenate(keys, axis=1), first)
        for (tally, events), of_events in zip(self._late, keys, strict=True):
            is_stored = stored.contains(of_events)
            fresh = events.filter(pa.array(~is_stored))
            tally.late += fresh.num_rows
            tally.loaded -= int(is_stored.sum())
            tally.duplicate += int(is_stored.sum())
            self._write(self._night, fresh)
        self._late = []

    def _stored_among(self, keys: Keys, first: date) -> SeenKeys:
        wanted, stored = SeenKeys(), SeenKeys()
        wanted.add(keys)
        for day in self._store.nights(self._table):
            if first <= day < self._night:
                for found in _stored_keys(self._store.files(self._table, day)):
                    stored.add(found[:, wanted.contains(found)])
        return stored


def _stored_keys(paths: list[Path]) -> Iterator[Keys]:
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(_KEY_ROWS, columns=["event_key"]):
            yield keys_of(pa.chunked_array([batch.column(0)]))
