"""Attack 5: every difference of published facts that leaves a sum of withheld cells, and how many people it is about.

What belongs here: finding such sums and bounding their people. What does not: equations (`quorum.audit.equations`), and
single cells that follow (`quorum.audit.elimination`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from quorum.audit.invoiced import invoiced_rows
from quorum.audit.package import ParsedPackage
from quorum.audit.record import Claim, Findings
from quorum.audit.rules import RuleBook
from quorum.audit.system import DECLARED, PUBLISHED, System, by_variable
from quorum.audit.truth import Truth
from quorum.tables.shape import ALL

_WIDEST = 64
"""Cells: a sum of more of them is not subtracted from another."""

_ENDLESS = 2**40
"""People: more than there are; what is not known may be anybody."""

Cells = frozenset[int]
Known = tuple[int, int]
"""The sum, and how many people it is about at least, by what its total leaves; below 0 where that says nothing."""


def differences(packages: Sequence[ParsedPackage], system: System, rules: RuleBook, truth: Truth) -> Findings:
    """Claim every known sum of withheld cells that is about too few people.

    Known sums are what margins, groups, linked tables and periods leave over, and differences of two such sums of which
    one lies within the other, again and again.

    Args:
        packages: held together by one attacker.
        system: of the packages.
        rules: thresholds.
        truth: true people of each cell, where they are known.

    Returns:
        One claim a sum; targets are the known sums. Without truth only what the files show is claimed: a sum of fewer
        events, or people, than the threshold is about fewer people.

    Guarantee:
        Without a claim each known sum above 0 has so many events, and with truth holds so many people by the provable
        bound: the sum of the people of its cells where no two cells can share one, else those of the largest cell; or
        those of the total less those of its told parts, if these are more. Declared totals are left aside, and sums
        that an unlisted part of a period may enter.

    Source: disclosure.md, rule 6 and attack 5.
    """
    aimed = by_variable(system.targets)
    people = _People(packages, system, rules, truth)
    sums = _closed(_sums(system, people), people)
    claims: list[Claim] = []
    targets = 0
    for cells, (value, left) in sums.items():
        if not value or any(cell not in aimed for cell in cells):
            continue
        targets += 1
        first = aimed[min(cells)][0]
        known = people.least(cells)
        least = None if known is None else max(known, left)
        if min(value, value if least is None else least) < first.threshold:
            says = f"{len(cells)} cells hold {value}" + ("" if least is None else f", of {least} people")
            correct = None if least is None else least < first.threshold
            claims.append(Claim(first.release, (first.table, *first.coordinates), first.measure, says, correct))
    return Findings(targets, tuple(claims), 0.0)


def _sums(system: System, people: _People) -> dict[Cells, Known]:
    """Return the relations that say what a sum of withheld cells is, and how many people its total leaves to them."""
    found: dict[Cells, Known] = {}
    full, hidden = system.relations, system.state != PUBLISHED
    is_open = hidden[full.variable]
    rises, falls = (
        np.bincount(full.row[is_open & (np.sign(full.coefficient) == sign)], minlength=len(full.exact))
        for sign in (1, -1)
    )
    start, variable, coefficient = full.start.tolist(), full.variable.tolist(), full.coefficient.tolist()
    for row in np.flatnonzero(full.exact & ((rises > 0) != (falls > 0))).tolist():
        entries = range(start[row], start[row + 1])
        open_ones = [entry for entry in entries if hidden[variable[entry]]]
        cells = [variable[entry] for entry in open_ones]
        sign = coefficient[open_ones[0]]
        if len(set(cells)) != len(cells) or (system.state[cells] == DECLARED).any():
            continue
        told = [entry for entry in entries if not hidden[variable[entry]]]
        if told and all(people.is_invoiced(variable[entry]) for entry in told):
            continue
        value = -sum(coefficient[entry] * int(system.value[variable[entry]]) for entry in told) * sign
        left = people.left([variable[entry] for entry in told]) if variable[start[row]] not in cells else 0
        found.setdefault(frozenset(cells), (value, left))
    return found


def _closed(sums: Mapping[Cells, Known], people: _People) -> dict[Cells, Known]:
    """Return sums with all differences of two of which one lies within the other."""
    known = dict(sums)
    holding: dict[int, set[Cells]] = {}
    for cells in known:
        for cell in cells:
            holding.setdefault(cell, set()).add(cells)
    waiting = sorted(known, key=lambda cells: (len(cells), min(cells)))
    while waiting:
        small = waiting.pop(0)
        larger = set.intersection(*(holding[cell] for cell in small)) - {small}
        for large in sorted(larger, key=lambda cells: (len(cells), min(cells))):
            rest = large - small
            if len(large) > _WIDEST or rest in known:
                continue
            known[rest] = (known[large][0] - known[small][0], known[large][1] - people.most(small))
            for cell in rest:
                holding[cell].add(rest)
            waiting.append(rest)
    return known


class _People:
    """Bounds the true people of cells, and says which cells can share one."""

    def __init__(self, packages: Sequence[ParsedPackage], system: System, rules: RuleBook, truth: Truth) -> None:
        self._packages = {package.release: package for package in packages}
        self._rules, self._truth, self._system = rules, truth, system
        self._measures = list({m.name: m for p in packages for t in p.shape.tables for m in t.measures}.values())
        self._known: dict[int, int | None] = {}
        self._apart = {
            level
            for package in packages
            for table in package.shape.tables
            for dimension in table.dimensions
            if dimension.partitions_people
            for level in dimension.levels
        }

    def least(self, cells: Cells) -> int | None:
        """Return how many people cells hold at least, as far as can be proved; None if a cell's truth is not known."""
        heads = [self._heads(cell) for cell in sorted(cells)]
        numbers = [known for known in heads if known is not None]
        if len(numbers) < len(heads):
            return None
        places = [self._named(cell) for cell in sorted(cells)]
        are_apart = all(self._are_apart(one, other) for n, one in enumerate(places) for other in places[:n])
        return sum(numbers) if are_apart else max(numbers)

    def most(self, cells: Cells) -> int:
        """Return how many people cells hold at most: everybody counted in each; a number above all where unknown."""
        heads = [self._heads(cell) for cell in cells]
        return sum(_ENDLESS if known is None else known for known in heads)

    def is_invoiced(self, variable: int) -> bool:
        """Say whether a cell is a total that the invoice tells anyway: all of its parts together are no more."""
        at = self._system.row_of(variable)
        if at is None:
            return False
        package, measure = self._packages[at[0]], self._measures[variable % self._system.width]
        return bool(invoiced_rows(package, package.tables[at[1]], measure.family)[at[2]])

    def left(self, told: Sequence[int]) -> int:
        """Return how many people of a told total are not in its told parts: at least those less all of these."""
        if not told:
            return 0
        whole, *parts = (self._heads(variable) for variable in told)
        return 0 if whole is None else whole - sum(_ENDLESS if part is None else part for part in parts)

    def _heads(self, variable: int) -> int | None:
        """Return the people of a variable's cell in its family; None where no truth is known."""
        if variable not in self._known:
            self._known[variable] = self._look_up(variable)
        return self._known[variable]

    def _look_up(self, variable: int) -> int | None:
        at = self._system.row_of(variable)
        if at is None:
            return None
        release, name, row = at
        package = self._packages[release]
        table, measure = package.tables[name], self._measures[variable % self._system.width]
        spec = self._rules.of(package.shape.report).families.get(measure.family)
        for column in (spec.counted, spec.heads) if spec else ():
            true = self._truth.column(release, table, column) if column else None
            if true is not None:
                return int(true[row])
        return None

    def _named(self, variable: int) -> dict[str, str]:
        at = self._system.row_of(variable)
        if at is None:
            return {}
        package = self._packages[at[0]]
        table = package.tables[at[1]]
        named = zip(table.shape.columns, table.coordinates[at[2]], strict=True)
        return {"period": package.shape.period, **{column: place for column, place in named if place != ALL}}

    def _are_apart(self, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
        """Say whether nobody can be in two cells of a period: they name different categories of what parts people."""
        return one.get("period") == other.get("period") and any(
            one[level] != other[level] for level in self._apart.intersection(one, other)
        )
