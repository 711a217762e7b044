"""What a page says of withheld numbers: one line a family, from what is published of a campaign or section.

What belongs here: which levels have numbers, in words. What does not: the numbers, and any reason of one cell.
"""

from __future__ import annotations

from collections.abc import Sequence

from quorum.policy import FamilySpec
from quorum.release.package import CODES, WITHHELD
from quorum.report.labels import Words
from quorum.report.released import Released
from quorum.report.told import told_elsewhere
from quorum.report.why_text import why_words
from quorum.tables import TableShape
from quorum.tables.shape import ALL


def withheld_lines(released: Released, key: str, words: Words) -> tuple[str, ...]:
    """Return a line for each family of which something is withheld for a key: the code, and where there are numbers.

    Args:
        released: the released tables.
        key: the campaign or section.
        words: of the page's language.
    """
    texts = why_words(words.language)
    lines = []
    elsewhere = {name for names in told_elsewhere(released, key).values() for name in names}
    for family in released.families:
        if family.name in elsewhere:  # said in a sentence of its own
            continue
        tables = [
            table for table in released.shape.tables if family.name in table.families and released.lists(table, key)
        ]
        if not tables:  # a week: other packages tell this family of the key
            continue
        levels, is_whole = _levels(released, tables, key, family, words)
        name = words[family.count]
        if levels and not is_whole:
            lines.append(texts["page_part"].format(name, CODES[WITHHELD], texts["and"].join(levels)))
        elif not levels and not is_whole:
            lines.append(texts["page_none"].format(name, CODES[WITHHELD]))
    return tuple(lines)


def _levels(
    released: Released, tables: Sequence[TableShape], key: str, family: FamilySpec, words: Words
) -> tuple[list[str], bool]:
    """Return the levels of which a category is published, coarse before crossed, and whether every cell is.

    What targeting makes 0 counts as neither.
    """
    found: dict[str, int] = {}
    is_whole = True
    for table in tables:
        count = next(measure.name for measure in table.measures if measure.family == family.name)
        for coordinate, row in released.rows(table, key).items():
            if released.is_outside_targeting(table, coordinate):
                continue
            if row[count] is None:
                is_whole = False
            else:
                name, crossed = _level(table, coordinate, words)
                found[name] = crossed
    return sorted(found, key=lambda name: found[name]), is_whole


def _level(table: TableShape, coordinate: tuple[str, ...], words: Words) -> tuple[str, int]:
    """Return what a page calls the level of a row, and how many dimensions it crosses; the total crosses none."""
    at = dict(zip(table.columns, coordinate, strict=True))
    own = table.columns[0]
    named = [[level for level in d.levels if level != own and at[level] != ALL] for d in table.dimensions]
    finest = [words[levels[-1]] for levels in named if levels]
    return " × ".join(finest) or words["all"], len(finest)
