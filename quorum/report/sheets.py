"""What the sheets of a workbook say: columns with their heads, and the legend.

What belongs here: words, and released values by column. What does not: formats and files (`quorum.report.workbook`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import yaml

from quorum.report.facts import LANGUAGES, PageFacts
from quorum.report.labels import MICROS, TEMPLATES, Words
from quorum.tables import TableShape
from quorum.tables.shape import ALL

if TYPE_CHECKING:
    import pyarrow as pa

Line = tuple[str, str]
"""A text in Japanese and in English."""
_LONGEST_NAME = 120
"""Characters of a name that a sheet shows; what was booked may be named at any length."""


@dataclass(frozen=True)
class Column:
    """A column of a sheet.

    Args:
        kind: ``label``, ``code``, ``count`` or ``yen``; the format of its values.
        head: Japanese, English, and the csv's column name.
        values: texts or numbers, None where withheld.
        withheld: the word for None.
    """

    kind: str
    head: tuple[str, str, str]
    values: Sequence[str | int | float | None]
    withheld: str


@dataclass(frozen=True)
class Legend:
    """The first sheet.

    Args:
        tab: the sheet's name.
        title: of the report.
        sections: title to lines.
    """

    tab: str
    title: Line
    sections: Sequence[tuple[Line, Sequence[Line]]]


class SheetWords:
    """Words for the sheets of one package.

    Args:
        facts: of the package.
    """

    def __init__(self, facts: PageFacts) -> None:
        self._facts = facts
        self._words = [Words(language, facts.policy, facts.creatives) for language in LANGUAGES]
        self._names = {key.key: key.names for key in facts.keys}

    def short_title(self, table: TableShape) -> str:
        """Return what a table is split by, in Japanese."""
        return self._title(table)[0]

    def columns(self, table: TableShape, rows: pa.Table) -> list[Column]:
        """Return the columns of a sheet: each dimension by name and by code, measures, and what is published."""
        return list(self._columns(table, rows))

    def totals(self, table: TableShape, rows: pa.Table) -> list[bool]:
        """Return for each row whether it is the total of a campaign or section."""
        coordinates = zip(*(rows[column].to_pylist() for column in table.columns), strict=True)
        return [set(place[1:]) <= {ALL} for place in coordinates]

    def legend(self, tabs: Mapping[str, str]) -> Legend:
        """Return the legend; ``tabs`` is table to the name of its sheet."""
        report = self._facts.report
        sections = [
            (_line("about"), self._about()),
            (_line("withheld_title"), list(self._withheld())),
            (_line("people"), [self._who_counts()]),
            (_line("sheets"), self._sheets(tabs)),
            (_line("columns"), self._meanings()),
            (self._fixed("glossary"), [self._term(term) for term in self._words[0].glossary]),
            (_line("checked"), [_line("checked_how")]),
        ]
        return Legend(_line("legend")[0], (report.name_ja, report.name_en), sections)

    @cached_property
    def _withheld_word(self) -> str:
        return " ".join(_line("withheld"))

    def _columns(self, table: TableShape, rows: pa.Table) -> Iterator[Column]:
        for level in table.columns:
            codes = rows[level].to_pylist()
            labels = {code: self._label(level, code) for code in dict.fromkeys(codes)}
            yield self._column(
                "label", _said("label", self._fixed(level)), f"{level}_label", [labels[c] for c in codes]
            )
            yield self._column("code", _said("code", self._fixed(level)), level, codes)
        for measure in table.measures:
            values, said = rows[measure.name].to_pylist(), self._fixed(measure.name)
            if measure.name.endswith("_micros"):
                yen = [None if value is None else value / MICROS for value in values]
                yield self._column("yen", _said("yen", said), f"{measure.name.removesuffix('_micros')}_yen", yen)
                said = _said("micros", said)
            yield self._column("count", said, measure.name, values)
        known = self._facts.policy.families
        for family in table.families:
            first = next(measure.name for measure in table.measures if measure.family == family)
            said = _said("status", self._fixed(known[family].count if family in known else first))
            yield self._column("code", said, f"status_{family}", rows[f"status_{family}"].to_pylist())

    def _column(self, kind: str, said: Line, name: str, values: Sequence[str | int | float | None]) -> Column:
        return Column(kind, (*said, name), values, self._withheld_word)

    def _label(self, level: str, code: str) -> str:
        """Return the name of a category in Japanese, with the English one where it is another."""
        if level == self._facts.report.key and code != ALL:
            named = self._names.get(code, {})
            ja, en = (
                words.name(named.get(language, code)) for words, language in zip(self._words, LANGUAGES, strict=True)
            )
        else:
            ja, en = (words.category(level, code) for words in self._words)
        return _cut(ja) if ja == en else f"{_cut(ja)} / {_cut(en)}"

    def _fixed(self, name: str) -> Line:
        """Return a text of the pages; a column that they have no word for stands under its own name."""
        ja, en = (words.texts.get(name, name) for words in self._words)
        return ja, en

    def _title(self, table: TableShape) -> Line:
        levels = [dimension.levels[-1] for dimension in table.dimensions]
        shown = [level for level in levels if level != self._facts.report.key] or levels
        ja, en = zip(*map(self._fixed, shown), strict=True)
        return "×".join(ja), " x ".join(en)

    def _about(self) -> list[Line]:
        facts = self._facts
        ja, en = self._words
        policy = facts.policy.version
        return [
            (
                f"{ja['recipient']}：{ja.name(facts.recipient['ja'])} {ja['for']}",
                f"{en['recipient']}: {en.name(facts.recipient['en'])}",
            ),
            (f"{ja['period']}：{ja.period(facts.shape.period)}", f"{en['period']}: {en.period(facts.shape.period)}"),
            (f"{ja['rule_set']}：{facts.rule_set.name}", f"{en['rule_set']}: {facts.rule_set.name}"),
            (ja["policy_version"].format(policy), en["policy_version"].format(policy)),
            _line("about_tables"),
            _line("about_rows"),
        ]

    def _withheld(self) -> Iterator[Line]:
        yield _line("withheld_cell")
        yield _line("withheld_why")
        families = [self._facts.policy.families[name] for name in self._facts.report.families]
        for family in families:
            (ja, en), heads = self._fixed(family.count), self._facts.rule_set.heads[family.name]
            said = _line("withheld_heads")
            yield said[0].format(family=ja, heads=heads), said[1].format(family=en, heads=heads)
        if any(family.rest for family in families):
            yield _said("withheld_outside", outside=self._facts.rule_set.outside)
        yield _line("withheld_derived")
        yield _line("withheld_instead")

    def _who_counts(self) -> Line:
        who = self._facts.policy.who_counts
        return _said(self._facts.shape.head_counts, days=who.seasoned_days, nights=who.active_nights)

    def _sheets(self, tabs: Mapping[str, str]) -> list[Line]:
        titles = {table.name: self._title(table) for table in self._facts.shape.tables}
        return [(f"{tabs[name]}：{ja}", f"{name}: {en}") for name, (ja, en) in titles.items()]

    def _meanings(self) -> list[Line]:
        tables = self._facts.shape.tables
        levels = dict.fromkeys(level for table in tables for level in table.columns)
        measures = dict.fromkeys(measure.name for table in tables for measure in table.measures)
        return [(f"{name}：{ja}", f"{name}: {en}") for name in (*levels, *measures) for ja, en in [self._fixed(name)]]

    def _term(self, term: str) -> Line:
        (ja, en), (told_ja, told_en) = self._fixed(term), (words.glossary[term] for words in self._words)
        return f"{ja}：{told_ja}", f"{en}: {told_en}"


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"


def _line(name: str) -> Line:
    return _texts()[name]


def _said(name: str, about: Line = ("", ""), **numbers: int) -> Line:
    ja, en = _line(name)
    return ja.format(about[0], **numbers), en.format(about[1], **numbers)


@cache
def _texts() -> Mapping[str, Line]:
    document = yaml.safe_load((TEMPLATES / "workbook_words.yaml").read_text(encoding="utf-8"))
    return MappingProxyType({name: (entry["ja"], entry["en"]) for name, entry in document["texts"].items()})
