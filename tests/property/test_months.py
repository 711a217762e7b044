"""Days, weeks, months and invoices in one reader's hands: nothing exact, nothing narrowed, no rest of a few people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from disclosure_portal import COUNTED as FAMILIES
from disclosure_portal import package, plain, rule_set, table
from scipy.optimize import linprog

from quorum.audit.catalogue import CHEAP
from quorum.audit.package import parse_files
from quorum.audit.run import run_attacks
from quorum.disclosure import PackageCube, SafeCube, control
from quorum.disclosure.invoice import TOTALS
from quorum.disclosure.month import sum_totals
from quorum.disclosure.reach import REACH
from quorum.disclosure.targeting import fold_untargeted
from quorum.disclosure.week import sum_days, told_by_days
from quorum.months import Months
from quorum.policy import DimensionSpec, ReportSpec, TableSpec, WhoCounts
from quorum.release.month_shapes import month_shape, without_totals
from quorum.release.package import rule_numbers, table_files
from quorum.release.week_shapes import week_shape, week_tables
from quorum.tables import Dimension, KeyPlan, PackageShape
from quorum.tables.periods import days_of_month, days_of_week, ends_month, ends_week, month_of, plan_month
from quorum.tables.shape import ALL

KEY, K, PRICE = "c000", 10, 7
RULES = rule_set(heads=K, clicks=K)
NAMES = tuple(family.name for family in FAMILIES)
COUNTS = {family.name: family.count for family in FAMILIES}
AGES = ("20s", "30s", "unknown")
TABLE = table("audience_age", plain(1), Dimension(("age_band",), tuple((age,) for age in AGES)))
PLACES = [(KEY, ALL), *((KEY, age) for age in AGES)]
AIMED = {KEY: {"age_band": ("20s",)}}
REPORT = ReportSpec(
    "campaign", "報告", "report", ("advertiser",), "standard", ("day", "week", "month"), "ads", "campaign_id", NAMES,
    (TableSpec("audience_age", "cube_age", ("age_band",)),), "people_week", "people_month",
    has_reach=True,
)  # fmt: skip
HOUSE = SimpleNamespace(
    reports={"campaign": REPORT},
    dimensions={"age_band": DimensionSpec("age_band", ("age_band",), "age_bands", True)},
    families={family.name: family for family in FAMILIES},
    rule_sets={"standard": RULES},
    contribution={"impression": 20, "click": 10, "conversion": 5},
    who_counts=WhoCounts(28, 3, 5),
    version=1,
    digest="0" * 64,
)
SOURCES = {t.name: t.spec.name for t in week_tables(REPORT)}
FIRST, LAST = date(2026, 10, 28), date(2026, 12, 6)
CHAINS = [
    ("day", "day", "day"),
    ("day", "day", "week"),
    ("day", "week", "week"),
    ("week", "week", "week"),
    ("month", "month", "month"),
]


@dataclass
class Portal:
    """A campaign with its people, and everything that was told of it."""

    seed: int
    held: dict[str, tuple[PackageShape, SafeCube]] = field(default_factory=dict)
    counted: dict[str, PackageCube] = field(default_factory=dict)
    rows: dict[tuple[str, date], pa.Table] = field(default_factory=dict)
    ran: list[date] = field(default_factory=list)
    people: tuple[int, int] = (15, 90)

    def __post_init__(self) -> None:
        rng = np.random.default_rng(self.seed)
        every = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
        dead = {day for day in every if rng.random() < (0.05 if self.seed % 4 == 0 else 0)}
        self.nights = [day for day in every if day not in dead]
        self.starts = every[int(rng.choice([0, 2, 4, 5, 12, 20, 33]))]
        self.ends = min(LAST, self.starts + timedelta(days=int(rng.choice([0, 1, 4, 9, 20, 33, 40]))))
        self.model = str(rng.choice(["cpm", "cpc", "cpa"]))
        chain = CHAINS[rng.integers(len(CHAINS))]
        change = CHAINS[rng.integers(len(CHAINS))] if rng.random() < 0.3 else chain
        levels = {"audience_age": {name: int(rng.integers(2)) for name in NAMES}}
        self.plans = {
            month: KeyPlan(dict(zip(NAMES, kinds, strict=True)), levels)
            for month, kinds in zip(("2026-10", "2026-11", "2026-12"), (chain, chain, change), strict=True)
        }
        is_aimed = [self.seed % 3 == 0] * 2 + [self.seed % 6 == 0]
        self.targeting = {month: AIMED if aimed else {} for month, aimed in zip(self.plans, is_aimed, strict=True)}
        people, shape = int(rng.integers(*self.people)), (len(every),)
        delivered = np.array(every) <= self.starts + timedelta(days=int(rng.choice([2, 8, 30, 60])))
        rate = rng.gamma(3, 0.25, shape) * delivered
        self.at = {day: n for n, day in enumerate(every)}
        shown = rng.poisson(np.broadcast_to(rate, (people, len(every))))
        click = rng.uniform(0.1, 0.8)
        clicked = rng.binomial(shown, click)
        self.events = {"impressions": shown, "clicks": clicked, "conversions": rng.binomial(clicked, 0.6)}
        moved = rng.random((people, len(every))) < 0.02
        self.age = (rng.integers(0, 3, (people, 1)) + np.cumsum(moved, axis=1)) % 3
        self.counts = np.arange(people) % 5 < (5, 4)[self.seed % 2]
        self.erased_n = int(rng.choice([0, 0, people // 5]))
        for night in self.nights:
            self._run(night)
            self.ran.append(night)

    def read(self, name: str, night: date) -> pa.Table:
        if name == "pseudo__campaign":
            row = {"campaign_id": KEY, "starts_on": self.starts, "ends_on": self.ends}
            return pa.Table.from_pylist([{**row, "price_model": self.model, "price_micros": PRICE}])
        empty = pa.table({"campaign_id": pa.array([], pa.string()), "age_band": pa.array([], pa.string())})
        return self.rows.get((name, night), empty)

    def shapes(self, night: date) -> list[PackageShape]:
        if not self.starts <= night <= self.ends:
            return []
        plan, targeting = self.plans[plan_month(night)], self.targeting[plan_month(night)]
        return [replace(package(TABLE, period=night.isoformat()), plan={KEY: plan}, targeting=targeting)]

    def cube(self, days: list[date], people_from: int = 0) -> dict[tuple[str, str], dict[str, int]]:
        """Events and people of each place over some days."""
        at = [self.at[day] for day in days]
        found = {}
        for place in PLACES:
            own = np.ones_like(self.age, dtype=bool) if place[1] == ALL else self.age == AGES.index(place[1])
            row, there = {}, {}
            for family in FAMILIES:
                events = (self.events[family.name] * own)[people_from:, at]
                there[family.name] = events.sum(axis=1) > 0
                row[family.count] = int(events.sum())
                row[family.heads] = int(there[family.name].sum())
                row[family.judged] = int((there[family.name] & self.counts[people_from:]).sum())
                if family.rest:
                    beside = there["impressions"] & ~there[family.name]
                    row[family.rest] = int((beside & self.counts[people_from:]).sum())
            found[place] = row
        return found

    def _table(self, days: list[date], people_from: int = 0) -> pa.Table:
        rows = [{"campaign_id": p[0], "age_band": p[1], **r} for p, r in self.cube(days, people_from).items()]
        return pa.Table.from_pylist(rows)

    def _day(self, night: date) -> None:
        months = self._months(night)
        self.rows["cube_age", night] = self._table([night])
        for shape in self.shapes(night):
            cube = PackageCube(shape, {"audience_age": _folded(self.rows["cube_age", night], shape)})
            safe = self._keep(cube, control(cube, RULES, FAMILIES, kept_back=months.kept_back(shape)))
            self.rows["safe__audience_age", night] = _owned(safe.tables["audience_age"])

    def _run(self, night: date) -> None:
        months = self._months(night)
        self._day(night)
        if ends_week(night):
            days = self._days(days_of_week(night), night)
            shape = week_shape(HOUSE, days, invoiced=months.invoiced(REPORT)) if days else None
            if shape is not None:
                self._week(shape, days, night, months)
        if ends_month(night):
            days = self._days(days_of_month(night), night)
            keys = [KEY] if days else []
            shape = month_shape(HOUSE, days, self._months(night).repeated(REPORT, keys, night)) if days else None
            if shape is not None:
                self._month(shape, days)

    def _months(self, night: date) -> Months:
        ledger = SimpleNamespace(nights=lambda: self.ran)
        plans = SimpleNamespace(with_plan=lambda shape, day: shape)
        return Months(self, HOUSE, ledger, plans, self.shapes, night)

    def _days(self, days: tuple[date, ...], night: date) -> dict[date, PackageShape]:
        return {day: shape for day in days if day in {*self.ran, night} for shape in self.shapes(day)}

    def _week(self, shape: PackageShape, days: Mapping[date, PackageShape], night: date, months: Months) -> None:
        people = self._table(list(days), self.erased_n)
        cubes = [self.counted[day.isoformat()] for day in days]
        cube = sum_days(shape, cubes, people, FAMILIES, SOURCES)
        released = [(part, self.held[day.isoformat()][1].tables) for day, part in days.items()]
        told = told_by_days(shape, released, FAMILIES, SOURCES)
        safe = self._keep(cube, control(cube, RULES, FAMILIES, told_elsewhere=told, kept_back=months.kept_back(shape)))
        self.rows["safe__campaign_week", night] = _owned(*(rows for name, rows in safe.tables.items() if name != REACH))
        self.rows["people_week", night] = people

    def _month(self, shape: PackageShape, days: Mapping[date, PackageShape]) -> None:
        people = self._table(list(days), self.erased_n)
        cubes = [self.counted[day.isoformat()] for day in days]
        below = without_totals(shape)
        counted = sum_days(below, cubes, people, FAMILIES, {"audience_age": "audience_age"})
        totals = sum_totals(shape.table(TOTALS), cubes, people, FAMILIES, {KEY: (self.model, PRICE)})
        cube = PackageCube(shape, {TOTALS: totals, **counted.tables}, counted.heads_at_most)
        self._keep(cube, control(cube, RULES, FAMILIES))

    def _keep(self, cube: PackageCube, safe: SafeCube) -> SafeCube:
        self.held[cube.shape.period] = (cube.shape, safe)
        self.counted[cube.shape.period] = cube
        return safe


def _folded(counted: pa.Table, shape: PackageShape) -> pa.Table:
    """Every row of a day, people outside the targeting in ``unknown``."""
    rows = fold_untargeted(TABLE, counted, shape.targeting).to_pylist()
    placed = {(row["campaign_id"], row["age_band"]): row for row in rows}
    measures = dict.fromkeys(counted.column_names, 0)
    every = [placed.get(p, {**measures, "campaign_id": p[0], "age_band": p[1]}) for p in PLACES]
    return pa.Table.from_pylist(every, counted.schema)


def _owned(*tables: pa.Table) -> pa.Table:
    rows = [{"report": "campaign", "campaign_id": KEY, **row} for one in tables for row in one.to_pylist()]
    return pa.Table.from_pylist(
        rows, pa.schema({n: pa.scalar(v).type for r in rows for n, v in r.items() if v is not None})
    )


Variable = tuple[str, str]
"""Period and category: a number of one family."""


@dataclass
class Reader:
    """An outsider with every package, the calendar, and the invoices that the packages repeat; of one family."""

    portal: Portal
    family: str
    known: dict[Variable, int] = field(default_factory=dict)
    hidden: set[Variable] = field(default_factory=set)
    sums: list[tuple[Variable, list[Variable]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for period, (shape, safe) in self.portal.held.items():
            for t in (t for t in shape.tables if t.name != REACH):
                self._read(period, t.columns, safe.tables[t.name])
        listed = set(self.known) | self.hidden
        for period, category in sorted(listed):
            if category == ALL and {(period, age) for age in AGES} <= listed:
                self.sums.append(((period, ALL), [(period, age) for age in AGES]))
            days = [day for day in _days_within(period) if (day, category) in listed]
            if days:
                self.sums.append(((period, category), [(day, category) for day in days]))
        self.hidden -= set(self.known)

    def _read(self, period: str, columns: tuple[str, ...], rows: pa.Table) -> None:
        for row in rows.to_pylist():
            place = (period, row["age_band"] if "age_band" in columns else ALL)
            if row.get(f"status_{self.family}") == "published":
                self.known[place] = row[COUNTS[self.family]]
            elif f"status_{self.family}" in row:
                self.hidden.add(place)
            if self.family == "conversions" and "cost_micros" in row and self.portal.model == "cpa":
                self.known[place] = row["cost_micros"] // PRICE

    def equations(self) -> Iterator[tuple[dict[Variable, int], int]]:
        for whole, parts in self.sums:
            signs = {whole: -1, **dict.fromkeys(parts, 1)}
            left = {v: sign for v, sign in signs.items() if v in self.hidden}
            yield left, -sum(sign * self.known[v] for v, sign in signs.items() if v in self.known)

    def recovered(self) -> list[Variable]:
        """Solve by fractions; return what follows exactly."""
        rows: list[dict[Variable, Fraction]] = []
        for equation, _ in self.equations():
            row = {v: Fraction(c) for v, c in equation.items()}
            for pivot in rows:
                head = next(iter(pivot))
                if head in row:
                    row = _minus(row, pivot, row[head] / pivot[head])
            if row:
                head = next(iter(row))
                rows = [_minus(one, row, one[head] / row[head]) if head in one else one for one in rows] + [row]
        return [next(iter(row)) for row in rows if len(row) == 1]

    def narrowed(self) -> list[tuple[Variable, str]]:
        """Return hidden numbers that cannot be 0, or cannot reach the threshold or their known total."""
        unknowns = sorted(self.hidden)
        at = {v: n for n, v in enumerate(unknowns)}
        rows = [(equation, right) for equation, right in self.equations() if equation]
        matrix, right = np.zeros((len(rows), len(unknowns))), np.array([r for _, r in rows], dtype=float)
        for n, (equation, _) in enumerate(rows):
            for v, c in equation.items():
                matrix[n, at[v]] = c
        found = []
        for v in unknowns:
            if v[1] not in (ALL, AGES[0]):
                continue
            cost = np.zeros(len(unknowns))
            cost[at[v]] = 1
            low = linprog(cost, A_eq=matrix, b_eq=right) if rows else None
            high = linprog(-cost, A_eq=matrix, b_eq=right) if rows else None
            if low is not None and (low.status != 0 or low.fun > 1e-6):
                found.append((v, f"at least {low.fun}"))
            if high is not None and high.status == 0 and -high.fun < min(K, self._total(v)) - 1e-6:
                found.append((v, f"at most {-high.fun}"))
        return found

    def _total(self, variable: Variable) -> float:
        """Return the smallest known number that contains a hidden one: its days and category are among its own."""
        days = set(_days_within(variable[0])) or {variable[0]}
        around = [
            value
            for (period, category), value in self.known.items()
            if category in (ALL, variable[1]) and days <= (set(_days_within(period)) or {period})
        ]
        return min(around, default=np.inf)

    def rests(self) -> Iterator[tuple[str, int]]:
        """Yield, for each month that is told, the people who count of its days that nobody told, if anything was."""
        for period in [p for p, category in self.known if len(p) == 7 and category == ALL]:
            days = [day for day in _days_within(period) if (day, ALL) in self.known or (day, ALL) in self.hidden]
            weeks = [p for p, c in self.known if "W" in p and c == ALL and set(_days_within(p)) & set(days)]
            told = {day for day in days if (day, ALL) in self.known}
            told |= {day for week in weeks for day in _days_within(week)}
            untold = [date.fromisoformat(day) for day in days if day not in told]
            if told and untold:
                rows = self.portal.cube(untold)[KEY, ALL]
                yield period, rows[next(f.judged for f in FAMILIES if f.name == self.family)]


def people_told(portal: Portal) -> dict[str, int]:
    """Period to the people of the whole campaign, as published in any table."""
    found = {}
    for period, (shape, safe) in portal.held.items():
        for t in shape.tables:
            for row in safe.tables[t.name].to_pylist():
                if row.get("people_n") and row.get("age_band", ALL) == ALL:
                    assert found.setdefault(period, row["people_n"]) == row["people_n"]
    return found


def overlapping(portal: Portal) -> list[tuple[str, str]]:
    """Return periods with a day in common of which one tells people and the other tells or withholds a reach.

    What is told could be subtracted, and what is withheld could not be 0.
    """
    told = people_told(portal)
    listed = {*told, *(period for period, (shape, _) in portal.held.items() if REACH in {t.name for t in shape.tables})}
    days = {period: set(_days_within(period)) or {period} for period in listed}
    return [(one, other) for one in told for other in listed - {one} if days[one] & days[other]]


def _minus(row: dict[Variable, Fraction], other: dict[Variable, Fraction], times: Fraction) -> dict[Variable, Fraction]:
    merged = {v: row.get(v, Fraction(0)) - times * other.get(v, Fraction(0)) for v in {**row, **other}}
    return {v: c for v, c in merged.items() if c}


def _days_within(period: str) -> list[str]:
    if "W" in period:
        year, week = period.split("-W")
        return [day.isoformat() for day in days_of_week(date.fromisocalendar(int(year), int(week), 1))]
    return [day.isoformat() for day in days_of_month(date.fromisoformat(f"{period}-01"))] if len(period) == 7 else []


@pytest.mark.parametrize("seed", range(24))
def test_a_reader_with_the_invoices_learns_nothing_withheld(seed: int) -> None:
    portal = Portal(seed)
    for family in NAMES:
        reader = Reader(portal, family)
        assert reader.recovered() == []
        assert reader.narrowed() == []
        assert [rest for rest in reader.rests() if rest[1] < K] == []


def test_people_are_told_of_no_two_periods_that_overlap() -> None:
    longer = set()
    for seed in range(24):
        portal = Portal(seed)
        told = people_told(portal)
        assert overlapping(portal) == []
        for period in [period for period in told if _days_within(period)]:
            nights = [day for day in portal.nights if day.isoformat() in _days_within(period) and portal.shapes(day)]
            row = portal.cube(nights, portal.erased_n)[KEY, ALL]
            assert (told[period], row["people_counted_n"] >= K) == (row["people_n"], True)
            longer.add(len(period))
    assert longer == {len("2026-W47"), len("2026-11")}, "both weeks and months tell people"


def test_reach_whatever_the_plan_would_overlap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The power check: the table without the plan."""
    monkeypatch.setattr(KeyPlan, "permits", lambda *_: True)
    assert any(overlapping(Portal(seed)) for seed in range(24))


