"""The shape of a report package: dimensions with their public keys, measures, tables.

This is all that the defender (`quorum.disclosure`), the attacker (`quorum.audit`) and the writer (`quorum.release`)
have in common. What belongs here: frozen descriptions. What does not: numbers, and opinions about them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product

ALL = "ALL"


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
    def families(self) -> tuple[str, ...]:
        """The families, in order of their measures."""
        return tuple(dict.fromkeys(measure.family for measure in self.measures))

    def coordinates(self) -> Iterator[tuple[str, ...]]:
        """Yield every row's coordinates, in the order of the published file."""
        for parts in product(*(tuple(dimension.coordinates()) for dimension in self.dimensions)):
            yield tuple(value for part in parts for value in part)


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
    """

    recipient_id: str
    report: str
    period: str
    tables: tuple[TableShape, ...]
    invariants: tuple[Mapping[str, object], ...] = ()
    groups: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def table(self, name: str) -> TableShape:
        """Return a table by name.

        Raises:
            KeyError: the package has no such table.
        """
        for table in self.tables:
            if table.name == name:
                return table
        raise KeyError(name)
