"""Tables that share cells with one of three dimensions: margins as their own tables have them, then what more can be.

What belongs here: which states of linked tables are tried, and when one is proven. What does not: the proof of one
state (`programs`, `witness.accept`), and tables that are not linked.

A cell of three dimensions lies in three lines, and the largest first leaves nearly nothing: each published pair of
categories pins down all cells of its line. So a state is looked for in which every pair of two of the dimensions is
told for all categories of the third, the layers, or for none. Then each layer is a table of two dimensions with the
same pattern, and where its margins are told, layers have nothing to do with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import lru_cache

import numpy as np

from quorum.disclosure.equations import LAYERED, Block, build_blocks
from quorum.disclosure.grid import Bools, Ints
from quorum.disclosure.programs import Budget, first_unproven
from quorum.disclosure.transport import propose
from quorum.disclosure.two_way import unshown
from quorum.disclosure.witness import Base, Layer, Protection
from quorum.tables.shape import Dimension, PackageShape, TableShape

PROGRAMS = 60
"""Programs for one family of one campaign; what they do not settle stays withheld."""
_ROUNDS = 4

Chooser = Callable[[Protection, Bools, Ints], Bools]
"""From a protection, what may be published and weights to what is published."""


def violations(protection: Protection, published: Bools, budget: Budget | None = None) -> Ints:
    """Return withheld cells of a linked block that are not shown to be open beside these published ones.

    Args:
        protection: a linked block, layers, threshold.
        published: status of each cell; above a published cell everything is published.
        budget: programs that may be solved; the usual number if None.

    Returns:
        Some of these cells, or none if the state is sound.

    Guarantee:
        If empty, every withheld cell has whole witnesses at 0 and at its goal, for each layer, let pass by
        `witness.accept` on the whole system. People add up, so that every sum of withheld cells that follows from
        published ones then holds ``threshold`` people, for each of its parts can reach that many.

    Source: disclosure.md, rule 6; docs/decisions/0003-complementary-suppression.md.
    """
    block = protection.block
    none = np.zeros(0, dtype=np.int64)
    if not published.any() or published.all():
        return none
    if (alone := _alone(block, published)).size:
        return alone
    budget = budget or Budget(PROGRAMS)
    for layer in protection.layers:
        bad = first_unproven(block, layer, published, propose(block, layer, published), budget)
        if bad.size:
            return bad
    return none


def parts_of(protection: Protection) -> list[Protection]:
    """Return what must hold of the tables beside the cube, each by itself.

    Args:
        protection: of a linked block.

    Guarantee:
        Numbers, goals and bounds are those of the linked block.

    Source: disclosure.md, rule 6.
    """
    found = []
    for index, (part, cells) in enumerate(protection.block.parts):
        layers = tuple(
            Layer(f"{layer.name}.{index}", layer.values[cells], layer.reach, _base_of(layer.base, index))
            for layer in protection.layers
        )
        found.append(Protection(part, layers, protection.heads[cells], protection.threshold))
    return found


def publish(protection: Protection, eligible: Bools, weight: Ints, parts: list[Bools], choose: Chooser) -> Bools | None:
    """Choose what is published of a linked block.

    Args:
        protection: block, layers, threshold.
        eligible: which cells pass rules 1 and 2.
        weight: how much is lost with each cell.
        parts: what is published of each part by itself, status of each of its cells.
        choose: how a table of two dimensions is decided.

    Returns:
        Status of each cell: the first state that is proven, of those tried in a fixed order; None if not even the total
        can be told.

    Guarantee:
        `violations` finds nothing in it. Published are eligible cells alone, and of the parts what they publish, unless
        no state with all of that could be proven within the programs.

    Source: disclosure.md, rule 6; docs/decisions/0003-complementary-suppression.md.
    """
    block = protection.block
    alone = np.zeros(block.size, dtype=np.bool_)
    for (_, cells), published in zip(block.parts, parts, strict=True):
        alone[cells[published]] = True
    if not alone.any() or protection.in_parts:
        return alone
    budget = Budget(PROGRAMS)
    for state in _states(protection, eligible, weight, alone, choose):
        if not violations(protection, state, budget).size:
            return state
        budget = Budget(max(budget.programs, PROGRAMS // 4))
    return None


def _states(protection: Protection, eligible: Bools, weight: Ints, alone: Bools, choose: Chooser) -> Iterator[Bools]:
    """Yield states, the fullest first: with cells of the cube, the parts alone, less and less of them, the total."""
    block = protection.block
    fine = _layered(protection, eligible, weight, alone, choose)
    if fine is not None and fine.sum() > alone.sum():
        yield fine
    yield alone
    ranked = np.flatnonzero(alone)
    ranked = ranked[np.argsort(-weight[ranked], kind="stable")]
    while len(ranked) > 1:
        ranked = ranked[: len(ranked) // 2]
        state = np.zeros(block.size, dtype=np.bool_)
        state[ranked] = True
        while (orphans := block.orphans(state)).size:
            state[orphans] = False
        yield state


def _layered(protection: Protection, eligible: Bools, weight: Ints, alone: Bools, choose: Chooser) -> Bools | None:
    """Return the parts with cells of the cube, told for all layers or for none; None if there is nothing to tell.

    Nor if a number is withheld that the cube shares with a part: what the part can be by itself must stay what it can
    be, for those that are proven within it (`Base`). Where the cube tells nothing of its own, parts go together freely:
    any two tables of one total are the margins of some table.
    """
    block = protection.block
    cube = np.moveaxis(block.cube, int(np.argmin(block.cube.shape)), 0)
    in_parts = np.zeros(block.size, dtype=np.bool_)
    for _, cells in block.parts:
        in_parts[cells] = True
    if not alone[block.cube[in_parts[block.cube]]].all():
        return None
    able: Bools = np.asarray(np.where(in_parts, alone, eligible)[cube].all(axis=0))
    for _ in range(_ROUNDS):
        for lines, faces, own in ((able[1:, 0], cube[:, :, 0], able[:, 0]), (able[0, 1:], cube[:, 0, :], able[0])):
            if not in_parts[faces].all():
                lines &= _face(protection, weight, faces, own)
        if not able[0, 0] or not (able[1:, 1:] & able[1:, :1] & able[:1, 1:]).any():
            return None
        chosen = _choose_plane(protection, weight, cube, able, choose)
        refused = [able[1:, 0] & ~chosen[1:, 0], able[0, 1:] & ~chosen[0, 1:]]
        if not any(lines.any() for lines in refused):
            state = alone.copy()
            state[cube[:, chosen]] = True
            while (orphans := block.orphans(state)).size:
                state[orphans] = False
            return state
        able[1:, 0] &= ~refused[0]
        able[0, 1:] &= ~refused[1]
    return None


def _face(protection: Protection, weight: Ints, face: Ints, able: Bools) -> Bools:
    """Return which lines of a face, categories by layers, may be told: the smallest are withheld until none follows.

    A face's own margins are told, so that withheld lines have to be open beside each other.
    """
    told = able[1:].copy()
    for line in (np.argsort(weight[face[0, 1:]], kind="stable")).tolist():
        state = np.ones(face.shape, dtype=np.bool_)
        state[1:, 1:] = told
        layers = tuple(Layer(layer.name, layer.values[face].ravel(), layer.reach) for layer in protection.layers)
        whole = Protection(_plane(face.shape), layers, protection.heads[face].ravel(), protection.threshold)
        if not unshown(whole, state.ravel()).size:
            break
        told[line] = False
    return told


def _choose_plane(protection: Protection, weight: Ints, cube: Ints, able: Bools, choose: Chooser) -> Bools:
    """Return which pairs are told for all layers: each layer is a table of two dimensions, and open by itself."""
    layers = tuple(
        Layer(f"{layer.name}.layer{place}", layer.values[cells].ravel(), layer.reach)
        for layer in protection.layers
        for place, cells in enumerate(cube)
        if place
    )
    first = weight[cube[0]].copy()
    first[0, :] += first[0, 0]
    first[:, 0] += first[0, 0]
    heads = protection.heads[cube[1:]].min(axis=0).ravel()
    plane = Protection(_plane(cube.shape[1:]), layers, heads, protection.threshold)
    return choose(plane, able.ravel(), first.ravel()).reshape(able.shape)


@lru_cache(maxsize=64)
def _plane(shape: tuple[int, ...]) -> Block:
    """Return the block of a table of two flat dimensions in which people add up."""
    key = Dimension(("key",), (("key",),), has_margin=False, partitions_people=False)
    axes = [
        Dimension((name,), tuple((str(n),) for n in range(1, size))) for name, size in zip("rc", shape, strict=True)
    ]
    block = build_blocks(PackageShape("", "", "", (TableShape("plane", "", (key, *axes), ()),)))[0][0]
    return replace(block, form=LAYERED)


def _alone(block: Block, published: Bools) -> Ints:
    """Return withheld cells that are the only one of a published margin: they follow."""
    parts = (block.matrix > 0) & ~published
    known = np.any((block.matrix < 0) & published, axis=1)
    single = parts[known & (np.count_nonzero(parts, axis=1) == 1)]
    return np.flatnonzero(single.any(axis=0))


def _base_of(base: Base | None, index: int) -> Base | None:
    return None if base is None else base.parts[index]
