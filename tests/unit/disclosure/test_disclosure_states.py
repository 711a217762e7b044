"""When a state of a block is sound: closed forms and rerouting against a program for every cell, on random states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from disclosure_attacker import small_residuals
from disclosure_portal import FAMILIES, flat, nested, package, plain, table
from scipy.optimize import linprog

from quorum.disclosure import linear, suppress
from quorum.disclosure.equations import Block, build_blocks
from quorum.disclosure.suppress import verify, violations
from quorum.disclosure.two_way import find_tables
from quorum.disclosure.witness import UNBOUNDED, Base, Layer, Protection, accept, unproven, unproven_of_base
from quorum.errors import ReleaseError
from quorum.tables import Dimension, TableShape

THRESHOLD = 10


def _block(*dimensions: Dimension) -> tuple[TableShape, Block]:
    shape = table("t", plain(1), *dimensions, families=FAMILIES[:1])
    ((block,),) = build_blocks(package(shape))
    return shape, block


TREE = (nested("region", "prefecture", (1, 3, 2)),)
FLAT = (flat("device", 5),)
TWO = (flat("age", 3), flat("gender", 3))
WIDE = (flat("age", 2), flat("gender", 4))
DEEP = (flat("age", 2), nested("region", "prefecture", (2, 2)))


def _leaves(block: Block) -> np.ndarray:
    return np.setdiff1d(np.arange(block.size), block.parent)


def _values(block: Block, leaves: np.ndarray) -> np.ndarray:
    """Return a number for every cell from those of the finest ones."""
    values = np.zeros(block.size, dtype=np.int64)
    values[_leaves(block)] = leaves
    for _ in range(4):
        for line in block.matrix:
            values[np.flatnonzero(line < 0)] = values[line > 0].sum()
    assert not np.any(block.matrix @ values)
    return values


def _random_values(block: Block, rng: np.random.Generator, scale: float = 30) -> np.ndarray:
    drawn = rng.exponential(scale, size=len(_leaves(block))) * (rng.random(len(_leaves(block))) < 0.85)
    return _values(block, drawn.astype(np.int64))


def _random_state(block: Block, rng: np.random.Generator, share: float, among: np.ndarray | None = None) -> np.ndarray:
    """Publish a share of the cells, below published margins only; the total always."""
    published = rng.random(block.size) < share
    if among is not None:
        published &= among
    published[0] = True
    while (orphans := block.orphans(published)).size:
        published[orphans] = False
    return published


def _without_heads(block: Block, values: np.ndarray, heads: np.ndarray) -> Protection:
    return Protection(replace(block, partitions=False), (Layer("count", values, THRESHOLD),), heads, THRESHOLD)


def _with_heads(block: Block, values: np.ndarray, excess: np.ndarray, base: Base | None = None) -> Protection:
    layers = (Layer("heads", values, THRESHOLD, base), Layer("excess", excess, 0))
    return Protection(block, layers, values, THRESHOLD)


def _is_open(block: Block, layer: Layer, published: np.ndarray) -> bool:
    """Solve two programs for every withheld cell of the layer, and of its base, together."""
    n, base = block.size, layer.base
    equal = np.kron(np.eye(2), block.matrix)
    of_base = layer.values if base is None else base.layer.values
    status = published if base is None else base.published
    values = np.concatenate([layer.values, of_base])
    fixed = np.concatenate([published, status])
    bounds = [(v, v) if known else (0, None) for v, known in zip(values.tolist(), fixed.tolist(), strict=True)]
    rows = np.flatnonzero(layer.upper < UNBOUNDED) if base is not None else np.zeros(0, dtype=int)
    less = np.zeros((len(rows), 2 * n))
    less[np.arange(len(rows)), rows], less[np.arange(len(rows)), n + rows] = 1, -1
    goals = [(cell, layer.goals[cell]) for cell in np.flatnonzero(~published)]
    if base is not None:
        goals += [(n + cell, base.layer.goals[cell]) for cell in np.flatnonzero(~status)]
    for cell, goal in goals:
        for sign, end in ((1, 0), (-1, goal)):
            cost = np.zeros(2 * n)
            cost[cell] = sign
            limited = list(bounds)
            limited[cell] = (0, max(goal, values[cell])) if sign < 0 else (0, None)
            found = linprog(cost, less, np.zeros(len(rows)), equal, np.zeros(len(equal)), limited)
            assert found.status == 0
            if (found.x[cell] > 1e-6) if sign > 0 else (found.x[cell] < end - 1e-6):
                return False
    return True


def _is_held_by_many(shape: TableShape, block: Block, heads: np.ndarray, published: np.ndarray, adds_up: bool) -> bool:
    ((_, rows, cell),) = block.rows
    listed = list(shape.coordinates())
    of_row = {listed[row]: int(heads[c]) for row, c in zip(rows, cell, strict=True)}
    shown = {listed[row]: bool(published[c]) for row, c in zip(rows, cell, strict=True)}
    dimensions = tuple(replace(d, partitions_people=adds_up) for d in shape.dimensions)
    return not small_residuals(replace(shape, dimensions=dimensions), of_row, shown, THRESHOLD)


@pytest.mark.parametrize("dimensions", [TREE, FLAT, TWO, WIDE, DEEP], ids=["tree", "flat", "two", "wide", "deep"])
def test_states_where_people_add_up(dimensions: Sequence[Dimension]) -> None:
    shape, block = _block(*dimensions)
    verdicts = []
    for seed in range(40):
        rng = np.random.default_rng([1, seed])
        published = _random_state(block, rng, rng.uniform(0.2, 0.9))
        protection = _with_heads(block, _random_values(block, rng), _random_values(block, rng, 5))
        is_open = all(_is_open(block, layer, published) for layer in protection.layers)
        is_held = _is_held_by_many(shape, block, protection.heads, published, True)
        sound = not violations(protection, published).size
        assert sound == is_open
        assert is_held or not sound
        verdicts.append(sound)
    assert 4 < sum(verdicts) < 37


@pytest.mark.parametrize("dimensions", [TREE, FLAT, TWO, WIDE], ids=["tree", "flat", "two", "wide"])
def test_states_where_people_do_not_add_up(dimensions: Sequence[Dimension]) -> None:
    shape, block = _block(*dimensions)
    verdicts = []
    for seed in range(60):
        rng = np.random.default_rng([2, seed])
        published = _random_state(block, rng, rng.uniform(0.2, 0.9))
        values = _random_values(block, rng)
        heads = values.copy()
        for child, parent in sorted(zip(block.child.tolist(), block.parent.tolist(), strict=True), reverse=True):
            heads[parent] = max(heads[parent] * 3 // 4, heads[child])
        heads[published] = np.maximum(heads[published], THRESHOLD)  # what is published has enough
        protection = _without_heads(block, values, heads)
        is_open = _is_open(block, protection.layers[0], published)
        is_held = _is_held_by_many(shape, block, heads, published, False)
        sound = not violations(protection, published).size
        assert sound == (is_open and is_held)
        verdicts.append(sound)
    assert 5 < sum(verdicts) < 55


@pytest.mark.parametrize("dimensions", [TREE, TWO, WIDE, DEEP], ids=["tree", "two", "wide", "deep"])
def test_states_above_a_base(dimensions: Sequence[Dimension]) -> None:
    """A reader knows that clickers are among the people of their cell, published or withheld."""
    _, block = _block(*dimensions)
    verdicts: list[bool] = []
    for seed in range(2000):
        rng = np.random.default_rng([3, seed])
        of_base = _random_values(block, rng, 25)
        people = Layer("people", of_base, THRESHOLD)
        shown = _random_state(block, rng, 0.9, of_base >= THRESHOLD)
        protection = _with_heads(block, of_base, np.zeros_like(of_base))
        if violations(protection, shown).size or of_base[0] < 40:
            continue
        leaves = np.floor(of_base[_leaves(block)] * rng.uniform(0.2, 1.0, size=len(_leaves(block)))).astype(np.int64)
        values = _values(block, leaves)
        if values[0] < THRESHOLD:
            continue
        published = _random_state(block, rng, rng.uniform(0, 0.9), shown & (values >= THRESHOLD))
        tables = np.zeros((0, block.size), dtype=np.int64)
        if block.form == "two_way":
            tables = find_tables(protection, people, shown)
        inside = _with_heads(block, values, np.zeros_like(of_base), Base(people, shown, tables))
        sound = not violations(inside, published).size
        assert sound == _is_open(block, inside.layers[0], published)
        verdicts.append(sound)
        if len(verdicts) == (12 if block.form == "general" else 40):
            break
    assert 0 < sum(verdicts) < len(verdicts)


def test_a_bound_that_the_truth_exceeds_is_no_fact() -> None:
    """Clicks may come without an impression: then the number of people bounds nothing."""
    _, block = _block(*FLAT)
    of_base = _values(block, np.array([20, 30, 40, 50, 60]))
    people = Base(
        Layer("people", of_base, 10), np.ones(block.size, dtype=bool), np.zeros((0, block.size), dtype=np.int64)
    )
    clicks = Layer("clicks", _values(block, np.array([25, 1, 1, 1, 1])), 10, people)
    assert clicks.upper.tolist() == [200, UNBOUNDED, 30, 40, 50, 60]
    assert clicks.goals.tolist() == [10] * 6


def test_only_tables_that_fit_everything_known_are_accepted() -> None:
    _, block = _block(*TWO)
    truth = _values(block, np.array([[1, 5, 9], [7, 3, 2], [6, 8, 4]]).ravel())
    published = np.zeros(block.size, dtype=bool)
    published[:5] = True
    published[8] = True
    layer = Layer("heads", truth, 1)
    swap = np.zeros((4, 4), dtype=np.int64)
    swap[1, 1], swap[1, 2], swap[2, 1], swap[2, 2] = -1, 1, 1, -1
    fine = truth + swap.ravel()
    negative = truth - 8 * swap.ravel()
    off = truth.copy()
    off[5] += 1
    known = truth.copy()
    known[0] += 1
    assert accept(block, layer, published, np.array([fine, negative, off, known])).tolist() == [
        True,
        False,
        False,
        False,
    ]
    bound = Base(Layer("people", truth, 1), published, np.zeros((0, block.size), dtype=np.int64))
    assert not accept(block, replace(layer, base=bound), published, fine[None])[0]
    wider = replace(bound, tables=fine[None])
    assert accept(block, replace(layer, base=wider), published, fine[None])[0]


def test_goals_of_a_base_need_room_for_what_is_inside() -> None:
    _, block = _block(*FLAT)
    of_base = _values(block, np.array([5, 6, 40, 50, 60]))
    shown = np.array([True, False, False, True, True, True])
    emptied = of_base.copy()
    emptied[1:3] = 0, 11
    filled = of_base.copy()
    filled[1:3] = 11, 0
    base = Base(Layer("people", of_base, 10), shown, np.array([emptied, filled]))
    few, many = (Layer("clicks", _values(block, np.array([k, k, 1, 1, 1])), 5, base) for k in (0, 1))
    none = np.zeros((0, block.size), dtype=np.int64)
    assert [cells.tolist() for cells in unproven_of_base(few, none)] == [[], []]
    assert [cells.tolist() for cells in unproven_of_base(many, none)] == [[1, 2], [1, 2]]
    moved = many.values.copy()
    moved[1:3] = 0, 2
    assert [cells.tolist() for cells in unproven_of_base(many, moved[None])] == [[2], [1]]
    assert [cells.tolist() for cells in unproven_of_base(Layer("x", of_base, 1), none)] == [[], []]


def test_every_proposal_of_rerouting_is_accepted_or_left_out() -> None:
    _, block = _block(flat("age", 6), flat("gender", 6))
    for seed in range(20):
        rng = np.random.default_rng([4, seed])
        layer = Layer("heads", _random_values(block, rng), THRESHOLD)
        published = _random_state(block, rng, 0.6)
        tables = find_tables(_with_heads(block, layer.values, layer.values), layer, published)
        assert accept(block, layer, published, tables).all()


def test_rerouting_settles_almost_everything_without_a_program(monkeypatch: pytest.MonkeyPatch) -> None:
    _, block = _block(flat("age", 8), flat("gender", 8))
    left = 0
    for seed in range(20):
        rng = np.random.default_rng([5, seed])
        values = _random_values(block, rng, 60)
        published = np.zeros((9, 9), dtype=bool)
        published[0], published[:, 0] = True, True
        layer = Layer("heads", values, 50)
        tables = find_tables(_with_heads(block, values, values), layer, published.ravel())
        left += sum(cells.size for cells in unproven(layer, published.ravel(), tables))
    assert left < 20 * 64 * 2 * 0.02


@pytest.fixture
def small_line() -> Protection:
    _, block = _block(*FLAT)
    return _with_heads(
        block, _values(block, np.array([5, 40, 50, 60, 70])), _values(block, np.zeros(5, dtype=np.int64))
    )


def test_a_table_too_large_for_rerouting_is_judged_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng, found = np.random.default_rng(12), 0
    _, block = _block(flat("age", 6), flat("area", 7))
    for _ in range(20):
        layer = Layer("count", _random_values(block, rng), THRESHOLD)
        protection = Protection(block, (layer,), layer.values, THRESHOLD)
        published = _random_state(block, rng, 0.3)
        with monkeypatch.context() as patch:
            patch.setattr("quorum.disclosure.two_way._LARGEST", 0)
            assert not find_tables(protection, layer, published).size
            large = violations(protection, published)
        layer.found.clear()
        assert bool(large.size) == bool(violations(protection, published).size)
        found += bool(large.size)
    assert 0 < found < 20


@pytest.mark.parametrize(
    ("withheld", "what"),
    [([1], "follows exactly"), ([0], "below a withheld margin")],
)
def test_an_unsound_state_does_not_pass(small_line: Protection, withheld: list[int], what: str) -> None:
    published = np.ones(small_line.block.size, dtype=bool)
    published[withheld] = False
    with pytest.raises(ReleaseError, match=what):
        verify(small_line, published)


def test_a_residual_of_too_few_people_does_not_pass() -> None:
    _, block = _block(*FLAT)
    published = np.array([True, False, False, True, True, True])
    few = _with_heads(block, _values(block, np.array([4, 5, 50, 60, 70])), _values(block, np.zeros(5, dtype=np.int64)))
    with pytest.raises(ReleaseError, match="too few people"):
        verify(few, published)
    loose = _without_heads(block, _values(block, np.array([8, 9, 50, 60, 70])), np.array([90, 8, 9, 50, 60, 70]))
    with pytest.raises(ReleaseError, match="too few people"):
        verify(loose, published)
    whole = np.array([True, False, False, False, False, False])
    spread = _without_heads(block, _values(block, np.array([8, 8, 8, 8, 8])), np.array([12, 8, 8, 8, 8, 8]))
    verify(spread, whole)


def test_an_interval_that_is_too_narrow_does_not_pass() -> None:
    _, block = _block(*TWO)
    published = np.array([[1, 1, 1, 1], [1, 0, 0, 1], [1, 0, 0, 1], [1, 1, 1, 1]], dtype=bool).ravel()
    values = _values(block, np.array([[5, 60, 50], [60, 70, 50], [50, 50, 50]]).ravel())
    with pytest.raises(ReleaseError, match="too narrow"):
        verify(_with_heads(block, values, np.zeros_like(values)), published)


def test_people_of_a_category_may_be_withheld_in_events_alone() -> None:
    """Heads are open, but events beyond one a head are not: nobody in the other cells could have had them."""
    _, block = _block(*TWO)
    grid = np.ones((4, 4), dtype=bool)
    grid[1:, 1:] = False
    heads = _values(block, np.full(9, 20))
    level = _values(block, np.full(9, 7))
    peak = _values(block, np.array([100, 0, 0, 0, 1, 1, 0, 1, 1]))
    assert not violations(_with_heads(block, heads, level), grid.ravel()).size
    assert violations(_with_heads(block, heads, peak), grid.ravel()).size


def test_a_general_block_where_people_do_not_add_up_tells_its_total_or_everything() -> None:
    _, block = _block(*DEEP)
    protection = _without_heads(block, _values(block, np.full(8, 30)), np.full(block.size, 30))
    total = np.zeros(block.size, dtype=bool)
    total[0] = True
    some = total.copy()
    some[[1, 2]] = True
    for state, is_sound in ((total, True), (some, False), (~np.zeros(block.size, dtype=bool), True)):
        assert (not linear.violations(protection, state).size) == is_sound
    (chosen,) = suppress.suppress([protection], [np.ones(block.size, dtype=bool)], [protection.heads])
    assert chosen.all()
    able = np.ones(block.size, dtype=bool)
    able[-1] = False
    (chosen,) = suppress.suppress([protection], [able], [protection.heads])
    assert chosen.tolist() == total.tolist()


@pytest.mark.parametrize("with_base", [False, True])
def test_a_programs_answer_is_not_trusted(monkeypatch: pytest.MonkeyPatch, with_base: bool) -> None:
    """A solver that is wrong can only withhold more: its tables are judged like any others."""
    _, block = _block(*DEEP)
    values = _values(block, np.full(8, 30))
    total = np.zeros(block.size, dtype=bool)
    total[0] = True
    none = np.zeros((0, block.size), dtype=np.int64)
    base = Base(Layer("people", values * 2, THRESHOLD), total, none) if with_base else None
    layer = Layer("heads", values, THRESHOLD, base)
    assert not linear.settle(block, layer, total, none)[0].size

    def wrong(cost: np.ndarray, **_: object) -> SimpleNamespace:
        return SimpleNamespace(x=-10.0 * (cost > 0))

    monkeypatch.setattr(linear, "linprog", wrong)
    fresh = Layer("heads", values, THRESHOLD, replace(base, tables=none) if base else None)
    assert linear.settle(block, fresh, total, none)[0].size


def test_a_table_whose_base_is_wrong_is_not_trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    _, block = _block(*DEEP)
    values = _values(block, np.full(8, 30))
    total = np.zeros(block.size, dtype=bool)
    total[0] = True
    none = np.zeros((0, block.size), dtype=np.int64)
    layer = Layer("heads", values, THRESHOLD, Base(Layer("people", values * 2, THRESHOLD), total, none))
    monkeypatch.setattr(linear, "linprog", lambda cost, **_: SimpleNamespace(x=np.eye(len(cost))[-1]))
    assert linear.settle(block, layer, total, none)[0].size


@pytest.mark.parametrize("dimensions", [TREE, TWO, WIDE, DEEP], ids=["tree", "two", "wide", "deep"])
def test_what_is_chosen_is_sound_and_cannot_be_widened(dimensions: Sequence[Dimension]) -> None:
    _, block = _block(*dimensions)
    for seed in range(12 if block.form == "general" else 60):
        rng = np.random.default_rng([6, seed])
        values = _random_values(block, rng)
        protection = _with_heads(block, values, _random_values(block, rng, 5))
        eligible = (values >= THRESHOLD) & (rng.random(block.size) < 0.85)
        (chosen,) = suppress.suppress([protection], [eligible], [values])
        assert not np.any(chosen & ~eligible)
        assert not violations(protection, chosen).size
        for cell in np.flatnonzero(eligible & ~chosen):
            wider = chosen.copy()
            wider[cell] = True
            if not block.orphans(wider).size:
                assert violations(protection, wider).size


def test_the_total_is_told_by_all_tables_or_by_none() -> None:
    """In the second table all clicks but 40 had to come from one category, whose people are published."""
    _, block = _block(*FLAT)
    people = Layer("people", _values(block, np.array([1000, 10, 10, 10, 10])), THRESHOLD)
    base = Base(people, np.ones(block.size, dtype=bool), np.zeros((0, block.size), dtype=np.int64))
    values, none = _values(block, np.array([300, 1, 1, 1, 1])), np.zeros(block.size, dtype=np.int64)
    free, stuck = _with_heads(block, values, none), _with_heads(block, values, none, base)
    eligible = np.arange(block.size) == 0
    assert suppress.tells_total(free, eligible) and not suppress.tells_total(stuck, eligible)
    assert [state.tolist() for state in suppress.suppress([free], [eligible], [values])] == [eligible.tolist()]
    chosen = suppress.suppress([free, stuck], [eligible, eligible], [values, values])
    assert not np.any(chosen)
