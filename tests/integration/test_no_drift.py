"""One job by two ways, `quorum nightly` and Dagster's own command as the UI launches it: same bytes, same ledger."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest

from pipelines.instance import prepare_dagster_home
from pipelines.jobs import NIGHTLY
from quorum.ledger import Ledger
from quorum.sample import write_sample

NIGHT = date(2026, 11, 21)
_PARTS = ("out", "keys", "warehouse/cube", "warehouse/safe")


def environment(home: Path, landing: Path, root: Path) -> dict[str, str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("QUORUM_", "DAGSTER_"))}
    named = {"QUORUM_MASTER_KEY": "a7" * 32, "QUORUM_HOME": str(home), "QUORUM_LANDING": str(landing)}
    return environ | named | {"DAGSTER_HOME": str(home / "dagster"), "DAGSTER_DISABLE_TELEMETRY": "1"}


def bytes_of(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def entries(home: Path) -> list[str]:
    """The entries without their place in the chain, sorted: steps that need nothing of each other may change places."""
    ledger = Ledger(home / "ledger")
    try:
        return sorted(f"{entry.kind} {json.dumps(entry.body, sort_keys=True)}" for entry in ledger.entries())
    finally:
        ledger.close()


@pytest.mark.slow
def test_the_command_and_dagster_do_the_same(tmp_path: Path, root: Path) -> None:
    landing, by_command, by_dagster = tmp_path / "landing", tmp_path / "a" / "home", tmp_path / "b" / "home"
    write_sample(landing, last=NIGHT, days=1, members=200, events=2000, campaigns=3, recipients=5, ctr=0.2, seed=11)
    for home in (by_command, by_dagster):
        environ = environment(home, landing, root)
        prepare_dagster_home(home / "dagster")
        programs = {
            by_command: [
                shutil.which("quorum", path=str(Path(sys.executable).parent)),
                "nightly",
                "--date",
                str(NIGHT),
            ],
            by_dagster: [
                *(str(Path(sys.executable).with_name("dagster")), "job", "execute", "-m", "pipelines.definitions"),
                *("-j", NIGHTLY, "--tags", json.dumps({"dagster/partition": str(NIGHT)})),
            ],
        }
        done = subprocess.run(
            [str(part) for part in programs[home]], env=environ, cwd=root, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    for part in _PARTS:
        assert bytes_of(by_dagster / part) == bytes_of(by_command / part), part
    assert entries(by_dagster) == entries(by_command)
    assert len(entries(by_command)) > 20
