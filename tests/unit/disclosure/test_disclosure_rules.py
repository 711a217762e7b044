"""Rules 1 and 2 as pure functions, and the types that carry the guarantee."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pyarrow as pa
import pytest
from disclosure_portal import FAMILIES, Habits, count_people, fill, flat, package, plain, rule_set, table

from quorum.disclosure import PackageCube, SafeCube, control
from quorum.disclosure.primary import has_enough_heads, has_required, leaves_people_beside, leaves_people_of_parent
from quorum.errors import ConfigurationError, ReleaseError


def _ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_heads_need_the_threshold_and_zero_never_passes() -> None:
    assert has_enough_heads(_ints(0, 49, 50, 51), 50).tolist() == [False, False, True, True]


def test_a_family_needs_the_one_it_requires() -> None:
    assert has_required(None, 2).tolist() == [True, True]
    required = np.array([True, False])
    assert has_required(required, 2).tolist() == [True, False]


def test_enough_people_of_a_cell_are_outside_the_family() -> None:
    assert leaves_people_beside(_ints(9, 10, 11), 10, 3).tolist() == [False, True, True]
    assert leaves_people_beside(None, 10, 3).tolist() == [True] * 3


def test_enough_people_of_each_margin_are_outside_the_group() -> None:
    heads = _ints(100, 91, 90, 60, 55)
    child, parent = _ints(1, 2, 3, 4, 4), _ints(0, 0, 2, 2, 3)
    # Cell 4 leaves 35 of one margin outside, but only 5 of the other.
    assert leaves_people_of_parent(heads, heads, child, parent, 10).tolist() == [True, False, True, True, False]


def test_a_group_of_uncertain_size_is_taken_to_be_as_large_as_it_can_be() -> None:
    heads, most = _ints(100, 60), _ints(100, 95)
    assert leaves_people_of_parent(heads, most, _ints(1), _ints(0), 10).tolist() == [True, False]


@pytest.fixture(scope="module")
def cube() -> PackageCube:
    shape = package(table("by_gender", plain(1), flat("gender", 3)))
    return fill(shape, count_people(shape, [400], np.random.default_rng(1), Habits()))


@pytest.fixture(scope="module")
def safe(cube: PackageCube) -> SafeCube:
    return control(cube, rule_set(), FAMILIES)


def test_a_safe_cube_is_not_built_by_hand(safe: SafeCube) -> None:
    with pytest.raises(ReleaseError, match="by hand"):
        SafeCube(safe.shape, safe.tables, "standard", "", "", seal=object())


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_safe_cube_is_not_copied(safe: SafeCube, copied: object) -> None:
    with pytest.raises(ReleaseError, match="copied"):
        copied(safe)  # type: ignore[operator]


def test_a_safe_cube_is_not_changed(safe: SafeCube) -> None:
    with pytest.raises(ValueError, match="seal"):
        replace(safe, tables={})
    with pytest.raises(FrozenInstanceError):
        safe.rule_set = "none"  # type: ignore[misc]
    with pytest.raises(TypeError):
        safe.tables["by_gender"] = pa.table({})  # type: ignore[index]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (lambda rows: {}, "cube.tables"),
        (lambda rows: {"by_gender": rows, "more": rows}, "cube.tables"),
        (lambda rows: {"by_gender": rows.slice(1)}, "cube.rows"),
        (lambda rows: {"by_gender": rows.take([1, 0, 2, 3])}, "cube.rows"),
        (lambda rows: {"by_gender": rows.drop_columns(["gender"])}, "cube.rows"),
        (lambda rows: {"by_gender": rows.set_column(2, "impression_n", pa.array([1.0] * 4))}, "cube.values"),
        (lambda rows: {"by_gender": rows.set_column(2, "impression_n", pa.array([-1, 0, 0, 0]))}, "cube.values"),
        (
            lambda rows: {"by_gender": rows.set_column(2, "impression_n", pa.array([None, 0, 0, 0], pa.int64()))},
            "cube.values",
        ),
    ],
    ids=["none", "more", "fewer-rows", "order", "no-dimension", "floats", "negative", "null"],
)
def test_a_cube_of_another_shape_is_refused(cube: PackageCube, change: object, rule: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        PackageCube(cube.shape, change(cube.tables["by_gender"]))  # type: ignore[operator]
    assert refused.value.rule == rule


def test_a_measure_that_is_not_there_is_refused(cube: PackageCube) -> None:
    with pytest.raises(ConfigurationError, match=r"cube\.measure"):
        cube.values("by_gender", "view_n")


def test_an_empty_cube_is_a_cube() -> None:
    shape = package(table("by_gender", replace(plain(1), keys=()), flat("gender", 3)))
    assert control(fill(shape, count_people(shape, [], np.random.default_rng(1), Habits())), rule_set(), FAMILIES)
