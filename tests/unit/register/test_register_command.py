"""The command on a small home: what it prints, what it refuses, what a kill leaves behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from register_office import CANARIES, CASE, ENVIRON, HARD, Office

from pipelines.cli import main

Command = Callable[..., "Done"]
D03 = ("--basis", "D-03", "--recipient", "adv-01", "--items", "NAME,EMAIL")
D06 = ("--basis", "D-06", "--items", "TEL", "--subject", "m-1")
STATED = tuple(
    part for name, text in {**CASE, **HARD}.items() for part in (f"--{name.replace('_', '-')}", text)
)  # fmt: skip


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command(office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Run the command in this process: starting it anew takes seconds, which only the kill is worth."""

    def run(*arguments: str, actor: str = "first") -> Done:
        for name, value in {**ENVIRON, "QUORUM_HOME": str(office.workspace.home.root)}.items():
            monkeypatch.setenv(name, value)
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([*arguments, *(("--actor", actor) if arguments[0] == "disclose" else ())])
        told = capsys.readouterr()
        return Done(int(str(ended.value.code or 0)), told.out, told.err)

    return run


def test_it_discloses_and_prints_counts(command: Command, office: Office) -> None:
    done = command("disclose", *D03, "--out", str(office.out), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert (told["people_n"], told["items"], told["files"]) == (
        1,
        ["NAME", "EMAIL"],
        ["registration.csv", "manifest.json"],
    )
    assert not any(canary in done.stdout for canary in CANARIES)
    shown = command("ledger", "show", "--kind", "disclosure")
    (entry,) = map(json.loads, shown.stdout.splitlines())
    assert entry["hash"] == told["ledger"]
    assert command("ledger", "verify").returncode == 0


@pytest.mark.clause("D-01", "D-02", "D-03", "S-03")
@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ((), "disclose.basis"),
        (("--recipient", "adv-01", "--items", "NAME"), "disclose.basis"),
        (("--basis", "processor", "--processor", "billing-agent", "--items", "NAME"), "disclose.contract"),
        ((*D03, "--paid"), "disclose.sale"),
        (("--basis", "statistics", "--items", "NAME"), "disclose.rows"),
        ((*D03, "--subject", "m-2"), "disclose.consent"),
        ((*D03, "--role", "desk"), "roles.act"),
    ],
)
def test_it_refuses_with_13_and_no_byte(
    command: Command, office: Office, untouched: Callable[[], dict[str, bytes]], arguments: tuple[str, ...], rule: str
) -> None:
    before = untouched()
    done = command("disclose", *arguments, "--out", str(office.out))
    assert (done.returncode, done.stdout) == (13, "")
    assert done.stderr.startswith(f"quorum: {rule}: ")
    assert not office.out.exists()
    assert {name for name in untouched() if name != "lock"} == {name for name in before if name != "lock"}
    assert office.kinds() == ["disclosure_refused"]


@pytest.mark.clause("D-03")
def test_a_withdrawal_that_stands_since_the_night_is_refused(command: Command, office: Office) -> None:
    office.choose(("m-1", "provide_contact", "adv-01", "withdraw", 2))
    done = command("disclose", *D03, "--out", str(office.out))
    assert (done.returncode, office.out.exists(), office.kinds()) == (13, False, ["disclosure_refused"])


@pytest.mark.clause("D-06")
def test_a_review_is_owed_until_somebody_else_has_made_it(command: Command, office: Office) -> None:
    done = command("disclose", *D06, *STATED, "--out", str(office.out))
    assert done.returncode == 0, done.stderr
    assert "must review it by" in done.stdout
    (owed,) = map(json.loads, command("disclose", "review", "list", "--json").stdout.splitlines())
    assert (owed["basis"], owed["case"], owed["is_overdue"]) == ("D-06", "K-1", False)
    close = ("disclose", "review", "done", owed["disclosure_id"], "--outcome", "justified")
    own = command(*close)
    assert (own.returncode, "somebody else" in own.stderr) == (13, True)
    assert command(*close, actor="second").returncode == 0
    assert command("disclose", "review", "list").stdout == "no review is owed\n"
    assert command(*close, actor="second").returncode == 13
    assert office.kinds() == ["disclosure", "disclosure_review"]


def test_a_kill_after_the_entry_leaves_the_entry_and_no_file(command: Command, office: Office) -> None:
    code = (
        "import os, signal, sys\n"
        "os.link = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)\n"
        "from pipelines.cli import main\n"
        "main(sys.argv[1:])\n"
    )
    environ = {**os.environ, **ENVIRON, "QUORUM_HOME": str(office.workspace.home.root)}
    arguments = ["disclose", *D03, "--actor", "first", "--out", str(office.out)]
    killed = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, env=environ, timeout=120)
    assert killed.returncode == -9
    assert [path for path in office.out.parent.rglob("*") if path.is_file()] == []
    assert not office.out.exists()
    assert office.kinds() == ["disclosure"]
    assert len(office.record()) == 1  # rather shown to the person for nothing than not shown
    assert command("disclose", *D03, "--out", str(office.out)).returncode == 0
    assert [path.name for path in office.out.parent.iterdir()] == [office.out.name]


@pytest.mark.clause("K-02")
def test_third_parties_are_listed_over_nights_with_what_is_declared_of_them(command: Command, office: Office) -> None:
    store = office.workspace.store
    for day, seen in ((20, {"_adnet": 3, "tracker": 1}), (21, {"_adnet": 4, "_adnet_0000": 1})):
        write = [{"party_kind": "cookie", "party_name": name, "seen_n": count} for name, count in seen.items()]
        office.write(
            "pseudo__third_party", *write, {"party_kind": "host", "party_name": "adnet.example", "seen_n": day}, day=day
        )
    assert store.nights("pseudo__third_party")
    done = command("register", "third-parties", "--json")
    listed = {(party["kind"], party["name"]): party for party in map(json.loads, done.stdout.splitlines())}
    adnet = listed["cookie", "_adnet"]
    assert (adnet["first_night"], adnet["last_night"], adnet["seen_n"]) == ("2026-11-20", "2026-11-21", 7)
    declared = {name: party["declared_as"] for (_, name), party in listed.items()}
    host = "tag.adnet.example"
    assert declared == {"_adnet": host, "_adnet_0000": host, "tracker": None, "adnet.example": host}
    told = command("register", "third-parties")
    assert told.returncode == 0
    assert told.stdout.splitlines()[-1] == "4 third parties seen, 1 not declared"
    assert told.stdout.count("NOT DECLARED") == 1
