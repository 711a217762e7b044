"""The desk's commands: exit codes, and nothing about a person on the screen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk_portal import HANAKO, MEMBERS, Portal

from pipelines.cli import main
from quorum.keys import KeyRing

TEXT = "請求の金額が違うようです。"


class Shell:
    """Runs commands on the portal's home; keeps all that they print."""

    def __init__(self, portal: Portal, capsys: pytest.CaptureFixture[str]) -> None:
        self._home, self._capsys, self.printed = str(portal.desk.home.root), capsys, ""

    def run(self, *arguments: object, role: str = "desk") -> tuple[int, str]:
        where = ["--home", self._home, "--actor", "somebody", "--role", role]
        with pytest.raises(SystemExit) as done:
            main([*map(str, arguments), *where])
        told = self._capsys.readouterr()
        self.printed += told.out + told.err
        return int(done.value.code or 0), told.out


@pytest.fixture
def shell(
    browsing: Portal, keys: KeyRing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Shell:
    monkeypatch.setenv("QUORUM_MASTER_KEY", keys.master.hex())
    browsing.ask("vault__access_request", "a", HANAKO, {})
    browsing.ask("vault__correction", "c", HANAKO, {"field": "nickname", "new_value": "はな"})
    browsing.ask("vault__enquiry", "e", HANAKO, {"topic": "billing", "service": "shop-01", "enquiry_text": TEXT})
    browsing.ask("vault__prefill_instruction", "p", HANAKO, {"form_id": "f", "field": "name"})
    browsing.claim("v", HANAKO, method="card", claimed_name="山田 花子", claimed_card_last4="1111")
    return Shell(browsing, capsys)


def test_a_day_at_the_desk(shell: Shell, tmp_path: Path) -> None:
    assert shell.run("extract", "P-06", "--request", "v")[0] == 0
    assert shell.run("extract", "P-04", "--subject", HANAKO, "--request", "a", "--out", tmp_path / "a")[0] == 0
    assert shell.run("correct", "--request", "c")[0] == 0
    assert shell.run("correct", "--request", "c")[0] == 13
    assert shell.run("extract", "P-08", "--request", "p", "--out", tmp_path / "p")[0] == 0
    case = json.loads(shell.run("case", "open", "--request", "e", "--json")[1])["case"]
    assert case in shell.run("case", "list")[1]
    assert json.loads(shell.run("extract", "P-11", "--json")[1])["counts"]["billing"] == 1
    assert shell.run("extract", "P-11", "--case", case, "--out", tmp_path / "c")[0] == 0
    assert shell.run("case", "close", "--case", case)[0] == 0
    assert shell.run("extract", "P-11", "--case", case, "--out", tmp_path / "d")[0] == 13
    assert {path.name for path in tmp_path.iterdir()} == {"home", "a", "p", "c"}
    said = [*map(str, MEMBERS[HANAKO].values()), TEXT, "はな", "山田花子"]
    assert not [value for value in said if value in shell.printed]


def test_what_must_be_refused_is_13(shell: Shell, tmp_path: Path) -> None:
    for arguments in (
        ("extract", "P-08"),
        ("extract", "P-08", "--request", "p;q"),
        ("extract", "P-04", "--subject", "m-taro", "--request", "a", "--out", tmp_path / "a"),
        ("case", "close", "--case", "c-none"),
        ("case", "open", "--request", "a"),
    ):
        assert shell.run(*arguments)[0] == 13, arguments
    assert not (tmp_path / "a").exists()


@pytest.mark.parametrize(
    ("role", "arguments"),
    [
        ("officer", ("correct", "--request", "c")),
        ("officer", ("case", "open", "--request", "e")),
        ("analyst", ("extract", "P-04", "--subject", HANAKO, "--request", "a")),
        ("billing", ("extract", "P-06", "--request", "v")),
        ("scheduler", ("extract", "P-08", "--request", "p")),
        ("officer", ("extract", "P-11")),
    ],
)
def test_a_role_does_what_it_is_granted_and_nothing_else(shell: Shell, role: str, arguments: tuple[str, ...]) -> None:
    assert shell.run(*arguments, role=role)[0] == 13
