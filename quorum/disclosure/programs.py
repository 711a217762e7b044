"""Linear programs for many cells at once: one witness shows as many withheld cells at 0, or at their goals, as it can.

What belongs here: HiGHS on whole systems of linked tables, counted, never timed. What does not: one cell at a time
(`linear`), proposals without a program, and the verdict on a witness (`witness.accept`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import block_diag, coo_array, csc_array

from quorum.disclosure.equations import Block, Floats
from quorum.disclosure.grid import Bools, Ints
from quorum.disclosure.witness import UNBOUNDED, Layer, accept, unproven, unproven_of_base

_NODES = 50


@dataclass
class Budget:
    """How many programs may still be solved; counted, so that the same cube gives the same release on any machine.

    Args:
        programs: what is left.
    """

    programs: int


def first_unproven(block: Block, layer: Layer, published: Bools, proposed: Ints, budget: Budget) -> Ints:
    """Look for a withheld cell that neither proposals nor programs show to be open.

    Args:
        block: the equations.
        layer: the numbers, their bounds and goals.
        published: status of each cell.
        proposed: tables to be tried first, (number, cells).
        budget: used up, one a program.

    Returns:
        Withheld cells of the layer or of its base that were not shown to be open, be it that they are not or that the
        budget is spent; none if the state is open.

    Guarantee:
        If none, every withheld cell of the layer, and of its base, has witnesses that `witness.accept` let pass, at 0
        and at its goal.

    Source: disclosure.md, rule 6; Fischetti and Salazar, Math. Program. 84 (1999) 283 (the auditing problem).
    """
    tables = np.concatenate([np.array(layer.found, dtype=np.int64).reshape(-1, block.size), proposed])
    tables = tables[accept(block, layer, published, tables)]
    programs: _Programs | None = None
    together = True
    while True:
        goals = (*unproven(layer, published, tables), *unproven_of_base(layer, tables))
        kind = next((kind for kind, waiting in enumerate(goals) if waiting.size), None)
        if kind is None:
            return goals[0]
        if budget.programs <= 0:
            return goals[kind]
        programs = programs or _Programs(block, layer, published)
        budget.programs -= 1
        tried = goals[kind] if together else goals[kind][:1]
        table = programs.move(tried, upward=bool(kind % 2), of_base=kind > 1)
        if table is not None:
            tables = np.concatenate([tables, table[None]])
            again = (*unproven(layer, published, tables), *unproven_of_base(layer, tables))[kind]
            if again.size < goals[kind].size:
                together = True
                continue
        if not together:
            return tried
        together = False


class _Programs:
    """Moves withheld cells of a layer, and of its base with them, as far as published cells let them.

    Args:
        block: the equations.
        layer: the numbers and what bounds them; what is found is kept with it.
        published: status of each cell.
    """

    def __init__(self, block: Block, layer: Layer, published: Bools) -> None:
        self._block, self._layer, self._published = block, layer, published
        base = layer.base
        none = np.zeros(0, dtype=np.int64)
        self._cells = np.flatnonzero(~published)
        self._base_cells = none if base is None else np.flatnonzero(~base.published)
        parts = [_without_empty_rows(block.matrix[:, cells]) for cells in (self._cells, self._base_cells)]
        equal = csc_array(block_diag([part for part in parts if part.shape[1]]))
        room = np.where(layer.upper < UNBOUNDED, layer.upper - layer.values, np.inf)
        # Where the base is withheld too, a cell is bounded by a number that moves itself.
        shared = np.intersect1d(self._cells[np.isfinite(room[self._cells])], self._base_cells)
        at = np.searchsorted(self._cells, shared)
        base_at = len(self._cells) + np.searchsorted(self._base_cells, shared)
        row = np.arange(len(shared))
        entries = np.concatenate([np.ones(len(shared)), -np.ones(len(shared))])
        size = (len(shared), len(self._cells) + len(self._base_cells))
        less = csc_array(coo_array((entries, (np.tile(row, 2), np.concatenate([at, base_at]))), shape=size))
        self._constraints = [LinearConstraint(equal, 0.0, 0.0)]
        if len(shared):
            self._constraints.append(LinearConstraint(less, -np.inf, room[shared]))
        room[shared] = np.inf
        of_base = layer.values if base is None else base.layer.values
        self._low = -np.concatenate([layer.values[self._cells], of_base[self._base_cells]]).astype(np.float64)
        self._high = np.concatenate([room[self._cells], np.full(len(self._base_cells), np.inf)])

    def move(self, tried: Ints, *, upward: bool, of_base: bool) -> Ints | None:
        """Move cells of the layer, or of its base, towards 0 or their goals; return the layer's table if accepted."""
        base = self._layer.base
        cells, start, moved = self._cells, 0, self._layer
        if of_base and base is not None:
            cells, start, moved = self._base_cells, len(self._cells), base.layer
        places = start + np.searchsorted(cells, tried)
        cost = np.zeros(len(self._low))
        cost[places] = -1.0 if upward else 1.0
        high = self._high.copy()
        if upward:
            high[places] = np.minimum(high[places], np.maximum(moved.goals[tried] - moved.values[tried], 0))
        # For one cell alone whole numbers are asked for; corners of linked tables may have halves.
        found = milp(
            cost,
            integrality=np.full(len(cost), int(len(tried) == 1)),
            bounds=Bounds(self._low, high),
            constraints=self._constraints,
            options={"mip_rel_gap": 0.0, "node_limit": _NODES},
        )
        return None if found.x is None else self._witness(np.rint(found.x).astype(np.int64))

    def _witness(self, change: Ints) -> Ints | None:
        """Return the changed table if it is accepted, and keep it, with the base's that has room for it."""
        layer, base = self._layer, self._layer.base
        table = layer.values.copy()
        table[self._cells] += change[: len(self._cells)]
        if base is not None:
            people = base.layer.values.copy()
            people[self._base_cells] += change[len(self._cells) :]
            if not accept(self._block, base.layer, base.published, people[None])[0]:
                return None
            layer = replace(layer, base=replace(base, tables=people[None]))
            if not accept(self._block, layer, self._published, table[None])[0]:
                return None
            base.tables = np.concatenate([base.tables, people[None]])
        elif not accept(self._block, layer, self._published, table[None])[0]:
            return None
        self._layer.found.append(table)
        return table


def _without_empty_rows(matrix: Floats) -> csc_array:
    return csc_array(matrix[np.any(matrix != 0, axis=1)])
