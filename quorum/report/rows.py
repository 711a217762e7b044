"""Rows of a table of the page: its total, its categories, and what is withheld of them together.

What belongs here: cells and rows of one released table and one campaign or section. What does not: which tables a page
shows (`audience`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from quorum.policy import FamilySpec
from quorum.report.charts import Point
from quorum.report.effective import Comparisons
from quorum.report.labels import Words, percent
from quorum.report.model import NOTHING, WITHHELD, Cell, Row
from quorum.report.released import Released
from quorum.report.told import Depths, depths, is_planned, told_elsewhere
from quorum.tables import Dimension, Measure, TableShape
from quorum.tables.shape import ALL
from quorum.tables.targeting import aim

At = Mapping[str, str]
_FEWEST_TOGETHER = 2


class Rows:
    """The rows of one table and key, in words.

    Args:
        released: the released tables.
        table: the table.
        key: the campaign or section.
        words: of the page's language.
        comparisons: of the campaign: they mark click rates.
    """

    def __init__(self, released: Released, table: TableShape, key: str, words: Words, comparisons: Comparisons) -> None:
        self.released, self.table, self.key, self.words, self.comparisons = released, table, key, words, comparisons

    def aimed(self, dimension: Dimension) -> Dimension:
        """Return a dimension without the categories that the campaign does not target, which are 0 beforehand."""
        return aim(dimension, self.released.shape.targeting.get(self.key, {}))

    def places(self, dimension: Dimension, depth: int) -> list[tuple[str, ...]]:
        """Return the coordinates of a level of a dimension, without the key; ALL in finer levels."""
        nested = dimension.levels[0] == self.table.columns[0]
        found = [c[1:] if nested else c for c in dimension.coordinates() if not nested or c[0] == self.key]
        return [c for c in found if sum(place != ALL for place in c) == depth]

    def families(self, cells: Sequence[At]) -> list[str]:
        """Return the families that the plan lets be told of some of these cells."""
        found = [self._coordinate(at) for at in cells]
        return [
            name
            for name in self.table.families
            if is_planned(self.released.shape, self.table, name, self._depths, found)
        ]

    def untold(self, families: Sequence[str]) -> list[str]:
        """Return the names of the families of the table that are not among these, but for those told elsewhere."""
        elsewhere = {name for names in told_elsewhere(self.released, self.key).values() for name in names}
        return [self.words[f.count] for f in self._of_table() if f.name not in {*families, *elsewhere}]

    def measures(self, families: Sequence[str]) -> list[Measure]:
        """Return the measures that are shown: people, then events; of clicks and conversions events alone."""
        found = []
        for family in self._of_table():
            own = [m for m in self.table.measures if m.family == family.name and family.name in families]
            found += [m for m in reversed(own) if m.name == family.count or family.requires is None]
        return found or [m for m in self.table.measures if m.family in families]

    def header(self, families: Sequence[str]) -> list[str]:
        """Return the titles of the columns of numbers."""
        return [self.words[name] for name in self._columns(families)]

    def total(self, families: Sequence[str]) -> Row:
        """Return the row of the whole campaign or section."""
        return Row(self.words["all"], tuple(self._cells({}, families, 0)), "total")

    def body(
        self, levels: Sequence[str], level: str, places: Sequence[tuple[str, ...]], listed: int, families: Sequence[str]
    ) -> list[Row]:
        """Return a row for each category, one for those that are not listed, and one for what is withheld of all.

        Args:
            levels: columns of the dimension, without the key.
            level: the one that is shown.
            places: its coordinates.
            listed: so many of them have rows of their own.
            families: that the plan tells.
        """
        cells = [dict(zip(levels, place, strict=True)) for place in places]
        first = self._columns(families)[0]
        largest = max((self.value(at, first) or 0 for at in cells[:listed]), default=0)
        found = [
            Row(self.words.category(level, at[level]), tuple(self._cells(at, families, largest)))
            for at in cells[:listed]
        ]
        if cells[listed:]:
            label = self.words["more_creatives"].format(len(cells) - listed)
            found.append(Row(label, tuple(self._together(cells[listed:], name) for name in self._columns(families))))
        rest = [self._rest(levels, cells, name) for name in self._columns(families)]
        if any(cell.state != NOTHING for cell in rest):
            found.append(Row(self.words["withheld_together"], tuple(rest), "rest"))
        return found

    def value(self, at: At, measure: str) -> int | None:
        """Return a measure of a cell; None where it is withheld."""
        return self.released.value(self.table, self.key, at, measure)

    def number(self, at: At, measure: str) -> Cell:
        """Return a cell of a matrix."""
        value = self.value(at, measure)
        return Cell("", WITHHELD) if value is None else Cell(f"{value:,}")

    def point(self, at: At, measure: str) -> Point:
        """Return a point of a chart, named after the finest category of the cell."""
        level, category = list(at.items())[-1]
        value, label = self.value(at, measure), self.words.category(level, category)
        if value is None:
            return Point(category, label, None, self.words["withheld"])
        return Point(category, label, value, f"{value:,}", self.words.short(value))

    def has_numbers(self, cells: Iterable[At], measures: Sequence[Measure]) -> bool:
        """Say whether a number is published in some of these cells."""
        return any(self.value(at, measure.name) is not None for at in cells for measure in measures)

    @cached_property
    def _depths(self) -> Depths:
        return depths(self.released.shape, self.table, self.key)

    def _of_table(self) -> list[FamilySpec]:
        return [family for family in self.released.families if family.name in self.table.families]

    def _coordinate(self, at: At) -> tuple[str, ...]:
        own = self.table.columns[0]
        return tuple(self.key if column == own else at.get(column, ALL) for column in self.table.columns)

    def _columns(self, families: Sequence[str]) -> list[str]:
        """Return the columns: measures, and the click rate behind clicks where the table has impressions."""
        names = [measure.name for measure in self.measures(families)]
        if {"click_n", "impression_n"} <= set(names):
            names.insert(names.index("click_n") + 1, "click_rate")
        return names

    def _cells(self, at: At, families: Sequence[str], largest: int) -> Iterable[Cell]:
        """Yield the cells of a row; the first has a bar if there is a largest value to compare with."""
        for n, name in enumerate(self._columns(families)):
            if name == "click_rate":
                yield self._rate(at)
                continue
            value = self.value(at, name)
            if value is None:
                yield Cell("", WITHHELD)
            else:
                yield Cell(f"{value:,}", bar=100 * value // largest if largest and not n else None)

    def _rate(self, at: At) -> Cell:
        clicks, shown = self.value(at, "click_n"), self.value(at, "impression_n")
        if clicks is None or shown is None:
            return Cell("", WITHHELD)
        return Cell(percent(clicks, shown), verdict=self.comparisons.verdict(at)) if shown else Cell("–", NOTHING)

    def _together(self, cells: Sequence[At], name: str) -> Cell:
        """Return what is published of cells that have no row of their own."""
        values = [] if name == "click_rate" else [self.value(at, name) for at in cells]
        published = [value for value in values if value is not None]
        return Cell(f"{sum(published):,}") if published else Cell("–", NOTHING)

    def _rest(self, levels: Sequence[str], cells: Sequence[At], name: str) -> Cell:
        """Return the total less all published parts; nothing where no part is withheld or parts do not sum.

        It is what any reader can subtract. Of a lone withheld part it would be the number itself: that is never
        written, whatever the tables say.
        """
        measure = next((m for m in self.table.measures if m.name == name), None)
        values = [self.value(at, name) for at in cells] if measure else []
        withheld = sum(value is None for value in values)
        total = self.value({}, name) if measure else None
        if measure is None or not withheld or not set(levels) <= set(measure.additive_over):
            return Cell("–", NOTHING)
        if total is None or withheld < _FEWEST_TOGETHER:
            return Cell("", WITHHELD)
        return Cell(f"{total - sum(value or 0 for value in values):,}")
