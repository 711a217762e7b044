"""Published tables with thousands of cells, counted from invented populations, with all that is small withheld.

What follows from the rest is found by a second program: dense elimination modulo another way of writing the equations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from package_writer import Draft, campaigns, measures, package

from quorum.tables.shape import ALL, Dimension, TableShape

_PRIME = 1_073_741_789
Cell = frozenset[tuple[str, str]]


def flat(name: str, size: int) -> Dimension:
    return Dimension((name,), tuple((f"{name}{n}",) for n in range(size)))


def deep(sizes: tuple[int, int, int]) -> Dimension:
    """A hierarchy of three levels."""
    keys = [(f"r{i}", f"r{i}.p{j}", f"r{i}.p{j}.c{k}") for i, j, k in product(*map(range, sizes))]
    return Dimension(("region", "prefecture", "city"), tuple(keys))


def table(name: str, *dimensions: Dimension) -> TableShape:
    columns = [level for dimension in dimensions for level in dimension.levels]
    own = measures(*columns, heads=False, families=[("impressions", "impression_n", "people_n")])
    return TableShape(name, "ads", (campaigns("c1"), *dimensions), own)


@dataclass(frozen=True)
class Population:
    """Counts of people by the finest categories of some dimensions, skewed and noisy."""

    dimensions: tuple[Dimension, ...]
    counts: np.ndarray

    @classmethod
    def draw(cls, dimensions: Sequence[Dimension], total: int, seed: int) -> Population:
        rng = np.random.default_rng(seed)
        weights = np.ones(())
        for dimension in dimensions:
            weights = np.multiply.outer(weights, rng.permutation(1 / np.arange(1, len(dimension.keys) + 1) ** 1.2))
        weights = weights * rng.uniform(0.3, 3, weights.shape)
        return cls(tuple(dimensions), rng.poisson(weights / weights.sum() * total))

    def values(self, shape: TableShape) -> np.ndarray:
        """One number a row of a table whose dimensions are some of the population's."""
        own = shape.dimensions[1:]
        counts = self.counts.sum(axis=tuple(n for n, d in enumerate(self.dimensions) if d not in own))
        for place, dimension in enumerate(own):
            listed = list(dimension.coordinates())
            inside = [
                [all(a in (b, ALL) for a, b in zip(c, key, strict=True)) for key in dimension.keys] for c in listed
            ]
            counts = np.moveaxis(np.tensordot(np.array(inside, dtype=np.int64), counts, (1, place)), 0, place)
        return counts.ravel()


def draft(people: Population, *tables: TableShape) -> Draft:
    cells = {
        shape.name: {
            place: {"impression_n": int(value), "people_n": int(value)}
            for place, value in zip(shape.coordinates(), people.values(shape), strict=True)
        }
        for shape in tables
    }
    return Draft(package(*tables), cells)


def withhold_small(whole: Draft, least: int) -> Draft:
    small = [
        (name, place, "impressions")
        for name, cells in whole.cells.items()
        for place, cell in cells.items()
        if cell["impression_n"] < least
    ]
    return Draft(whole.shape, whole.cells, frozenset(small))


def cell_of(shape: TableShape, place: Iterable[str]) -> Cell:
    """What a row is about, wherever it is listed."""
    return frozenset((column, value) for column, value in zip(shape.columns, place, strict=True) if value != ALL)


def equations_of(shape: TableShape) -> Iterable[list[Cell]]:
    """Every margin with its parts, the margin first."""
    rows = set(shape.coordinates())
    start = 1
    for dimension in shape.dimensions[1:]:
        found: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for place in rows:
            named = sum(value != ALL for value in place[start : start + len(dimension.levels)])
            if named:
                at = start + named - 1
                found.setdefault((*place[:at], ALL, *place[at + 1 :]), []).append(place)
        yield from ([cell_of(shape, whole), *(cell_of(shape, p) for p in parts)] for whole, parts in found.items())
        start += len(dimension.levels)


def recoverable(released: Draft) -> set[tuple[str, tuple[str, ...]]]:
    """(table, row) of every withheld row that is a linear function of published ones."""
    hidden: dict[Cell, int] = {}
    shown = set()
    for shape in released.shape.tables:
        for place in shape.coordinates():
            if (shape.name, place, "impressions") in released.withheld:
                hidden.setdefault(cell_of(shape, place), len(hidden))
            else:
                shown.add(cell_of(shape, place))
    lines = {}
    for shape in released.shape.tables:
        for whole, *parts in equations_of(shape):
            line = np.zeros(len(hidden), dtype=np.int64)
            for sign, cell in [(_PRIME - 1, whole), *((1, part) for part in parts)]:
                if cell in hidden and cell not in shown:
                    line[hidden[cell]] += sign
            lines[line.tobytes()] = line % _PRIME
    found = _determined(np.array(list(lines.values())))
    found |= {number for cell, number in hidden.items() if cell in shown}
    return {
        (name, place)
        for name, place, _ in released.withheld
        if hidden[cell_of(released.shape.table(name), place)] in found
    }


def _determined(rows: np.ndarray) -> set[int]:
    """Gauss and Jordan modulo a prime: columns whose unit vector lies in the row space."""
    done = 0
    for column in range(rows.shape[1]):
        below = np.flatnonzero(rows[done:, column])
        if not below.size:
            continue
        rows[[done, done + below[0]]] = rows[[done + below[0], done]]
        rows[done] = rows[done] * pow(int(rows[done, column]), -1, _PRIME) % _PRIME
        others = np.flatnonzero(rows[:, column])
        others = others[others != done]
        rows[others] = (rows[others] - rows[others, column, None] * rows[done] % _PRIME) % _PRIME
        done += 1
        if done == len(rows):
            break
    alone = np.count_nonzero(rows, axis=1) == 1
    return set(np.nonzero(rows[alone])[1].tolist())
