"""How much of a campaign will be told, before it starts: cubes that could come, judged by the rules themselves.

What belongs here: what is drawn, how often, and the share that passes. What does not: what is expected of a campaign
(`quorum.disclosure.history`), the choice of its plan (`quorum.disclosure.plan`), and anything that was counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pyarrow as pa

from quorum.disclosure.control import control
from quorum.disclosure.decide import Told
from quorum.disclosure.grid import Bools, Ints, coordinates_of, parents, sizes
from quorum.disclosure.synthetic import Outlook, draw_cube
from quorum.disclosure.types import PUBLISHED, PackageCube, SafeCube
from quorum.policy import FamilySpec, RuleSet
from quorum.tables.periods import DAY, MONTH, WEEK
from quorum.tables.shape import ALL, KeyPlan, PackageShape, TableShape
from quorum.tables.targeting import UNKNOWN

DRAWS = 5
"""Of each period and plan. The middle one has what is expected; the others more and less, within the spread."""

_NAMES = {WEEK: "2000-W01", MONTH: "2000-01"}
_FEWEST_DAYS = 2
_PERCENT = 100


@dataclass(frozen=True)
class Share:
    """A share of events, 0 to 1.

    Args:
        expected: mean of the draws.
        low: the lowest of them.
        high: the highest.
    """

    expected: float
    low: float
    high: float

    def is_at_least(self, percent: int) -> bool:
        """Say whether the expected share reaches a number of percent.

        Args:
            percent: 0 to 100.

        Guarantee:
            About what is expected, not about the lowest draw.

        Source: disclosure.md, rule 7.
        """
        return self.expected * _PERCENT >= percent


@dataclass(frozen=True)
class Forecast:
    """What a plan is expected to tell of a campaign.

    Args:
        plan: the plan.
        told: family to table: the share of events in finest cells that are published, or lie below a published cell
            that names a category; cells that name ``unknown`` are not counted.
        cells: family to table to level: the share of events in published cells that name so many categories beside the
            campaign, ``unknown`` not counted. Levels that the plan leaves out are not there.
        totals: family to how often its total is told.
        events: family to events in a period of the plan.
    """

    plan: KeyPlan
    told: Mapping[str, Mapping[str, Share]]
    cells: Mapping[str, Mapping[str, Mapping[int, Share]]]
    totals: Mapping[str, float]
    events: Mapping[str, float]

    def best(self, family: str) -> tuple[str, Share] | None:
        """Return the table of which most is expected to be told; of equals the first.

        Args:
            family: name of the family.

        Returns:
            Table and share; None if no table has a cell that is expected to be told.

        Guarantee:
            One of `told`.

        Source: disclosure.md, "Utility" (the best table of each campaign).
        """
        able = [(table, share) for table, share in self.told[family].items() if share.high > 0]
        return max(able, key=lambda one: one[1].expected, default=None)


@dataclass(frozen=True)
class Measured:
    """What is told of one table and family of a campaign.

    Args:
        told: share of events, as in `Forecast`.
        cells: level to share of events, as in `Forecast`.
    """

    told: float
    cells: Mapping[int, float]


class Trial:
    """Cubes that a campaign could come to, the same for every plan that is tried on them.

    Args:
        shape: the package of a day, of this campaign alone.
        outlook: what is expected of it.
        families: of the report.
        rule_set: the rules.
        days: days of a week on which it runs.
        seed: whole numbers made of public facts; equal ones give equal forecasts.
        month_days: days of a month on which it runs; months are drawn for plans that have them alone.

    Guarantee:
        A function of public facts and of earlier releases, if the outlook is one. Not guaranteed: that delivery will be
        as booked; beyond the spread of the outlook nothing is said.

    Source: disclosure.md, rules 7 and 10.
    """

    def __init__(
        self,
        shape: PackageShape,
        outlook: Outlook,
        families: Sequence[FamilySpec],
        rule_set: RuleSet,
        days: int,
        seed: Sequence[int],
        month_days: int = 0,
    ) -> None:
        (self._key,) = {path[0] for table in shape.tables for path in table.dimensions[0].keys}
        self._shape, self._families, self._rule_set = replace(shape, plan={}), families, rule_set
        self._outlook, self._month_days = outlook, month_days
        self._factors = np.maximum(1 + np.linspace(-1, 1, DRAWS) * outlook.spread, 0.0)
        self._rngs = [np.random.default_rng([*seed, draw]) for draw in range(DRAWS)]
        self._days = self._drawn(1)
        self._weeks = self._drawn(days) if days >= _FEWEST_DAYS else []

    @cached_property
    def _months(self) -> list[PackageCube]:
        return self._drawn(self._month_days) if self._month_days >= _FEWEST_DAYS else []

    def _drawn(self, day_n: int) -> list[PackageCube]:
        pairs = zip(self._factors, self._rngs, strict=True)
        return [draw_cube(self._shape, self._outlook, self._families, day_n, factor, rng) for factor, rng in pairs]

    def forecast(self, plan: KeyPlan) -> Forecast:
        """Say what a plan would tell of the campaign.

        Args:
            plan: any; of a period that no two days of the campaign lie in nothing is said.

        Returns:
            The forecast: `DRAWS` cubes of a day, and of a week or month if the plan has one, put through `control`, so
            that what is withheld to protect other cells is in it. What an invoice tells of a month is left out.

        Raises:
            ConfigurationError: shape, families and rule set do not fit together.

        Guarantee:
            As of the class.

        Source: disclosure.md, rules 1, 2, 6, 7 and 10.
        """
        days = [control(_planned(cube, self._key, plan), self._rule_set, self._families) for cube in self._days]
        return self._with_longer(plan, days)

    def compare(self, period_percent: int) -> tuple[Forecast, Forecast]:
        """Try plans that tell every level.

        Args:
            period_percent: share of the best table that must be expected for a period to be short enough.

        Returns:
            What is expected if everything is told by day; and if each family is told by day, where that is expected to
            be enough, else by week, and so is what requires it. The same one if days are enough.

        Raises:
            ConfigurationError: shape, families and rule set do not fit together.

        Guarantee:
            As of the class.

        Source: disclosure.md, rule 7; docs/decisions/0007-periods-and-plans.md.
        """
        names = [family.name for family in self._families]
        levels = {table.name: dict.fromkeys(names, max(table.named())) for table in self._shape.tables}
        by_day = KeyPlan(dict.fromkeys(names, DAY), levels)
        days = [control(_planned(cube, self._key, by_day), self._rule_set, self._families) for cube in self._days]
        first = self._with_longer(by_day, days)
        enough = [(best := first.best(name)) is not None and best[1].is_at_least(period_percent) for name in names]
        if all(enough) or not self._weeks:
            return first, first
        split = enough.index(False)
        plan = KeyPlan({name: DAY if i < split else WEEK for i, name in enumerate(names)}, levels)
        return first, self._with_longer(plan, days)

    def _with_longer(self, plan: KeyPlan, days: Sequence[SafeCube]) -> Forecast:
        """Judge the weeks and months that a plan has, beside judged days, and sum up."""
        judged = {DAY: list(zip(self._days, days, strict=True))}
        if WEEK in plan.periods.values():
            judged[WEEK] = self._judged(self._weeks, plan, WEEK, _always_told(days, self._families))
        if MONTH in plan.periods.values():
            judged[MONTH] = self._judged(self._months, plan, MONTH, {})
        told: dict[str, dict[str, Share]] = {}
        cells: dict[str, dict[str, dict[int, Share]]] = {}
        totals: dict[str, float] = {}
        events: dict[str, float] = {}
        for family in self._families:
            own = judged.get(plan.periods[family.name], [])
            told[family.name], cells[family.name] = _shares(own, plan, family)
            totals[family.name] = float(np.mean([float(_tells_total(safe, family)) for _, safe in own] or [0.0]))
            counts = [cube.values(cube.shape.tables[0].name, family.count)[0] for cube, _ in own]
            events[family.name] = float(np.mean(counts or [0.0]))
        return Forecast(plan, told, cells, totals, events)

    def _judged(
        self, cubes: Sequence[PackageCube], plan: KeyPlan, kind: str, elsewhere: Told
    ) -> list[tuple[PackageCube, SafeCube]]:
        own = [_as_longer(cube, self._key, plan, kind) for cube in cubes]
        safe = [control(cube, self._rule_set, self._families, told_elsewhere=elsewhere) for cube in own]
        return list(zip(cubes, safe, strict=True))


def measure(
    cube: PackageCube, released: Mapping[str, pa.Table], plan: KeyPlan, family: FamilySpec
) -> dict[str, Measured]:
    """Measure what is told of a campaign.

    Args:
        cube: what was counted, or drawn, of one campaign.
        released: its tables as released.
        plan: of the campaign.
        family: the family.

    Returns:
        Table to shares; without tables that have no event in a known category.

    Guarantee:
        The total tells no cell, and no event is counted twice.

    Source: disclosure.md, "Utility".
    """
    found: dict[str, Measured] = {}
    for table in cube.shape.tables:
        events = cube.values(table.name, family.count)
        named, known, finest = _places(table)
        shown = np.array(released[table.name][f"status_{family.name}"].to_pylist()) == PUBLISHED
        weight = np.where(known & finest, events, 0)
        if not weight.any():
            continue
        cells = {}
        for level in range(1, plan.levels.get(table.name, {}).get(family.name, 0) + 1):
            at = known & (named == level)
            cells[level] = float(events[at & shown].sum() / max(events[at].sum(), 1))
        below = _below(table, shown & (named > 0))
        found[table.name] = Measured(float(weight[below].sum() / weight.sum()), cells)
    return found


def finest_levels(forecast: Forecast, level_percent: int) -> KeyPlan:
    """Return the plan that a forecast of all levels speaks for.

    Args:
        forecast: of a plan that tells every level.
        level_percent: share of a level that must be expected for it to be told.

    Returns:
        Its periods; in each table the finest level of which enough is expected.

    Guarantee:
        A function of its arguments.

    Source: disclosure.md, rule 7.
    """
    levels: dict[str, dict[str, int]] = {}
    for table, planned in forecast.plan.levels.items():
        for family in planned:
            told = forecast.cells[family].get(table, {})
            enough = [level for level, share in told.items() if share.is_at_least(level_percent)]
            levels.setdefault(table, {})[family] = max(enough, default=0)
    return KeyPlan(forecast.plan.periods, levels)


def _tells_total(safe: SafeCube, family: FamilySpec) -> bool:
    """Say whether the first row of the first table, the campaign's total, is published."""
    statuses = safe.tables[safe.shape.tables[0].name][f"status_{family.name}"]
    return bool(statuses[0].as_py() == PUBLISHED)


