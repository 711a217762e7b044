"""The files of a table, one after the other: going through them in bounded memory, and writing one again.

What belongs here: files and batches. What does not: whose a row is (`quorum.rights.rules`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa

from quorum.engine.store import Store

_BATCH_ROWS = 1 << 17


@dataclass(frozen=True)
class Part:
    """One file of a partition.

    Args:
        table: its table.
        night: the partition.
        path: where it is.
    """

    table: str
    night: date
    path: Path


def parts_of(store: Store, table: str) -> list[Part]:
    """Return all files of a table, those of dates to come included, in order of nights and names."""
    return [Part(table, night, path) for night in store.nights(table) for path in store.files(table, night)]


def batches(store: Store, part: Part, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield the rows of a file in batches: the given columns, or all."""
    names = store.catalog[part.table].arrow_schema().names
    wanted = names if columns is None else list(columns)
    for batch in store.open_part(part.table, part.path).iter_batches(_BATCH_ROWS, columns=wanted):
        yield pa.Table.from_batches([batch]).select(wanted)


def rewrite(store: Store, part: Part, change: Callable[[pa.Table], pa.Table]) -> None:
    """Write a file again with what becomes of each batch; the old one is there, whole, until the new one is.

    Args:
        store: where it lies.
        part: the file.
        change: from rows to the rows that stay, in the same order.
    """
    with store.writer(part.table, part.night, part.path.stem) as writer:
        for batch in batches(store, part):
            writer.write(change(batch))


def sweep(store: Store, table: str) -> None:
    """Remove what a killed writer left half-written in a table's folders."""
    for path in store.home.table(table).glob("date=*/.*.tmp"):
        path.unlink(missing_ok=True)
