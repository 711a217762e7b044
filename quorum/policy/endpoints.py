"""Where packages are delivered to (``recipients.yaml``): a folder, or an endpoint that is encrypted in transit.

What belongs here: refusing what is not (clause S-02). What does not: delivering.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import SplitResult, urlsplit

from quorum.errors import ConfigurationError
from quorum.policy import fields

FOLDER = "folder"
SCHEMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"sftp": ("sftp",), "https": ("https",), "s3": ("s3", "https")}
)
"""Kind of delivery to the schemes of its endpoint. ``s3`` names a bucket, which is reached over TLS."""

_SECRET = ("password", "passwd", "secret", "token")


def deliveries(document: Mapping[str, Any]) -> dict[str, Mapping[str, object]]:
    """Return recipient to delivery settings, each of them checked.

    Args:
        document: ``recipients.yaml``.

    Raises:
        ConfigurationError: a kind that does not exist, an endpoint that is missing or not encrypted in transit, or a
            secret in the file.
    """
    parts = fields.fields("recipients.yaml", document, ["default", "recipients"])
    listed = fields.mapping("recipients.yaml: recipients", parts["recipients"])
    for who, settings in {"default": parts["default"], **listed}.items():
        _check(who, fields.mapping(f"recipients.yaml: {who}", settings))
    return {who: MappingProxyType(dict(settings)) for who, settings in listed.items()}


def check_endpoint(url: str, schemes: tuple[str, ...] = ("sftp", "https", "s3")) -> None:
    """Refuse an endpoint that is not encrypted in transit, or that carries a password.

    Args:
        url: where it is, e.g. ``sftp://files.example.jp/in``.
        schemes: the schemes that are allowed.

    Raises:
        ConfigurationError: it is one of these; the message does not quote it.
    """
    address = _split(url)
    if address is None or address.scheme not in schemes or not address.hostname:
        raise ConfigurationError(
            "recipients.endpoint",
            "an endpoint that is not encrypted in transit (S-02)",
            ", ".join(f"{scheme}://host/..." for scheme in schemes),
            "correct recipients.yaml",
        )
    if address.password is not None:
        raise ConfigurationError(
            "recipients.secret", "a password in an endpoint", "no secret in policy/", "take it out"
        )


def _check(who: str, settings: Mapping[str, Any]) -> None:
    if any(word in str(name).lower() for name in settings for word in _SECRET):
        raise ConfigurationError("recipients.secret", f"a secret of {who}", "no secret in policy/", "take it out")
    kind = str(settings.get("kind"))
    if kind == FOLDER and "endpoint" not in settings:
        return
    if kind not in SCHEMES or not isinstance(settings.get("endpoint"), str):
        raise ConfigurationError(
            "recipients.kind",
            f"{who} with kind {kind!r}",
            f"{FOLDER} without an endpoint; {', '.join(SCHEMES)} with one",
            "correct recipients.yaml",
        )
    check_endpoint(settings["endpoint"], SCHEMES[kind])


def _split(url: str) -> SplitResult | None:
    """Return the parts of an address; None for one that has none, or that readers would take apart differently."""
    if not url.isascii() or not url.isprintable() or any(c in url for c in " \\"):
        return None
    try:
        return urlsplit(url)
    except ValueError:
        return None
