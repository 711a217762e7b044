"""Linked tables of three dimensions: what is told beside them stays told, and every withheld cell stays open."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import combinations

import numpy as np
import pytest
from disclosure_attacker import Reader
from disclosure_portal import (
    FAMILIES,
    Habits,
    count_people,
    fill,
    flat,
    nested,
    package,
    pairs,
    plain,
    rule_set,
    table,
)

from quorum.disclosure import PackageCube, control, linked, suppress
from quorum.disclosure.equations import LINKED, ONE_WAY, TWO_WAY, Block, build_blocks
from quorum.disclosure.programs import Budget, first_unproven
from quorum.disclosure.witness import Layer, Protection
from quorum.tables import PackageShape

LOW = rule_set(heads=10, clicks=10)


def shape_of(ages: int, genders: int, areas: tuple[int, ...], *, with_pairs: bool = True) -> PackageShape:
    key, area = plain(1), nested("region", "prefecture", areas)
    dims = {"age_band": flat("age_band", ages), "gender": flat("gender", genders)}
    dims |= {name: flat(name, size, False) for name, size in (("device", 3), ("hour_band", 4))}
    return package(
        table("audience_age_gender", key, dims["age_band"], dims["gender"]),
        table("audience_area", key, area),
        table("audience_device", key, dims["device"]),
        table("audience_hour", key, dims["hour_band"]),
        *(pairs(key, dims, area) if with_pairs else ()),
    )


def cube_of(shape: PackageShape, people: int, seed: int, habits: Habits | None = None) -> PackageCube:
    rng = np.random.default_rng(seed)
    return fill(shape, count_people(shape, [people], rng, habits or Habits(skew=0.7)))


def blocks_of(shape: PackageShape) -> dict[str, Block]:
    return {block.form: block for block in build_blocks(shape)[0]}


def test_a_table_that_lists_all_cells_of_the_others_is_the_block() -> None:
    found = blocks_of(shape_of(3, 2, (2, 1)))
    assert set(found) == {LINKED, TWO_WAY}
    assert found[TWO_WAY].tables == ("audience_device", "audience_hour", "audience_device_hour")
    assert found[TWO_WAY].shape == (4, 5)
    assert found[TWO_WAY].size == 20


def test_the_parts_of_linked_tables_keep_their_own_forms() -> None:
    block = blocks_of(shape_of(3, 2, (2, 1)))[LINKED]
    assert [(part.form, part.tables) for part, _ in block.parts] == [
        (TWO_WAY, ("audience_age_gender",)),
        (ONE_WAY, ("audience_area",)),
    ]
    assert block.cube.shape == (4, 3, 3)
    assert not np.any(block.matrix @ _margins_of_ones(block))


def _margins_of_ones(block: Block) -> np.ndarray:
    """The table with one person in every cell of the cube, in the first prefecture of each region."""
    cells = np.zeros(block.size, dtype=np.int64)
    inner = np.ones([size - 1 for size in block.cube.shape], dtype=np.int64)
    for axis in range(3):
        inner = np.concatenate([inner.sum(axis=axis, keepdims=True), inner], axis=axis)
    cells[block.cube] = inner
    place = block.parts[1][1]
    below = np.setdiff1d(place, block.cube)
    of_region = {int(block.parent[block.child == cell][0]): int(cell) for cell in reversed(below.tolist())}
    for region, cell in of_region.items():
        cells[cell] = cells[region]
    return cells


def everything(total: int, size: int) -> Iterator[np.ndarray]:
    """Every way to put so many people into so many cells."""
    for bars in combinations(range(total + size - 1), size - 1):
        ends = np.array([-1, *bars, total + size - 1])
        yield np.diff(ends) - 1


@pytest.mark.parametrize("seed", range(6))
def test_every_withheld_cell_of_a_small_cube_is_open_among_all_tables(seed: int) -> None:
    """Brute force: of all tables with the published numbers, some have 0 in the cell, and some the threshold."""
    key = plain(1)
    ages, genders, regions = (flat(name, 2) for name in ("age_band", "gender", "region"))
    area = nested("region", "prefecture", (1, 1))
    regions = type(regions)(("region",), tuple(path[:1] for path in area.keys))
    shape = package(
        table("audience_age_gender", key, ages, genders),
        table("audience_area", key, area),
        table("audience_age_gender_region", key, ages, genders, regions),
    )
    block = blocks_of(shape)[LINKED]
    rng = np.random.default_rng(seed)
    truth = rng.multinomial(9, rng.dirichlet(np.ones(8))).reshape(2, 2, 2)
    layer = Layer("people", _table(block, truth), 2)
    protection = Protection(block, (layer,), layer.values, 2)
    chosen = suppress.suppress([protection], [layer.values >= 2], [layer.values])[0]
    tables = np.array([_table(block, inner.reshape(2, 2, 2)) for inner in everything(9, 8)])
    left = tables[np.all(tables[:, chosen] == layer.values[chosen], axis=1)]
    assert np.all(left[:, ~chosen].min(axis=0) == 0)
    assert np.all(left[:, ~chosen].max(axis=0) >= 2)


def _table(block: Block, inner: np.ndarray) -> np.ndarray:
    for axis in range(3):
        inner = np.concatenate([inner.sum(axis=axis, keepdims=True), inner], axis=axis)
    cells = np.zeros(block.size, dtype=np.int64)
    cells[block.cube] = inner
    return cells


def test_a_reader_of_pairs_learns_nothing() -> None:
    told = 0
    for seed in range(10):
        rng = np.random.default_rng([5, seed])
        shape = shape_of(int(rng.integers(3, 6)), 2, (2, 3, 1, 2))
        habits = Habits(skew=float(rng.uniform(0, 1)), click=float(10 ** rng.uniform(-2, -0.7)))
        cube = cube_of(shape, int(10 ** rng.uniform(2, 3.6)), seed, habits)
        safe = control(cube, LOW, FAMILIES)
        reader = Reader(shape, safe.tables, "c000", FAMILIES)
        assert not reader.contradictions()
        assert not reader.narrowed(LOW.heads)
        for family in FAMILIES[1:]:
            nested_reader = Reader(shape, safe.tables, "c000", (FAMILIES[0], family), nested=True)
            assert not nested_reader.narrowed(LOW.heads)
        finest = safe.tables["audience_age_gender_region"]["status_impressions"].to_pylist()
        told += finest.count("published")
    assert told > 200


def test_a_reader_who_splits_clickers_over_the_pairs_of_people_learns_nothing() -> None:
    """Pairs tell people alone; who clicked is among them all the same, so that clickers of pairs are unknowns too."""
    for seed in range(6):
        rng = np.random.default_rng([6, seed])
        shape = shape_of(4, 2, (2, 3, 1, 2))
        cube = cube_of(shape, int(10 ** rng.uniform(2.7, 3.6)), seed, Habits(skew=0.5, click=0.05))
        safe = control(cube, LOW, FAMILIES)
        reader = Reader(shape, safe.tables, "c000", FAMILIES[:2], nested=True)
        listed = set(reader.hidden)
        clickers, people = FAMILIES[1].heads, FAMILIES[0].heads
        finer = shape.table("audience_age_gender_region")
        cells = [frozenset(p for p in zip(finer.columns, c, strict=True) if p[1] != "ALL") for c in finer.coordinates()]
        for place in cells:
            if (place, clickers) not in reader.known and (place, clickers) not in reader.hidden:
                reader.hidden[place, clickers] = "clicks"
                reader.at_least_0.append({(place, people): 1, (place, clickers): -1})
        sums = [e for e in reader.equal if all(place in set(cells) and name == people for place, name in e)]
        reader.equal += [{(place, clickers): k for (place, _), k in e.items()} for e in sums]
        assert not [found for found in reader.narrowed(LOW.heads) if found[0] in listed]


def test_that_reader_would_find_pairs_that_nobody_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The power check: without the proof on the whole system, whatever is large enough would be told."""
    shape = shape_of(5, 2, (2, 3, 1, 2))
    cube = cube_of(shape, 900, 3)

    def trusting(protection, eligible, weight, parts, choose):
        state = eligible.copy()
        while (orphans := protection.block.orphans(state)).size:
            state[orphans] = False
        return state

    monkeypatch.setattr(linked, "publish", trusting)
    monkeypatch.setattr(suppress, "verify", lambda protection, published: None)
    safe = control(cube, LOW, FAMILIES)
    assert Reader(shape, safe.tables, "c000", FAMILIES).narrowed(LOW.heads)


