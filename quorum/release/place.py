"""How a finished folder gets to its place: its bytes on the disk first, then one rename.

What belongs here: what a power cut must not undo. What does not: what is in the folder, and the ledger, which is
entered between the two.
"""

from __future__ import annotations

import os
from pathlib import Path

VERIFY = "VERIFY.md"


def sync(folder: Path) -> None:
    """Bring every file of a folder to the disk, so that the rename cannot outlive its contents.

    Args:
        folder: without folders in it.

    Guarantee:
        After return the files are on the disk, as far as the disk tells the truth.

    Source: POSIX, fsync.
    """
    for path in folder.iterdir():
        _sync_one(path)
    _sync_one(folder)


def put(folder: Path, target: Path) -> Path:
    """Rename a folder into its place, for good, and return the place.

    Args:
        folder: synced, on the same file system.
        target: where nothing lies yet.

    Guarantee:
        Whoever looks sees no folder or the whole one.

    Source: POSIX, rename.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.replace(target)
    _sync_one(target.parent)
    return target


def tell_how_to_verify(recipient: Path) -> None:
    """Put ``VERIFY.md`` beside a recipient's reports: how to check them without any program of ours.

    Args:
        recipient: ``out/<recipient>``.

    Guarantee:
        The same page for everybody. No certificate covers it, and it holds no key: who trusts what came with a package
        has checked nothing.

    Source: docs/VERIFY.md.
    """
    page = (Path(__file__).with_name("templates") / VERIFY).read_bytes()
    path = recipient / VERIFY
    if not path.exists() or path.read_bytes() != page:
        unfinished = recipient / f".{VERIFY}.{os.getpid()}.tmp"
        unfinished.write_bytes(page)
        unfinished.replace(path)


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
