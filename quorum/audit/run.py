"""Run the attacks: on packages, and each in the same run on the planted release, so that its silence means something.

What belongs here: the list of attacks and running them. What does not: an attack's own work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from quorum.audit.elimination import recover_exactly
from quorum.audit.equations import build_system
from quorum.audit.frequency import judge_bands
from quorum.audit.hands import colluders
from quorum.audit.identifiers import sweep
from quorum.audit.intervals import Budget
from quorum.audit.package import ParsedPackage, parse_package
from quorum.audit.planted import Planted, planted_release
from quorum.audit.propagation import pin_down
from quorum.audit.record import AttackRecord, Findings, score
from quorum.audit.reparse import read_again
from quorum.audit.rules import RuleBook, read_rules
from quorum.audit.system import System
from quorum.audit.truth import Truth
from quorum.errors import ReleaseError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Case:
    """What the attacks are let loose on.

    Args:
        packages: held together by one attacker: a recipient's, or those of several who collude.
        rules: by report.
        truth: to score claims.
        canaries: texts known to be in the source data.
        budget: for the dear part of interval attacks.
    """

    packages: Sequence[ParsedPackage]
    rules: RuleBook
    truth: Truth
    canaries: Sequence[str] = ()
    budget: Budget = field(default_factory=Budget)

    @cached_property
    def system(self) -> System:
        """Every equation between the packages' cells, written down once."""
        return build_system(self.packages, self.rules, self.truth)


@dataclass(frozen=True)
class Attack:
    """An attack.

    Args:
        name: as records and certificates call it.
        knows: what the attacker knows.
        success: what counts as success.
        not_proved: what a clean result does not prove.
        find: the attack itself.
    """

    name: str
    knows: str
    success: str
    not_proved: str
    find: Callable[[Case], Findings]


ATTACKS = (
    Attack(
        "reparse",
        "the package's files and the rule set; inside, the true heads",
        "a published cell under a threshold, with too few people outside it, or at odds with another",
        "that nothing follows from several cells together; without truth, heads that the files do not carry",
        lambda case: read_again(case.packages, case.rules, case.truth),
    ),
    Attack(
        "elimination",
        "the package's files: margins, hierarchies, linked tables, periods, declared totals",
        "a withheld cell that follows exactly",
        "that no withheld cell is nearly known; that a sum of withheld cells holds enough people",
        lambda case: recover_exactly(case.system),
    ),
    Attack(
        "propagation",
        "the same, and that counts are whole numbers of 0 or more, events at least people",
        "a withheld count that cannot be 0, or cannot be min(threshold, known total)",
        "that withheld values are equally likely; that a sum of withheld cells holds enough people",
        lambda case: pin_down(case.system, case.budget),
    ),
    Attack(
        "frequency",
        "the same, and how many people saw how many, with the bounds of one person that the descriptor states",
        "a withheld number of people or events that these narrow, or a band that is withheld",
        "what whole numbers alone would say; that clickers among the people are not narrowed",
        lambda case: judge_bands(case.packages, case.rules),
    ),
    Attack(
        "identifiers",
        "every byte of the package; inside, the planted canaries",
        "a text that looks like an identifier, or a canary in any disguise",
        "that no keyed hash or unknown encoding of an identifier is there",
        lambda case: sweep(case.packages, case.canaries),
    ),
)


def run_attacks(
    packages: Sequence[ParsedPackage],
    rules: Mapping[str, Any],
    truth: Mapping[str, Mapping[str, pa.Table]] | None = None,
    canaries: Sequence[str] = (),
    *,
    attacks: Sequence[Attack] = ATTACKS,
    planted: Planted | None = None,
) -> list[AttackRecord]:
    """Attack packages that one attacker holds together.

    Args:
        packages: one or more.
        rules: a rule set as a plain mapping, or one per report; see `quorum.audit.rules.read_rules`.
        truth: `ParsedPackage.release` to table name to Arrow table; see `quorum.audit.truth.Truth`.
        canaries: texts known to be in the source data.
        attacks: which attacks.
        planted: the broken release of the power check, if another than the shared one.

    Returns:
        One record an attack, over all packages together, in order.

    Raises:
        ReleaseError: no package, rules that do not cover one, or a truth that leaves out rows.

    Guarantee:
        An attack that makes no claim has passed only if it broke the planted release in this run. Verdicts depend on
        the arguments alone, not on time or machine.

    Source: disclosure.md, "The red team".
    """
    if not packages:
        raise _no_package()
    case = Case(packages, read_rules(rules), Truth(truth or {}), canaries)
    broken = planted or planted_release()
    practice = Case((broken.package, *broken.beside), read_rules(broken.rules), Truth({}), broken.canaries)
    return [_run(attack, case, practice, broken) for attack in attacks]


def attack_folders(folders: Sequence[Path], rules: Mapping[str, Any]) -> list[AttackRecord]:
    """Attack packages in folders, as their recipients hold them: no truth, no canaries.

    Args:
        folders: one package each.
        rules: as in `run_attacks`; ``{report: rule set}`` where packages are of several reports.

    Returns:
        For each recipient, in order, one record an attack, over all of its packages together; then, for each report of
        which several recipients were told of the same key (a campaign that changed hands), one record an attack over
        all of their packages of that report, as if they colluded. Recipients of different reports are no colluders: the
        portal holds the data, and what it is told of its own sections has lower thresholds than what an information
        provider is told.

    Raises:
        ReleaseError: no folder, a package that is malformed, or rules that do not cover one.

    Guarantee:
        As `run_attacks`; nothing but the folders' files is read.

    Source: disclosure.md, "The red team".
    """
    if not folders:
        raise _no_package()
    held: dict[str, list[ParsedPackage]] = {}
    packages = [parse_package(folder) for folder in folders]
    for package in packages:
        held.setdefault(package.shape.recipient_id, []).append(package)
    groups = [held[recipient] for recipient in sorted(held)] + colluders(packages)
    return [record for together in groups for record in run_attacks(together, rules)]


def _run(attack: Attack, case: Case, practice: Case, planted: Planted) -> AttackRecord:
    start = perf_counter()
    findings = attack.find(case)
    seconds = perf_counter() - start
    power = planted.is_broken_by(attack.name, attack.find(practice))
    return score(attack.name, _together(case.packages), findings, power=power, seconds=seconds)


def _no_package() -> ReleaseError:
    return ReleaseError("attack.packages", "no package", "one or more", "name the folders of packages")


def _together(packages: Sequence[ParsedPackage]) -> str:
    releases = [package.release for package in packages]
    return releases[0] if len(releases) == 1 else f"{releases[0]} and {len(releases) - 1} more"
