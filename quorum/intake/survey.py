"""A look at a night's landing folder before anything is taken in: what is there, what is broken, what is new.

The look costs the first of the two passes over each file; it is remembered, so that taking in does not repeat it.

What belongs here: looking. What does not: judging (`quorum.completeness`), and what an earlier night left.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from quorum.completeness import Arrived
from quorum.errors import InputError
from quorum.intake.context import COMPLETE_MARKER, Intake
from quorum.intake.files import looked_at, source_paths
from quorum.intake.parquet_records import MAGIC
from quorum.intake.rest import READ_SOURCES

_LISTED = re.compile(r"(?P<digest>[0-9a-f]{64}) [ *](?:\./)?(?P<name>.+)")
_MARKER_BYTES = 1 << 22


def survey(intake: Intake, night: date, required: Sequence[str]) -> dict[str, Arrived]:
    """Return what is there of each source.

    Args:
        intake: landing and ledger.
        night: the night.
        required: sources of which the absence is looked for.

    Raises:
        InputError: a file cannot be read.
    """
    return {source: _look(intake, source, night) for source in sorted({*READ_SOURCES, *required})}


def state_of(landing: Path, night: date) -> str:
    """Return what changes when a file of a night's folder, or what must land, changes; no content is read.

    Args:
        landing: folder that holds one folder a night.
        night: the night.
    """
    digest = hashlib.sha256()
    for path in (landing / "sources.yaml", *sorted((landing / night.isoformat()).rglob("*"))):
        if path.is_file():
            state = path.stat()
            digest.update(f"{path} {state.st_size} {state.st_mtime_ns}\n".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _look(intake: Intake, source: str, night: date) -> Arrived:
    folder = intake.folder(night) / source
    lines, broken, seen = 0, [], set()
    for path in source_paths(folder):
        content = looked_at(path)
        rows = _rows(path)
        if content.is_truncated or rows is None:
            broken.append(path.relative_to(folder).as_posix())
        elif content.digest not in seen and not intake.ledger.is_delivered(source, content.digest, night):
            lines += rows if rows >= 0 else content.lines
        seen.add(content.digest)
    marker = folder / COMPLETE_MARKER
    return Arrived(lines, tuple(broken), _absent(folder, marker), marker.is_file())


def _rows(path: Path) -> int | None:
    """Return the rows of a plain Parquet file, None if it is broken off, -1 if it is a file of another kind."""
    with path.open("rb") as handle:
        if handle.read(len(MAGIC)) != MAGIC:
            return -1
    try:
        return int(pq.read_metadata(path).num_rows)
    except (pa.ArrowException, OSError):
        return None


def _absent(folder: Path, marker: Path) -> tuple[str, ...]:
    """Return the files that a marker lists, as ``sha256sum`` does, and that are not there with those bytes.

    A marker that is empty, or says anything else, lists nothing: that it is there is what counts.
    """
    if not marker.is_file() or not marker.stat().st_size:
        return ()
    with marker.open("rb") as handle:
        text = handle.read(_MARKER_BYTES).decode("utf-8", "replace")
    listed = [_LISTED.fullmatch(line) for line in text.splitlines() if line.strip()]
    if not all(listed):
        return ()
    return tuple(
        entry["name"]
        for entry in listed
        if entry is not None and entry["name"] != COMPLETE_MARKER and _sha256(folder / entry["name"]) != entry["digest"]
    )


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except FileNotFoundError:
        return None
    except OSError:
        raise InputError("landing.unreadable", "a listed file cannot be read", "readable files") from None
