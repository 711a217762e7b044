"""Systems of equations written by hand, and independent ways to solve them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

import numpy as np

from quorum.audit.system import WITHHELD, Relations, System, Target

Equation = tuple[Mapping[int, int], int]
"""Coefficients by variable, and the right-hand side."""


def relations_of(equations: Sequence[Equation], inequalities: Sequence[Equation] = ()) -> Relations:
    """Relations ``sum = right`` and ``sum >= right``."""
    rows = [*equations, *inequalities]
    return Relations(
        np.concatenate(([0], np.cumsum([len(row) for row, _ in rows]))).astype(np.int64),
        np.array([variable for row, _ in rows for variable in row], dtype=np.int64),
        np.array([coefficient for row, _ in rows for coefficient in row.values()], dtype=np.int64),
        np.array([-right for _, right in rows], dtype=np.int64),
        np.array([True] * len(equations) + [False] * len(inequalities), dtype=np.bool_),
    )


def system_of(
    size: int,
    equations: Sequence[Equation],
    inequalities: Sequence[Equation] = (),
    *,
    threshold: int = 50,
    truth: Sequence[int] | None = None,
) -> System:
    """A system in which every variable is withheld and a target."""
    targets = tuple(
        Target("r", "t", (str(v),), "impression_n", "impressions", threshold, v, None if truth is None else truth[v])
        for v in range(size)
    )
    state = np.full(size, WITHHELD, dtype=np.int8)
    return System(state, np.zeros(size, dtype=np.int64), relations_of(equations, inequalities), targets)


def table_system(values: np.ndarray, withheld: np.ndarray, threshold: int = 50) -> System:
    """A two-way table with published margins; only withheld cells are variables."""
    number = {place: index for index, place in enumerate(zip(*np.nonzero(withheld), strict=True))}
    equations = []
    for axis in (0, 1):
        for line in range(values.shape[axis]):
            places = [place for place in number if place[axis] == line]
            if places:
                equations.append(({number[p]: 1 for p in places}, int(sum(values[p] for p in places))))
    truth = [int(values[place]) for place in number]
    return system_of(len(number), equations, threshold=threshold, truth=truth)


def determined_by_null_space(system: System) -> set[int]:
    """The variables on which every vector of the null space is 0; by singular values, not by elimination."""
    relations = system.relations
    matrix = np.zeros((len(relations.exact), len(system.state)))
    matrix[relations.row, relations.variable] = relations.coefficient
    matrix = matrix[relations.exact]
    _, singular, right = np.linalg.svd(matrix)
    rank = int((singular > 1e-9).sum())
    return set(np.flatnonzero(np.abs(right[rank:]).max(axis=0, initial=0) < 1e-9).tolist())


def enumerate_solutions(system: System, top: int) -> np.ndarray:
    """Every solution in whole numbers from 0 to ``top``."""
    relations = system.relations
    matrix = np.zeros((len(relations.exact), len(system.state)), dtype=np.int64)
    matrix[relations.row, relations.variable] = relations.coefficient
    all_values = np.array(list(product(range(top + 1), repeat=len(system.state))))
    sums = all_values @ matrix.T + relations.constant
    return all_values[np.where(relations.exact, sums == 0, sums >= 0).all(axis=1)]
