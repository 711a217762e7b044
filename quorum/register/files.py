"""The file that leaves: built in memory, described, bound to the ledger, and put in its place at once.

What belongs here: bytes and the one rename. What does not: what may be in them.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv

from quorum.errors import UsageError
from quorum.ledger.store import Entry, canonical
from quorum.tables import Catalog
from quorum.tables.harmless import harmless
from quorum.zones import Home

MANIFEST = "manifest.json"
_BOM = b"\xef\xbb\xbf"  # without it spreadsheets take Japanese text for another encoding


def files_of(tables: Mapping[str, pa.Table]) -> dict[str, bytes]:
    """Return file name to bytes, one csv a table: UTF-8 with a mark, quotes where needed, no cell a formula."""
    return {f"{table.partition('__')[2]}.csv": _csv(rows) for table, rows in tables.items()}


def describe_files(
    tables: Mapping[str, pa.Table], files: Mapping[str, bytes], catalog: Catalog, facts: Mapping[str, Any], nonce: bytes
) -> dict[str, Any]:
    """Return the manifest without its part about the ledger: facts, digests, columns.

    Args:
        tables: table to its rows, in the order of the files.
        files: as `files_of` gives them.
        catalog: units and descriptions of columns.
        facts: what is said of the disclosure as a whole.
        nonce: random; without it the digest in the ledger would let whoever reads the ledger guess a small file.
    """
    described = {
        name: {
            "sha256": hashlib.sha256(content).hexdigest(),
            "rows": rows.num_rows,
            "columns": _columns(catalog, table, rows),
        }
        for (table, rows), (name, content) in zip(tables.items(), files.items(), strict=True)
    }
    return {**facts, "files": described, "nonce": nonce.hex()}


def content_digest(manifest: Mapping[str, Any]) -> str:
    """Return the SHA-256, hex, that the ledger holds: of the canonical manifest without its part ``ledger``."""
    bare = {name: value for name, value in manifest.items() if name != "ledger"}
    return hashlib.sha256(canonical(bare).encode()).hexdigest()


def bound(manifest: Mapping[str, Any], entry: Entry) -> bytes:
    """Return the manifest as it is delivered: with the entry of the ledger that was made before it."""
    whole = {**manifest, "ledger": {"seq": entry.seq, "hash": entry.hash}}
    return (json.dumps(whole, ensure_ascii=False, indent=2) + "\n").encode()


def check_place(out: Path, home: Home) -> None:
    """Refuse a folder that holds something, that has nowhere to be, or that lies in the home.

    Raises:
        UsageError: it is one of these.
    """
    place = out.absolute()
    is_new = not place.exists() or (place.is_dir() and not any(place.iterdir()))
    if place.is_symlink() or not is_new:
        raise UsageError(
            "disclose.out", "a folder that is there already", "a new one for each disclosure", "name another"
        )
    if not place.parent.is_dir():
        raise UsageError("disclose.out", "a folder in one that is not there", "an existing parent folder", "make it")
    if place.resolve().is_relative_to(home.root.resolve()):
        raise UsageError("disclose.out", "a folder inside the home", "one outside of it", "name another")


def deliver(out: Path, files: Mapping[str, bytes]) -> None:
    """Write files into a new folder that nobody else may open; it appears whole, by one rename, or not at all.

    The files have no name until all of them are written: what a killed run has written is gone with it. Where the file
    system knows no files without a name, they lie in a hidden folder beside the place, which the next run removes.

    Raises:
        OSError: it could not be written; nothing of it is left.
    """
    place = out.absolute()
    unfinished = place.with_name(f".{place.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    try:
        with ExitStack() as opened:
            written = [
                (name, opened.enter_context(_written(unfinished / name, content))) for name, content in files.items()
            ]
            for name, descriptor in written:
                if descriptor is not None:
                    _name(descriptor, unfinished / name)
        unfinished.rename(place)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise


def _name(descriptor: int, path: Path) -> None:
    """Give an open file its name; without the folder's descriptor the link itself would be linked to."""
    folder = os.open("/proc/self/fd", os.O_RDONLY)
    try:
        os.link(str(descriptor), path, src_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


@contextmanager
def _written(path: Path, content: bytes) -> Iterator[int | None]:
    """Write a file that has no name yet and give its descriptor; None for one that had to get its name at once."""
    try:
        descriptor, is_named = os.open(path.parent, os.O_WRONLY | getattr(os, "O_TMPFILE", 0), 0o600), False
    except OSError:
        descriptor, is_named = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), True
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        yield None if is_named else descriptor


def _csv(rows: pa.Table) -> bytes:
    out = io.BytesIO(_BOM)
    out.seek(len(_BOM))
    pyarrow.csv.write_csv(harmless(rows), out, pyarrow.csv.WriteOptions(quoting_style="needed"))
    return out.getvalue()


def _columns(catalog: Catalog, table: str, rows: pa.Table) -> list[dict[str, str]]:
    found = (catalog[table].column(name) for name in rows.column_names)
    return [{"name": c.name, "category": c.category, "unit": c.unit, "description": c.description} for c in found]
