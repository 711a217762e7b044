"""What is owed to whom, whose target it goes to, receipts, encryption, and a command that is stopped or doubled."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import asyncssh
import pyrage
import pytest
from delivery_house import KEYS, House
from delivery_servers import SftpPortal

from quorum.deliver import run
from quorum.deliver.parcel import check_owner, open_parcel
from quorum.deliver.run import RECEIPT, deliver, owed
from quorum.deliver.sealing import sealed
from quorum.errors import ConfigurationError, LedgerError, PolicyError, ReleaseError
from quorum.policy import load_policy
from quorum.release.certificate import sign
from quorum.release.gate import Door
from quorum.release.recall import Recall, recall_release

PERIODS = ("2026-11-21", "2026-11-22")


def _folder(house: House, recipient: str = "info-a", period: str = PERIODS[0]) -> Path:
    return house.home.out / recipient / "sections" / period


def _statuses(house: House) -> list[tuple[str, str]]:
    return [(o.period, o.status) for o in deliver(house.delivery())]


def _both(house: House, portal: SftpPortal) -> None:
    """Give both recipients a place of their own on the server."""
    for name in ("a", "b"):
        (portal.root / name).mkdir()
    places = {f"info-{n}": portal.target(endpoint=f"sftp://quorum@127.0.0.1:{portal.port}/{n}") for n in "ab"}
    house.set_targets(places)


def test_each_recipient_gets_its_own_packages_and_nobody_elses(sftp_house: House, portal: SftpPortal) -> None:
    _both(sftp_house, portal)
    outcomes = list(deliver(sftp_house.delivery()))
    assert len(outcomes) == 4
    for name in ("a", "b"):
        for path in (portal.root / name).rglob("certificate.json"):
            assert json.loads(path.read_bytes())["recipient"] == f"info-{name}"


def test_who_has_no_target_has_a_folder_and_nothing_is_sent(house: House) -> None:
    house.set_targets({"info-a": {"kind": "folder"}})
    assert list(deliver(house.delivery())) == []
    with pytest.raises(ConfigurationError) as refused:
        owed(house.delivery(), ["info-a"])
    assert refused.value.rule == "deliver.recipient"


def test_one_recipient_or_one_period_can_be_asked_for(sftp_house: House, portal: SftpPortal) -> None:
    _both(sftp_house, portal)
    assert [o.recipient_id for o in deliver(sftp_house.delivery(), ["info-b"])] == ["info-b", "info-b"]
    assert [(o.recipient_id, o.period) for o in deliver(sftp_house.delivery(), (), ["2026-11-22"])] == [
        ("info-a", "2026-11-22")
    ]


def test_a_fault_of_one_recipient_does_not_hold_up_another(sftp_house: House, portal: SftpPortal) -> None:
    _both(sftp_house, portal)
    shutil.rmtree(portal.root / "a")
    assert [(o.recipient_id, o.status) for o in deliver(sftp_house.delivery())] == [
        ("info-a", "failed"),
        ("info-a", "waiting"),
        ("info-b", "delivered"),
        ("info-b", "delivered"),
    ]


def test_the_receipt_has_digests_and_sizes_and_neither_address_nor_login(
    sftp_house: House, portal: SftpPortal, login: asyncssh.SSHKey
) -> None:
    list(deliver(sftp_house.delivery()))
    body = sftp_house.ledger.entries(RECEIPT)[0].body
    package = sftp_house.package("info-a", PERIODS[0])
    lines = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(package.items()))
    assert body == {
        "recipient_id": "info-a",
        "report": "sections",
        "period": PERIODS[0],
        "kind": "sftp",
        "place": body["place"],
        "certificate": hashlib.sha256(package["certificate.json"]).hexdigest(),
        "files": hashlib.sha256(lines.encode()).hexdigest(),
        "file_n": len(package),
        "byte_n": sum(map(len, package.values())),
        "is_encrypted": False,
        "delivered_at": "2026-11-23T03:00:00+00:00",
    }
    everything = b"".join(
        p.read_bytes() for p in sftp_house.home.root.rglob("*") if p.is_file() and "out" not in p.parts
    )
    assert login.export_private_key() not in everything
    assert b"127.0.0.1" not in everything
    assert sftp_house.ledger.verify() > 0


def test_a_recipient_that_moved_gets_what_it_has_not_got_there(sftp_house: House, portal: SftpPortal) -> None:
    list(deliver(sftp_house.delivery()))
    (portal.root / "new").mkdir()
    sftp_house.set_targets({"info-a": portal.target(endpoint=f"sftp://quorum@127.0.0.1:{portal.port}/new")})
    assert _statuses(sftp_house) == [(PERIODS[0], "delivered"), (PERIODS[1], "delivered")]


def test_what_retention_removed_is_not_owed(sftp_house: House) -> None:
    shutil.rmtree(_folder(sftp_house))
    sftp_house.ledger.append("retention", {"packages": ["info-a/sections/2026-11-21"]})
    assert _statuses(sftp_house) == [(PERIODS[1], "delivered")]


def _recall(house: House, recipient: str = "info-a", period: str = PERIODS[0]) -> Path:
    """Recall a release as the command does."""
    door = Door(house.home, house.ledger, KEYS, load_policy(house.policy_folder), "1")
    return recall_release(
        door, Recall(recipient, "sections", period, "numbers", date(2026, 11, 23), "yamada", "officer")
    )


def test_a_recalled_release_is_not_delivered_but_its_recall_is(sftp_house: House, portal: SftpPortal) -> None:
    folder = _recall(sftp_house)
    assert _statuses(sftp_house) == [(PERIODS[1], "delivered"), (f"{PERIODS[0]}.recall", "delivered")]
    files = portal.files()
    arrived = {name.rpartition("/")[2]: data for name, data in files.items() if f"{PERIODS[0]}.recall/" in name}
    assert arrived == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert not any(f"/{PERIODS[0]}/" in f"/{name}" for name in files)
    assert _statuses(sftp_house) == []


def test_the_recall_of_a_delivered_release_follows_it_once_with_a_receipt(sftp_house: House) -> None:
    assert len(_statuses(sftp_house)) == 2
    folder = _recall(sftp_house)
    assert _statuses(sftp_house) == [(f"{PERIODS[0]}.recall", "delivered")]
    assert _recall(sftp_house) == folder
    assert _statuses(sftp_house) == []
    receipt = sftp_house.ledger.entries(RECEIPT)[-1].body
    assert receipt["period"] == f"{PERIODS[0]}.recall"
    assert receipt["certificate"] == hashlib.sha256((folder / "certificate.json").read_bytes()).hexdigest()
    assert receipt["file_n"] == 3


def test_a_recall_goes_to_nobody_else_and_comes_with_its_period(sftp_house: House, portal: SftpPortal) -> None:
    _both(sftp_house, portal)
    _recall(sftp_house, "info-b")
    assert [body["period"] for body in owed(sftp_house.delivery(), ["info-b"], [PERIODS[0]])] == [
        f"{PERIODS[0]}.recall"
    ]
    assert len(_statuses(sftp_house)) == 4
    assert {name.split("/")[0] for name in portal.files() if ".recall/" in name} == {"b"}


def test_a_recall_that_was_changed_is_not_sent(sftp_house: House, portal: SftpPortal) -> None:
    (_recall(sftp_house) / "recall.md").write_text("use it", encoding="utf-8")
    assert _statuses(sftp_house) == [(PERIODS[1], "delivered"), (f"{PERIODS[0]}.recall", "failed")]
    assert not any(".recall/" in name for name in portal.files())


# -- what may be sent ----------------------------------------------------------------------------------------------


def _swap(house: House) -> None:
    shutil.rmtree(_folder(house))
    shutil.copytree(_folder(house, "info-b"), _folder(house))


def _link(house: House) -> None:
    shutil.rmtree(_folder(house))
    _folder(house).symlink_to(_folder(house, "info-b"))


def _link_of_the_recipient(house: House) -> None:
    (house.home.out / "info-a").rename(house.home.out / "kept")
    (house.home.out / "info-a").symlink_to(house.home.out / "info-b")


def _link_to_the_very_package(house: House) -> None:
    _folder(house).rename(house.home.root / "elsewhere")
    _folder(house).symlink_to(house.home.root / "elsewhere")


def _link_of_a_file(house: House) -> None:
    path = _folder(house) / "report.ja.html"
    path.rename(house.home.root / "elsewhere")
    path.symlink_to(house.home.root / "elsewhere")


def _flip(house: House) -> None:
    path = _folder(house) / "report.ja.html"
    path.write_bytes(path.read_bytes().replace(b"0123456789", b"0123456780", 1))


def _add(house: House) -> None:
    (_folder(house) / "notes.txt").write_text("x", encoding="utf-8")


def _resign(house: House) -> None:
    """Signed by the right key, but not what was entered."""
    certificate = json.loads((_folder(house) / "certificate.json").read_bytes())
    sign(_folder(house), {**certificate, "code_version": "2"}, KEYS)


def _gone(house: House) -> None:
    shutil.rmtree(_folder(house))


@pytest.mark.parametrize(
    "tamper",
    [
        _swap,
        _link,
        _link_of_the_recipient,
        _link_to_the_very_package,
        _link_of_a_file,
        _flip,
        _add,
        _resign,
        _gone,
    ],
)
def test_a_package_that_is_not_what_was_released_to_this_recipient_is_not_sent(
    sftp_house: House, portal: SftpPortal, tamper: object
) -> None:
    tamper(sftp_house)  # type: ignore[operator]
    outcomes = list(deliver(sftp_house.delivery()))
    assert outcomes[0].status == "failed"
    assert isinstance(outcomes[0].error, ReleaseError)
    assert (outcomes[0].error.rule, outcomes[0].error.exit_code) == ("deliver.package", 12)
    assert not any(name.startswith(f"in/sections/{PERIODS[0]}") for name in portal.files())
    sent = [] if tamper is _link_of_the_recipient else [PERIODS[1]]
    assert [o.period for o in outcomes if o.status == "delivered"] == sent


@pytest.mark.parametrize("who", ["../info-b", "info-a/../info-b", ".", "", "INFO-A/", "info-b\0"])
def test_an_id_that_is_a_path_reaches_nothing(house: House, who: str) -> None:
    body = {"recipient_id": who, "report": "sections", "period": PERIODS[0], "certificate": "0" * 64}
    with pytest.raises(ReleaseError):
        open_parcel(house.home, house.delivery().key, body)


def test_a_package_and_a_target_of_two_recipients_never_meet(sftp_house: House, portal: SftpPortal) -> None:
    _both(sftp_house, portal)
    delivery = sftp_house.delivery()
    body = sftp_house.ledger.entries("release")[0].body
    parcel = open_parcel(sftp_house.home, delivery.key, body)
    assert parcel.recipient_id == "info-a"
    check_owner(parcel, delivery.policy.recipients["info-a"])
    with pytest.raises(PolicyError) as refused:
        check_owner(parcel, delivery.policy.recipients["info-b"])
    assert refused.value.rule == "deliver.owner"
    targets = {"info-a": delivery.policy.recipients["info-b"]}
    mixed = replace(delivery, policy=replace(delivery.policy, recipients=targets))
    assert {o.error.rule for o in deliver(mixed, ["info-a"]) if o.error} == {"deliver.owner"}
    assert portal.faults.logins == 0


def test_nothing_that_lands_changes_a_target(sftp_house: House, portal: SftpPortal) -> None:
    """Only recipients.yaml names one: neither the ledger, nor a package, nor a folder below out/ does."""
    (sftp_house.home.out / "info-a" / "recipients.yaml").write_text("default: {kind: sftp}", encoding="utf-8")
    for recipient in ("info-a", "info-b"):
        body = {"recipient_id": recipient, "kind": "sftp", "endpoint": "sftp://x@127.0.0.1:1/in", "packages": []}
        sftp_house.ledger.append("retention", body)
    assert _statuses(sftp_house) == [(PERIODS[0], "delivered"), (PERIODS[1], "delivered")]


# -- encryption ----------------------------------------------------------------------------------------------------


def test_with_an_age_key_only_the_recipient_reads_it(sftp_house: House, portal: SftpPortal) -> None:
    identity = pyrage.x25519.Identity.generate()
    sftp_house.set_targets({"info-a": portal.target(encrypt_to=str(identity.to_public()))})
    list(deliver(sftp_house.delivery()))
    package = sftp_house.package("info-a", PERIODS[0])
    arrived = {
        Path(name).name: data for name, data in portal.files().items() if name.startswith(f"in/sections/{PERIODS[0]}/")
    }
    assert set(arrived) == {f"{name}.age" for name in package}
    assert {name.removesuffix(".age"): pyrage.decrypt(data, [identity]) for name, data in arrived.items()} == package
    assert portal.faults.renamed[len(package) - 1] == "certificate.json.age"
    receipt = sftp_house.ledger.entries(RECEIPT)[0].body
    assert receipt["is_encrypted"]
    assert receipt["certificate"] == hashlib.sha256(package["certificate.json"]).hexdigest()
    assert [p.name for p in sftp_house.home.outbox.rglob("*") if p.is_file()] == ["lock"]


def test_an_encrypted_file_that_was_cut_goes_on_with_the_same_bytes(sftp_house: House, portal: SftpPortal) -> None:
    identity = pyrage.x25519.Identity.generate()
    sftp_house.set_targets({"info-a": portal.target(encrypt_to=str(identity.to_public()))})
    portal.faults.is_full = True
    assert _statuses(sftp_house) == [(PERIODS[0], "failed"), (PERIODS[1], "waiting")]
    delivery = sftp_house.delivery()
    parcel = open_parcel(sftp_house.home, delivery.key, sftp_house.ledger.entries("release")[0].body)
    kept = sealed(sftp_house.home, parcel, delivery.policy.recipients["info-a"])
    portal.faults.is_full = False
    assert _statuses(sftp_house) == [(PERIODS[0], "delivered"), (PERIODS[1], "delivered")]
    files = portal.files()
    assert all(files[f"in/sections/{PERIODS[0]}/{each.name}"] == each.data for each in kept)


def test_an_age_key_that_is_none_is_refused(sftp_house: House, portal: SftpPortal) -> None:
    sftp_house.set_targets({"info-a": portal.target(encrypt_to="age1" + "q" * 58)})
    outcomes = list(deliver(sftp_house.delivery()))
    assert outcomes[0].error is not None
    assert outcomes[0].error.rule == "recipients.age"
    assert portal.files() == {}


# -- the command ---------------------------------------------------------------------------------------------------


def _command(house: House, *options: str) -> list[str]:
    where = ["--home", str(house.home.root), "--policy", str(house.policy_folder)]
    return [sys.executable, "-c", "from pipelines.cli import main; main()", "deliver", *where, *options]


def _run(house: House, *options: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, **house.environ}
    return subprocess.run(
        _command(house, *options), env=environ, capture_output=True, text=True, timeout=120, check=False
    )


def test_a_command_that_is_killed_is_gone_on_with_and_a_second_one_beside_it_is_refused(
    sftp_house: House, portal: SftpPortal
) -> None:
    portal.faults.hold_at = "certificate.sig"
    process = subprocess.Popen(
        _command(sftp_house), env={**os.environ, **sftp_house.environ}, stdout=subprocess.DEVNULL
    )
    try:
        assert portal.faults.held.wait(60)
        with pytest.raises(LedgerError) as refused:
            list(deliver(sftp_house.delivery()))
        assert (refused.value.rule, refused.value.exit_code) == ("deliver.lock", 14)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    assert "in/sections/2026-11-21/certificate.json" not in portal.files()
    written = portal.faults.written["report.ja.html"]
    assert written == len(sftp_house.package("info-a", PERIODS[0])["report.ja.html"])
    portal.faults.hold_at = ""
    assert next(iter(deliver(sftp_house.delivery(), (), [PERIODS[0]]))).sent_n == 2
    assert portal.faults.written["report.ja.html"] == written
    assert "in/sections/2026-11-21/certificate.json" in portal.files()


def test_the_command_tells_what_it_did_and_ends_with_the_worst_code(sftp_house: House, portal: SftpPortal) -> None:
    _flip(sftp_house)
    told = _run(sftp_house, "--json")
    assert told.returncode == 12
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert [(line["period"], line["status"]) for line in lines] == [(PERIODS[0], "failed"), (PERIODS[1], "delivered")]
    assert lines[0]["error"]["rule"] == "deliver.package"
    assert told.stderr.startswith("quorum: deliver.package")
    again = _run(sftp_house, "--period", PERIODS[1])
    assert (again.returncode, again.stdout) == (0, "0 of 0 packages delivered\n")


def test_neither_command_nor_error_shows_a_secret(sftp_house: House, login: asyncssh.SSHKey) -> None:
    words = login.export_private_key().decode().split("\n")[1]
    sftp_house.environ["QUORUM_LOGIN_A"] = login.export_private_key().decode()[:-60]
    told = _run(sftp_house)
    assert told.returncode == 14
    assert words not in told.stdout + told.stderr
    assert "Traceback" not in told.stderr


def test_four_attempts_and_no_more() -> None:
    assert len(run.PAUSES) + 1 == 4
    assert sum(run.PAUSES) < 60
