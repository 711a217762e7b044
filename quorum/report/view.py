"""What a page shows, worked out before it is laid out: headlines, panels, rows and cells, as texts and bar widths.

What belongs here: choosing and ordering what is shown, and ratios of released counts. What does not: markup
(`templates/`), and any number that was not released.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from markupsafe import Markup

from quorum.disclosure.invoice import COST_MICROS, TOTALS
from quorum.policy import FamilySpec
from quorum.report import charts
from quorum.report.facts import KeyFacts, PageFacts
from quorum.report.labels import Words, percent, quotient
from quorum.report.released import Released
from quorum.report.why_page import withheld_lines
from quorum.tables import Dimension, TableShape
from quorum.tables.shape import ALL
from quorum.tables.targeting import aim

DETAILED_KEYS = 16
LISTED_CREATIVES = 12


@dataclass(frozen=True)
class Cell:
    """A number on the page.

    Args:
        text: as it is written; empty for withheld, the page has a word for it.
        bar: width of its bar in percent, None without one.
        is_withheld: whether it, or what it is computed from, is withheld.
    """

    text: str
    bar: int | None = None
    is_withheld: bool = False


@dataclass(frozen=True)
class Row:
    """A row of a panel: its label, its cells, and whether it is the total."""

    label: str
    cells: tuple[Cell, ...]
    is_total: bool = False


@dataclass(frozen=True)
class Panel:
    """A table of the page with its chart.

    Args:
        title: what it shows.
        header: titles of the columns; the first is of the labels.
        rows: in order.
        chart: inline SVG, or None.
        note: a line below, or empty.
        is_wide: whether it takes the full width.
        is_split: whether its rows stand in two tables side by side.
    """

    title: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]
    chart: Markup | None = None
    note: str = ""
    is_wide: bool = False
    is_split: bool = False

    @property
    def parts(self) -> tuple[tuple[Row, ...], ...]:
        """The rows of each table: all, or two halves without the total."""
        if not self.is_split:
            return (self.rows,)
        plain = tuple(row for row in self.rows if not row.is_total)
        half = (len(plain) + 1) // 2
        return plain[:half], plain[half:]


@dataclass(frozen=True)
class Section:
    """A campaign or a section of the site.

    Args:
        name: what it is called.
        key: its id.
        facts: label and text of what was booked.
        headline: label and number.
        panels: its tables; none if it is not detailed.
        withheld: a line for each family of which something is withheld; none if it is not detailed.
    """

    name: str
    key: str
    facts: tuple[tuple[str, str], ...]
    headline: tuple[tuple[str, Cell], ...]
    panels: tuple[Panel, ...] = field(default=())
    withheld: tuple[str, ...] = ()


def sections(facts: PageFacts, released: Released, words: Words) -> tuple[Section, ...]:
    """Return what a page shows of every key, in the order of the facts; the first ones in detail.

    Args:
        facts: public facts.
        released: the released tables.
        words: of the page's language.
    """
    view = _View(facts, released, words)
    return tuple(view.section(key, is_detailed=n < DETAILED_KEYS) for n, key in enumerate(facts.keys))


@dataclass(frozen=True)
class _View:
    facts: PageFacts
    released: Released
    words: Words

    def section(self, key: KeyFacts, *, is_detailed: bool) -> Section:
        panels = tuple(p for table in self._tables(key) for p in self._panels(table, key)) if is_detailed else ()
        name = self.words.name(key.names[self.words.language])
        withheld = withheld_lines(self.released, key.key, self.words) if is_detailed else ()
        return Section(name, key.key, self._booking(key), self._headline(key), panels, withheld)

    def _tables(self, key: KeyFacts) -> list[TableShape]:
        return [table for table in self.released.shape.tables if self.released.lists(table, key.key)]

    def _booking(self, key: KeyFacts) -> tuple[tuple[str, str], ...]:
        booking, words = key.booking, self.words
        if booking is None:
            return ()
        targets = [
            f"{words[name]}: "
            + "・".join(words.policy.label(name, category, words.language) for category in categories)
            for name, categories in booking.targets
        ]
        return (
            (words["flight"], f"{words.day(booking.starts_on)} – {words.day(booking.ends_on)}"),
            (words["booked"], f"{booking.booked_impressions:,}"),
            (words["price"], words.price(booking.price_model, booking.price_micros)),
            (words["targets"], " / ".join(targets) or words["no_targets"]),
            *([(words["series"], words["series_break"])] if key.key in self.facts.breaks else []),
        )

    def _headline(self, key: KeyFacts) -> tuple[tuple[str, Cell], ...]:
        words, base = self.words, self.released.families[0]
        count, heads = (self.released.total(key.key, name) for name in (base.count, base.heads))
        if base.count == base.heads:
            return ((words[base.heads], _number(heads)),)
        shown = [(words[base.count], _number(count)), (words[base.heads], _number(heads))]
        families = {family.name: family for family in self.released.families}
        if "clicks" in families:
            clicks = self.released.total(key.key, families["clicks"].count)
            shown += [(words["click_n"], _number(clicks)), (words["click_rate"], _rate(clicks, count))]
        else:
            shown.append((words["view_rate"], _mean(count, heads)))
        if key.booking is not None:
            micros = self.released.total(key.key, COST_MICROS)
            if micros is None:
                micros = self.released.cost_micros(key.key, key.booking)
            cost = Cell("", is_withheld=True) if micros is None else Cell(words.yen(micros))
            shown.append((words["cost"], cost))
        return tuple(shown)

    def _panels(self, table: TableShape, key: KeyFacts) -> Iterable[Panel]:
        """Yield a panel for each dimension of a table, the others at ALL; for age and gender their cross as well.

        Of a table whose margins other tables show, the crosses alone: two dimensions, for each category of a third.
        """
        own = table.columns[0]
        if table.name == TOTALS:
            yield self._totals(table, key)
        dimensions = [d for d in table.dimensions if d.levels != (own,)]
        if [d.levels for d in dimensions] == [("age_band",), ("gender",)]:
            yield self._cross(table, key, *dimensions)
        elif len(dimensions) > 1 and all(dimension.levels[0] != own for dimension in dimensions):
            yield from self._pairs(table, key, dimensions)
            return
        for dimension in dimensions:
            for depth in range(1, len([level for level in dimension.levels if level != own]) + 1):
                yield self._level(table, key, dimension, depth)

    def _totals(self, table: TableShape, key: KeyFacts) -> Panel:
        """Return the totals of a month, which the invoice tells too."""
        words = self.words
        cells = []
        for measure in table.measures:
            value = self.released.value(table, key.key, {}, measure.name)
            is_money = value is not None and measure.name == COST_MICROS
            cells.append(Cell(words.yen(value)) if value is not None and is_money else _number(value))
        row = Row(words["all"], tuple(cells), is_total=True)
        header = (words["totals"], *(words[measure.name] for measure in table.measures))
        return Panel(words["totals"], header, (row,), note=words["totals_invoiced"])

    def _level(self, table: TableShape, key: KeyFacts, dimension: Dimension, depth: int) -> Panel:
        """Return the panel of one level of a dimension: the total, then its categories; charts stand at the first."""
        own = table.columns[0]
        nested = dimension.levels[0] == own
        levels = dimension.levels[1:] if nested else dimension.levels
        found = [c[1:] if nested else c for c in dimension.coordinates() if not nested or c[0] == key.key]
        coordinates = [c for c in found if sum(category != ALL for category in c) == depth]
        level, words = levels[depth - 1], self.words
        note, coordinates = self._not_targeted(dimension, key, level, coordinates)
        if level == "creative_id" and len(coordinates) > LISTED_CREATIVES:
            note = words["more_creatives"].format(len(coordinates) - LISTED_CREATIVES)
            coordinates = coordinates[:LISTED_CREATIVES]
        cells = [dict(zip(levels, coordinate, strict=True)) for coordinate in coordinates]
        values = [self.released.value(table, key.key, at, self.main_measure(table)) for at in cells]
        largest = max((value or 0 for value in values), default=0)
        rows = [Row(words["all"], self._cells(table, key, {}, None), is_total=True)]
        rows += [Row(words.category(level, at[level]), self._cells(table, key, at, largest)) for at in cells]
        chart = self._chart(table, key, dimension) if depth == 1 else None
        return Panel(
            words.by(level),
            (words[level], *self._header(table)),
            tuple(rows),
            chart,
            note,
            is_wide=len(levels) > 1,
            is_split=depth > 1,
        )

    def _aimed(self, dimension: Dimension, key: KeyFacts) -> Dimension:
        """Return a dimension without the categories that a campaign does not target, which are 0 beforehand."""
        return aim(dimension, self.released.shape.targeting.get(key.key, {}))

    def _not_targeted(
        self, dimension: Dimension, key: KeyFacts, level: str, coordinates: list[tuple[str, ...]]
    ) -> tuple[str, list[tuple[str, ...]]]:
        """Return a line that names the categories outside the targeting, and the coordinates without them."""
        aimed = self._aimed(dimension, key)
        if aimed is dimension:
            return "", coordinates
        listed = set(aimed.coordinates())
        at = dimension.levels.index(level)
        left_out = [self.words.category(level, c[at]) for c in coordinates if c not in listed]
        note = self.words["not_targeted"].format(self.words["comma"].join(left_out)) if left_out else ""
        return note, [c for c in coordinates if c in listed]

    def _header(self, table: TableShape) -> list[str]:
        words = self.words
        header = []
        for family in self.released.families:
            names = [m.name for m in table.measures if m.family == family.name]
            header += [words[name] for name in reversed(names) if _is_shown(family, name)]
            if family.name == "clicks":
                header.append(words["click_rate"])
        return header

    def _cells(self, table: TableShape, key: KeyFacts, at: dict[str, str], largest: int | None) -> tuple[Cell, ...]:
        """Return the cells of a row; the first has a bar if there is a largest value to compare with."""
        cells: list[Cell] = []
        base = self.released.value(table, key.key, at, self.released.families[0].count)
        for family in self.released.families:
            names = [m.name for m in table.measures if m.family == family.name]
            for name in reversed(names):
                if _is_shown(family, name):
                    value = self.released.value(table, key.key, at, name)
                    bar = None if largest is None or cells or value is None else 100 * value // max(1, largest)
                    cells.append(_number(value, bar))
            if family.name == "clicks":
                cells.append(_rate(self.released.value(table, key.key, at, family.count), base))
        return tuple(cells)

    def main_measure(self, table: TableShape) -> str:
        """Return the measure that charts and bars show: people where the table has them, else its first events."""
        base, names = self.released.families[0], [m.name for m in table.measures]
        return base.heads if base.heads in names else base.count if base.count in names else names[0]

    def _point(self, table: TableShape, key: KeyFacts, at: dict[str, str], label: str) -> charts.Point:
        value = self.released.value(table, key.key, at, self.main_measure(table))
        text = self.words["withheld"] if value is None else f"{value:,}"
        return charts.Point(list(at.values())[-1], label, value, text)

    def _chart(self, table: TableShape, key: KeyFacts, dimension: Dimension) -> Markup | None:
        words, measure, finest = self.words, self.words[self.main_measure(table)], dimension.levels[-1]
        points = [
            self._point(table, key, dict(zip(dimension.levels, path, strict=True)), words.category(finest, path[-1]))
            for path in (self._aimed(dimension, key).keys if finest in ("prefecture", "hour_band") else ())
        ]
        if finest == "prefecture":
            legend = (words["fewer"], words["more"], words["withheld"])
            return charts.tile_map(points, words["map_title"].format(measure), words.language, legend)
        if finest == "hour_band":
            return charts.columns([p for p in points if p.key != "unknown"], words["hours_title"].format(measure))
        return None

    def _cross(self, table: TableShape, key: KeyFacts, ages: Dimension, genders: Dimension) -> Panel:
        """Return ages by genders with the pyramid of women and men."""
        words, name = self.words, self.main_measure(table)
        age_keys, gender_keys = ([path[0] for path in self._aimed(d, key).keys] for d in (ages, genders))
        rows = []
        for age in [ALL, *age_keys]:
            at = [{"age_band": age, "gender": gender} for gender in [ALL, *gender_keys]]
            cells = tuple(_number(self.released.value(table, key.key, where, name)) for where in at)
            rows.append(Row(words.category("age_band", age), cells, is_total=age == ALL))
        bands = []
        for age in age_keys:
            women, men = (
                self._point(table, key, {"age_band": age, "gender": g}, words.category("gender", g))
                if g in gender_keys
                else None
                for g in ("female", "male")
            )
            if age != "unknown":
                bands.append((words.category("age_band", age), women, men))
        return Panel(
            words["matrix"].format(words[name]),
            (words["age_band"], *(words.category("gender", gender) for gender in [ALL, *gender_keys])),
            tuple(rows),
            charts.pyramid(bands, words["pyramid_title"].format(words[name])),
            is_wide=True,
        )

    def _pairs(self, table: TableShape, key: KeyFacts, dimensions: list[Dimension]) -> Iterable[Panel]:
        """Yield a panel of the longest dimension by the next one, for each category of a third if there is one."""
        words, name = self.words, self.main_measure(table)
        down, across, *third = sorted(dimensions, key=lambda dimension: -len(dimension.keys))
        (row, *_), (column, *_) = down.levels, across.levels
        for path in third[0].keys if third else ((),):
            fixed = dict(zip(third[0].levels if third else (), path, strict=True))
            rows = []
            for category in [ALL, *(path[0] for path in down.keys)]:
                at = [{**fixed, row: category, column: other} for other in [ALL, *(key[0] for key in across.keys)]]
                cells = tuple(_number(self.released.value(table, key.key, where, name)) for where in at)
                rows.append(Row(words.category(row, category), cells, is_total=category == ALL))
            title = words["pair"].format(words[row], words[column], words[name])
            yield Panel(
                "・".join([title, *(words.category(level, value) for level, value in fixed.items())]),
                (words[row], *(words.category(column, other) for other in [ALL, *(key[0] for key in across.keys)])),
                tuple(rows),
                is_wide=True,
            )


def _is_shown(family: FamilySpec, measure: str) -> bool:
    """Leave out head counts of clicks and conversions: the page shows events there, the files have both."""
    return measure == family.count or family.requires is None


def _number(value: int | None, bar: int | None = None) -> Cell:
    return Cell("", is_withheld=True) if value is None else Cell(f"{value:,}", bar)


def _rate(part: int | None, whole: int | None) -> Cell:
    return _ratio(part, whole, percent)


def _mean(part: int | None, whole: int | None) -> Cell:
    return _ratio(part, whole, quotient)


def _ratio(part: int | None, whole: int | None, written: Callable[[int, int], str]) -> Cell:
    """Return a ratio of released counts; withheld if one of them is, a dash where there is nothing to divide by."""
    if part is None or whole is None:
        return Cell("", is_withheld=True)
    return Cell(written(part, whole) if whole else "–")
