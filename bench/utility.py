"""The utility of disclosure control on cubes of `bench.night`: the whole frontier, written to docs/benchmarks.md.

What belongs here: which nights, plans and rule sets are measured. What does not: making cubes (`bench.night`), what a
share is (`bench.measure`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.compute as pc

from bench.measure import Tally, Told, tally
from bench.night import KEYS, ROOT
from quorum.disclosure import PackageCube, control, project
from quorum.disclosure.reach import shape_without_reach
from quorum.disclosure.week import sum_days, told_by_days
from quorum.engine.store import Store
from quorum.ledger import Ledger
from quorum.plans import Plans
from quorum.policy import FamilySpec, Policy, ReportSpec, RuleSet
from quorum.release.extracts import draw, with_extracts
from quorum.release.shapes import REFERENCES, package_shapes
from quorum.release.week_shapes import week_shape, week_tables
from quorum.tables import KeyPlan, PackageShape, load_catalog
from quorum.tables.periods import DAY, ends_week
from quorum.zones import Home

Planner = Callable[[PackageShape, date], PackageShape]
"""Puts plans into the shape of a day's package."""


@dataclass(frozen=True)
class Bench:
    """Cubes to measure.

    Args:
        home: from `bench.night`.
        days: whose cubes lie there, in order.
        policy: reports and rule sets.
    """

    home: Home
    days: Sequence[date]
    policy: Policy

    @cached_property
    def store(self) -> Store:
        """The partitions."""
        return Store(self.home, load_catalog(ROOT / "sql"), KEYS)

    @property
    def report(self) -> ReportSpec:
        """The report that is measured."""
        return self.policy.reports["campaign"]

    @property
    def families(self) -> list[FamilySpec]:
        """Its families."""
        return [self.policy.families[name] for name in self.report.families]

    @property
    def rule_set(self) -> RuleSet:
        """Its rule set."""
        return self.policy.rule_sets[self.report.rule_set]

    def shapes(self, day: date) -> list[PackageShape]:
        """Return the shapes of a day's packages, without plans."""
        return [shape for shape in self._owed(day) if shape.report == self.report.name]

    def _owed(self, day: date) -> list[PackageShape]:
        return package_shapes(self.policy, {name: self.store.read(name, day) for name in REFERENCES}, day)

    def planned(self) -> Planner:
        """Return what the pipeline plans: fixed on the first of the days."""
        with TemporaryDirectory() as folder:
            ledger = Ledger(Path(folder))
            plans = Plans(self.store, self.policy, ledger, self._owed)
            for day in self.days:
                plans.fix(self._owed(day), day)
            ledger.close()
        return plans.with_plan

    def days_told(self, planner: Planner, days: Sequence[date] | None = None) -> tuple[Tally, dict[str, list[Day]]]:
        """Control the packages of days; return what they tell, and the packages by recipient."""
        found, packages = Tally(), dict[str, list[Day]]()
        for day in self.days if days is None else days:
            for cube in self._cubes(planner, day):
                safe = control(cube, self.rule_set, self.families)
                found.add(self._tallied(cube, safe.tables))
                packages.setdefault(cube.shape.recipient_id, []).append(Day(day, cube, safe.tables))
        return found, packages

    def counted(self, planner: Planner) -> dict[str, list[Day]]:
        """Return the packages of all days with nothing released of them, by recipient."""
        packages = dict[str, list[Day]]()
        for day in self.days:
            for cube in self._cubes(planner, day):
                packages.setdefault(cube.shape.recipient_id, []).append(Day(day, cube, {}))
        return packages

    def week_told(self, packages: Mapping[str, Sequence[Day]]) -> Tally:
        """Control the packages of the week that the last day ends."""
        found = Tally()
        people = self.store.read(str(self.report.week_cube), self.days[-1])
        sources = {table.name: table.spec.name for table in week_tables(self.report)}
        for days in packages.values():
            shape = week_shape(self.policy, {day.day: day.cube.shape for day in days})
            if shape is not None and ends_week(self.days[-1]):
                shape = shape_without_reach(shape)  # it has no cell below a total
                listed = pa.array(sorted({path[0] for table in shape.tables for path in table.dimensions[0].keys}))
                own = people.filter(pc.is_in(people[self.report.key], listed))
                cube = sum_days(shape, [day.cube for day in days], own, self.families, sources)
                shown = [(day.cube.shape, day.released) for day in days]
                told = told_by_days(shape, shown, self.families, sources)
                safe = control(cube, self.rule_set, self.families, told_elsewhere=told)
                found.add(self._tallied(cube, safe.tables))
        return found

    def _tallied(self, cube: PackageCube, released: Mapping[str, pa.Table]) -> Tally:
        """Measure a package as it is delivered, with the tables that are drawn from others."""
        shape, policy = cube.shape, self.policy
        whole = replace(cube, shape=with_extracts(shape, policy), tables=draw(shape, cube.tables, policy))
        return tally(whole, draw(shape, released, policy), self.families, self.rule_set)

    def _cubes(self, planner: Planner, day: date) -> Iterator[PackageCube]:
        """Yield what was counted for each package of a day."""
        cubes = {table.cube: self.store.read(table.cube, day) for table in self.report.tables}
        for shape in self.shapes(day):
            yield self._project(planner(shape, day), cubes)

    def _project(self, shape: PackageShape, cubes: Mapping[str, pa.Table]) -> PackageCube:
        keys = pa.array(sorted({path[0] for path in shape.tables[0].dimensions[0].keys}), pa.string())
        own = {name: rows.filter(pc.is_in(rows[self.report.key], keys)) for name, rows in cubes.items()}
        return project(shape, own, self.report, self.policy)


