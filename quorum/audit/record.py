"""What an attack found, and the record of it.

What belongs here: claims, findings, the score against the truth, the record and its two public forms. What does not:
finding anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import sqrt

PASSED = "passed"
FAILED = "failed"
INCONCLUSIVE = "inconclusive"
_Z = 1.959963984540054  # 95 %, two-sided


@dataclass(frozen=True)
class Claim:
    """One thing that an attacker says it knows.

    Args:
        release: of which package.
        where: table or file, and in it the coordinates; the place, never what was found there.
        what: measure, family or pattern.
        says: the rule broken or the value found, for the sealed ledger.
        correct: what the truth says of it; None where there is no truth to ask.
    """

    release: str
    where: tuple[str, ...]
    what: str
    says: str = field(repr=False)
    correct: bool | None = None


@dataclass(frozen=True)
class Findings:
    """What one attack found in one run.

    Args:
        targets: how many things it tried to find.
        claims: what it found.
        baseline: share of targets that the best guess without the package gets right; None without truth.
        unreached: targets that its dear part did not come to within its budget.
        contradictions: facts of the package that cannot all be true; nothing can be concluded from such a package.
        guesses: of an attack that guesses about people, how many guesses it made; its claims are then the gates that
            these went over. None for an attack whose every claim is a guess.
        hits: how many guesses are right.
        measured: what else it measured, by name; for the inside.
    """

    targets: int
    claims: tuple[Claim, ...]
    baseline: float | None = None
    unreached: int = 0
    contradictions: int = 0
    guesses: int | None = None
    hits: int = 0
    measured: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class AttackRecord:
    """The record of one attack on one release, or on several together.

    Args:
        attack: its name.
        release: what was attacked.
        targets: how many things it tried to find; for withheld cells all of them, never the primary ones alone.
        claims: how many things it says it knows, guesses too.
        correct: how many of these are true; None without truth.
        precision: correct / claims; None without claims or truth.
        baseline: what the best guess without the package gets right; None without truth.
        advantage: (precision - baseline) / (1 - baseline).
        advantage_low: lower end of its 95 % Wilson interval.
        advantage_high: upper end.
        violations: how many claims go over a gate; for an attack that does not guess, all of them.
        unreached: targets that the dear part did not come to; stated, never skipped in silence.
        measured: what else it measured, by name.
        worst: the worst claim; for the sealed ledger only.
        seconds: how long it took.
        verdict: ``passed``, ``failed`` or ``inconclusive``; the last two block.
    """

    attack: str
    release: str
    targets: int
    claims: int
    correct: int | None
    precision: float | None
    baseline: float | None
    advantage: float | None
    advantage_low: float | None
    advantage_high: float | None
    violations: int
    unreached: int
    measured: Mapping[str, float]
    worst: str = field(repr=False)
    seconds: float = field(repr=False)
    verdict: str

    def as_record(self) -> dict[str, object]:
        """Return the record without the worst case and without timings.

        It counts withheld cells: it is for whoever holds the package anyway (`quorum attack`) and for the inside.

        Guarantee:
            The same files and rules give the same record on every machine.

        Source: disclosure.md, "The red team".
        """
        record = {**asdict(self), "measured": dict(self.measured)}
        del record["worst"], record["seconds"]
        return record

    def as_sealed(self) -> dict[str, str]:
        """Return what is for the officer alone: the worst case, with its place and what was found there.

        Guarantee:
            Nothing else returns it.

        Source: disclosure.md, "The red team" (worst case, in the sealed ledger only).
        """
        return {"attack": self.attack, "release": self.release, "verdict": self.verdict, "worst": self.worst}

    def as_verdict(self) -> dict[str, str]:
        """Return the attack's name and verdict, all that a certificate may carry.

        Guarantee:
            Nothing in it counts what was withheld.

        Source: architecture.md, "A report package"; disclosure.md, rule 10.
        """
        return {"attack": self.attack, "verdict": self.verdict}


def score(attack: str, release: str, findings: Findings, *, power: bool, seconds: float) -> AttackRecord:
    """Turn findings into a record.

    Args:
        attack: the attack's name.
        release: what was attacked.
        findings: what it found.
        power: whether it broke the planted release in the same run.
        seconds: how long it took.

    Returns:
        The record. Any claim fails, true or not: a false one means that a rule could not be shown to hold. Without
        claims the verdict is inconclusive where the attack has no power or the package contradicts itself.

    Guarantee:
        ``passed`` is returned only for an attack that was shown, in this run, to find what is there.

    Source: disclosure.md, "The red team"; Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
    """
    claims, baseline = findings.claims, findings.baseline
    judged = [claim.correct for claim in claims if claim.correct is not None]
    hits, trials = (sum(judged), len(judged)) if findings.guesses is None else (findings.hits, findings.guesses)
    precision = hits / trials if trials else None
    low, high = wilson(hits, trials)
    clean = PASSED if power and not findings.contradictions else INCONCLUSIVE
    return AttackRecord(
        attack=attack,
        release=release,
        targets=findings.targets,
        claims=len(claims) if findings.guesses is None else findings.guesses,
        correct=hits if trials or baseline is not None else None,
        precision=precision,
        baseline=baseline,
        advantage=_advantage(precision, baseline),
        advantage_low=_advantage(low, baseline) if trials else None,
        advantage_high=_advantage(high, baseline) if trials else None,
        violations=len(claims),
        unreached=findings.unreached,
        measured=findings.measured,
        worst=_worst(claims),
        seconds=seconds,
        verdict=FAILED if claims else clean,
    )


def wilson(successes: int, trials: int, z: float = _Z) -> tuple[float, float]:
    """Return the Wilson interval of a share, 95 % if no other z is asked for; (0, 1) without trials.

    Example:
        >>> low, high = wilson(0, 10)
        >>> round(low, 3), round(high, 3)
        (0.0, 0.278)

    Guarantee:
        Within [0, 1], and containing the observed share.

    Source: Wilson, J. Am. Stat. Assoc. 22 (1927) 209.
    """
    if not trials:
        return 0.0, 1.0
    share, square = successes / trials, z * z
    centre = (share + square / (2 * trials)) / (1 + square / trials)
    half = z / (1 + square / trials) * sqrt(share * (1 - share) / trials + square / (4 * trials * trials))
    return min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half))


def verdict(records: Sequence[AttackRecord]) -> str:
    """Return the verdict over all attacks: failed, else inconclusive, else passed.

    Guarantee:
        ``passed`` only if at least one attack ran and every one passed.

    Source: disclosure.md, "The red team".
    """
    verdicts = {record.verdict for record in records}
    if FAILED in verdicts:
        return FAILED
    return PASSED if verdicts == {PASSED} else INCONCLUSIVE


def _advantage(precision: float | None, baseline: float | None) -> float | None:
    if precision is None or baseline is None or baseline >= 1:
        return None
    return (precision - baseline) / (1 - baseline)


def _worst(claims: Sequence[Claim]) -> str:
    if not claims:
        return ""
    claim = next((claim for claim in claims if claim.correct), claims[0])
    return f"{claim.release} {' '.join(claim.where)} {claim.what}: {claim.says}"
