"""The pages of an answer: what was asked, and the table that came of it.

What belongs here: the two pages of a release to analysts. What does not: the pages of reports (`quorum.report.html`),
and any number that was not released.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

import yaml

from quorum.pages import template
from quorum.policy import Policy
from quorum.release.answers import Question, is_wanted
from quorum.release.package import PUBLISHED
from quorum.report.facts import LANGUAGES
from quorum.report.labels import TEMPLATES
from quorum.tables import PackageShape
from quorum.tables.shape import ALL

if TYPE_CHECKING:
    import pyarrow as pa

_MOST_ROWS = 2_000
_WORDS = "answer_words.yaml"


def answer_pages(policy: Policy, shape: PackageShape, question: Question, rows: pa.Table) -> dict[str, bytes]:
    """Return the pages of an answer.

    Args:
        policy: labels of categories, rule set.
        shape: of the answer.
        question: what was asked.
        rows: of its table.

    Returns:
        ``report.ja.html`` and ``report.en.html`` as UTF-8, self-contained, without scripts. The same arguments give the
        same bytes.
    """
    return {
        f"report.{language}.html": _page(policy, shape, question, rows, language).encode() for language in LANGUAGES
    }


def _page(policy: Policy, shape: PackageShape, question: Question, rows: pa.Table, language: str) -> str:
    words = _words()[language]
    table = shape.tables[0]
    report = policy.reports[question.report]
    columns = [words.get(column, column) for column in (*table.columns, *(measure.name for measure in table.measures))]
    shown = list(_rows(policy, shape, question, rows, language))
    where = "; ".join(
        f"{words.get(column, column)} = {', '.join(label_of(policy, column, each, language) for each in values)}"
        for column, values in question.where.items()
    )
    return template(TEMPLATES, "answer.html.j2").render(
        t=words,
        language=language,
        title=f"{report.name_ja if language == 'ja' else report.name_en} {shape.period}",
        name=shape.report,
        table=table.name,
        asked=", ".join(words.get(column, column) for column in question.dimensions) or words["totals"],
        where=where or words["everything"],
        keys=", ".join(question.keys) or words["everything"],
        rule_set=policy.rule_sets[report.rule_set].name,
        columns=columns,
        text_n=len(table.columns),
        rows=shown[:_MOST_ROWS],
        more=max(0, len(shown) - _MOST_ROWS),
    )


def label_of(policy: Policy, column: str, key: str, language: str) -> str:
    """Return what a category is called in a language; the key itself where the policy does not list it."""
    return policy.label(key_set_of(policy, column), key, language)


def column_name(column: str, language: str) -> str:
    """Return what a column is called in a language; the column itself where answers do not have it."""
    return _words()[language].get(column, column)


def key_set_of(policy: Policy, column: str) -> str:
    """Return the key set of a column; empty for a column whose categories come from the reference data.

    Of a dimension with several levels the finest is listed by the dimension's own key set, a coarser one by the set
    that is called as the column, with an s.
    """
    for dimension in policy.dimensions.values():
        if column in dimension.levels:
            return dimension.keys if column == dimension.levels[-1] else f"{column}s"
    return ""


def _rows(
    policy: Policy, shape: PackageShape, question: Question, rows: pa.Table, language: str
) -> Iterator[list[dict[str, Any]]]:
    words, table = _words()[language], shape.tables[0]
    for row in rows.to_pylist():
        if is_wanted(question, {column: row[column] for column in table.columns}):
            texts = [
                words["all"] if row[column] == ALL else label_of(policy, column, row[column], language)
                for column in table.columns
            ]
            numbers = [
                f"{row[measure.name]:,}" if row[f"status_{measure.family}"] == PUBLISHED else words["withheld"]
                for measure in table.measures
            ]
            yield [{"text": text, "is_number": n >= len(texts)} for n, text in enumerate((*texts, *numbers))]


@cache
def _words() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load((TEMPLATES / _WORDS).read_text(encoding="utf-8"))
    return found
