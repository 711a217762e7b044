"""SFTP against a server on loopback: whole files, in order, once; and what happens when something breaks."""

from __future__ import annotations

import hashlib

import asyncssh
import pytest
from delivery_house import House
from delivery_servers import SftpPortal, public_key

from quorum.deliver.run import RECEIPT, deliver
from quorum.errors import DeliveryError, LedgerError, PolicyError

LARGE = "report.ja.html"


def _arrived(house: House, portal: SftpPortal) -> None:
    """Everything of the recipient is there, and nothing else."""
    expected = {
        f"in/sections/{period}/{name}": data
        for period in ("2026-11-21", "2026-11-22")
        for name, data in house.package("info-a", period).items()
    }
    assert portal.files() == expected


def test_a_package_arrives_whole_with_its_certificate_last(sftp_house: House, portal: SftpPortal) -> None:
    outcomes = list(deliver(sftp_house.delivery()))
    assert [(o.recipient_id, o.period, o.status) for o in outcomes] == [
        ("info-a", "2026-11-21", "delivered"),
        ("info-a", "2026-11-22", "delivered"),
    ]
    _arrived(sftp_house, portal)
    files = len(sftp_house.package("info-a", "2026-11-21"))
    assert [o.sent_n for o in outcomes] == [files, files]
    assert [portal.faults.renamed[n * files - 1] for n in (1, 2)] == ["certificate.json", "certificate.json"]


def test_what_has_a_receipt_is_not_sent_again_and_nobody_even_logs_in(sftp_house: House, portal: SftpPortal) -> None:
    list(deliver(sftp_house.delivery()))
    logins = portal.faults.logins
    assert list(deliver(sftp_house.delivery())) == []
    assert portal.faults.logins == logins == 2


def test_what_lies_there_whole_is_not_sent_again_without_its_receipt(sftp_house: House, portal: SftpPortal) -> None:
    """Stopped between the last file and the receipt."""
    folder = portal.root / "in" / "sections" / "2026-11-21"
    folder.mkdir(parents=True)
    package = sftp_house.package("info-a", "2026-11-21")
    for name, data in package.items():
        (folder / name).write_bytes(data)
    (folder / "datapackage.json").write_bytes(b"x" * len(package["datapackage.json"]))
    first = next(iter(deliver(sftp_house.delivery())))
    assert (first.status, first.sent_n) == ("delivered", 1)
    assert portal.faults.renamed == ["datapackage.json"]
    assert (folder / "datapackage.json").read_bytes() == package["datapackage.json"]


