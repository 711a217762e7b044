"""Every command, file and rule that the officer's guide names is there."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from pipelines.cli import cli


@pytest.fixture(scope="module")
def guide(root: Path) -> str:
    return (root / "docs" / "privacy_officer.ja.md").read_text(encoding="utf-8")


def test_the_commands_of_the_guide_exist(guide: str) -> None:
    given = re.findall(r"^(quorum .*)$|`(quorum [^`]+)`", guide, re.MULTILINE)
    named = [(whole or inline).split("#")[0].split() for whole, inline in given]
    assert len(named) > 15
    for words in named:
        found: click.Command = cli
        rest = words[1:]
        while rest and isinstance(found, click.Group) and rest[0] in found.commands:
            found, rest = found.commands[rest[0]], rest[1:]
        assert found is not cli, words
        options = {option for parameter in found.params for option in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options, words


def test_the_files_of_the_guide_exist_and_none_is_left_out(guide: str, root: Path) -> None:
    named = set(re.findall(r"`([a-z_]+\.yaml)`", guide))
    assert named == {path.name for path in (root / "policy").glob("*.yaml")}
