"""Unknowns that are alike: what holds for one holds for all, so that one program answers for a whole line of cells.

What belongs here: finding unknowns that can change places without changing the relations. What does not: solving.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from quorum.audit.system import Ints, Relations


def representatives(relations: Relations, marks: NDArray[np.float64]) -> Ints:
    """Return for each variable the first one that it can change places with; itself where there is none.

    Args:
        relations: of one component over variables 0..n-1.
        marks: one row a variable: bounds and needs; variables with different marks are different.

    Returns:
        One variable each.

    Guarantee:
        Swapping a variable with its representative, and the one that each forms a pair with (events and people of a
        cell), maps the relations onto themselves. Not all such swaps are found: only those of equal cells of one line.

    Source: symmetry in linear programs (Bödi, Herr and Joswig, Math. Program. 137 (2013) 65).
    """
    pair = ~relations.exact & (np.diff(relations.start) == 2) & (relations.constant == 0)
    lines: list[list[tuple[int, int]]] = [[] for _ in marks]
    paired = pair[relations.row]
    for row, variable, coefficient, in_pair in zip(
        relations.row.tolist(),
        relations.variable.tolist(),
        relations.coefficient.tolist(),
        paired.tolist(),
        strict=True,
    ):
        if not in_pair:
            lines[variable].append((row, coefficient))
    partner = _partners(relations.variable[paired], relations.coefficient[paired])
    first: dict[object, int] = {}
    chosen = []
    for variable in range(len(marks)):
        key = _likeness(variable, partner, lines, marks)
        chosen.append(first.setdefault(key, variable))
    return np.array(chosen, dtype=np.int64)


def _partners(variables: Ints, coefficients: Ints) -> dict[int, tuple[int, int, int]]:
    """Return for each variable in a pair its partner and both signs; -1 as the partner of one in several pairs."""
    often = Counter(variables.tolist())
    partner: dict[int, tuple[int, int, int]] = {}
    pairs = zip(variables.reshape(-1, 2).tolist(), coefficients.reshape(-1, 2).tolist(), strict=True)
    for (one, two), (sign, other_sign) in pairs:
        alone = often[one] == often[two] == 1
        partner[one] = (two if alone else -1, sign, other_sign)
        partner[two] = (one if alone else -1, other_sign, sign)
    return partner


def _likeness(
    variable: int,
    partner: dict[int, tuple[int, int, int]],
    lines: list[list[tuple[int, int]]],
    marks: NDArray[np.float64],
) -> object:
    """Return what must be equal for two variables to change places."""
    own = (tuple(lines[variable]), tuple(marks[variable].tolist()))
    if variable not in partner:
        return own
    other, *signs = partner[variable]
    if other < 0:
        return variable
    return (*own, *signs, tuple(lines[other]), tuple(marks[other].tolist()))
