"""Access logs: from landed files to ``pseudo__access``, chunk by chunk, every line accounted for.

A chunk is read (`access_scan`, `access_json`, and `access_lines` for the rest), its user agents are parsed, and the
engine turns it into requests under keyed pseudonyms; nothing of it is kept in the clear. Memory is bounded by the
chunk, whatever the size of a file. While the engine works on a chunk the next one is read.

Only a whole file that comes twice is a duplicate: access logs repeat lines in earnest.

What belongs here: the way of a file. What does not: what a line says, and where a request counts (`access_nights`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quorum.intake.access_fields import DAY_MICROS, HOUR_MICROS, TOKYO_MICROS
from quorum.intake.access_json import scan_json
from quorum.intake.access_lines import Access, read_line
from quorum.intake.access_nights import TABLE, CountingParts
from quorum.intake.access_scan import SCHEMA, scan
from quorum.intake.accounting import Accounting, Reason
from quorum.intake.agents import parse_agents
from quorum.intake.ahead import ahead
from quorum.intake.context import Intake
from quorum.intake.erased import of_cookies, refused
from quorum.intake.files import Landed, landed_files, line_blocks, record
from quorum.intake.lines import Lines, Positions
from quorum.intake.sealed import SealedLines, seal_whole, sealed_lines
from quorum.intake.third_parties import ThirdParties

SOURCE = "access"
CHUNK_LINES = 500_000

_BLOCK_BYTES = 4 << 20  # what is read at a time; small enough to stay in the processor's caches
_FOREIGN = (
    *(b"PAR1\x15", b"\x89PNG", b"\xff\xd8\xff", b"PK\x03\x04", b"%PDF-", b"\x7fELF", b"SQLite format 3\0", b"Obj\x01"),
    *(b"\xff\xfe", b"\xfe\xff", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"BZh91AY&SY", b"\xfd7zXZ\0", b"7z\xbc\xaf\x27"),
)
"""How files begin that are no text, or packed once more."""


@dataclass(frozen=True)
class Chunk:
    """Lines of a file that follow each other, read.

    Args:
        requests: rows of `access_scan.SCHEMA`.
        rejected: number, reason and content of the other lines.
    """

    requests: pa.Table
    rejected: list[tuple[int, str, bytes]]


def take_in_access(intake: Intake, night: date) -> list[Accounting]:
    """Take in the access logs of a night; running it again replaces what it wrote.

    Cookies of third parties are dropped here, and their names counted (clause K-02).

    Returns:
        What became of each file, in the order in which they were read.
    """
    third_parties = ThirdParties("cookie")
    with ExitStack() as open_files, sealed_lines(intake, SOURCE, night) as sealed:
        parts = CountingParts(intake.store, night, open_files)
        taken = [
            (landed, _take_in_file(intake, night, landed, parts, sealed, third_parties))
            for landed in landed_files(intake, SOURCE, night)
        ]
        parts.finish()
    third_parties.write(intake.store, night, SOURCE)
    return [record(intake, landed, accounting) for landed, accounting in taken]


def _take_in_file(
    intake: Intake,
    night: date,
    landed: Landed,
    parts: CountingParts,
    sealed: SealedLines,
    third_parties: ThirdParties,
) -> Accounting:
    if landed.is_duplicate:
        return Accounting(SOURCE, landed.file, landed.lines, duplicate=landed.lines)
    if landed.is_truncated or _is_foreign(landed):
        reason = Reason.TRUNCATED if landed.is_truncated else Reason.OTHER_FORMAT
        return Accounting(SOURCE, landed.file, landed.lines, quarantined=seal_whole(sealed, landed, reason))
    loaded, waiting, late = 0, 0, 0
    quarantined: Counter[str] = Counter()
    for chunk in ahead(read_chunks(landed)):
        sealed.add(landed.file_n, chunk.rejected)
        quarantined.update(reason for _, reason, _ in chunk.rejected)
        third_parties.add(chunk.requests["third_parties"])
        requests = _pseudonymised(intake, night, landed, chunk.requests)
        if intake.erased:
            is_erased = of_cookies(intake.erased, requests["cookie_key"], requests["access_at"], is_keyed=True)
            gone = refused(requests, is_erased)
            sealed.add_arrays(landed.file_n, *(gone[name].combine_chunks() for name in gone.column_names))
            quarantined[Reason.ERASED] += gone.num_rows
            requests = requests.filter(pc.invert(is_erased))
        loaded += requests.num_rows
        waiting_n, late_n = parts.add(requests)
        waiting, late = waiting + waiting_n, late + late_n
    return Accounting(SOURCE, landed.file, landed.lines, loaded, quarantined=quarantined, waiting=waiting, late=late)


def _is_foreign(landed: Landed) -> bool:
    return next(line_blocks(landed, 1), b"").startswith(_FOREIGN)


def _pseudonymised(intake: Intake, night: date, landed: Landed, requests: pa.Table) -> pa.Table:
    agents = parse_agents(pc.unique(requests["user_agent"]).to_pylist(), intake.policy)
    return intake.engine.run(
        TABLE, night, {"vault__access": access_table(landed.file_n, requests), "vault__agent": agents}
    )


def access_table(file_n: int, requests: pa.Table) -> pa.Table:
    """Return requests as rows of ``vault__access``: the file's number, the instant, and date and hour in Tokyo."""
    at = requests["at"].to_numpy()
    tokyo = at + TOKYO_MICROS
    return pa.table(
        {
            "file_n": pa.repeat(pa.scalar(file_n, pa.int32()), len(at)),
            "line_n": requests["line_n"],
            "access_at": pa.array(at).cast(pa.timestamp("us")),
            "access_date": pa.array((tokyo // DAY_MICROS).astype(np.int32)).cast(pa.date32()),
            "access_hour": pa.array((tokyo % DAY_MICROS // HOUR_MICROS).astype(np.int32)),
            **{name: requests[name] for name in ("ip", "cookie_id", "method", "path", "status", "user_agent")},
        }
    )


# -- reading ---------------------------------------------------------------------------------------------------------


def read_chunks(landed: Landed, lines: int = CHUNK_LINES) -> Iterator[Chunk]:
    """Read a file in chunks of about the given number of lines; requests of a chunk are in no particular order."""
    read: list[Chunk] = []
    number, start = 1, 1
    for block in line_blocks(landed, _BLOCK_BYTES):
        for portion in _portions(Lines(block, number)):
            read.append(_read_block(portion))
            number += len(portion)
            if number - start >= lines:
                yield _joined(read)
                read, start = [], number
    if read:
        yield _joined(read)


def _portions(lines: Lines) -> Iterator[Lines]:
    """Cut a block that has more lines than a chunk: lines may be empty, and then there are millions of them."""
    if len(lines) <= CHUNK_LINES:
        yield lines
        return
    bounds = [*lines.starts[::CHUNK_LINES].tolist(), len(lines.block)]
    for n, (start, end) in enumerate(pairwise(bounds)):
        yield Lines(lines.block[start:end], lines.first + n * CHUNK_LINES)


def _read_block(lines: Lines) -> Chunk:
    regular, rest = scan(lines)
    objects, rest = scan_json(lines, rest)
    careful, rejected = _read_carefully(lines, rest)
    return Chunk(pa.concat_tables([regular, objects, careful]), rejected)


def _read_carefully(lines: Lines, indexes: Positions) -> tuple[pa.Table, list[tuple[int, str, bytes]]]:
    good: list[tuple[int | str | None, ...]] = []
    rejected = []
    for index in indexes.tolist():
        line = lines[index]
        found = read_line(line)
        if isinstance(found, Access):
            good.append((lines.first + index, *found))
        else:
            rejected.append((lines.first + index, str(found), line))
    columns = zip(*good, strict=True) if good else [()] * len(SCHEMA)
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.table(arrays, schema=SCHEMA), rejected


def _joined(read: list[Chunk]) -> Chunk:
    return Chunk(
        pa.concat_tables([chunk.requests for chunk in read]),
        [line for chunk in read for line in chunk.rejected],
    )
