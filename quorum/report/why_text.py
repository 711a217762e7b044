"""What `quorum why` prints, in Japanese and English.

What belongs here: lines of text, from `templates/instead_words.yaml` and the names of measures on the pages. What does
not: what is said (`quorum.report.why`). Columns and categories are written as the files write them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from types import MappingProxyType

import yaml

from quorum.release.package import CODE_LIST, CODES, WITHHELD
from quorum.report import why
from quorum.report.labels import TEMPLATES, fixed_texts
from quorum.report.why import Answer, FamilyStatus, Held, Instead, Level


def describe_cell(held: Held, answer: Answer, language: str) -> list[str]:
    """Return the lines about a cell: statuses, what to ask for instead, and the rules.

    Args:
        held: the package.
        answer: from `Held.explain`.
        language: ``ja`` or ``en``.
    """
    words = why_words(language)
    targeting = [] if answer.is_targeted else [words["not_targeted"]]
    return [
        *_head(held),
        words["cell"].format(cell_text(answer.cell)),
        *targeting,
        *_cell_lines(held, answer, language),
    ]


def describe_summary(held: Held, levels: Sequence[Level], language: str) -> list[str]:
    """Return the lines about a package: how many cells of each family are published, by table and level.

    Args:
        held: the package.
        levels: from `Held.summarise`.
        language: ``ja`` or ``en``.
    """
    words = why_words(language)
    lines = [*_head(held), words["summary"]]
    width = max(len(_level(level.columns, language)) for level in levels)
    for number, level in enumerate(levels):
        if number == 0 or levels[number - 1].table != level.table:
            lines.append(f"  {level.table}")
        counts = "  ".join(f"{named(held.counts[family], language)} {n:,}" for family, n in level.published.items())
        lines.append(f"    {_level(level.columns, language):{width}}  {counts}")
    return [
        *lines,
        "",
        words["code"].format(CODE_LIST, CODES[WITHHELD]),
        *_needs(held, language),
        *_asking(held, words),
    ]


@cache
def why_words(language: str) -> Mapping[str, str]:
    """Return the fixed texts about withheld numbers by name, ``ja`` or ``en``."""
    document = yaml.safe_load((TEMPLATES / "instead_words.yaml").read_text(encoding="utf-8"))
    return MappingProxyType({name: entry[language] for name, entry in document.items()})


def _head(held: Held) -> list[str]:
    shape = held.package.shape
    return [f"{shape.recipient_id}/{shape.report}/{shape.period}"]


def _cell_lines(held: Held, answer: Answer, language: str) -> Iterator[str]:
    words = why_words(language)
    later: dict[str, list[Instead]] = {}
    for table, families in answer.tables.items():
        yield ""
        yield table
        for status in families:
            yield from _family(status, language)
            if status.status == WITHHELD:
                later[status.family] = [i for i in status.instead if i.kind in why.LATER]
    yield ""
    if not later:
        yield words["all_published"]
        return
    yield words["code"].format(CODE_LIST, CODES[WITHHELD])
    yield words["later"]
    for instead in next(iter(later.values())):
        yield f"  - {later_line(held, instead, list(later), language)}"
    yield from _needs(held, language)


def _family(status: FamilyStatus, language: str) -> Iterator[str]:
    words, name = why_words(language), named(status.count, language)
    if status.status != WITHHELD:
        yield "  " + words["published"].format(name, status.code, _measures(status.measures))
        return
    own = [instead for instead in status.instead if instead.kind not in why.LATER]
    yield "  " + words["withheld_instead" if own else "withheld"].format(name, status.code)
    for instead in own:
        yield f"    - {own_line(instead, language)}"


def own_line(instead: Instead, language: str) -> str:
    """Return the line of a remedy that depends on the cell."""
    text, facts = why_words(language)[instead.kind], instead.facts
    if instead.kind == why.BREAKDOWN:
        return text.format(facts["table"], ", ".join(facts["columns"]))
    numbers = _measures(facts["measures"])
    if instead.kind == why.FAMILY:
        return text.format(named(next(iter(facts["measures"])), language), numbers)
    return text.format(facts["table"] if instead.kind == why.TABLE else cell_text(facts["cell"]), numbers)


def later_line(held: Held, instead: Instead, families: Sequence[str], language: str) -> str:
    """Return the line of a remedy that is the same for every withheld cell."""
    words = why_words(language)
    if instead.kind != why.PLAN:
        return words[instead.kind].format(words["and"].join(instead.facts["periods"]))
    needs = held.needs()
    if not needs:
        return words["plan"].format("")
    each = [
        words["plan_family"].format(family=named(held.counts[name], language), heads=needs[name]["heads"])
        for name in families
    ]
    return words["plan"].format(words["plan_heads"].format(words["and"].join(each)))


def need_lines(held: Held, language: str) -> list[str]:
    """Return what every published cell meets, a line a rule; nothing of a package that states no rules."""
    words, needs = why_words(language), held.needs()
    lines = []
    for rule in needs.values():
        own = named(rule["count"], language)
        lines.append(words["needs_heads"].format(family=own, heads=rule["heads"], outside=rule["outside"]))
        if rule["requires"]:
            required = named(needs[rule["requires"]]["count"], language)
            lines.append(words["needs_requires"].format(family=own, requires=required, outside=rule["outside"]))
    return [*lines, words["needs_derived"]] if lines else []


def _needs(held: Held, language: str) -> Iterator[str]:
    lines = need_lines(held, language)
    if lines:
        yield why_words(language)["needs"]
        yield from (f"  - {line}" for line in lines)


def _asking(held: Held, words: Mapping[str, str]) -> list[str]:
    """Return how to ask about a cell, with the first cell of the first table as the example."""
    return [words["ask_cell"].format(cell_text(held.finest()).replace(", ", ","))]


def named(count: str, language: str) -> str:
    """Return what the pages call a measure; the column where they have no name for it."""
    return fixed_texts(language).get(count, count)


def _level(columns: Sequence[str], language: str) -> str:
    return " × ".join(columns) if columns else why_words(language)["whole"]


def cell_text(cell: Mapping[str, str]) -> str:
    """Return a cell as it is asked for: column=category, in the order of the file."""
    return ", ".join(f"{column}={category}" for column, category in cell.items())


def measured(measures: Mapping[str, int], language: str) -> str:
    """Return published measures by the names that the pages have for them."""
    return ", ".join(f"{named(name, language)} {value:,}" for name, value in measures.items())


def _measures(measures: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in measures.items())
