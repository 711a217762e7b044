"""A plain reader of released tables, for the tests of disclosure control: writes down every equation and tries.

Shares nothing with `quorum.disclosure`: names instead of positions, fractions instead of a prime, programs instead of
closed forms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import product

import numpy as np
import pyarrow as pa
from scipy.optimize import linprog
from scipy.sparse import csr_matrix

from quorum.policy import FamilySpec
from quorum.tables import PackageShape, TableShape
from quorum.tables.shape import ALL

Cell = tuple[frozenset[tuple[str, str]], str]
Equation = dict[Cell, int]


class Reader:
    """What the tables of one key of a report say about the measures of some families.

    Args:
        shape: the package.
        tables: released tables.
        key: a campaign.
        families: those to look at.
        nested: whether people of a family are known to be among those of the family that it requires first.
    """

    def __init__(
        self,
        shape: PackageShape,
        tables: Mapping[str, pa.Table],
        key: str,
        families: Sequence[FamilySpec],
        *,
        nested: bool = False,
    ) -> None:
        self.known: dict[Cell, int] = {}
        self.hidden: dict[Cell, str] = {}
        self.equal: list[Equation] = []
        self.at_least_0: list[Equation] = []
        for table in shape.tables:
            self._read(table, tables[table.name], key, families)
        if nested:
            people = families[0].heads
            inner = [f.heads for f in families[1:]]
            cells = {place for place, measure in [*self.known, *self.hidden] if measure == people}
            listed = {*self.known, *self.hidden}
            bounds = [(place, name) for place in sorted(cells, key=str) for name in inner if (place, name) in listed]
            self.at_least_0 += [{(place, people): 1, (place, name): -1} for place, name in bounds]

    def _read(self, table: TableShape, rows: pa.Table, key: str, families: Sequence[FamilySpec]) -> None:
        records = {tuple(r[c] for c in table.columns): r for r in rows.to_pylist() if r[table.columns[0]] == key}
        listed = {measure.name for measure in table.measures}
        for family in (f for f in families if f.name in table.families):
            measures = [m for m in (family.count, family.heads) if m in listed]
            for coordinate, record in records.items():
                for measure in measures:
                    cell = (_place(table, coordinate), measure)
                    if record[f"status_{family.name}"] == "published":
                        self.known[cell] = record[measure]
                    else:
                        assert record[measure] is None
                        self.hidden[cell] = family.name
                if len(measures) == 2:
                    place = _place(table, coordinate)
                    self.at_least_0.append({(place, family.count): 1, (place, family.heads): -1})
            for whole, parts, people_add_up in _margins(table, list(records)):
                for measure in measures:
                    if measure == family.count or people_add_up:
                        equation: Equation = {(_place(table, part), measure): 1 for part in parts}
                        cell = (_place(table, whole), measure)
                        equation[cell] = equation.get(cell, 0) - 1
                        self.equal.append(equation)

    def contradictions(self) -> list[Cell]:
        """Return cells that one table publishes and another withholds."""
        return [cell for cell in self.hidden if cell in self.known]

    def recovered(self) -> list[Cell]:
        """Return withheld cells that follow exactly, by Gauss and Jordan in fractions."""
        cells = sorted(self.hidden, key=str)
        number = {cell: index for index, cell in enumerate(cells)}
        rows = [[Fraction(e.get(cell, 0)) for cell in cells] for e in self.equal if any(c in number for c in e)]
        done = 0
        for column in range(len(cells)):
            pivot = next((r for r in range(done, len(rows)) if rows[r][column]), None)
            if pivot is None:
                continue
            rows[done], rows[pivot] = rows[pivot], rows[done]
            rows[done] = [value / rows[done][column] for value in rows[done]]
            for other in range(len(rows)):
                if other != done and rows[other][column]:
                    factor = rows[other][column]
                    rows[other] = [a - factor * b if b else a for a, b in zip(rows[other], rows[done], strict=True)]
            done += 1
        return [cells[next(i for i, v in enumerate(row) if v)] for row in rows if sum(map(bool, row)) == 1]

    def narrowed(self, thresholds: Mapping[str, int]) -> list[tuple[Cell, str, float]]:
        """Return withheld cells that cannot be 0, or cannot reach the threshold of their family, with the bound."""
        cells = sorted(self.hidden, key=str)
        number = {cell: index for index, cell in enumerate(cells)}
        equal, totals = self._matrix(self.equal, number)
        less, slack = self._matrix(self.at_least_0, number)
        needed = np.array([thresholds[self.hidden[cell]] for cell in cells], dtype=float)
        found = []
        for lower in (True, False):
            left, together = np.arange(len(cells)), True
            while left.size:
                tried = left if together else left[:1]
                cost, bounds = np.zeros(len(cells)), [(0, None)] * len(cells)
                cost[tried] = 1.0 if lower else -1.0
                if not lower:
                    bounds = [(0, None if cell not in tried else 1e6) for cell in range(len(cells))]
                answer = linprog(cost, A_ub=-less, b_ub=-slack, A_eq=equal, b_eq=totals, bounds=bounds)
                assert answer.status == 0, "the tables contradict themselves"
                done = answer.x < 1e-6 if lower else answer.x > needed - 1e-6
                if len(tried) == 1 and not done[tried[0]]:
                    found.append((cells[tried[0]], "low" if lower else "high", float(answer.x[tried[0]])))
                    left = left[1:]
                together = bool(done[left].any())
                left = left[~done[left]]
        return found

    def _matrix(self, equations: Sequence[Equation], number: Mapping[Cell, int]) -> tuple[csr_matrix, np.ndarray]:
        rows = [e for e in equations if any(cell in number for cell in e)]
        entries = [(i, number[c], k) for i, e in enumerate(rows) for c, k in e.items() if c in number]
        right = np.array([-sum(k * self.known[c] for c, k in e.items() if c not in number) for e in rows], dtype=float)
        at = tuple(zip(*((i, j) for i, j, _ in entries), strict=True)) or ((), ())
        return csr_matrix(([float(k) for _, _, k in entries], at), shape=(len(rows), len(number))), right


class Calendar(Reader):
    """What the packages of a week and of its days say together: events of the week are those of its days.

    Args:
        week: shape and released tables of the week.
        days: the same of each day that lists the key.
        key: a campaign.
        families: those to look at.
    """

    def __init__(
        self,
        week: tuple[PackageShape, Mapping[str, pa.Table]],
        days: Sequence[tuple[PackageShape, Mapping[str, pa.Table]]],
        key: str,
        families: Sequence[FamilySpec],
    ) -> None:
        self.known, self.hidden = {}, {}
        self.equal, self.at_least_0 = [], []
        readers = [(shape.period, Reader(shape, tables, key, families)) for shape, tables in (week, *days)]
        for period, reader in readers:
            self.known |= {_dated(cell, period): value for cell, value in reader.known.items()}
            self.hidden |= {_dated(cell, period): family for cell, family in reader.hidden.items()}
            self.equal += [{_dated(cell, period): k for cell, k in e.items()} for e in reader.equal]
            self.at_least_0 += [{_dated(cell, period): k for cell, k in e.items()} for e in reader.at_least_0]
        (period, whole), *parts = readers
        for cell in [*whole.known, *whole.hidden]:
            if cell[1] in {family.count for family in families}:
                listed = [name for name, part in parts if cell in part.known or cell in part.hidden]
                assert listed, "a cell of the week that no day lists"
                if len(listed) == len(parts):
                    self.equal.append({_dated(cell, period): -1, **{_dated(cell, name): 1 for name in listed}})


def _dated(cell: Cell, period: str) -> Cell:
    return cell[0] | {("period", period)}, cell[1]


def small_residuals(
    table: TableShape, heads: Mapping[tuple[str, ...], int], published: Mapping[tuple[str, ...], bool], threshold: int
) -> list[frozenset[tuple[str, ...]]]:
    """Return every set of finest cells whose sum follows from published rows but that may be about too few people.

    All subsets are tried. People of a set: their sum if every dimension partitions people, else the largest row whose
    finest cells all lie in the set.
    """
    rows = list(published)
    finest = [c for c in rows if all(level != ALL for level in c)]
    inside = {c: frozenset(f for f in finest if all(a in (ALL, b) for a, b in zip(c, f, strict=True))) for c in rows}
    hidden = [f for f in finest if not published[f]]
    if not hidden:
        return []
    assert len(hidden) <= 12, "too many subsets"
    facts = np.array([[f in inside[c] for f in hidden] for c in rows if published[c]], dtype=float)
    facts = facts.reshape(-1, len(hidden))
    _, singular, basis = np.linalg.svd(facts) if len(facts) else (None, np.zeros(0), np.eye(len(hidden)))
    null = basis[int(np.sum(singular > 1e-9)) :]
    adds_up = all(d.partitions_people for d in table.dimensions if d.has_margin or len(d.levels) > 1)
    small = []
    for subset in _subsets(len(hidden), null):
        chosen = frozenset(hidden[i] for i in subset)
        whole = [heads[c] for c in rows if inside[c] and inside[c] <= chosen]
        if (sum(heads[f] for f in chosen) if adds_up else max(whole)) < threshold:
            small.append(chosen)
    return small


def _subsets(size: int, null: np.ndarray) -> Iterator[list[int]]:
    """Yield the nonempty subsets that are orthogonal to the null space."""
    every = np.array(list(product((0, 1), repeat=size)))[1:]
    fixed = np.all(np.abs(every @ null.T) < 1e-9, axis=1)
    for row in every[fixed]:
        yield np.flatnonzero(row).tolist()


def _place(table: TableShape, coordinate: tuple[str, ...]) -> frozenset[tuple[str, str]]:
    return frozenset((c, v) for c, v in zip(table.columns, coordinate, strict=True) if v != ALL)


def _margins(
    table: TableShape, coordinates: Sequence[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], list[tuple[str, ...]], bool]]:
    """Yield every margin with its parts, and whether people add up over them."""
    start = 0
    for dimension in table.dimensions:
        span = slice(start, start + len(dimension.levels))
        parts: dict[tuple[str, ...], list[tuple[str, ...]]] = {}
        for coordinate in coordinates:
            depth = sum(level != ALL for level in coordinate[span])
            if depth:
                whole = list(coordinate)
                whole[start + depth - 1] = ALL
                parts.setdefault(tuple(whole), []).append(coordinate)
        for whole, of_whole in parts.items():
            if whole in coordinates:
                yield whole, of_whole, dimension.partitions_people
        start += len(dimension.levels)
