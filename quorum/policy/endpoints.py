"""An address outside, to which something is sent: encrypted in transit, and without a password in it (clause S-02).

What belongs here: refusing any other. What does not: whose it is (`quorum.policy.targets`), and sending.
"""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from quorum.errors import ConfigurationError


def check_endpoint(url: str, schemes: tuple[str, ...] = ("sftp", "https", "s3")) -> None:
    """Refuse an endpoint that is not encrypted in transit, or that carries a password.

    Args:
        url: where it is, e.g. ``sftp://files.example.jp/in``.
        schemes: the schemes that are allowed.

    Raises:
        ConfigurationError: it is one of these; the message does not quote it.
    """
    address = split(url)
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


def split(url: str) -> SplitResult | None:
    """Return the parts of an address; None for one that has none, or that readers would take apart differently."""
    if not url.isascii() or not url.isprintable() or any(c in url for c in " \\"):
        return None
    try:
        return urlsplit(url)
    except ValueError:
        return None
