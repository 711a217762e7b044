"""Two weeks and their days in one reader's hands: flights begin and end, creatives come, plans change, people leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import product

import numpy as np
import pyarrow as pa
import pytest
from disclosure_portal import FAMILIES, flat, nested, table
from period_reader import Cell, Held
from test_periods import NAMES, RULES, SOURCES, Event, draw, house

from quorum.disclosure import PackageCube, control
from quorum.disclosure.week import sum_days, told_by_days
from quorum.policy import Policy
from quorum.release.package import table_files
from quorum.release.week_shapes import week_shape
from quorum.tables import Dimension, KeyPlan, PackageShape, TableShape
from quorum.tables.periods import plan_month, week_of
from quorum.tables.shape import ALL

__all__ = ["house"]

MONDAY = date(2026, 11, 23)
"""The week of 30 November belongs to December: its plans are others."""
ERASURES = (4, 11)
"""Days on which the people with the lowest numbers are erased, up to 25 of them."""
COUNTS = tuple(family.count for family in FAMILIES)
MEASURES = (*COUNTS, *(c for family in FAMILIES for c in (family.heads, family.rest) if c))


@dataclass(frozen=True)
class Campaign:
    """A flight; from ``creative_from`` on another creative runs."""

    key: str
    first: int
    last: int
    creative_from: int


CAMPAIGNS = (Campaign("c000", 0, 13, 99), Campaign("c001", 3, 9, 99), Campaign("c002", 0, 7, 5))


def shape_of(day: int, plans: Mapping[str, Mapping[str, KeyPlan]]) -> PackageShape:
    running = [c for c in CAMPAIGNS if c.first <= day <= c.last]
    creatives = tuple(
        (c.key, name)
        for c in running
        for name in ("cr0", "cr1", *(("cr2",) if day >= c.creative_from else ()), "unknown")
    )
    key = Dimension(("campaign_id",), tuple((c.key,) for c in running), has_margin=False, partitions_people=False)
    below = Dimension(("campaign_id", "creative_id"), tuple(sorted(creatives)), False, False)
    tables = (
        table("performance", below, flat("placement", 3, False)),
        table("audience_grid", key, flat("age_band", 3), flat("gender", 3)),
        table("audience_area", key, nested("region", "prefecture", (1, 2, 2))),
    )
    night = MONDAY + timedelta(days=day)
    own = {c.key: plans[plan_month(night)][c.key] for c in running}
    return PackageShape("adv-a", "campaign", night.isoformat(), tables, plan=own)


def fixed(rng: np.random.Generator) -> KeyPlan:
    """Plan a campaign: everything by week as often as not."""
    chains = [("week", "week", "week"), ("week", "week", "week"), ("day", "week", "week"), ("day", "day", "week")]
    periods = dict(zip(NAMES, chains[rng.integers(4)], strict=True))
    return KeyPlan(periods, {t: {name: int(rng.integers(1, 3)) for name in NAMES} for t in SOURCES.values()})


def cells_of(t: TableShape, key: str, at: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Yield every row of a table that an event of a campaign is counted in."""
    value = {**at, "campaign_id": key}
    options = []
    for dimension in t.dimensions:
        path = tuple(value[level] for level in dimension.levels)
        depths = range(0 if dimension.has_margin else 1, len(path) + 1)
        options.append([path[:depth] + (ALL,) * (len(path) - depth) for depth in depths])
    for parts in product(*options):
        yield tuple(v for part in parts for v in part)


def tally(t: TableShape, events: Sequence[tuple[str, Event]]) -> dict[tuple[str, ...], dict[str, int]]:
    """Count events and people of every row of a table in which anything happened."""
    seen: dict[tuple[str, ...], list[Event]] = {}
    for key, event in events:
        for place in cells_of(t, key, event.at):
            seen.setdefault(place, []).append(event)
    found = {}
    for place, inside in seen.items():
        people = {e.person for e in inside}
        clickers = {e.person for e in inside if e.clicks}
        converters = {e.person for e in inside if e.conversions}
        found[place] = {
            "impression_n": len(inside),
            "people_n": len(people),
            "click_n": sum(e.clicks for e in inside),
            "clicker_n": len(clickers),
            "clicker_rest_n": len(people - clickers),
            "conversion_n": sum(e.conversions for e in inside),
            "converter_n": len(converters),
            "converter_rest_n": len(people - converters),
        }
    return found


def cube_of(shape: PackageShape, events: Sequence[tuple[str, Event]]) -> PackageCube:
    tables = {}
    for t in shape.tables:
        places, counted = list(t.coordinates()), tally(t, events)
        columns = {c: pa.array([p[i] for p in places], pa.string()) for i, c in enumerate(t.columns)}
        numbers = {m: pa.array([counted.get(p, {}).get(m, 0) for p in places], pa.int64()) for m in MEASURES}
        tables[t.name] = pa.table({**columns, **numbers})
    return PackageCube(shape, tables)


