"""The kernel's lock on a file: held by one process, and free again as soon as that process is gone, however it went.

What belongs here: taking it. What does not: what is done while it is held.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from quorum.errors import LedgerError


@contextmanager
def hold(path: Path, taken: LedgerError) -> Iterator[None]:
    """Hold the lock of a file, which is made if it is missing.

    Args:
        path: the file; its folder is there.
        taken: what is raised if another process holds the lock.

    Raises:
        LedgerError: another process holds it.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise taken from None
        yield
    finally:
        os.close(descriptor)
