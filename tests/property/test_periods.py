"""A week and its days in one reader's hands: nothing exact, nothing narrowed, for any plan, also after an erasure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest
from disclosure_attacker import Calendar
from disclosure_portal import COUNTED as FAMILIES
from disclosure_portal import flat, keyed, nested, package, plain, rule_set, table

from quorum.audit.catalogue import CHEAP
from quorum.audit.package import ParsedPackage, parse_files
from quorum.audit.run import run_attacks
from quorum.disclosure import PackageCube, SafeCube, control
from quorum.disclosure.reach import REACH
from quorum.disclosure.week import sum_days, told_by_days
from quorum.policy import DimensionSpec, Policy, ReportSpec, TableSpec, WhoCounts
from quorum.release.package import rule_numbers, table_files
from quorum.release.week_shapes import week_shape, week_tables
from quorum.tables import KeyPlan, PackageShape
from quorum.tables.shape import ALL

KEY = "c000"
RULES = rule_set(heads=10, clicks=10)
NAMES = tuple(family.name for family in FAMILIES)
TABLES = (
    table("performance", keyed(1, 2), flat("placement", 3, False)),
    table("audience_grid", plain(1), flat("age_band", 3), flat("gender", 3)),
    table("audience_area", plain(1), nested("region", "prefecture", (1, 2, 2))),
)
LATER = (table("performance", keyed(1, 3), flat("placement", 3, False)), *TABLES[1:])
REPORT = ReportSpec(
    "campaign", "報告", "report", ("advertiser",), "standard", ("day", "week"), "ads", "campaign_id", NAMES,
    (
        TableSpec("performance", "p", ("creative", "placement")),
        TableSpec("audience_grid", "g", ("age_band", "gender")),
        TableSpec("audience_area", "a", ("area",)),
    ),
    "w", has_reach=True,
)  # fmt: skip
DIMENSIONS = {
    "creative": DimensionSpec("creative", ("creative_id",), "creatives", False, "campaign_id"),
    "placement": DimensionSpec("placement", ("placement",), "placements", False),
    "age_band": DimensionSpec("age_band", ("age_band",), "age_bands", True),
    "gender": DimensionSpec("gender", ("gender",), "genders", True),
    "area": DimensionSpec("area", ("region", "prefecture"), "prefectures", True),
}
SOURCES = {t.name: t.spec.name for t in week_tables(REPORT)}


@pytest.fixture(scope="module")
def house(policy: Policy) -> Policy:
    """The policy with the small report and its numbers."""
    return SimpleNamespace(
        reports={"campaign": REPORT},
        dimensions=DIMENSIONS,
        families={family.name: family for family in FAMILIES},
        rule_sets={"standard": RULES},
        contribution={"impression": 20, "click": 10, "conversion": 5},
        who_counts=WhoCounts(28, 3, 5),
        version=1,
        digest="0" * 64,
    )


@dataclass(frozen=True)
class Event:
    """What one person did on one day, once."""

    person: int
    day: int
    at: Mapping[str, str]
    clicks: int
    conversions: int


def draw(rng: np.random.Generator, people: int, days: int, click: float) -> list[Event]:
    """People with habits; some change a category within the week, as members who move do."""
    shares = {column: rng.dirichlet(np.ones(3) * 1.5) for column in ("age_band", "gender", "placement", "creative_id")}
    places = [("region0", "prefecture0.0"), *((f"region{a}", f"prefecture{a}.{b}") for a in (1, 2) for b in (0, 1))]
    events = []
    for person in range(people):
        own = {column: f"{column}{rng.choice(3, p=shares[column])}" for column in ("age_band", "gender")}
        place = places[rng.choice(5, p=rng.dirichlet(np.ones(5)))]
        for day in range(days):
            if rng.random() < 0.05:
                own["age_band"] = f"age_band{rng.integers(3)}"
            for _ in range(rng.poisson(0.8)):
                creative = ("cr0", "cr1", "unknown")[rng.choice(3, p=shares["creative_id"])]
                at = {
                    **own,
                    "region": place[0],
                    "prefecture": place[1],
                    "creative_id": creative,
                    "placement": f"placement{rng.choice(3, p=shares['placement'])}",
                }
                clicks = int(rng.random() < click) * int(rng.integers(1, 3))
                events.append(Event(person, day, at, clicks, int(clicks > 0 and rng.random() < 0.5)))
    return events


def tally(columns: Sequence[str], places: Sequence[tuple[str, ...]], events: Sequence[Event]) -> dict[str, list]:
    """Count events and people of cells, one by one."""
    found: dict[str, list] = {c: [] for f in FAMILIES for c in f.columns}
    for place in places:
        wanted = {c: v for c, v in zip(columns, place, strict=True) if v != ALL and c != "campaign_id"}
        inside = [e for e in events if all(e.at[c] == v for c, v in wanted.items())]
        seen = {e.person for e in inside}
        clicked = {e.person for e in inside if e.clicks}
        converted = {e.person for e in inside if e.conversions}
        count = {e.person for e in inside if e.person % 10}
        numbers = (
            ("impression_n", len(inside)), ("people_n", len(seen)), ("people_counted_n", len(seen & count)),
            ("click_n", sum(e.clicks for e in inside)), ("clicker_n", len(clicked)),
            ("clicker_counted_n", len(clicked & count)), ("clicker_rest_n", len((seen - clicked) & count)),
            ("conversion_n", sum(e.conversions for e in inside)), ("converter_n", len(converted)),
            ("converter_counted_n", len(converted & count)), ("converter_rest_n", len((seen - converted) & count)),
        )  # fmt: skip
        for name, number in numbers:
            found[name].append(number)
    return found


def cube_of(shape: PackageShape, events: Sequence[Event]) -> PackageCube:
    tables = {}
    for t in shape.tables:
        places = list(t.coordinates())
        columns = {c: pa.array([p[i] for p in places], pa.string()) for i, c in enumerate(t.columns)}
        numbers = {c: pa.array(v, pa.int64()) for c, v in tally(t.columns, places, events).items()}
        tables[t.name] = pa.table({**columns, **numbers})
    return PackageCube(shape, tables)


def people_of(shape: PackageShape, events: Sequence[Event]) -> pa.Table:
    """The people of a week as one table, each cell with ALL in the columns of other tables."""
    every = sorted({c for t in shape.tables for c in t.columns})
    rows = set()
    for t in shape.tables:
        rows |= {tuple(dict(zip(t.columns, p, strict=True)).get(c, ALL) for c in every) for p in t.coordinates()}
    listed = sorted(rows)
    columns = {c: pa.array([row[i] for row in listed], pa.string()) for i, c in enumerate(every)}
    numbers = tally(every, listed, events)
    heads = {c: pa.array(numbers[c], pa.int64()) for f in FAMILIES for c in f.columns[1:]}
    return pa.table({**columns, **heads})


def plan_of(rng: np.random.Generator) -> KeyPlan:
    chains = [("day", "day", "day"), ("day", "day", "week"), ("day", "week", "week"), ("week", "week", "week")]
    periods = dict(zip(NAMES, chains[rng.integers(1, 4)], strict=True))
    return KeyPlan(periods, {t.name: {name: int(rng.integers(0, 3)) for name in NAMES} for t in TABLES})


@dataclass(frozen=True)
class Released:
    """Everything that one recipient holds of a week."""

    days: list[tuple[PackageShape, SafeCube]]
    week: tuple[PackageShape, SafeCube]
    counted: PackageCube


def release(
    house: Policy, seed: int, *, days: int = 3, erased: int = 0, people: int = 260, changed: bool = False
) -> Released:
    """Release a weekend; ``changed``: another creative comes on its last day."""
    rng = np.random.default_rng(seed)
    plan, click = plan_of(rng), float(rng.uniform(0.05, 0.5))
    events = draw(rng, people, days, click)
    first = date(2026, 11, 22) - timedelta(days=days - 1)
    shapes = {
        first + timedelta(days=n): replace(
            package(*(LATER if changed and n == days - 1 else TABLES), period=(first + timedelta(days=n)).isoformat()),
            plan={KEY: plan},
        )
        for n in range(days)
    }
    cubes = [cube_of(shape, [e for e in events if e.day == n]) for n, shape in enumerate(shapes.values())]
    safes = [control(cube, RULES, FAMILIES) for cube in cubes]
    shape = week_shape(house, shapes)
    assert shape is not None
    left = [e for e in events if e.person >= erased]
    counted = sum_days(shape, cubes, people_of(shape, left), FAMILIES, SOURCES)
    released = [(cube.shape, safe.tables) for cube, safe in zip(cubes, safes, strict=True)]
    safe = control(counted, RULES, FAMILIES, told_elsewhere=told_by_days(shape, released, FAMILIES, SOURCES))
    pairs = [(cube.shape, safe) for cube, safe in zip(cubes, safes, strict=True)]
    return Released(pairs, (shape, safe), counted)


def parsed(house: Policy, shape: PackageShape, safe: SafeCube) -> ParsedPackage:
    return parse_files(table_files(shape, safe.tables, house))


def told_n(safe: SafeCube) -> int:
    return sum(
        t[name].to_pylist().count("published")
        for t in safe.tables.values()
        for name in t.column_names
        if "status_" in name
    )


@pytest.mark.parametrize("seed", range(12))
def test_a_reader_of_a_week_and_its_days_learns_nothing_withheld(house: Policy, seed: int) -> None:
    held = release(house, seed, erased=(0, 40)[seed % 2], changed=seed % 3 == 0)
    reader = Calendar((held.week[0], held.week[1].tables), [(s, safe.tables) for s, safe in held.days], KEY, FAMILIES)
    assert not reader.contradictions()
    assert reader.recovered() == []
    assert reader.narrowed(dict(RULES.heads)) == []


@pytest.mark.parametrize("seed", range(12))
def test_the_attacks_of_the_house_find_nothing_either(house: Policy, seed: int) -> None:
    held = release(house, seed, changed=seed % 3 == 1)
    assert ("performance" in {t.name[:11] for t in held.week[0].tables}) == (seed % 3 != 1)
    packages = [parsed(house, *held.week), *(parsed(house, *day) for day in held.days)]
    numbers = rule_numbers(RULES, REPORT, house)
    for record in run_attacks(packages, numbers, {packages[0].release: held.counted.tables}, attacks=CHEAP):
        assert record.verdict == "passed", (record.attack, record.verdict)


def test_weeks_tell_something_and_never_what_days_tell(house: Policy) -> None:
    told = 0
    for seed in range(12):
        held = release(house, seed)
        told += told_n(held.week[1])
        by_week = {
            (name, place)
            for t in held.week[0].tables
            for name in t.families
            for place, word in zip(
                t.coordinates(), held.week[1].tables[t.name][f"status_{name}"].to_pylist(), strict=True
            )
            if word == "published"
        }
        for shape, safe in held.days:
            for t in shape.tables:
                for name in t.families:
                    words = safe.tables[t.name][f"status_{name}"].to_pylist()
                    by_day = {(name, p) for p, w in zip(t.coordinates(), words, strict=True) if w == "published"}
                    assert not by_week & by_day
    assert told > 100


def told_twice(house: Policy, seed: int, days: int) -> Released:
    """The broken release: the same events by day, all levels, and by week as well."""
    rng = np.random.default_rng(seed)
    events = draw(rng, 200, days, float(rng.uniform(0.05, 0.5)))
    plan = KeyPlan(dict.fromkeys(NAMES, "week"), {t.name: dict.fromkeys(NAMES, 2) for t in TABLES})
    first = date(2026, 11, 22) - timedelta(days=days - 1)
    shapes = [package(*TABLES, period=(first + timedelta(days=n)).isoformat()) for n in range(days)]
    cubes = [cube_of(shape, [e for e in events if e.day == n]) for n, shape in enumerate(shapes)]
    shape = week_shape(house, {first + timedelta(days=n): replace(s, plan={KEY: plan}) for n, s in enumerate(shapes)})
    assert shape is not None
    counted = sum_days(shape, cubes, people_of(shape, events), FAMILIES, SOURCES)
    pairs = [(cube.shape, control(cube, RULES, FAMILIES)) for cube in cubes]
    return Released(pairs, (shape, control(counted, RULES, FAMILIES)), counted)


def test_days_and_week_of_the_same_numbers_would_give_days_away(house: Policy) -> None:
    """The power check of the independent reader."""
    held = told_twice(house, 1, 3)
    week = (held.week[0], held.week[1].tables)
    assert Calendar(week, [(s, safe.tables) for s, safe in held.days], KEY, FAMILIES).recovered()


def test_the_attacks_of_the_house_would_find_them_too(house: Policy) -> None:
    held = told_twice(house, 1, 7)
    packages = [parsed(house, *held.week), *(parsed(house, *day) for day in held.days)]
    records = {
        record.attack: record for record in run_attacks(packages, rule_numbers(RULES, REPORT, house), attacks=CHEAP)
    }
    assert records["elimination"].verdict == "failed"


def test_people_of_a_week_are_counted_once_and_told_in_no_cell(house: Policy) -> None:
    held = release(house, 3)
    for t in held.week[0].tables:
        assert t.name == REACH or not [m for m in t.measures if m.kind == "heads"]
        heads = held.counted.values(t.name, FAMILIES[-1].heads)
        assert np.all(heads <= held.counted.values(t.name, FAMILIES[-1].count))
