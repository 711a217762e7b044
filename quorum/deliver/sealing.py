"""Encryption to a recipient's age key, file by file, kept until it has arrived.

What belongs here: encrypting once. age draws a new key each time, so that the same file encrypted again is another
file: half of one and half of the other would be neither. What was encrypted is therefore kept in the outbox under the
digest of the package's certificate, and a delivery that goes on sends the same bytes. What does not: sending.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from quorum.deliver.parcel import Item, Parcel, item
from quorum.errors import ConfigurationError
from quorum.policy.targets import Target
from quorum.zones import Home

SUFFIX = ".age"


def sealed(home: Home, parcel: Parcel, target: Target) -> tuple[Item, ...]:
    """Return what is sent: the files as they are, or each encrypted, ``<name>.age``, in the same order.

    Args:
        home: holds the outbox.
        parcel: the package.
        target: says whether and to which key.

    Raises:
        ConfigurationError: the recipient's key is none.
    """
    if not target.encrypt_to:
        return parcel.items
    folder = _folder(home, parcel, target)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return tuple(item(each.name + SUFFIX, _once(folder / (each.name + SUFFIX), each, target)) for each in parcel.items)


def forget(home: Home, parcel: Parcel, target: Target) -> None:
    """Remove what was encrypted for a delivery that has arrived."""
    shutil.rmtree(_folder(home, parcel, target), ignore_errors=True)


def _folder(home: Home, parcel: Parcel, target: Target) -> Path:
    return home.outbox / target.place / parcel.certificate


def _once(path: Path, plain: Item, target: Target) -> bytes:
    """Return the encrypted bytes that are kept; those of this call, if there were none."""
    if not path.exists():
        unfinished = path.with_name(f".{path.name}.tmp")
        with unfinished.open("wb") as out:
            out.write(_encrypt(plain.data, target))
            out.flush()
            os.fsync(out.fileno())
        unfinished.replace(path)
    return path.read_bytes()


def _encrypt(data: bytes, target: Target) -> bytes:
    import pyrage

    try:
        key = pyrage.x25519.Recipient.from_str(target.encrypt_to)
    except pyrage.RecipientError:
        raise ConfigurationError(
            "recipients.age", f"encrypt_to of {target.recipient_id} is no age key", "age1…", "correct recipients.yaml"
        ) from None
    return bytes(pyrage.encrypt(data, [key]))
