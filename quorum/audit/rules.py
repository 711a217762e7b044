"""The rules an attack measures a release against, as given by its caller.

What belongs here: the numbers of a rule set and the metric families, from plain mappings. What does not: where they are
written (`policy/`), and any number of our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quorum.errors import ReleaseError


@dataclass(frozen=True)
class Family:
    """A metric family.

    Args:
        count: the measure of events.
        heads: the measure of people.
        rest: the truth's column of people who count and are in the cell outside the family, or None.
        requires: the family that must be published in the same cell, or None.
        counted: the truth's column of people who count (rule 5), which no package carries; None where all do.
    """

    count: str
    heads: str
    rest: str | None
    requires: str | None
    counted: str | None = None


@dataclass(frozen=True)
class Rules:
    """The numbers of one rule set.

    Args:
        heads: family to the smallest publishable head count.
        outside: people that must be outside a published family of a cell, and outside a published group of its parent.
        families: name to family.
        contribution: kind of event to the most of one person that count, where there is a bound (rule 4).
    """

    heads: Mapping[str, int]
    outside: int
    families: Mapping[str, Family]
    contribution: Mapping[str, int] = field(default_factory=dict)

    def threshold(self, family: str) -> int:
        """Return a family's smallest head count.

        Raises:
            ReleaseError: the rules do not know the family; what has no rule is not published.

        Guarantee:
            No default: a family without a number is refused.

        Source: disclosure.md, rule 1.
        """
        if family not in self.heads or family not in self.families:
            raise ReleaseError("attack.rules", f"family {family} has no rule", "families of the rule set")
        return self.heads[family]

    def bound(self, count: str) -> int | None:
        """Return the most events of one person that a count holds; None where rule 4 sets no bound.

        Args:
            count: a measure of events, e.g. ``impression_n``.

        Guarantee:
            What has no bound in the rules has none here.

        Source: disclosure.md, rule 4.
        """
        return self.contribution.get(count.removesuffix("_n"))

    def base(self, family: str) -> str:
        """Return the family that a family rests on in the end: the one that makes the cell; itself if it does.

        Raises:
            ReleaseError: the rules do not know a family on the way, or families require each other.

        Guarantee:
            The base requires no other family.

        Source: disclosure.md, rule 1 (clicks only where impressions are, conversions only where clicks are).
        """
        way = [family]
        while required := self._family(way[-1]).requires:
            if required in way:
                raise ReleaseError("attack.rules", f"family {family} requires itself", "a chain of families")
            way.append(required)
        return way[-1]

    def _family(self, name: str) -> Family:
        if name not in self.families:
            raise ReleaseError("attack.rules", f"family {name} is unknown", "families of the rule set")
        return self.families[name]


@dataclass(frozen=True)
class RuleBook:
    """The rules of every report; look one up with `of`."""

    by_report: Mapping[str, Rules]
    default: Rules | None = None

    def of(self, report: str) -> Rules:
        """Return the rules of a report.

        Raises:
            ReleaseError: neither the report's rules nor rules for all are given.

        Guarantee:
            A report is never measured against another's rules.

        Source: disclosure.md, "Rules of a release".
        """
        rules = self.by_report.get(report, self.default)
        if rules is None:
            raise ReleaseError("attack.rules", f"report {report} has no rules", "a rule set per report")
        return rules


def read_rules(numbers: Mapping[str, Any]) -> RuleBook:
    """Read rules from a plain mapping.

    Args:
        numbers: one rule set for every package, ``{"heads": {family: n}, "outside": n, "families": {family: {"count":
            column, "heads": column, "rest": column or None, "requires": family or None, "counted": column or None}}}``,
            or one per report, ``{report: rule set}``.

    Returns:
        The rules by report.

    Raises:
        ReleaseError: a part is missing.

    Guarantee:
        Nothing is filled in.

    Source: policy/disclosure.yaml, policy/reports.yaml.
    """
    if "heads" in numbers:
        return RuleBook({}, _rules(numbers))
    return RuleBook({report: _rules(given) for report, given in numbers.items()})


def _rules(given: Mapping[str, Any]) -> Rules:
    try:
        families = {
            name: Family(
                family["count"], family["heads"], family.get("rest"), family.get("requires"), family.get("counted")
            )
            for name, family in given["families"].items()
        }
        contribution = {str(kind): int(most) for kind, most in given.get("contribution", {}).items()}
        return Rules(dict(given["heads"]), int(given["outside"]), families, contribution)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ReleaseError("attack.rules", "a rule set with a part missing", "heads, outside, families") from None
