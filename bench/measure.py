"""How much of what was counted is told: shares of weight in published cells, table by table and campaign by campaign.

What belongs here: what a share is of. What does not: which cells are published (`quorum.disclosure`), and what is
measured (`bench.utility`).

The weight of a table is what its finest cells count, without those that name `unknown`. A cell is *told finest* if it
is published itself, *told* if it or a coarser cell of its table that still names a category is. The campaign's total
names none and tells no cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quorum.disclosure import PackageCube
from quorum.disclosure.grid import coordinates_of, parents, sizes
from quorum.policy import FamilySpec, RuleSet
from quorum.tables import TableShape
from quorum.tables.periods import kind_of

Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
UNKNOWN = "unknown"


@dataclass
class Told:
    """What is told of one table, family and campaign.

    Args:
        whole: events of the campaign.
        weight: events in finest cells that do not name ``unknown``.
        finest: of these, in published ones.
        told: of these, in published ones or below a published one.
        dropped: of these, in cells that pass the rules of one cell alone: dropping rows at the finest level.
        bound: of these, in such cells or below one: no method that keeps these rules tells more.
        paid: of these, told by ``bound`` at a level of the plan, but not told.
        kept: of these, told by ``bound`` at a level of the plan.
    """

    whole: int = 0
    weight: int = 0
    finest: int = 0
    told: int = 0
    dropped: int = 0
    bound: int = 0
    paid: int = 0
    kept: int = 0

    def add(self, other: Told) -> None:
        """Add what another period tells."""
        for name in Told.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def share(self, name: str) -> float:
        """Return a part of the weight; 0 where there is none."""
        return float(getattr(self, name)) / self.weight if self.weight else 0.0


@dataclass
class Tally:
    """What is told, by family, table and campaign."""

    cells: dict[tuple[str, str, str], Told] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Add what other packages tell."""
        for place, told in other.cells.items():
            self.cells.setdefault(place, Told()).add(told)

    def table(self, family: str, table: str, name: str, keys: Sequence[str] | None = None) -> float:
        """Return the share of a table's weight over all campaigns."""
        parts = [
            t for (f, of, key), t in self.cells.items() if (f, of) == (family, table) and (keys is None or key in keys)
        ]
        weight = sum(part.weight for part in parts)
        return sum(getattr(part, name) for part in parts) / weight if weight else 0.0

    def best(self, family: str, name: str) -> dict[str, tuple[float, int, str]]:
        """Return for each campaign the share of its best table, its events and that table."""
        found: dict[str, tuple[float, int, str]] = {}
        for (of, table, key), told in self.cells.items():
            if of == family and (key not in found or told.share(name) > found[key][0]):
                found[key] = (told.share(name), told.whole, table)
        return found

    def best_share(self, family: str, name: str) -> float:
        """Return the share of all events that the best tables tell, each campaign by its weight."""
        best = self.best(family, name).values()
        whole = sum(events for _, events, _ in best)
        return sum(share * events for share, events, _ in best) / whole if whole else 0.0

    def paid_share(self, family: str, tables: Sequence[str] | None = None) -> float:
        """Return what protecting other cells costs, of what is told: in the best tables, or in some tables of all."""
        if tables is None:
            best = self.best(family, "told")
            parts = [self.cells[family, table, key] for key, (_, _, table) in best.items()]
        else:
            parts = [told for (of, table, _), told in self.cells.items() if of == family and table in tables]
        told = sum(part.told for part in parts)
        return sum(part.paid for part in parts) / told if told else 0.0

    def tables(self) -> list[str]:
        """Return the tables, in order."""
        return list(dict.fromkeys(table for _, table, _ in self.cells))


def tally(
    cube: PackageCube, released: Mapping[str, pa.Table], families: Sequence[FamilySpec], rule_set: RuleSet
) -> Tally:
    """Measure one package.

    Args:
        cube: what was counted.
        released: what was published of it.
        families: of the report.
        rule_set: its numbers.
    """
    found = Tally()
    kind = kind_of(cube.shape.period)
    for table in cube.shape.tables:
        grid = _Grid(table)
        for family in families:
            if family.name not in table.families:
                continue
            counts = cube.values(table.name, family.count)
            shown = np.array(released[table.name][f"status_{family.name}"].to_pylist()) == "published"
            passing = _passes_alone(cube, table, grid, family, rule_set)
            permitted = ~np.array(cube.shape.planned_out(kind, table, family.name), dtype=np.bool_)
            told, bound, kept = grid.tells(shown), grid.tells(passing), grid.tells(passing & permitted)
            parts = {
                "whole": (counts[grid.total], np.ones(len(grid.finest), dtype=np.bool_)),
                "weight": (counts, grid.is_known),
                "finest": (counts, grid.is_known & shown[grid.finest]),
                "told": (counts, grid.is_known & told),
                "dropped": (counts, grid.is_known & passing[grid.finest]),
                "bound": (counts, grid.is_known & bound),
                "paid": (counts, grid.is_known & kept & ~told),
                "kept": (counts, grid.is_known & kept),
            }
            for number, key in enumerate(grid.keys):
                own = grid.key == number
                told_of = Told(whole=int(counts[grid.total[number]]))
                for name, (values, which) in parts.items():
                    if name != "whole":
                        setattr(told_of, name, int(values[grid.finest[own & which]].sum()))
                found.cells[family.name, _day_table(table.name, families), key] = told_of
    return found


