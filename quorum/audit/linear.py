"""Linear programs over the relations of one key, in real numbers.

What belongs here: HiGHS on rows of coefficients. What does not: which rows a reader writes down
(`quorum.audit.frequency`), and programs in whole numbers (`quorum.audit.intervals`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import coo_array, csr_array, vstack

Floats = NDArray[np.float64]
Row = tuple[Mapping[int, float], float, float]
"""Coefficients by variable, and what they sum to at least and at most."""


class System:
    """Linear programs over the relations of one key; no variable is negative.

    Args:
        rows: the relations.
        size: number of variables.
    """

    def __init__(self, rows: Sequence[Row], size: int) -> None:
        self._size = size
        exact = [row for row in rows if row[1] == row[2]]
        upper = [(row[0], row[2]) for row in rows if row[1] != row[2] and np.isfinite(row[2])]
        upper += [
            ({v: -c for v, c in row[0].items()}, -row[1]) for row in rows if row[1] != row[2] and row[1] > -np.inf
        ]
        self._equal = _matrix([row[0] for row in exact], size), np.array([row[1] for row in exact])
        self._upper = _matrix([row for row, _ in upper], size), np.array([most for _, most in upper])

    def solve(self, cost: Mapping[int, float]) -> Floats | None:
        """Return a solution of least cost; None if there is none.

        Guarantee:
            A solution has every relation, up to the tolerance of HiGHS.

        Source: disclosure.md, "How to suppress and how to audit".
        """
        weights = np.zeros(self._size)
        weights[list(cost)] = list(cost.values())
        return self._run(weights, *self._upper, self._equal[0])

    def raise_all(self, goals: Sequence[tuple[Sequence[int], int]]) -> Floats | None:
        """Return a solution in which sums of variables come as near to their goals as they can together.

        Guarantee:
            As of `solve`; for a single goal none is nearer.

        Source: as `solve`.
        """
        number = len(goals)
        helpers = _matrix(
            [{**dict.fromkeys(own, -1.0), self._size + n: 1.0} for n, (own, _) in enumerate(goals)], self._size + number
        )
        weights = np.concatenate([np.zeros(self._size), -np.ones(number)])
        caps = _matrix([{self._size + n: 1.0} for n in range(number)], self._size + number)
        upper = _stack([_widened(self._upper[0], number), helpers, caps])
        most = np.concatenate([self._upper[1], np.zeros(number), [float(goal) for _, goal in goals]])
        found = self._run(weights, upper, most, _widened(self._equal[0], number))
        return None if found is None else found[: self._size]

    def range_of(self, variables: Sequence[int]) -> tuple[float, float]:
        """Return the least and the most that a sum of variables can be; infinity where there is no end.

        Guarantee:
            As of `solve`.

        Source: as `solve`.
        """
        low = self.solve(dict.fromkeys(variables, 1.0))
        high = self.solve(dict.fromkeys(variables, -1.0))
        own = list(variables)
        return (0.0 if low is None else float(low[own].sum())), (np.inf if high is None else float(high[own].sum()))

    def _run(self, cost: Floats, upper: Any, most: Floats, equal: Any) -> Floats | None:
        found = linprog(cost, A_ub=upper, b_ub=most, A_eq=equal, b_eq=self._equal[1], bounds=(0, None), method="highs")
        return None if found.x is None else np.asarray(found.x, dtype=np.float64)


def _matrix(rows: Sequence[Mapping[int, float]], width: int) -> csr_array:
    lengths = [len(row) for row in rows]
    place = np.repeat(np.arange(len(rows)), lengths)
    columns = np.array([v for row in rows for v in row], dtype=np.int64)
    values = np.array([c for row in rows for c in row.values()], dtype=np.float64)
    return csr_array(coo_array((values, (place, columns)), shape=(len(rows), width)))


def _widened(rows: csr_array, more: int) -> csr_array:
    return csr_array((rows.data, rows.indices, rows.indptr), shape=(rows.shape[0], rows.shape[1] + more))


def _stack(parts: Sequence[csr_array]) -> csr_array:
    return csr_array(vstack(parts))
