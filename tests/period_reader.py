"""A reader of released files over many periods: csv and ``datapackage.json``, nothing of the house, no truth.

What belongs here: the equations of all packages in one hand, exact elimination, bounds by programs in whole numbers.
What does not: rules, and opinions about what should be published.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack

ALL = "ALL"
PRIME = 2**61 - 1
Place = frozenset[tuple[str, str]]
Cell = tuple[str, Place, str]
"""Period, categories without margins, measure."""
Equation = dict[Cell, int]


class Held:
    """Everything that packages of one recipient and universe say.

    Args:
        packages: file name to bytes, one mapping a package.
        nested: whether the reader takes it for sure that who clicked was there.
    """

    def __init__(self, packages: Sequence[Mapping[str, bytes]], *, nested: bool = True) -> None:
        self.known: dict[Cell, int] = {}
        self.hidden: dict[Cell, str] = {}
        self.contradictions: list[Cell] = []
        self.equal: list[Equation] = []
        self.at_least_0: list[Equation] = []
        self.keys: dict[str, set[str]] = {}
        self.additive: set[str] = set()
        self.events: dict[str, str] = {}
        for files in packages:
            about = json.loads(files["datapackage.json"])
            for resource in about["resources"]:
                self._read(about["quorum:period"], resource, files[resource["path"]], nested=nested)
        self.contradictions = [cell for cell in self.hidden if cell in self.known]
        self.equal += self._sums_of_days()
        self.at_least_0 += self._people_over_days()

    def _read(self, period: str, resource: Mapping, content: bytes, *, nested: bool) -> None:
        fields = resource["schema"]["fields"]
        columns = [field["name"] for field in fields if field["quorum:role"] == "dimension"]
        ladders = {tuple(f["quorum:hierarchy"]) for f in fields if f["quorum:role"] == "dimension"}
        measures = {f["name"]: f for f in fields if f["quorum:role"] == "measure"}
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        self.keys.setdefault(period, set()).update(row[columns[0]] for row in rows)
        for family in {field["quorum:family"] for field in measures.values()}:
            own = [name for name, field in measures.items() if field["quorum:family"] == family]
            counts = [name for name in own if "period" in measures[name]["quorum:additive_over"]]
            self.events |= {name: counts[0] for name in own if counts}
        self.additive |= {name for name, field in measures.items() if "period" in field["quorum:additive_over"]}
        places = {tuple(row[c] for c in columns) for row in rows}
        sums: dict[tuple[tuple[str, ...], str], list[tuple[str, ...]]] = {}
        for row in rows:
            coordinate = tuple(row[c] for c in columns)
            for name, field in measures.items():
                cell = (period, _place(columns, coordinate), name)
                if row[f"status_{field['quorum:family']}"] == "published":
                    assert self.known.setdefault(cell, int(row[name])) == int(row[name])
                else:
                    assert not row[name]
                    self.hidden[cell] = field["quorum:family"]
            for ladder in ladders:
                depth = sum(row[level] != ALL for level in ladder)
                if depth:
                    whole = tuple(
                        ALL if c == ladder[depth - 1] else v for c, v in zip(columns, coordinate, strict=True)
                    )
                    if whole in places:
                        sums.setdefault((whole, ladder[depth - 1]), []).append(coordinate)
            self._people(period, _place(columns, coordinate), measures, nested=nested)
        for (whole, column), parts in sums.items():
            for name, field in measures.items():
                if column in field["quorum:additive_over"]:
                    equation = {(period, _place(columns, part), name): 1 for part in parts}
                    cell = (period, _place(columns, whole), name)
                    self.equal.append({**equation, cell: equation.get(cell, 0) - 1})

    def _people(self, period: str, place: Place, measures: Mapping[str, Mapping], *, nested: bool) -> None:
        heads = [name for name, field in measures.items() if "period" not in field["quorum:additive_over"]]
        for name, field in measures.items():
            mine = [h for h in heads if measures[h]["quorum:family"] == field["quorum:family"] and h != name]
            self.at_least_0 += [{(period, place, name): 1, (period, place, h): -1} for h in mine]
        for more in heads[1:] if nested else []:
            self.at_least_0.append({(period, place, heads[0]): 1, (period, place, more): -1})

    def _sums_of_days(self) -> Iterator[Equation]:
        """Yield what a week says of its days; a day whose package does not list the key holds nothing of it."""
        every = {*self.known, *self.hidden}
        for period, place, measure in list(every):
            if "W" not in period or measure not in self.additive:
                continue
            cells = [(day, place, measure) for day in self.running(period, place)]
            if all(cell in every for cell in cells):
                yield {(period, place, measure): -1, **dict.fromkeys(cells, 1)}

    def _people_over_days(self) -> Iterator[Equation]:
        """Yield what people of a week say of people of its days; one who came on two days is one of the week's."""
        every = {*self.known, *self.hidden}
        for period, place, measure in list(every):
            if "W" not in period or measure in self.additive:
                continue
            whole = (period, place, measure)
            events = (period, place, self.events.get(measure, measure))
            if events in every and events != whole:
                yield {events: 1, whole: -1}
            days = self.running(period, place)
            parts = [(day, place, measure) for day in days if (day, place, measure) in every]
            yield from ({whole: 1, part: -1} for part in parts)
            if len(parts) == len(days):
                yield {whole: -1, **dict.fromkeys(parts, 1)}

    def running(self, week: str, place: Place) -> list[str]:
        """Return the days of a week whose packages list the key of a place."""
        monday = date.fromisocalendar(int(week[:4]), int(week[6:]), 1)
        named = {category for _, category in place}
        days = [(monday + timedelta(days=n)).isoformat() for n in range(7)]
        return [day for day in days if named & self.keys.get(day, set())]

    def residuals(self) -> Iterator[tuple[Cell, list[Cell]]]:
        """Yield every published sum with those of its parts that are withheld, if any are."""
        for equation in self.equal:
            (whole,) = [cell for cell, factor in equation.items() if factor == -1] or [None]
            hidden = [cell for cell, factor in equation.items() if factor == 1 and cell not in self.known]
            if whole in self.known and hidden:
                yield whole, hidden

    def groups(self) -> list[tuple[list[Cell], list[Equation], list[Equation]]]:
        """Return unknowns that hang together, with what is said of them."""
        leader: dict[Cell, Cell] = {cell: cell for cell in self.hidden if cell not in self.known}

        def find(cell: Cell) -> Cell:
            while leader[cell] != cell:
                leader[cell] = leader[leader[cell]]
                cell = leader[cell]
            return cell

        for relation in (*self.equal, *self.at_least_0):
            unknown = [cell for cell in relation if cell in leader]
            for other in unknown[1:]:
                leader[find(other)] = find(unknown[0])
        found: dict[Cell, tuple[list[Cell], list[Equation], list[Equation]]] = {}
        for cell in leader:
            found.setdefault(find(cell), ([], [], []))[0].append(cell)
        for kind, relations in ((1, self.equal), (2, self.at_least_0)):
            for relation in relations:
                unknown = [cell for cell in relation if cell in leader]
                if unknown:
                    found[find(unknown[0])][kind].append(relation)
        return list(found.values())

    def recovered(self) -> list[Cell]:
        """Return withheld cells that follow exactly: the unit vectors among the rows of the reduced echelon form."""
        found = list(self.contradictions)
        for cells, equal, _ in self.groups():
            number = {cell: index for index, cell in enumerate(cells)}
            rows = [{number[c]: k % PRIME for c, k in e.items() if c in number and k} for e in equal]
            found += [cells[index] for index in _units(rows)]
        return found

    def narrowed(self, thresholds: Mapping[str, int]) -> list[tuple[Cell, str]]:
        """Return withheld cells that cannot be 0, or cannot reach the threshold of their family."""
        found = []
        for cells, equal, at_least in self.groups():
            need = np.array([thresholds[self.hidden[cell]] for cell in cells], dtype=float)
            constraints = [*self._matrix(equal, cells, exact=True), *self._matrix(at_least, cells, exact=False)]
            for low in (True, False):
                found += [(cells[i], "low" if low else "high") for i in _failing(constraints, need, low=low)]
        return found

    def _matrix(self, relations: Sequence[Equation], cells: Sequence[Cell], *, exact: bool) -> list[LinearConstraint]:
        if not relations:
            return []
        number = {cell: index for index, cell in enumerate(cells)}
        at: list[int] = []
        to: list[int] = []
        by: list[float] = []
        right = np.zeros(len(relations))
        for row, relation in enumerate(relations):
            for cell, factor in relation.items():
                if cell in number:
                    at.append(row)
                    to.append(number[cell])
                    by.append(float(factor))
                else:
                    right[row] -= factor * self.known[cell]
        matrix = csr_array((by, (at, to)), shape=(len(relations), len(cells)))
        return [LinearConstraint(matrix, right, right if exact else np.inf)]


