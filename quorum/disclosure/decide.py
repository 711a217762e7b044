"""One key of a report: its families in order, each within what the one it requires left open.

What belongs here: what may be published by itself, what must stay open, and in which order families are decided. What
does
not: the rules and proofs themselves (`primary`, `suppress`), and whole packages (`control`).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from quorum.disclosure import primary
from quorum.disclosure.equations import LINKED, TWO_WAY, Block
from quorum.disclosure.grid import Bools, Ints, coordinates_of
from quorum.disclosure.linear import settle
from quorum.disclosure.linked import parts_of
from quorum.disclosure.suppress import suppress, tells_total
from quorum.disclosure.two_way import find_tables
from quorum.disclosure.types import PackageCube
from quorum.disclosure.witness import Base, Layer, Protection, accept
from quorum.errors import ConfigurationError
from quorum.policy import FamilySpec, RuleSet
from quorum.tables.periods import kind_of
from quorum.tables.shape import TableShape
from quorum.tables.targeting import UNKNOWN

Told = Mapping[str, Mapping[str, Bools]]
"""Family to table to one entry a row."""


class Values:
    """The measures of a cube by column and table, read once.

    Args:
        cube: what was counted.
        families: of the report.
        told_elsewhere: family to table to the rows whose number other packages tell, period by period.
        kept_back: family to the keys of the report of which it is withheld as a whole.

    Guarantee:
        Every number is the cube's own; of rows that are one cell there is one number, or an error.

    Source: architecture.md, "A report package" (two tables that list the same cell carry the same value).
    """

    def __init__(
        self,
        cube: PackageCube,
        families: Sequence[FamilySpec],
        told_elsewhere: Told = MappingProxyType({}),
        kept_back: Mapping[str, Collection[str]] = MappingProxyType({}),
    ) -> None:
        columns = {column for family in families for column in family.columns}
        tables = [table.name for table in cube.shape.tables]
        kind = kind_of(cube.shape.period)
        self._planned_out = {
            family.name: {
                table.name: np.array(cube.shape.planned_out(kind, table, family.name), dtype=np.bool_)
                | _of_keys(table, kept_back.get(family.name, ()))
                for table in cube.shape.tables
            }
            for family in families
        }
        self._elsewhere = told_elsewhere
        self._is_known = {table.name: _is_known(table) for table in cube.shape.tables}
        self._families = {table.name: frozenset(table.families) for table in cube.shape.tables}
        self._exact = {column: {table: cube.values(table, column) for table in tables} for column in sorted(columns)}
        self._at_most = {
            column: {table: cube.heads_at_most.get(table, {}).get(column, of[table]) for table in tables}
            for column, of in self._exact.items()
        }

    def of(self, block: Block, column: str) -> Ints:
        """Return a measure, one a cell of the block.

        Raises:
            ConfigurationError: two rows that are one cell differ.

        Guarantee:
            As of the class.

        Source: architecture.md, "A report package".
        """
        cells = block.gather(self._exact[column])
        if not block.agrees(self._exact[column], cells):
            raise ConfigurationError("cube.sums", f"{column} differs in rows that are the same cell", "one number")
        return cells

    def worth(self, block: Block, column: str) -> Ints:
        """Return what is lost with each cell of a block: its events, nothing for a cell that names ``unknown``.

        Nobody plans by the category unknown, and in a line it is often the one that can be withheld for the others.
        Where a table crosses others, cells that a smaller one lists come first: it is to take none of them.

        Guarantee:
            It decides in which order cells are tried, never which of them may be published.

        Source: disclosure.md, "Utility" (margins and ``unknown`` not counted).
        """
        worth = np.where(block.gather(self._is_known), self.of(block, column), 0)
        if block.form == TWO_WAY:
            largest = max(len(rows) for _, rows, _ in block.rows)
            margins = [cells for _, rows, cells in block.rows if len(rows) < largest]
            worth[np.unique(np.concatenate([*margins, np.zeros(0, dtype=np.int64)]))] += worth.max()
        return worth

    def is_planned(self, block: Block, family: str) -> Bools:
        """Return which cells of a block the plan lets a family be told for, and are not kept back.

        Guarantee:
            Every row that is the cell may be told.

        Source: disclosure.md, rule 7.
        """
        planned = np.ones(block.size, dtype=np.bool_)
        for table, rows, cell in block.rows:
            planned[cell[self._planned_out[family][table][rows]]] = False
        return planned

    def is_told_elsewhere(self, block: Block, family: str) -> Bools:
        """Return which cells of a block other packages tell, in every period that this one is made of.

        Guarantee:
            A cell all of whose rows are told.

        Source: disclosure.md, rule 1 (clicks only where impressions are).
        """
        told = np.zeros(block.size, dtype=np.bool_)
        if family in self._elsewhere:
            told[:] = True
            for table, rows, cell in block.rows:
                told[cell[~self._elsewhere[family][table][rows]]] = False
        return told

    def listed(self, block: Block, family: str) -> list[bool]:
        """Return, table by table, whether a block tells a family at all.

        Guarantee:
            As of the shape.

        Source: architecture.md, "A report package".
        """
        return [family in self._families[table] for table in block.tables]

    def at_most(self, block: Block, column: str) -> Ints:
        """Return upper bounds of a head count, one a cell of the block.

        Guarantee:
            No cell has more people than its bound.

        Source: disclosure.md, rule 2.
        """
        return block.gather(self._at_most[column])


def _is_known(table: TableShape) -> Ints:
    """Return 1 for the rows of a table that do not name the category unknown, 0 for the others."""
    known = np.ones(1, dtype=np.int64)
    for dimension in table.dimensions:
        own = np.array([UNKNOWN not in path for path in coordinates_of(dimension)], dtype=np.int64)
        known = (known[:, None] * own).ravel()
    return known


def decide(
    blocks: Sequence[Block], values: Values, rule_set: RuleSet, families: Sequence[FamilySpec]
) -> dict[str, list[Bools]]:
    """Decide which cells of one key of the report are published, family by family.

    Args:
        blocks: of the key and universe.
        values: of the cube.
        rule_set: the numbers of the rules.
        families: a family comes after the one it requires.

    Returns:
        Family to the status of each cell, block by block.

    Raises:
        ConfigurationError: rows that are one cell differ, or totals differ between tables.
        ReleaseError: the result fails its own checks.

    Guarantee:
        Rules 1, 2, 6 and 7 hold for each family; and rule 6 for each family together with the one that makes its cells,
        for a reader who knows that nobody clicked who was not there.

    Source: disclosure.md, rules 1, 2, 6 and 7, attack 3 (impressions >= people >= clickers).
    """
    _refuse_unequal_totals(blocks, values, families)
    roomy: set[int] = set()
    while True:
        decided, stuck = _decide_once(blocks, values, rule_set, families, roomy)
        if stuck <= roomy:
            return decided
        roomy |= stuck


def _decide_once(
    blocks: Sequence[Block], values: Values, rule_set: RuleSet, families: Sequence[FamilySpec], roomy: set[int]
) -> tuple[dict[str, list[Bools]], set[int]]:
    """Decide every family, and name the blocks in which what was published before forbids the total of a later one.

    In ``roomy`` blocks less of the first family is published, so that this does not happen: the total of clicks is
    worth more than some categories of one table.
    """
    decided: dict[str, list[Bools]] = {}
    bases: dict[str, list[Base | None]] = {}
    stuck: set[int] = set()
    for family in families:
        eligible, protections = [], []
        for index, block in enumerate(blocks):
            required = None
            if family.requires is not None:
                required = decided[family.requires][index] | values.is_told_elsewhere(block, family.requires)
            base = None if family.requires is None else bases[family.requires][index]
            eligible.append(
                _passes_alone(block, values, rule_set, family, required) & values.is_planned(block, family.name)
            )
            if family.requires is None and index in roomy:
                eligible[-1] &= _leaves_room(block, values, family, families)
            protections.append(_protection(block, values, rule_set, family, base))
        needing = _needing(family, families)
        own = [i for i, block in enumerate(blocks) if any(any(values.listed(block, name)) for name in needing)]
        states = suppress(
            [protections[index] for index in own],
            [eligible[index] for index in own],
            [values.worth(blocks[index], family.count) for index in own],
        )
        chosen = [np.zeros(block.size, dtype=np.bool_) for block in blocks]
        for index, state in zip(own, states, strict=True):
            chosen[index] = state
        decided[family.name] = chosen
        if family.requires is None:
            inside = [_largest_inside(block, values, families) for block in blocks]
            bases[family.name] = [_base(*one) for one in zip(protections, chosen, inside, strict=True)]
        else:
            bases[family.name] = bases[family.requires]
            stuck |= {
                index
                for index in own
                if protections[index].block.partitions
                and eligible[index][0] > chosen[index][0]
                and not tells_total(protections[index], eligible[index])
            }
    return decided, stuck


def _needing(family: FamilySpec, families: Sequence[FamilySpec]) -> list[str]:
    """Return a family and those that rest on it: what they rest on is decided though other packages tell it."""
    found = [family.name]
    for other in families:
        if other.requires in found:
            found.append(other.name)
    return found


def _passes_alone(block: Block, values: Values, rule_set: RuleSet, family: FamilySpec, required: Bools | None) -> Bools:
    """Return which cells pass rules 1 and 2, by the people who count."""
    heads = values.of(block, family.judged)
    rest = None if family.rest is None else values.of(block, family.rest)
    free = ~block.fixed
    return (
        primary.has_enough_heads(heads, rule_set.heads[family.name])
        & primary.has_required(required, block.size)
        & primary.leaves_people_beside(rest, rule_set.outside, block.size)
        & primary.leaves_people_of_parent(
            heads, values.at_most(block, family.judged), block.child[free], block.parent[free], rule_set.outside
        )
    )


def _leaves_room(block: Block, values: Values, family: FamilySpec, families: Sequence[FamilySpec]) -> Bools:
    """Return which cells have as many people beside them as the total of any family that requires this one.

    Where a category has nearly all people of a campaign, publishing their number would say of the published total of
    clicks how many are theirs at least.
    """
    people = values.of(block, family.heads)
    inside = _largest_inside(block, values, families)
    room = np.asarray(people[0] - people >= inside[0])
    room[0] = True
    return room


def _protection(block: Block, values: Values, rule_set: RuleSet, family: FamilySpec, base: Base | None) -> Protection:
    """Return what must stay open in a block.

    Where people add up, a reader may hold head counts and events: heads must be able to be 0 and to reach the
    threshold, and events beyond one a head must be able to be 0. Both together let events be 0 and reach the threshold.
    Residuals must hold the threshold of people who count: so each withheld cell must be able to reach it in a table of
    theirs, beside what they are in published cells. It must be able to be 0 there as well, for a reader who planted
    those who do not count knows how many they are.
    """
    counts, heads = values.of(block, family.count), values.of(block, family.heads)
    counted = values.of(block, family.judged)
    threshold = rule_set.heads[family.name]
    if not block.partitions:
        return Protection(block, (Layer(f"{family.name}.count", counts, threshold),), counted, threshold)
    layers = [
        Layer(f"{family.name}.heads", heads, threshold, base),
        Layer(f"{family.name}.excess", counts - heads, 0),
    ]
    if not np.array_equal(counted, heads):
        layers.append(Layer(f"{family.name}.counted", counted, threshold))
    in_parts = block.form == LINKED and not all(values.listed(block, family.name))
    return Protection(block, tuple(layers), counted, threshold, in_parts)


def _largest_inside(block: Block, values: Values, families: Sequence[FamilySpec]) -> Ints:
    """Return the people of each cell in the family, of those that require another, that has most of them there."""
    heads = [values.of(block, family.heads) for family in families if family.requires is not None]
    return np.asarray(np.max([np.zeros(block.size, dtype=np.int64), *heads], axis=0), dtype=np.int64)


def _base(protection: Protection, published: Bools, inside: Ints) -> Base | None:
    """Return the heads of a decided family as bounds for those that require it; None where people do not add up."""
    block = protection.block
    if not block.partitions:
        return None
    layer = protection.layers[0]
    tables = np.zeros((0, block.size), dtype=np.int64)
    if block.form == LINKED:
        cells = [at for _, at in block.parts]
        bases = (_base(p, published[at], inside[at]) for p, at in zip(parts_of(protection), cells, strict=True))
        found = np.array(layer.found, dtype=np.int64).reshape(-1, block.size)
        tables = found[accept(block, layer, published, found)]
        return Base(layer, published, tables, tuple(base for base in bases if base is not None))
    if block.form == TWO_WAY and published.any():
        proposed = [find_tables(protection, layer, published, keep) for keep in (inside, None)]
        _, tables = settle(block, layer, published, np.concatenate(proposed))
    return Base(layer, published, tables)


def _of_keys(table: TableShape, keys: Collection[str]) -> Bools:
    """Return which rows of a table are of some keys of the report."""
    return np.array([place[0] in keys for place in table.coordinates()], dtype=np.bool_)


def _refuse_unequal_totals(blocks: Sequence[Block], values: Values, families: Sequence[FamilySpec]) -> None:
    rooted = [block for block in blocks if block.has_root]
    for column in (column for family in families for column in family.columns):
        if len({int(values.of(block, column)[0]) for block in rooted}) > 1:
            raise ConfigurationError("cube.sums", f"totals of {column} differ between tables", "one number a total")
