"""Other worlds of people by how often: what people in withheld cells can be once it is told how often everybody saw it.

What belongs here: the grid of one block with people by number of impressions in each cell, and the search for worlds in
which withheld numbers are 0 or reach their thresholds. What does not: which campaigns are asked (`frequency`).

In a world everybody whose cell is published stays there, and people of withheld cells are anywhere in these that gives
each published margin its people and its impressions, and each number of impressions its people. Blocks share nothing
but how many people saw how many: given that number, people of one block may be anybody in another, so that worlds of
different blocks are one world together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack, kron, vstack

from quorum.disclosure.equations import Floats
from quorum.disclosure.grid import Bools, Ints

PROGRAMS = 40
"""Programs for one block; what they do not settle is not told."""
_NODES = 100


@dataclass(frozen=True, eq=False)
class Inside:
    """A family whose people are among those of the cells: clickers, converters.

    Args:
        heads: their number in each cell of the grid, flat.
        published: status of each cell.
        goals: what each withheld number must be able to reach.
        low: withheld cells that are yet to be shown at 0.
        high: withheld cells that are yet to be shown at their goals.
    """

    heads: Ints
    published: Bools
    goals: Ints
    low: Ints
    high: Ints


@dataclass(frozen=True, eq=False)
class Crowd:
    """What a reader holds of the grid of one block, beside how many people saw how many.

    Args:
        shape: sizes of the axes, margins first; cells are counted flat.
        people: (finest cells, numbers of impressions): people by how many they saw, entry n of a row for n.
        published: status of each cell of the grid; the total's is published.
        threshold: what a withheld number must be able to reach.
        kept: cells of which no world changes how many people saw how many, because other tables share them.
        inside: families that rest on it.
    """

    shape: tuple[int, ...]
    people: Ints
    published: Bools
    threshold: int
    kept: Ints
    inside: Sequence[Inside] = ()


def is_open(crowd: Crowd) -> bool:
    """Say whether every withheld number of a grid is shown to stay open beside the numbers of people by impressions.

    Args:
        crowd: the grid.

    Returns:
        True if it was proven, or if the people of every cell are told. False if it is not so, or was not settled
        within `PROGRAMS` programs.

    Guarantee:
        If True, for each withheld cell there is a world in whole numbers, with every published number in it and as many
        people for each number of impressions, in which the cell has nobody and no impression, and one in which it
        reaches the threshold; the same for clickers and converters, who are among the people of the world, up to the
        people known to be there. And nothing but sums of cells links people and impressions of withheld cells: in the
        mean of the worlds found, each finest withheld cell has people of one and of two impressions, so that it can
        give and take people and impressions freely.

    Source: disclosure.md, rule 6 (frequency tables bring their bounds);
        docs/decisions/0003-complementary-suppression.md.
    """
    if crowd.published.all():
        return True
    worlds = _Worlds(crowd)
    layers = range(1 + len(crowd.inside))
    moves = all(worlds.all_move(layer, upward=upward) for layer in layers for upward in (False, True))
    return moves and worlds.are_free()


class _Worlds:
    """The programs of one grid.

    Variables: people by withheld finest cell and number of impressions; then people inside, by family and finest cell
    in which they are withheld; then helpers.

    Args:
        crowd: the grid.
    """

    def __init__(self, crowd: Crowd) -> None:
        self._crowd, self._left = crowd, PROGRAMS
        self._below = _below(crowd.shape)
        finest = np.flatnonzero(self._below.sum(axis=1) == 1)
        finest = finest[np.argsort(self._below[finest].indices)]
        self._times = np.arange(crowd.people.shape[1])
        self._open = np.flatnonzero(~crowd.published[finest])
        self._start = crowd.people[self._open]
        sees = kron(eye_array(len(self._open)), self._times[None].astype(np.float64), format="csr")
        counts = kron(eye_array(len(self._open)), np.ones((1, len(self._times))), format="csr")
        own = self._below[:, self._open]
        margins = np.setdiff1d(np.flatnonzero(crowd.published), finest)
        by_times = [kron(own[[cell]], eye_array(len(self._times))) for cell in sorted({0, *crowd.kept.tolist()})]
        equal = [csr_array(vstack([own[margins] @ counts, own[margins] @ sees, *by_times]))]
        # People of each cell of the grid: what moves, and what stays.
        self._numbers = [csr_array(own @ counts)]
        self._fixed = [self._below @ crowd.people.sum(axis=1) - own @ self._start.sum(axis=1)]
        values = [self._start.ravel()]
        for family in crowd.inside:
            inner = np.flatnonzero(~family.published[finest])
            theirs = self._below[:, inner]
            told = np.setdiff1d(np.flatnonzero(family.published), finest)
            equal.append(csr_array(theirs[told]))
            self._numbers.append(csr_array(theirs))
            values.append(family.heads[finest][inner])
            self._fixed.append(family.heads - theirs @ values[-1])
        self._begin = np.concatenate([[0], np.cumsum([len(part) for part in values])])
        self._truth = np.concatenate(values).astype(np.int64)
        self._equal = csr_array(_diagonal(equal))
        self._less, self._room = self._bounds()
        self._found = self._start.copy()
        layers = range(len(self._numbers))
        self._least = [self._layer(self._truth, layer) for layer in layers]
        self._most = [numbers.copy() for numbers in self._least]

    def _bounds(self) -> tuple[csr_array, Ints]:
        """Return that nobody is inside who is not in the cell, where that is so: rows and what they are at most."""
        rows, room = [csr_array((0, len(self._truth)))], [np.zeros(0, dtype=np.int64)]
        heads = self._layer(self._truth, 0)
        for layer, family in enumerate(self._crowd.inside, 1):
            bound = np.flatnonzero(family.heads <= heads)
            rows.append(csr_array(self._wide(layer)[bound] - self._wide(0)[bound]))
            room.append(self._fixed[0][bound] - self._fixed[layer][bound])
        return csr_array(vstack(rows)), np.concatenate(room)

    def _wide(self, layer: int) -> csr_array:
        """Return the rows that sum up the variables of a layer to its cells, over all variables."""
        left, right = self._begin[layer], self._begin[-1] - self._begin[layer + 1]
        rows = self._numbers[layer]
        size = rows.shape[0]
        return csr_array(hstack([csr_array((size, left)), rows, csr_array((size, right))]))

    def _layer(self, world: Ints, layer: int) -> Ints:
        """Return the numbers of a layer in a world, one a cell of the grid."""
        own = world[self._begin[layer] : self._begin[layer + 1]]
        return np.asarray(np.rint(self._numbers[layer] @ own + self._fixed[layer]), dtype=np.int64)

    def all_move(self, layer: int, *, upward: bool) -> bool:
        """Say whether worlds were found in which each withheld number of a layer is 0, or reaches what it must."""
        waiting, goals = self._goals(layer, upward=upward)
        together = True
        while (waiting := self._unmet(layer, waiting, goals, upward=upward)).size:
            tried = waiting if together else waiting[:1]
            world = self._move(layer, tried, goals, upward=upward)
            if world is None:
                if len(tried) == 1 or self._left <= 0:
                    return False
                together = False
                continue
            left = self._unmet(layer, waiting, goals, upward=upward)
            if len(tried) == 1 and tried[0] in left:
                return False
            together = len(left) < len(waiting)
        return True

    def _unmet(self, layer: int, waiting: Ints, goals: Ints, *, upward: bool) -> Ints:
        """Return the cells that no world found so far, for whatever it was looked for, shows where they must be."""
        bad = self._most[layer] < goals if upward else self._least[layer] > 0
        return waiting[bad[waiting]]

    def are_free(self) -> bool:
        """Say whether each withheld finest cell has people of one and of two impressions, in some worlds."""
        return bool(np.all(self._found[:, 1:3] > 0)) and self._found.shape[1] > 2

    def _goals(self, layer: int, *, upward: bool) -> tuple[Ints, Ints]:
        """Return the withheld cells of a layer that are to be moved, and what each cell must be able to reach."""
        crowd = self._crowd
        if layer:
            family = crowd.inside[layer - 1]
            return family.high if upward else family.low, family.goals
        return np.flatnonzero(~crowd.published), np.full(len(crowd.published), crowd.threshold)

    def _move(self, layer: int, tried: Ints, goals: Ints, *, upward: bool) -> Ints | None:
        """Move numbers of a layer together, down or up to their goals; return the world."""
        rows = csr_array(self._wide(layer)[tried])
        if upward:
            return self._solve(np.zeros(len(self._truth)), rows, goals[tried] - self._fixed[layer][tried])
        return self._solve(
            np.asarray(rows.sum(axis=0), dtype=np.float64).ravel(), rows[:0], np.zeros(0, dtype=np.int64)
        )

    def _solve(self, cost: Floats, helped: csr_array, caps: Ints) -> Ints | None:
        """Return a world in whole numbers, checked in whole numbers; None if none was found.

        Each helper is at most a sum of variables and at most its cap; their sum is made as large as it can be.
        """
        if self._left <= 0:
            return None
        self._left -= 1
        found = self._program(cost, helped, caps)
        if found is None:
            return None
        world = np.rint(found[: len(self._truth)]).astype(np.int64)
        return world if self._accept(world) else None

    def _program(self, cost: Floats, helped: csr_array, caps: Ints) -> Floats | None:
        number, size = len(caps), len(self._truth)
        right = self._equal @ self._truth
        constraints = [LinearConstraint(_padded(self._equal, number), right, right)]
        if len(self._room):
            constraints.append(LinearConstraint(_padded(self._less, number), -np.inf, self._room))
        if number:
            constraints.append(LinearConstraint(csr_array(hstack([helped, -eye_array(number)])), 0.0, np.inf))
        found = milp(
            np.concatenate([cost, -np.ones(number)]),
            integrality=np.ones(size + number, dtype=np.int64),
            bounds=Bounds(np.zeros(size + number), np.concatenate([np.full(size, np.inf), np.maximum(caps, 0)])),
            constraints=constraints,
            options={"mip_rel_gap": 0.0, "node_limit": _NODES},
        )
        return None if found.x is None else np.asarray(found.x, dtype=np.float64)

    def _accept(self, world: Ints) -> bool:
        """Check a world in whole numbers, and remember who is in it."""
        fits = bool(
            np.all(world >= 0)
            and np.array_equal(self._equal @ world, self._equal @ self._truth)
            and np.all(self._less @ world <= self._room)
        )
        if fits:
            self._found += world[: self._begin[1]].reshape(self._found.shape)
            for layer, (least, most) in enumerate(zip(self._least, self._most, strict=True)):
                numbers = self._layer(world, layer)
                self._least[layer], self._most[layer] = np.minimum(least, numbers), np.maximum(most, numbers)
        return fits


def _below(shape: Sequence[int]) -> csr_array:
    """Return which finest cells are in each cell of a grid: (cells, finest cells), 1 or 0."""
    found = csr_array(np.ones((1, 1)))
    for size in shape:
        axis = csr_array(np.vstack([np.ones((1, size - 1)), np.eye(size - 1)]))
        found = csr_array(kron(found, axis, format="csr"))
    found.eliminate_zeros()
    return found


def _diagonal(parts: Sequence[csr_array]) -> csr_array:
    """Return matrices side by side, each in rows and columns of its own; a part may have no column."""
    widths = [part.shape[1] for part in parts]
    rows = []
    for place, part in enumerate(parts):
        left, right = sum(widths[:place]), sum(widths[place + 1 :])
        rows.append(hstack([csr_array((part.shape[0], left)), part, csr_array((part.shape[0], right))]))
    return csr_array(vstack(rows))


def _padded(rows: csr_array, number: int) -> csr_array:
    return csr_array(hstack([rows, csr_array((rows.shape[0], number))]))
