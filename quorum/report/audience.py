"""The tables of a campaign or section, each with its chart: who was reached, when, where on the portal, with what.

What belongs here: which tables and charts are made of a released table. What does not: a row (`rows`), and words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from quorum.report import charts
from quorum.report.model import Grid, Panel, Row
from quorum.report.rows import Rows
from quorum.tables import Dimension
from quorum.tables.shape import ALL

LISTED_CREATIVES = 12
FOLDED_FROM = 20
_UNKNOWN = "unknown"
_COLUMNS = {"hour_band": "hours_title", "frequency": "frequency_title"}
"""Dimensions that are drawn as columns, in order, with the title."""


@dataclass(frozen=True)
class Audience:
    """The panels of one table of one key.

    Args:
        rows: the rows of the table, in words.
    """

    rows: Rows

    def panels(self) -> Iterator[Panel]:
        """Yield a panel for each level of each dimension, the others at ALL; crosses first.

        Of a table of several dimensions whose margins other tables show, the crosses alone.
        """
        table = self.rows.table
        own = table.columns[0]
        dimensions = [d for d in table.dimensions if d.levels != (own,)]
        if [d.levels for d in dimensions] == [("age_band",), ("gender",)]:
            yield from self._pyramid(*dimensions)
        elif len(dimensions) > 1 and all(dimension.levels[0] != own for dimension in dimensions):
            yield from self._crosses(dimensions)
            return
        for dimension in dimensions:
            levels = [level for level in dimension.levels if level != own]
            for depth in range(1, len(levels) + 1):
                yield from self._level(dimension, levels, depth)

    def _level(self, dimension: Dimension, levels: Sequence[str], depth: int) -> Iterator[Panel]:
        """Yield the panel of one level of a dimension; none if the plan tells nothing of it."""
        rows, words = self.rows, self.rows.words
        level = levels[depth - 1]
        aimed = rows.aimed(dimension)
        coordinates = rows.places(aimed, depth)
        families = rows.families([dict(zip(levels, c, strict=True)) for c in coordinates])
        if not families:
            return
        listed = LISTED_CREATIVES if level == "creative_id" else len(coordinates)
        measures = rows.measures(families)
        body = rows.body(levels, level, coordinates, listed, families)
        is_told = rows.has_numbers([dict(zip(levels, c, strict=True)) for c in coordinates], measures)
        title = words.by(level)
        grid = Grid(title, (words[level], *rows.header(families)), (rows.total(families), *body))
        chart = self._chart(dimension, measures[0].name) if depth == 1 and is_told else None
        yield Panel(
            title,
            grid,
            chart,
            self._notes(dimension, aimed, level, depth),
            is_wide=len(levels) > 1,
            is_folded=not is_told or len(body) > FOLDED_FROM,
            summary=words["all_withheld" if not is_told else "show_table"],
            untold=tuple(rows.untold(families)),
        )

    def _notes(self, dimension: Dimension, aimed: Dimension, level: str, depth: int) -> tuple[str, ...]:
        rows, words = self.rows, self.rows.words
        notes = []
        kept = {c[-1] for c in rows.places(aimed, depth)}
        missing = [c[-1] for c in rows.places(dimension, depth) if c[-1] not in kept]
        if missing:
            left_out = words["comma"].join(words.category(level, category) for category in missing)
            notes.append(words["not_targeted"].format(left_out))
        return tuple(notes)

    def _chart(self, dimension: Dimension, measure: str) -> Markup | None:
        words, finest = self.rows.words, dimension.levels[-1]
        if finest == "prefecture":
            return self._map(dimension, measure)
        if finest in _COLUMNS:
            paths = [path for path in self.rows.aimed(dimension).keys if path[-1] != _UNKNOWN]
            points = [self.rows.point(dict(zip(dimension.levels, path, strict=True)), measure) for path in paths]
            return charts.columns(points, words[_COLUMNS[finest]].format(words[measure]))
        return None

    def _map(self, dimension: Dimension, measure: str) -> Markup:
        """Draw prefectures; where none of them is told, each with the number of its region, as the title says."""
        words, (region, prefecture) = self.rows.words, dimension.levels
        paths = [path for path in self.rows.aimed(dimension).keys if path[-1] != _UNKNOWN]
        at = [dict(zip(dimension.levels, path, strict=True)) for path in paths]
        is_fine = self.rows.has_numbers(at, [m for m in self.rows.table.measures if m.name == measure])
        points = [self.rows.point(place if is_fine else {region: place[region]}, measure) for place in at]
        named = [
            charts.Point(place[prefecture], p.label, p.value, p.text, p.short if is_fine else "")
            for place, p in zip(at, points, strict=True)
        ]
        title = words["map_title" if is_fine else "map_title_regions"].format(words[measure])
        legend = (words["fewer"], words["more"], words["withheld"])
        return charts.tile_map(named, title, words.language, legend)

    def _pyramid(self, ages: Dimension, genders: Dimension) -> Iterator[Panel]:
        """Yield ages by genders with the pyramid of women and men."""
        rows, words = self.rows, self.rows.words
        age_keys, gender_keys = ([path[0] for path in rows.aimed(d).keys] for d in (ages, genders))
        crossed = [{"age_band": age, "gender": gender} for age in age_keys for gender in gender_keys]
        families = rows.families(crossed)
        if not families:
            return
        measure = rows.measures(families)[0]
        lines = [
            Row(
                words.category("age_band", age),
                tuple(rows.number({"age_band": age, "gender": g}, measure.name) for g in [ALL, *gender_keys]),
                "total" if age == ALL else "",
            )
            for age in [ALL, *age_keys]
        ]
        sides = [self._side(g, gender_keys, measure.name) for g in ("female", "male")]
        bands = [(words.category("age_band", age), sides[0](age), sides[1](age)) for age in age_keys if age != _UNKNOWN]
        is_told = rows.has_numbers(crossed, [measure])
        title = words["matrix"].format(words[measure.name])
        yield Panel(
            title,
            Grid(title, (words["age_band"], *(words.category("gender", g) for g in [ALL, *gender_keys])), tuple(lines)),
            charts.pyramid(bands, words["pyramid_title"].format(words[measure.name])) if is_told else None,
            is_wide=True,
            is_folded=not is_told,
            summary=words["all_withheld"],
        )

    def _side(self, gender: str, genders: Sequence[str], measure: str) -> Callable[[str], charts.Point | None]:
        """Return what gives the bar of an age on a gender's side; nothing for one that is not targeted."""
        if gender not in genders:
            return lambda age: None
        return lambda age: self.rows.point({"age_band": age, "gender": gender}, measure)

    def _crosses(self, dimensions: Sequence[Dimension]) -> Iterator[Panel]:
        """Yield a panel of the longest dimension by the next one, for each category of a third if there is one."""
        rows, words = self.rows, self.rows.words
        down, across, *third = sorted(dimensions, key=lambda dimension: -len(dimension.keys))
        (row, *_), (column, *_) = down.levels, across.levels
        over = [path[0] for path in rows.aimed(across).keys]
        names = [path[0] for path in rows.aimed(down).keys]
        for path in rows.aimed(third[0]).keys if third else ((),):
            fixed = dict(zip(third[0].levels if third else (), path, strict=True))
            crossed = [{**fixed, row: name, column: other} for name in names for other in over]
            families = rows.families(crossed)
            if not families:
                continue
            measure = rows.measures(families)[0]
            lines = [
                Row(
                    words.category(row, name),
                    tuple(rows.number({**fixed, row: name, column: other}, measure.name) for other in [ALL, *over]),
                    "total" if name == ALL else "",
                )
                for name in [ALL, *names]
            ]
            title = words["pair"].format(words[row], words[column], words[measure.name])
            title = "・".join([title, *(words.category(level, value) for level, value in fixed.items())])
            is_told = rows.has_numbers(crossed, [measure])
            header = (words[row], *(words.category(column, other) for other in [ALL, *over]))
            yield Panel(
                title,
                Grid(title, header, tuple(lines)),
                is_wide=True,
                is_folded=not is_told or bool(third),
                summary=words["show_table" if is_told else "all_withheld"],
            )
