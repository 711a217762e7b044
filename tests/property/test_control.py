"""Released tables against a plain reader who writes down every equation: nothing small, exact or narrowed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from disclosure_attacker import Reader, small_residuals
from disclosure_portal import (
    FAMILIES,
    Habits,
    campaign_shape,
    count_people,
    fill,
    flat,
    nested,
    package,
    plain,
    rule_set,
    small_shape,
    table,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quorum.disclosure import PackageCube, SafeCube, control
from quorum.policy import RuleSet
from quorum.tables import PackageShape

KEY = "c000"
LOW = rule_set(heads=10, clicks=10)
HABITS = st.builds(
    Habits,
    events=st.floats(1, 4),
    click=st.floats(0.01, 0.6),
    conversion=st.floats(0.05, 0.8),
    skew=st.floats(0, 2.5),
    unknown=st.floats(0, 0.9),
)


def _cube(shape: PackageShape, people: int, seed: int, habits: Habits) -> PackageCube:
    return fill(shape, count_people(shape, [people], np.random.default_rng(seed), habits))


def _random_habits(rng: np.random.Generator) -> Habits:
    return Habits(
        events=float(rng.uniform(1, 5)),
        click=float(10 ** rng.uniform(-2.5, -0.3)),
        conversion=float(rng.uniform(0.05, 0.6)),
        skew=float(rng.uniform(0, 2)),
        unknown=float(rng.uniform(0, 0.8)),
    )


def _published(safe: SafeCube, name: str, family: str) -> np.ndarray:
    return np.array([status == "published" for status in safe.tables[name][f"status_{family}"].to_pylist()])


def _check_rules_1_and_2(cube: PackageCube, safe: SafeCube, rules: RuleSet) -> None:
    for t in cube.shape.tables:
        shown = {family.name: _published(safe, t.name, family.name) for family in FAMILIES}
        for family in FAMILIES:
            mine = shown[family.name]
            assert np.all(cube.values(t.name, family.heads)[mine] >= rules.heads[family.name])
            if family.rest is not None:
                assert np.all(cube.values(t.name, family.rest)[mine] >= rules.outside)
            if family.requires is not None:
                assert not np.any(mine & ~shown[family.requires])
            for measure in t.measures:
                if measure.family == family.name:
                    values = np.array(safe.tables[t.name][measure.name].to_pylist(), dtype=object)
                    assert np.array_equal(values == None, ~mine)  # noqa: E711
                    assert values[mine].tolist() == cube.values(t.name, measure.name)[mine].tolist()


def _check_reader(safe: SafeCube, rules: RuleSet, *, exact: bool = True) -> None:
    reader = Reader(safe.shape, safe.tables, KEY, FAMILIES)
    assert not reader.contradictions()
    assert not exact or not reader.recovered()
    assert not reader.narrowed(rules.heads)
    for family in FAMILIES[1:]:
        assert not Reader(safe.shape, safe.tables, KEY, (FAMILIES[0], family), nested=True).narrowed(rules.heads)


def _check_residuals(cube: PackageCube, safe: SafeCube, rules: RuleSet) -> None:
    for t in cube.shape.tables:
        listed = list(t.coordinates())
        for family in FAMILIES:
            heads = dict(zip(listed, cube.values(t.name, family.heads).tolist(), strict=True))
            shown = dict(zip(listed, _published(safe, t.name, family.name).tolist(), strict=True))
            assert not small_residuals(t, heads, shown, rules.heads[family.name])


def _check_monotone(safe: SafeCube) -> None:
    """Above a published row, every margin is published."""
    for t in safe.shape.tables:
        listed = {c: i for i, c in enumerate(t.coordinates())}
        for family in FAMILIES:
            shown = _published(safe, t.name, family.name)
            for coordinate, row in listed.items():
                above = [c for c in listed if all(a in ("ALL", b) for a, b in zip(c, coordinate, strict=True))]
                assert not shown[row] or all(shown[listed[c]] for c in above)


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(people=st.integers(0, 900), seed=st.integers(0, 2**32 - 1), habits=HABITS, creatives=st.integers(0, 2))
def test_a_reader_of_any_small_campaign_learns_nothing(people: int, seed: int, habits: Habits, creatives: int) -> None:
    cube = _cube(small_shape(creatives), people, seed, habits)
    safe = control(cube, LOW, FAMILIES)
    _check_rules_1_and_2(cube, safe, LOW)
    _check_monotone(safe)
    _check_residuals(cube, safe, LOW)
    _check_reader(safe, LOW)


@pytest.mark.clause("P-03n")
def test_a_hundred_small_campaigns_are_attacked_in_vain() -> None:
    misses = []
    for seed in range(100):
        rng = np.random.default_rng([7, seed])
        shape = small_shape(seed % 2)
        cube = _cube(shape, int(10 ** rng.uniform(1, 3.2)), seed, _random_habits(rng))
        safe = control(cube, LOW, FAMILIES)
        misses += Reader(shape, safe.tables, KEY, FAMILIES).narrowed(LOW.heads)
    assert not misses


@pytest.mark.slow
def test_sixty_campaigns_of_full_size_are_attacked_in_vain() -> None:
    rules = rule_set()
    for seed in range(60):
        rng = np.random.default_rng([11, seed])
        cube = _cube(
            campaign_shape(1, int(rng.integers(1, 9))), int(10 ** rng.uniform(1.7, 4.5)), seed, _random_habits(rng)
        )
        safe = control(cube, rules, FAMILIES)
        _check_rules_1_and_2(cube, safe, rules)
        _check_reader(safe, rules, exact=False)


def test_linked_and_three_way_tables_are_one_system() -> None:
    key = plain(1)
    ages, genders, area = flat("age_band", 2), flat("gender", 3), nested("region", "prefecture", (2, 1))
    linked = package(table("by_age_gender", key, ages, genders), table("by_age_area", key, ages, area))
    whole = package(table("cube", key, ages, genders, flat("occupation", 2)))
    some_published = 0
    for shape in (linked, whole):
        for seed in range(6):
            rng = np.random.default_rng([13, seed])
            cube = _cube(shape, int(10 ** rng.uniform(1.8, 3)), seed, _random_habits(rng))
            safe = control(cube, LOW, FAMILIES)
            _check_rules_1_and_2(cube, safe, LOW)
            _check_monotone(safe)
            _check_reader(safe, LOW)
            some_published += sum(int(_published(safe, t.name, "impressions")[3:].sum()) for t in shape.tables)
    assert some_published > 40


@settings(max_examples=10, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32 - 1), habits=HABITS)
def test_the_same_cube_gives_the_same_release(seed: int, habits: Habits) -> None:
    shape = small_shape()
    first, second = (control(_cube(shape, 500, seed, habits), LOW, FAMILIES) for _ in range(2))
    assert all(first.tables[name].equals(second.tables[name]) for name in first.tables)
    assert (first.cube_digest, first.rule_set_digest) == (second.cube_digest, second.rule_set_digest)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(people=st.integers(30, 900), seed=st.integers(0, 2**32 - 1), habits=HABITS)
def test_nothing_more_could_be_published(people: int, seed: int, habits: Habits) -> None:
    """A withheld cell of a table with one dimension that passes rules 1 and 2 gives something away once published."""
    shape = small_shape()
    cube = _cube(shape, people, seed, habits)
    safe = control(cube, LOW, FAMILIES)
    t = shape.table("audience_device")
    heads = cube.values(t.name, "people_n")
    shown = _published(safe, t.name, "impressions")
    eligible = (heads >= 10) & (heads[0] - heads >= 10) & shown[0]
    for row in np.flatnonzero(eligible & ~shown):
        wider = shown.copy()
        wider[row] = True
        columns = {c: safe.tables[t.name][c] for c in t.columns}
        columns["impression_n"] = pa.array(cube.values(t.name, "impression_n"), mask=~wider)
        columns["status_impressions"] = pa.array(np.where(wider, "published", "withheld"))
        one = package(table(t.name, *t.dimensions, families=FAMILIES[:1]))
        listed = list(t.coordinates())
        residual = small_residuals(
            t, dict(zip(listed, heads.tolist(), strict=True)), dict(zip(listed, wider.tolist(), strict=True)), 10
        )
        narrowed = Reader(one, {t.name: pa.table(columns)}, KEY, FAMILIES[:1]).narrowed(LOW.heads)
        assert residual or narrowed
