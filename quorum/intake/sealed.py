"""Quarantined lines, sealed in the vault with a reason: ``vault__rejected_line``, one part a source and night.

What belongs here: collecting and writing them, in batches of bounded memory. What does not: deciding which are bad.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from typing import TYPE_CHECKING

import pyarrow as pa

from quorum.intake.context import Intake
from quorum.intake.erased import emptied
from quorum.intake.files import LINE_LIMIT, Landed, line_blocks
from quorum.intake.lines import Lines

if TYPE_CHECKING:
    from quorum.engine.store import PartitionWriter

TABLE = "vault__rejected_line"
_BATCH_BYTES = 32 << 20
_BLOCK_BYTES = 4 << 20  # a block of empty lines has as many lines as bytes


class SealedLines:
    """Takes in the quarantined lines of one part; made by `sealed_lines`.

    The part is opened with the first line: a night without quarantined lines has no part.
    """

    def __init__(self, intake: Intake, part: str, night: date, open_files: ExitStack) -> None:
        self._intake, self._part, self._night, self._open_files = intake, part, night, open_files
        self._writer: PartitionWriter | None = None
        self._held: list[pa.Table] = []
        self._held_bytes = 0

    def add(self, file_n: int, rejected: Iterable[tuple[int, str, bytes]]) -> None:
        """Seal lines of a file: line number from 1, reason code, line as received, or its beginning if too long."""
        rows = list(rejected)
        if rows:
            self.add_arrays(
                file_n,
                pa.array([number for number, _, _ in rows], pa.int64()),
                pa.array([str(reason) for _, reason, _ in rows], pa.string()),
                pa.array([line[:LINE_LIMIT] for _, _, line in rows], pa.binary()),
            )

    def add_arrays(
        self, file_n: int, line_n: pa.Array, reason: pa.Array, lines: pa.Array, source: str | None = None
    ) -> None:
        """Seal lines of a file, given as columns; the source is the part's name unless another is given.

        Of a line that names somebody who was erased nothing is kept but that it was rejected.
        """
        lines = lines.cast(pa.binary())
        if self._intake.erased:
            lines = emptied(self._intake.erased, lines)
        self._held.append(
            pa.table(
                {
                    "source": pa.repeat(source or self._part, len(line_n)),
                    "file_n": pa.repeat(pa.scalar(file_n, pa.int32()), len(line_n)),
                    "line_n": line_n,
                    "reason": reason,
                    "line": lines,
                }
            )
        )
        self._held_bytes += self._held[-1].nbytes
        if self._held_bytes >= _BATCH_BYTES:
            self._flush()

    def finish(self) -> None:
        """Write what is held; without any line, remove the part of an earlier run."""
        self._flush()
        if self._writer is None:
            self._intake.store.remove(TABLE, self._night, self._part)

    def _flush(self) -> None:
        if self._held and self._writer is None:
            self._writer = self._open_files.enter_context(self._intake.store.writer(TABLE, self._night, self._part))
        if self._writer is not None and self._held:
            self._writer.write(pa.concat_tables(self._held))
        self._held, self._held_bytes = [], 0


@contextmanager
def sealed_lines(intake: Intake, part: str, night: date) -> Iterator[SealedLines]:
    """Open the part of a source and night; it replaces an earlier one when the context ends without error."""
    with ExitStack() as open_files:
        sealed = SealedLines(intake, part, night, open_files)
        yield sealed
        sealed.finish()


def seal_whole(sealed: SealedLines, landed: Landed, reason: str) -> dict[str, int]:
    """Seal every line of a file under one reason, block by block; return the reason with the number of lines."""
    number = 1
    for block in line_blocks(landed, _BLOCK_BYTES):
        lines = Lines(block, number)
        reasons = pa.repeat(str(reason), len(lines))
        content = lines.array(longest=LINE_LIMIT)
        sealed.add_arrays(landed.file_n, pa.array(lines.numbers), reasons, content, landed.source)
        number += len(lines)
    if number <= landed.lines:  # a broken stream of which nothing could be unpacked
        sealed.add_arrays(landed.file_n, pa.array([number]), pa.array([str(reason)]), pa.array([b""]), landed.source)
    return {str(reason): landed.lines} if landed.lines else {}
