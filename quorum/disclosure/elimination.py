"""Exact recovery: which unknowns of a linear system are the same in all of its solutions.

What belongs here: elimination modulo a prime, on plain matrices. What does not: signs and intervals (`linear`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from quorum.disclosure.grid import Bools, Ints

PRIME = 2**31 - 1


def determined(matrix: ArrayLike) -> Bools:
    """Say which unknowns of a system of equations follow from the right-hand sides, whatever these are.

    Args:
        matrix: (equations, unknowns), whole numbers.

    Returns:
        One entry an unknown: True where its unit vector lies in the row space.

    Example:
        >>> determined([[1, 1, 0], [0, 1, 1], [1, 1, 1]]).tolist()
        [True, True, True]

    Guarantee:
        An unknown that follows exactly is reported: its unit vector lies in the row space modulo every prime that does
        not divide a denominator of the combination, and one near 2**31 does for no system of 0 and 1 of this size.
        Nothing is said about intervals: see `quorum.disclosure.linear`.

    Source: disclosure.md, "How to suppress and how to audit"; Langsrud 2024, doi:10.1007/978-3-031-69651-0_6.
    """
    rows = np.asarray(matrix, dtype=np.int64) % PRIME
    _reduce(rows)
    alone = np.count_nonzero(rows, axis=1) == 1
    found = np.zeros(rows.shape[1], dtype=np.bool_)
    found[np.nonzero(rows[alone])[1]] = True
    return found


def _reduce(rows: Ints) -> None:
    """Bring a matrix into reduced form in place: each pivot is 1 and alone in its column."""
    for index in range(len(rows)):
        pivots = np.flatnonzero(rows[index])
        if len(pivots) == 0:
            continue
        pivot = pivots[0]
        rows[index] = rows[index] * pow(int(rows[index, pivot]), -1, PRIME) % PRIME
        factors = rows[:, pivot].copy()
        factors[index] = 0
        touched = np.flatnonzero(factors)
        rows[touched] = (rows[touched] - factors[touched, None] * rows[index] % PRIME) % PRIME
