"""What packages say of one another: which follows which, which stands in another's place, which recalls which.

What belongs here: verdicts of several packages together. What does not: reading a package
(`quorum.release.verify`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from quorum.release.checks import Problem

NOT_CHECKED, INTACT, BROKEN = "not_checked", "intact", "broken"


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
    recipient: str = ""
    report: str = ""
    period: str = ""
    certificate: str = ""
    chain: str = NOT_CHECKED
    problems: tuple[Problem, ...] = ()

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

    def with_problems(self, check: str, messages: Sequence[str]) -> Verdict:
        """Return the verdict with more that does not hold of the package as a whole."""
        more = tuple(Problem(check, self.folder.absolute().name, message) for message in messages)
        return replace(self, problems=self.problems + more)


@dataclass(frozen=True)
class Link:
    """A package in the chain of its recipient and report.

    Args:
        verdict: of the package alone.
        is_signed: whether the key signed its certificate; what nobody signed is no link.
        previous: SHA-256 of the certificate that it follows.
        recalled: certificates that it recalls, or repeats the recall of, with what it says; empty unless it is signed.
    """

    verdict: Verdict
    is_signed: bool = False
    previous: str | None = None
    recalled: tuple[tuple[str, str], ...] = ()


def judge_together(links: Sequence[Link]) -> list[Verdict]:
    """Return the verdict of each package beside the others.

    Args:
        links: packages that were verified alone.

    Returns:
        One verdict each, in their order.

    Guarantee:
        A chain is read from what certificates say they follow, never from dates or the order of arguments. A recall
        counts if the key signed it, in whichever package it stands.

    Source: docs/decisions/0004-packages-and-chain.md.
    """
    chains: dict[tuple[str, str], list[int]] = {}
    for n, link in enumerate(links):
        if link.is_signed:
            chains.setdefault((link.verdict.recipient, link.verdict.report), []).append(n)
    verdicts = [link.verdict for link in links]
    for members in chains.values():
        if len(members) > 1:
            for n, verdict in zip(members, _judge_chain([links[n] for n in members]), strict=True):
                verdicts[n] = verdict
    recalled = dict(told for link in links for told in link.recalled)
    return [
        _beside(verdict, chains, recalled) if link.is_signed else verdict
        for link, verdict in zip(links, verdicts, strict=True)
    ]


def _beside(verdict: Verdict, chains: Mapping[tuple[str, str], object], recalled: Mapping[str, str]) -> Verdict:
    """Name a package that was recalled, or that stands where another recipient's or report's packages belong."""
    if verdict.certificate in recalled:
        verdict = verdict.with_problems("recall", [recalled[verdict.certificate]])
    above = verdict.folder.absolute().parents
    places = [(part.name, own) for part, own in zip(above, (verdict.report, verdict.recipient), strict=False)]
    known = [{report for _, report in chains}, {recipient for recipient, _ in chains}]
    if any(name in names and name != own for (name, own), names in zip(places, known, strict=False)):
        return verdict.with_problems("chain", ["is another recipient's or report's package, put in its place"])
    return verdict


def _judge_chain(links: list[Link]) -> list[Verdict]:
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
            link.verdict.with_problems("chain", messages),
            chain=BROKEN if messages or _has_chain_problem(link.verdict) else INTACT,
        )
        for link, messages in zip(links, found, strict=True)
    ]


def _find_repeats(links: list[Link], originals: list[int], found: list[list[str]]) -> None:
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