def _shares(
    judged: Sequence[tuple[PackageCube, SafeCube]], plan: KeyPlan, family: FamilySpec
) -> tuple[dict[str, Share], dict[str, dict[int, Share]]]:
    """Return table to share, and table to level to share, over all draws."""
    measured = [measure(cube, released.tables, plan, family) for cube, released in judged]
    tables = list(dict.fromkeys(table for one in measured for table in one))
    told, cells = {}, {}
    for table in tables:
        own = [one[table] for one in measured if table in one]
        told[table] = _share([one.told for one in own])
        cells[table] = {level: _share([one.cells[level] for one in own]) for level in own[0].cells}
    return told, cells


def _share(values: Sequence[float]) -> Share:
    return Share(float(np.mean(values)), min(values), max(values))


def _planned(cube: PackageCube, key: str, plan: KeyPlan) -> PackageCube:
    return PackageCube(replace(cube.shape, plan={key: plan}), cube.tables)


def _always_told(days: Sequence[SafeCube], families: Sequence[FamilySpec]) -> Told:
    """Return which rows are told on all days: those that are in every draw."""
    found: dict[str, dict[str, Bools]] = {}
    for family in families:
        for table in days[0].shape.tables:
            told = [np.array(day.tables[table.name][f"status_{family.name}"].to_pylist()) == PUBLISHED for day in days]
            found.setdefault(family.name, {})[table.name] = np.logical_and.reduce(told)
    return found


