"""What it takes for a withheld number to stay open, and the one judge of it: a table that a reader cannot rule out.

What belongs here: what must be protected in a block, and the check of a witness. What does not: finding witnesses. Who
proposes one (`one_way`, `two_way`, `linear`) is not trusted; this check is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from quorum.disclosure.equations import Block
from quorum.disclosure.grid import Bools, Ints

UNBOUNDED = 1 << 50
"""Stands for no upper bound; sums of a thousand of them still fit into int64."""


@dataclass(eq=False)
class Base:
    """The heads of the family that makes a cell: nobody clicked who was not there.

    Args:
        layer: the numbers of people of the cells.
        published: their status.
        tables: some of the tables of people that a reader cannot rule out, beside the truth: (number, cells). Grows as
            more are found.
        parts: of a linked block, the same of each of its parts by itself.

    Guarantee:
        Each table was let pass by `accept`.

    Source: disclosure.md, attack 3 (impressions >= people >= clickers).
    """

    layer: Layer
    published: Bools
    tables: Ints
    parts: tuple[Base, ...] = ()


@dataclass(frozen=True, eq=False)
class Layer:
    """One number a cell that obeys the block's equations and that a reader tries to narrow down.

    Args:
        name: e.g. ``clicks.heads``.
        values: the true numbers, one a cell.
        reach: what each withheld number must be able to reach; 0 where only 0 matters.
        base: what bounds the numbers from above, cell by cell; None where nothing does.
        found: tables that programs found in earlier states, for another try: programs are slow, `accept` is not.

    Guarantee:
        Values add up in every equation of the block.

    Source: disclosure.md, rule 6.
    """

    name: str
    values: Ints
    reach: int
    base: Base | None = None
    found: list[Ints] = field(default_factory=list)

    @cached_property
    def upper(self) -> Ints:
        """The true bound of each cell.

        Guarantee:
            No value is above it. Where people of the base are fewer than these, the bound is no fact and binds nothing:
            `UNBOUNDED`.

        Source: disclosure.md, attack 3.
        """
        if self.base is None:
            return np.full(len(self.values), UNBOUNDED, dtype=np.int64)
        bound = self.base.layer.values
        return np.where(self.values <= bound, bound, UNBOUNDED)

    @cached_property
    def goals(self) -> Ints:
        """What each cell must be able to reach.

        Guarantee:
            ``reach``, or the published bound if that is less: a reader knows that it cannot be more.

        Source: disclosure.md, rule 6: min(threshold, known total).
        """
        if self.base is None:
            return np.full(len(self.values), self.reach, dtype=np.int64)
        return np.where(self.base.published, np.minimum(self.reach, self.upper), self.reach)


@dataclass(frozen=True, eq=False)
class Protection:
    """What must hold of the withheld cells of a block in one family.

    Args:
        block: the cells and their equations.
        layers: the numbers to keep open.
        heads: people of the family in each cell who count (rule 5), or a lower bound.
        threshold: people that every residual must hold.
        in_parts: whether of a linked block only the parts list the family, each by itself.

    Guarantee:
        If every layer is open and every residual holds ``threshold`` people, rule 6 holds in the block.

    Source: disclosure.md, rule 6.
    """

    block: Block
    layers: tuple[Layer, ...]
    heads: Ints
    threshold: int
    in_parts: bool = False


def accept(block: Block, layer: Layer, published: Bools, tables: Ints) -> Bools:
    """Say which proposed tables a reader of the published cells cannot rule out.

    Args:
        block: the equations.
        layer: the true numbers and what bounds them.
        published: status of each cell.
        tables: proposals, (number, cells), whole numbers below 2**53, int64.

    Returns:
        One entry a proposal.

    Guarantee:
        Where True, the proposal is whole and nonnegative, has every published number and adds up in every equation; and
        some table of the base, the truth or one that was accepted itself, is nowhere below it. A reader who holds this
        layer and its base cannot tell it from the truth.

    Source: the auditing problem, Fischetti and Salazar, Math. Program. 84 (1999) 283; disclosure.md, rule 6.
    """
    same = np.all(tables[:, published] == layer.values[published], axis=1)
    accepted = same & np.all(tables >= 0, axis=1)
    off = block.sparse @ tables[accepted].T
    accepted[accepted] = ~np.any(off, axis=0)
    if layer.base is not None and accepted.any():
        accepted[accepted] = _fit(layer, layer.base, tables[accepted])
    return np.asarray(accepted)


def _fit(layer: Layer, base: Base, tables: Ints) -> Bools:
    """Say which tables stay within some table of the base."""
    fits = np.all(tables <= layer.upper, axis=1)
    if not fits.all() and len(base.tables):
        rest = np.flatnonzero(~fits)
        bounds = np.where(layer.upper < UNBOUNDED, base.tables, UNBOUNDED)
        fits[rest] = np.any(np.all(tables[rest, None] <= bounds[None], axis=2), axis=1)
    return np.asarray(fits)


def unproven(layer: Layer, published: Bools, accepted: Ints) -> tuple[Ints, Ints]:
    """Return the withheld cells that no accepted table shows at 0, and those that none shows where they must reach.

    Args:
        layer: goals.
        published: status of each cell.
        accepted: tables that `accept` let pass, (number, cells).

    Returns:
        Two arrays of cells. The truth counts as a table.

    Guarantee:
        A withheld cell in neither array can be 0 and can be at least min(threshold, what it is known to be at most).

    Source: disclosure.md, rule 6.
    """
    lowest, highest = layer.values, layer.values
    if len(accepted):
        lowest = np.minimum(lowest, accepted.min(axis=0))
        highest = np.maximum(highest, accepted.max(axis=0))
    return np.flatnonzero(~published & (lowest > 0)), np.flatnonzero(~published & (highest < layer.goals))


def unproven_of_base(layer: Layer, accepted: Ints) -> tuple[Ints, Ints]:
    """Return the withheld cells of the base that are no longer shown to be open once the layer is held beside it.

    Args:
        layer: with its base; without one nothing is to be shown.
        accepted: tables of the layer that `accept` let pass, (number, cells).

    Returns:
        Two arrays of cells as of `unproven`, about the numbers of people: those not shown at 0, and not at their goal,
        by a table of the base that has room for some accepted table of the layer, or for the truth.

    Guarantee:
        A withheld cell of the base in neither array is still open for a reader who holds both.

    Source: disclosure.md, attack 3 (impressions >= people >= clickers).
    """
    if layer.base is None or layer.base.published.all():
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    base = layer.base
    bound = ~base.published & (layer.upper < UNBOUNDED)
    people, own = base.tables[:, bound], np.concatenate([layer.values[None], accepted])[:, bound]
    has_room = np.all(people >= own[0], axis=1)
    rest = np.flatnonzero(~has_room)
    has_room[rest] = np.any(np.all(people[rest, None] >= own[None], axis=2), axis=1)
    return unproven(base.layer, base.published, base.tables[has_room])
