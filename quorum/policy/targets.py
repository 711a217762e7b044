"""Where packages are delivered to (``recipients.yaml``), and that no place belongs to two recipients.

What belongs here: reading the file into targets, and refusing what could hand one recipient another's reports. What
does not: delivering, and reading a secret: the file only says which environment variable or file holds it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import combinations
from typing import Any
from urllib.parse import SplitResult

from quorum.errors import ConfigurationError
from quorum.policy import fields
from quorum.policy.endpoints import check_endpoint, split

FOLDER, SFTP, S3 = "folder", "sftp", "s3"
_SECRET = ("password", "passwd", "secret", "token")
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[a-z0-9-]{2,32}")
_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_AGE = re.compile(r"age1[ac-hj-np-z02-9]{58}")
_KEY_KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")
_FIELDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    FOLDER: (("kind",), ()),
    SFTP: (("kind", "endpoint", "host_keys", "login"), ("encrypt_to",)),
    S3: (("kind", "endpoint", "region", "login"), ("service", "ca_file", "encrypt_to")),
}
"""Kind to the fields that it must have and those that it may have."""


@dataclass(frozen=True)
class Login:
    """Where the secret of a login is read from, when it is needed. Exactly one of the two is set.

    Args:
        variable: name of an environment variable.
        file: path of a file that others cannot read.
    """

    variable: str
    file: str


@dataclass(frozen=True)
class Target:
    """Where the packages of one recipient go.

    Args:
        recipient_id: whose packages, and nobody else's.
        kind: ``sftp`` or ``s3``.
        host: the server, in lower case; of ``s3`` that of the service.
        port: of the server.
        user: who logs in; empty for ``s3``.
        bucket: of ``s3``; else empty.
        path: below which packages lie, its parts; empty for the top.
        region: of ``s3``; else empty.
        ca_file: certificates that the service's own must descend from; empty for those that everybody trusts.
        host_keys: public keys of the server, ``kind base64``; empty for ``s3``, which is known by its certificate.
        login: where the private key, or the access key and its secret, is read from.
        encrypt_to: the recipient's age key; empty: files are sent as they are.
    """

    recipient_id: str
    kind: str
    host: str
    port: int
    user: str
    bucket: str
    path: tuple[str, ...]
    region: str
    ca_file: str
    host_keys: tuple[str, ...]
    login: Login
    encrypt_to: str

    @property
    def place(self) -> str:
        """Where it is and in which form it gets there, as a digest: a receipt names it, so that a move is seen."""
        path = "/".join(self.path)
        parts = (self.recipient_id, self.kind, self.host, str(self.port), self.bucket, path, self.encrypt_to)
        return sha256("\0".join(parts).encode()).hexdigest()[:16]


def targets(document: Mapping[str, Any]) -> dict[str, Target]:
    """Return recipient to target; a recipient with a folder alone, or not listed, has none.

    Args:
        document: ``recipients.yaml``.

    Raises:
        ConfigurationError: a kind that does not exist, a field that is missing or unknown, an endpoint that is not
            encrypted in transit, a server without its key, a secret in the file; a place of two recipients, or one
            within another's; two recipients whose ids differ in case alone; or a default that is not a folder.
    """
    parts = fields.fields("recipients.yaml", document, ["default", "recipients"])
    listed = fields.mapping("recipients.yaml: recipients", parts["recipients"])
    default = fields.mapping("recipients.yaml: default", parts["default"])
    if default.get("kind") != FOLDER:
        raise _wrong("recipients.default", "a default that all unlisted recipients would share", "{kind: folder}")
    found = {}
    for who, settings in {"default": default, **listed}.items():
        target = _target(who, fields.mapping(f"recipients.yaml: {who}", settings))
        if target is not None:
            found[who] = target
    if len({who.casefold() for who in listed}) != len(listed):
        raise _wrong("recipients.twins", "two recipients whose ids differ in case alone", "ids that differ")
    for one, other in combinations(found.values(), 2):
        if _is_shared(one, other):
            raise _wrong(
                "recipients.place",
                f"{one.recipient_id} and {other.recipient_id} share a place, or one lies within the other's",
                "a place of its own for each recipient; upper and lower case are the same",
            )
    return found


def _target(who: str, settings: Mapping[str, Any]) -> Target | None:
    """Return a recipient's target; None for a folder."""
    if any(word in str(name).lower() for name in settings for word in _SECRET):
        raise ConfigurationError("recipients.secret", f"a secret of {who}", "no secret in policy/", "take it out")
    if not _ID.fullmatch(who):
        raise _wrong("recipients.id", "a recipient whose id is no file name", "letters, digits, . _ -")
    kind = str(settings.get("kind"))
    if kind not in _FIELDS or (kind == FOLDER) == ("endpoint" in settings):
        raise _wrong("recipients.kind", f"{who} with kind {kind!r}", "folder without an endpoint; sftp, s3 with one")
    if kind != FOLDER:
        check_endpoint(str(settings["endpoint"]), (kind,))
    required, optional = _FIELDS[kind]
    fields.fields(f"recipients.yaml: {who}", settings, required, optional)
    if kind == FOLDER:
        return None
    return _sftp(who, settings) if kind == SFTP else _s3(who, settings)