def test_a_connection_that_is_cut_in_the_middle_of_a_file_goes_on_there(sftp_house: House, portal: SftpPortal) -> None:
    size = len(sftp_house.package("info-a", "2026-11-21")[LARGE])
    before = sum(
        len(data)
        for name, data in sftp_house.package("info-a", "2026-11-21").items()
        if name < LARGE and name[0] != "c"
    )
    portal.faults.cut_after = [before + size // 2]
    outcomes = list(deliver(sftp_house.delivery()))
    assert [o.status for o in outcomes] == ["delivered", "delivered"]
    _arrived(sftp_house, portal)
    assert sftp_house.pauses == [1]
    assert portal.faults.renamed.count(LARGE) == 2
    assert portal.faults.written[LARGE] < 2 * size + size * 3 // 4
    assert portal.faults.written["datapackage.json"] == sum(
        len(sftp_house.package("info-a", period)["datapackage.json"]) for period in ("2026-11-21", "2026-11-22")
    )


def test_half_a_file_that_is_not_ours_is_not_gone_on_with(sftp_house: House, portal: SftpPortal) -> None:
    folder = portal.root / "in" / "sections" / "2026-11-21"
    folder.mkdir(parents=True)
    digest = hashlib.sha256(sftp_house.package("info-a", "2026-11-21")[LARGE]).hexdigest()[:16]
    (folder / f".{LARGE}.{digest}.part").write_bytes(b"\0" * 1000)
    list(deliver(sftp_house.delivery()))
    _arrived(sftp_house, portal)


def test_a_server_that_fails_for_good_is_tried_four_times_and_the_rest_waits(
    sftp_house: House, portal: SftpPortal
) -> None:
    portal.faults.is_full = True
    outcomes = list(deliver(sftp_house.delivery()))
    assert [o.status for o in outcomes] == ["failed", "waiting"]
    assert isinstance(outcomes[0].error, DeliveryError)
    assert (outcomes[0].error.rule, outcomes[0].error.exit_code) == ("deliver.failed", 11)
    assert sftp_house.pauses == [1, 4, 16]
    assert portal.faults.logins == 4
    assert sftp_house.ledger.entries(RECEIPT) == []
    portal.faults.is_full = False
    assert [o.status for o in deliver(sftp_house.delivery())] == ["delivered", "delivered"]
    _arrived(sftp_house, portal)


def test_a_refusal_to_write_is_not_tried_again(sftp_house: House, portal: SftpPortal) -> None:
    portal.faults.is_denied = True
    outcomes = list(deliver(sftp_house.delivery()))
    assert outcomes[0].error is not None
    assert outcomes[0].error.rule == "deliver.refused"
    assert sftp_house.pauses == []
    assert not any(name.endswith("certificate.json") for name in portal.files())


def test_a_path_that_is_not_there_is_refused_and_not_made(sftp_house: House, portal: SftpPortal) -> None:
    (portal.root / "in").rmdir()
    outcomes = list(deliver(sftp_house.delivery()))
    assert outcomes[0].error is not None
    assert outcomes[0].error.rule == "deliver.refused"
    assert not (portal.root / "in").exists()


@pytest.mark.clause("S-02")
@pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
def test_a_server_with_another_key_gets_nothing_however_often_it_is_met(
    sftp_house: House, portal: SftpPortal, algorithm: str
) -> None:
    other = public_key(asyncssh.generate_private_key(algorithm))
    sftp_house.set_targets({"info-a": portal.target(host_keys=[other])})
    for _ in range(2):
        outcomes = list(deliver(sftp_house.delivery()))
        assert isinstance(outcomes[0].error, PolicyError)
        assert outcomes[0].error.exit_code == 13
        assert [o.status for o in outcomes] == ["failed", "waiting"]
    assert portal.faults.logins == 0
    assert portal.files() == {}
    assert sftp_house.pauses == []


@pytest.mark.parametrize(
    ("secret", "rule"),
    [
        (asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode(), "deliver.login"),
        ("no key at all", "deliver.login"),
        ("", "deliver.login"),
        (None, "deliver.login"),
    ],
)
def test_a_login_that_is_wrong_or_missing_is_refused_and_never_told(
    sftp_house: House, portal: SftpPortal, secret: str | None, rule: str
) -> None:
    if secret is None:
        del sftp_house.environ["QUORUM_LOGIN_A"]
    else:
        sftp_house.environ["QUORUM_LOGIN_A"] = secret
    outcomes = list(deliver(sftp_house.delivery()))
    error = outcomes[0].error
    assert isinstance(error, LedgerError)
    assert (error.rule, error.exit_code) == (rule, 14)
    assert not secret or secret not in repr(outcomes) + str(error)
    assert portal.files() == {}


def test_a_key_file_that_others_can_read_is_refused(
    sftp_house: House, portal: SftpPortal, login: asyncssh.SSHKey
) -> None:
    path = sftp_house.home.root.parent / "login.key"
    login.write_private_key(path)
    sftp_house.set_targets({"info-a": portal.target(login={"file": str(path)})})
    path.chmod(0o644)
    outcomes = list(deliver(sftp_house.delivery()))
    assert outcomes[0].error is not None
    assert outcomes[0].error.rule == "deliver.login"
    path.chmod(0o600)
    assert [o.status for o in deliver(sftp_house.delivery())] == ["delivered", "delivered"]


def test_a_server_that_is_not_there_is_told_as_a_fault_of_the_connection(sftp_house: House, portal: SftpPortal) -> None:
    sftp_house.set_targets({"info-a": portal.target(endpoint="sftp://quorum@127.0.0.1:1/in")})
    outcomes = list(deliver(sftp_house.delivery()))
    assert str(outcomes[0].error).startswith(
        "deliver.failed: the sftp target of info-a: the connection failed, 4 times"
    )


def test_a_server_without_atomic_renaming_replaces_what_lies_there(
    sftp_house: House, portal: SftpPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unsupported(*_: object) -> None:
        raise asyncssh.SFTPOpUnsupported("no such extension")

    monkeypatch.setattr(asyncssh.SFTPClient, "posix_rename", unsupported)
    folder = portal.root / "in" / "sections" / "2026-11-21"
    folder.mkdir(parents=True)
    (folder / "certificate.json").write_bytes(b"an older one")
    assert [o.status for o in deliver(sftp_house.delivery())] == ["delivered", "delivered"]
    _arrived(sftp_house, portal)
