"""Secrets of logins: read when they are needed, from where ``recipients.yaml`` says, and told to nobody.

What belongs here: the environment variable, and the file that nobody else can read. What does not: what they are
used for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from quorum.errors import LedgerError
from quorum.policy.targets import Target


@dataclass(frozen=True)
class Secret:
    """What a login needs to know.

    Args:
        text: a private key, or an access key and its secret. Never shown by ``repr``.
    """

    text: str = field(repr=False)

    def pair(self, target: Target) -> tuple[str, str]:
        """Return an access key and its secret.

        Raises:
            LedgerError: it is not two words.
        """
        words = self.text.split()
        if len(words) != 2:
            raise login_error(target, "holds no access key", "the access key and its secret, two words")
        return words[0], words[1]


def read_secret(target: Target, environ: Mapping[str, str]) -> Secret:
    """Return the secret of a target's login.

    Args:
        target: names the variable or the file.
        environ: the process environment.

    Raises:
        LedgerError: the variable or the file is missing, empty, no text, or can be read by others.
    """
    if target.login.variable:
        text = environ.get(target.login.variable, "")
    else:
        path = Path(target.login.file)
        try:
            if path.stat().st_mode & 0o077:
                raise login_error(target, "is in a file that others can read", "mode 0600")
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise login_error(target, "cannot be read", "the file that recipients.yaml names") from None
    if not text.strip():
        raise login_error(target, "is missing", "the variable or file that recipients.yaml names")
    return Secret(text)


def login_error(target: Target, what: str, allowed: str) -> LedgerError:
    """Return the refusal of a login; it names the recipient, never the secret."""
    return LedgerError(
        "deliver.login", f"the {target.kind} login of {target.recipient_id} {what}", allowed, "see recipients.yaml"
    )
