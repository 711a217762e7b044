"""Offline verification of packages that somebody holds: signature, files, schema, head counts, chain.

What belongs here: verdicts from folders and a public key alone. What does not: the ledger, the home, or a key out of a
package.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quorum.errors import ReleaseError
from quorum.release.certificate import CERTIFICATE, SIGNATURE, is_signed
from quorum.release.checks import Problem, check_files, check_rules, check_schema
from quorum.release.package import DESCRIPTOR

NOT_CHECKED, INTACT, BROKEN = "not_checked", "intact", "broken"
_PERIOD = re.compile(r"\d{4}-(\d{2}-\d{2}|W\d{2}|\d{2})(\.r\d+)?")
_FIELDS = ("recipient", "report", "period", "rule_set", "files", "previous")


@dataclass(frozen=True)
class Verdict:
    """What verification says about a package.

    Args:
        folder: the package.
        recipient: as its certificate says; empty where there is none to read.
        report: likewise.
        period: likewise.
        certificate: SHA-256 of ``certificate.json``, hex; empty where there is none.
        chain: ``not_checked`` for a package that is alone of its recipient and report, ``intact`` or ``broken``.
        problems: all that does not hold.
    """

    folder: Path
    recipient: str
    report: str
    period: str
    certificate: str
    chain: str
    problems: tuple[Problem, ...]

    @property
    def is_valid(self) -> bool:
        """Whether everything that could be checked holds."""
        return not self.problems

    def as_record(self) -> dict[str, object]:
        """Return the verdict as JSON-compatible fields."""
        return {
            "package": str(self.folder),
            "recipient_id": self.recipient,
            "report": self.report,
            "period": self.period,
            "valid": self.is_valid,
            "chain": self.chain,
            "problems": [{"check": p.check, "file": p.file, "message": p.message} for p in self.problems],
        }


@dataclass(frozen=True)
class _Link:
    """A package in the chain of its recipient and report."""

    verdict: Verdict
    previous: str | None


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
        period; they are what their description says; no published count is below the rule set's; and the packages given
        follow one another without a gap, a replay or a fork. What was never given cannot be missed: neither packages
        before the first nor after the last.

    Source: RFC 8032 (Ed25519); architecture.md, A report package.
    """
    for folder in folders:
        if not folder.is_dir():
            raise ReleaseError("verify.package", f"{folder} is not a folder", "a package's folder")
    links = [_verify_one(folder, public_key) for folder in folders]
    chains: dict[tuple[str, str], list[int]] = {}
    for n, link in enumerate(links):
        if link.verdict.certificate and link.verdict.recipient:
            chains.setdefault((link.verdict.recipient, link.verdict.report), []).append(n)
    verdicts = [link.verdict for link in links]
    for members in chains.values():
        if len(members) > 1:
            for n, verdict in zip(members, _verify_chain([links[n] for n in members]), strict=True):
                verdicts[n] = verdict
    return verdicts


def _verify_one(folder: Path, public_key: Ed25519PublicKey) -> _Link:
    """Verify a package alone; what is below a broken signature is still compared, so that every change is named."""
    blank = Verdict(folder, "", "", "", "", NOT_CHECKED, ())
    try:
        text, signature = (folder / CERTIFICATE).read_bytes(), (folder / SIGNATURE).read_bytes()
    except OSError:
        missing = tuple(
            Problem("signature", name, "is missing")
            for name in (CERTIFICATE, SIGNATURE)
            if not (folder / name).is_file()
        )
        return _Link(replace(blank, problems=missing), None)
    problems = []
    if not is_signed(text, signature, public_key):
        message = "certificate and signature do not belong together, or another key signed them"
        problems = [Problem("signature", name, message) for name in (CERTIFICATE, SIGNATURE)]
    certificate = _parse(text)
    if certificate is None:
        problems.append(Problem("signature", CERTIFICATE, "is not a certificate"))
        return _Link(replace(blank, problems=tuple(problems)), None)
    changed = check_files(folder, certificate["files"], besides=(CERTIFICATE, SIGNATURE))
    problems += changed
    if not changed:
        problems += _content_problems(folder, certificate)
    if _PERIOD.fullmatch(folder.name) and folder.name != certificate["period"]:
        problems.append(Problem("chain", folder.name, "is the package of another period, put in its place"))
    verdict = Verdict(
        folder,
        str(certificate["recipient"]),
        str(certificate["report"]),
        str(certificate["period"]),
        hashlib.sha256(text).hexdigest(),
        NOT_CHECKED,
        tuple(problems),
    )
    return _Link(verdict, certificate["previous"])


def _parse(text: bytes) -> dict[str, Any] | None:
    """Return the certificate, or None if the bytes are none."""
    try:
        body = json.loads(text)
    except ValueError:
        return None
    if not isinstance(body, dict) or not all(field in body for field in _FIELDS):
        return None
    is_whole = isinstance(body["files"], dict) and isinstance(body["rule_set"], dict) and "heads" in body["rule_set"]
    return body if is_whole and isinstance(body["previous"], str | None) else None


def _content_problems(folder: Path, certificate: dict[str, Any]) -> Iterator[Problem]:
    """Yield what the files say that their certificate or their description does not allow."""
    problems, package = check_schema(folder)
    yield from problems
    if package is not None:
        yield from check_rules(package, certificate["rule_set"])
        descriptor = json.loads(package.files[DESCRIPTOR])
        for field in ("recipient", "report", "period", "rule_set"):
            if descriptor.get(f"quorum:{field}") != certificate[field]:
                yield Problem("schema", DESCRIPTOR, f"names another {field} than the certificate")


def _verify_chain(links: list[_Link]) -> list[Verdict]:
    """Return the verdicts of the packages of one recipient and report, with what breaks their chain."""
    first_with = {link.verdict.certificate: n for n, link in reversed(list(enumerate(links)))}
    found: list[list[str]] = [[] for _ in links]
    for n, link in enumerate(links):
        if first_with[link.verdict.certificate] != n:
            found[n].append("is a replay: the same certificate as another package given")
    originals = [n for n in range(len(links)) if first_with[links[n].verdict.certificate] == n]
    _find_repeats(links, originals, found)
    starts = [n for n in originals if links[n].previous not in first_with]
    starts.sort(key=lambda n: (links[n].previous is not None, links[n].verdict.period))
    for n in starts[1:]:
        found[n].append("follows a package that was not given: a gap before it")
    return [
        replace(
            link.verdict,
            chain=BROKEN if messages or _has_chain_problem(link.verdict) else INTACT,
            problems=link.verdict.problems + tuple(Problem("chain", link.verdict.folder.name, m) for m in messages),
        )
        for link, messages in zip(links, found, strict=True)
    ]


def _find_repeats(links: list[_Link], originals: list[int], found: list[list[str]]) -> None:
    """Name periods that were released twice, and certificates that two packages follow."""
    periods: dict[str, int] = {}
    followed: dict[str | None, int] = {}
    for n in originals:
        if periods.setdefault(links[n].verdict.period, n) != n:
            found[n].append("is a second release of its period")
        if followed.setdefault(links[n].previous, n) != n:
            found[n].append("follows the same package as another one does: a fork")


def _has_chain_problem(verdict: Verdict) -> bool:
    return any(problem.check == "chain" for problem in verdict.problems)
