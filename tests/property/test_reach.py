"""People reached in a week: told where no day tells people, counted by hand, and nothing follows from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import combinations, product

import numpy as np
import pytest
from disclosure_portal import FAMILIES
from period_reader import Held
from test_periods import NAMES, RULES, SOURCES, house
from test_two_weeks import MONDAY, Portal, cube_of, happened, people_of, release, shape_of

from quorum.disclosure import PackageCube, control
from quorum.disclosure.reach import REACH, without_reach
from quorum.disclosure.week import sum_days
from quorum.policy import Policy
from quorum.release.package import table_files
from quorum.release.week_shapes import week_shape
from quorum.tables import KeyPlan

__all__ = ["house"]

K = RULES.heads["impressions"]
SEEDS = range(5)
ERASED_N = 25
"""In `test_two_weeks` the people with numbers under this are erased in both weeks, by the week's end at the latest."""


@pytest.fixture(scope="module")
def portals(house: Policy) -> list[tuple[Portal, Held]]:
    """Seeded portals of two weeks, each with a reader of its files."""
    made = [release(house, seed) for seed in SEEDS]
    return [(portal, Held(portal.files)) for portal in made]


def told(reader: Held) -> dict[tuple[str, str], int]:
    """Week and campaign to the people reached, as published."""
    return {
        (period, category): number
        for (period, place, measure), number in reader.known.items()
        if measure == "people_n" and "W" in period and len(place) == 1
        for _, category in place
    }


def differences(reader: Held) -> Iterator[int]:
    """Yield what a reader can subtract: people of a week and of one of its days, or of the same campaign's days."""
    for (week, campaign), number in told(reader).items():
        place = frozenset({("campaign_id", campaign)})
        days = [reader.known.get((day, place, "people_n")) for day in reader.running(week, place)]
        known = [people for people in days if people is not None]
        yield from (number - people for people in known)
        for size in range(2, len(known) + 1):
            yield from (sum(together) - number for together in combinations(known, size))


def test_reach_is_who_was_there_and_still_is(portals: list[tuple[Portal, Held]]) -> None:
    for portal, reader in portals:
        for (week, campaign), number in told(reader).items():
            there = {e.person for key, e in portal.by_period()[week] if key == campaign and e.person >= ERASED_N}
            assert number == len(there) >= K


def test_people_are_told_for_a_week_or_for_its_days(portals: list[tuple[Portal, Held]]) -> None:
    assert [number for _, reader in portals for number in differences(reader)] == []


def test_reach_is_told_of_some_campaigns(portals: list[tuple[Portal, Held]]) -> None:
    assert sum(len(told(reader)) for _, reader in portals) >= len(portals)


def told_twice(house: Policy, seed: int) -> Portal:
    """The broken release: the first of two days tells people, and so does the week."""
    rng = np.random.default_rng(seed)
    events = happened(rng)
    made = sorted({event.day for _, event in events if event.day < 2})
    everything = KeyPlan(dict.fromkeys(NAMES, "week"), {t: dict.fromkeys(NAMES, 2) for t in SOURCES.values()})
    plans = {month: {f"c00{n}": everything for n in range(3)} for month in ("2026-11", "2026-12")}
    files, cubes = [], {}
    for day in made:
        shape = shape_of(day, plans)
        cubes[day] = cube_of(shape, [(key, e) for key, e in events if e.day == day])
        cube = cubes[day] if day else replace(cubes[day], shape=replace(shape, plan={}))
        files.append(table_files(cube.shape, control(cube, RULES, FAMILIES).tables, house))
    shape = week_shape(house, {MONDAY + timedelta(days=day): cubes[day].shape for day in made})
    assert shape is not None
    left = [(key, e) for key, e in events if e.day in made]
    counted = sum_days(shape, [cubes[day] for day in made], people_of(shape, left), FAMILIES, SOURCES)
    files.append(table_files(shape, control(counted, RULES, FAMILIES).tables, house))
    return Portal(files, events)


def test_the_reader_would_see_people_told_for_both(house: Policy) -> None:
    """The power check: whoever did not come on the first day came on the second."""
    reader = Held(told_twice(house, 1).files)
    assert list(differences(reader))
    assert [cell for cell, end in reader.narrowed(dict(RULES.heads)) if cell[2] == "people_n" and end == "low"]


def released_week(house: Policy, seed: int) -> Iterator[PackageCube]:
    rng = np.random.default_rng(seed)
    events = happened(rng)
    week = KeyPlan(dict.fromkeys(NAMES, "week"), {t: dict.fromkeys(NAMES, 2) for t in SOURCES.values()})
    plans = {month: {f"c00{n}": week for n in range(3)} for month in ("2026-11", "2026-12")}
    for days in (range(7), range(7, 14)):
        cubes = {d: cube_of(shape_of(d, plans), [(k, e) for k, e in events if e.day == d]) for d in days}
        shape = week_shape(house, {MONDAY + timedelta(days=day): cube.shape for day, cube in cubes.items()})
        assert shape is not None
        left = [(key, e) for key, e in events if e.day in days]
        yield sum_days(shape, list(cubes.values()), people_of(shape, left), FAMILIES, SOURCES)


@pytest.mark.parametrize("seed", range(2))
def test_reach_changes_nothing_else(house: Policy, seed: int) -> None:
    for cube in released_week(house, seed):
        alone = control(without_reach(cube), RULES, FAMILIES).tables
        beside = control(cube, RULES, FAMILIES).tables
        assert set(beside) - set(alone) == {REACH}
        assert all(beside[name].equals(rows) for name, rows in alone.items())


MOST = 2
"""Impressions of one person and day. Of events that they could not have in two days out of three nothing is asked."""


def worlds(people: int, days: int, most: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    """Yield every way in which people can have 0 to ``most`` impressions on each day."""
    each = list(product(range(most + 1), repeat=days))
    yield from product(each, repeat=people)


def open_days(says: Callable[[int, list[int], int], object], k: int) -> list[bool]:
    """Say, for each thing a reader can be told, whether each day's people can be 0 and can be min(k, the week's)."""
    least: dict[object, list[int]] = {}
    largest: dict[object, list[int]] = {}
    for world in worlds(3, 3, MOST):
        days = [sum(person[day] > 0 for person in world) for day in range(3)]
        week = sum(any(person) for person in world)
        if week >= k and sum(map(sum, world)) <= MOST * 2 * week:
            seen = says(week, days, sum(map(sum, world)))
            least[seen] = [min(a, b) for a, b in zip(least.get(seen, days), days, strict=True)]
            largest[seen] = [max(a, b) for a, b in zip(largest.get(seen, days), days, strict=True)]
    return [set(least[seen]) == {0} and min(largest[seen]) >= k for seen in least]


def test_by_brute_force_reach_and_events_of_a_week_leave_every_day_open() -> None:
    assert all(open_days(lambda week, days, events: (week, events), k=2))


def test_by_brute_force_reach_beside_days_does_not() -> None:
    assert not all(open_days(lambda week, days, events: (week, events, days[0], days[1]), k=2))
