"""Records in batches: what a source declares, and what every reader of records gives.

Whatever the format, a batch is a table of text: one column for each declared field, null where the record has none. So
the judgement of fields (`quorum.intake.fields`) is written once, and a reader decides nothing but structure.

What belongs here: the types between readers and sources. What does not: bytes and meanings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from enum import StrEnum

import pyarrow as pa

from quorum.intake.accounting import Accounting
from quorum.intake.files import Landed

_SLICE_ROWS = 1 << 14


class RecordReason(StrEnum):
    """Why a record is not loaded, beside the reasons that all lines have."""

    NOT_JSON = "not_json"
    NOT_AN_OBJECT = "not_an_object"
    NOT_CSV = "not_csv"
    BAD_ID = "bad_id"
    MISSING_RECEIPT = "missing_receipt"
    THIRD_PARTY_HOST = "third_party_host"


class Format(StrEnum):
    """How a file holds records."""

    JSON = "json"
    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True)
class Declared:
    """What a source may say.

    Args:
        fields: those that are kept, in order.
        formats: in which it may come.
        dropped: declared, but never kept.
        required: without these a csv file is of another format.
        numbers: fields that may be written with a point, as ``5.0``.
        lists: fields that may be lists of texts; they are joined by ``;``.
        objects: fields that are objects, and nothing else; they become canonical JSON.
    """

    fields: tuple[str, ...]
    formats: frozenset[Format]
    dropped: tuple[str, ...] = ()
    required: frozenset[str] = frozenset()
    numbers: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()

    @property
    def names(self) -> tuple[str, ...]:
        """All declared fields."""
        return self.fields + self.dropped


@dataclass(frozen=True)
class Batch:
    """Records of a file that follow each other.

    Args:
        rows: ``line_n`` (int64, ascending) and the kept fields (string, null where absent).
        rejected: ``line_n`` (int64), ``reason`` (string), ``line`` (binary).
        line_of: the lines, as received, of records with the given numbers, which must be of this batch.
    """

    rows: pa.Table
    rejected: pa.Table
    line_of: Callable[[pa.Array], pa.Array]

    @property
    def read(self) -> int:
        """Records in it, good and bad."""
        return int(self.rows.num_rows + self.rejected.num_rows)


@dataclass
class Tally:
    """Counts of a file while it is read; becomes its accounting."""

    landed: Landed
    read: int = 0
    loaded: int = 0
    duplicate: int = 0
    waiting: int = 0
    late: int = 0
    quarantined: dict[str, int] = field(default_factory=dict)

    def quarantine(self, reasons: pa.Array) -> None:
        """Count rejected records by their reason."""
        for entry in reasons.value_counts().to_pylist():
            reason = str(entry["values"])
            self.quarantined[reason] = self.quarantined.get(reason, 0) + int(entry["counts"])

    def accounting(self) -> Accounting:
        """Return the accounting; it raises if the counts do not add up."""
        return Accounting(
            source=self.landed.source,
            file=self.landed.file,
            read=self.read,
            loaded=self.loaded,
            duplicate=self.duplicate,
            quarantined=dict(self.quarantined),
            waiting=self.waiting,
            late=self.late,
        )


def sliced(table: pa.Table) -> pa.Table:
    """Return the table in slices: the engine gives each thread a slice, and one alone gets all of a whole table."""
    return pa.Table.from_batches(table.to_batches(max_chunksize=_SLICE_ROWS), table.schema)


def rows_of(fields: Iterable[str], numbers: list[int], records: list[dict[str, str | None]]) -> pa.Table:
    """Return records that were read one by one as the rows of a batch."""
    columns = {"line_n": pa.array(numbers, pa.int64())}
    columns.update({name: pa.array([record.get(name) for record in records], pa.string()) for name in fields})
    return pa.table(columns)


def rejected_of(rejected: list[tuple[int, str, bytes]]) -> pa.Table:
    """Return rejected records as the table of a batch."""
    return pa.table(
        {
            "line_n": pa.array([number for number, _, _ in rejected], pa.int64()),
            "reason": pa.array([str(reason) for _, reason, _ in rejected], pa.string()),
            "line": pa.array([line for _, _, line in rejected], pa.binary()),
        }
    )
