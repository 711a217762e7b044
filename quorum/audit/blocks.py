"""Blocks: the people of one key of a package, with all that its tables say about them.

What belongs here: which tables tell of people, and the groups of people that they tell of. What does not: attacks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.places import place_of
from quorum.audit.rules import Rules
from quorum.audit.system import Bools, Ints
from quorum.audit.targeting import Targeted
from quorum.audit.truth import Truth
from quorum.tables.shape import ALL

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class BlockTable:
    """What a table tells of a block.

    Args:
        name: of the table.
        columns: of its dimensions, the key left out.
        rows: the coordinates of every row of the block, without the key.
        leaves: positions of the finest rows: each person is in exactly one.
        holds: rows by leaves, whether the row contains the leaf.
        heads: people of each row, by family: published, else 0.
        shown: whether the row's family is published, by family.
        people: how many people of each family are in each leaf: the truth where it is known, else what is published,
            with the rest spread evenly.
    """

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    leaves: Ints
    holds: Bools
    heads: dict[str, Ints]
    shown: dict[str, Bools]
    people: dict[str, Ints]


@dataclass(frozen=True)
class Block:
    """The people of one key.

    Args:
        release: of which package.
        key: of the report.
        families: those whose heads are told, the one that makes the cell first.
        people: how many there are, by family, as their total is published.
        events: of these people in the first family, as published; as many as people where none are told.
        bound: the most events of one person that count; None where there is no bound.
        threshold: smallest head count of the first family.
        tables: those that tell of people.
    """

    release: str
    key: str
    families: tuple[str, ...]
    people: dict[str, int]
    events: int
    bound: int | None
    threshold: int
    tables: tuple[BlockTable, ...]


def blocks_of(package: ParsedPackage, rules: Rules, truth: Truth) -> list[Block]:
    """Return the blocks of a package: each key whose number of people is published, the fewest people first.

    Args:
        package: the package.
        rules: of its report.
        truth: true heads, to draw people like those who were there.

    Guarantee:
        A table all of whose cells stand in another is left out; so is a key of which no people are told.

    Source: disclosure.md, attacks 9 to 11.
    """
    told = [table for table in package.tables.values() if _families(table, rules)]
    places = [_places(table) for table in told]
    own = [
        table
        for n, table in enumerate(told)
        if not any(places[n] < other or (places[n] == other and m < n) for m, other in enumerate(places) if m != n)
    ]
    keys = dict.fromkeys(row[0] for table in own for row in table.coordinates)
    zeros = {table.shape.name: Targeted(package, table).zero for table in own}
    found = [_block(package, key, own, zeros, rules, truth) for key in keys]
    return sorted((block for block in found if block), key=lambda block: (next(iter(block.people.values())), block.key))


def _places(table: ParsedTable) -> set[object]:
    return {(table.shape.universe, place_of(table.shape.columns, row)) for row in table.coordinates}


def _families(table: ParsedTable, rules: Rules) -> dict[str, str]:
    """Return family to column of heads, where the table tells of people, the family that makes the cell first."""
    heads = {m.family: m.name for m in table.shape.measures if m.kind == "heads" and m.family in rules.families}
    base = [family for family in heads if rules.base(family) == family]
    return {family: heads[family] for family in [*base, *(f for f in heads if f not in base)]}


def _block(
    package: ParsedPackage,
    key: str,
    own: Sequence[ParsedTable],
    zeros: Mapping[str, Bools],
    rules: Rules,
    truth: Truth,
) -> Block | None:
    tables, people, events = [], dict[str, int](), 0
    for table in own:
        at = [row for row, place in enumerate(table.coordinates) if place[0] == key]
        total = next((row for row in at if all(level == ALL for level in table.coordinates[row][1:])), None)
        families = _families(table, rules)
        base = next(iter(families))
        if total is None or not table.published[base][total]:
            continue
        count = rules.families[base].count
        events = max(events, int(table.values[count][total]) if count in table.values else 0)
        for family, name in families.items():
            if table.published[family][total]:
                people.setdefault(family, int(table.values[name][total]))
        tables.append(_table(package, table, at, zeros[table.shape.name][at], families, people, truth))
    if not people:
        return None
    told = tuple(people)
    bound = rules.bound(rules.families[told[0]].count)
    return Block(package.release, key, told, people, events, bound, rules.threshold(told[0]), tuple(tables))


def _table(
    package: ParsedPackage,
    table: ParsedTable,
    at: Sequence[int],
    zero: Bools,
    families: dict[str, str],
    people: dict[str, int],
    truth: Truth,
) -> BlockTable:
    rows = tuple(table.coordinates[row][1:] for row in at)
    finest = [table.shape.columns.index(dimension.levels[-1]) - 1 for dimension in table.shape.dimensions[1:]]
    leaves = [n for n, row in enumerate(rows) if all(row[place] != ALL for place in finest) and not zero[n]]
    holds = np.array(
        [[all(mine in (ALL, his) for mine, his in zip(row, rows[n], strict=True)) for n in leaves] for row in rows],
        dtype=np.bool_,
    ).reshape(len(rows), len(leaves))
    known = [family for family in families if family in people]
    heads = {family: table.values[families[family]][list(at)] for family in known}
    shown = {family: table.published[family][list(at)] for family in known}
    filled = {}
    for family in known:
        true = truth.column(package.release, table, families[family])
        filled[family] = (
            _spread(heads[family][leaves], shown[family][leaves], people[family])
            if true is None
            else true[list(at)][leaves]
        )
    return BlockTable(
        table.shape.name,
        tuple(table.shape.columns[1:]),
        rows,
        np.array(leaves, dtype=np.int64),
        holds,
        heads,
        shown,
        filled,
    )


def _spread(heads: Ints, shown: Bools, total: int) -> Ints:
    """Return the heads of leaves, what is left of the total spread evenly over those that are not told."""
    spread = np.where(shown, heads, 0)
    left, hidden = max(0, total - int(spread.sum())), np.flatnonzero(~shown)
    if len(hidden):
        share, more = divmod(left, len(hidden))
        spread[hidden] += share
        spread[hidden[:more]] += 1
    return spread.astype(np.int64)
