"""What an attack is, and what it is let loose on.

What belongs here: the two types, with what several attacks need computed once. What does not: any attack.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from quorum.audit.blocks import Block, blocks_of
from quorum.audit.effort import Effort
from quorum.audit.equations import build_system
from quorum.audit.intervals import Budget
from quorum.audit.package import ParsedPackage
from quorum.audit.propagation import Bounds, pin_down, propagate
from quorum.audit.record import Findings
from quorum.audit.rules import RuleBook
from quorum.audit.system import Relations, System, reduce
from quorum.audit.truth import Truth

SEED = 20_261_121
"""Of what the attacks draw, where the caller gives none: verdicts are the same on every machine."""


@dataclass(frozen=True)
class Case:
    """What the attacks are let loose on.

    Args:
        packages: held together by one attacker: a recipient's, or those of several who collude.
        rules: by report.
        truth: to score claims.
        canaries: texts known to be in the source data.
        budget: for the dear part of interval attacks.
        effort: for the other dear attacks.
        fresh: releases that were not attacked before; the dear attacks go over these. None: all.
        seed: of what the attacks draw.
    """

    packages: Sequence[ParsedPackage]
    rules: RuleBook
    truth: Truth
    canaries: Sequence[str] = ()
    budget: Budget = field(default_factory=Budget)
    effort: Effort = field(default_factory=Effort)
    fresh: Collection[str] | None = None
    seed: int = SEED

    @property
    def new(self) -> list[ParsedPackage]:
        """The packages that the dear attacks go over."""
        return [p for p in self.packages if self.fresh is None or p.release in self.fresh]

    @cached_property
    def system(self) -> System:
        """Every equation between the packages' cells, written down once."""
        return build_system(self.packages, self.rules, self.truth)

    @cached_property
    def reduced(self) -> tuple[Relations, int]:
        """The equations with published values put in, and how many of them do not hold."""
        return reduce(self.system)

    @cached_property
    def bounds(self) -> Bounds:
        """Intervals of all unknowns by propagation."""
        return propagate(self.reduced[0], self.system)

    @cached_property
    def pinned(self) -> Findings:
        """What attack 3 finds; others ask what is new beside it."""
        return pin_down(self.system, self.budget)

    @cached_property
    def blocks(self) -> list[Block]:
        """The people of each key of the new packages, the fewest first."""
        found = [
            block
            for package in self.new
            for block in blocks_of(package, self.rules.of(package.shape.report), self.truth)
        ]
        return sorted(found, key=lambda block: (block.people[block.families[0]], block.release, block.key))


@dataclass(frozen=True)
class Attack:
    """An attack.

    Args:
        name: as records and certificates call it.
        number: in disclosure.md's table of the twelve.
        knows: what the attacker knows.
        success: what counts as success.
        not_proved: what a clean result does not prove.
        breaks: the part of the planted release that it must break in the same run.
        find: the attack itself.
    """

    name: str
    number: int
    knows: str
    success: str
    not_proved: str
    breaks: str
    find: Callable[[Case], Findings]
