"""Attack 10: one secret bit of each person decoded from all counts together, and noise averaged away.

What belongs here: which counts of a release are questions about people, and copies of one number. What does not: the
program (`quorum.audit.decoding`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorum.audit.blocks import Block, BlockTable
from quorum.audit.decoding import decode
from quorum.audit.effort import Effort
from quorum.audit.package import ParsedPackage
from quorum.audit.places import Place, place_of
from quorum.audit.record import Claim, Findings, wilson
from quorum.audit.system import Bools, Ints

_Z = 3.7190
"""Of a one-sided level of 1 in 10,000 for each block."""


def decode_release(packages: Sequence[ParsedPackage], blocks: Sequence[Block], effort: Effort, seed: int) -> Findings:
    """Claim blocks in which decoding tells better than the majority who is in a family, and numbers told with noise.

    The reader knows every attribute of every person, and which cells these are in; asked is who of them clicked. People
    are drawn so that each told count of each table is exactly as in the release; who of them clicked, the counts alone
    tell. The same number told several times with different values is averaged.

    Args:
        packages: held together by one attacker.
        blocks: of the new ones, the fewest people first.
        effort: how many blocks, and how large: people times told counts.
        seed: of the drawing.

    Returns:
        Guesses are about the people drawn; the baseline is the majority. A claim is a block whose Wilson interval lies
        above it, or a cell told in copies that differ. Targets are the people of all blocks with a told family within;
        those of blocks that were too large or too many are unreached.

    Guarantee:
        The interval is that of a one-sided level of 1 in 10,000, so that a release without a leak is claimed by chance
        in less than one of 10,000. What is exact cannot be averaged; that nothing is told with noise is shown.

    Source: disclosure.md, attack 10; Dinur and Nissim, PODS 2003; Cohen and Nissim 2020.
    """
    rng = np.random.default_rng(seed)
    claims = list(_copies(packages))
    targets = guesses = hits = unreached = majority = reached = 0
    for block in blocks:
        if len(block.families) < 2:
            continue
        base, more = block.families[0], block.families[1]
        people, some = block.people[base], block.people[more]
        targets += people
        questions = sum(int(table.shown[more].sum()) for table in block.tables if more in table.shown)
        if reached >= effort.blocks or people * questions > effort.questions or some > people:
            unreached += people
            continue
        reached += 1
        has = np.arange(people) < some
        members, answers = _questions(block, base, more, has, rng)
        right = int((decode(members, answers).has == has).sum())
        best = max(some, people - some)
        guesses, hits, majority = guesses + people, hits + right, majority + best
        if wilson(right, people, _Z)[0] > best / people:
            says = f"{right} of {people} people are told apart, {best} by the majority"
            claims.append(Claim(block.release, (block.tables[0].name, block.key), more, says, True))
    baseline = majority / guesses if guesses else None
    measured = {"blocks_tried": reached}
    return Findings(targets, tuple(claims), baseline, unreached, guesses=guesses, hits=hits, measured=measured)


def _questions(block: Block, base: str, more: str, has: Bools, rng: np.random.Generator) -> tuple[Bools, Ints]:
    """Return told cells by people, and the told number in each of those who have the attribute."""
    rows, answers = [np.ones(len(has), dtype=np.bool_)], [int(has.sum())]
    for table in block.tables:
        if more not in table.shown:
            continue
        leaf = _drawn(table, base, more, has, rng)
        for row in np.flatnonzero(table.shown[more]).tolist():
            rows.append(table.holds[row, leaf])
            answers.append(int(has[rows[-1]].sum()))
    return np.array(rows), np.array(answers, dtype=np.int64)


def _drawn(table: BlockTable, base: str, more: str, has: Bools, rng: np.random.Generator) -> Ints:
    """Return a leaf for each person: as many with and without the attribute as the table has there."""
    some = table.people[more]
    rest = np.maximum(table.people[base] - some, 0)
    leaf = np.zeros(len(has), dtype=np.int64)
    for who, people in ((has, some), (~has, rest)):
        drawn = np.repeat(np.arange(len(people)), people)
        size = int(who.sum())
        if len(drawn) < size:  # not all leaves are known: the others are anywhere
            drawn = np.concatenate((drawn, rng.integers(0, len(people), size - len(drawn))))
        leaf[who] = rng.permutation(drawn)[:size]
    return leaf


def _copies(packages: Sequence[ParsedPackage]) -> list[Claim]:
    """Claim cells that are told twice or more with different values: noise, which averages away."""
    told: dict[tuple[str, str, str, Place], list[int]] = {}
    where: dict[tuple[str, str, str, Place], tuple[str, tuple[str, ...]]] = {}
    for package in packages:
        for table in package.tables.values():
            for measure in table.shape.measures:
                for row in np.flatnonzero(table.published[measure.family]).tolist():
                    coordinates = table.coordinates[row]
                    place = place_of(table.shape.columns, coordinates)
                    cell = (table.shape.universe, package.shape.period, measure.name, place)
                    told.setdefault(cell, []).append(int(table.values[measure.name][row]))
                    where.setdefault(cell, (package.release, (table.shape.name, *coordinates)))
    return [_averaged(where[cell], cell[2], values) for cell, values in told.items() if len(set(values)) > 1]


def _averaged(where: tuple[str, tuple[str, ...]], measure: str, values: Sequence[int]) -> Claim:
    mean = sum(values) / len(values)
    return Claim(*where, measure, f"{len(values)} copies with noise, {mean:.1f} on average")
