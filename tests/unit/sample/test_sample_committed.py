"""The committed sample is what its maker makes, and its README says what is in it."""

from __future__ import annotations

import hashlib
import runpy
from datetime import date, timedelta
from pathlib import Path

import pytest

from quorum.sample.traps import TRAPS

SAMPLE = Path(__file__).resolve().parents[3] / "data" / "sample"


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample")
    runpy.run_path(str(SAMPLE / "make.py"))["make"](out)
    return out


def test_the_maker_reproduces_every_committed_byte(made: Path) -> None:
    assert digests(made) == digests(SAMPLE / "landing")


def test_the_sample_is_small_enough_to_commit() -> None:
    assert sum(path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()) <= 5_000_000


def test_the_readme_lists_every_trap_and_its_file_is_there() -> None:
    readme = (SAMPLE / "README.md").read_text(encoding="utf-8").replace("\\|", "|")
    first, last = date(2026, 11, 15), date(2026, 11, 21)
    for trap in TRAPS:
        if trap.day is None:
            folder = "*"
        else:
            day = first + timedelta(days=trap.day) if trap.day >= 0 else last + timedelta(days=trap.day + 1)
            folder = day.isoformat()
            assert (SAMPLE / "landing" / folder / trap.file).is_file(), trap
        assert f"| `{folder}/{trap.file}` | {trap.why} |" in readme