@pytest.mark.parametrize("seed", range(0, 24, 4))
def test_the_attacks_of_the_house_find_nothing_either(seed: int) -> None:
    portal = Portal(seed)
    packages = [parse_files(table_files(shape, safe.tables, HOUSE)) for shape, safe in portal.held.values()]
    numbers = rule_numbers(RULES, REPORT, HOUSE)
    for record in run_attacks(packages, numbers, attacks=CHEAP) if packages else ():
        assert record.verdict == "passed", (record.attack, record.worst)


def test_months_are_told_and_rooms_are_kept() -> None:
    """The portals are worth attacking: totals, months of small campaigns, days beside untold ones."""
    portals = [Portal(seed) for seed in range(24)]
    months = [p.held[period] for p in portals for period in p.held if len(period) == 7]
    assert len(months) >= 8
    assert any(len(shape.tables) > 1 for shape, _ in months)
    assert any(len(shape.tables) > 1 and shape.targeting for shape, _ in months)
    assert sum(1 for p in portals for _ in Reader(p, "impressions").rests()) >= 2


def test_without_room_the_invoice_would_tell_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """The power check of the reader."""
    monkeypatch.setattr(Months, "kept_back", lambda *_: {})
    monkeypatch.setattr(Months, "repeated", lambda _, report, keys, month: set(keys))
    portals = [Portal(seed) for seed in range(24)]
    readers = [Reader(p, family) for p in portals for family in NAMES]
    assert any(reader.recovered() for reader in readers)
    assert any(people < K for reader in readers for _, people in reader.rests())
    assert {month_of(LAST), "2026-11"} & {period for p in portals for period in p.held}