@dataclass(frozen=True)
class Day:
    """A day's package: what was counted and what was released."""

    day: date
    cube: PackageCube
    released: Mapping[str, pa.Table]


def always(kind: str, level: int) -> Planner:
    """Return the plan that tells every family by one kind of period, down to a level.

    Args:
        kind: ``day`` or ``week``.
        level: categories that a cell may name.
    """

    def plan(shape: PackageShape, _: date) -> PackageShape:
        families = shape.tables[0].families
        levels = {table.name: dict.fromkeys(families, level) for table in shape.tables}
        keys = {path[0] for path in shape.tables[0].dimensions[0].keys}
        return replace(shape, plan={key: KeyPlan(dict.fromkeys(families, kind), levels) for key in sorted(keys)})

    return plan


def with_threshold(policy: Policy, heads: int) -> Policy:
    """Return the policy with another head count for impressions; two fifths of it, but 10, for the other families."""
    standard = policy.rule_sets["standard"]
    counts = {name: heads if name in ("impressions", "views") else max(10, heads * 2 // 5) for name in standard.heads}
    return replace(policy, rule_sets={**policy.rule_sets, "standard": replace(standard, heads=counts)})


def joint_told(days: Tally, week: Tally, plans: Mapping[str, KeyPlan]) -> Tally:
    """Return what days and week tell together: of each campaign and family, the period that its plan names.

    Args:
        days: of the seven days.
        week: of their week; what it does not list though the plan says so is told nowhere.
        plans: of every campaign.
    """
    found = Tally()
    for (family, table, key), told in days.cells.items():
        if plans[key].periods[family] == DAY:
            found.cells[family, table, key] = told
        else:
            nowhere = Told(whole=told.whole, weight=told.weight)
            found.cells[family, table, key] = week.cells.get((family, table, key), nowhere)
    return found


def plans_of(bench: Bench, planner: Planner) -> dict[str, KeyPlan]:
    """Return the plan of every campaign."""
    return {
        key: plan for day in bench.days for shape in bench.shapes(day) for key, plan in planner(shape, day).plan.items()
    }
