"""How a finished folder gets to its place: its bytes on the disk first, then one rename.

What belongs here: what a power cut must not undo. What does not: what is in the folder, and the ledger, which is
entered between the two.
"""

from __future__ import annotations

import os
from pathlib import Path


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


def _sync_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
