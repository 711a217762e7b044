"""Keys: one master key outside the home, everything else derived from it by HKDF-SHA256 (RFC 5869).

What belongs here: finding, making and deriving keys. What does not: what they are used for.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from quorum.errors import LedgerError

KEY_BYTES = 32
DEFAULT_KEY_FILE = "~/.config/quorum/master.key"


@dataclass(frozen=True)
class KeyRing:
    """Derives every key of the product from one master key.

    Args:
        master: 32 random bytes. Never shown by ``repr``.
    """

    master: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.master) != KEY_BYTES:
            raise LedgerError("keys.length", f"a master key of {len(self.master)} bytes", f"{KEY_BYTES} bytes, hex")

    def derive(self, purpose: str, length: int = KEY_BYTES) -> bytes:
        """Return the key for a purpose, e.g. ``pseudonym/cookie`` or ``signing``; the same for the same master key.

        Args:
            purpose: a path-like name; different names give independent keys.
            length: bytes, at most 8160.

        Source: RFC 5869, HKDF with SHA-256 and an empty salt.
        """
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(algorithm=SHA256(), length=length, salt=None, info=f"quorum/v1/{purpose}".encode()).derive(
            self.master
        )


def load_keyring(environ: dict[str, str], *, make: bool = True) -> tuple[KeyRing, Path | None]:
    """Find the master key: ``QUORUM_MASTER_KEY`` (hex), else the key file, else make one.

    Args:
        environ: the process environment.
        make: whether a missing key file may be made.

    Returns:
        The key ring, and the path of the key file if this call has just made it (say that it must be backed up).

    Raises:
        LedgerError: the key is malformed, readable by others, or missing while ``make`` is false.
    """
    if "QUORUM_MASTER_KEY" in environ:
        return KeyRing(_from_hex(environ["QUORUM_MASTER_KEY"], "QUORUM_MASTER_KEY")), None
    path = Path(environ.get("QUORUM_MASTER_KEY_FILE", DEFAULT_KEY_FILE)).expanduser()
    if path.exists():
        if path.stat().st_mode & 0o077:
            raise LedgerError(
                "keys.mode", "a key file that others can read", "mode 0600", "chmod 600 the file named by the setting"
            )
        return KeyRing(_from_hex(path.read_text(encoding="ascii"), "the key file")), None
    if not make:
        raise LedgerError("keys.missing", "no master key", "QUORUM_MASTER_KEY or QUORUM_MASTER_KEY_FILE")
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    master = secrets.token_bytes(KEY_BYTES)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as out:
        out.write(master.hex() + "\n")
    return KeyRing(master), path


def _from_hex(text: str, where: str) -> bytes:
    try:
        return bytes.fromhex(text.strip())
    except ValueError:
        raise LedgerError("keys.format", f"{where} is not hexadecimal", f"{KEY_BYTES} bytes as hex") from None
