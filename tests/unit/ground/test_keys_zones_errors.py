from __future__ import annotations

import hashlib
import hmac
from pathlib import Path

import pytest

from quorum import errors
from quorum.errors import LedgerError, QuorumError, worst
from quorum.keys import KeyRing, load_keyring
from quorum.zones import Home, Zone, zone_of


def test_derived_keys_follow_rfc_5869() -> None:
    master = bytes(range(32))
    pseudo_random = hmac.digest(bytes(32), master, hashlib.sha256)
    expected = hmac.digest(pseudo_random, b"quorum/v1/signing" + b"\x01", hashlib.sha256)
    assert KeyRing(master).derive("signing") == expected


def test_keys_differ_by_purpose_and_master() -> None:
    ring = KeyRing(bytes(32))
    assert len({ring.derive("a"), ring.derive("b"), KeyRing(bytes([1]) * 32).derive("a")}) == 3


def test_a_key_ring_never_shows_its_key() -> None:
    assert "11" not in repr(KeyRing(b"\x11" * 32))


def test_a_missing_key_file_is_made_once_and_private(tmp_path: Path) -> None:
    environ = {"QUORUM_MASTER_KEY_FILE": str(tmp_path / "sub" / "master.key")}
    first, made = load_keyring(environ)
    again, not_made = load_keyring(environ)
    assert made is not None and made.stat().st_mode & 0o777 == 0o600
    assert not_made is None and first == again


@pytest.mark.parametrize(
    ("environ", "rule"),
    [
        ({"QUORUM_MASTER_KEY": "zz"}, "keys.format"),
        ({"QUORUM_MASTER_KEY": "00" * 31}, "keys.length"),
    ],
)
def test_a_malformed_key_is_refused_without_showing_it(environ: dict[str, str], rule: str) -> None:
    with pytest.raises(LedgerError) as caught:
        load_keyring(environ)
    assert caught.value.rule == rule
    assert environ["QUORUM_MASTER_KEY"] not in str(caught.value)


def test_a_key_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    path.write_text("00" * 32)
    path.chmod(0o644)
    with pytest.raises(LedgerError, match=r"keys\.mode"):
        load_keyring({"QUORUM_MASTER_KEY_FILE": str(path)})


def test_no_key_and_none_may_be_made(tmp_path: Path) -> None:
    with pytest.raises(LedgerError, match=r"keys\.missing"):
        load_keyring({"QUORUM_MASTER_KEY_FILE": str(tmp_path / "none")}, make=False)


def test_exit_codes_win_in_the_stated_order() -> None:
    assert worst([]) == 0
    assert worst([11, 12]) == 12
    assert worst([12, 13, 11]) == 13
    assert worst([13, 14]) == 14
    assert worst([1, 10]) == 10


def test_each_error_has_its_exit_code() -> None:
    kinds = [errors.UsageError, errors.ConfigurationError, errors.InputError, errors.ReleaseError, errors.PolicyError]
    assert [kind.exit_code for kind in kinds] == [2, 10, 11, 12, 13]
    assert QuorumError("rule", "asked", "allowed", "remedy").as_record() == {
        "code": 1,
        "rule": "rule",
        "message": "rule: asked; allowed: allowed; do: remedy",
    }


def test_zones_and_paths() -> None:
    home = Home(Path("/h"))
    assert zone_of("cube__campaign_daily") is Zone.CUBE
    assert home.table("vault__member") == Path("/h/vault/vault__member")
    assert home.table("seg__person_day") == Path("/h/warehouse/seg/seg__person_day")
    assert [zone.rank for zone in Zone] == [0, 1, 2, 3, 4, 5, 6]
    with pytest.raises(ValueError, match="zone__subject"):
        zone_of("plain")
