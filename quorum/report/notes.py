"""What a page says besides numbers: reasons, bounds, how things are counted, terms.

What belongs here: sentences that are the same whatever was counted. What does not: layout.
"""

from __future__ import annotations

from quorum.release.package import CODE_LIST, CODES, WITHHELD
from quorum.report.facts import PageFacts
from quorum.report.labels import Words
from quorum.report.released import Released
from quorum.report.why_text import why_words
from quorum.tables.periods import MONTH
from quorum.tables.shape import SEASONED


def reasons(facts: PageFacts, words: Words) -> list[str]:
    """Return why a cell may be withheld: the rules with their numbers, the same on every page of a rule set."""
    families = [facts.policy.families[name] for name in facts.report.families]
    lines = [
        words["why_heads"].format(family=words[family.count], heads=facts.rule_set.heads[family.name])
        for family in families
    ]
    if any(family.rest for family in families):
        lines.append(words["why_outside"].format(outside=facts.rule_set.outside))
    if any(family.requires for family in families):
        lines.append(words["why_requires"])
    if facts.shape.plan:
        lines.append(words["why_plan"])
    if MONTH in facts.report.periods:
        lines.append(words["why_invoice"])
    return [*lines, words["why_derived"], why_words(words.language)["page_code"].format(CODE_LIST, CODES[WITHHELD])]


def counting(facts: PageFacts, words: Words) -> list[str]:
    """Return how people, events and attribution are counted, as the tables are made."""
    lines = [words["count_person"]]
    if facts.report.key == "campaign_id":
        lines += [
            words["count_attribution"],
            words["count_late"],
            words["bounds_lead"].format(**facts.policy.contribution),
        ]
        lines.append(_clipped(facts, words))
    else:
        lines += [words["count_views"], words["count_late"]]
    lines.append(words["count_seasoned" if facts.shape.head_counts == SEASONED else "count_everyone"])
    if facts.report.key == "campaign_id":
        lines.append(words["count_series"])
    return lines


def _clipped(facts: PageFacts, words: Words) -> str:
    if facts.clipped is None:
        return words["clipped_later"]
    month, under = words.month(facts.clipped.month), facts.clipped.under_percent
    if under is None:
        return words["clipped_more"].format(month=month, percent=facts.policy.clipped_classes[-1])
    return words["clipped_under"].format(month=month, percent=under)


def glossary(facts: PageFacts, released: Released, words: Words) -> list[tuple[str, str]]:
    """Return the terms that this report uses, with their meanings."""
    used = {name for family in released.families for name in (family.count, family.heads)}
    used |= {"unknown", "all", "withheld_term", "withheld_together"}
    if facts.report.key == "campaign_id":
        used |= {"click_rate", "cost", "interval_title", "series"}
    return [(words[term], meaning) for term, meaning in words.glossary.items() if term in used]
