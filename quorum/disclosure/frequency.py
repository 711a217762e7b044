"""People of a campaign by how often they saw it: told whole, where nothing withheld is narrowed by it, or not at all.

What belongs here: which campaigns are listed, after all other tables are decided. What does not: the proof that one
grid stays open (`banded`), and the table in files (`quorum.release.frequency`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from quorum.disclosure.banded import Crowd, Inside, is_open
from quorum.disclosure.decide import Values
from quorum.disclosure.equations import LINKED, ONE_WAY, TWO_WAY, Block
from quorum.disclosure.grid import Bools, Ints, coordinates_of, rows_of
from quorum.disclosure.two_way import find_tables
from quorum.disclosure.types import PackageCube, Seen
from quorum.disclosure.witness import Base, Layer, Protection, unproven
from quorum.errors import ConfigurationError
from quorum.policy import FamilySpec, RuleSet
from quorum.tables.shape import ALL, TableShape
from quorum.tables.targeting import UNKNOWN

_NONE = np.zeros(0, dtype=np.int64)
Decided = Mapping[str, Sequence[Bools]]
"""Family to the status of each cell, block by block."""


def in_bands(cube: PackageCube, key: str) -> tuple[Ints, Ints]:
    """Return people by band, and those of them who count.

    Args:
        cube: with bands and what was counted of the key.
        key: the campaign.

    Guarantee:
        Whoever has an impression that counts is in exactly one band.

    Source: disclosure.md, rule 4 (no person has more impressions than the bound).
    """
    seen = cube.seen.get(key)
    if seen is None:
        return np.zeros(len(cube.bands), dtype=np.int64), np.zeros(len(cube.bands), dtype=np.int64)
    people, counted = (
        np.array([number[:, first : last + 1].sum() for first, last in cube.bands.values()], dtype=np.int64)
        for number in (seen.people, seen.counted)
    )
    return people, counted


def is_told(
    blocks: Sequence[Block],
    values: Values,
    decided: Decided,
    cube: PackageCube,
    key: str,
    rule_set: RuleSet,
    families: Sequence[FamilySpec],
) -> bool:
    """Say whether a campaign is listed in the table of people by how often they saw it, with all bands.

    Args:
        blocks: of the campaign.
        values: of the cube.
        decided: everything else that is told of the campaign.
        cube: what was counted, with bands.
        key: the campaign.
        rule_set: the numbers of the rules.
        families: of the report, the one that makes the cells first.

    Raises:
        ConfigurationError: bands do not add up to the people of the campaign, or hold more impressions than it has.

    Guarantee:
        If so, the people of the campaign are told, each band passes rules 1 and 2 by people who count, and rule 6 holds
        for all withheld numbers beside the bands: for a reader who knows that one person has at least as many
        impressions as the band says and at most, and that impressions of nobody are ``unknown`` in every table. In a
        table of one dimension people of withheld cells change places within the residual, each with all they saw; for
        two and three dimensions see `banded.is_open`. Nothing that was decided before is changed.

    Source: disclosure.md, rules 1, 2 and 6; docs/decisions/0003-complementary-suppression.md, "Frequency tables".
    """
    first = families[0]
    people, counted = in_bands(cube, key)
    rooted = [block for block in blocks if block.has_root]
    told = decided[first.name]
    if (
        not people.any()
        or not rooted
        or not all(of[0] for block, of in zip(blocks, told, strict=True) if block.has_root)
    ):
        return False
    seen = cube.seen[key]
    total, events = (int(values.of(rooted[0], column)[0]) for column in (first.heads, first.count))
    nobody = events - int(_impressions(seen.people).sum())
    if people.sum() != total or nobody < 0:
        raise ConfigurationError(
            "cube.sums", f"bands of {first.heads} do not add up to the total", "one number a total"
        )
    if counted.min() < rule_set.heads[first.name] or counted.sum() - counted.max() < rule_set.outside:
        return False
    unknown = [_names_unknown_alone(block, cube) for block in blocks]
    if nobody and any((of & ~shown).any() for of, shown in zip(unknown, told, strict=True)):
        # A withheld category unknown must be able to be empty: in these worlds nothing is of nobody.
        more = _with_everything(seen, nobody, cube.bands)
        if more is None:
            return False
        seen, nobody = more, 0
    counted_once = _Asked(values, cube, seen, nobody, rule_set, families)
    return all(
        block.form == ONE_WAY or counted_once.is_open(index, block, decided)
        for index, block in enumerate(blocks)
        if block.partitions and not told[index].all()
    )


def _impressions(people: Ints) -> Ints:
    """Return the impressions of rows of people by how many they saw."""
    return np.asarray(people @ np.arange(people.shape[1]), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class _Asked:
    """What is known of one campaign when a block of it is asked about."""

    values: Values
    cube: PackageCube
    seen: Seen
    nobody: int
    rule_set: RuleSet
    families: Sequence[FamilySpec]

    def is_open(self, index: int, block: Block, decided: Decided) -> bool:
        """Prove a block of two or three dimensions of which something is withheld."""
        if not block.has_root or block.form not in (TWO_WAY, LINKED):
            return False
        told = decided[self.families[0].name][index]
        if block.form == TWO_WAY:
            grid = np.arange(block.size).reshape(block.shape)
            people = self._people(block, grid)
            return people is not None and is_open(
                Crowd(block.shape, people, told, self._threshold, _NONE, self._inside(index, block, decided))
            )
        layers = _layers(block, told)
        people = self._people(block, block.cube)
        if layers is None or people is None:
            return False
        axis = int(np.argmin(block.cube.shape))
        each = np.moveaxis(people.reshape(*(size - 1 for size in block.cube.shape), -1), axis, 0)
        return all(
            is_open(Crowd(grid.shape, own.reshape(-1, people.shape[1]), told[grid.ravel()], self._threshold, kept))
            for own, (grid, kept) in zip(each, layers, strict=True)
        )

    @property
    def _threshold(self) -> int:
        return self.rule_set.heads[self.families[0].name]

    def _people(self, block: Block, grid: Ints) -> Ints | None:
        """Return people by impressions of the finest cells of a grid; None if these are not its people."""
        first = self.families[0]
        finest = grid[tuple(slice(1, None) for _ in grid.shape)].ravel()
        people = _placed(block, finest, self.cube, self.seen)
        if people is None:
            return None
        events = _impressions(people) + np.where(_names_unknown_alone(block, self.cube)[finest], self.nobody, 0)
        is_same = np.array_equal(people.sum(axis=1), self.values.of(block, first.heads)[finest])
        return people if is_same and np.array_equal(events, self.values.of(block, first.count)[finest]) else None

    def _inside(self, index: int, block: Block, decided: Decided) -> list[Inside]:
        """Return the families whose people are among those of a table of two dimensions.

        What rerouting shows beside the true people needs no program: the true people are in a world.
        """
        first, *others = self.families
        people = Layer(first.name, self.values.of(block, first.heads), self._threshold)
        base = Base(people, decided[first.name][index], np.zeros((0, block.size), dtype=np.int64))
        found = []
        for family in (family for family in others if any(self.values.listed(block, family.name))):
            published, threshold = decided[family.name][index], self.rule_set.heads[family.name]
            layer = Layer(family.name, self.values.of(block, family.heads), threshold, base)
            tables = np.zeros((0, block.size), dtype=np.int64)
            if published.any() and not published.all():
                tables = find_tables(Protection(block, (layer,), layer.values, threshold), layer, published)
            found.append(Inside(layer.values, published, layer.goals, *unproven(layer, published, tables)))
        return found


def _layers(block: Block, told: Bools) -> list[tuple[Ints, Ints]] | None:
    """Return the layers of a table of three dimensions, and which cells of each other tables share, in its own count.

    None if other tables have withheld cells that it lists, or if a cell is withheld whose sum over the layers is told:
    then one layer does not change alone.
    """
    cube = np.moveaxis(block.cube, int(np.argmin(block.cube.shape)), 0)
    shared = [cells[np.isin(cells, cube)] for _, cells in block.parts]
    hidden = ~told[cube]
    if not all(told[cells].all() for cells in shared) or np.any(hidden[1:, 1:, 1:] & ~hidden[:1, 1:, 1:]):
        return None
    outside = [own for own, (_, cells) in zip(shared, block.parts, strict=True) if not np.isin(cells, cube).all()]
    kept = np.flatnonzero(np.isin(cube[0].ravel(), np.concatenate([*outside, _NONE])))
    return [(layer, kept) for layer in cube[1:]]


def _placed(block: Block, finest: Ints, cube: PackageCube, seen: Seen) -> Ints | None:
    """Return people by impressions of the finest cells of a block; None if a row has no place there.

    What targeting leaves out, or no key set lists, is ``unknown``.
    """
    places: dict[tuple[str, ...], int] = {}
    columns: tuple[str, ...] = ()
    position = {int(cell): at for at, cell in enumerate(finest.tolist())}
    for name, rows, cells in block.rows:
        table = cube.shape.table(name)
        listed = rows_of(table)
        found = {
            listed[row][1:]: position[cell]
            for row, cell in zip(rows.tolist(), cells.tolist(), strict=True)
            if cell in position and ALL not in listed[row]
        }
        if len(found) == len(finest):
            places, columns = found, table.columns[1:]
    if not places or not set(columns) <= set(seen.columns):
        return None
    order = [seen.columns.index(column) for column in columns]
    known = [{place[at] for place in places} for at in range(len(columns))]
    people = np.zeros((len(finest), seen.people.shape[1]), dtype=np.int64)
    for place, number in zip(seen.places, seen.people, strict=True):
        own = [place[at] for at in order]
        own = [level if level in of else UNKNOWN for level, of in zip(own, known, strict=True)]
        if tuple(own) not in places:
            return None
        people[places[tuple(own)]] += number
    return people


def _names_unknown_alone(block: Block, cube: PackageCube) -> Bools:
    """Return the cells of which every category is ``unknown``, the total included: there impressions of nobody are."""
    found = np.zeros(block.size, dtype=np.bool_)
    for name, rows, cells in block.rows:
        found[cells] |= _unknown_rows(cube.shape.table(name))[rows]
    return found


@lru_cache(maxsize=16)
def _unknown_rows(table: TableShape) -> Bools:
    """Return which rows of a table name nothing but ``unknown`` beside the report's key, or nothing."""
    found = np.ones(1, dtype=np.bool_)
    for place, dimension in enumerate(table.dimensions):
        start = 0 if place else 1
        own = [all(level in (ALL, UNKNOWN) for level in path[start:]) for path in coordinates_of(dimension)]
        found = (found[:, None] & np.array(own)).ravel()
    return found


def _with_everything(seen: Seen, more: int, bands: Mapping[str, tuple[int, int]]) -> Seen | None:
    """Return people who saw that many more together, each in their own band; None if they cannot.

    Only people of whom nothing is known see more: in every table they are where the impressions of nobody are, so that
    no number of any table changes. Those of the widest band come first.
    """
    people = seen.people.copy()
    for row in range(len(seen.places)):
        for first, last in sorted(bands.values(), key=lambda band: band[0] - band[1]):
            for times in range(first, last):
                for _ in range(int(seen.unnamed[row, times])):
                    if not more:
                        break
                    step = min(more, last - times)
                    people[row, times] -= 1
                    people[row, times + step] += 1
                    more -= step
    return None if more else replace(seen, people=people)
