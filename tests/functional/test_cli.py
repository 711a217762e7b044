"""The command as a user runs it: what it prints where, its exit codes, its speed, its page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.reference import render

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def quorum(tmp_path: Path) -> Command:
    """The installed command, with a home, a landing folder and a key of its own."""
    program = Path(sys.executable).with_name("quorum")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("QUORUM_", "DAGSTER_"))}
    environ |= {"QUORUM_HOME": str(tmp_path / "home"), "QUORUM_MASTER_KEY": "5a" * 32}

    def run(*arguments: object, **changes: str) -> subprocess.CompletedProcess[str]:
        given = [str(program), *map(str, arguments)]
        return subprocess.run(given, capture_output=True, text=True, env=environ | changes, cwd=tmp_path, timeout=120)

    return run


def only_object(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    (line,) = done.stdout.splitlines()
    record: dict[str, object] = json.loads(line)
    fields = ["date", "engine", "exit_code", "seconds", "stages", "accounting", "releases", "errors"]
    assert list(record) == fields
    assert record["exit_code"] == done.returncode
    return record


def test_help_is_there_at_once(quorum: Command) -> None:
    seconds = []
    for _ in range(3):
        began = time.monotonic()
        done = quorum("--help")
        seconds.append(time.monotonic() - began)
        assert done.returncode == 0
        assert "nightly" in done.stdout
    assert min(seconds) < 0.3


def test_the_page_of_the_command_is_fresh(root: Path) -> None:
    written = (root / "docs" / "cli.md").read_text(encoding="utf-8")
    assert written == render(), "python -m pipelines.reference docs/cli.md"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nightly", "--date", "21.11.2026"], 2),
        (["nightly", "--nonsense"], 2),
        (["nonsense"], 2),
        (["backfill", "--from", "2026-11-21", "--to", "2026-11-20"], 2),
        (["nightly", "--date", "2026-11-21"], 10),
        (["nightly", "--date", "2026-11-21", "--landing", "landed", "--policy", "nowhere"], 10),
        (["nightly", "--date", "2026-11-21", "--landing", "home/landed"], 10),
        (["status"], 10),
        (["ledger", "show"], 10),
        (["ledger", "verify"], 10),
        (["verify", "nowhere"], 14),
        (["attack", "nowhere"], 12),
        (["recall", "adv/campaign/2026-11-21", "--reason", "because", "--date", "2026-12-01"], 2),
        (["recall", "adv/campaign/2026-11-21", "--reason", "numbers"], 2),
        (["recall", "adv/campaign/2026-11-21", "--reason", "numbers", "--date", "2026-12-01"], 10),
        (["policy", "check", "--policy", "nowhere"], 10),
        (["policy", "check"], 0),
    ],
)
def test_exit_codes_before_any_work(quorum: Command, tmp_path: Path, arguments: list[str], code: int) -> None:
    done = quorum(*arguments)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists() or arguments[0] == "nightly"


@pytest.mark.parametrize(
    ("arguments", "code", "rule"),
    [
        (["--date", "yesterday"], 2, "usage"),
        (["--date", "2026-11-21"], 10, "landing.unset"),
        (["--date", "2026-11-21", "--landing", "landed", "--engine", "spark"], 10, "engine.spark"),
        (["--date", "2026-11-21", "--landing", "landed", "--policy", "nowhere"], 10, "policy.missing"),
    ],
)
def test_json_is_one_object_on_failure_too(quorum: Command, arguments: list[str], code: int, rule: str) -> None:
    record = only_object(quorum("nightly", "--json", *arguments, QUORUM_SPARK_PYTHON="nowhere"))
    assert record["exit_code"] == code
    assert [error["rule"] for error in record["errors"]] == [rule]


@pytest.mark.parametrize("key", ["5a" * 31, "no hex"])
def test_a_wrong_key_is_14(quorum: Command, key: str) -> None:
    done = quorum("nightly", "--date", "2026-11-21", "--landing", "landed", "--json", QUORUM_MASTER_KEY=key)
    assert done.returncode == 14
    assert key not in done.stdout + done.stderr


def test_an_error_that_is_not_ours_is_told_without_its_text(quorum: Command, tmp_path: Path) -> None:
    (tmp_path / "hanako@example.jp").write_text("not a folder", encoding="utf-8")
    done = quorum("nightly", "--date", "2026-11-21", "--landing", "landed", "--home", "hanako@example.jp", "--json")
    assert done.returncode == 1
    assert "hanako" not in done.stdout + done.stderr
    assert "quorum/" in done.stdout


def test_a_sample_can_be_made_and_is_not_made_over_another(quorum: Command, tmp_path: Path) -> None:
    size = ["--date", "2026-11-21", "--days", 1, "--members", 100, "--events", 1000, "--seed", 7, "--recipients", 5]
    assert quorum("sample", "landed", *size).returncode == 0
    assert (tmp_path / "landed" / "2026-11-21" / "access").is_dir()
    assert quorum("sample", "landed", *size).returncode == 2