def _failing(constraints: Sequence[LinearConstraint], need: np.ndarray, *, low: bool) -> list[int]:
    """Return unknowns that no table in whole numbers shows at 0, or at what they need.

    A table found for some is a witness for all that it shows there. Towards needs each unknown that is left has a
    helper, at most the unknown and at most its need; their sum is made as large as it can be.
    """
    size = len(need)
    wide = [LinearConstraint(hstack([c.A, csr_array((c.A.shape[0], size))]), c.lb, c.ub) for c in constraints]
    helpers = LinearConstraint(hstack([eye_array(size), -eye_array(size)]), 0, np.inf)
    left, failed = list(range(size)), []
    together = True
    while left:
        tried = left if together else left[:1]
        cost = np.zeros(2 * size)
        cost[tried if low else [size + i for i in tried]] = 1.0 if low else -1.0
        top = np.concatenate([np.full(size, np.inf), need])
        table = _solve(cost, [*wide, helpers], top)
        met = {i for i in left if (table[i] < 0.5 if low else table[i] > need[i] - 0.5)}
        if len(tried) == 1 and tried[0] not in met:
            failed.append(tried[0])
            left = left[1:]
        together = bool(met)
        left = [i for i in left if i not in met]
    return failed


def _solve(cost: np.ndarray, constraints: Sequence[LinearConstraint], top: np.ndarray) -> np.ndarray:
    """Return the best table; whole numbers are asked for where the corner found is not whole by itself."""
    for whole in (0, 1):
        answer = milp(cost, integrality=np.full(len(cost), whole), bounds=Bounds(0, top), constraints=constraints)
        assert answer.x is not None, "the packages contradict themselves"
        if np.abs(answer.x - np.round(answer.x)).max() < 1e-6:
            break
    table: np.ndarray = np.round(answer.x)
    return table


def _units(rows: list[dict[int, int]]) -> list[int]:
    """Return the unknowns that a reduced echelon form modulo a prime leaves alone in their row."""
    pivots: dict[int, dict[int, int]] = {}
    for given in rows:
        row = dict(given)
        for column in [c for c in row if c in pivots]:
            _take(row, pivots[column], column)
        if not row:
            continue
        pivot = min(row)
        inverse = pow(row[pivot], -1, PRIME)
        row = {c: k * inverse % PRIME for c, k in row.items()}
        for other in pivots.values():
            if pivot in other:
                _take(other, row, pivot)
        pivots[pivot] = row
    return [pivot for pivot, row in pivots.items() if len(row) == 1]


def _take(row: dict[int, int], other: Mapping[int, int], column: int) -> None:
    factor = row.get(column, 0)
    for c, k in other.items() if factor else ():
        value = (row.get(c, 0) - factor * k) % PRIME
        if value:
            row[c] = value
        else:
            row.pop(c, None)


def _place(columns: Sequence[str], coordinate: Sequence[str]) -> Place:
    return frozenset((c, v) for c, v in zip(columns, coordinate, strict=True) if v != ALL)
