"""A campaign that has not happened yet: cubes drawn from what is expected of it.

What belongs here: drawing people and events, and counting them as the cubes of a night do. What does not: what is
expected (`quorum.disclosure.history`), rules, and anything that was counted: what is drawn here is about nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from quorum.disclosure.alone import inner_dimensions
from quorum.disclosure.grid import Ints, coordinate_columns, coordinates_of
from quorum.disclosure.types import PackageCube
from quorum.policy import FamilySpec
from quorum.tables.shape import ALL, Dimension, PackageShape, TableShape

Floats = NDArray[np.float64]
Columns = tuple[str, ...]

_KEPT_TO = frozenset({"device"})
"""What a person keeps to for a day, mostly, although nobody has to: who has two telephones is in two categories."""


@dataclass(frozen=True)
class Component:
    """Tables that are linked because they share a dimension, and the dimensions that they have between them.

    Args:
        dimensions: without the report's key; those by which people are divided first.
        tables: in order.
    """

    dimensions: tuple[Dimension, ...]
    tables: tuple[TableShape, ...]

    @property
    def columns(self) -> Columns:
        """The finest column of each dimension: the name of the component."""
        return tuple(dimension.levels[-1] for dimension in self.dimensions)

    @property
    def divided_n(self) -> int:
        """How many of the dimensions people are divided by."""
        return sum(divides(dimension) for dimension in self.dimensions)


@dataclass(frozen=True)
class Outlook:
    """What is expected of a campaign in a day.

    Args:
        impressions: a day.
        impressions_per_person: in a day, 1 or more.
        clicks_per_impression: 0 to 1.
        clicks_per_clicker: in a day, 1 or more.
        conversions_per_click: 0 or more.
        spread: how far delivery may lie from what is expected, as a share of it.
        shares: family and columns of a component to the share of events in each of its finest cells, one axis a
            dimension; sums to 1.
        basis: what the first numbers are from: ``own`` releases, those of the ``recipient``, of ``all``; ``assumed`` by
            the policy. By ``impressions``, ``people``, ``clicks``, ``conversions``.
    """

    impressions: float
    impressions_per_person: float
    clicks_per_impression: float
    clicks_per_clicker: float
    conversions_per_click: float
    spread: float
    shares: Mapping[tuple[str, Columns], Floats]
    basis: Mapping[str, str] = field(default_factory=dict)

    def events(self, family: str) -> float:
        """Return the expected events of a family in a day.

        Args:
            family: name of the family.

        Guarantee:
            Those that `draw_cube` draws on average.

        Source: disclosure.md, rule 10.
        """
        clicks = self.impressions * self.clicks_per_impression
        rates = {"clicks": clicks, "conversions": clicks * self.conversions_per_click}
        return rates.get(family, self.impressions)


@dataclass(frozen=True)
class _Totals:
    """Events and people of a family."""

    events: int
    people: int


def divides(dimension: Dimension) -> bool:
    """Say whether people are drawn into one category each.

    Args:
        dimension: of a table.

    Guarantee:
        So is every dimension that partitions people.

    Source: disclosure.md, rule 6 (dimensions that do not partition people).
    """
    return dimension.partitions_people or dimension.levels[-1] in _KEPT_TO


def components(shape: PackageShape) -> list[Component]:
    """Return the tables of one key's package by what links them.

    Args:
        shape: of one key.

    Returns:
        Components in the order of their first tables.

    Guarantee:
        Two tables with a column in common are in one component.

    Source: architecture.md, "A report package" (tables that list the same cell carry the same value).
    """
    groups: list[tuple[set[str], list[TableShape]]] = []
    for table in shape.tables:
        columns = {dimension.levels[-1] for dimension in inner_dimensions(table)}
        linked = [group for group in groups if group[0] & columns]
        merged = (
            columns.union(*(own for own, _ in linked)),
            [*(one for _, tables in linked for one in tables), table],
        )
        groups = [group for group in groups if group not in linked] + [merged]
    return [_component(tables) for _, tables in groups]


def draw_cube(
    shape: PackageShape,
    outlook: Outlook,
    families: Sequence[FamilySpec],
    days: int,
    delivered: float,
    rng: np.random.Generator,
) -> PackageCube:
    """Draw what a package of a campaign could be made of.

    Args:
        shape: the package, of one key.
        outlook: what is expected.
        families: the first is seen; each later one happens to those of the one it requires.
        days: days of the period. Nobody is taken to come back on a second one.
        delivered: what is delivered of what is expected, 1 for all of it.
        rng: where the luck comes from.

    Returns:
        A cube of the shape that adds up: people and events in whole numbers.

    Guarantee:
        A function of its arguments; no number in it was counted.

    Source: disclosure.md, rule 10 (feasibility is a function of public facts and of earlier releases).
    """
    totals = _totals(outlook, families, days, delivered, rng)
    tables: dict[str, dict[str, Ints]] = {table.name: {} for table in shape.tables}
    for component in components(shape):
        people: dict[str, Ints] = {}
        for family in families:
            shares = outlook.shares[family.name, component.columns]
            room = None if family.requires is None else people[family.requires]
            people[family.name] = _people(totals[family.name].people, _of_people(component, shares), room, rng)
            events = _events(totals[family.name], people[family.name], shares, rng)
            for table in component.tables:
                counts, heads = _count(table, component, events, people[family.name])
                tables[table.name] |= {family.count: counts, family.heads: heads, family.judged: heads}
        seen = families[0].heads
        for table in component.tables:
            own = tables[table.name]
            own |= {f.rest: np.maximum(own[seen] - own[f.heads], 0) for f in families if f.rest is not None}
    return PackageCube(
        shape, {table.name: pa.table({**coordinate_columns(table), **tables[table.name]}) for table in shape.tables}
    )


def _component(tables: Sequence[TableShape]) -> Component:
    dimensions = {dimension.levels[-1]: dimension for table in tables for dimension in inner_dimensions(table)}
    ordered = sorted(dimensions.values(), key=lambda dimension: not divides(dimension))
    return Component(tuple(ordered), tuple(tables))


def _totals(
    outlook: Outlook, families: Sequence[FamilySpec], days: int, delivered: float, rng: np.random.Generator
) -> dict[str, _Totals]:
    """Draw events and people of each family; nobody can do what they were not there for."""
    per_event = {"clicks": outlook.clicks_per_impression, "conversions": outlook.conversions_per_click}
    per_person = {"clicks": outlook.clicks_per_clicker, "conversions": 1.0}
    totals: dict[str, _Totals] = {}
    for family in families:
        if family.requires is None:
            events = int(rng.poisson(outlook.impressions * days * delivered))
            people = round(events / outlook.impressions_per_person)
        else:
            above = totals[family.requires]
            events = int(rng.poisson(above.events * per_event[family.name]))
            people = min(round(events / per_person[family.name]), above.people)
            events = events if people else 0
        totals[family.name] = _Totals(events, max(people, min(events, 1)))
    return totals


def _of_people(component: Component, shares: Floats) -> Floats:
    """Return shares over the dimensions that divide people alone."""
    return np.asarray(shares.sum(axis=tuple(range(component.divided_n, shares.ndim))), dtype=np.float64)


def _people(number: int, shares: Floats, room: Ints | None, rng: np.random.Generator) -> Ints:
    """Draw who they are; where there are fewer people than drawn, the others are elsewhere."""
    drawn = np.asarray(rng.multinomial(number, _normal(shares.ravel())), dtype=np.int64)
    if room is not None:
        over = int(np.maximum(drawn - room.ravel(), 0).sum())
        drawn = np.minimum(drawn, room.ravel())
        while over:
            left = room.ravel() - drawn
            more = np.minimum(rng.multinomial(over, left / left.sum()), left)
            drawn, over = drawn + more, over - int(more.sum())
    return drawn.reshape(shares.shape)


def _events(totals: _Totals, people: Ints, shares: Floats, rng: np.random.Generator) -> Ints:
    """Draw the events of people, at least one each, over all dimensions."""
    if totals.people == 0:
        return np.zeros(shares.shape, dtype=np.int64)
    each = people.ravel()
    each = each + rng.multinomial(totals.events - totals.people, each / each.sum())
    inner = shares.reshape(people.size, -1)
    return np.array([rng.multinomial(n, _normal(row)) for n, row in zip(each, inner, strict=True)]).reshape(
        shares.shape
    )


def _normal(shares: Floats) -> Floats:
    total = shares.sum()
    return shares / total if total else np.full(shares.shape, 1 / shares.size)


def _count(table: TableShape, component: Component, events: Ints, people: Ints) -> tuple[Ints, Ints]:
    """Return the events and people of each row of a table.

    Where a table's dimensions do not divide people, those in a cell are as many as would be there if everybody had
    equally many events, and met the cell with each of them by chance.
    """
    own = inner_dimensions(table)
    columns = [dimension.levels[-1] for dimension in own]
    ordered = sorted(own, key=lambda dimension: component.columns.index(dimension.levels[-1]))
    ordered_columns = [dimension.levels[-1] for dimension in ordered]
    dropped = tuple(i for i, column in enumerate(component.columns) if column not in columns)
    events = events.sum(axis=dropped)
    people = people.sum(axis=tuple(i for i in dropped if i < component.divided_n))
    loose = [dimension for dimension in ordered if not divides(dimension)]
    first_loose = len(ordered) - len(loose)
    for place, dimension in enumerate(loose, first_loose):
        events = _widen(events, place, dimension)
    whole = events.reshape(*people.shape, -1)[..., :1].reshape(*people.shape, *([1] * len(loose)))
    heads = _met(events, whole, people.reshape(whole.shape))
    for place, dimension in enumerate(ordered[:first_loose]):
        events, heads = _widen(events, place, dimension), _widen(heads, place, dimension)
    order = [ordered_columns.index(column) for column in columns]
    return np.transpose(events, order).ravel(), np.transpose(heads, order).ravel()


def _met(events: Ints, whole: Ints, people: Ints) -> Ints:
    """Return how many of some people have one of these events, of all events that they have."""
    there = np.maximum(people, 1)
    missed = (1 - events / np.maximum(whole, 1)) ** (whole / there)
    met = np.ceil(people * (1 - missed) - 1e-9).astype(np.int64)
    return np.minimum(np.where(events == whole, people, met), events)


def _widen(values: Ints, place: int, dimension: Dimension) -> Ints:
    """Replace the axis of a dimension's finest categories by one of all its coordinates."""
    coordinates = coordinates_of(dimension)
    paths = [tuple(level for level in coordinate if level != ALL) for coordinate in coordinates]
    holds = np.array([[key[: len(path)] == path for key in dimension.keys] for path in paths], dtype=np.int64)
    return np.moveaxis(np.tensordot(holds, values, axes=(1, place)), 0, place)
