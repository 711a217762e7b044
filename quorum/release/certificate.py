"""The certificate: what a package is, by which rules, what attacked it, digests of its files, and the one before it.

What belongs here: the certificate's fields, the signing key and the signature. What does not: checking a package that
somebody holds (`quorum.release.verify`), and anything that counts what was withheld; that stays in the ledger.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from quorum.errors import LedgerError
from quorum.keys import KeyRing
from quorum.ledger.store import canonical
from quorum.policy import Policy
from quorum.release.package import rule_numbers
from quorum.tables import PackageShape
from quorum.zones import Home

CERTIFICATE = "certificate.json"
SIGNATURE = "certificate.sig"
PUBLIC_KEY = "signing.pub"
SIGNATURE_BYTES = 64
_PURPOSE = "signing"


def certify(
    folder: Path,
    shape: PackageShape,
    policy: Policy,
    *,
    code_version: str,
    checks: Sequence[Mapping[str, str]],
    attacks: Sequence[Mapping[str, str]],
    recalls: Sequence[Mapping[str, str]] = (),
    previous: str | None,
) -> dict[str, Any]:
    """Return the certificate of a staged package.

    Args:
        folder: the staged package; all its files but the certificate's own are listed.
        shape: recipient, report, period.
        policy: version, digest and the report's rule set.
        code_version: of this program.
        checks: ``{"check": name, "verdict": verdict}``, in order.
        attacks: ``{"attack": name, "verdict": verdict}``, in order.
        recalls: what of this report was recalled before, from `quorum.release.recall.recalls_of`.
        previous: SHA-256 of the recipient's previous certificate of this report, hex; None for the first.

    Returns:
        A JSON-compatible mapping.

    Guarantee:
        A function of public facts, of published files, and of verdicts that are the same for every published package.
        No number in it counts, hashes or orders what was withheld.

    Source: architecture.md, A report package; disclosure.md, rules 5 and 10.
    """
    report = policy.reports[shape.report]
    return {
        "recipient": shape.recipient_id,
        "report": shape.report,
        "period": shape.period,
        "code_version": code_version,
        "policy": {"version": policy.version, "digest": policy.digest},
        "rule_set": rule_numbers(policy.rule_sets[report.rule_set], report, policy),
        "head_counts": shape.head_counts,
        "checks": [dict(check) for check in checks],
        "attacks": [dict(attack) for attack in attacks],
        "budget": {"spent_micro_rho": 0},
        "files": digest_files(folder),
        "recalls": [dict(each) for each in recalls],
        "previous": previous,
    }


def digest_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a package but the certificate's own, by name.

    Args:
        folder: the package.

    Guarantee:
        Every file in the folder is listed; nothing below a folder in it is followed.

    Source: FIPS 180-4.
    """
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.iterdir())
        if path.name not in (CERTIFICATE, SIGNATURE)
    }


def sign(folder: Path, certificate: Mapping[str, Any], keys: KeyRing) -> str:
    """Write ``certificate.json`` (canonical JSON) and ``certificate.sig``; return the certificate's SHA-256, hex.

    Args:
        folder: the staged package.
        certificate: from `certify`.
        keys: the key ring; the signing key is derived from it.

    Guarantee:
        The same certificate and key give the same bytes: Ed25519 draws no randomness.

    Source: RFC 8032, Ed25519; the signature is the raw 64 bytes.
    """
    text = canonical(certificate).encode()
    (folder / CERTIFICATE).write_bytes(text)
    (folder / SIGNATURE).write_bytes(_signing_key(keys).sign(text))
    return hashlib.sha256(text).hexdigest()


def export_public_key(home: Home, keys: KeyRing) -> Path:
    """Write the public key to ``keys/signing.pub`` (PEM, which openssl reads) and return its path.

    Args:
        home: the run-time state.
        keys: the key ring.

    Raises:
        LedgerError: another public key lies there: packages signed with it would no longer verify.

    Guarantee:
        The folder holds public keys only, and a key that recipients hold is never replaced in silence.

    Source: RFC 8410.
    """
    pem = _signing_key(keys).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path = home.keys / PUBLIC_KEY
    if path.exists():
        if path.read_bytes() != pem:
            raise LedgerError(
                "keys.public",
                f"another master key than the one of keys/{PUBLIC_KEY}",
                "one key for a home",
                "restore it",
            )
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.tmp")
    unfinished.write_bytes(pem)
    unfinished.replace(path)
    return path


def load_public_key(path: Path) -> Ed25519PublicKey:
    """Return the public key in a PEM file.

    Args:
        path: ``keys/signing.pub``, or a copy that a recipient keeps.

    Raises:
        LedgerError: there is no such file, or it holds no Ed25519 public key.

    Guarantee:
        The key comes from where the caller says, never from a package.

    Source: RFC 8410.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise LedgerError("keys.public", f"no Ed25519 public key in {path.name}", "a PEM file", "use keys/signing.pub")
    return key


def is_signed(text: bytes, signature: bytes, key: Ed25519PublicKey) -> bool:
    """Say whether the bytes of a certificate carry a signature of the key.

    Args:
        text: the bytes of ``certificate.json``.
        signature: the bytes of ``certificate.sig``.
        key: the public key.

    Guarantee:
        True only for a signature of exactly these bytes.

    Source: RFC 8032.
    """
    try:
        key.verify(signature, text)
    except InvalidSignature:
        return False
    return True


def _signing_key(keys: KeyRing) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(keys.derive(_PURPOSE))
