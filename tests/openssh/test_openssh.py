"""Delivery to OpenSSH's own server on loopback. Needs ``sshd``: `make test-delivery` runs it, and fails without."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from getpass import getuser
from pathlib import Path

import asyncssh
import pytest
from delivery_house import PERIODS, House, copy_house, write_home
from delivery_servers import public_key

from quorum.deliver.run import deliver
from quorum.policy import Policy

pytestmark = pytest.mark.openssh


@dataclass(frozen=True)
class OpenSsh:
    """A running sshd that lets this user in, with SFTP alone.

    Args:
        port: on loopback.
        root: a folder of its own.
        host_key: its public key.
        login: the private key that it lets in.
    """

    port: int
    root: Path
    host_key: str
    login: asyncssh.SSHKey

    def target(self, folder: str = "in", **changes: object) -> dict[str, object]:
        return {
            "kind": "sftp",
            "endpoint": f"sftp://{getuser()}@127.0.0.1:{self.port}{self.root}/{folder}",
            "host_keys": [self.host_key],
            "login": {"env": "QUORUM_LOGIN_A"},
            **changes,
        }


def _sshd() -> str:
    found = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")
    assert found, "no sshd: install openssh-server (its service need not run)"
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[OpenSsh]:
    folder = Path(tempfile.mkdtemp(prefix="quorum-sshd-"))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # where sshd drops its rights; only its service makes it
    host_key, login = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    host_key.write_private_key(folder / "host_key")
    (folder / "host_key").chmod(0o600)
    (folder / "authorized_keys").write_text(public_key(login) + "\n", encoding="ascii")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nPasswordAuthentication no\n"
        "KbdInteractiveAuthentication no\nPermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n"
        "ForceCommand internal-sftp\n",
        encoding="ascii",
    )
    (folder / "in").mkdir()
    process = subprocess.Popen([_sshd(), "-D", "-e", "-f", folder / "config"])
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if process.poll() is not None or probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        assert process.poll() is None, "sshd ended at once; what it said is above"
        yield OpenSsh(port, folder, public_key(host_key), login)
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder)


@pytest.fixture
def house(server: OpenSsh, tmp_path: Path, root: Path, policy: Policy) -> Iterator[House]:
    made = copy_house(write_home(tmp_path / "model", policy), tmp_path, root / "policy")
    made.environ["QUORUM_LOGIN_A"] = server.login.export_private_key().decode()
    yield made
    made.ledger.close()


def _statuses(house: House) -> list[str]:
    return [outcome.status for outcome in deliver(house.delivery())]


def test_packages_arrive_whole_and_once(house: House, server: OpenSsh) -> None:
    house.set_targets({"info-a": server.target()})
    assert _statuses(house) == ["delivered", "delivered"]
    for period in PERIODS:
        folder = server.root / "in" / "sections" / period
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == house.package("info-a", period)
    assert _statuses(house) == []


def test_half_a_file_is_gone_on_with_and_a_whole_one_left_alone(house: House, server: OpenSsh) -> None:
    (server.root / "half").mkdir()
    house.set_targets({"info-a": server.target("half")})
    first = next(iter(deliver(house.delivery(), (), [PERIODS[0]])))
    assert first.status == "delivered"
    folder = server.root / "half" / "sections" / PERIODS[0]
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.name != "report.ja.html"}
    data = (folder / "report.ja.html").read_bytes()
    (folder / "report.ja.html").unlink()
    part = folder / f".report.ja.html.{hashlib.sha256(data).hexdigest()[:16]}.part"
    part.write_bytes(data[: len(data) // 2])
    node = part.stat().st_ino
    with closing(sqlite3.connect(house.home.ledger / "ledger.sqlite")) as stopped, stopped:
        stopped.execute("delete from journal where kind = 'delivery'")
    again = next(iter(deliver(house.delivery(), (), [PERIODS[0]])))
    assert (again.status, again.sent_n) == ("delivered", 1)
    assert (folder / "report.ja.html").read_bytes() == data
    assert (folder / "report.ja.html").stat().st_ino == node
    assert {name: (folder / name).stat().st_mtime_ns for name in before} == before


def test_another_host_key_or_login_is_refused(house: House, server: OpenSsh) -> None:
    (server.root / "none").mkdir()
    other = asyncssh.generate_private_key("ssh-ed25519")
    house.set_targets({"info-a": server.target("none", host_keys=[public_key(other)])})
    outcomes = list(deliver(house.delivery()))
    assert outcomes[0].error is not None
    assert outcomes[0].error.rule == "deliver.server"
    house.set_targets({"info-a": server.target("none")})
    house.environ["QUORUM_LOGIN_A"] = other.export_private_key().decode()
    outcomes = list(deliver(house.delivery()))
    assert outcomes[0].error is not None
    assert outcomes[0].error.rule == "deliver.login"
    assert list((server.root / "none").iterdir()) == []


def test_a_path_that_is_missing_is_refused(house: House, server: OpenSsh) -> None:
    house.set_targets({"info-a": server.target("missing")})
    outcomes = list(deliver(house.delivery()))
    assert outcomes[0].error is not None
    assert outcomes[0].error.rule == "deliver.refused"


def test_a_disk_that_is_full_fails_after_four_attempts(house: House, server: OpenSsh) -> None:
    """``/dev/full`` is a disk without space: the half file that is to be gone on with leads to it."""
    name = "datapackage.json"
    digest = hashlib.sha256(house.package("info-a", PERIODS[0])[name]).hexdigest()[:16]
    folder = server.root / "full" / "sections" / PERIODS[0]
    folder.mkdir(parents=True)
    (folder / f".{name}.{digest}.part").symlink_to("/dev/full")
    house.set_targets({"info-a": server.target("full")})
    outcomes = list(deliver(house.delivery()))
    assert outcomes[0].error is not None
    assert outcomes[0].error.rule == "deliver.failed"
    assert house.pauses == [1, 4, 16]
