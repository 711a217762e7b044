"""The table of people reached in a week or month: which campaigns it lists, and where it is kept.

What belongs here: its shape, a function of plans. What does not: the decision
(`quorum.disclosure.reach`).
"""

from __future__ import annotations

from collections.abc import Collection

from quorum.disclosure.reach import REACH
from quorum.policy import Policy, ReportSpec
from quorum.tables import Dimension, Measure, TableShape


def reach_measures(policy: Policy, report: ReportSpec) -> tuple[Measure, ...]:
    """Return the measures of the table of reach: people alone, who sum over nothing, time included.

    Args:
        policy: families.
        report: the report.

    Guarantee:
        One head count, of the family that makes the cells.

    Source: disclosure.md, rule 6 (reach for the margin or for the parts, never both).
    """
    base = report.families[0]
    return (Measure(policy.families[base].heads, base, "heads", ()),)


def reach_table(policy: Policy, report: ReportSpec, keys: Collection[str]) -> TableShape | None:
    """Return the shape of the table of reach; None if it would list nothing or the report has none.

    Args:
        policy: families.
        report: the report.
        keys: campaigns whose plan tells impressions in packages of this kind of period, and no shorter one.

    Guarantee:
        A function of its arguments: a row a campaign, no category.

    Source: disclosure.md, rules 6 and 7.
    """
    if not report.has_reach or not keys:
        return None
    own = Dimension((report.key,), tuple((key,) for key in sorted(keys)), has_margin=False, partitions_people=False)
    return TableShape(REACH, report.universe, (own,), reach_measures(policy, report))


def expected_reach(policy: Policy, report: ReportSpec) -> dict[str, tuple[tuple[str, ...], tuple[Measure, ...]]]:
    """Return the table of reach that a week or month of a report can have: its dimensions and measures, by name.

    Args:
        policy: families.
        report: the report.

    Guarantee:
        What `reach_table` makes is among them.

    Source: disclosure.md, rule 8.
    """
    return {REACH: ((), reach_measures(policy, report))} if report.has_reach else {}


def kept_in(report: str) -> str:
    """Return the table of the safe zone that holds the reach of weeks and months of a report."""
    return f"safe__{report}_{REACH}"
