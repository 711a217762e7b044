"""The pages of a package: one self-contained file for each language.

What belongs here: putting facts, released numbers and words into the template. What does not: numbers that were not
released, and files; the pages are handed to `quorum.release` as bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from markupsafe import Markup

from quorum.disclosure.invoice import TOTALS
from quorum.pages import template
from quorum.report import notes
from quorum.report.effective import Comparisons, compare
from quorum.report.facts import LANGUAGES, PageFacts
from quorum.report.findings import Teller
from quorum.report.headline import Headline
from quorum.report.labels import TEMPLATES, Words
from quorum.report.released import Released
from quorum.report.view import DETAILED_KEYS, sections

if TYPE_CHECKING:
    import pyarrow as pa

_MANY_KEYS = 40


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
    detailed = [key.key for key in facts.keys[:DETAILED_KEYS]]
    comparisons = compare(released, detailed, facts.policy.contribution["click"])
    return {f"report.{name}.html": _page(facts, released, name, comparisons).encode() for name in LANGUAGES}


def _page(facts: PageFacts, released: Released, language: str, comparisons: Mapping[str, Comparisons]) -> str:
    words = Words(language, facts.policy, facts.creatives)
    report, headline = facts.report, Headline(facts, released, words)
    names, shown = headline.names(), sections(facts, released, words, comparisons)
    place = {section.key: n for n, section in enumerate(shown, 1)}
    return template(TEMPLATES, "report.html.j2").render(
        t=words.texts,
        language=language,
        other=next(other for other in LANGUAGES if other != language),
        title=report.name_ja if language == "ja" else report.name_en,
        recipient=words.name(facts.recipient[language]),
        period=words.period(facts.shape.period),
        before="" if facts.before is None else words.period(facts.before.period),
        policy_version=facts.policy.version,
        rule_set=facts.rule_set.name,
        key_column=report.key,
        lead=headline.lead(),
        overview=headline.overview(),
        table_of_keys=headline.table(),
        elsewhere=headline.elsewhere(),
        is_long=len(facts.keys) > _MANY_KEYS,
        points=Teller(words).first([(names[key], found) for key, found in comparisons.items()]),
        has_clicks="clicks" in report.families,
        has_comparisons=any(found.all for found in comparisons.values()),
        is_invoiced=TOTALS in (table.name for table in facts.shape.tables),
        sections=shown,
        anchors=[place.get(key.key, 0) for key in facts.keys],
        detailed_n=len(comparisons),
        silent=words["comma"].join(names[key] for key in comparisons if key not in place),
        key_n=len(facts.keys),
        reasons=notes.reasons(facts, words),
        counting=notes.counting(facts, words),
        remedies=[words["ask_level"], words["ask_period"], words["ask_total"]],
        glossary=notes.glossary(facts, released, words),
        css=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
    )
