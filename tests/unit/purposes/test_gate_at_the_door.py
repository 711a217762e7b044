"""What the gate has not passed is not opened, not loaded and not built, and the command says why with exit code 13."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from gate_mutants import column, planted, table

from pipelines.definitions import draw
from quorum.errors import PolicyError
from quorum.lineage.gate import check_gate
from quorum.policy import Policy, load_policy
from quorum.tables import Catalog
from quorum.workspace import open_workspace
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
ENVIRON = {"QUORUM_MASTER_KEY": "5a" * 32}
Edit = Callable[[str, str, str], Path]


@pytest.fixture
def edited(tmp_path: Path, root: Path) -> Edit:
    """A copy of the policy with a part of a file in the place of another."""

    def edit(file: str, old: str, new: str) -> Path:
        folder = tmp_path / "policy"
        shutil.copytree(root / "policy", folder)
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
        return folder

    return edit


UNDECLARED = (
    "declassifiers.yaml",
    "  pseudo__member.age_years:      {from: [vault__member.birth_date],  by: completed_years}\n",
    "",
)


def command(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **ENVIRON, "QUORUM_HOME": str(home)}
    quorum = Path(sys.executable).with_name("quorum")
    return subprocess.run([quorum, *arguments], capture_output=True, text=True, env=environ)


def test_a_night_under_a_policy_that_does_not_declare_a_crossing_makes_nothing(tmp_path: Path, edited: Edit) -> None:
    folder, home, landing = edited(*UNDECLARED), tmp_path / "home", tmp_path / "landing"
    (landing / NIGHT.isoformat()).mkdir(parents=True)
    asked = ["--date", NIGHT.isoformat(), "--landing", str(landing), "--home", str(home), "--policy", str(folder)]
    done = command("nightly", *asked, "--json", home=home)
    assert done.returncode == 13
    (error,) = json.loads(done.stdout)["errors"]
    assert error["rule"] == "policy.category_change"
    for said in ("pseudo__member.age_years", "AGE", "vault__member.birth_date", "DOB", "INFRA", "do: "):
        assert said in error["message"]
    assert not (home / "warehouse").exists()
    assert not (home / "vault").exists()


def test_the_check_says_what_the_night_would(tmp_path: Path, edited: Edit) -> None:
    done = command("policy", "check", "--policy", str(edited(*UNDECLARED)), home=tmp_path)
    assert done.returncode == 13
    assert "pseudo__member.age_years" in done.stderr
    assert not done.stdout


@pytest.mark.clause("C-08")
def test_a_home_is_not_opened_and_definitions_do_not_load(home: Home, edited: Edit) -> None:
    folder = edited(*UNDECLARED)
    with pytest.raises(PolicyError, match=r"pseudo__member\.age_years"), open_workspace(home, None, folder, ENVIRON):
        pass
    assert not home.root.exists()
    with pytest.raises(PolicyError, match=r"pseudo__member\.age_years"):
        draw(object(), [NIGHT], policy=load_policy(folder))  # type: ignore[arg-type]


def test_an_overdue_column_stops_the_night_and_not_the_looking(home: Home, tmp_path: Path, edited: Edit) -> None:
    folder = edited("unused_columns.yaml", "expires: 2027-11-21", f"expires: {NIGHT.replace(day=20)}")
    text = (folder / "unused_columns.yaml").read_text(encoding="utf-8")
    (folder / "unused_columns.yaml").write_text(
        text.replace("since: 2026-11-22", "since: 2026-11-01"), encoding="utf-8"
    )
    (tmp_path / "landing" / NIGHT.isoformat()).mkdir(parents=True)
    landing = tmp_path / "landing"
    with open_workspace(home, landing, folder, ENVIRON) as open_home, pytest.raises(PolicyError, match="has passed"):
        open_home.admit(NIGHT)


def test_the_same_question_is_judged_once_and_another_one_again(catalog: Catalog, policy: Policy) -> None:
    assert check_gate(catalog, policy) is check_gate(catalog, policy)
    leak = table("p09__planted", "P-09", "select name from vault__member", column("name", "NAME"))
    with pytest.raises(PolicyError, match=r"p09__planted\.name"):
        check_gate(planted(catalog, leak), policy)


def test_the_page_is_written_on_demand_and_statements_are_read_as_before(tmp_path: Path) -> None:
    page = tmp_path / "lineage.html"
    assert command("policy", "lineage", "--page", str(page), home=tmp_path).returncode == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    (tmp_path / "s.sql").write_text("create table t (a int, b int)", encoding="utf-8")
    (tmp_path / "q.sql").write_text("select a as x from t where b > 1", encoding="utf-8")
    schema, query = str(tmp_path / "s.sql"), str(tmp_path / "q.sql")
    done = command("policy", "lineage", "--schema", schema, query, home=tmp_path)
    assert json.loads(done.stdout) == {"columns": {"x": {"value": ["t.a"]}}, "use": ["t.b"]}
    assert command("policy", "lineage", "--page", str(page), "--schema", schema, query, home=tmp_path).returncode == 2
    assert command("policy", "lineage", query, home=tmp_path).returncode == 2
    assert command("policy", "lineage", "--page", str(tmp_path / "no" / "l.html"), home=tmp_path).returncode == 2
