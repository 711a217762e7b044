"""Complementary suppression: as many cells as rule 6 lets out, none that gives away another.

What belongs here: the greedy choice, and the checks of its result. What does not: when a single state is sound
(`one_way`, `two_way`, `linear`), and which cells may be published at all (`primary`).

Everything starts withheld, which gives nothing away. Then cells are published, the largest first, each with all others
that must be published with it, and only if what stays withheld stays open. So the state is sound after every step, the
end is certain, and at the end no withheld cell could be published back: what one more published cell narrows, later
ones never widen.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorum.disclosure import linear, linked, one_way, two_way
from quorum.disclosure.elimination import determined
from quorum.disclosure.equations import GENERAL, LAYERED, LINKED, ONE_WAY, TWO_WAY
from quorum.disclosure.grid import Bools, Ints
from quorum.disclosure.witness import Protection
from quorum.errors import ReleaseError

_VIOLATIONS = {
    ONE_WAY: one_way.violations,
    TWO_WAY: two_way.violations,
    LAYERED: two_way.unshown,
    LINKED: linked.violations,
    GENERAL: linear.violations,
}


def violations(protection: Protection, published: Bools) -> Ints:
    """Return withheld cells of a block that must not stay withheld beside these published ones.

    Args:
        protection: block, layers, threshold.
        published: status of each cell; above a published cell everything is published.

    Returns:
        Cells, sorted; empty if the state is sound.

    Guarantee:
        As of the block's form: see `violations` of `one_way`, `two_way`, `linked` and `linear`.

    Source: disclosure.md, rule 6.
    """
    return _VIOLATIONS[protection.block.form](protection, published)


def suppress(protections: Sequence[Protection], eligible: Sequence[Bools], weights: Sequence[Ints]) -> list[Bools]:
    """Choose what is published of one family of one key of the report.

    Args:
        protections: of its blocks.
        eligible: per block, which cells pass rules 1 and 2.
        weights: per block, how much is lost with each cell: its events.

    Returns:
        Per block, status of each cell. The total has the same in all of them.

    Raises:
        ReleaseError: the result fails one of the checks that it is put through again at the end; a bug, and nothing
            leaves.

    Guarantee:
        The result passes `verify` in every block; published cells are eligible; no single eligible cell could be added,
        but in linked blocks. The same arguments give the same result.

    Source: greedy publication, Langsrud 2024, doi:10.1007/978-3-031-69651-0_6, here with intervals and head counts
        beside elimination; disclosure.md, rule 6.
    """
    flat: list[tuple[Protection, Bools, Ints]] = []
    spans = []
    for protection, able, weight in zip(protections, eligible, weights, strict=True):
        own = [(protection, able, weight)]
        if protection.block.form == LINKED:
            cells = [places for _, places in protection.block.parts]
            own = [(part, able[at], weight[at]) for part, at in zip(linked.parts_of(protection), cells, strict=True)]
        spans.append(len(own))
        flat.extend(own)
    states = iter(_decide(flat))
    chosen: list[Bools] = []
    for span, protection, able, weight in zip(spans, protections, eligible, weights, strict=True):
        own_states = [next(states) for _ in range(span)]
        if protection.block.form != LINKED:
            chosen += own_states
            continue
        state = linked.publish(protection, able, weight, own_states, _choose)
        if state is None:
            return [_nothing(one) for one in protections]
        chosen.append(state)
    for protection, state in zip(protections, chosen, strict=True):
        if protection.in_parts:
            for part, (_, at) in zip(linked.parts_of(protection), protection.block.parts, strict=True):
                verify(part, state[at])
        else:
            verify(protection, state)
    return chosen


def _decide(flat: Sequence[tuple[Protection, Bools, Ints]]) -> list[Bools]:
    """Choose what is published of blocks that are not linked; the total is told in all of them or in none."""
    started = [_start(protection, able) for protection, able, _ in flat]
    untold = any(one is None for one in started)
    return [
        _nothing(protection)
        if protection.block.has_root and untold
        else _publish(protection, able, weight, _nothing(protection) if start is None else start)
        for (protection, able, weight), start in zip(flat, started, strict=True)
    ]


def _choose(protection: Protection, able: Bools, weight: Ints) -> Bools:
    """Choose what is published of one table of two dimensions by itself."""
    return _decide([(protection, able, weight)])[0]


def tells_total(protection: Protection, eligible: Bools) -> bool:
    """Say whether the total of a block can be published, with nothing else but what must be published with it.

    Args:
        protection: a block, layers, threshold.
        eligible: which cells pass rules 1 and 2.

    Guarantee:
        False only if some withheld cell could not stay open beside the total, or the total fails rules 1 and 2.

    Source: disclosure.md, rule 6.
    """
    if protection.block.form == LINKED:
        cells = [places for _, places in protection.block.parts]
        return all(
            _start(part, eligible[at]) is not None for part, at in zip(linked.parts_of(protection), cells, strict=True)
        )
    return _start(protection, eligible) is not None


def verify(protection: Protection, published: Bools) -> None:
    """Put a state through all checks of rule 6 once more.

    Args:
        protection: block, layers, threshold.
        published: status of each cell.

    Raises:
        ReleaseError: a published cell lies below a withheld margin; a withheld cell follows exactly; the residual of a
            line may hold too few people; or an interval is too narrow.

    Guarantee:
        A state that passes has (a) withheld cells all the way down, (b) no withheld cell in the row space of what is
        published, (c) `threshold` people in each residual, by a bound that holds for certain, (d) withheld counts that
        can all be 0 and reach min(threshold, known total).

    Source: disclosure.md, rule 6.
    """
    if protection.block.orphans(published).size:
        raise _failure("a published cell below a withheld margin")
    if published.any() and determined(protection.block.matrix[:, ~published]).any():
        raise _failure("a withheld cell that follows exactly")
    if not _residuals_hold(protection, published):
        raise _failure("a residual of too few people")
    if violations(protection, published).size:
        raise _failure("an interval that is too narrow")


def _failure(what: str) -> ReleaseError:
    return ReleaseError("disclosure.rule_6", what, "what rule 6 allows", "nothing was released; report it")


def _nothing(protection: Protection) -> Bools:
    return np.zeros(protection.block.size, dtype=np.bool_)


def _start(protection: Protection, eligible: Bools) -> Bools | None:
    """Return the state with the total published, or nothing where there is no total; None if it must not be."""
    if not protection.block.has_root:
        return _nothing(protection)
    if not eligible[0]:
        return None
    return _extend(protection, eligible, _nothing(protection), np.zeros(1, dtype=np.int64))


def _publish(protection: Protection, eligible: Bools, weight: Ints, start: Bools) -> Bools:
    """Publish what can be, the largest first; ties go to the coordinate that is listed first.

    Runs of cells are tried together, longer after each success and shorter after each failure: the result is that of
    trying them one by one, in fewer steps.
    """
    state = start
    waiting = np.flatnonzero(eligible & ~start)
    waiting = waiting[np.argsort(-weight[waiting], kind="stable")]
    place, run = 0, len(waiting)
    while place < len(waiting):
        extended = _extend(protection, eligible, state, waiting[place : place + run])
        if extended is not None:
            state, place, run = extended, place + run, run * 2
        elif run == 1:
            place += 1
        else:
            run = max(run // 4, 1)
    return state


def _extend(protection: Protection, eligible: Bools, state: Bools, cells: Ints) -> Bools | None:
    """Publish cells, and what must be published with them; None if that includes a cell that must not be.

    A cell whose margin stays withheld is left out: publishing it would bound the margin from below.
    """
    block = protection.block
    published = state.copy()
    published[cells] = True
    while (orphans := block.orphans(published)).size:
        published[orphans] = False
    while (must := violations(protection, published)).size:
        if not eligible[must].all():
            return None
        # Their margins are published, or must be too: an eligible cell is as large as its goal, so that it must be
        # published only because it cannot be 0; and then neither can its margins.
        published[must] = True
    return published


def _residuals_hold(protection: Protection, published: Bools) -> bool:
    """Check the residual of each line by itself: a second, plainer look at what the search has to guarantee."""
    block, heads = protection.block, protection.heads
    for line in block.matrix:
        whole, parts = np.flatnonzero(line < 0), np.flatnonzero(line > 0)
        left = parts[~published[parts]]
        if not published[whole].all() or not left.size:
            continue
        bound = heads[left].sum() if block.partitions else heads[left].max()
        if bound < protection.threshold and (block.partitions or len(left) < len(parts)):
            return False
    return True