@pytest.mark.parametrize(("people", "seed"), [(2_000, 1), (6_000, 2), (30_000, 3)])
def test_what_is_told_without_pairs_is_told_beside_them(people: int, seed: int) -> None:
    shape = shape_of(5, 3, (2, 3, 1, 2, 1))
    cube = cube_of(shape, people, seed)
    plain_shape = shape_of(5, 3, (2, 3, 1, 2, 1), with_pairs=False)
    before = control(PackageCube(plain_shape, {t.name: cube.tables[t.name] for t in plain_shape.tables}), LOW, FAMILIES)
    after = control(cube, LOW, FAMILIES)
    assert all(after.tables[name].equals(before.tables[name]) for name in before.tables)
    status = after.tables["audience_age_gender_region"]["status_impressions"].to_pylist()
    assert status.count("published") > len(status) / 4


@pytest.mark.parametrize(("people", "seed"), [(1_500, 10), (2_500, 0), (2_500, 8)])
def test_what_devices_and_hours_tell_is_told_beside_both_together(people: int, seed: int) -> None:
    """In each of these a cell of both together, tried first because it is larger, would take a small hour."""
    key, device, hour = plain(1), flat("device", 5, False), flat("hour_band", 9, False)
    alone = package(table("audience_device", key, device), table("audience_hour", key, hour))
    crossed = package(*alone.tables, table("audience_device_hour", key, device, hour))
    cube = fill(crossed, count_people(crossed, [people], np.random.default_rng(seed), Habits(skew=1.6)))
    before = control(PackageCube(alone, {t.name: cube.tables[t.name] for t in alone.tables}), rule_set(), FAMILIES)
    after = control(cube, rule_set(), FAMILIES)
    assert all(after.tables[name].equals(before.tables[name]) for name in before.tables)


