"""People who do not count open nothing: not a threshold, not a residual, and not for a reader who planted them all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
from disclosure_attacker import Reader, small_residuals
from disclosure_portal import (
    COUNTED,
    FAMILIES,
    Habits,
    count_people,
    fill,
    flat,
    package,
    plain,
    rule_set,
    small_shape,
    table,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quorum.disclosure import PackageCube, SafeCube, control
from quorum.tables import PackageShape

KEY = "c000"
LOW = rule_set(heads=10, clicks=10)
HABITS = st.builds(
    Habits,
    events=st.floats(1, 4),
    click=st.floats(0.05, 0.6),
    conversion=st.floats(0.05, 0.8),
    skew=st.floats(0, 2.5),
    unknown=st.floats(0, 0.9),
    newcomers=st.floats(0.05, 0.9),
    crowd=st.floats(0, 1),
)


def _published(safe: SafeCube, name: str, family: str) -> np.ndarray:
    return np.array([status == "published" for status in safe.tables[name][f"status_{family}"].to_pylist()])


def _people_alone(shape: PackageShape) -> PackageShape:
    """The tables in which people add up, with their head counts alone."""
    kept = [replace(t, measures=tuple(m for m in t.measures if m.kind == "heads")) for t in shape.tables]
    return replace(shape, tables=tuple(t for t in kept if t.measures))


def _as_the_planter_reads(cube: PackageCube, safe: SafeCube) -> dict[str, pa.Table]:
    """Released head counts less all people who do not count."""
    tables = {}
    for t in _people_alone(cube.shape).tables:
        rows = safe.tables[t.name]
        for family in COUNTED:
            shown = _published(safe, t.name, family.name)
            left = pa.array(cube.values(t.name, family.judged), mask=~shown)
            rows = rows.set_column(rows.column_names.index(family.heads), family.heads, left)
        tables[t.name] = rows
    return tables


def _check(cube: PackageCube, safe: SafeCube) -> int:
    some_published = 0
    for t in cube.shape.tables:
        listed = list(t.coordinates())
        for family in COUNTED:
            counted, shown = cube.values(t.name, family.judged), _published(safe, t.name, family.name)
            some_published += int(shown.sum())
            assert np.all(counted[shown] >= LOW.heads[family.name])
            if family.rest is not None:
                assert np.all(cube.values(t.name, family.rest)[shown] >= LOW.outside)
            of = dict(zip(listed, counted.tolist(), strict=True))
            status = dict(zip(listed, shown.tolist(), strict=True))
            assert not small_residuals(t, of, status, LOW.heads[family.name])
    alone, planter = _people_alone(cube.shape), _as_the_planter_reads(cube, safe)
    for family in COUNTED:
        reader = Reader(cube.shape, safe.tables, KEY, (family,))
        assert not reader.contradictions()
        assert not reader.narrowed(LOW.heads)
        if alone.tables:
            assert not Reader(alone, planter, KEY, (family,)).narrowed(LOW.heads)
    return some_published


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(people=st.integers(0, 900), seed=st.integers(0, 2**32 - 1), habits=HABITS, creatives=st.integers(0, 2))
def test_whoever_does_not_count_opens_nothing(people: int, seed: int, habits: Habits, creatives: int) -> None:
    shape = small_shape(creatives)
    cube = fill(shape, count_people(shape, [people], np.random.default_rng(seed), habits))
    _check(cube, control(cube, LOW, COUNTED))


def test_most_people_may_be_new_and_numbers_are_still_told() -> None:
    told = 0
    for seed in range(8):
        rng = np.random.default_rng([5, seed])
        habits = Habits(events=2.0, click=0.3, newcomers=0.6, crowd=0.2)
        cube = fill(small_shape(), count_people(small_shape(), [900], rng, habits))
        told += _check(cube, control(cube, LOW, COUNTED))
    assert told > 100


def test_judged_by_all_heads_the_same_campaigns_would_give_people_away() -> None:
    """The power of the checks above: control that takes newcomers for people who count does not pass them."""
    caught = 0
    for seed in range(8):
        rng = np.random.default_rng([5, seed])
        habits = Habits(events=2.0, click=0.3, newcomers=0.6, crowd=0.2)
        cube = fill(small_shape(), count_people(small_shape(), [300], rng, habits))
        try:
            _check(cube, control(cube, LOW, FAMILIES))
        except AssertionError:
            caught += 1
    assert caught == 8


def test_49_fresh_cookies_publish_nothing_that_would_not_be_without_them() -> None:
    """In every cell of a table of many, for one who is there and for forty-nine: all, or none of them, count."""
    shape = package(table("by_age", plain(1), flat("age_band", 6)))
    rules = rule_set()
    for real in (1, 30, 49):
        seasoned = np.array([real, 120, 260, 90, 75, 140])
        for planted in (0, 1, 49, 99):
            fresh = np.array([planted, 0, 0, 0, 0, 0])
            shown = _shown(shape, seasoned + fresh, seasoned)
            assert not shown[1], "the attacked cell"
            assert shown.tolist() == _shown(shape, seasoned, seasoned).tolist()
            assert _shown(shape, seasoned + fresh, seasoned + fresh)[1] == (
                real + planted >= rules.heads["impressions"]
            )


def _shown(shape: PackageShape, heads: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Which cells are published of a table with so many people, one event each, nobody of whom clicked."""
    (only,) = shape.tables
    listed = list(only.coordinates())
    columns = {name: pa.array([c[i] for c in listed], pa.string()) for i, name in enumerate(only.columns)}
    numbers = {"impression_n": heads, "people_n": heads, "people_counted_n": counted}
    numbers |= {"clicker_rest_n": counted, "converter_rest_n": counted}
    for name in [column for family in COUNTED for column in family.columns]:
        values = numbers.get(name, np.zeros_like(heads))
        columns[name] = pa.array([int(values.sum()), *values.tolist()], pa.int64())
    safe = control(PackageCube(shape, {only.name: pa.table(columns)}), rule_set(), COUNTED)
    return _published(safe, only.name, "impressions")
