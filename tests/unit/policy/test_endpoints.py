"""Where packages go: a folder, or an endpoint that is encrypted in transit; no secret stands in the file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from quorum.errors import ConfigurationError
from quorum.policy import Policy, load_policy
from quorum.policy.endpoints import check_endpoint
from quorum.tables import Catalog

HOST_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJrNvCZ8cFNBkRA7KVd1kcOd5QTkQEBGJEYhcOcKPVEy"
_SFTP = f"{{kind: sftp, endpoint: 'sftp://quorum@files.example.jp/in', host_keys: [{HOST_KEY}], login: {{env: A}}}}"
_S3 = "{kind: s3, endpoint: 's3://bucket/in', region: ap-northeast-1, login: {file: /etc/quorum/s3}}"
_SECRETS = ("password", "passwd", "passcode", "pin", "secret", "credential", "パスワード", "暗証番号")


@pytest.mark.clause("S-02")
@pytest.mark.parametrize(
    "url", ["sftp://files.example.jp/in", "https://upload.example.jp/q?x=1", "s3://bucket/reports"]
)
def test_an_endpoint_that_is_encrypted_in_transit_is_allowed(url: str) -> None:
    check_endpoint(url)


@pytest.mark.clause("S-02")
@pytest.mark.parametrize(
    "url",
    [
        "http://upload.example.jp/in",
        "ftp://files.example.jp/in",
        "ftps://files.example.jp/in",
        "telnet://files.example.jp",
        "file:///srv/in",
        "files.example.jp/in",
        "//files.example.jp/in",
        "https:///in",
        "https://",
        "https:\\\\files.example.jp",
        " https://files.example.jp",
        "https://[files.example.jp/in",
        "https://ﬁles.example.jp/in",
        "",
    ],
)
def test_any_other_endpoint_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        check_endpoint(url)
    assert refused.value.rule == "recipients.endpoint"
    assert "files.example.jp" not in str(refused.value)


def test_a_password_in_an_endpoint_is_refused_and_not_quoted() -> None:
    with pytest.raises(ConfigurationError) as refused:
        check_endpoint("sftp://quorum:hunter2@files.example.jp/in")
    assert refused.value.rule == "recipients.secret"
    assert "hunter2" not in str(refused.value)


@pytest.mark.clause("S-02")
@pytest.mark.parametrize(
    ("settings", "rule"),
    [
        (_SFTP, None),
        (_S3, None),
        ("{kind: folder}", None),
        ("{kind: sftp, endpoint: 'ftp://files.example.jp/in'}", "recipients.endpoint"),
        ("{kind: s3, endpoint: 'http://files.example.jp/in'}", "recipients.endpoint"),
        ("{kind: s3, endpoint: 'sftp://files.example.jp/in'}", "recipients.endpoint"),
        ("{kind: https, endpoint: 'https://files.example.jp/in'}", "recipients.kind"),
        ("{kind: sftp}", "recipients.kind"),
        ("{kind: sftp, endpoint: 'sftp://quorum@files.example.jp/in', login: {env: A}}", "policy.field"),
        ("{kind: folder, endpoint: 'https://files.example.jp'}", "recipients.kind"),
        ("{kind: mail, endpoint: 'https://files.example.jp'}", "recipients.kind"),
        ("{endpoint: 'https://files.example.jp'}", "recipients.kind"),
        ("{kind: folder, api_token: x}", "recipients.secret"),
    ],
)
def test_settings_of_a_recipient_are_checked_when_the_policy_loads(
    edited: Callable[..., Path], settings: str, rule: str | None
) -> None:
    folder = edited(("recipients.yaml", "recipients: {}", f"recipients: {{adv-01: {settings}}}"))
    if rule is None:
        assert ("adv-01" in load_policy(folder).recipients) == ("endpoint" in settings)
        return
    with pytest.raises(ConfigurationError) as refused:
        load_policy(folder)
    assert refused.value.rule == rule


@pytest.mark.clause("S-02")
def test_no_table_and_no_category_holds_a_password(catalog: Catalog, policy: Policy) -> None:
    names = [f"{table.name}.{column.name}" for table in catalog.tables.values() for column in table.columns]
    names += [f"{code} {category.ja} {category.en}" for code, category in policy.columns.items()]
    assert len(names) > 300
    for name in names:
        words = name.lower().replace(".", "_").replace(" ", "_").split("_")
        assert not any(secret in words or (len(secret) > 3 and secret in name.lower()) for secret in _SECRETS), name
