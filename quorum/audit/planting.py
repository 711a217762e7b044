"""Attack 8: people whom the reader owns, 1 to 2k - 1 of them, planted beside a victim.

What belongs here: what planted people would get out of the withheld cells of a package, and whether some were counted.
What does not: the defences (who counts is decided where people are counted).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from quorum.audit.invoiced import invoiced_rows
from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.record import Claim, Findings
from quorum.audit.rules import RuleBook, Rules
from quorum.audit.system import Ints
from quorum.audit.targeting import Targeted
from quorum.audit.truth import Truth


def plant(packages: Sequence[ParsedPackage], rules: RuleBook, truth: Truth) -> Findings:
    """Measure what planted people tell of a victim, and claim cells that only those who do not count opened.

    The reader plants p people in a cell, in a game of two equally likely worlds, with the victim and without; the cell
    is told if it reaches the threshold k. It is told in the one world and not in the other exactly where k - 1 - p
    others are there. For each p from 1 to 2k - 1 the advantage is the share of withheld cells where that is so; the p
    with the largest is taken. That is for planted people who count (of four weeks, on three nights, from ten networks).
    Those who do not count have none, unless a cell is told that too few others make up: that is claimed.

    Args:
        packages: held together by one attacker.
        rules: thresholds.
        truth: people of each cell, and those of them who count.

    Returns:
        A claim for each told cell that reaches the threshold with people who do not count alone. Targets are the
        withheld cells of the families that make a cell. Guesses are about the victim, one a cell, with the best p; a
        coin is the baseline. Without truth there is nothing to guess.

    Guarantee:
        An upper bound for a reader who does not know the others: complementary suppression may withhold the cell in
        both worlds. A reader who knows all others of a cell always wins (``worst_advantage`` 1): under `standard` the
        defence is mitigation, stated as such; only differential privacy is proof.

    Source: disclosure.md, rule 5 and attack 8.
    """
    claims: list[Claim] = []
    others: list[int] = []
    most, threshold, targets = 1, 0, 0
    for package in packages:
        own = rules.of(package.shape.report)
        for table in package.tables.values():
            for family in [f for f in table.shape.families if f in own.families and own.base(f) == f]:
                hidden = np.flatnonzero(~table.published[family]).tolist()
                targets += len(hidden)
                counted = _people(package, table, own, family, truth)
                if counted is None:
                    continue
                threshold = max(threshold, own.threshold(family))
                others += [own.threshold(family) - int(n) for n in counted[hidden]]
                heads = _column(package, table, own.families[family].heads, truth)
                if heads is not None:
                    claims += _opened(package, table, own, family, counted, heads)
    most = max(1, 2 * threshold - 1)
    best = max(range(1, most + 1), key=lambda planted: (others.count(planted + 1), -planted), default=1)
    told_apart = others.count(best + 1)
    half = (len(others) - told_apart) // 2  # where both worlds look alike a coin is right every other time
    measured = {"best_planted": best, "advantage": told_apart / len(others), "worst_advantage": 1.0} if others else {}
    return Findings(
        targets, tuple(claims), 0.5 if others else None, guesses=len(others), hits=told_apart + half, measured=measured
    )


def _people(package: ParsedPackage, table: ParsedTable, rules: Rules, family: str, truth: Truth) -> Ints | None:
    """Return the people of each row who count, else all of them; None where no truth is known."""
    spec = rules.families[family]
    for name in (spec.counted, spec.heads):
        true = truth.column(package.release, table, name) if name else None
        if true is not None:
            return true
    return None


def _column(package: ParsedPackage, table: ParsedTable, heads: str, truth: Truth) -> Ints | None:
    """Return the heads of each row, by the truth or else as told; None if neither says them."""
    true = truth.column(package.release, table, heads)
    return table.values.get(heads) if true is None else true


def _opened(
    package: ParsedPackage, table: ParsedTable, rules: Rules, family: str, counted: Ints, heads: Ints
) -> Iterator[Claim]:
    """Yield told cells that reach the threshold with those who do not count, and not without them."""
    judged = ~Targeted(package, table).zero & ~invoiced_rows(package, table, family)
    few = table.published[family] & judged & (counted < rules.threshold(family))
    for row in np.flatnonzero(few & (heads >= rules.threshold(family))).tolist():
        where = (table.shape.name, *table.coordinates[row])
        yield Claim(package.release, where, family, f"{counted[row]} of {heads[row]} people count", True)
