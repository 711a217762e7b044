"""Extracts as files: for whoever acts, outside the home, readable by nobody else, all of them or none.

What belongs here: csv, modes, the last refusal before a byte is written. What does not: what is in them.
"""

from __future__ import annotations

import io
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.csv as pc

from quorum.desk import Desk
from quorum.errors import ConfigurationError, PolicyError, UsageError
from quorum.extract.result import Extract, enter
from quorum.policy.grants import check_may_read
from quorum.tables.harmless import harmless

INSIDE: Mapping[str, str] = MappingProxyType(
    {
        "P-02": "people are contacted through P-05, and figures leave as the site's report",
        "P-03": "statistics only, as advertiser reports; a row per person never",
        "P-06": "the outcome, as the desk is told it; what was compared is copied nowhere",
    }
)
"""Purposes whose extracts never become files, and what there is instead."""
_BOM = b"\xef\xbb\xbf"  # spreadsheets take csv for another encoding without it


def check_out(desk: Desk, purpose: str, out: Path) -> None:
    """Refuse to write files of a purpose into a folder; ask before anything is read for it.

    Args:
        desk: who acts, in which home.
        purpose: of the extract.
        out: the folder to be.

    Raises:
        PolicyError: the role is not granted the purpose, or its extracts stay inside.
        ConfigurationError: the folder lies inside the home.
        UsageError: it is there and not empty, or is a link.
    """
    check_may_read(desk.policy, desk.actor, purpose)
    if purpose in INSIDE:
        raise PolicyError("extract.inside", f"files of {purpose}", INSIDE[purpose], "leave --out away")
    if out.resolve().is_relative_to(desk.home.root.resolve()):
        raise ConfigurationError("extract.place", "files inside the home", "a folder outside it", "name another")
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise UsageError("extract.out", "a folder that is there already", "a new or empty folder", "name another")


def write_files(desk: Desk, extract: Extract, out: Path, **reference: object) -> list[Path]:
    """Write each table of an extract as csv; entered in the ledger before the first byte.

    Args:
        desk: who acts.
        extract: what was served.
        out: a new or empty folder outside the home.
        reference: the request or case it is for.

    Returns:
        The files, in the order of the tables.

    Raises:
        PolicyError: as for `check_out`.
        ConfigurationError: as for `check_out`.
        UsageError: as for `check_out`.
    """
    check_out(desk, extract.purpose, out)
    enter(desk, "written", extract, **reference)
    return write_folder(out, {f"{name}.csv": as_csv(table) for name, table in extract.tables.items()})


def as_csv(table: pa.Table) -> bytes:
    """Return a table as csv: UTF-8 with a byte order mark, a header, a missing value empty, no cell a formula."""
    buffer = io.BytesIO()
    pc.write_csv(harmless(table), buffer)
    return _BOM + buffer.getvalue()


def write_folder(out: Path, contents: Mapping[str, bytes]) -> list[Path]:
    """Write files into a folder that appears with all of them or not at all, mode 0700, its files 0600.

    Args:
        out: a folder that is not there, or empty.
        contents: name of a file to its bytes.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    unfinished = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    try:
        for name, content in contents.items():
            path = unfinished / name
            path.touch(mode=0o600)
            path.write_bytes(content)
        unfinished.replace(out)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return [out / name for name in contents]
