"""The bytes of a file, unpacked: gzip and zstd are told by their first bytes, never by the file's name.

What belongs here: streams. What does not: lines, and what a broken stream means.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Protocol

_PLAIN_STEP = 2 << 20
_PACKED_STEP = 4 << 10  # small: one step of a hostile zstd stream unpacks to 32,768 times its size
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE = tuple(bytes((0x50 + n, 0x2A, 0x4D, 0x18)) for n in range(16))


class BrokenStreamError(Exception):
    """A compressed stream breaks off or is corrupt; what could be unpacked has been given out."""


class _Unpacker(Protocol):
    def decompress(self, data: bytes, /) -> bytes: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


def pieces(path: Path) -> Iterator[bytes]:
    """Give out the content of a file, unpacked if it is packed, in pieces of a few megabytes at most.

    Members of gzip and frames of zstd that follow each other are one content; zeros may follow the last gzip member.

    Raises:
        BrokenStreamError: the stream breaks off, is corrupt or is followed by rubbish; all that could be unpacked has
            been given out before.
    """
    with path.open("rb") as handle:
        head = handle.read(4)
    if head[:2] == _GZIP and head[2:3] in (b"\x08", b""):
        return _unpacked(path, partial(zlib.decompressobj, wbits=31), zlib.error, padding=b"\0")
    if head == _ZSTD or head in _ZSTD_SKIPPABLE:
        import zstandard

        unpacker = zstandard.ZstdDecompressor(max_window_size=1 << 31)
        return _unpacked(path, unpacker.decompressobj, zstandard.ZstdError, padding=b"")
    return _plain(path)


def _plain(path: Path) -> Iterator[bytes]:
    with path.open("rb") as handle:
        while piece := handle.read(_PLAIN_STEP):
            yield piece


def _unpacked(path: Path, start: Callable[[], _Unpacker], error: type[Exception], padding: bytes) -> Iterator[bytes]:
    """Unpack all members of a stream; where one is corrupt, go again, byte by byte near the failure.

    An unpacker keeps to itself what the failing call had unpacked by then: hence the second go.
    """
    given = 0
    try:
        for out in _members(_steps(path, path.stat().st_size), start, error, padding):
            given += len(out)
            yield out
    except _CorruptError as corrupt:
        for out in _members(_steps(path, corrupt.position), start, error, padding):
            fresh = out[given:]
            given -= len(out) - len(fresh)
            if fresh:
                yield fresh


class _CorruptError(BrokenStreamError):
    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position


def _steps(path: Path, slow_from: int) -> Iterator[bytes]:
    with path.open("rb") as handle:
        position = 0
        while step := handle.read(_PACKED_STEP if position < slow_from else 1):
            yield step
            position += len(step)


def _members(
    steps: Iterator[bytes], start: Callable[[], _Unpacker], error: type[Exception], padding: bytes
) -> Iterator[bytes]:
    stream, is_between, position = start(), True, 0
    for step in steps:
        data = step
        while data := data.lstrip(padding) if is_between else data:
            try:
                out = stream.decompress(data)
            except error:
                raise _CorruptError(position) from None
            data, is_between = stream.unused_data, stream.eof
            if is_between:
                stream = start()
            if out:
                yield out
        position += len(step)
    if not is_between:
        raise BrokenStreamError