def _day_table(name: str, families: Sequence[FamilySpec]) -> str:
    """Return the name of a table without the family that a table of a week may carry."""
    for family in families:
        name = name.removesuffix(f"_{family.name}")
    return name


class _Grid:
    """The finest cells of a table, with the coarser ones above each of them."""

    def __init__(self, table: TableShape) -> None:
        self._sizes = sizes(table)
        listed = [coordinates_of(dimension) for dimension in table.dimensions]
        chains = [_chains(dimension_of) for dimension_of in listed]
        finest = [np.flatnonzero([path[-1] != "ALL" for path in paths]) for paths in listed]
        places = [part.ravel() for part in np.meshgrid(*finest, indexing="ij")]
        self.finest = self._rows(places)
        self._above = [
            self._rows([chain[step][place] for chain, step, place in zip(chains, steps, places, strict=True)])
            for steps in product(*(range(len(chain)) for chain in chains))
        ]
        self._named = np.array(list(table.named()))
        unknown = [np.array([UNKNOWN in path for path in paths]) for paths in listed]
        self.is_known = ~np.any([flags[place] for flags, place in zip(unknown, places, strict=True)], axis=0)
        key_of = [path[0] for path in listed[0]]
        self.keys = list(dict.fromkeys(key_of))
        self.key = np.array([self.keys.index(name) for name in key_of])[places[0]]
        zero = [np.zeros(len(self.keys), dtype=np.int64) for _ in listed[1:]]
        first = np.array([key_of.index(name) for name in self.keys], dtype=np.int64)
        self.total = self._rows([first, *zero])
        self.parents = self._parent_pairs(listed)

    def tells(self, cells: Bools) -> Bools:
        """Say for each finest cell whether it, or a coarser one that names a category, is among some cells."""
        found = np.zeros(len(self.finest), dtype=np.bool_)
        for rows in self._above:
            found |= cells[rows] & (self._named[rows] > 0)
        return found

    def _rows(self, places: Sequence[Ints]) -> Ints:
        return np.asarray(np.ravel_multi_index(tuple(places), self._sizes), dtype=np.int64)

    def _parent_pairs(self, listed: Sequence[Sequence[tuple[str, ...]]]) -> list[tuple[Ints, Ints]]:
        """Return (cells, their immediate margins), one pair of arrays a dimension."""
        places = np.array(np.unravel_index(np.arange(int(np.prod(self._sizes))), self._sizes))
        pairs = []
        for position, paths in enumerate(listed):
            above = parents(paths)[places[position]]
            has_one = above >= 0
            moved = places[:, has_one].copy()
            moved[position] = above[has_one]
            pairs.append((np.flatnonzero(has_one), self._rows(list(moved))))
        return pairs


def _chains(paths: Sequence[tuple[str, ...]]) -> list[Ints]:
    """Return the coordinates themselves, those one level up, and so on; the topmost is its own margin."""
    above = parents(paths)
    chain = [np.arange(len(paths), dtype=np.int64)]
    while True:
        up = np.where(above[chain[-1]] >= 0, above[chain[-1]], chain[-1])
        if np.array_equal(up, chain[-1]):
            return chain
        chain.append(up)


def _passes_alone(cube: PackageCube, table: TableShape, grid: _Grid, family: FamilySpec, rule_set: RuleSet) -> Bools:
    """Say which cells pass rules 1 and 2 by themselves."""
    heads = cube.values(table.name, family.judged)
    passes = heads >= rule_set.heads[family.name]
    if family.rest is not None:
        passes &= cube.values(table.name, family.rest) >= rule_set.outside
    for cells, margins in grid.parents:
        passes[cells] &= heads[margins] - heads[cells] >= rule_set.outside
    return np.asarray(passes)
