"""Run the attacks: on packages, and each in the same run on the planted release, so that its silence means something.

What belongs here: running them, over whom. What does not: the list of attacks (`quorum.audit.catalogue`), their work.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from quorum.audit.case import Attack, Case
from quorum.audit.catalogue import ATTACKS
from quorum.audit.effort import Effort
from quorum.audit.hands import colluders
from quorum.audit.package import ParsedPackage, parse_package
from quorum.audit.planted import Planted, planted_release
from quorum.audit.record import AttackRecord, score
from quorum.audit.rules import read_rules
from quorum.audit.truth import Truth
from quorum.errors import ReleaseError

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ATTACKS", "Attack", "Case", "attack_folders", "run_attacks"]

Told = Callable[[str, str], None]
"""Is told which attack begins on which release."""


def _nobody(attack: str, release: str) -> None:
    pass


def run_attacks(
    packages: Sequence[ParsedPackage],
    rules: Mapping[str, Any],
    truth: Mapping[str, Mapping[str, pa.Table]] | None = None,
    canaries: Sequence[str] = (),
    *,
    attacks: Sequence[Attack] = ATTACKS,
    planted: Planted | None = None,
    held: Sequence[ParsedPackage] = (),
    tell: Told = _nobody,
) -> list[AttackRecord]:
    """Attack packages that one attacker holds together.

    Args:
        packages: one or more.
        rules: a rule set as a plain mapping, or one per report; see `quorum.audit.rules.read_rules`.
        truth: `ParsedPackage.release` to table name to Arrow table; see `quorum.audit.truth.Truth`.
        canaries: texts known to be in the source data.
        attacks: which attacks.
        planted: the broken release of the power check, if another than the shared one.
        held: more packages that the attacker holds, attacked in their own night: the cheap attacks go over all of them
            together, the dear ones over ``packages`` alone.
        tell: is told of each attack when it begins.

    Returns:
        One record an attack, over all packages together, in order.

    Raises:
        ReleaseError: no package, rules that do not cover one, or a truth that leaves out rows.

    Guarantee:
        An attack that makes no claim has passed only if it broke the planted release in this run, which is this
        process: it is asked once for all packages. Verdicts depend on the arguments alone, not on time or machine.

    Source: disclosure.md, "The red team".
    """
    if not packages:
        raise _no_package()
    fresh = frozenset(package.release for package in packages)
    case = Case((*packages, *held), read_rules(rules), Truth(truth or {}), canaries, fresh=fresh)
    records = []
    for attack in attacks:
        tell(attack.name, _together(packages))
        start = perf_counter()
        findings = attack.find(case)
        seconds = perf_counter() - start
        power = _breaks(attack) if planted is None else _is_broken(planted, attack)
        records.append(score(attack.name, _together(case.packages), findings, power=power, seconds=seconds))
    return records


@cache
def _breaks(attack: Attack) -> bool:
    """Say whether an attack breaks the shared planted release: asked once a run, of the very code that attacks."""
    return _is_broken(planted_release(), attack)


def _is_broken(broken: Planted, attack: Attack) -> bool:
    return broken.is_broken_by(attack.name, attack.find(practise(broken)))


def practise(broken: Planted) -> Case:
    """Return the case of a planted release: what an attack must break to have shown its power.

    Guarantee:
        All of its packages are new, so that the dear attacks go over them too.

    Source: disclosure.md, "The red team" (power check).
    """
    held = (broken.package, *broken.beside)
    effort = Effort(positions=64, programs=1_000)  # what is planted lies behind other things that are broken
    return Case(held, read_rules(broken.rules), Truth(broken.truth), broken.canaries, effort=effort)


def attack_folders(folders: Sequence[Path], rules: Mapping[str, Any], *, tell: Told = _nobody) -> list[AttackRecord]:
    """Attack packages in folders, as their recipients hold them: no truth, no canaries.

    Args:
        folders: one package each.
        rules: as in `run_attacks`; ``{report: rule set}`` where packages are of several reports.
        tell: is told of each attack when it begins.

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
    return [record for together in groups for record in run_attacks(together, rules, tell=tell)]


def _no_package() -> ReleaseError:
    return ReleaseError("attack.packages", "no package", "one or more", "name the folders of packages")


def _together(packages: Sequence[ParsedPackage]) -> str:
    releases = [package.release for package in packages]
    return releases[0] if len(releases) == 1 else f"{releases[0]} and {len(releases) - 1} more"
