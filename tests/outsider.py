"""Somebody who holds many packages, of one recipient or of several, and the calendar; nothing of the house is in here.

What belongs here: reading csv and ``datapackage.json``, every equation between their numbers, elimination modulo a
prime, programs. What does not: truth and opinions; `who_is_left` asks somebody who knows the truth.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array, hstack, vstack

ALL = "ALL"
PRIME = 2**61 - 1
Place = frozenset[tuple[str, str]]
Cell = tuple[str, str, Place, str]
"""Universe, period, categories without margins, measure."""
Sum = tuple[Cell, tuple[Cell, ...]]
_MISSES = 2


def days_within(period: str) -> list[str]:
    """Return the days of a week or month; a day has none."""
    if "W" in period:
        first = date.fromisocalendar(int(period[:4]), int(period[6:]), 1)
        return [(first + timedelta(days=n)).isoformat() for n in range(7)]
    if len(period) == 7:
        first = date.fromisoformat(f"{period}-01")
        every = [first + timedelta(days=n) for n in range(31)]
        return [day.isoformat() for day in every if day.month == first.month]
    return []


@dataclass
class Outsider:
    """Everything that some packages say together.

    Args:
        folders: packages.
        bills: campaign, month and measure to what an invoice says.
    """

    folders: Sequence[Path]
    bills: Mapping[tuple[str, str, str], int] = field(default_factory=dict)
    known: dict[Cell, int] = field(default_factory=dict)
    hidden: dict[Cell, int] = field(default_factory=dict)  # to the threshold of its family
    family: dict[str, str] = field(default_factory=dict)
    sums: list[Sum] = field(default_factory=list)
    more: list[tuple[Cell, Cell]] = field(default_factory=list)  # the first is at least the second
    listed: dict[tuple[str, str], set[str]] = field(default_factory=dict)  # universe and period to keys of the report

    def __post_init__(self) -> None:
        self.additive: set[str] = set()
        self.contradictions: list[Cell] = []
        for folder in self.folders:
            about = json.loads((folder / "datapackage.json").read_text())
            for resource in about["resources"]:
                self._read(about, resource, folder / resource["path"])
        self._bill()
        self.contradictions = [cell for cell in self.hidden if cell in self.known]
        self.hidden = {cell: k for cell, k in self.hidden.items() if cell not in self.known}
        self.sums += self._periods()
        self._around: dict[Cell, list[Cell]] = {}
        for whole, parts in self.sums:
            for part in parts:
                self._around.setdefault(part, []).append(whole)

    def _read(self, about: Mapping, resource: Mapping, path: Path) -> None:
        heads = about["quorum:rule_set"]["heads"]
        fields = resource["schema"]["fields"]
        columns = [f["name"] for f in fields if f["quorum:role"] == "dimension"]
        ladders = {tuple(f["quorum:hierarchy"]) for f in fields if f["quorum:role"] == "dimension"}
        measures = {f["name"]: f for f in fields if f["quorum:role"] == "measure" and f["name"] != "cost_micros"}
        head = (resource["quorum:universe"], about["quorum:period"])
        with path.open(newline="") as lines:
            rows = list(csv.DictReader(lines))
        self.listed.setdefault(head, set()).update(row[columns[0]] for row in rows)
        places = {tuple(row[c] for c in columns) for row in rows}
        sums: dict[tuple[tuple[str, ...], str], list[tuple[str, ...]]] = {}
        for row in rows:
            coordinate = tuple(row[c] for c in columns)
            for name, said in measures.items():
                self.family[name] = said["quorum:family"]
                self.additive |= {name} if "period" in said["quorum:additive_over"] else set()
                cell = (*head, _place(columns, coordinate), name)
                if row[f"status_{said['quorum:family']}"] == "published":
                    assert self.known.setdefault(cell, int(row[name])) == int(row[name]), "two values of one cell"
                else:
                    self.hidden[cell] = heads[said["quorum:family"]]
            for ladder in ladders:
                depth = sum(row[level] != ALL for level in ladder)
                step = ladder[depth - 1] if depth else ""
                whole = tuple(ALL if c == step else v for c, v in zip(columns, coordinate, strict=True))
                if depth and whole in places:
                    sums.setdefault((whole, step), []).append(coordinate)
            self._people(head, _place(columns, coordinate), measures)
        for (whole, column), parts in sums.items():
            for name, said in measures.items():
                if column in said["quorum:additive_over"]:
                    cells = tuple((*head, _place(columns, part), name) for part in parts)
                    self.sums.append(((*head, _place(columns, whole), name), cells))

    def _people(self, head: tuple[str, str], place: Place, measures: Mapping[str, Mapping]) -> None:
        """Events are at least their people, and people at least those of them who clicked."""
        people = [name for name, said in measures.items() if "period" not in said["quorum:additive_over"]]
        for name, said in measures.items():
            mine = [h for h in people if measures[h]["quorum:family"] == said["quorum:family"] and h != name]
            self.more += [((*head, place, name), (*head, place, h)) for h in mine]
        self.more += [((*head, place, people[0]), (*head, place, h)) for h in people[1:]]

    def _bill(self) -> None:
        for (campaign, month, measure), value in self.bills.items():
            cell = ("ads", month, frozenset({("campaign_id", campaign)}), measure)
            assert self.known.setdefault(cell, value) == value, "the invoice says something else"
            self.listed.setdefault(("ads", month), set()).add(campaign)

    def _periods(self) -> Iterator[Sum]:
        """Yield what a longer period says of its days; what a day does not list is one more unknown."""
        spare = 0
        for universe, period, place, measure in [*self.known, *self.hidden]:
            days = days_within(period)
            if not days or measure not in self.additive:
                continue
            named = {category for _, category in place}
            parts = []
            for day in days:
                cell = (universe, day, place, measure)
                if named & self.listed.get((universe, day), set()):
                    if cell not in self.known and cell not in self.hidden:
                        spare += 1
                        cell = (universe, day, frozenset({("", str(spare))}), measure)
                        self.hidden[cell] = 0
                    parts.append(cell)
            yield (universe, period, place, measure), tuple(parts)

    def relations(self) -> Iterator[tuple[dict[Cell, int], int, bool]]:
        """Yield what is said of unknowns: coefficients, right side, whether it is equal (else at least)."""
        for signed, is_equal in [
            *(({whole: -1, **dict.fromkeys(parts, 1)}, True) for whole, parts in self.sums),
            *(({large: 1, small: -1}, False) for large, small in self.more),
        ]:
            left = {c: k for c, k in signed.items() if c in self.hidden}
            if left:
                yield left, -sum(k * self.known[c] for c, k in signed.items() if c in self.known), is_equal

    def systems(self) -> Iterator[tuple[list[Cell], list[tuple[dict[Cell, int], int, bool]]]]:
        """Yield unknowns that hang together, with what is said of them."""
        leader = {cell: cell for cell in self.hidden}

        def find(cell: Cell) -> Cell:
            while leader[cell] != cell:
                leader[cell] = leader[leader[cell]]
                cell = leader[cell]
            return cell

        said = list(self.relations())
        for left, _, _ in said:
            first, *others = left
            for other in others:
                leader[find(other)] = find(first)
        found: dict[Cell, tuple[list[Cell], list]] = {}
        for cell in leader:
            found.setdefault(find(cell), ([], []))[0].append(cell)
        for relation in said:
            found[find(next(iter(relation[0])))][1].append(relation)
        yield from found.values()

    def recovered(self) -> list[Cell]:
        """Return withheld numbers that follow exactly: those at 0 in a random solution of the homogeneous equations."""
        found = list(self.contradictions)
        for cells, relations in self.systems():
            number = {cell: n for n, cell in enumerate(cells)}
            rows = [{number[c]: k for c, k in left.items()} for left, _, is_equal in relations if is_equal]
            found += [cells[n] for n in _fixed(rows, len(cells))]
        return found

    def narrowed(self, most: int) -> list[tuple[Cell, str, float]]:
        """Return withheld numbers that cannot be 0, or cannot reach min(threshold, known total).

        Args:
            most: of numbers that hang together, so many are asked whether they reach; all are asked whether they are 0.
        """
        found = []
        for cells, relations in self.systems():
            need = np.array([min(self.hidden[cell], self.total(cell)) for cell in cells], dtype=float)
            found += [(cells[n], side, value) for n, side, value in _narrow(cells, relations, need, most)]
        return found

    def total(self, cell: Cell) -> float:
        """Return the smallest published number that contains a cell."""
        found, seen, left = np.inf, {cell}, [cell]
        while left:
            for whole in self._around.get(left.pop(), ()):
                found = min(found, self.known.get(whole, np.inf))
                if whole not in seen:
                    seen.add(whole)
                    left.append(whole)
        universe, period, place, measure = cell
        larger = [large for large, small in self._events(universe, period, place, measure)]
        return min([found, *(self.total(large) for large in larger)])

    def _events(self, universe: str, period: str, place: Place, measure: str) -> list[tuple[Cell, Cell]]:
        if not hasattr(self, "_larger"):
            self._larger: dict[Cell, list[tuple[Cell, Cell]]] = {}
            for large, small in self.more:
                self._larger.setdefault(small, []).append((large, small))
        return self._larger.get((universe, period, place, measure), [])

    def who_is_left(self, ask: Callable[[str, list[tuple[str, Place]]], int]) -> list[tuple[Cell, list[Cell], int]]:
        """Return what published sums leave over and is of 1 to k-1 people: simple differences, and those of periods.

        Args:
            ask: how many people of a family are in any of some places of days.
        """
        found = []
        for whole, parts in self._differences():
            left = [cell for cell in parts if cell not in self.known]
            if whole not in self.known or not left or whole[0] != "ads":
                continue
            need = max(self.hidden[cell] for cell in left)
            places = [(day, cell[2]) for cell in left for day in days_within(cell[1]) or [cell[1]]]
            people = ask(self.family[whole[3]], places)
            if 0 < people < need:
                found.append((whole, left, people))
        return found

    def _differences(self) -> Iterator[Sum]:
        """Yield sums; and a published whole as the sum of the finest published parts that can be found for each day."""
        yield from self.sums
        below: dict[Cell, list[tuple[Cell, ...]]] = {}
        for whole, parts in self.sums:
            below.setdefault(whole, []).append(parts)
        for whole, splits in below.items():
            if days_within(whole[1]) and whole in self.known:
                weeks = self._weeks(whole)
                told = {day for week in weeks for day in days_within(week[1])}
                for parts in splits:
                    yield whole, (*(part for part in parts if part[1] not in told), *weeks)

    def _weeks(self, whole: Cell) -> list[Cell]:
        universe, period, place, measure = whole
        days = set(days_within(period))
        weeks = sorted({p for u, p in self.listed if u == universe and "W" in p and p != period})
        cells = [(universe, week, place, measure) for week in weeks if set(days_within(week)) <= days]
        return [cell for cell in cells if cell in self.known]


def _place(columns: Sequence[str], coordinate: Sequence[str]) -> Place:
    return frozenset((c, v) for c, v in zip(columns, coordinate, strict=True) if v != ALL)


def _fixed(rows: list[dict[int, int]], size: int) -> list[int]:
    """Return the unknowns that are 0 in every solution of homogeneous equations: in one at random, modulo a prime."""
    pivots: list[tuple[int, dict[int, int]]] = []
    at: dict[int, int] = {}
    for row in sorted(rows, key=len):
        while row:
            column = next((c for c in row if c in at), None)
            if column is None:
                break
            factor = row[column]
            for c, k in pivots[at[column]][1].items():
                value = (row.get(c, 0) - factor * k) % PRIME
                if value:
                    row[c] = value
                else:
                    row.pop(c, None)
        if row:
            pivot = min(row)
            inverse = pow(row[pivot], -1, PRIME)
            at[pivot] = len(pivots)
            pivots.append((pivot, {c: k * inverse % PRIME for c, k in row.items()}))
    rng = random.Random(size)
    value = {n: rng.randrange(1, PRIME) for n in range(size) if n not in at}
    for pivot, row in reversed(pivots):
        value[pivot] = -sum(k * value[c] for c, k in row.items() if c != pivot) % PRIME
    return [n for n in range(size) if not value[n]]


def _narrow(
    cells: Sequence[Cell], relations: Sequence[tuple[dict[Cell, int], int, bool]], need: np.ndarray, most_n: int
) -> Iterator[tuple[int, str, float]]:
    """Yield the unknowns that no solution shows at 0, or none at what they need; one solution shows many."""
    size, number = len(cells), {cell: n for n, cell in enumerate(cells)}
    parts = {True: ([], [], [], []), False: ([], [], [], [])}
    for left, right, is_equal in relations:
        at, to, by, to_be = parts[is_equal]
        for cell, factor in left.items():
            at.append(len(to_be))
            to.append(number[cell])
            by.append(float(factor if is_equal else -factor))
        to_be.append(float(right if is_equal else -right))
    equal, most = (
        (csr_array((by, (at, to)), shape=(len(to_be), size)), np.array(to_be)) for at, to, by, to_be in parts.values()
    )
    if not equal[1].size and not most[1].size:
        return
    rng = np.random.default_rng(size)
    wide = csr_array((len(equal[1]), size))
    helpers = hstack([-_eye(size), _eye(size)])
    system = {
        "A_eq": hstack([equal[0], wide]) if equal[1].size else None,
        "b_eq": equal[1] if equal[1].size else None,
        "A_ub": vstack([hstack([most[0], csr_array((len(most[1]), size))]), helpers]) if most[1].size else helpers,
        "b_ub": np.concatenate([most[1], np.zeros(size)]),
        "bounds": [(0, None)] * size + [(0, float(n)) for n in need],
    }
    for side in ("low", "high"):
        left = set(range(size))
        if side == "high":
            left = set(rng.permutation(np.flatnonzero(need > 0))[:most_n].tolist())
        misses = 0
        while left and misses < _MISSES:
            met = left & _shown(_best(side, sorted(left), rng, size, system), side, need)
            left -= met
            misses += not met
        while left:
            n = min(left)
            values = _best(side, [n], rng, size, system)
            met = _shown(values, side, need)
            left -= {*met, n}
            if n not in met:
                yield n, side, float(values[n])


def _eye(size: int) -> csr_array:
    return csr_array((np.ones(size), (np.arange(size), np.arange(size))), shape=(size, size))


def _best(side: str, of: Sequence[int], rng: np.random.Generator, size: int, system: Mapping) -> np.ndarray:
    cost = np.zeros(2 * size)
    weights = rng.uniform(0.5, 2, len(of))
    cost[list(of) if side == "low" else [size + n for n in of]] = weights if side == "low" else -weights
    answer = linprog(cost, **system)
    assert answer.x is not None, f"the packages contradict themselves: {answer.message}"
    return np.asarray(answer.x[:size])


def _shown(values: np.ndarray, side: str, need: np.ndarray) -> set[int]:
    return set(np.flatnonzero(values < 1e-6 if side == "low" else values > need - 1e-6).tolist())
