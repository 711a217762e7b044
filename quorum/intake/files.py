"""Landed files: which there are for a night, what is in them, and registering them.

Each file is read twice. The first pass is cheap (decompress, SHA-256, count the ends of lines) and answers what must be
known before a row may be written: was this content delivered before, and is the stream whole. Loading first and taking
back later would need a copy of everything. It also counts the lines independently of the code that parses them.

A stream that breaks off loads nothing, not even its good first half: it will be delivered again, whole, and half of the
people would then be counted twice. Its digest is marked, so that the whole file is never taken for a duplicate of it.

What belongs here: bytes and lines. What does not: what a line means.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from quorum.errors import InputError
from quorum.intake.accounting import Accounting
from quorum.intake.context import COMPLETE_MARKER, Intake
from quorum.intake.packed import BrokenStreamError, pieces

BLOCK_BYTES = 16 << 20
LINE_LIMIT = 1 << 20
"""Longest line, in bytes, that is looked at; of a longer one no more than this is kept."""

NO_SOURCE = "(none)"
"""What stands for the source of a file that landed beside the sources' folders."""


@dataclass(frozen=True)
class Content:
    """What a pass over a file tells.

    Args:
        digest: SHA-256 of the unpacked bytes, hex; of a broken stream, ``broken:`` and that of what could be unpacked.
        lines: lines, a last one without an end included. A broken stream has at least one.
        is_truncated: the stream breaks off or is corrupt.
    """

    digest: str
    lines: int
    is_truncated: bool


@dataclass(frozen=True)
class Landed:
    """A registered landed file.

    Args:
        source: folder it landed in.
        file: path below the night's landing folder, e.g. ``access/part-0.log.gz``; late files begin with ``../``.
        path: where it is.
        file_n: its number in the registry.
        lines: lines in it.
        is_duplicate: the same content was delivered before under the same source.
        is_truncated: the stream breaks off or is corrupt.
    """

    source: str
    file: str
    path: Path
    file_n: int
    lines: int
    is_duplicate: bool
    is_truncated: bool


def landed_files(intake: Intake, source: str, night: date, *, is_read: bool = True) -> Iterator[Landed]:
    """Examine and register the files of a source that a night takes in, sorted by path, late files first.

    A late file lies in the folder of a night that is done, and was not there when that night ran; or of a night that
    was passed over, and can run no more. Call `record` for each file when it is taken in.

    What an earlier run of the same night registered and is not there any more is forgotten: a file that was delivered
    again under another name would else be a duplicate of one that counts nowhere.

    Args:
        intake: landing and ledger.
        source: folder below the landing folder of a night.
        night: the night that takes them in.
        is_read: whether there is a reader. What is only sealed must not make a duplicate of what is read one day.
    """
    yield from _registered(intake, source, night, lambda folder: source_paths(folder / source), is_read=is_read)


def stray_files(intake: Intake, night: date) -> Iterator[Landed]:
    """Examine and register, as `landed_files` does, the files that landed in no source's folder."""
    yield from _registered(intake, NO_SOURCE, night, _paths_in, is_read=False)


def _registered(
    intake: Intake, source: str, night: date, find: Callable[[Path], list[Path]], *, is_read: bool
) -> Iterator[Landed]:
    paths = [*_late_paths(intake, night, find), *find(intake.folder(night))]
    there = [_relative(path, intake.folder(night) / source) for path in paths]
    intake.ledger.forget_files(night, _printable(source), there)
    for path in paths:
        content = looked_at(path)
        below_source = _relative(path, intake.folder(night) / source)
        digest = content.digest if is_read else f"sealed:{content.digest}"
        registered = intake.ledger.register_file(night, _printable(source), below_source, digest)
        yield Landed(
            source=_printable(source),
            file=_relative(path, intake.folder(night)),
            path=path,
            file_n=registered.file_n,
            lines=content.lines,
            is_duplicate=registered.is_duplicate and not content.is_truncated,
            is_truncated=content.is_truncated,
        )


def record(intake: Intake, landed: Landed, accounting: Accounting) -> Accounting:
    """Keep the accounting of a file in the ledger and return it."""
    intake.ledger.record_accounting(landed.file_n, accounting.as_record())
    return accounting


def source_paths(folder: Path) -> list[Path]:
    """Return the files below a folder, sorted by path; markers, dot-files and dot-folders are not files."""
    found = []
    for parent, folders, _ in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += _paths_in(Path(parent))
    return sorted(found, key=lambda path: path.parts)


def _paths_in(folder: Path) -> list[Path]:
    children = sorted(folder.iterdir()) if folder.is_dir() else []
    return [path for path in children if path.is_file() and path.name != COMPLETE_MARKER and path.name[0] != "."]


