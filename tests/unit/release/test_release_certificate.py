"""The certificate, its signature, and the key that recipients hold."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pyarrow as pa
import pytest

from quorum.errors import LedgerError
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.release.certificate import certify, export_public_key, is_signed, load_public_key, sign
from quorum.release.package import stage_package
from quorum.tables import PackageShape
from quorum.zones import Home

FIELDS = {
    "recipient",
    "report",
    "period",
    "code_version",
    "policy",
    "rule_set",
    "head_counts",
    "checks",
    "attacks",
    "budget",
    "files",
    "previous",
    "recalls",
}


@pytest.fixture
def folder(
    tmp_path: Path,
    shapes: dict[str, PackageShape],
    campaign_tables: dict[str, pa.Table],
    policy: Policy,
    pages: dict[str, bytes],
) -> Path:
    return stage_package(tmp_path, shapes["campaign"], campaign_tables, policy, pages)


def _certify(folder: Path, shape: PackageShape, policy: Policy) -> dict[str, object]:
    attacks = [{"attack": "elimination", "verdict": "passed"}]
    return certify(folder, shape, policy, code_version="1", checks=[], attacks=attacks, previous="ab" * 32)


@pytest.mark.clause("R-01")
def test_it_lists_every_file_with_its_digest(folder: Path, shapes: dict[str, PackageShape], policy: Policy) -> None:
    certificate = _certify(folder, shapes["campaign"], policy)
    assert set(certificate) == FIELDS
    assert certificate["files"] == {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}
    assert certificate["policy"] == {"version": policy.version, "digest": policy.digest}
    assert certificate["previous"] == "ab" * 32


def test_nothing_in_it_depends_on_what_is_withheld_but_the_digests(
    folder: Path, shapes: dict[str, PackageShape], policy: Policy, campaign_cubes: dict[str, pa.Table]
) -> None:
    certificate = _certify(folder, shapes["campaign"], policy)
    text = json.dumps({**certificate, "files": sorted(certificate["files"])})
    assert "withheld" not in text
    assert "cells" not in text


def test_it_is_canonical_and_signed_with_64_raw_bytes(
    folder: Path, shapes: dict[str, PackageShape], policy: Policy, keys: KeyRing, home: Home
) -> None:
    digest = sign(folder, _certify(folder, shapes["campaign"], policy), keys)
    text, signature = (folder / "certificate.json").read_bytes(), (folder / "certificate.sig").read_bytes()
    body = json.loads(text)
    assert text == json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    assert digest == hashlib.sha256(text).hexdigest()
    assert len(signature) == 64
    key = load_public_key(export_public_key(home, keys))
    assert is_signed(text, signature, key)
    assert not is_signed(text + b" ", signature, key)
    assert "certificate.json" not in body["files"]
    sign(folder, _certify(folder, shapes["campaign"], policy), keys)
    assert (folder / "certificate.sig").read_bytes() == signature


def test_openssl_verifies_what_we_sign(
    folder: Path, shapes: dict[str, PackageShape], policy: Policy, keys: KeyRing, home: Home
) -> None:
    openssl = shutil.which("openssl")
    assert openssl, "openssl is what recipients check with"
    sign(folder, _certify(folder, shapes["campaign"], policy), keys)
    key = export_public_key(home, keys)
    command = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", str(key), "-rawin", "-in", "certificate.json"]
    command += ["-sigfile", "certificate.sig"]
    assert subprocess.run(command, cwd=folder, capture_output=True).returncode == 0
    with (folder / "certificate.json").open("ab") as out:
        out.write(b" ")
    assert subprocess.run(command, cwd=folder, capture_output=True).returncode != 0


def test_only_the_public_key_is_written(home: Home, keys: KeyRing) -> None:
    path = export_public_key(home, keys)
    assert [p.name for p in home.keys.iterdir()] == ["signing.pub"]
    assert path.read_text(encoding="ascii").startswith("-----BEGIN PUBLIC KEY-----")
    assert export_public_key(home, keys) == path


def test_a_key_that_recipients_hold_is_not_replaced(home: Home, keys: KeyRing) -> None:
    export_public_key(home, keys)
    with pytest.raises(LedgerError, match=r"keys\.public"):
        export_public_key(home, KeyRing(bytes(32)))


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", b"\xff" * 32]
)
def test_what_is_no_public_key_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "key.pub").write_bytes(content)
    with pytest.raises(LedgerError, match=r"keys\.public"):
        load_public_key(tmp_path / "key.pub")
    with pytest.raises(LedgerError, match=r"keys\.public"):
        load_public_key(tmp_path / "none.pub")
