"""Linear programs: how far an unknown can move, on plain systems and on blocks.

What belongs here: HiGHS, and turning its answers into witnesses. What does not: closed forms (`one_way`, `two_way`),
and the verdict on a witness (`witness.accept`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linprog
from scipy.sparse import block_diag, csr_array

from quorum.disclosure.equations import Block, Floats
from quorum.disclosure.grid import Bools, Ints
from quorum.disclosure.witness import UNBOUNDED, Layer, Protection, accept, unproven, unproven_of_base
from quorum.errors import ConfigurationError

_EMPTY = np.zeros(0, dtype=np.int64)


def interval(matrix: ArrayLike, totals: ArrayLike, unknown: int, at_least: float = 0.0) -> tuple[float, float]:
    """Return the smallest and largest value that an unknown takes in the solutions of a system.

    Args:
        matrix: (equations, unknowns).
        totals: right-hand sides.
        unknown: its column.
        at_least: what is known beforehand of every unknown: ``[at_least, infinity)``.

    Returns:
        The feasible interval; infinity where there is no end.

    Raises:
        ConfigurationError: the system has no solution.

    Example:
        >>> interval([[1, 1, 1]], [3], 0), interval([[1, 1, 1]], [3], 0, at_least=1)
        ((0.0, 3.0), (1.0, 1.0))

    Guarantee:
        The bounds are those of the linear relaxation: a reader who uses whole numbers may know more, never less.

    Source: Handbook on Statistical Disclosure Control, section 4.2; Geurts 1992.
    """
    rows = np.asarray(matrix, dtype=np.float64)
    ends: list[float] = []
    for direction in (1.0, -1.0):
        cost = np.zeros(rows.shape[1])
        cost[unknown] = direction
        found = linprog(cost, A_eq=rows, b_eq=np.asarray(totals, dtype=np.float64), bounds=(at_least, None))
        if found.status == 2:
            raise ConfigurationError("disclosure.system", "equations that cannot hold together", "a consistent system")
        ends.append(direction * (-np.inf if found.fun is None else float(found.fun)))
    return ends[0], ends[1]


def settle(block: Block, layer: Layer, published: Bools, accepted: Ints) -> tuple[Ints, Ints]:
    """Look for a withheld cell that neither accepted tables nor a program show to be open.

    Args:
        block: the equations.
        layer: the numbers, their bounds and goals.
        published: status of each cell.
        accepted: tables that `witness.accept` let pass, (number, cells).

    Returns:
        The first cell that cannot move far enough, or for which HiGHS gives no whole solution, which errs on the safe
        side; none if there is no such cell. It is a withheld cell of the layer or, where that narrows what people there
        can be, of its base. Then the accepted tables, with those that programs found.

    Guarantee:
        If no cell is returned, every withheld cell of the layer, and of its base, has witnesses that `witness.accept`
        let pass, at 0 and at its goal.

    Source: disclosure.md, rule 6 and "How to suppress and how to audit".
    """
    if layer.found and any(cells.size for cells in unproven(layer, published, accepted)):
        again = np.array(layer.found)
        accepted = np.concatenate([accepted, again[accept(block, layer, published, again)]])
    goals = (*unproven(layer, published, accepted), *unproven_of_base(layer, accepted))
    if not any(cells.size for cells in goals):
        return _EMPTY, accepted
    mover = _Mover(block, layer, published)
    for kind, waiting in enumerate(goals):
        of_base, side = divmod(kind, 2)
        moved, status = (layer.base.layer, layer.base.published) if of_base and layer.base else (layer, published)
        together = True
        while waiting.size:
            tried = waiting if together else waiting[:1]
            pair = mover.move(tried, upward=bool(side), of_base=bool(of_base))
            still = waiting
            if pair is not None:
                layer.found.append(pair[0])
                if layer.base is not None:
                    layer.base.tables = np.concatenate([layer.base.tables, pair[1][None]])
                still = np.intersect1d(waiting, unproven(moved, status, pair[of_base][None])[side])
            if len(tried) == 1 and tried[0] in still:
                return waiting[:1], accepted
            together = len(still) < len(waiting)
            waiting = still
    again = np.array(layer.found)
    return _EMPTY, np.concatenate([accepted, again[accept(block, layer, published, again)]])


def violations(protection: Protection, published: Bools) -> Ints:
    """Return withheld cells of any block that must not stay withheld beside these published ones.

    Args:
        protection: block, layers, threshold.
        published: status of each cell.

    Returns:
        Some of these cells, or none if the state is sound. In a block where people do not add up a state is sound only
        if nothing but the total is published, or everything: which residuals are about enough people has no closed form
        there.

    Guarantee:
        If empty, every withheld cell has whole witnesses at 0 and at its goal, for each layer. Where people add up,
        every sum of withheld cells that follows from published ones then holds ``threshold`` people, for each of its
        parts can reach that many.

    Source: disclosure.md, rule 6; docs/decisions/0003-complementary-suppression.md.
    """
    block = protection.block
    withheld = np.flatnonzero(~published)
    if len(withheld) in (0, block.size):
        return _EMPTY
    inner = published.copy()
    inner[0] &= not block.has_root
    if not block.partitions and inner.any():
        return withheld
    refused = _refuse_quickly(protection, published)
    if refused.size:
        return refused
    for layer in protection.layers:
        bad, _ = settle(block, layer, published, np.zeros((0, block.size), dtype=np.int64))
        if bad.size:
            return bad
    return _EMPTY


def _refuse_quickly(protection: Protection, published: Bools) -> Ints:
    """Return cells that one equation alone does not let stay withheld: alone in it, or with too little left in it."""
    lines, open_ = protection.block.matrix, (~published).astype(np.float64)
    is_alone = np.abs(lines) @ open_ == 1
    bad = (np.abs(lines[is_alone]) * open_).any(axis=0)
    known = lines[((lines < 0) @ open_) == 0] > 0
    for layer in protection.layers:
        left = known @ (layer.values * open_)
        least = np.where(known, left[:, None], np.inf).min(axis=0, initial=np.inf)
        bad |= ~published & (least < layer.goals)
    return np.flatnonzero(bad)


class _Mover:
    """Moves withheld cells as far as published cells let them, and the base with them.

    Args:
        block: the equations.
        layer: the numbers and what bounds them.
        published: status of each cell.
    """

    def __init__(self, block: Block, layer: Layer, published: Bools) -> None:
        self._block, self._layer, self._published = block, layer, published
        base = layer.base
        self._cells = np.flatnonzero(~published)
        self._base_cells = _EMPTY if base is None else np.flatnonzero(~base.published)
        own, below = (_binding(block.matrix[:, cells]) for cells in (self._cells, self._base_cells))
        self._equal: Any = block_diag((own, below), format="csr")
        room = np.where(layer.upper < UNBOUNDED, layer.upper - layer.values, np.inf)
        # Where the base is withheld too, a cell is bounded by a number that moves itself.
        shared = np.intersect1d(self._cells[np.isfinite(room[self._cells])], self._base_cells)
        at, base_at = np.searchsorted(self._cells, shared), np.searchsorted(self._base_cells, shared)
        each = np.arange(len(shared))
        entries = (
            np.repeat([1.0, -1.0], len(shared)),
            (np.tile(each, 2), np.concatenate([at, len(self._cells) + base_at])),
        )
        self._less: Any = csr_array(entries, shape=(len(shared), self._equal.shape[1]))
        self._slack = room[shared]
        room[shared] = np.inf
        of_base = layer.values if base is None else base.layer.values
        self._low = -np.concatenate([layer.values[self._cells], of_base[self._base_cells]]).astype(np.float64)
        self._high = np.concatenate([room[self._cells], np.full(len(self._base_cells), np.inf)])

    def move(self, moving: Ints, *, upward: bool, of_base: bool) -> tuple[Ints, Ints] | None:
        """Move cells of the layer, or of its base, down to 0 or up to their goals, as far as they go together.

        Returns:
            The layer's table and its base's (its own again where it has none); None if HiGHS gives no whole ones.
        """
        cells, start = (self._base_cells, len(self._cells)) if of_base else (self._cells, 0)
        moved = self._layer.base.layer if of_base and self._layer.base else self._layer
        places = start + np.searchsorted(cells, moving)
        cost = np.zeros(len(self._low))
        cost[places] = -1.0 if upward else 1.0
        high = self._high.copy()
        if upward:
            high[places] = np.maximum(moved.goals[moving] - moved.values[moving], 0)
        found = linprog(
            cost,
            A_ub=self._less,
            b_ub=self._slack,
            A_eq=self._equal,
            b_eq=np.zeros(self._equal.shape[0]),
            bounds=list(zip(self._low, high, strict=True)),
        )
        return None if found.x is None else self._witness(np.rint(found.x).astype(np.int64))

    def _witness(self, change: Ints) -> tuple[Ints, Ints] | None:
        """Return the changed tables if they are accepted."""
        layer, base = self._layer, self._layer.base
        table = layer.values.copy()
        table[self._cells] += change[: len(self._cells)]
        people = table
        if base is not None:
            people = base.layer.values.copy()
            people[self._base_cells] += change[len(self._cells) :]
            if not accept(self._block, base.layer, base.published, people[None])[0]:
                return None
            layer = replace(layer, base=replace(base, tables=people[None]))
        return (table, people) if accept(self._block, layer, self._published, table[None])[0] else None


def _binding(matrix: Floats) -> csr_array:
    """Return the equations that say something of the cells."""
    return csr_array(matrix[np.any(matrix, axis=1)])
