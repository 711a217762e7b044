"""The pages of a package: one self-contained file for each language.

What belongs here: putting facts, released numbers and words into the template. What does not: numbers that were not
released, and files; the pages are handed to `quorum.release` as bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from quorum.release.package import CODE_LIST, CODES, WITHHELD
from quorum.report.facts import LANGUAGES, PageFacts
from quorum.report.labels import TEMPLATES, Words
from quorum.report.released import Released
from quorum.report.view import sections
from quorum.report.why_text import why_words
from quorum.tables.periods import MONTH

if TYPE_CHECKING:
    import pyarrow as pa


def render(facts: PageFacts, tables: Mapping[str, pa.Table]) -> dict[str, bytes]:
    """Return the pages of a package.

    Args:
        facts: public facts, from `quorum.report.facts.page_facts`.
        tables: released tables, from `quorum.release.safe.read_safe`: dimension columns, measures (null where
            withheld), ``status_<family>``.

    Returns:
        ``report.ja.html`` and ``report.en.html`` as UTF-8. The same arguments give the same bytes.
    """
    released = Released(facts.shape, tables, facts.policy)
    return {f"report.{language}.html": _page(facts, released, language).encode() for language in LANGUAGES}


def _page(facts: PageFacts, released: Released, language: str) -> str:
    words = Words(language, facts.policy, facts.creatives)
    shown = sections(facts, released, words)
    report = facts.report
    return _template().render(
        t=words.texts,
        language=language,
        title=report.name_ja if language == "ja" else report.name_en,
        recipient=words.name(facts.recipient[language]),
        period=words.period(facts.shape.period),
        policy_version=facts.policy.version,
        rule_set=facts.rule_set.name,
        key_column=report.key,
        sections=shown,
        undetailed=sum(not section.panels for section in shown),
        reasons=_reasons(facts, words),
        bounds=_bounds(facts, words),
        remedies=[words["ask_level"], words["ask_period"], words["ask_total"]],
        glossary=_glossary(facts, released, words),
        css=Markup((TEMPLATES / "page.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
    )


def _reasons(facts: PageFacts, words: Words) -> list[str]:
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


def _bounds(facts: PageFacts, words: Words) -> list[str]:
    """Return what one person adds to a campaign at most, and the class of what exceeded it in the last whole month."""
    if facts.report.key != "campaign_id":
        return []
    return [words["bounds_lead"].format(**facts.policy.contribution), _clipped(facts, words)]


def _clipped(facts: PageFacts, words: Words) -> str:
    if facts.clipped is None:
        return words["clipped_later"]
    month, under = words.month(facts.clipped.month), facts.clipped.under_percent
    if under is None:
        return words["clipped_more"].format(month=month, percent=facts.policy.clipped_classes[-1])
    return words["clipped_under"].format(month=month, percent=under)


def _glossary(facts: PageFacts, released: Released, words: Words) -> list[tuple[str, str]]:
    """Return the terms that this report uses, with their meanings."""
    used = {name for family in released.families for name in (family.count, family.heads)} | {"unknown", "all"}
    if facts.report.key == "campaign_id":
        used |= {"click_rate", "cost"}
    return [(words[term], meaning) for term, meaning in words.glossary.items() if term in used]


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("report.html.j2")
