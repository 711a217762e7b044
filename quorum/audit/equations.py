"""Every equation that links two cells, rebuilt from the parsed packages alone.

What belongs here: which cells are one variable, and the relations between variables: margins, hierarchies, groups,
linked tables, counts and heads, periods. What does not: solving them (the attacks).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from quorum.audit.descriptor import PERIOD
from quorum.audit.months import Months
from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.periods import parts_of
from quorum.audit.places import Key, Place, margins, place_of
from quorum.audit.reach import bound_people
from quorum.audit.rules import RuleBook
from quorum.audit.system import (
    DECLARED,
    PUBLISHED,
    WITHHELD,
    Bools,
    Ints,
    RelationList,
    System,
    Target,
    by_variable,
)
from quorum.audit.targeting import Targeted
from quorum.audit.truth import Truth
from quorum.tables.periods import DAY, MONTH, kind_of
from quorum.tables.shape import Measure

AMOUNT = "_micros"
"""How a sum of money ends; of one that has no rule nothing is claimed, `quorum.audit.reparse` refuses it undeclared."""

_FEWEST_PARTS = 2

Part = tuple[Mapping[Place, int], Collection[Key]]
"""A shorter period: its cells, and the keys of the report that its packages list."""


def build_system(packages: Sequence[ParsedPackage], rules: RuleBook, truth: Truth) -> System:
    """Write down everything that packages say about their cells.

    Args:
        packages: held together by one attacker.
        rules: thresholds, for the targets.
        truth: scores the targets, and says what the invoice says of declared totals.

    Returns:
        The system. A variable is a measure of a cell of a universe and period: two tables, or packages, that list the
        same cell share it. Withheld cells are targets, but for declared totals.

    Raises:
        ReleaseError: the rules do not cover a family.

    Guarantee:
        Relations are: a margin is the sum of its categories for each measure additive over them, level by level; a
        grouped category is the sum of its children; a cell outside the targeting that a package states is 0; a longer
        period is the sum of its parts; heads that do not add up (over time they never do) are at least each part and at
        most the sum; events are at least the people who caused them. Clicks may come without an impression that day:
        that clickers are among the people of a cell is assumed only where the truth is there to say that a reader who
        guesses so is right. A dimension without an ALL row yields no equation.

    Source: architecture.md, "A report package"; disclosure.md, attacks 2 and 3.
    """
    return _Builder(packages, rules, truth).build()


class _Builder:
    """Numbers the cells, then notes values, targets and relations; cell * measures + measure is a variable."""

    def __init__(self, packages: Sequence[ParsedPackage], rules: RuleBook, truth: Truth) -> None:
        self.packages, self.rules, self.truth = packages, rules, truth
        self.measures = {m.name: m for p in packages for t in p.shape.tables for m in t.measures}
        self.position = {name: position for position, name in enumerate(self.measures)}
        self.places: dict[tuple[str, str], dict[Place, int]] = {}
        self.keys: dict[tuple[str, str], set[Key]] = {}
        self.zeros: set[int] = set()
        self.rows: dict[int, tuple[str, str, int]] = {}
        self.cell_n = 0
        self.relations = RelationList()
        self.targets: list[Target] = []

    def build(self) -> System:
        """Return the system."""
        listed = [
            (package, table, self._register(package, table))
            for package in self.packages
            for table in package.tables.values()
        ]
        declared = {variable for package in self.packages for variable in self._declared(package)}
        self.state = np.zeros(self.cell_n * len(self.position), dtype=np.int8)
        self.value = np.zeros(len(self.state), dtype=np.int64)
        self.state[list(declared)] = DECLARED
        for package, table, cells in listed:
            self._read(package, table, cells)
            self._aim(package, table, cells, declared)
            self._margins(package, table, cells)
            self._events_and_people(package, table, cells)
        self._groups()
        hidden_n = self._periods()
        return System(
            np.concatenate((self.state, np.full(hidden_n, WITHHELD, dtype=np.int8))),
            np.concatenate((self.value, np.zeros(hidden_n, dtype=np.int64))),
            self.relations.relations(),
            tuple(self.targets),
            self.rows,
            len(self.position),
        )

    def _cell(self, universe: str, period: str, place: Place) -> int:
        places = self.places.setdefault((universe, period), {})
        if place not in places:
            places[place] = self.cell_n
            self.cell_n += 1
        return places[place]

    def _variable(self, cell: int, measure: str) -> int:
        return cell * len(self.position) + self.position[measure]

    def _variables(self, cells: Ints, measure: str) -> Ints:
        return cells * len(self.position) + self.position[measure]

    def _register(self, package: ParsedPackage, table: ParsedTable) -> Ints:
        """Return the cell of each row; note which keys of the report the package lists."""
        listed = self.keys.setdefault((table.shape.universe, package.shape.period), set())
        listed |= {(table.shape.columns[0], row[0]) for row in table.coordinates}
        places = (place_of(table.shape.columns, row) for row in table.coordinates)
        cells = np.array([self._cell(table.shape.universe, package.shape.period, place) for place in places])
        for row, cell in enumerate(cells.tolist()):
            self.rows.setdefault(cell, (package.release, table.shape.name, row))
        return cells

    def _declared(self, package: ParsedPackage) -> Iterator[int]:
        """Yield the variables that the recipient knows from elsewhere; cells are made for periods not in hand."""
        for invariant in package.shape.invariants:
            dimensions, measures = set(_names(invariant["dimensions"])), _names(invariant["measures"])
            for universe in sorted({table.universe for table in package.shape.tables}):
                places = self.places[universe, package.shape.period]
                for place in [place for place in places if {column for column, _ in place} == dimensions]:
                    cell = self._cell(universe, str(invariant["period"]), place)
                    yield from (self._variable(cell, measure) for measure in measures if measure in self.position)

    def _read(self, package: ParsedPackage, table: ParsedTable, cells: Ints) -> None:
        """Note what is published; a cell that any table publishes is known in all of them, and so is 0 by targeting."""
        zero = Targeted(package, table).zero
        self.zeros.update(cells[zero].tolist())
        for measure in table.shape.measures:
            variables, shown = self._variables(cells, measure.name), table.published[measure.family]
            self.value[variables[shown]] = table.values[measure.name][shown]
            self.state[variables[shown]] = PUBLISHED
            self.state[variables] = np.maximum(self.state[variables], WITHHELD)
            self.state[variables[zero & ~shown]] = PUBLISHED
            invoiced = self.state[variables] == DECLARED
            truths = self.truth.column(package.release, table, measure.name)
            if truths is not None and invoiced.any():
                self.value[variables[invoiced]] = truths[invoiced]
                self.state[variables[invoiced]] = PUBLISHED

    def _aim(self, package: ParsedPackage, table: ParsedTable, cells: Ints, declared: set[int]) -> None:
        """Make every withheld cell a target, those too that another table gives away; declared totals are known."""
        for measure in table.shape.measures:
            rules = self.rules.of(package.shape.report)
            if measure.name.endswith(AMOUNT) and measure.family not in rules.families:
                continue
            threshold = rules.threshold(measure.family)
            truths = self.truth.column(package.release, table, measure.name)
            variables = self._variables(cells, measure.name).tolist()
            for row in np.flatnonzero(~table.published[measure.family]).tolist():
                if variables[row] not in declared:
                    place = (package.release, table.shape.name, table.coordinates[row])
                    true = None if truths is None else int(truths[row])
                    self.targets.append(Target(*place, measure.name, measure.family, threshold, variables[row], true))

    def _margins(self, package: ParsedPackage, table: ParsedTable, cells: Ints) -> None:
        for column, whole, parts in margins(table, package.shape.groups):
            for measure in table.shape.measures:
                variables = self._variables(cells[[whole, *parts]], measure.name).tolist()
                self._relate(measure, column, variables[0], variables[1:])

    def _relate(self, measure: Measure, column: str, whole: int, parts: Sequence[int]) -> None:
        """Note that a whole is the sum of its parts; heads that do not add up are bounded by them."""
        if column in measure.additive_over:
            self.relations.whole_is_sum(whole, parts)
        elif measure.kind == "heads":
            self.relations.at_least(parts, whole)
            for part in parts:
                self.relations.at_least([whole], part)

    def _events_and_people(self, package: ParsedPackage, table: ParsedTable, cells: Ints) -> None:
        """Note that events are at least the people who caused them, and people at least those of them who did more.

        Who converted need not have clicked that day: only the family that all others rest on bounds them.
        """
        measures = table.shape.measures
        heads = {m.family: m.name for m in measures if m.kind == "heads"}
        for count in measures:
            if count.kind == "count" and count.name.endswith("_n") and count.family in heads:
                self._at_least(cells, count.name, heads[count.family], np.ones(len(cells), dtype=np.bool_))
        rules = self.rules.of(package.shape.report)
        for family, name in heads.items():
            base = heads.get(rules.base(family), name)
            people, more = (self.truth.column(package.release, table, column) for column in (base, name))
            if base != name and people is not None and more is not None:
                self._at_least(cells, base, name, people >= more)

    def _at_least(self, cells: Ints, larger: str, smaller: str, where: Bools) -> None:
        for cell in cells[where].tolist():
            self.relations.at_least([self._variable(cell, larger)], self._variable(cell, smaller))

    def _groups(self) -> None:
        """A category made of others is their sum, where tables of the universe list both."""
        groups = {(c, parent): _children(g, parent) for c, g in self._all_groups() for parent in set(g.values())}
        for places in self.places.values():
            for (column, parent), children in groups.items():
                for place in [place for place in places if (column, parent) in place]:
                    below = [_with(place, column, child) for child in children]
                    if all(part in places for part in below):
                        self._sum_cells(places[place], [places[part] for part in below], column)

    def _all_groups(self) -> Iterator[tuple[str, Mapping[str, str]]]:
        for package in self.packages:
            yield from package.shape.groups.items()

    def _sum_cells(self, whole: int, parts: Sequence[int], column: str) -> None:
        """Relate cells of different tables in every measure that all of them hold."""
        for name, measure in self.measures.items():
            variables = [self._variable(cell, name) for cell in (whole, *parts)]
            if self.state[variables].all():
                self._relate(measure, column, variables[0], variables[1:])

    def _periods(self) -> int:
        """Relate longer periods to their parts; what no package tells is one more unknown. Returns how many."""
        hidden: list[int] = []
        for universe in dict.fromkeys(of for of, _ in self.places):
            months = Months(
                {period: places for (of, period), places in self.places.items() if of == universe},
                {period: keys for (of, period), keys in self.keys.items() if of == universe},
                self.measures,
                self.state,
                self._variable,
                self.zeros,
            )
            free_of: dict[str, set[tuple[Key, str]]] = {}
            longest = [period for period in months.places if kind_of(period) == MONTH]
            below = set().union(*(months.told_below(month) for month in longest))
            held = [period for period in months.places if period not in longest]
            inside = Counter(part for other in held for parts, _ in parts_of(other, held) for part in parts)
            for period in held:
                for others, fills in parts_of(period, held):
                    parts = [(months.places[other], months.keys.get(other, set())) for other in others]
                    is_bottom = all(inside[other] == 1 and not parts_of(other, held) for other in others)
                    free_of[period] = self._free_splits(months.places[period], parts) - below if is_bottom else set()
                    self._sum_period(months.places[period], parts, free_of[period], hidden, fills=fills)
            for month in longest:
                self._sum_month(months, month, free_of, hidden)
            bounds = bound_people(months.places, months.keys, self.measures, self.state, self._variable)
            for larger, smaller in bounds:
                self.relations.at_least(larger, smaller)
        return len(hidden)

    def _sum_month(
        self, months: Months, month: str, free_of: Mapping[str, Collection[tuple[Key, str]]], hidden: list[int]
    ) -> None:
        """Relate the cells of a month to its weeks and days.

        A part that stands alone is an unknown of its own, a target like the total that it stands for, so that thirty
        days do not become one system.
        """
        ways = [parts for parts, _ in parts_of(month, months.places)]
        days = next((parts for parts in ways if kind_of(parts[0]) == DAY), [])
        finest = days or next(iter(ways), [])
        free = self._free_splits(months.places[month], [(months.places[p], months.keys.get(p, set())) for p in finest])
        free -= {(key, name) for key, name, _ in months.shared(days)}
        aimed = by_variable(self.targets)
        for found in months.sums(month, free, free_of):
            parts = [*found.linked, *(self._stand_in(variable, aimed, hidden) for variable in found.alone)]
            if found.is_open:
                parts.append(self._hide(hidden))
            self.relations.whole_is_sum(found.whole, parts)

    def _hide(self, hidden: list[int]) -> int:
        """Return one more unknown that no package lists."""
        hidden.append(len(self.state) + len(hidden))
        return hidden[-1]

    def _stand_in(self, variable: int, aimed: Mapping[int, list[Target]], hidden: list[int]) -> int:
        """Return an unknown of its own for a variable, and aim at it as at the variable."""
        own = self._hide(hidden)
        self.targets += [replace(target, variable=own) for target in aimed.get(variable, [])[:1]]
        return own

    def _free_splits(self, whole: Mapping[Place, int], parts: Sequence[Part]) -> set[tuple[Key, str]]:
        """Return the keys and measures whose split over the parts is free, so that the sum need not be written down.

        Parts must lie in no other longer period in hand, and none in them: nothing else speaks of them. It is so where
        two parts or more list the cells of the key that the whole lists, and tell none: a table of the whole may have
        happened in any one of the parts, all others being 0. No part has a cell that cannot be 0, each can be as large
        as the whole's, and what follows about parts follows about their sum. What targeting makes 0 in the parts and in
        the whole stands in nobody's way. Cells that parts list besides must have no column in common with the whole's:
        then the total alone links them, and any split of it will do.
        """
        free: set[tuple[Key, str]] = set()
        every: set[Key] = set().union(*(keys for _, keys in parts))
        of_whole, of_parts = _by_key(whole, every), [_by_key(places, keys) for places, keys in parts]
        for key in every:
            own = set(of_whole.get(key, {}))
            listed = [of_part.get(key, {}) for of_part, (_, keys) in zip(of_parts, parts, strict=True) if key in keys]
            if len(listed) < _FEWEST_PARTS or any(_is_linked(own, set(part), key) for part in listed):
                continue
            open_cells = [
                cell
                for part in listed
                for place, cell in part.items()
                if cell not in self.zeros or (place in whole and whole[place] not in self.zeros)
            ]
            cells = np.array(open_cells, dtype=np.int64)
            for name in self.measures:
                if (self.state[self._variables(cells, name)] == WITHHELD).all():
                    free.add((key, name))
        return free

    def _sum_period(
        self,
        whole: Mapping[Place, int],
        parts: Sequence[Part],
        free: Collection[tuple[Key, str]],
        hidden: list[int],
        *,
        fills: bool,
    ) -> None:
        """Relate the cells of a period to those of its parts.

        A part whose package does not list the key (the campaign did not run that day) holds nothing of it; one that
        lists the key and not the cell may hold something.
        """
        every: set[Key] = set().union(*(keys for _, keys in parts))
        for place, cell in whole.items():
            own = every.intersection(place)
            within = [places for places, keys in parts if not own or own.intersection(keys)]
            cells = [places[place] for places in within if place in places]
            for name, measure in self.measures.items():
                known = [v for v in (self._variable(part, name) for part in cells) if self.state[v]]
                if PERIOD not in measure.additive_over or not known or not self.state[self._variable(cell, name)]:
                    continue
                if any((key, name) in free for key in own):
                    continue
                if not fills or len(known) < len(within):
                    known.append(self._hide(hidden))
                self.relations.whole_is_sum(self._variable(cell, name), known)


def _by_key(places: Mapping[Place, int], keys: Collection[Key]) -> dict[Key, dict[Place, int]]:
    """Return the cells of each key."""
    found: dict[Key, dict[Place, int]] = {}
    for place, cell in places.items():
        for pair in place:
            if pair in keys:
                found.setdefault(pair, {})[place] = cell
    return found


def _is_linked(whole: Collection[Place], part: Collection[Place], key: Key) -> bool:
    """Say whether a part leaves out cells of the whole, or lists others that more than the key's total links to it."""
    others = [place for place in part if place not in whole]
    mine = {pair[0] for place in whole for pair in place if pair != key}
    theirs = {pair[0] for place in others for pair in place if pair != key}
    return any(place not in part for place in whole) or bool(mine & theirs)


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()


def _with(place: Place, column: str, category: str) -> Place:
    return tuple((c, category if c == column else value) for c, value in place)


def _children(groups: Mapping[str, str], parent: str) -> list[str]:
    return [child for child, of in groups.items() if of == parent]
