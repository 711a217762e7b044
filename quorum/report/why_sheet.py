"""The page of `quorum why`: what it prints, laid out as the reports are.

What belongs here: the parts of the page. What does not: what is said (`quorum.report.why`), its sentences
(`quorum.report.why_text`), and markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from quorum.release.package import CODE_LIST, CODES, PUBLISHED, WITHHELD
from quorum.report import why
from quorum.report.labels import fixed_texts
from quorum.report.model import NOTHING, Cell, Grid, Row
from quorum.report.model import WITHHELD as MARKED
from quorum.report.plain import Part, Plain, plain_page
from quorum.report.why import Answer, FamilyStatus, Held, Instead, Level
from quorum.report.why_text import cell_text, later_line, measured, named, need_lines, own_line, why_words


def cell_page(held: Held, answer: Answer, language: str) -> bytes:
    """Return the page about a cell: the status of each family, and what to ask for instead.

    Args:
        held: the package.
        answer: from `Held.explain`.
        language: ``ja`` or ``en``.

    Returns:
        UTF-8, self-contained, without scripts. It is a function of the package's files: of what they publish, their
        rules and their period. The same files give the same bytes.
    """
    words = why_words(language)
    lead = words["page_lead"] if answer.is_targeted else words["not_targeted"]
    statuses = Part(
        words["cell"].format(_spelled(answer.cell, language)),
        lead,
        grid=_statuses(answer, language),
        words=frozenset({1}),
    )
    return _page(held, [statuses, *_instead(held, answer, language)], language)


def summary_page(held: Held, levels: Sequence[Level], language: str) -> bytes:
    """Return the page about a package: how many cells of each family are published, by table and level.

    Args:
        held: the package.
        levels: from `Held.summarise`.
        language: ``ja`` or ``en``.

    Returns:
        As `cell_page`.
    """
    words = why_words(language)
    code = words["code"].format(CODE_LIST, CODES[WITHHELD])
    parts = [Part(words["page_summary"], words["page_summary_lead"])]
    for table in dict.fromkeys(level.table for level in levels):
        own = [level for level in levels if level.table == table]
        families = list(own[0].published)
        header = (words["page_level"], *(named(held.counts[family], language) for family in families))
        rows = tuple(
            Row(_level(level, language), tuple(_counted(level.published[family]) for family in families))
            for level in own
        )
        parts.append(Part(table, grid=Grid(table, header, rows)))
    needs = need_lines(held, language)
    if needs:
        parts.append(Part(_title(words["needs"]), lines=tuple(needs)))
    asked = f"quorum why PACKAGE --cell {cell_text(held.finest()).replace(', ', ',')} --page why.html"
    parts.append(Part(words["page_ask"], code=asked, notes=(code,)))
    return _page(held, parts, language)


def _page(held: Held, parts: Sequence[Part], language: str) -> bytes:
    words, shape = why_words(language), held.package.shape
    facts = (f"{shape.recipient_id} / {shape.report}",)
    return plain_page(
        Plain(language, words["page_kind"], shape.recipient_id, shape.period, facts, tuple(parts), words["page_footer"])
    )


def _statuses(answer: Answer, language: str) -> Grid:
    words = why_words(language)
    header = (words["page_table"], words["page_family"], words["page_status"], words["page_numbers"])
    rows = [
        Row(table, (Cell(named(status.count, language)), _status(status, language), _numbers(status, language)))
        for table, families in answer.tables.items()
        for status in families
    ]
    return Grid(cell_text(answer.cell), header, tuple(rows))


def _status(status: FamilyStatus, language: str) -> Cell:
    if status.status == PUBLISHED:
        return Cell(f"{why_words(language)['page_published']} ({status.code})")
    return Cell(f"{fixed_texts(language)['withheld']} ({status.code})", MARKED)


def _numbers(status: FamilyStatus, language: str) -> Cell:
    if status.status != PUBLISHED:
        return Cell("–", NOTHING)
    return Cell(measured(status.measures, language))


def _instead(held: Held, answer: Answer, language: str) -> Iterator[Part]:
    """Yield what to ask for instead: of each withheld family, then of all of them; then the rules."""
    words = why_words(language)
    later: dict[str, list[Instead]] = {}
    for table, families in answer.tables.items():
        for status in families:
            if status.status != WITHHELD:
                continue
            own = [instead for instead in status.instead if instead.kind not in why.LATER]
            later[status.family] = [instead for instead in status.instead if instead.kind in why.LATER]
            if own:
                title = words["page_instead"].format(named(status.count, language), table)
                yield Part(title, lines=tuple(own_line(instead, language) for instead in own))
    if not later:
        yield Part(words["all_published"])
        return
    first = next(iter(later.values()))
    code = words["code"].format(CODE_LIST, CODES[WITHHELD])
    yield Part(
        _title(words["later"]),
        lines=tuple(later_line(held, one, list(later), language) for one in first),
        notes=(code,),
    )
    needs = need_lines(held, language)
    if needs:
        yield Part(_title(words["needs"]), lines=tuple(needs))


def _title(line: str) -> str:
    """Return a line that leads to a list as a heading."""
    return line.rstrip(":：")


def _counted(number: int) -> Cell:
    """Return how many cells are published; of none a dash."""
    return Cell(f"{number:,}") if number else Cell("–", NOTHING)


def _level(level: Level, language: str) -> str:
    texts = fixed_texts(language)
    return " × ".join(texts.get(column, column) for column in level.columns) or why_words(language)["whole"]


def _spelled(cell: Mapping[str, str], language: str) -> str:
    """Return a cell with the names of its columns, and its categories as the files write them."""
    texts = fixed_texts(language)
    return " / ".join(f"{texts.get(column, column)} {category}" for column, category in cell.items())
