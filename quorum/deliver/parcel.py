"""A published package, read once and checked: what may be sent to its recipient, and to nobody else.

What belongs here: from an entry of the ledger to bytes that were verified. What does not: sending them.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quorum.errors import PolicyError, ReleaseError
from quorum.policy.targets import Target
from quorum.release.certificate import CERTIFICATE, SIGNATURE
from quorum.release.package import package_path
from quorum.release.recall import RECALL
from quorum.release.verify import verify_packages
from quorum.tables import PackageShape
from quorum.zones import Home


@dataclass(frozen=True)
class Item:
    """A file that is sent.

    Args:
        name: its name at the recipient's.
        data: its bytes.
        sha256: of them, hex.
    """

    name: str
    data: bytes
    sha256: str


@dataclass(frozen=True)
class Parcel:
    """A package that was verified, in memory: what is sent is what was verified, whatever becomes of the folder.

    Args:
        recipient_id: whose it is, as its signed certificate says.
        report: which report.
        period: of which period.
        certificate: SHA-256 of ``certificate.json``, hex, as the ledger has it.
        items: its files; ``certificate.json`` is the last: where it lies, everything does.
    """

    recipient_id: str
    report: str
    period: str
    certificate: str
    items: tuple[Item, ...]

    @property
    def digest(self) -> str:
        """SHA-256, hex, over ``<sha256>  <name>`` of all files, in order of name, as ``sha256sum`` writes it."""
        lines = sorted((item.name, item.sha256) for item in self.items)
        return hashlib.sha256("".join(f"{digest}  {name}\n" for name, digest in lines).encode()).hexdigest()

    @property
    def byte_n(self) -> int:
        """Bytes of all files."""
        return sum(len(item.data) for item in self.items)


def item(name: str, data: bytes) -> Item:
    """Return a file with its digest."""
    return Item(name, data, hashlib.sha256(data).hexdigest())


def open_parcel(home: Home, key: Ed25519PublicKey, release: Mapping[str, Any]) -> Parcel:
    """Read and check a package.

    Args:
        home: the run-time state.
        key: the public key that signed it.
        release: the body of the ledger's entry of the release.

    Raises:
        ReleaseError: it is not in its place, is reached through a link, does not verify, or is not what was entered.

    Guarantee:
        The bytes are those of the files that its certificate lists; the certificate is signed, is the one that the
        ledger has, and names the recipient, report and period of the folder in which it lies.
    """
    whose = (str(release["recipient_id"]), str(release["report"]), str(release["period"]))
    recipient_id, report, period = whose
    released = package_path(PackageShape(recipient_id, report, period.removesuffix(f".{RECALL}"), ()))
    path = released.with_name(period)
    folder = home.out / path
    if not folder.is_dir() or folder.resolve() != home.out.resolve() / path:
        raise _refuse(whose, "is not in its place")
    verdict = verify_packages([folder], key)[0]
    if not verdict.is_valid:
        raise _refuse(whose, f"does not verify: {', '.join(sorted({p.check for p in verdict.problems}))}")
    if (verdict.recipient, verdict.report, verdict.period) != whose or verdict.certificate != release["certificate"]:
        raise _refuse(whose, "is another package than the ledger has")
    certificate = _read(folder / CERTIFICATE)
    if hashlib.sha256(certificate).hexdigest() != verdict.certificate:
        raise _refuse(whose, "changed while it was read")
    digests: dict[str, str] = json.loads(certificate)["files"]
    items = [item(name, _read(folder / name)) for name in sorted(digests)]
    if any(found.sha256 != digests[found.name] for found in items):
        raise _refuse(whose, "changed while it was read")
    items += [item(SIGNATURE, _read(folder / SIGNATURE)), item(CERTIFICATE, certificate)]
    return Parcel(*whose, verdict.certificate, tuple(items))


def check_owner(parcel: Parcel, target: Target) -> None:
    """Refuse to send a package to a target of anybody but its recipient.

    Raises:
        PolicyError: it is another's.
    """
    if parcel.recipient_id != target.recipient_id:
        raise PolicyError(
            "deliver.owner", f"a package of {parcel.recipient_id} to {target.recipient_id}", "its own recipient", "stop"
        )


def _read(path: Path) -> bytes:
    """Return the bytes of a file that is no link."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), "rb") as file:
        return file.read()


def _refuse(whose: tuple[str, str, str], what: str) -> ReleaseError:
    recipient_id, report, period = whose
    return ReleaseError(
        "deliver.package",
        f"{report} {period} of {recipient_id} {what}",
        "a package as it was released",
        "quorum verify, then restore it from a backup",
    )
