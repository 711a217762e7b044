"""Records of a landed file: the format is found by looking, and what cannot be records is sealed whole.

What belongs here: which reader reads a file, and what is accounted for before a field is looked at. What does not: the
readers themselves (`json_lines`, `csv_records`, `parquet_records`) and fields (`quorum.intake.fields`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise

import pyarrow as pa
import pyarrow.compute as pc

from quorum.intake.accounting import Reason
from quorum.intake.batches import Batch, Declared, Format, Tally
from quorum.intake.context import Intake
from quorum.intake.csv_records import csv_batches, read_header
from quorum.intake.erased import of_cookies, refused
from quorum.intake.files import Landed, line_blocks
from quorum.intake.json_lines import json_batches
from quorum.intake.lines import Lines
from quorum.intake.parquet_records import MAGIC, open_parquet, parquet_batches
from quorum.intake.sealed import SealedLines, seal_whole
from quorum.ledger.tombstones import Erased

_BLOCK_BYTES = 32 << 20  # a batch of some 80,000 events: larger ones take memory, not less time
_BLOCK_LINES = 250_000  # of lines that are empty, or nearly, there would be millions in a block
_HEAD_LINES = 100
_BOM = b"\xef\xbb\xbf"


def read_records(intake: Intake, tally: Tally, declared: Declared, sealed: SealedLines) -> Iterator[Batch]:
    """Read the records of a file; seal and count what is none.

    Args:
        intake: the engine.
        tally: of the file; ``read`` grows with each batch, and so do the counts of what is not given out.
        declared: what the source may say.
        sealed: takes the rejected lines.

    Yields:
        Batches whose ``rows`` are still to be judged. Nothing for a file that is broken (``truncated``), of no format
        that the source comes in (``other_format``), or was delivered before (``duplicate``).
    """
    batches = _open(intake, tally.landed, declared)
    if isinstance(batches, Reason):
        _account_whole(tally, sealed, batches)
        return
    for batch in batches:
        tally.read += batch.read
        if tally.landed.is_duplicate:
            tally.duplicate += batch.read
            continue
        reject(tally, sealed, batch.rejected)
        yield batch


def _open(intake: Intake, landed: Landed, declared: Declared) -> Iterator[Batch] | Reason:
    """Return the batches of a file, or why it has none."""
    if landed.is_truncated:
        return Reason.TRUNCATED
    blocks = _bounded(line_blocks(landed, _BLOCK_BYTES))
    head = next(blocks, b"")
    found = look(head, declared) if head else Format.JSON
    if found is Format.PARQUET:
        file = open_parquet(landed)
        return Reason.TRUNCATED if file is None else parquet_batches(file, declared)
    if found is Format.JSON:
        return json_batches(chain([head] if head else [], blocks), declared, intake.engine)
    if found is Format.CSV:
        return csv_batches(chain([head], blocks), declared)
    return Reason.OTHER_FORMAT


def _bounded(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Cut blocks of very many lines."""
    for block in blocks:
        if block.count(b"\n") <= _BLOCK_LINES:
            yield block
        else:
            bounds = [*Lines(block, 1).starts[::_BLOCK_LINES].tolist(), len(block)]
            yield from (block[start:end] for start, end in pairwise(bounds))


def look(head: bytes, declared: Declared) -> Format | None:
    """Return the format of a file by its first block, or None if its source does not come in it.

    JSON is what has an opening brace at the start of one of the first 100 lines: a bad first line does not hide the
    good ones. A csv file has the source's required names in its first line.
    """
    if head.startswith(MAGIC):
        return Format.PARQUET if Format.PARQUET in declared.formats else None
    lines = head.removeprefix(_BOM).split(b"\n", _HEAD_LINES)[:_HEAD_LINES]
    if Format.CSV in declared.formats and lines[0].strip():
        header = read_header(lines[0])
        if header and declared.required <= set(header):
            return Format.CSV
    if Format.JSON in declared.formats and any(line.lstrip().startswith(b"{") for line in lines):
        return Format.JSON
    return None


def reject(tally: Tally, sealed: SealedLines, rejected: pa.Table) -> None:
    """Count and seal records: ``line_n``, ``reason``, ``line``."""
    if rejected.num_rows:
        tally.quarantine(rejected["reason"])
        columns = (rejected[name].combine_chunks() for name in ("line_n", "reason", "line"))
        sealed.add_arrays(tally.landed.file_n, *columns)


def without_cookies(erased: Erased, events: pa.Table, at: str, tally: Tally, sealed: SealedLines) -> pa.Table:
    """Return events under pseudonyms without those of a cookie of an erased person up to the erasure; count these."""
    if not erased:
        return events
    is_erased = of_cookies(erased, events["cookie_key"], events[at], is_keyed=True)
    reject(tally, sealed, refused(events, is_erased))
    return events.filter(pc.invert(is_erased))


def _account_whole(tally: Tally, sealed: SealedLines, reason: Reason) -> None:
    landed = tally.landed
    tally.read = landed.lines
    if landed.is_duplicate:
        tally.duplicate = landed.lines
    else:
        tally.quarantined.update(seal_whole(sealed, landed, reason))
