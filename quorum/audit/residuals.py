"""Attack 5: every difference of published facts that leaves a sum of withheld cells, and how many people it is about.

What belongs here: finding such sums and bounding their people. What does not: equations (`quorum.audit.equations`), and
single cells that follow (`quorum.audit.elimination`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from quorum.audit.package import ParsedPackage
from quorum.audit.record import Claim, Findings
from quorum.audit.rules import RuleBook
from quorum.audit.system import DECLARED, Relations, System, Target, by_variable
from quorum.audit.truth import Truth
from quorum.tables.shape import ALL

_WIDEST = 64
"""Cells: a sum of more of them is not subtracted from another."""

Cells = frozenset[int]


def differences(
    packages: Sequence[ParsedPackage], system: System, reduced: Relations, rules: RuleBook, truth: Truth
) -> Findings:
    """Claim every known sum of withheld cells that is about too few people.

    Known sums are what margins, groups, linked tables and periods leave over, and differences of two such sums of which
    one lies within the other, again and again.

    Args:
        packages: held together by one attacker.
        system: of the packages.
        reduced: its relations with published values put in.
        rules: thresholds.
        truth: true people of each cell, where they are known.

    Returns:
        One claim a sum; targets are the known sums. Without truth only what the files show is claimed: a sum of fewer
        events, or people, than the threshold is about fewer people.

    Guarantee:
        Without a claim each known sum above 0 has so many events, and with truth holds so many people by the provable
        bound: the sum of the people of its cells where no two cells can share one, else those of the largest cell.
        Declared totals are left aside, and sums that an unlisted part of a period may enter. With truth too a sum of 0
        is about nobody only if the total of which it is left is 0.

    Source: disclosure.md, rule 6 and attack 5.
    """
    aimed = by_variable(system.targets)
    place = _Places(packages, rules, truth)
    sums = {cells: value for cells, value in _closed(_sums(reduced, system)) if value and cells <= set(aimed)}
    claims = []
    for cells, value in sums.items():
        targets = [aimed[variable][0] for variable in sorted(cells)]
        threshold = targets[0].threshold
        people = place.people([aimed[variable] for variable in sorted(cells)])
        fewest = value if people is None else min(value, people)
        if fewest < threshold:
            first = targets[0]
            says = f"{len(cells)} cells hold {value}, of {fewest} people at most"
            correct = None if people is None else people < threshold
            claims.append(Claim(first.release, (first.table, *first.coordinates), first.measure, says, correct))
    return Findings(len(sums), tuple(claims), 0.0)


def _sums(reduced: Relations, system: System) -> dict[Cells, int]:
    """Return the relations that say what a sum of withheld cells is."""
    found: dict[Cells, int] = {}
    start, variable, coefficient = reduced.start.tolist(), reduced.variable.tolist(), reduced.coefficient.tolist()
    for row in np.flatnonzero(reduced.exact).tolist():
        entries = slice(start[row], start[row + 1])
        signs, cells = set(coefficient[entries]), variable[entries]
        if len(signs) == 1 and len(set(cells)) == len(cells) and not (system.state[cells] == DECLARED).any():
            found.setdefault(frozenset(cells), -int(reduced.constant[row]) * signs.pop())
    return found


def _closed(sums: Mapping[Cells, int]) -> Iterable[tuple[Cells, int]]:
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
            known[rest] = known[large] - known[small]
            for cell in rest:
                holding[cell].add(rest)
            waiting.append(rest)
    return known.items()


class _Places:
    """Looks up the true people of cells, and says which cells can share one."""

    def __init__(self, packages: Sequence[ParsedPackage], rules: RuleBook, truth: Truth) -> None:
        self._packages = {package.release: package for package in packages}
        self._rules, self._truth = rules, truth
        self._row: dict[tuple[str, str], dict[tuple[str, ...], int]] = {}
        self._apart = {
            level
            for package in packages
            for table in package.shape.tables
            for dimension in table.dimensions
            if dimension.partitions_people
            for level in dimension.levels
        }

    def people(self, cells: Sequence[Sequence[Target]]) -> int | None:
        """Return how many people cells hold at least, as far as can be proved; None if a cell's truth is not known."""
        heads = [self._heads(cell) for cell in cells]
        if any(known is None for known in heads):
            return None
        numbers = [known for known in heads if known is not None]
        places = [self._named(cell[0]) for cell in cells]
        are_apart = all(self._are_apart(one, other) for n, one in enumerate(places) for other in places[:n])
        return sum(numbers) if are_apart else max(numbers)

    def _heads(self, cell: Sequence[Target]) -> int | None:
        """Return the people of a cell, from any table that tells them."""
        for target in cell:
            package = self._packages[target.release]
            table, family = package.tables[target.table], self._rules.of(package.shape.report).families[target.family]
            for name in (family.counted, family.heads):
                true = self._truth.column(target.release, table, name) if name else None
                if true is not None:
                    rows = self._row.setdefault((target.release, target.table), {})
                    if not rows:
                        rows |= {coordinates: row for row, coordinates in enumerate(table.coordinates)}
                    return int(true[rows[target.coordinates]])
        return None

    def _named(self, target: Target) -> dict[str, str]:
        package = self._packages[target.release]
        columns = package.tables[target.table].shape.columns
        named = {c: at for c, at in zip(columns, target.coordinates, strict=True) if at != ALL}
        return {"period": package.shape.period, **named}

    def _are_apart(self, one: Mapping[str, str], other: Mapping[str, str]) -> bool:
        """Say whether nobody can be in two cells: of one period, they name different categories of what parts people."""
        return one["period"] == other["period"] and any(
            one[level] != other[level] for level in self._apart.intersection(one, other)
        )
