"""What a recipient can check offline: every changed byte, file and link of a chain is named."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from verify_chain import KEYS, release, small_night
from verify_chain import chain as make_chain

from quorum.errors import ReleaseError
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.release.certificate import digest_files, export_public_key, load_public_key, sign
from quorum.release.verify import verify_packages
from quorum.tables import PackageShape
from quorum.zones import Home


@pytest.fixture(scope="module")
def night(policy: Policy) -> tuple[PackageShape, dict[str, pa.Table]]:
    return small_night(policy)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Ed25519PublicKey:
    return load_public_key(export_public_key(Home(tmp_path_factory.mktemp("home")), KEYS))


@pytest.fixture(scope="module")
def chain(
    tmp_path_factory: pytest.TempPathFactory, night: tuple[PackageShape, dict[str, pa.Table]], policy: Policy
) -> list[Path]:
    """Four days of one recipient and report."""
    return make_chain(tmp_path_factory.mktemp("out"), night, policy)


@pytest.fixture
def package(chain: list[Path], tmp_path: Path) -> Path:
    return Path(shutil.copytree(chain[0], tmp_path / "package"))


@pytest.fixture
def days(chain: list[Path], tmp_path: Path) -> list[Path]:
    return [Path(shutil.copytree(folder, tmp_path / "chain" / folder.name)) for folder in chain]


def _named(folder: Path, key: Ed25519PublicKey) -> set[tuple[str, str]]:
    (verdict,) = verify_packages([folder], key)
    assert verdict.is_valid == (not verdict.problems)
    return {(problem.check, problem.file) for problem in verdict.problems}


def _resign(folder: Path, change: Callable[[dict[str, object]], None] = lambda _: None) -> None:
    """Sign a folder anew as the house would that made a mistake: digests of what is there now."""
    certificate = json.loads((folder / "certificate.json").read_bytes())
    certificate["files"] = digest_files(folder)
    change(certificate)
    sign(folder, certificate, KEYS)


def test_a_lone_package_verifies_with_its_chain_not_checked(package: Path, key: Ed25519PublicKey) -> None:
    (verdict,) = verify_packages([package], key)
    assert (verdict.is_valid, verdict.chain, verdict.problems) == (True, "not_checked", ())
    record = verdict.as_record()
    assert (record["recipient_id"], record["report"], record["period"]) == ("info-a", "sections", "2026-11-21")


def test_a_chain_verifies_in_any_order_of_arguments(days: list[Path], key: Ed25519PublicKey) -> None:
    for folders in (days, days[::-1], [days[2], days[0], days[3], days[1]], days[1:]):
        verdicts = verify_packages(folders, key)
        assert [verdict.folder for verdict in verdicts] == folders
        assert {(verdict.is_valid, verdict.chain) for verdict in verdicts} == {(True, "intact")}


def test_every_flipped_byte_is_named(package: Path, key: Ed25519PublicKey) -> None:
    rng, flips = np.random.default_rng(3), 0
    for path in sorted(package.iterdir()):
        whole = path.read_bytes()
        is_certificate = path.name.startswith("certificate.")
        sample = range(len(whole)) if len(whole) < 200 else rng.choice(len(whole), 150, replace=False).tolist()
        for position in sample:
            changed = bytearray(whole)
            changed[position] ^= int(rng.integers(1, 256))
            path.write_bytes(changed)
            expected = ("signature" if is_certificate else "files", path.name)
            assert expected in _named(package, key), (path.name, position)
            flips += 1
        path.write_bytes(whole)
    assert flips > 1_500
    assert not _named(package, key)


def test_every_cut_and_every_added_byte_is_named(package: Path, key: Ed25519PublicKey) -> None:
    for path in sorted(package.iterdir()):
        whole = path.read_bytes()
        for changed in (b"", whole[:-1], whole[1:], whole + b"\n", whole + whole):
            path.write_bytes(changed)
            assert path.name in {file for _, file in _named(package, key)}, path.name
        path.write_bytes(whole)


def test_every_missing_and_every_extra_file_is_named(package: Path, key: Ed25519PublicKey) -> None:
    for path in sorted(package.iterdir()):
        whole = path.read_bytes()
        path.unlink()
        assert path.name in {file for _, file in _named(package, key)}, path.name
        path.write_bytes(whole)
    (package / "notes.txt").write_text("x")
    assert _named(package, key) == {("files", "notes.txt")}
    (package / "notes.txt").unlink()
    (package / "more").mkdir()
    assert _named(package, key) == {("files", "more")}


def test_a_link_in_place_of_a_file_is_named(package: Path, key: Ed25519PublicKey, tmp_path: Path) -> None:
    (package / "report.en.html").rename(tmp_path / "page")
    (package / "report.en.html").symlink_to(tmp_path / "page")
    assert _named(package, key) == {("files", "report.en.html")}


def test_two_files_in_exchange_are_named(package: Path, key: Ed25519PublicKey) -> None:
    one, two = package / "section_area.csv", package / "section_hour.csv"
    first, second = one.read_bytes(), two.read_bytes()
    one.write_bytes(second)
    two.write_bytes(first)
    assert _named(package, key) == {("files", one.name), ("files", two.name)}


def test_another_key_is_no_signature(package: Path) -> None:
    stranger = load_public_key(export_public_key(Home(package.parent / "other"), KeyRing(bytes(32))))
    assert _named(package, stranger) == {("signature", "certificate.json"), ("signature", "certificate.sig")}


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b"null", b'{"files": 1}', b"\xff\xfe", b'{"a":' * 5])
def test_what_is_no_certificate_is_named_even_when_signed(package: Path, key: Ed25519PublicKey, text: bytes) -> None:
    (package / "certificate.json").write_bytes(text)
    (package / "certificate.sig").write_bytes(Ed25519PrivateKey.from_private_bytes(KEYS.derive("signing")).sign(text))
    assert _named(package, key) == {("signature", "certificate.json")}


def test_a_signed_package_whose_csv_and_parquet_differ_is_named(package: Path, key: Ed25519PublicKey) -> None:
    path = package / "section_device.csv"
    path.write_text(re.sub(r"(ALL,)(\d+)", lambda m: f"{m[1]}{int(m[2]) + 1}", path.read_text(), count=1))
    _resign(package)
    assert ("schema", "datapackage.json") in _named(package, key)


def test_a_signed_package_with_a_small_cell_is_named(package: Path, key: Ed25519PublicKey) -> None:
    _resign(package, lambda certificate: certificate["rule_set"]["heads"].update(views=10_000_000))
    named = _named(package, key)
    assert ("rules", "section_area.csv") in named
    assert ("schema", "datapackage.json") in named, "and it names another rule set than the description"


def test_a_signed_description_of_other_types_is_named(package: Path, key: Ed25519PublicKey) -> None:
    path = package / "datapackage.json"
    described = json.loads(path.read_bytes())
    described["resources"][0]["schema"]["fields"][1]["constraints"]["enum"].append("90s")
    described["resources"][1]["schema"]["fields"][-2]["type"] = "string"
    described["resources"][2]["hash"] = "sha256:" + "0" * 64
    path.write_text(json.dumps(described))
    _resign(package)
    files = {file for check, file in _named(package, key) if check == "schema"}
    assert files == {"section_age_gender.csv", "section_area.parquet", "section_device.csv"}


def test_a_signed_description_without_a_digest_is_named(package: Path, key: Ed25519PublicKey) -> None:
    path = package / "datapackage.json"
    described = json.loads(path.read_bytes())
    del described["resources"][0]["hash"]
    path.write_text(json.dumps(described))
    _resign(package)
    assert _named(package, key) == {("schema", "datapackage.json")}


@pytest.mark.parametrize("text", ["[]", "{}", "null", "{"])
def test_a_signed_description_of_nothing_is_named(package: Path, key: Ed25519PublicKey, text: str) -> None:
    (package / "datapackage.json").write_text(text)
    _resign(package)
    assert _named(package, key) == {("schema", "datapackage.json")}


def test_a_signed_file_without_description_is_named(package: Path, key: Ed25519PublicKey) -> None:
    (package / "extra.csv").write_text("a\n1\n")
    (package / "report.en.html").unlink()
    _resign(package)
    assert _named(package, key) == {("schema", "extra.csv"), ("schema", "report.en.html")}


def test_a_gap_is_named_after_the_missing_package(days: list[Path], key: Ed25519PublicKey) -> None:
    verdicts = verify_packages([days[0], days[1], days[3]], key)
    assert [verdict.chain for verdict in verdicts] == ["intact", "intact", "broken"]
    assert "gap" in verdicts[2].problems[0].message


def test_a_package_given_twice_is_a_replay(days: list[Path], key: Ed25519PublicKey, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(days[1], tmp_path / "copy"))
    verdicts = verify_packages([*days, copy], key)
    assert [verdict.chain for verdict in verdicts] == ["intact"] * 4 + ["broken"]
    assert "replay" in verdicts[4].problems[0].message


def test_an_older_package_in_place_of_a_newer_is_named(days: list[Path], key: Ed25519PublicKey) -> None:
    shutil.rmtree(days[3])
    shutil.copytree(days[1], days[3])
    for folders in ([days[3]], days):
        verdict = verify_packages(folders, key)[-1]
        assert any("another period" in problem.message for problem in verdict.problems)
    assert verify_packages(days, key)[-1].chain == "broken"


def test_packages_in_exchange_are_named(days: list[Path], key: Ed25519PublicKey) -> None:
    aside = days[1].with_name("aside")
    days[1].rename(aside)
    days[2].rename(days[1])
    aside.rename(days[2])
    chains = [verdict.chain for verdict in verify_packages(days, key)]
    assert chains == ["intact", "broken", "broken", "intact"]


def test_a_fork_and_a_second_release_of_a_period_are_named(
    days: list[Path],
    key: Ed25519PublicKey,
    night: tuple[PackageShape, dict[str, pa.Table]],
    policy: Policy,
    tmp_path: Path,
) -> None:
    previous = json.loads((days[2] / "certificate.json").read_bytes())["previous"]
    shape = replace(night[0], period=days[2].name)
    fork, _ = release(tmp_path / "fork", shape, night[1], replace(policy, version=9), previous)
    verdicts = verify_packages([*days, fork], key)
    assert [verdict.chain for verdict in verdicts] == ["intact"] * 4 + ["broken"]
    messages = " ".join(problem.message for problem in verdicts[4].problems)
    assert "second release" in messages
    assert "fork" in messages


def test_a_second_beginning_is_named(
    days: list[Path],
    key: Ed25519PublicKey,
    night: tuple[PackageShape, dict[str, pa.Table]],
    policy: Policy,
    tmp_path: Path,
) -> None:
    anew, _ = release(tmp_path / "anew", replace(night[0], period="2026-12-24"), night[1], policy, None)
    assert [v.chain for v in verify_packages([*days, anew], key)] == ["intact"] * 4 + ["broken"]


def test_chains_of_several_recipients_do_not_mix(
    days: list[Path],
    key: Ed25519PublicKey,
    night: tuple[PackageShape, dict[str, pa.Table]],
    policy: Policy,
    tmp_path: Path,
) -> None:
    other, _ = release(tmp_path / "other", replace(night[0], recipient_id="info-b"), night[1], policy, None)
    verdicts = verify_packages([*days, other], key)
    assert [verdict.chain for verdict in verdicts] == ["intact"] * 4 + ["not_checked"]


def test_what_is_no_folder_is_refused(tmp_path: Path, key: Ed25519PublicKey) -> None:
    with pytest.raises(ReleaseError, match=r"verify\.package"):
        verify_packages([tmp_path / "none"], key)
    (tmp_path / "empty").mkdir()
    assert _named(tmp_path / "empty", key) == {("signature", "certificate.json"), ("signature", "certificate.sig")}
