"""VERIFY.md: its commands, run as they stand by a real shell, say of a package what `quorum verify` says."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from verify_chain import KEYS, chain, small_night

from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.policy import Policy
from quorum.release.certificate import export_public_key
from quorum.release.gate import Door
from quorum.release.place import VERIFY
from quorum.release.recall import Recall, recall_release
from quorum.zones import Home

SIGNATURE, FILES, NOTHING_ELSE, CHAIN, RECALLED = range(5)


@pytest.fixture(scope="module")
def blocks(root: Path) -> list[str]:
    page = (root / "docs" / VERIFY).read_text(encoding="utf-8")
    found = re.findall(r"^```bash\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(found) == RECALLED + 1
    assert not any("quorum" in block for block in found), "no program of ours"
    return found


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, policy: Policy) -> Path:
    root = tmp_path_factory.mktemp("out")
    chain(root, small_night(policy), policy, days=3)
    export_public_key(Home(root), KEYS)
    return root


@pytest.fixture
def held(made: Path, tmp_path: Path) -> Path:
    """What a recipient has: three packages under a folder with a space in its name, and the key."""
    held = tmp_path / "our reports"
    shutil.copytree(made / "info-a" / "sections", held)
    shutil.copyfile(made / "keys" / "signing.pub", tmp_path / "signing.pub")
    return held


def _run(block: str, held: Path, key: str = "signing.pub") -> subprocess.CompletedProcess[str]:
    names = {"PACKAGE": f"{held.name}/2026-11-22", "PREVIOUS": f"{held.name}/2026-11-21", "KEY": key}
    command = ["/bin/bash", "-o", "pipefail", "-c", block]
    return subprocess.run(
        command, cwd=held.parent, env={**names, "PATH": "/usr/bin:/bin"}, capture_output=True, text=True, timeout=60
    )


def test_every_step_holds_for_a_sound_package(blocks: list[str], held: Path) -> None:
    runs = [_run(block, held) for block in blocks]
    assert [run.returncode for run in runs] == [0] * len(blocks), runs
    assert "Signature Verified Successfully" in runs[SIGNATURE].stdout
    checked = runs[FILES].stdout.splitlines()
    assert len(checked) == len(list((held / "2026-11-22").iterdir())) - 2
    assert all(line.endswith(": OK") for line in checked)
    assert runs[NOTHING_ELSE].stdout == ""
    assert runs[CHAIN].stdout == "follows\n"
    assert runs[RECALLED].stdout == ""


def _write(name: str, change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda package: (package / name).write_bytes(change((package / name).read_bytes()))


@pytest.mark.parametrize(
    ("tamper", "step"),
    [
        (_write("certificate.json", lambda text: text + b"\n"), SIGNATURE),
        (_write("certificate.sig", lambda signature: signature[:-1] + bytes([signature[-1] ^ 1])), SIGNATURE),
        (_write("certificate.sig", lambda _: b""), SIGNATURE),
        (_write("report.xlsx", lambda book: book[:-1] + b"\1"), FILES),
        (_write("section_hour.csv", lambda text: text + b"\n"), FILES),
        (lambda package: (package / "report.ja.html").unlink(), FILES),
        (lambda package: (package / "report.ja.html").unlink(), NOTHING_ELSE),
        (lambda package: (package / "note.txt").touch(), NOTHING_ELSE),
        (lambda package: (package / ".hidden").touch(), NOTHING_ELSE),
        (lambda package: (package / "more").mkdir(), NOTHING_ELSE),
        (lambda package: shutil.rmtree(package.with_name("2026-11-21")), CHAIN),
        (lambda package: package.with_name("2026-11-21").rename(package.with_name("gone")), CHAIN),
        (lambda package: _write("certificate.json", lambda text: text + b" ")(package.with_name("2026-11-21")), CHAIN),
    ],
)
def test_each_step_names_what_it_is_for(
    blocks: list[str], held: Path, tamper: Callable[[Path], object], step: int
) -> None:
    tamper(held / "2026-11-22")
    assert _run(blocks[step], held).returncode != 0


def test_another_key_does_not_verify(blocks: list[str], held: Path) -> None:
    other = export_public_key(Home(held.parent / "other"), KeyRing(bytes(32)))
    assert _run(blocks[SIGNATURE], held, str(other)).returncode != 0


def test_a_recall_is_found(blocks: list[str], held: Path, recalled: Path) -> None:
    shutil.copytree(recalled, held / recalled.name)
    run = _run(blocks[RECALLED], held)
    assert run.returncode != 0
    assert run.stdout.splitlines() == [f"{held.name}/2026-11-22/../2026-11-22.recall/certificate.json"]


@pytest.fixture
def recalled(made: Path, policy: Policy, tmp_path: Path) -> Path:
    """A recall of the second package, made in a home that has entered it."""
    home = Home(tmp_path / "home")
    ledger = Ledger(home.ledger)
    text = (made / "info-a/sections/2026-11-22/certificate.json").read_bytes()
    digest = hashlib.sha256(text).hexdigest()
    ledger.enter_release("info-a", "sections", "2026-11-22", date(2026, 11, 22), digest, {"previous": None})
    door = Door(home, ledger, KEYS, policy, "1")
    return recall_release(
        door, Recall("info-a", "sections", "2026-11-22", "numbers", date(2026, 12, 1), "hanako", "officer")
    )
