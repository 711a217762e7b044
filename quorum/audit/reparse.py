"""Attack 1: read the published cells again and hold each against the rules, in the files and in the truth.

What belongs here: rules that one cell, or a cell and its margin, can break. What does not: what follows from several
cells (`quorum.audit.elimination`, `quorum.audit.propagation`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from quorum.audit.codes import sums_with_room
from quorum.audit.equations import AMOUNT
from quorum.audit.invoiced import invoiced_rows
from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.periods import parts_of
from quorum.audit.places import Place, margins, place_of
from quorum.audit.plans import changed_plans
from quorum.audit.reach import told_for_both
from quorum.audit.record import Claim, Findings
from quorum.audit.rules import RuleBook, Rules
from quorum.audit.system import Bools, Ints
from quorum.audit.targeting import Targeted
from quorum.audit.truth import Truth
from quorum.tables.periods import kind_of
from quorum.tables.shape import ALL, Measure
from quorum.tables.targeting import named_n

Sums = Sequence[tuple[str, int, list[int]]]
"""Margins as (column summed over, row of the margin, rows of its categories)."""


def read_again(packages: Sequence[ParsedPackage], rules: RuleBook, truth: Truth) -> Findings:
    """Claim every published cell that breaks a rule.

    Args:
        packages: held together by one attacker.
        rules: by report.
        truth: heads, people who count and rests that the packages do not carry, where they are known.

    Returns:
        One claim for each broken rule of a cell; targets are the published cells, counted as (row, family).

    Raises:
        ReleaseError: the rules do not cover a report or a family.

    Guarantee:
        Without a claim, in every published cell: heads and events reach the threshold, or are 0 below a margin that is
        published as 0 or outside the targeting that the package states, where nothing but 0 is told; events are at
        least the heads; the family it requires is published, there or in every shorter period in hand; with its margin,
        it leaves enough people outside, unless targeting fixes the category; the plan that the package states tells it
        in this kind of period and at this level; published parts add up to their published margin; tables of a universe
        agree. Totals that a month declares (impressions, clicks, cost) are exempt from thresholds and from the plan,
        and from nothing else. With truth the same holds for people who count (rule 5), which are in no file, and enough
        of them are in the cell outside the family, and in what is withheld of a published margin, declared or not.
        Heads stand only where every dimension partitions people, and for a period or for parts of it, never for both.
        Packages of one month state one plan for a key.
        In no sum is there room for what a recipient supplies (`quorum.audit.codes`).

    Source: disclosure.md, rules 1 to 7, attack 1; architecture.md, "A report package".
    """
    readings = [
        _Reading(package, table, rules.of(package.shape.report), truth)
        for package in packages
        for table in package.tables.values()
    ]
    targets = sum(int(shown.sum()) for reading in readings for shown in reading.table.published.values())
    claims = [claim for reading in readings for claim in reading.violations()]
    together = (*_disagreements(packages), *_required_of_parts(packages, rules), *told_for_both(packages))
    besides = (*changed_plans(packages), *sums_with_room(packages, rules, truth))
    return Findings(targets, (*claims, *together, *besides), 0.0)


@dataclass(frozen=True)
class _Reading:
    """One table under the rules of its report."""

    package: ParsedPackage
    table: ParsedTable
    rules: Rules
    truth: Truth

    def violations(self) -> Iterator[Claim]:
        """Yield every rule broken in the table."""
        sums = list(margins(self.table, self.package.shape.groups))
        targeted = Targeted(self.package, self.table)
        for family in self.table.shape.families:
            declared = invoiced_rows(self.package, self.table, family)
            if family not in self.rules.families:
                yield from self._without_rule(family, declared)
                continue
            yield from self._against_targeting(family, targeted)
            empty = self._zero_below_zero(family, sums) | targeted.zero
            zero = empty | declared
            yield from self._under_threshold(family, zero)
            yield from self._required_family(family)
            yield from self._against_plan(family, declared)
            yield from self._nobody_outside_group(family, sums, zero, targeted)
            yield from self._few_people_left(family, sums, empty)
            yield from self._nobody_outside_family(family, zero)
            yield from self._fewer_events_than_people(family)
        for measure in self.table.shape.measures:
            yield from self._misplaced_heads(measure)
            yield from self._wrong_totals(measure, sums)

    def _without_rule(self, family: str, declared: Bools) -> Iterator[Claim]:
        """Yield published cells of a family that no rule knows, but for declared totals."""
        if not all(m.name.endswith(AMOUNT) for m in self.table.shape.measures if m.family == family):
            self.rules.threshold(family)  # refuses
        for row in np.flatnonzero(self.table.published[family] & ~declared).tolist():
            yield self._claim(row, "rule", f"{family} is published and is no declared total")

    def _measures(self, family: str, kind: str) -> list[Measure]:
        return [m for m in self.table.shape.measures if m.family == family and m.kind == kind and m.name.endswith("_n")]

    def _all(self, family: str) -> list[Measure]:
        return [m for m in self.table.shape.measures if m.family == family]

    def _heads(self, family: str) -> tuple[Ints | None, Bools]:
        """Return the people who count of all rows as far as they are known, and where; else heads in the files.

        People who count are some of the heads, in a margin, in a group and outside it: where heads in the files break a
        rule, people who count do.
        """
        for name in (self.rules.families[family].counted, self.rules.families[family].heads):
            true = self.truth.column(self.package.release, self.table, name) if name else None
            if true is not None:
                return true, np.ones(len(true), dtype=np.bool_)
        shown = self.table.published[family]
        for measure in self._measures(family, "heads"):
            return self.table.values[measure.name], shown
        return None, np.zeros(len(shown), dtype=np.bool_)

    def _zero_below_zero(self, family: str, sums: Sums) -> Bools:
        """Return the cells that are 0 because a margin published as 0 contains them."""
        excused = np.zeros(len(self.table.coordinates), dtype=np.bool_)
        shown = self.table.published[family]
        for measure in self._measures(family, "count"):
            values = self.table.values[measure.name]
            for _, whole, parts in sums:
                if shown[whole] and values[whole] == 0:
                    excused[parts] = values[parts] == 0
        return excused

    def _under_threshold(self, family: str, zero: Bools) -> Iterator[Claim]:
        threshold, shown = self.rules.threshold(family), self.table.published[family]
        columns = {
            m.name: self.table.values[m.name] for kind in ("count", "heads") for m in self._measures(family, kind)
        }
        for name in (self.rules.families[family].heads, self.rules.families[family].counted):
            true = self.truth.column(self.package.release, self.table, name) if name else None
            if name and true is not None:
                columns[name] = true
        for name, values in columns.items():
            for row in np.flatnonzero(shown & ~zero & (values < threshold)).tolist():
                yield self._claim(row, "threshold", f"{name} is {values[row]}, under {threshold}")

    def _required_family(self, family: str) -> Iterator[Claim]:
        required = self.table.published.get(self.rules.families[family].requires or "")
        if required is not None:
            for row in np.flatnonzero(self.table.published[family] & ~required).tolist():
                yield self._claim(row, "requires", f"{family} is published, what it requires is not")

    def _against_plan(self, family: str, declared: Bools) -> Iterator[Claim]:
        """Yield cells that the plan keeps for another period, or leaves to a coarser level."""
        shape = self.package.shape
        if not shape.plan:
            return
        kind, name = kind_of(shape.period), self.table.shape.name
        for row in np.flatnonzero(self.table.published[family] & ~declared).tolist():
            place = self.table.coordinates[row]
            plan = shape.plan.get(place[0])
            if plan is None or plan.permits(kind, name, family, self._most_named[row]):
                continue
            number, is_zero = self._named[place]
            if not is_zero and not plan.permits(kind, name, family, number):
                yield self._claim(row, "plan", f"{family} is published where the plan has another period or level")

    @cached_property
    def _most_named(self) -> list[int]:
        """How many categories each row names at most: counted without looking at siblings and targeting."""
        return [len(place) - place.count(ALL) - 1 for place in self.table.coordinates]

    @cached_property
    def _named(self) -> dict[tuple[str, ...], tuple[int, bool]]:
        """How many categories each row names, and whether targeting makes it 0."""
        table, targeting = self.table.shape, self.package.shape.targeting
        said = zip(named_n(table, targeting), self.package.shape.zeros(table), strict=True)
        return dict(zip(table.coordinates(), said, strict=True))

    def _against_targeting(self, family: str, targeted: Targeted) -> Iterator[Claim]:
        """Yield cells outside the targeting that are not told as 0, by the files or by the truth."""
        shown = self.table.published[family]
        for row in np.flatnonzero(targeted.zero & ~shown).tolist():
            yield self._claim(row, "targeting", f"{family} is withheld outside the targeting, where all is 0")
        truths = {m.name: self.truth.column(self.package.release, self.table, m.name) for m in self._all(family)}
        for name, true in truths.items():
            filled = (self.table.values[name] != 0) | (False if true is None else true != 0)
            for row in np.flatnonzero(targeted.zero & filled).tolist():
                yield self._claim(row, "targeting", f"{name} is not 0 outside the targeting")

    def _nobody_outside_group(self, family: str, sums: Sums, zero: Bools, targeted: Targeted) -> Iterator[Claim]:
        """Yield cells that hold nearly all people of their margin.

        A margin with one category is that category under another name, as everybody can see: nothing to protect. Nor
        where targeting fixes the category: whoever is in the margin is in it, or unknown.
        """
        heads, known = self._heads(family)
        if heads is None:
            return
        shown = self.table.published[family] & known & ~zero
        for column, whole, listed in sums:
            parts = [row for row in listed if not targeted.zero[row]]
            for row in parts if len(parts) > 1 and known[whole] else ():
                is_few = shown[row] and heads[whole] - heads[row] < self.rules.outside
                if is_few and not targeted.is_fixed(row, column, parts):
                    yield self._claim(row, "outside group", f"{heads[whole] - heads[row]} of its margin over {column}")

    def _few_people_left(self, family: str, sums: Sums, zero: Bools) -> Iterator[Claim]:
        """Yield margins whose withheld parts, which follow as one number, are about too few people who count.

        Where people add up their number is the sum. Else it is at least that of the largest part, or the margin's own
        where no part is published but those that are 0 beforehand: then what is left is the margin. Which other parts a
        reader finds empty is not asked: they add nobody.
        """
        rules, shown = self.rules.families[family], self.table.published[family]
        true = self.truth.column(self.package.release, self.table, rules.counted or rules.heads)
        if true is None:
            return
        adds_up = bool(self._measures(family, "heads"))
        for column, whole, parts in sums:
            left = [row for row in parts if not shown[row]]
            is_margin = not adds_up and all(zero[row] for row in parts if shown[row])
            if shown[whole] and not zero[whole] and left and not is_margin:
                people = true[left].sum() if adds_up else true[left].max()
                if people < self.rules.threshold(family):
                    yield self._claim(whole, "residual", f"{people} people in what is withheld over {column}")

    def _nobody_outside_family(self, family: str, zero: Bools) -> Iterator[Claim]:
        """Yield cells nearly all of whose people are in the family."""
        rest = self.rules.families[family].rest
        true = self.truth.column(self.package.release, self.table, rest) if rest else None
        if true is not None:
            few = self.table.published[family] & ~zero & (true < self.rules.outside)
            for row in np.flatnonzero(few).tolist():
                yield self._claim(row, "outside family", f"{true[row]} people outside {family}")

    def _fewer_events_than_people(self, family: str) -> Iterator[Claim]:
        for count in self._measures(family, "count"):
            for heads in self._measures(family, "heads"):
                fewer = self.table.values[count.name] < self.table.values[heads.name]
                for row in np.flatnonzero(fewer).tolist():
                    yield self._claim(row, "events", f"{count.name} is less than {heads.name}")

    def _misplaced_heads(self, measure: Measure) -> Iterator[Claim]:
        """Yield a head count in a table where one person may be in two categories."""
        for dimension in self.table.shape.dimensions if measure.kind == "heads" else ():
            summed = dimension.levels if dimension.has_margin else dimension.levels[1:]
            if not set(summed) <= set(measure.additive_over):
                says = f"{measure.name} for the margin and for parts that overlap in {dimension.levels[-1]}"
                yield Claim(self.package.release, (self.table.shape.name,), "heads", says, True)

    def _wrong_totals(self, measure: Measure, sums: Sums) -> Iterator[Claim]:
        if not measure.additive_over:
            return
        shown = self.table.published[measure.family].tolist()  # margins are short: faster than arrays
        values = self.table.values[measure.name].tolist()
        for column, whole, parts in sums:
            if (
                column in measure.additive_over
                and shown[whole]
                and all(shown[row] for row in parts)
                and sum(values[row] for row in parts) != values[whole]
            ):
                yield self._claim(whole, "total", f"{measure.name} is not the sum over {column}")

    def _claim(self, row: int, rule: str, says: str) -> Claim:
        return Claim(self.package.release, (self.table.shape.name, *self.table.coordinates[row]), rule, says, True)


def _required_of_parts(packages: Sequence[ParsedPackage], rules: RuleBook) -> Iterator[Claim]:
    """Yield cells of longer periods whose required family shorter ones tell, but one in hand withholds it there."""
    read: dict[tuple[str, str, str], dict[Place, bool]] = {}
    for package in packages:
        for table in package.tables.values():
            families = rules.of(package.shape.report).families
            required = {f: families[f].requires for f in table.shape.families if f in families}
            elsewhere = {f: of for f, of in required.items() if of is not None and of not in table.shape.families}
            if not elsewhere:
                continue
            shown = {f: np.flatnonzero(table.published[f]).tolist() for f in elsewhere}
            for part in _parts_in_hand(package, packages):
                for family, of in elsewhere.items():
                    key = (part.release, table.shape.universe, of)
                    if key not in read:
                        read[key] = _told(part, table.shape.universe, of)
                    for row in shown[family]:
                        place = table.coordinates[row]
                        if read[key].get(place_of(table.shape.columns, place)) is False:
                            where = (table.shape.name, *place)
                            says = f"{family} is published, {of} of {part.shape.period} is not"
                            yield Claim(package.release, where, "requires", says, True)


def _parts_in_hand(package: ParsedPackage, packages: Sequence[ParsedPackage]) -> list[ParsedPackage]:
    """Return packages of the same recipient and report whose period lies within a longer one."""
    owner = (package.shape.recipient_id, package.shape.report)
    own = [other for other in packages if (other.shape.recipient_id, other.shape.report) == owner]
    within = {part for parts, _ in parts_of(package.shape.period, [p.shape.period for p in own]) for part in parts}
    return [other for other in own if other.shape.period in within]


def _told(package: ParsedPackage, universe: str, family: str) -> dict[Place, bool]:
    """Return, for the cells of a package, whether a family is published in them."""
    return {
        place_of(table.shape.columns, place): bool(shown)
        for table in package.tables.values()
        if table.shape.universe == universe and family in table.published
        for place, shown in zip(table.coordinates, table.published[family], strict=True)
    }


def _disagreements(packages: Sequence[ParsedPackage]) -> Iterator[Claim]:
    """Yield cells that two tables of a universe and period list with different values, or one of them withheld."""
    listed: dict[tuple[str, str], dict[Place, tuple[ParsedTable, int]]] = {}
    for package in packages:
        for table in package.tables.values():
            columns, first = table.shape.columns, listed.setdefault((table.shape.universe, package.shape.period), {})
            for row, coordinates in enumerate(table.coordinates):
                other, other_row = first.setdefault(place_of(columns, coordinates), (table, row))
                if other is not table:
                    for name in _differing(table, row, other, other_row):
                        says = f"{name} differs from {other.shape.name}"
                        yield Claim(package.release, (table.shape.name, *coordinates), "agreement", says, True)


def _differing(table: ParsedTable, row: int, other: ParsedTable, other_row: int) -> list[str]:
    theirs = {measure.name: _reads(other, measure, other_row) for measure in other.shape.measures}
    return [m.name for m in table.shape.measures if m.name in theirs and _reads(table, m, row) != theirs[m.name]]


def _reads(table: ParsedTable, measure: Measure, row: int) -> int | None:
    return int(table.values[measure.name][row]) if table.published[measure.family][row] else None
