"""Requests by the night in which they count: late ones tonight, waiting ones in the partition of their own date.

What belongs here: the parts ``landed-<night>`` of ``pseudo__access``. What does not: making the rows.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from quorum.engine.store import PartitionWriter, Store

TABLE = "pseudo__access"
_OPEN_PARTS = 128  # a log with broken clocks may name thousands of dates; rows of the rest are held until the end


class CountingParts:
    """Takes in the requests of a night, chunk by chunk.

    Args:
        store: where partitions are written.
        night: the night that takes them in; its partition exists afterwards, even without a request.
        open_files: closes the parts, or leaves them as they were if something fails.
    """

    def __init__(self, store: Store, night: date, open_files: ExitStack) -> None:
        self._store, self._night, self._open_files = store, night, open_files
        self._part = f"landed-{night.isoformat()}"
        self._writers: dict[date, PartitionWriter] = {}
        self._held: dict[date, list[pa.Table]] = {}

    def add(self, requests: pa.Table) -> tuple[int, int]:
        """Take in rows of ``pseudo__access``; return how many are waiting and how many late."""
        dates = requests["access_date"]
        late_n = pc.sum(pc.less(dates, self._night)).as_py() or 0
        ahead = sorted(day for day in pc.unique(dates).to_pylist() if day > self._night)
        if not ahead:
            self._write(self._night, requests)
            return 0, late_n
        self._write(self._night, requests.filter(pc.less_equal(dates, self._night)))
        waiting = requests.filter(pc.greater(dates, self._night))
        for day in ahead:
            self._write(day, waiting.filter(pc.equal(waiting["access_date"], day)))
        return waiting.num_rows, late_n

    def finish(self) -> None:
        """Write what is held, and remove the parts of an earlier run of this night that this run has not written."""
        for day, held in self._held.items():
            self._store.write(TABLE, day, pa.concat_tables(held), self._part)
        for day in self._store.nights(TABLE):
            if day not in self._writers and day not in self._held:
                self._store.remove(TABLE, day, self._part)
        if self._night not in self._writers and not self._store.files(TABLE, self._night):
            self._store.write(TABLE, self._night, self._store.catalog[TABLE].arrow_schema().empty_table(), self._part)

    def _write(self, day: date, requests: pa.Table) -> None:
        if not requests.num_rows:
            return
        if day in self._writers or day == self._night or len(self._writers) < _OPEN_PARTS:
            self._writer(day).write(requests)
        else:
            self._held.setdefault(day, []).append(requests)

    def _writer(self, day: date) -> PartitionWriter:
        if day not in self._writers:
            self._writers[day] = self._open_files.enter_context(self._store.writer(TABLE, day, self._part))
        return self._writers[day]
