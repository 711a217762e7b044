"""A policy that is wider than the closed lists builds nothing, by any door, and the command says why."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Edit = Callable[..., Path]

_WIDER = {
    "uses": (
        "policy.yaml",
        "uses: [ATTR], touches: [PREF], fideslang: analytics",
        "uses: [ATTR, IND], fideslang: analytics",
    ),
    "touches": ("policy.yaml", "touches: [PREF], fideslang: analytics", "touches: [PREF, IND], fideslang: analytics"),
    "attr": ("policy.yaml", "attr: [ZIP,", "attr: [IND, ZIP,"),
    "class": ("columns.yaml", "IND:     {class: restricted", "IND:     {class: attribute"),
    "zones": (
        "columns.yaml",
        "en: industry,                   zones: [vault,",
        "en: industry, zones: [vault, pseudo, seg,",
    ),
}


def quorum(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("quorum")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("QUORUM_", "DAGSTER_"))}
    environ |= {"QUORUM_HOME": str(home), "QUORUM_MASTER_KEY": "5a" * 32}
    given = [str(program), *map(str, arguments)]
    return subprocess.run(given, capture_output=True, text=True, env=environ, timeout=120)


def written(home: Path) -> set[str]:
    return {path.relative_to(home).as_posix() for path in home.rglob("*")} if home.exists() else set()


@pytest.mark.clause("P-03", "C-08")
@pytest.mark.parametrize("wider", sorted(_WIDER))
def test_a_night_under_a_wider_policy_does_not_begin(edited: Edit, root: Path, tmp_path: Path, wider: str) -> None:
    home = tmp_path / "home"
    done = quorum(
        home,
        *("nightly", "--date", "2026-11-21", "--policy", edited(_WIDER[wider])),
        *("--landing", root / "data" / "sample" / "landing"),
    )
    assert done.returncode == 13, done.stderr
    assert re.search(r"policy\.closed_list: .*IND", done.stderr)
    assert "closed list" in done.stderr or "decisions/" in done.stderr
    assert "policy/decisions/" in done.stderr
    assert written(home) <= {"lock"}


@pytest.mark.clause("P-03")
@pytest.mark.parametrize(
    "arguments",
    [
        ("backfill", "--from", "2026-11-15", "--to", "2026-11-16", "--landing", "{landing}"),
        ("policy", "check"),
    ],
)
def test_no_other_door_is_open(edited: Edit, root: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    home = tmp_path / "home"
    given = [argument.format(landing=root / "data" / "sample" / "landing") for argument in arguments]
    done = quorum(home, *given, "--policy", edited(_WIDER["uses"]))
    assert done.returncode == 13, done.stderr
    assert "P-03 (uses) names IND" in done.stderr
    assert written(home) <= {"lock"}


@pytest.mark.clause("P-03")
@pytest.mark.parametrize("wider", ["uses", "zones"])
def test_definitions_do_not_load(edited: Edit, root: Path, tmp_path: Path, wider: str) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("QUORUM_", "DAGSTER_"))}
    environ |= {"QUORUM_HOME": str(tmp_path / "home"), "QUORUM_POLICY": str(edited(_WIDER[wider]))}
    code = "from pipelines.definitions import defs; defs()"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environ, cwd=root, timeout=120
    )
    assert done.returncode != 0
    assert "policy.closed_list" in done.stderr
    assert written(tmp_path / "home") == set()