def source_names(intake: Intake, night: date) -> list[str]:
    """Return the names of the source folders that a night may take files from: its own and those of closed nights."""
    folders = [intake.folder(n) for n in (*_closed_before(intake, night), night)]
    names = {child.name for folder in folders if folder.is_dir() for child in folder.iterdir() if child.is_dir()}
    return sorted(name for name in names if not name.startswith("."))


def looked_at(path: Path) -> Content:
    """Return what a pass over a file tells; a file that has not changed since is not read again by this process.

    Raises:
        InputError: it cannot be read.
    """
    try:
        state = path.stat()
        return _examined(path, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)
    except OSError:
        raise InputError("landing.unreadable", f"{_printable(path.name)} cannot be read", "readable files") from None


@lru_cache(maxsize=1 << 16)
def _examined(path: Path, *_: int) -> Content:
    return examine(path)


def examine(path: Path) -> Content:
    """Read a file once and return its digest and number of lines; see the module for why."""
    digest, ends, last, is_truncated = hashlib.sha256(), 0, b"\n", False
    try:
        for piece in pieces(path):
            digest.update(piece)
            ends += piece.count(b"\n")
            last = piece[-1:]
    except BrokenStreamError:
        is_truncated = True
    lines = ends + (last != b"\n")
    if is_truncated:
        return Content(f"broken:{digest.hexdigest()}", max(lines, 1), is_truncated=True)
    return Content(digest.hexdigest(), lines, is_truncated=False)


def line_blocks(landed: Landed, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    r"""Give out the unpacked bytes of a file in blocks of whole lines, about ``size`` bytes each.

    Every block but the last ends in ``\n``. Of a line longer than `LINE_LIMIT` at least one byte more than the limit
    is there, the rest may be missing: such a line is quarantined unseen. Memory is bounded by a few times ``size``.

    Raises:
        InputError: the file is not what it was when it was registered.
    """
    rest, is_skipping, ends = b"", False, 0
    for piece in _gathered(landed, size):
        data = piece
        if is_skipping:
            start = data.find(b"\n")
            if start < 0:
                continue
            data, is_skipping = data[start:], False
        end = data.rfind(b"\n") + 1
        ends += data.count(b"\n", 0, end)
        if end:
            yield rest + data[:end]
            rest = data[end:]
        else:
            rest += data
        if len(rest) > LINE_LIMIT:
            rest, is_skipping = rest[: LINE_LIMIT + 1], True
    lines = ends + bool(rest)
    if (max(lines, 1) if landed.is_truncated else lines) != landed.lines:
        raise _changed(landed)
    if rest:
        yield rest


def whole_bytes(landed: Landed) -> bytes:
    """Return all unpacked bytes of a small file, or what could be unpacked of a broken one."""
    return b"".join(_gathered(landed, BLOCK_BYTES))


def _gathered(landed: Landed, size: int) -> Iterator[bytes]:
    parts: list[bytes] = []
    held = 0
    try:
        for piece in pieces(landed.path):
            parts.append(piece)
            held += len(piece)
            if held >= size:
                yield b"".join(parts)
                parts, held = [], 0
    except (BrokenStreamError, OSError) as error:
        if not landed.is_truncated or isinstance(error, OSError):
            raise _changed(landed) from None
    if parts:
        yield b"".join(parts)


def _changed(landed: Landed) -> InputError:
    return InputError(
        "landing.changed",
        f"{landed.file} changed while it was read",
        "files that are complete when the night begins",
        "run the night again when it is complete",
    )


def _late_paths(intake: Intake, night: date, find: Callable[[Path], list[Path]]) -> list[Path]:
    found = [path for closed in _closed_before(intake, night) for path in find(intake.folder(closed))]
    if not found:
        return []
    taken = {
        os.path.normpath(intake.folder(done) / str(accounting["file"]))
        for done in intake.ledger.nights()
        for accounting in intake.ledger.accounting(done)
    }
    return [path for path in found if _printable(os.path.normpath(path)) not in taken]


def _closed_before(intake: Intake, night: date) -> list[date]:
    """Return the nights with a landing folder that can run no more: done, or earlier than one that is done."""
    done = [other for other in intake.ledger.nights() if other < night]
    names = [path.name for path in intake.landing.iterdir()] if done and intake.landing.is_dir() else []
    return sorted(closed for closed in map(_as_date, names) if closed is not None and closed <= done[-1])


def _as_date(name: str) -> date | None:
    try:
        return date.fromisoformat(name) if len(name) == len("2026-11-21") else None
    except ValueError:
        return None


def _relative(path: Path, folder: Path) -> str:
    return _printable(os.path.relpath(path, folder))


def _printable(path: str) -> str:
    """Return a path as text that can be stored; a file name may be any bytes."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")
