"""That a plan is fixed beforehand: two packages of one month that state different plans for a campaign chose anew.

What belongs here: comparing the plans that packages state. What does not: whether a package keeps to its own
(`quorum.audit.reparse`), and how a plan is chosen.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from quorum.audit.package import ParsedPackage
from quorum.audit.periods import days_of
from quorum.audit.record import Claim
from quorum.tables.periods import MONTH, kind_of, plan_month
from quorum.tables.shape import KeyPlan


def changed_plans(packages: Sequence[ParsedPackage]) -> Iterator[Claim]:
    """Yield keys for which a package states another plan than an earlier one in hand of the same month.

    Args:
        packages: held together, of any recipients: a campaign's plan is the same for all of them.

    Yields:
        One claim a package and key. A package of a calendar month is left out: it states what its plans have in common.

    Guarantee:
        Without a claim no choice of period or level that these packages state was made from a night of the month. What
        a plan was made from before the month began is not looked at: that is in no file.

    Source: disclosure.md, rule 7 (fixed beforehand, the same for every recipient of a campaign).
    """
    first: dict[tuple[str, str, str], tuple[str, KeyPlan]] = {}
    for package in sorted(packages, key=lambda one: one.shape.period):
        span = days_of(package.shape.period)
        if span is None or kind_of(package.shape.period) == MONTH:
            continue
        month = plan_month(span[0])
        for key, plan in sorted(package.shape.plan.items()):
            period, fixed = first.setdefault((package.shape.report, key, month), (package.shape.period, plan))
            if not _is_same(plan, fixed):
                says = f"another plan than in {period}"
                yield Claim(package.release, (key,), "plan changed", says, True)


def _is_same(one: KeyPlan, other: KeyPlan) -> bool:
    """Compare what both state: a week lists the tables and families that it tells, and no others."""
    pairs: list[tuple[Mapping[str, object], Mapping[str, object]]] = [(one.periods, other.periods)]
    pairs += [(levels, other.levels[table]) for table, levels in one.levels.items() if table in other.levels]
    return all(mine[name] == theirs[name] for mine, theirs in pairs for name in mine.keys() & theirs.keys())