def people_of(shape: PackageShape, events: Sequence[tuple[str, Event]]) -> pa.Table:
    """The people of a week as one table, each cell with ALL in the columns of other tables."""
    every = sorted({c for t in shape.tables for c in t.columns})
    rows = {
        tuple(dict(zip(t.columns, place, strict=True)).get(c, ALL) for c in every): numbers
        for t in shape.tables
        for place, numbers in tally(t, events).items()
    }
    columns = {c: pa.array([row[i] for row in rows], pa.string()) for i, c in enumerate(every)}
    heads = {m: pa.array([numbers[m] for numbers in rows.values()], pa.int64()) for m in MEASURES if m not in COUNTS}
    return pa.table({**columns, **heads})


@dataclass(frozen=True)
class Portal:
    """What a recipient holds, and who did what."""

    files: list[dict[str, bytes]]
    events: list[tuple[str, Event]]

    def by_period(self) -> dict[str, list[tuple[str, Event]]]:
        """Return the events of each day and week."""
        found: dict[str, list[tuple[str, Event]]] = {}
        for key, event in self.events:
            day = MONDAY + timedelta(days=event.day)
            for period in (day.isoformat(), week_of(day)):
                found.setdefault(period, []).append((key, event))
        return found


def happened(rng: np.random.Generator) -> list[tuple[str, Event]]:
    """Return the events of all campaigns by the night that counts them; one may never run, its events are late."""
    missed = int(rng.integers(0, 28))
    gone = {day: int(rng.integers(0, 25)) for day in ERASURES}
    found = []
    for campaign in CAMPAIGNS:
        days = campaign.last - campaign.first + 1
        drawn_all = draw(rng, int(rng.integers(100, 320)), days, float(rng.uniform(0.05, 0.5)))
        busy = {e.person for e in drawn_all if e.day + campaign.first == missed + 1}
        for drawn in drawn_all:
            event = replace(drawn, day=drawn.day + campaign.first)
            if event.day >= campaign.creative_from and rng.random() < 0.3:
                event = replace(event, at={**event.at, "creative_id": "cr2"})
            if event.day == missed:
                if event.person in busy:  # might be in another category there; a person is in one a night
                    continue
                event = replace(event, day=missed + 1)
            erased = any(event.day >= day and event.person < number for day, number in gone.items())
            if event.day <= campaign.last and not erased:
                found.append((campaign.key, event))
    return found


def release(house: Policy, seed: int, *, twice: bool = False) -> Portal:
    """Release two weeks and their days; ``twice``: days tell everything, and so do the weeks."""
    rng = np.random.default_rng(seed)
    events = happened(rng)
    made = sorted({event.day for _, event in events})
    plans = {month: {c.key: fixed(rng) for c in CAMPAIGNS} for month in ("2026-11", "2026-12")}
    if twice:
        everything = KeyPlan(dict.fromkeys(NAMES, "week"), {t: dict.fromkeys(NAMES, 2) for t in SOURCES.values()})
        plans = {month: {c.key: everything for c in CAMPAIGNS} for month in plans}
    files, cubes, released = [], {}, {}
    for day in made:
        shape = shape_of(day, plans)
        cubes[day] = cube_of(shape, [(key, e) for key, e in events if e.day == day])
        told = replace(cubes[day], shape=replace(shape, plan={})) if twice else cubes[day]
        safe = control(told, RULES, FAMILIES)
        released[day] = (shape, safe.tables)
        files.append(table_files(told.shape, safe.tables, house))
    for week in (range(7), range(7, 14)):
        days = [day for day in week if day in made]
        shape = week_shape(house, {MONDAY + timedelta(days=day): cubes[day].shape for day in days})
        if shape is None:
            continue
        last_erasure = max(day for day in (*ERASURES, -1) if day <= week[-1])
        left = [(key, e) for key, e in events if e.day in week and e.person >= (25 if last_erasure >= week[0] else 0)]
        counted = sum_days(shape, [cubes[day] for day in days], people_of(shape, left), FAMILIES, SOURCES)
        elsewhere = {} if twice else told_by_days(shape, [released[day] for day in days], FAMILIES, SOURCES)
        safe = control(counted, RULES, FAMILIES, told_elsewhere=elsewhere)
        files.append(table_files(shape, safe.tables, house))
    return Portal(files, events)


def people_behind(events: Mapping[str, list[tuple[str, Event]]], cells: Sequence[Cell]) -> int:
    """Return how many people caused what is counted in cells, of the family of their measure."""
    found = set()
    for period, place, measure in cells:
        for key, event in events[period]:
            did = {"click": event.clicks, "conve": event.conversions}.get(measure[:5], 1)
            if did and all(key == v if c == "campaign_id" else event.at[c] == v for c, v in place):
                found.add((key, event.person))
    return len(found)


@pytest.mark.parametrize("seed", range(3))
def test_a_reader_of_two_weeks_and_their_days_learns_nothing_withheld(house: Policy, seed: int) -> None:
    portal = release(house, seed)
    reader = Held(portal.files)
    assert any("W" in period for period in reader.keys)
    assert reader.recovered() == []
    assert reader.narrowed(dict(RULES.heads)) == []
    events = portal.by_period()
    for whole, hidden in reader.residuals():
        assert people_behind(events, hidden) >= RULES.heads[reader.hidden[hidden[0]]], whole


def test_a_reader_of_the_same_numbers_by_day_and_by_week_would_learn_some(house: Policy) -> None:
    """The power check: without plans weeks give days away."""
    reader = Held(release(house, 1, twice=True).files)
    assert any("W" not in period for period, _, _ in reader.recovered())
