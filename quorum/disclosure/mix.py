"""Who is there: the share of a campaign in each category, from released cells, the catalogue and targeting.

What belongs here: shares, and how withheld cells are filled in between. What does not: sizes and rates
(`quorum.disclosure.history`), and anything that was counted and not released.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from quorum.disclosure.alone import inner_dimensions
from quorum.disclosure.grid import Ints, coordinates_of
from quorum.disclosure.synthetic import Component, Floats
from quorum.tables.shape import Dimension, TableShape
from quorum.tables.targeting import UNKNOWN, Targets

HIDDEN = -1
"""Stands for a number that is withheld."""

OTHER = "other"
_BESIDE = 0.05
"""Weight of what is beside the names of a key set, where nothing of it was ever told."""

_ROUNDS = 30
_FITTING_ROUNDS = 10

Axes = tuple[Dimension, ...]


@dataclass(frozen=True)
class _Seen:
    """Released cells over some dimensions, one row a campaign and day, with the total beside them."""

    rows_of: dict[str, list[int]] = field(default_factory=dict)
    cells: list[Ints] = field(default_factory=list)
    totals: list[int] = field(default_factory=list)

    def of(self, keys: Iterable[str]) -> tuple[Ints, Ints]:
        """Return cells and totals of some campaigns."""
        rows = [row for key in keys for row in self.rows_of.get(key, ())]
        cells = np.array([self.cells[row] for row in rows], dtype=np.int64)
        return cells, np.array([self.totals[row] for row in rows], dtype=np.int64)


class Mix:
    """Released cells of campaigns, and the shares that they let one expect.

    Args:
        recipient_of: campaign to recipient.
        targets_of: campaign to its targeting, empty where it is aimed at nobody.

    Guarantee:
        Shares are a function of the catalogue and of released cells.

    Source: disclosure.md, rules 7 and 10.
    """

    def __init__(self, recipient_of: Mapping[str, str], targets_of: Mapping[str, Targets]) -> None:
        self._targets = targets_of
        self._aimed = [key for key in recipient_of if targets_of[key]]
        self._open = [key for key in recipient_of if not targets_of[key]]
        self._recipient = recipient_of
        self._mine: dict[str, list[str]] = {}
        for key in self._open:
            self._mine.setdefault(recipient_of[key], []).append(key)
        self._seen: dict[tuple[str, Axes], _Seen] = {}
        self._pooled: dict[tuple[str, Axes, str | None], Floats] = {}

    def see(self, table: TableShape, key: str, family: str, values: Ints) -> None:
        """Take in the rows of one campaign, day, table and family: its finest cells, and those of each dimension.

        Args:
            table: of this key alone.
            key: the campaign.
            family: the family.
            values: one a row, `HIDDEN` where withheld; the total is told and above 0.

        Guarantee:
            Nothing is concluded from a withheld cell but that it is withheld.

        Source: disclosure.md, rule 7 (earlier released cells).
        """
        own = inner_dimensions(table)
        grid = values.reshape([len(coordinates_of(dimension)) for dimension in own])
        everything = tuple(range(len(own)))
        for places in dict.fromkeys([*((place,) for place in everything), everything]):
            at = [_finest(d) if place in places else np.zeros(1, dtype=np.int64) for place, d in enumerate(own)]
            seen = self._seen.setdefault((family, tuple(own[place] for place in places)), _Seen())
            seen.rows_of.setdefault(key, []).append(len(seen.cells))
            seen.cells.append(grid[np.ix_(*at)].ravel())
            seen.totals.append(int(values[0]))

    def expect(self, key: str, component: Component, family: str, base: Floats | None) -> Floats:
        """Return the shares of a campaign over the dimensions of a component.

        Args:
            key: the campaign.
            component: tables of this key alone.
            family: the family.
            base: the shares of the family that it requires, None if it requires none.

        Returns:
            One axis a dimension of the component, summing to 1: each dimension as released, or as expected where it was
            not; together as the tables have them together.

        Guarantee:
            As of the class; what targeting leaves out has no share unless it was released.

        Source: disclosure.md, rules 7 and 10; Dempster, Laird and Rubin (1977) for the cells withheld in between;
            Deming and Stephan (1940) for the fit.
        """
        nested = {column for table in component.tables for column in table.dimensions[0].levels[1:]}
        margins = {
            place: self._own(key, (dimension,), family, None if base is None else _margin(base, [place]), nested)
            for place, dimension in enumerate(component.dimensions)
        }
        shares = _outer(list(margins.values())) if base is None else _fit(base, margins)
        for table in component.tables:
            own = inner_dimensions(table)
            if len(own) > 1:
                places = [component.columns.index(dimension.levels[-1]) for dimension in own]
                prior = None if base is None else _margin(shares, places)
                shares = _scaled(shares, self._own(key, own, family, prior, nested), places)
        return _fit(shares, margins)

    def _own(self, key: str, axes: Axes, family: str, base: Floats | None, nested: set[str]) -> Floats:
        """Return the shares of a campaign: what its own releases leave open is as it is with others."""
        if base is None:
            base = self._pool(axes, family, self._recipient[key], nested)
            if self._targets[key]:
                base = self._aim(key, axes, family, base)
        sizes = [len(dimension.keys) for dimension in axes]
        return _maximised(*self._of(family, axes, [key]), base.ravel(), 1).reshape(sizes)

    def _pool(self, axes: Axes, family: str, recipient: str | None, nested: set[str]) -> Floats:
        """Return the shares of the campaigns of a recipient, or of all, that are aimed at nobody."""
        place = (family, axes, recipient)
        if place not in self._pooled:
            if recipient is not None:
                keys, rounds = self._mine.get(recipient, []), 1
                prior = self._pool(axes, family, None, nested)
            else:
                keys, rounds = self._open, _ROUNDS
                prior = _outer([self._start(dimension, family, nested, len(axes)) for dimension in axes])
            self._pooled[place] = _maximised(*self._of(family, axes, keys), prior.ravel(), rounds).reshape(prior.shape)
        return self._pooled[place]

    def _start(self, dimension: Dimension, family: str, nested: set[str], axis_n: int) -> Floats:
        """Return shares to start from: those of the dimension alone; of the dimension alone, all equal.

        What is beside the names of a key set is taken for little until it is told; creatives are all listed.
        """
        if axis_n > 1:
            return self._pool((dimension,), family, None, nested)
        beside = 0.0 if nested & set(dimension.levels) else _BESIDE
        return _normal(np.array([beside if path[-1] in (OTHER, UNKNOWN) else 1.0 for path in dimension.keys]))

    def _aim(self, key: str, axes: Axes, family: str, shares: Floats) -> Floats:
        """Return shares among those at whom a campaign is aimed, and those of whom nobody knows whether they are.

        As many are unknown as in what was told of this campaign; else of others that are aimed; else as of those of the
        others' people whom it is aimed at.
        """
        shares = _normal(np.where(_outer([self._wanted(key, d) for d in axes]) > 0, shares, 0.0))
        unknown = np.array([path[-1] == UNKNOWN for path in axes[0].keys])
        if len(axes) > 1 or not unknown.any() or unknown.all() or not axes[0].partitions_people:
            return shares
        every = [other for of, other in self._seen if of == family and len(other) == 1 and other[0].partitions_people]
        for keys, columns in (([key], every), (self._aimed, [axes]), (self._aimed, every)):
            told = [share for column in columns for share in self._unknown(keys, column, family)]
            if told:
                given = float(np.mean(told))
                return np.where(unknown, given / unknown.sum(), _normal(np.where(unknown, 0.0, shares)) * (1 - given))
        return shares

    def _unknown(self, keys: Sequence[str], axes: Axes, family: str) -> list[float]:
        """Return the shares of people unknown in a dimension, where they were told."""
        at = [i for i, path in enumerate(axes[0].keys) if path[-1] == UNKNOWN]
        cells, totals = self._of(family, axes, keys)
        if not len(totals) or not at:
            return []
        told = cells[:, at].min(axis=1) > 0
        return list(cells[told][:, at].sum(axis=1) / totals[told])

    def _wanted(self, key: str, dimension: Dimension) -> Floats:
        listed = self._targets[key].get(dimension.levels[-1])
        return np.array(
            [listed is None or path[-1] == UNKNOWN or path[-1] in listed for path in dimension.keys], dtype=np.float64
        )

    def _of(self, family: str, axes: Axes, keys: Iterable[str]) -> tuple[Ints, Ints]:
        return self._seen.get((family, axes), _Seen()).of(keys)


def _finest(dimension: Dimension) -> Ints:
    """Return the positions of the finest categories among the coordinates, in the order of the keys."""
    position = {coordinate: i for i, coordinate in enumerate(coordinates_of(dimension))}
    return np.array([position[path] for path in dimension.keys], dtype=np.int64)


def _maximised(cells: Ints, totals: Ints, prior: Floats, rounds: int) -> Floats:
    """Return the shares under which what was told is most likely: what is withheld is spread as is expected by now.

    One round takes the prior for granted where cells are withheld; more forget it.
    """
    if not len(totals):
        return prior
    hidden = cells == HIDDEN
    known = np.where(hidden, 0, cells)
    left = np.maximum(totals - known.sum(axis=1), 0)
    shares = prior
    for _ in range(rounds):
        parts = hidden * shares
        whole = parts.sum(axis=1, keepdims=True)
        spread = np.divide(parts, whole, out=np.zeros_like(parts), where=whole > 0) * left[:, None]
        shares = _normal((known + spread).sum(axis=0))
    return shares


def _normal(shares: Floats) -> Floats:
    total = shares.sum()
    return shares / total if total else np.full(shares.shape, 1 / shares.size)


def _outer(margins: Sequence[Floats]) -> Floats:
    whole: Floats = np.ones(())
    for margin in margins:
        whole = np.asarray(np.multiply.outer(whole, margin), dtype=np.float64)
    return whole


def _margin(shares: Floats, places: Sequence[int]) -> Floats:
    """Return shares over some axes alone, in the order named."""
    letters = "abcdefghijklmnopqrstuvwxyz"
    return np.asarray(np.einsum(f"{letters[: shares.ndim]}->{''.join(letters[p] for p in places)}", shares))


def _scaled(shares: Floats, target: Floats, places: Sequence[int]) -> Floats:
    """Return shares whose margin over some axes is replaced; axes of the target as named."""
    now = _margin(shares, places)
    factor = np.divide(target, now, out=np.zeros_like(now), where=now > 0)
    turned = np.transpose(factor, np.argsort(places))
    scaled: Floats = shares * turned.reshape([size if i in places else 1 for i, size in enumerate(shares.shape)])
    return scaled


def _fit(shares: Floats, margins: Mapping[int, Floats]) -> Floats:
    """Return the shares nearest to these that have the margins: iterative proportional fitting."""
    for _ in range(_FITTING_ROUNDS):
        for place, margin in margins.items():
            shares = _scaled(shares, margin, [place])
    return _normal(shares)
