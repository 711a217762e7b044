"""Targets of packages: what recipients.yaml must say, and that no place belongs to two recipients."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from quorum.errors import ConfigurationError
from quorum.policy import Policy, load_policy
from quorum.policy.targets import Target, targets

AGE = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
KEYS = [
    " ".join(asyncssh.generate_private_key(name).export_public_key().decode().split()[:2])
    for name in ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-ed25519")
]


def _sftp(**changes: object) -> dict[str, object]:
    return {
        "kind": "sftp",
        "endpoint": "sftp://quorum@files.example.jp/in",
        "host_keys": [KEYS[0]],
        "login": {"env": "QUORUM_A"},
        **changes,
    }


def _s3(**changes: object) -> dict[str, object]:
    return {
        "kind": "s3",
        "endpoint": "s3://reports/adv",
        "region": "ap-northeast-1",
        "login": {"file": "/etc/quorum/adv"},
        **changes,
    }


def _load(recipients: dict[str, object], default: object = None) -> dict[str, Target]:
    return targets({"default": default or {"kind": "folder"}, "recipients": recipients})


def _rule(recipients: dict[str, object], default: object = None) -> str:
    with pytest.raises(ConfigurationError) as refused:
        _load(recipients, default)
    return refused.value.rule


def test_an_sftp_target_is_read_whole() -> None:
    target = _load({"adv-01": _sftp(host_keys=[f"{KEYS[0]} root@files", KEYS[1]], encrypt_to=AGE)})["adv-01"]
    assert (target.host, target.port, target.user, target.path) == ("files.example.jp", 22, "quorum", ("in",))
    assert target.host_keys == (KEYS[0], KEYS[1])
    assert (target.login.variable, target.login.file, target.encrypt_to) == ("QUORUM_A", "", AGE)


def test_an_s3_target_is_reached_at_its_region_unless_a_service_is_named() -> None:
    found = _load({"a": _s3(), "b": _s3(endpoint="s3://other", service="https://S3.example.jp:9000")})
    assert (found["a"].host, found["a"].port) == ("s3.ap-northeast-1.amazonaws.com", 443)
    assert (found["a"].bucket, found["a"].path) == ("reports", ("adv",))
    assert (found["b"].host, found["b"].port, found["b"].path) == ("s3.example.jp", 9000, ())


@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        (_sftp(endpoint="sftp://files.example.jp/in"), "recipients.user"),
        (_sftp(endpoint="sftp://quorum:pw@files.example.jp/in"), "recipients.secret"),
        (_sftp(endpoint="sftp://quorum@files.example.jp/../in"), "recipients.path"),
        (_sftp(endpoint="sftp://quorum@files.example.jp/in/./x"), "recipients.path"),
        (_sftp(endpoint="sftp://quorum@files.example.jp/in//x"), "recipients.path"),
        (_sftp(endpoint="sftp://quorum@files.example.jp/in%2Fx"), "recipients.path"),
        (_sftp(endpoint="sftp://quorum@files.example.jp/~other"), "recipients.path"),
        (_sftp(endpoint="sftp://quorum@files.example.jp/in?x=1"), "recipients.endpoint"),
        (_sftp(endpoint="sftp://quorum@files.example.jp:99999/in"), "recipients.endpoint"),
        (_sftp(host_keys=[]), "recipients.host_key"),
        (_sftp(host_keys=["ssh-ed25519 AAAA"]), "recipients.host_key"),
        (_sftp(host_keys=["ssh-dss " + KEYS[0].split()[1]]), "recipients.host_key"),
        (_sftp(host_keys=["any"]), "recipients.host_key"),
        (_sftp(login={"env": "A", "file": "/a"}), "recipients.login"),
        (_sftp(login={"env": "lower"}), "recipients.login"),
        (_sftp(login={"key": "x"}), "policy.field"),
        (_sftp(login={"file": "login.key"}), "recipients.file"),
        (_sftp(login_token="x"), "recipients.secret"),
        (_sftp(verify=False), "policy.field"),
        (_sftp(encrypt_to="AGE-SECRET-KEY-1QQQQQQ"), "recipients.age"),
        (_s3(endpoint="s3://Reports/adv"), "recipients.bucket"),
        (_s3(endpoint="s3://reports:1/adv"), "recipients.bucket"),
        (_s3(endpoint="s3://reports/../other"), "recipients.path"),
        (_s3(service="http://127.0.0.1:9000"), "recipients.endpoint"),
        (_s3(service="https://s3.example.jp/path"), "recipients.service"),
        (_s3(service="https://user@s3.example.jp"), "recipients.service"),
        (_s3(region="ap.evil.example/"), "recipients.region"),
        (_s3(ca_file="ca.pem"), "recipients.file"),
        (_s3(verify=False), "policy.field"),
    ],
)
def test_what_is_missing_unknown_or_means_something_else_is_refused(settings: dict[str, object], rule: str) -> None:
    assert _rule({"adv-01": settings}) == rule


@pytest.mark.parametrize("who", ["../adv", "adv 1", "adv/1", "-adv", "", "a" * 65])
def test_an_id_that_is_no_file_name_is_refused(who: str) -> None:
    assert _rule({who: {"kind": "folder"}}) == "recipients.id"


def test_ids_that_differ_in_case_alone_are_refused() -> None:
    assert _rule({"adv-01": {"kind": "folder"}, "ADV-01": {"kind": "folder"}}) == "recipients.twins"


def test_a_default_that_everybody_would_share_is_refused() -> None:
    assert _rule({}, _sftp()) == "recipients.default"


def _at(url: str, **changes: object) -> dict[str, object]:
    return _sftp(endpoint=url, **changes)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_sftp(), _sftp()),
        (_sftp(), _at("sftp://quorum@files.example.jp/in/")),
        (_sftp(), _at("sftp://quorum@files.example.jp/IN")),
        (_sftp(), _at("sftp://quorum@FILES.example.jp./in")),
        (_sftp(), _at("sftp://quorum@files.example.jp/in/adv-02")),
        (_sftp(), _at("sftp://quorum@files.example.jp/")),
        (_sftp(), _at("sftp://quorum@files.example.jp")),
        (_sftp(), _at("sftp://quorum@files.example.jp:22/in")),
        (_sftp(), _at("sftp://other@files.example.jp/in")),
        (_sftp(), _at("sftp://quorum@files.example.jp/in", host_keys=[KEYS[2]])),
        (_sftp(), _at("sftp://quorum@192.0.2.1/in", host_keys=[KEYS[1], KEYS[0]])),
        (_s3(), _s3()),
        (_s3(), _s3(endpoint="s3://reports/adv/")),
        (_s3(), _s3(endpoint="s3://reports/ADV")),
        (_s3(), _s3(endpoint="s3://reports/adv/02")),
        (_s3(), _s3(endpoint="s3://reports")),
        (_s3(), _s3(service="https://s3.example.jp")),
        (_s3(), _s3(encrypt_to=AGE)),
    ],
)
def test_a_place_of_two_recipients_is_refused_however_it_is_written(one: object, other: object) -> None:
    assert _rule({"adv-01": one, "adv-02": other}) == "recipients.place"
    assert _rule({"adv-01": other, "adv-02": one}) == "recipients.place"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_sftp(), _at("sftp://quorum@files.example.jp/in-2")),
        (_sftp(), _at("sftp://quorum@other.example.jp/in", host_keys=[KEYS[2]])),
        (_s3(), _s3(endpoint="s3://reports/adv-2")),
        (_s3(), _s3(endpoint="s3://others/adv")),
        (_sftp(), _s3()),
    ],
)
def test_places_of_their_own_are_allowed(one: object, other: object) -> None:
    assert len({target.place for target in _load({"adv-01": one, "adv-02": other}).values()}) == 2


def test_where_packages_go_does_not_change_what_they_are_made_by(edited: Callable[..., Path], policy: Policy) -> None:
    """A recipient that moves in the middle of a month splits neither its week nor anybody's month."""
    settings: dict[str, Any] = _s3()
    folder = edited(("recipients.yaml", "recipients: {}", f"recipients: {{adv-01: {settings}}}"))
    moved = load_policy(folder)
    assert moved.recipients["adv-01"].bucket == "reports"
    assert moved.digest == policy.digest