def _sftp(who: str, settings: Mapping[str, Any]) -> Target:
    address = _address(who, settings["endpoint"])
    if not _USER.fullmatch(address.username or ""):
        raise _wrong("recipients.user", f"the endpoint of {who} without a user", "sftp://user@host/path")
    keys = fields.texts(f"recipients.yaml: {who}: host_keys", settings["host_keys"])
    if not keys:
        raise _wrong("recipients.host_key", f"{who} without a host key", "the server's public keys, e.g. ssh-ed25519 …")
    return Target(
        recipient_id=who,
        kind=SFTP,
        host=str(address.hostname).lower().rstrip("."),
        port=_port(who, address) or 22,
        user=str(address.username),
        bucket="",
        path=_path(who, address.path),
        region="",
        ca_file="",
        host_keys=tuple(_host_key(who, key) for key in keys),
        login=_login(who, settings["login"]),
        encrypt_to=_age_key(who, settings),
    )


def _s3(who: str, settings: Mapping[str, Any]) -> Target:
    address = _address(who, settings["endpoint"])
    region = fields.text(f"recipients.yaml: {who}: region", settings["region"])
    if not _REGION.fullmatch(region):
        raise _wrong("recipients.region", f"the region of {who}", "e.g. ap-northeast-1")
    if not _BUCKET.fullmatch(address.netloc):
        raise _wrong("recipients.bucket", f"the endpoint of {who}", "s3://bucket/path, a bucket in lower case")
    url = settings.get("service", f"https://s3.{region}.amazonaws.com")
    check_endpoint(str(url), ("https",))
    service = _address(who, url)
    if service.path not in ("", "/") or service.username is not None:
        raise _wrong("recipients.service", f"the service of {who}", "https://host:port, nothing else")
    return Target(
        recipient_id=who,
        kind=S3,
        host=str(service.hostname).lower().rstrip("."),
        port=_port(who, service) or 443,
        user="",
        bucket=address.netloc,
        path=_path(who, address.path),
        region=region,
        ca_file=_file(who, settings["ca_file"]) if "ca_file" in settings else "",
        host_keys=(),
        login=_login(who, settings["login"]),
        encrypt_to=_age_key(who, settings),
    )


def _is_shared(one: Target, other: Target) -> bool:
    """Say whether a place lies in the other; servers with the same name or a common key are the same.

    Who logs in makes no difference, nor does the name of a service: two names may lead to one store.
    """
    if one.kind != other.kind:
        return False
    if one.kind == SFTP and one.host != other.host and not {*one.host_keys} & {*other.host_keys}:
        return False
    if one.kind == S3 and one.bucket != other.bucket:
        return False
    first, second = ([part.casefold() for part in target.path] for target in (one, other))
    shorter = min(len(first), len(second))
    return first[:shorter] == second[:shorter]


def _address(who: str, url: object) -> SplitResult:
    address = split(str(url))
    if address is None or address.query or address.fragment or "?" in str(url) or "#" in str(url):
        raise _wrong("recipients.endpoint", f"the endpoint of {who}", "no query, no fragment")
    return address


def _port(who: str, address: SplitResult) -> int | None:
    try:
        return address.port
    except ValueError:
        raise _wrong("recipients.endpoint", f"the port of {who}", "a number below 65536") from None


def _path(who: str, text: str) -> tuple[str, ...]:
    """Return the parts of a path; nothing in it may mean something else to a server."""
    parts = tuple(text.strip("/").split("/")) if text.strip("/") else ()
    if not all(_SEGMENT.fullmatch(part) for part in parts):
        raise _wrong("recipients.path", f"the path of {who}", "parts of letters, digits, . _ - that begin with no dot")
    return parts


def _host_key(who: str, text: str) -> str:
    """Return ``kind base64`` of a public key, without its comment."""
    words = text.split()
    try:
        body = base64.b64decode(words[1], validate=True)
        kind = body[4 : 4 + int.from_bytes(body[:4])].decode("ascii")
    except (IndexError, binascii.Error, UnicodeDecodeError):
        kind = ""
    if kind not in _KEY_KINDS or kind != words[0]:
        raise _wrong("recipients.host_key", f"a host key of {who}", f"{', '.join(_KEY_KINDS)} and its base64")
    return f"{words[0]} {words[1]}"


def _login(who: str, value: object) -> Login:
    settings = fields.fields(f"recipients.yaml: {who}: login", value, (), ("env", "file"))
    if len(settings) != 1:
        raise _wrong("recipients.login", f"the login of {who}", "{env: NAME} or {file: /path}, one of them")
    if "file" in settings:
        return Login("", _file(who, settings["file"]))
    if not _VARIABLE.fullmatch(str(settings["env"])):
        raise _wrong("recipients.login", f"the login of {who}", "the name of a variable: A-Z, 0-9, _")
    return Login(str(settings["env"]), "")


def _file(who: str, value: object) -> str:
    text = fields.text(f"recipients.yaml: {who}: file", value)
    if not text.startswith("/"):
        raise _wrong("recipients.file", f"a file of {who}", "a path from the root, outside policy/")
    return text


def _age_key(who: str, settings: Mapping[str, Any]) -> str:
    if "encrypt_to" not in settings:
        return ""
    text = fields.text(f"recipients.yaml: {who}: encrypt_to", settings["encrypt_to"])
    if not _AGE.fullmatch(text):
        raise _wrong("recipients.age", f"encrypt_to of {who}", "a public age key, age1…")
    return text


def _wrong(rule: str, asked: str, allowed: str) -> ConfigurationError:
    return ConfigurationError(rule, asked, allowed, "correct recipients.yaml")
