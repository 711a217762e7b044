"""Zip archives of which the same members make the same bytes, on any machine.

What belongs here: the container of a workbook. What does not: what is in it. Python's own zip takes whatever zlib the
machine has, and two zlibs need not compress to the same bytes; the one within the Arrow library is fixed by the lock.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping

import pyarrow as pa

_FIRST_DAY = 0x0021
"""1 January 1980, the earliest date that a zip archive can tell."""
_UTF8_NAMES = 0x0800
_DEFLATED = 8
_VERSION = 20
_GZIP_HEADER, _GZIP_TRAILER = 10, 8
_MEMBER = struct.Struct("<4s5H3I2H")
_ENTRY = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")


def pack(members: Mapping[str, bytes]) -> bytes:
    """Return a zip archive of members, in their order, without a time, a user or a comment.

    Args:
        members: name to bytes.

    Returns:
        The archive; the same members give the same bytes.

    Example:
        >>> pack({"a": b"1"}) == pack({"a": b"1"})
        True
    """
    body, directory = bytearray(), bytearray()
    for name, content in members.items():
        packed, checksum, label = _deflate(content), zlib.crc32(content), name.encode()
        sizes = (checksum, len(packed), len(content), len(label), 0)
        start = len(body)
        body += _MEMBER.pack(b"PK\3\4", _VERSION, _UTF8_NAMES, _DEFLATED, 0, _FIRST_DAY, *sizes) + label + packed
        head = (b"PK\1\2", _VERSION, _VERSION, _UTF8_NAMES, _DEFLATED, 0, _FIRST_DAY)
        directory += _ENTRY.pack(*head, *sizes, 0, 0, 0, 0, start) + label
    end = _END.pack(b"PK\5\6", 0, 0, len(members), len(members), len(directory), len(body), 0)
    return bytes(body + directory + end)


def _deflate(content: bytes) -> bytes:
    """Return the bare deflate stream of a gzip stream whose header has no optional field."""
    stream = pa.Codec("gzip").compress(content, asbytes=True)
    return bytes(stream[_GZIP_HEADER:-_GZIP_TRAILER])
