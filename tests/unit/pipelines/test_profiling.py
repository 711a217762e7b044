"""Profiles say where time goes: functions, operators, numbers; nothing that a statement saw."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path

import duckdb
import pytest

from pipelines.settings import resolve
from quorum.engine.operators import read_operators
from quorum.sample import write_sample

NIGHT = date(2026, 11, 21)
MARKER = "taro@portal.example"


def test_operators_carry_kinds_and_numbers_and_no_text_of_the_statement() -> None:
    with duckdb.connect() as connection:
        connection.execute("PRAGMA enable_profiling = 'no_output'")
        connection.execute(
            f"SELECT i % 7, count(*) FROM range(1000) t(i) WHERE '{MARKER}' || i <> 'x' GROUP BY ALL"
        ).fetchall()
        profile = connection.get_profiling_information()
    assert MARKER in profile
    found = read_operators(profile)
    assert MARKER not in json.dumps(found)
    assert {"HASH_GROUP_BY", "PROJECTION"} <= {each["operator"] for each in found}
    assert next(each for each in found if each["operator"] == "HASH_GROUP_BY")["rows"] == 7
    assert [each["depth"] for each in found] == sorted(each["depth"] for each in found)


def test_a_kind_that_is_no_name_is_not_told() -> None:
    profile = {"operator": [{"type": MARKER, "timing": 1.5, "intermediate_rows": 3, "children": []}]}
    assert read_operators(json.dumps(profile)) == [{"depth": 0, "operator": "OTHER", "seconds": 1.5, "rows": 3}]


def test_an_option_wins_over_the_environment_and_both_over_the_default() -> None:
    assert resolve({}).engine == "duckdb"
    assert resolve({"QUORUM_ENGINE": "spark"}).engine == "spark"
    assert resolve({"QUORUM_ENGINE": "spark"}, engine="duckdb").engine == "duckdb"


@pytest.mark.slow
def test_a_profiled_night_is_a_night_and_its_profiles_name_the_slowest_stages(tmp_path: Path, root: Path) -> None:
    landing, home = tmp_path / "landing", tmp_path / "home"
    write_sample(landing, last=NIGHT, days=1, members=100, events=1500, campaigns=2, recipients=5, ctr=0.1, seed=3)
    environ = {**os.environ, "QUORUM_MASTER_KEY": "5a" * 32}
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", "nightly", "--profile", "--json"]
    given = ["--date", NIGHT.isoformat(), "--landing", str(landing), "--home", str(home)]
    done = subprocess.run([*command, *given], cwd=root, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout)["releases"]
    folder = home / "docs" / "profile" / NIGHT.isoformat()
    stages = (folder / "stages.txt").read_text(encoding="utf-8").splitlines()
    seconds = [float(line.split()[0]) for line in stages]
    assert seconds == sorted(seconds, reverse=True)
    assert {"publish", "make_safe", "build-seg__event", "take_in-access"} <= {line.split()[-1] for line in stages}
    slowest = sorted(folder.glob("*-*.txt"))
    assert [path.name for path in slowest] == [f"{n}-{line.split()[-1]}.txt" for n, line in enumerate(stages[:5], 1)]
    assert "function calls" in slowest[0].read_text(encoding="utf-8")
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"[0-9a-f]{32}|@|\d+\.\d+\.\d+\.\d+", text), path.name
        assert str(tmp_path) not in text
        assert str(root) not in text
