"""Rule 3: is a published sum about several people, or about one or two of them?

What belongs here: the three rules as pure functions over what each person adds to a sum, in whole numbers, and the
proof that counts within the bounds of rule 4 pass them whatever was counted. What does not: the bounds and numbers
themselves (`quorum.policy`), sums that a recipient supplies (they are not published by audience), and head counts
(`quorum.disclosure.primary`).
"""

from __future__ import annotations

from collections.abc import Sequence

from quorum.errors import ConfigurationError
from quorum.policy import Policy, RuleSet


def passes_p_percent(contributions: Sequence[int], p_percent: int) -> bool:
    """Rule 3: say whether the second largest contributor learns the largest one's contribution only roughly.

    Args:
        contributions: what each person adds to the sum, 0 or more, in any order.
        p_percent: how near an upper estimate must not come, in percent of the largest contribution.

    Returns:
        False for a sum of nothing.

    Guarantee:
        Where True, whoever knows the second largest contribution and the sum gets an upper bound of the largest that is
        at least ``p_percent`` above it. Exact: integers only; an estimate that is just so far off passes.

    Source: Hundepool et al., Handbook on Statistical Disclosure Control, 2nd ed., section 4.2.2 (p % rule).
    """
    largest = sorted(contributions, reverse=True)[:2]
    return sum(contributions) > 0 and 100 * (sum(contributions) - sum(largest)) >= p_percent * largest[0]


def passes_dominance(contributions: Sequence[int], n: int, share_percent: int) -> bool:
    """Rule 3: say whether the largest contributors do not dominate a sum: the (n, k) rule.

    Args:
        contributions: what each person adds to the sum, 0 or more, in any order.
        n: how many contributors are taken together.
        share_percent: k, the largest share that they may have, in percent.

    Returns:
        False for a sum of nothing. With n of 1 it is the rule of the single share.

    Guarantee:
        Where True, no ``n`` people have more than ``share_percent`` of the sum. Exact: integers only.

    Source: Hundepool et al., Handbook on Statistical Disclosure Control, 2nd ed., section 4.2.2 ((n, k) rule).
    """
    largest = sorted(contributions, reverse=True)[:n]
    return sum(contributions) > 0 and 100 * sum(largest) <= share_percent * sum(contributions)


def is_safe_sum(contributions: Sequence[int], rule_set: RuleSet) -> bool:
    """Rule 3: say whether a sum may be published.

    Args:
        contributions: what each person adds to the sum, 0 or more, in any order.
        rule_set: p, (n, k) and the largest share of one person.

    Guarantee:
        Where True, the sum passes the p % rule and the (n, k) rule, and nobody has more than the single share.

    Source: disclosure.md, rule 3.
    """
    return (
        passes_p_percent(contributions, rule_set.p_percent)
        and passes_dominance(contributions, rule_set.dominance_n, rule_set.dominance_percent)
        and passes_dominance(contributions, 1, rule_set.single_share_percent)
    )


def is_safe_within_bounds(heads: int, bound: int, rule_set: RuleSet) -> bool:
    """Say whether every count of so many people passes rule 3, as long as nobody adds more than the bound to it.

    Args:
        heads: people of the count at least, each with one event or more.
        bound: events of one person at most.
        rule_set: the numbers of rule 3.

    Returns:
        True if the worst counts pass: some people at the bound, and all others with a single event. Each rule is worst
        with as many at the bound as it takes together: one, two or n.

    Guarantee:
        Where True, no count of ``heads`` people or more within the bound fails rule 3: shares of the largest fall with
        each further person and each further event of the others. Costs at one price an event are such counts times the
        price. Not guaranteed: anything about events of no person, which are no contribution.

    Source: disclosure.md, rules 3 and 4; docs/decisions/0008-what-one-person-adds-and-who-counts.md.
    """
    at_bound = (min(taken, heads) for taken in (1, 2, rule_set.dominance_n))
    return all(is_safe_sum([bound] * n + [1] * (heads - n), rule_set) for n in at_bound)


def check_bounds(policy: Policy) -> None:
    """Refuse bounds of rule 4 under which a published count could be one or two people's.

    Args:
        policy: reports, rule sets and bounds.

    Raises:
        ConfigurationError: a family of a report whose events are bounded could publish a count that fails rule 3.

    Guarantee:
        Where nothing is raised, every published count of bounded events that has the people that rule 1 asks for passes
        rule 3, and so does a cost that is such a count times a price: no count has to be looked at again.

    Source: disclosure.md, rules 1, 3 and 4.
    """
    for report in policy.reports.values():
        rule_set = policy.rule_sets[report.rule_set]
        for kind, bound in policy.contribution.items():
            for family in (policy.families[name] for name in report.families):
                heads = rule_set.heads[family.name]
                if family.count == f"{kind}_n" and not is_safe_within_bounds(heads, bound, rule_set):
                    raise ConfigurationError(
                        "disclosure.dominance",
                        f"contribution.{kind} is {bound}, and {family.name} of {heads} people are published",
                        "bounds under which one or two people cannot make a published count (rule 3)",
                        "lower the bound, or raise the head count",
                    )
