"""A home with published packages, and servers to deliver them to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import asyncssh
import pytest
from delivery_house import House, copy_house, write_home
from delivery_servers import S3Portal, SftpPortal, s3_portal, sftp_portal

from quorum.policy import Policy
from quorum.zones import Home


@pytest.fixture(scope="session")
def model_home(tmp_path_factory: pytest.TempPathFactory, policy: Policy) -> Home:
    return write_home(tmp_path_factory.mktemp("delivery") / "home", policy)


@pytest.fixture
def house(model_home: Home, tmp_path: Path, root: Path) -> Iterator[House]:
    made = copy_house(model_home, tmp_path, root / "policy")
    yield made
    made.ledger.close()


@pytest.fixture(scope="session")
def login() -> asyncssh.SSHKey:
    return asyncssh.generate_private_key("ssh-ed25519")


@pytest.fixture
def portal(tmp_path: Path, login: asyncssh.SSHKey) -> Iterator[SftpPortal]:
    root = tmp_path / "recipient"
    (root / "in").mkdir(parents=True)
    with sftp_portal(root, login) as running:
        yield running


@pytest.fixture
def sftp_house(house: House, portal: SftpPortal, login: asyncssh.SSHKey) -> House:
    house.set_targets({"info-a": portal.target()})
    house.environ["QUORUM_LOGIN_A"] = login.export_private_key().decode()
    return house


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Portal]:
    with s3_portal(tmp_path_factory.mktemp("service")) as running:
        yield running
