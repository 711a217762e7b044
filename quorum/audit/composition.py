"""Attack 7: what all releases together say of one attribute of somebody whose others are known.

What belongs here: candidate values, intersected over tables and releases, and how alike the people of a told group are.
What does not: counts that follow (`quorum.audit.elimination`); measures of microdata (`quorum.measure`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log

import numpy as np

from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.places import margins
from quorum.audit.propagation import Floats
from quorum.audit.record import Claim, Findings
from quorum.audit.rules import RuleBook
from quorum.audit.system import System
from quorum.audit.targeting import Targeted
from quorum.tables.shape import ALL


@dataclass
class _Group:
    """People of whom all but one attribute is known: what the releases leave possible for that one.

    Args:
        release: the last that narrowed it.
        where: table and coordinates of the group there.
        candidates: values that are possible in every release.
        people: the most that a release tells of them.
    """

    release: str
    where: tuple[str, ...]
    candidates: set[str]
    people: int = 0


@dataclass
class _Alike:
    """How alike the people of told groups are: sums over them, and the worst group."""

    people: int = 0
    guessed: int = 0
    guessed_before: int = 0
    distinct: float = field(default=np.inf)
    entropy: float = field(default=np.inf)
    distance: float = 0.0

    def add(self, parts: Sequence[int], of_all: Sequence[int]) -> None:
        """Add a group: people by value in it, and among all people of the key."""
        total, everybody = sum(parts), sum(of_all)
        shares, all_shares = [part / total for part in parts], [part / everybody for part in of_all]
        self.people += total
        self.guessed += max(parts)
        self.guessed_before += parts[max(range(len(of_all)), key=lambda n: of_all[n])]
        self.distinct = min(self.distinct, float(np.count_nonzero(parts)))
        self.entropy = min(self.entropy, exp(-sum(share * log(share) for share in shares if share)))
        self.distance = max(self.distance, sum(max(0.0, s - a) for s, a in zip(shares, all_shares, strict=True)))


def intersect(packages: Sequence[ParsedPackage], rules: RuleBook, system: System, high: Floats) -> Findings:
    """Claim groups of people of whose one attribute all releases together leave one value.

    Somebody is known to be in every release: all attributes but one are known, and that one is asked. A value is
    possible in a release if its cell may be above 0 there. Attributes are those by which tables part people, and
    whether they are in a family (clicked) of those who are in the one it requires.

    Args:
        packages: held together by one attacker.
        rules: families.
        system: of the packages; its variables are the cells.
        high: upper end of each variable, by propagation.

    Returns:
        One claim a group with one candidate; targets are the groups. Beside them, over the groups whose attribute is
        told whole: how often the commonest value of the group is right (guesses and hits), and that of the key
        (baseline); the fewest different values (l), the smallest exp of entropy (entropy l), and the largest distance
        of a group's shares from those of the key (t, the equal distance).

    Guarantee:
        Without a claim nobody in a told group is left with one candidate, however many of the releases they are in.
        What targeting fixes, and a table of one category, is public and no claim. How likely a candidate is, is
        measured and not judged.

    Source: disclosure.md, attack 7; Ganta, Kasiviswanathan and Smith, KDD 2008 (composition); Machanavajjhala et al.
        2007 (l-diversity); Li, Li and Venkatasubramanian 2007 (t-closeness).
    """
    possible = _Possible(system, high)
    groups: dict[tuple[object, ...], _Group] = {}
    alike = _Alike()
    claims: list[Claim] = []
    for package in packages:
        own = rules.of(package.shape.report)
        for table in package.tables.values():
            heads = {m.family: m.name for m in table.shape.measures if m.kind == "heads" and m.family in own.families}
            for family in [family for family in heads if own.base(family) == family]:
                for place, candidates, narrowed in _groups(package, table, family, heads[family], possible, alike):
                    group = groups.setdefault(place, _Group(package.release, narrowed.where, set(candidates)))
                    if not group.candidates <= candidates:
                        group.candidates &= candidates
                        group.release, group.where = package.release, narrowed.where
                    group.people = max(group.people, narrowed.people)
            claims += _everybody_did(package, table, heads, {f: own.families[f].requires for f in heads})
    for (*_, column), group in groups.items():
        if len(group.candidates) == 1 and group.people:
            says = f"all {group.people} people known by the rest have one {column}"
            claims.append(Claim(group.release, group.where, str(column), says, None))
    measured = {"people": alike.people, "t_equal": alike.distance}
    if alike.people:
        measured |= {"distinct_l": alike.distinct, "entropy_l": alike.entropy}
    baseline = alike.guessed_before / alike.people if alike.people else None
    return Findings(len(groups), tuple(claims), baseline, guesses=alike.people, hits=alike.guessed, measured=measured)


class _Possible:
    """The largest value that is possible for each cell that a package withholds."""

    def __init__(self, system: System, high: Floats) -> None:
        self._high = {
            (target.release, target.table, target.coordinates, target.measure): high[target.variable]
            for target in system.targets
        }

    def most(self, package: ParsedPackage, table: ParsedTable, row: int, measure: str, family: str) -> float:
        if table.published[family][row]:
            return float(table.values[measure][row])
        place = (package.release, table.shape.name, table.coordinates[row], measure)
        return float(self._high.get(place, np.inf))


def _groups(
    package: ParsedPackage, table: ParsedTable, family: str, heads: str, possible: _Possible, alike: _Alike
) -> Iterator[tuple[tuple[object, ...], set[str], _Group]]:
    """Yield (who they are and what is asked of them, candidates, the group) for each told margin of a table."""
    targeted, shown, values = Targeted(package, table), table.published[family], table.values[heads]
    place_of_column = {column: at for at, column in enumerate(table.shape.columns)}
    parting = {level for d in table.shape.dimensions if d.partitions_people for level in d.levels}
    everybody: dict[tuple[str, str], list[int]] = {}
    for column, whole, listed in margins(table, package.shape.groups):
        parts = [row for row in listed if not targeted.zero[row]]
        at = place_of_column[column]
        place = table.coordinates[whole]
        is_public = len(parts) < 2 or any(targeted.is_fixed(row, column, parts) for row in parts)
        if column not in parting or is_public or not shown[whole] or not values[whole]:
            continue
        candidates = {
            table.coordinates[row][at] for row in parts if possible.most(package, table, row, heads, family) > 0
        }
        who = tuple((c, v) for c, v in zip(table.shape.columns, place, strict=True) if c != column)
        group = _Group(package.release, (table.shape.name, *place), candidates, int(values[whole]))
        yield (table.shape.universe, family, who, column), candidates, group
        if shown[parts].all():
            counts = [int(values[row]) for row in parts]
            if all(level == ALL for level in place[1:]):
                everybody[place[0], column] = counts
            of_all = everybody.get((place[0], column), [])
            if len(of_all) == len(counts) and sum(of_all) > 0:
                alike.add(counts, of_all)


def _everybody_did(
    package: ParsedPackage, table: ParsedTable, heads: Mapping[str, str], requires: Mapping[str, str | None]
) -> Iterator[Claim]:
    """Yield told cells in which everybody is in a family of those who are in the one it requires."""
    for family, required in requires.items():
        if required in heads:
            shown = table.published[family] & table.published[str(required)]
            people, more = table.values[heads[str(required)]], table.values[heads[family]]
            for row in np.flatnonzero(shown & (people > 0) & (more >= people)).tolist():
                where = (table.shape.name, *table.coordinates[row])
                yield Claim(package.release, where, family, f"all {people[row]} people are in {family}", True)
