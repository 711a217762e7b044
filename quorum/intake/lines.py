r"""Lines of a block of bytes as an Arrow array that points into the block: no line is copied, none is a Python object.

What belongs here: where lines begin and end. What does not: what a line says. A line is what stands between ``\n``s; a
``\r`` before the ``\n`` belongs to the line end.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_NEWLINE, _RETURN = 0x0A, 0x0D
_INLINE = 12  # bytes that an Arrow view holds itself

Positions = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Lines:
    """The lines of a block of whole lines.

    Args:
        block: the bytes.
        first: number, within the file, of the block's first line, from 1.
    """

    block: bytes
    first: int

    @cached_property
    def codes(self) -> npt.NDArray[np.uint8]:
        """The block as numbers."""
        return np.frombuffer(self.block, dtype=np.uint8)

    @cached_property
    def _newlines(self) -> Positions:
        return np.flatnonzero(self.codes == _NEWLINE)

    @cached_property
    def starts(self) -> Positions:
        """Position of the first byte of each line."""
        starts = np.concatenate([np.zeros(1, np.int64), self._newlines + 1])
        return starts[:-1] if starts[-1] == len(self.block) else starts

    @cached_property
    def ends(self) -> Positions:
        """Position after the last byte of each line, line end excluded."""
        ends = self._newlines if len(self._newlines) == len(self.starts) else np.append(self._newlines, len(self.block))
        before = self.codes[np.maximum(ends - 1, 0)] if len(self.block) else np.empty(0, np.uint8)
        has_return = (before == _RETURN) & (ends > self.starts)
        trimmed: Positions = ends - has_return.astype(np.int64)
        return trimmed

    @property
    def numbers(self) -> Positions:
        """Number of each line within the file."""
        return np.arange(self.first, self.first + len(self), dtype=np.int64)

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, index: int) -> bytes:
        return self.block[self.starts[index] : self.ends[index]]

    def array(self, indexes: Positions | None = None, longest: int | None = None) -> pa.Array:
        """Return lines as ``binary_view``, all of them or those with the given indexes, cut after ``longest`` bytes."""
        starts = self.starts if indexes is None else self.starts[indexes]
        ends = self.ends if indexes is None else self.ends[indexes]
        return slices(self.block, starts, ends if longest is None else np.minimum(ends, starts + longest))


def slices(block: bytes, starts: Positions, ends: Positions, valid: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """Return slices of a block, shorter than 2 GiB, as ``binary_view``; the block is shared, not copied.

    Args:
        block: the bytes.
        starts: position of each slice.
        ends: position after each slice.
        valid: where it is false the slice is null.

    Source: Arrow columnar format, variable-size binary view layout (a length, then
    up to 12 bytes, or 4 bytes, buffer and offset).
    """
    lengths = ends - starts
    views = np.zeros((len(starts), 4), dtype=np.int32)
    views[:, 0], views[:, 3] = lengths, starts
    held = views.view(np.uint8).reshape(len(starts), 16)[:, 4:]
    content = np.frombuffer(block, dtype=np.uint8)
    for k in range(4):
        filled = lengths > k
        held[filled, k] = content[starts[filled] + k]
    short = np.flatnonzero(lengths <= _INLINE)
    held[short, 8:] = 0
    for k in range(4, _INLINE):
        longer = short[lengths[short] > k]
        held[longer, k] = content[starts[longer] + k]
    nulls = None if valid is None else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(pa.binary_view(), len(starts), [nulls, pa.py_buffer(views), pa.py_buffer(block)])