def test_without_programs_less_is_told_and_nothing_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    cube = cube_of(shape_of(4, 2, (2, 3, 1)), 700, 1)
    rich = control(cube, LOW, FAMILIES)
    monkeypatch.setattr(linked, "PROGRAMS", 0)
    poor = control(cube, LOW, FAMILIES)
    name = "audience_age_gender_region"
    counts = [safe.tables[name]["status_impressions"].to_pylist().count("published") for safe in (poor, rich)]
    assert counts[0] <= counts[1]
    assert not Reader(cube.shape, poor.tables, "c000", FAMILIES).narrowed(LOW.heads)


def test_a_cell_that_cannot_be_0_is_found_and_a_spent_budget_says_so() -> None:
    block = blocks_of(shape_of(2, 2, (1, 1)))[LINKED]
    people = np.array([[[8, 1], [1, 1]], [[1, 1], [1, 1]]])
    values = np.zeros(block.size, dtype=np.int64)
    values[block.cube] = _table(block, people)[block.cube]
    inner = block.cube[1:, 1:, 1:]
    published = np.ones(block.size, dtype=np.bool_)
    published[inner] = False
    look = partial(first_unproven, block, Layer("people", values, 2), published)
    none = np.zeros((0, block.size), dtype=np.int64)
    assert set(look(none, Budget(100)).tolist()) & set(inner.ravel().tolist())
    assert look(none, Budget(0)).size
