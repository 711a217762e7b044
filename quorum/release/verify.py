"""Offline verification of packages that somebody holds: signature, files, schema, head counts, place.

What belongs here: verdicts from folders and a public key alone. What does not: what packages say of one another
(`quorum.release.chain`), the ledger, the home, or a key out of a package.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quorum.errors import ReleaseError
from quorum.ledger.store import canonical
from quorum.release.certificate import CERTIFICATE, SIGNATURE, SIGNATURE_BYTES, is_signed
from quorum.release.chain import BROKEN, INTACT, NOT_CHECKED, Link, Verdict, judge_together
from quorum.release.checks import Problem, check_files, check_rules, check_schema
from quorum.release.package import DESCRIPTOR
from quorum.release.recall import NOTICE, REASONS, RECALL

__all__ = ["BROKEN", "INTACT", "NOT_CHECKED", "Verdict", "verify_packages"]

_PERIOD = re.compile(r"\d{4}-(\d{2}-\d{2}|W\d{2}|\d{2})(\.r\d+)?(\.recall)?")
_FIELDS = {"recipient": str, "report": str, "period": str, "files": dict, "previous": str | None}
_PACKAGE = {**_FIELDS, "rule_set": dict}
_RECALL = {**_FIELDS, "kind": str, "recalled": dict}
_LARGEST = 1 << 24
"""Bytes of a certificate; what is larger is none."""
_MANY = 24
"""Packages from which on it pays to share the work among processors."""


def verify_packages(folders: Sequence[Path], public_key: Ed25519PublicKey) -> list[Verdict]:
    """Verify packages, each alone and as the chain that they claim to be.

    Args:
        folders: package folders, in any order.
        public_key: from `quorum.release.certificate.load_public_key`, never from a package.

    Returns:
        One verdict per folder, in the order given. The certificate and its signature share a fate: a flipped byte in
        either is reported of both.

    Raises:
        ReleaseError: a folder is none.

    Guarantee:
        No problem means: the holder of the signing key signed exactly these files for this recipient, report and
        period; the tables are what their description says; no published count is below the rule set's; none of the
        packages given recalls it; and the packages given follow one another without a gap, a replay or a fork. What was
        never given cannot be missed: neither packages before the first nor after the last. No folder is written to, and
        nothing that a folder holds can stop the verification of another.

    Source: RFC 8032 (Ed25519); architecture.md, A report package.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ReleaseError("verify.package", f"{folder} is not a folder", "a package's folder")
    key = public_key.public_bytes_raw()
    workers = min(os.cpu_count() or 1, len(folders) // _MANY)
    if workers < 2:
        return judge_together([_verify_one(folder, key) for folder in folders])
    # a fork has all modules there already; where other threads may hold a lock, processes start anew
    start = "fork" if sys.platform == "linux" and threading.active_count() == 1 else "forkserver"
    with ProcessPoolExecutor(workers, mp_context=get_context(start)) as pool:
        links = list(pool.map(_verify_one, folders, [key] * len(folders), chunksize=4))
    return judge_together(links)


def _verify_one(folder: Path, key: bytes) -> Link:
    """Verify a package alone; whatever it holds, the answer is a verdict."""
    try:
        return _verify(folder, Ed25519PublicKey.from_public_bytes(key))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError):
        return Link(Verdict(folder, problems=(Problem("files", folder.absolute().name, "cannot be read"),)))


def _verify(folder: Path, key: Ed25519PublicKey) -> Link:
    """Verify a package; of one that nobody signed, files are still compared, so that every change is named."""
    text, signature = _read(folder / CERTIFICATE), _read(folder / SIGNATURE)
    if text is None or signature is None:
        missing = [name for name, found in ((CERTIFICATE, text), (SIGNATURE, signature)) if found is None]
        return Link(
            Verdict(folder, problems=tuple(Problem("signature", name, _why(folder / name)) for name in missing))
        )
    problems = []
    signed = len(signature) == SIGNATURE_BYTES and is_signed(text, signature, key)
    if not signed:
        message = "certificate and signature do not belong together, or another key signed them"
        problems = [Problem("signature", name, message) for name in (CERTIFICATE, SIGNATURE)]
    certificate = _parse(text)
    if certificate is None:
        problems.append(Problem("signature", CERTIFICATE, "is not a certificate"))
        return Link(Verdict(folder, problems=tuple(problems)))
    changed = check_files(folder, certificate["files"], besides=(CERTIFICATE, SIGNATURE))
    problems += changed
    if signed and not changed:
        problems += _content_problems(folder, certificate)
    periods = {name for name in (folder.absolute().name, folder.resolve().name) if _PERIOD.fullmatch(name)}
    if periods - {certificate["period"]}:
        problems.append(Problem("chain", folder.absolute().name, "is the package of another period, put in its place"))
    whose = (certificate["recipient"], certificate["report"], certificate["period"])
    verdict = Verdict(folder, *whose, hashlib.sha256(text).hexdigest(), problems=tuple(problems))
    told = [certificate["recalled"]] if certificate.get("kind") == RECALL else certificate.get("recalls", [])
    return Link(verdict, signed, certificate["previous"], tuple(map(_told, told)) if signed else ())


def _read(path: Path) -> bytes | None:
    """Return a plain file that may be a certificate or its signature; nothing is followed, waited for or swallowed."""
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _LARGEST:
        return None
    return path.read_bytes()


def _why(path: Path) -> str:
    if not path.is_symlink() and not path.exists():
        return "is missing"
    return "is not a plain file" if path.is_symlink() or not path.is_file() else "is larger than any certificate"


def _parse(text: bytes) -> dict[str, Any] | None:
    """Return the certificate, or None if the bytes are none in its one form."""
    try:
        body = json.loads(text)
        if canonical(body).encode() != text:
            return None
    except (ValueError, RecursionError):
        return None
    fields = _RECALL if isinstance(body, dict) and body.get("kind") == RECALL else _PACKAGE
    if not isinstance(body, dict) or not all(isinstance(body.get(name, ...), kind) for name, kind in fields.items()):
        return None
    is_whole = "heads" in body["rule_set"] if fields is _PACKAGE else body["recalled"].get("reason") in REASONS
    return body if is_whole else None


def _told(recalled: dict[str, str]) -> tuple[str, str]:
    """Return the certificate that is recalled, and what is said of it."""
    return recalled["certificate"], f"was recalled on {recalled['date']}: {REASONS[recalled['reason']][1]}"


def _content_problems(folder: Path, certificate: dict[str, Any]) -> Iterator[Problem]:
    """Yield what the files say that their certificate or their description does not allow."""
    if certificate.get("kind") == RECALL:
        if set(certificate["files"]) != {NOTICE}:
            yield Problem("schema", CERTIFICATE, "recalls with other files than a recall has")
        return
    problems, package = check_schema(folder, with_workbook=False)
    yield from problems
    if package is not None:
        yield from check_rules(package, certificate["rule_set"])
        descriptor = json.loads(package.files[DESCRIPTOR])
        for field in ("recipient", "report", "period", "rule_set"):
            if descriptor.get(f"quorum:{field}") != certificate[field]:
                yield Problem("schema", DESCRIPTOR, f"names another {field} than the certificate")
