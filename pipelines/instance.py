"""Dagster's instance: its home, its settings, its databases.

What belongs here: what a process must do before it opens the instance. What does not: runs (`pipelines.run`).
"""

from __future__ import annotations

import os
import shutil
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.settings import ROOT

if TYPE_CHECKING:
    from collections.abc import MutableMapping

_QUIET = {"DAGSTER_DISABLE_TELEMETRY": "1", "GX_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}


def enter_instance(folder: Path, environ: MutableMapping[str, str] = os.environ) -> None:
    """Make a folder DAGSTER_HOME, with the checkout's ``dagster.yaml`` in it, and turn all telemetry off.

    Args:
        folder: ``QUORUM_HOME/dagster``.
        environ: the process environment; changed.
    """
    prepare_dagster_home(folder)
    environ.update(_QUIET)
    environ["DAGSTER_HOME"] = str(folder)
    spare_the_disk()


def prepare_dagster_home(folder: Path) -> Path:
    """Make DAGSTER_HOME and put the checkout's ``dagster.yaml`` there, if it is not the same; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    source, target = ROOT / "dagster.yaml", folder / "dagster.yaml"
    if not target.is_file() or target.read_bytes() != source.read_bytes():
        shutil.copyfile(source, target)
    return folder


@lru_cache(maxsize=1)
def spare_the_disk() -> None:
    """Do not wait for the disk at each of Dagster's events: a night makes a thousand commits, most of its time.

    A killed process loses nothing. After a power cut Dagster's databases may be damaged; they only show what ran and
    can be deleted. What counts is the ledger, which does not go through SQLAlchemy and waits for the disk.
    """
    from sqlalchemy import event
    from sqlalchemy.engine import Engine

    def relax(connection: Any, _: object) -> None:
        if type(connection).__module__ == "sqlite3":
            connection.execute("pragma synchronous = off")

    event.listen(Engine, "connect", relax)
