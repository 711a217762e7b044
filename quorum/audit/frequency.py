"""Attack on people by how often: what withheld people and events can still be, once bands say how often everybody saw.

What belongs here: the joint system of one key, people of each band in each cell, and its programs. What does not: what
follows without bands (`quorum.audit.propagation`), and single cells (`quorum.audit.reparse`).

Everybody who is in a cell is in one band; bands of a margin are those of its parts; bands of the whole are told. Events
of a cell are at least what its people did by their bands, and at most, but for events of nobody, which are unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from quorum.audit.linear import Floats, Row, System
from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.places import Place, margins, place_of
from quorum.audit.record import Claim, Findings
from quorum.audit.rules import RuleBook
from quorum.audit.system import Bools
from quorum.audit.targeting import Targeted
from quorum.tables.shape import Measure
from quorum.tables.targeting import UNKNOWN

PROGRAMS = 80
"""Programs for one key; targets that they do not reach are counted as unreached."""
_NEAR = 1e-6


def judge_bands(packages: Sequence[ParsedPackage], rules: RuleBook) -> Findings:
    """Claim every withheld number of people or events that people by how often narrow.

    Args:
        packages: held together by one attacker; each is judged by itself, for bands are told of days alone.
        rules: thresholds.

    Returns:
        A claim for each withheld number that could be 0, or as large as its threshold, without bands and cannot with
        them; and for each band of a listed key that is withheld. Targets are the withheld people and events of cells in
        which people add up, of keys of which bands are told.

    Raises:
        ReleaseError: the rules do not cover a report or a family.

    Guarantee:
        Real numbers, so that what whole numbers alone would say is not claimed. Without a claim and with nothing
        unreached, each such number can be 0 and can reach min(threshold, what it could be without bands).

    Source: disclosure.md, rule 6 (frequency tables bring their bounds) and attack 3.
    """
    claims: list[Claim] = []
    targets = unreached = contradictions = 0
    for package in packages:
        for table in (table for table in package.tables.values() if table.bands):
            zeros = {name: Targeted(package, of).zero for name, of in package.tables.items()}
            for key in dict.fromkeys(row[0] for row in table.coordinates):
                crowd = _Crowd(package, table, zeros, key, rules)
                claims += crowd.not_whole()
                found, left, is_broken = crowd.narrowed()
                claims += found
                targets, unreached = targets + len(crowd.targets), unreached + left
                contradictions += is_broken
    return Findings(targets, tuple(claims), None, unreached, contradictions)


@dataclass(frozen=True)
class _Target:
    """A withheld number: where it stands, and the variables that sum up to it."""

    table: str
    coordinates: tuple[str, ...]
    measure: str
    variables: tuple[int, ...]
    threshold: int


@dataclass
class _Crowd:
    """The joint system of one key.

    Variables: for each cell its people by band, then its events; last of all the events of nobody.
    """

    package: ParsedPackage
    banded: ParsedTable
    zeros: Mapping[str, Bools]
    key: str
    rules: RuleBook
    left: int = field(default=PROGRAMS, init=False)

    def __post_init__(self) -> None:
        (self.heads,) = (m for m in self.banded.shape.measures if m.kind == "heads")
        self.tables = [table for table in self.package.tables.values() if self._has_people(table)]
        self.places: dict[Place, int] = {}
        for table in self.tables:
            for row in self._rows(table):
                self.places.setdefault(place_of(table.shape.columns, table.coordinates[row]), len(self.places))
        self.width = len(self.banded.bands) + 1

    def _has_people(self, table: ParsedTable) -> bool:
        """Say whether a table tells people and events of the family of the bands."""
        own = [m for m in table.shape.measures if m.family == self.heads.family]
        is_same = table.shape.universe == self.banded.shape.universe and not table.bands
        return is_same and {m.kind for m in own} == {"count", "heads"} and self.heads.name in {m.name for m in own}

    def _rows(self, table: ParsedTable) -> list[int]:
        return [row for row, place in enumerate(table.coordinates) if place[0] == self.key]

    def _cell(self, table: ParsedTable, row: int) -> int:
        return self.places[place_of(table.shape.columns, table.coordinates[row])]

    def _people(self, cell: int) -> range:
        return range(cell * self.width, (cell + 1) * self.width - 1)

    def _events(self, cell: int) -> int:
        return (cell + 1) * self.width - 1

    @property
    def nobody(self) -> int:
        """The events of nobody."""
        return len(self.places) * self.width

    def not_whole(self) -> list[Claim]:
        """Return a claim for each band that is withheld: a key is listed whole or not at all."""
        rows = [row for row in self._rows(self.banded) if not self.banded.published[self.heads.family][row]]
        return [self._claim(self.banded.shape.name, self.banded.coordinates[row], "band", "withheld") for row in rows]

    @cached_property
    def targets(self) -> list[_Target]:
        """The withheld people and events of the key's cells, each once."""
        found: dict[tuple[int, str], _Target] = {}
        threshold = self.rules.of(self.package.shape.report).threshold(self.heads.family)
        for table in self.tables:
            zero = self.zeros[table.shape.name]
            for row in self._rows(table):
                if not table.published[self.heads.family][row] and not zero[row]:
                    cell = self._cell(table, row)
                    for measure, variables in self._measures(table, cell):
                        target = _Target(table.shape.name, table.coordinates[row], measure.name, variables, threshold)
                        found.setdefault((cell, measure.name), target)
        return list(found.values())

    def _measures(self, table: ParsedTable, cell: int) -> Iterator[tuple[Measure, tuple[int, ...]]]:
        for measure in table.shape.measures:
            if measure.family == self.heads.family:
                yield measure, tuple(self._people(cell)) if measure.kind == "heads" else (self._events(cell),)

    def narrowed(self) -> tuple[list[Claim], int, bool]:
        """Return claims, the targets that programs did not come to, and whether the system has no solution at all."""
        if not self.targets:
            return [], 0, False
        bounded = System(self._relations(with_bands=True), self.nobody + 1)
        if bounded.solve({}) is None:
            return [], 0, True
        failed: dict[int, str] = {}
        left = self._try_all(bounded, failed, upward=False) + self._try_all(bounded, failed, upward=True)
        loose = System(self._relations(with_bands=False), self.nobody + 1)
        claims = []
        for number, says in failed.items():
            target = self.targets[number]
            least, most = loose.range_of(target.variables)
            low, high = bounded.range_of(target.variables)
            if (low > _NEAR and least <= _NEAR) or high < min(target.threshold, most) - _NEAR:
                claims.append(self._claim(target.table, target.coordinates, target.measure, says))
        return claims, left, False

    def _try_all(self, system: System, failed: dict[int, str], *, upward: bool) -> int:
        """Try to make targets 0, or to raise them to their thresholds, together and then one by one.

        Targets that cannot be there are noted; those that the programs did not come to are counted.
        """
        waiting, together = list(range(len(self.targets))), True
        while waiting and self.left > 0:
            self.left -= 1
            tried = waiting if together else waiting[:1]
            found = self._solve(system, tried, upward=upward)
            met = [] if found is None else [n for n in waiting if self._is_there(n, found, upward=upward)]
            if len(tried) == 1 and tried[0] not in met:
                failed[tried[0]] = f"cannot be {self.targets[tried[0]].threshold if upward else 0}"
                waiting = waiting[1:]
            together = bool(met)
            waiting = [n for n in waiting if n not in met]
        return len(waiting)

    def _solve(self, system: System, tried: Sequence[int], *, upward: bool) -> Floats | None:
        aimed = [self.targets[number] for number in tried]
        if upward:
            return system.raise_all([(target.variables, target.threshold) for target in aimed])
        return system.solve({v: 1.0 for target in aimed for v in target.variables})

    def _is_there(self, number: int, solution: Floats, *, upward: bool) -> bool:
        target = self.targets[number]
        value = float(solution[list(target.variables)].sum())
        return value >= target.threshold - _NEAR if upward else value <= _NEAR

    def _relations(self, *, with_bands: bool) -> list[Row]:
        """Return all that a reader writes down of the key."""
        rows = [*self._published(), *self._margins()]
        if with_bands:
            rows += [*self._told(), *self._done()]
        else:
            for cell in self.places.values():
                rows.append(({self._events(cell): 1.0, **dict.fromkeys(self._people(cell), -1.0)}, 0.0, np.inf))
        return rows

    def _published(self) -> Iterator[Row]:
        for table in self.tables:
            zero = self.zeros[table.shape.name]
            for row in self._rows(table):
                if table.published[self.heads.family][row] or zero[row]:
                    for measure, variables in self._measures(table, self._cell(table, row)):
                        value = 0.0 if zero[row] else float(table.values[measure.name][row])
                        yield dict.fromkeys(variables, 1.0), value, value

    def _margins(self) -> Iterator[Row]:
        for table in self.tables:
            own = set(self._rows(table))
            for _, whole, parts in margins(table, self.package.shape.groups):
                if whole in own:
                    cells = [self._cell(table, part) for part in parts]
                    top = self._cell(table, whole)
                    for place in range(self.width):
                        sums = {cell * self.width + place: -1.0 for cell in cells if cell != top}
                        if sums:
                            yield {top * self.width + place: 1.0, **sums}, 0.0, 0.0

    def _told(self) -> Iterator[Row]:
        """Yield the bands of the whole key."""
        top = self.places.get(place_of((self.banded.shape.columns[0],), (self.key,)))
        bands = list(self.banded.bands)
        for row in self._rows(self.banded):
            band = self.banded.coordinates[row][-1]
            if top is not None and band in bands and self.banded.published[self.heads.family][row]:
                value = float(self.banded.values[self.heads.name][row])
                yield {self._people(top)[bands.index(band)]: 1.0}, value, value

    def _done(self) -> Iterator[Row]:
        """Yield that events of a cell are what its people did by their bands; events of nobody are unknown."""
        ends = list(self.banded.bands.values())
        for place, cell in self.places.items():
            least = {v: -float(first) for v, (first, _) in zip(self._people(cell), ends, strict=True)}
            most = {v: -float(last) for v, (_, last) in zip(self._people(cell), ends, strict=True)}
            is_unknown = all(category in (UNKNOWN, self.key) for _, category in place)
            mine = {self._events(cell): 1.0, **({self.nobody: -1.0} if is_unknown else {})}
            yield {**mine, **least}, 0.0, np.inf
            yield {**mine, **most}, -np.inf, 0.0
        yield {self.nobody: 1.0}, 0.0, self._most_of_nobody()

    def _most_of_nobody(self) -> float:
        """Return the fewest events of a published cell, of any table, in which events of nobody are."""
        most = np.inf
        for table in self.package.tables.values():
            if table.shape.universe != self.banded.shape.universe:
                continue
            for measure in (m for m in table.shape.measures if m.family == self.heads.family and m.kind == "count"):
                for row in self._rows(table):
                    place = place_of(table.shape.columns, table.coordinates[row])
                    if table.published[measure.family][row] and all(c in (UNKNOWN, self.key) for _, c in place):
                        most = min(most, float(table.values[measure.name][row]))
        return most

    def _claim(self, table: str, coordinates: tuple[str, ...], what: str, says: str) -> Claim:
        return Claim(self.package.release, (table, *coordinates), what, says, True)
