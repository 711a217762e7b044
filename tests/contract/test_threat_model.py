"""The threat model names every attack that runs, and points at nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from quorum.audit.run import ATTACKS


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "threat_model.md").read_text(encoding="utf-8")


def test_every_attack_is_in_it(page: str) -> None:
    listed = re.findall(r"^\| \d+ \| `([a-z]+)` \|", page, re.MULTILINE)
    assert len(listed) == len(set(listed)) == len(ATTACKS)
    assert {attack.name for attack in ATTACKS} == set(listed)


def test_what_it_points_at_is_there(page: str, root: Path) -> None:
    named = re.findall(r"`((?:tests|quorum)/[\w/.]+)", page) + [
        f"docs/{name}" for name in re.findall(r"\]\((\w+\.md)\)", page)
    ]
    assert len(named) > 10
    assert [name for name in named if not (root / name).exists()] == []


def test_readme_and_guarantees_point_at_it(root: Path) -> None:
    for name in ("README.md", "docs/guarantees.md"):
        assert "threat_model.md" in (root / name).read_text(encoding="utf-8"), name


def test_it_says_how_many_rules_are_weakened(page: str, root: Path) -> None:
    listed = (root / "tests" / "redteam" / "mutants.py").read_text(encoding="utf-8").count("    Mutant(")
    assert f"{listed} rules weakened" in page