def _as_longer(cube: PackageCube, key: str, plan: KeyPlan, kind: str) -> PackageCube:
    """Return a cube as that of a week or month: families that it tells, no people, nobody in one category alone."""
    tables = []
    for table in cube.shape.tables:
        measures = tuple(m for m in table.measures if m.kind == "count" and plan.periods[m.family] == kind)
        loose = tuple(replace(dimension, partitions_people=False) for dimension in table.dimensions)
        tables.append(replace(table, dimensions=loose, measures=measures))
    return PackageCube(replace(cube.shape, period=_NAMES[kind], tables=tuple(tables), plan={key: plan}), cube.tables)


def _places(table: TableShape) -> tuple[Ints, Bools, Bools]:
    """Return for each row how many categories it names, whether all of them are known, and whether none is finer."""
    named = np.fromiter(table.named(), dtype=np.int64)
    places = list(table.coordinates())
    known = np.array([UNKNOWN not in place for place in places])
    finest = np.array([ALL not in place for place in places])
    return named, known, finest


def _below(table: TableShape, rows: Bools) -> Bools:
    """Return these rows and all rows below them."""
    grid = rows.reshape(sizes(table)).copy()
    for place, dimension in enumerate(table.dimensions):
        lines = np.moveaxis(grid, place, 0)
        for child, parent in enumerate(parents(coordinates_of(dimension)).tolist()):
            if parent >= 0:
                lines[child] |= lines[parent]
    return grid.ravel()
