"""The shape of a report package: dimensions with their public keys, measures, tables.

This is all that the defender (`quorum.disclosure`), the attacker (`quorum.audit`) and the writer (`quorum.release`)
have in common. What belongs here: frozen descriptions. What does not: numbers, and opinions about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod

from quorum.tables.targeting import Targeting, excluded, named_n

ALL = "ALL"
EVERYONE, SEASONED = "everyone", "seasoned"
"""Who counts in the head counts of a package, within the number of one network (rule 5)."""


@dataclass(frozen=True)
class Dimension:
    """A dimension of a table.

    Args:
        levels: the columns of its levels, coarse to fine, e.g. ``("region", "prefecture")``.
        keys: the finest categories, each as its path, e.g. ``(("kanto", "tokyo"), ...)``. Public, complete, in order.
        has_margin: whether rows with ALL in every level exist. False for the key of a report (campaigns, sections).
        partitions_people: whether a person is in exactly one category, so that head counts sum.
    """

    levels: tuple[str, ...]
    keys: tuple[tuple[str, ...], ...]
    has_margin: bool = True
    partitions_people: bool = True

    def coordinates(self) -> Iterator[tuple[str, ...]]:
        """Yield every row's coordinate in this dimension, level by level: the margin, coarse categories, fine ones."""
        if self.has_margin:
            yield (ALL,) * len(self.levels)
        for depth in range(1, len(self.levels) + 1):
            seen = dict.fromkeys(path[:depth] for path in self.keys)
            for prefix in seen:
                yield prefix + (ALL,) * (len(self.levels) - depth)

    def depths(self) -> list[int]:
        """Return for every coordinate how many categories it names; one that has no sibling is its margin's own."""
        children: dict[tuple[str, ...], set[str]] = {}
        for path in self.keys:
            for depth in range(len(path)):
                children.setdefault(path[:depth], set()).add(path[depth])
        found = []
        for coordinate in self.coordinates():
            path = tuple(level for level in coordinate if level != ALL)
            steps = range(0 if self.has_margin else 1, len(path))
            own = 0 if self.has_margin else 1
            found.append(own + sum(len(children[path[:depth]]) > 1 for depth in steps))
        return found


@dataclass(frozen=True)
class Measure:
    """A measure.

    Args:
        name: the column, unit in the name.
        family: the family whose status governs it.
        kind: ``count`` (events) or ``heads`` (people).
        additive_over: columns of the dimensions over which it sums; ``period`` for time.
    """

    name: str
    family: str
    kind: str
    additive_over: tuple[str, ...]


@dataclass(frozen=True)
class TableShape:
    """A table of a package: the whole product of its dimensions' coordinates.

    Args:
        name: the resource's name.
        universe: tables of one universe share the cells whose coordinates are equal, ALL elsewhere.
        dimensions: in order; a dimension whose first level is the report's key nests below it.
        measures: in order.
    """

    name: str
    universe: str
    dimensions: tuple[Dimension, ...]
    measures: tuple[Measure, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The dimension columns, in order."""
        return tuple(level for dimension in self.dimensions for level in dimension.levels)

    @property
    def is_heads_only(self) -> bool:
        """Whether it tells people and no events: then events need not add up in it."""
        return bool(self.measures) and all(measure.kind == "heads" for measure in self.measures)

    @property
    def families(self) -> tuple[str, ...]:
        """The families, in order of their measures."""
        return tuple(dict.fromkeys(measure.family for measure in self.measures))

    def coordinates(self) -> Iterator[tuple[str, ...]]:
        """Yield every row's coordinates, in the order of the published file."""
        for parts in product(*(tuple(dimension.coordinates()) for dimension in self.dimensions)):
            yield tuple(value for part in parts for value in part)

    @property
    def row_n(self) -> int:
        """The number of rows."""
        return prod(sum(1 for _ in dimension.coordinates()) for dimension in self.dimensions)

    def named(self) -> Iterator[int]:
        """Yield for every row how many categories it names beside the report's key, which is the first column."""
        return named_n(self, {})


@dataclass(frozen=True)
class KeyPlan:
    """What was fixed beforehand for one key of a report: a campaign's periods and levels.

    Args:
        periods: family to ``day``, ``week`` or ``month``: the only kind of package that tells it.
        levels: table to family to level: how many categories a cell may name beside the key; 0 is the total alone.
    """

    periods: Mapping[str, str]
    levels: Mapping[str, Mapping[str, int]]

    def permits(self, kind: str, table: str, family: str, named_n: int) -> bool:
        """Say whether a cell may be told at all.

        Args:
            kind: of the package's period.
            table: name of the table.
            family: name of the family.
            named_n: categories that the cell names beside the key.
        """
        return self.periods.get(family) == kind and named_n <= self.levels.get(table, {}).get(family, 0)


@dataclass(frozen=True)
class PackageShape:
    """The public description of a package.

    Args:
        recipient_id: who receives it.
        report: which report of ``policy/reports.yaml``.
        period: e.g. ``2026-11-21``.
        tables: in order.
        invariants: totals declared as known to the recipient, as in ``quorum:invariants``.
        groups: child category to parent, by column, as in ``quorum:groups``.
        plan: key of the report to what was fixed for it, as in ``quorum:plan``; without an entry a key is told with all
            its levels.
        targeting: key of the report to column to the categories that are targeted, as in ``quorum:targeting``.
        head_counts: who counts, as in ``quorum:head_counts``: ``seasoned`` people, or ``everyone`` as long as the
            portal has no history that is old enough on one of the period's nights.
    """

    recipient_id: str
    report: str
    period: str
    tables: tuple[TableShape, ...]
    invariants: tuple[Mapping[str, object], ...] = ()
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    plan: Mapping[str, KeyPlan] = field(default_factory=dict)
    targeting: Targeting = field(default_factory=dict)
    head_counts: str = EVERYONE

    def table(self, name: str) -> TableShape:
        """Return a table by name.

        Raises:
            KeyError: the package has no such table.
        """
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)

    def planned_out(self, kind: str, table: TableShape, family: str) -> list[bool]:
        """Return, for each row of a table, whether the plan keeps a family out of packages of a kind.

        The report's key is the first column of every table. What targeting makes 0 is a public fact in every package.
        """
        plans = self.plan
        if not plans:
            return [False] * table.row_n
        return [
            not is_zero and place[0] in plans and not plans[place[0]].permits(kind, table.name, family, number)
            for place, number, is_zero in zip(
                table.coordinates(), named_n(table, self.targeting), self.zeros(table), strict=True
            )
        ]

    def zeros(self, table: TableShape) -> list[bool]:
        """Return, for each row of a table, whether public targeting makes it 0, whatever was counted."""
        return excluded(table, self.targeting)
