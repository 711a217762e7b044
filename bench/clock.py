"""Processes under the operating system's own accounting: seconds by the clock, seconds of processors, largest memory.

What belongs here: running a command and what it used. What does not: what is run, and medians.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bench.night import ROOT

NIGHT = date(2026, 11, 21)
KEY_ENVIRON: Mapping[str, str] = {"QUORUM_MASTER_KEY": "5a" * 32}
"""A key for generated people; homes of the benchmarks hold nobody else."""
_TIME = "/usr/bin/time"
_KIB = 1024
_SHOWN = 2000


@dataclass(frozen=True)
class Use:
    """What a process and those that it waited for used.

    Args:
        wall: seconds by the clock.
        cpu: seconds of processors, the system's included.
        peak: bytes of the largest process's memory, at its most.
    """

    wall: float
    cpu: float
    peak: int


def run(command: Sequence[str | Path]) -> tuple[Use, str]:
    """Run a command and return what it used and what it printed.

    GNU time starts it, for a process that this one started would count this one's memory as its own until it begins.

    Raises:
        RuntimeError: it failed; what it told is in the message: people are generated here.
    """
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as told:
        used = Path(folder) / "used"
        clocked = [_TIME, "--quiet", f"--output={used}", "--format=%e %U %S %M", *(str(part) for part in command)]
        environ = {**os.environ, **KEY_ENVIRON}
        done = subprocess.run(
            clocked, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=out, stderr=told, check=False
        )
        out.seek(0), told.seek(0)
        if done.returncode:
            raise RuntimeError(f"{command[0]} ended with {done.returncode}: {told.read().decode()[-_SHOWN:]}")
        wall, user, system, peak = used.read_text(encoding="utf-8").split()[-4:]
        return Use(float(wall), float(user) + float(system), int(peak) * _KIB), out.read().decode()
