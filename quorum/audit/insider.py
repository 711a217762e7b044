"""Attack 4: what one or two people of the data learn of the others, who know what they themselves contributed.

What belongs here: insiders put into withheld cells, and what is new to them. What does not: what everybody learns
(`quorum.audit.elimination`, `quorum.audit.propagation`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quorum.audit.effort import Effort
from quorum.audit.intervals import Budget, Component, InfeasibleError, SpentError
from quorum.audit.propagation import Bounds, Floats, known_totals
from quorum.audit.record import Claim, Findings
from quorum.audit.system import Ints, Relations, System, Target, baseline, by_variable, components
from quorum.audit.targeting import UNKNOWN
from quorum.audit.twins import representatives
from quorum.tables.shape import ALL

COLLUDERS = (1, 2)
_EACH = 4
"""Positions in one component, so that a large one does not take the budget of all."""

Found = dict[tuple[str, tuple[str, ...], str], tuple[Claim, bool]]
"""By place, what an insider says of a cell, and whether it is that the cell cannot be as large as it must."""


@dataclass(frozen=True)
class Part:
    """A component of the equations, over variables 0..n-1.

    Args:
        relations: over local variables.
        used: local to global variable.
        low: lower ends, as everybody knows them.
        high: upper ends.
        need: what each target must be able to reach; -1 for what is none.
        cell: the cell that each unknown is a measure of: who is in it is in all that are told of it.
    """

    relations: Relations
    used: Ints
    low: Floats
    high: Floats
    need: Floats
    cell: Ints


def know_oneself(
    system: System,
    reduced: Relations,
    bounds: Bounds,
    effort: Effort,
    known: frozenset[tuple[str, tuple[str, ...], str]],
    bound_of: Mapping[tuple[str, str], int],
    heads: frozenset[str],
) -> Findings:
    """Claim withheld cells that an insider narrows further than the rules allow, and that nobody else does.

    One or two people are put into a withheld cell, each with one event. They subtract themselves; of the others each
    withheld number of people must still reach 0, and each withheld count the threshold less what the insiders are.
    Measured and not judged, for no rule of `standard` is about it: counts of events, and cells that name unknown alone,
    that cannot be 0 to an insider; and what one person learns who has as many events as may count.

    Args:
        system: of the packages.
        reduced: its relations with published values put in.
        bounds: intervals by propagation.
        effort: how many positions are tried, and how many programs solved; small components first.
        known: (release, where, what) of what everybody finds out; only what is new is claimed.
        bound_of: (release, measure) to the most events of one person that count.
        heads: measures that count people.

    Returns:
        One claim a cell; correct where the truth lies in what the insiders take for possible. Targets in components
        that were too large or that the budget did not reach are counted as unreached.

    Guarantee:
        Without a claim and with nothing unreached: for each tried position and each other withheld cell of its
        component that names more than unknown there is a solution in whole numbers with nobody in it, and for each
        count one in which it is as large as needed. Tried are the cells with the least room, one of those alike.

    Source: disclosure.md, attack 4; Cox, J. Am. Stat. Assoc. 75 (1980) 377 (protection against a respondent).
    """
    targets = by_variable(system.targets)
    totals, budget = known_totals(system), Budget(effort.programs, effort.unknowns)
    light, heavy = Found(), Found()
    tried = left = unreached = 0
    for part in _parts(reduced, bounds, targets, totals, system.width):
        aimed = [target for variable in part.used.tolist() for target in targets.get(variable, ())]
        if len(part.used) > effort.unknowns or tried >= effort.positions or budget.programs <= 0:
            unreached += len(aimed)
            continue
        try:
            positions = _positions(part)
            chosen = positions[: min(_EACH, effort.positions - tried)]
            left += len(positions) - len(chosen)
            for insider in chosen:
                tried += 1
                here = targets[int(part.used[insider])][0]
                for number in COLLUDERS:
                    _learn(light, part, insider, (number, number), targets, budget)
                most = bound_of.get((here.release, here.measure), 1)
                if most > 1:
                    _learn(heavy, part, insider, (1, most), targets, budget)
        except SpentError:
            unreached += len(aimed)
    new = {place: found for place, found in light.items() if place not in known}
    claims = tuple(
        claim
        for claim, is_short in new.values()
        if is_short or (claim.what in heads and not _names_nothing(claim.where[2:]))
    )
    measured = {
        "positions_tried": tried,
        "positions_left": left,
        "narrowed": len(new) - len(claims),
        "narrowed_by_heavy": len(set(heavy) - set(light) - known),
    }
    return Findings(len(system.targets), claims, baseline(system.targets), unreached, measured=measured)


def _names_nothing(categories: Sequence[str]) -> bool:
    """Say whether a cell below its key names unknown alone: that somebody is there tells no attribute of anybody."""
    return set(categories) - {ALL} == {UNKNOWN}


def _parts(
    reduced: Relations, bounds: Bounds, targets: Mapping[int, Sequence[Target]], totals: Floats, width: int
) -> Iterator[Part]:
    """Yield the components in which a published number bounds an unknown, small ones first.

    In the others anything may be multiplied by anything: who is in them learns of no end.
    """
    several = reduced.select(np.diff(reduced.start) > 1)
    for group in components(several):
        relations = several.take(group)
        used, local = np.unique(relations.variable, return_inverse=True)
        if not np.isfinite(bounds.high[used]).any() or (bounds.low[used] > bounds.high[used]).any():
            continue
        need = np.array([min(targets[v][0].threshold, totals[v]) if v in targets else -1.0 for v in used.tolist()])
        small = Relations(relations.start, local, relations.coefficient, relations.constant, relations.exact)
        yield Part(small, used, bounds.low[used], bounds.high[used], need, used // width)


def _positions(part: Part) -> list[int]:
    """Return one unknown of each kind in which somebody may be, those with the least room first."""
    alike = representatives(part.relations, np.column_stack((part.low, part.high, part.need)))
    relations = part.relations
    sums = relations.exact[relations.row] & (relations.coefficient > 0)
    is_leaf = ~np.isin(np.arange(len(alike)), relations.variable[sums & np.isin(relations.row, _of_parts(relations))])
    is_own = is_leaf & (alike == np.arange(len(alike))) & (part.need >= 0) & np.isfinite(part.high) & (part.high >= 1)
    return sorted(np.flatnonzero(is_own).tolist(), key=lambda variable: (part.high[variable], variable))


def _of_parts(relations: Relations) -> Ints:
    """Return the relations in which a withheld whole stands with withheld parts: who is in it is in one of these."""
    falls = np.bincount(relations.row[relations.coefficient < 0], minlength=len(relations.exact))
    rises = np.bincount(relations.row[relations.coefficient > 0], minlength=len(relations.exact))
    found: Ints = np.flatnonzero(relations.exact & (falls > 0) & (rises == 1))
    return found


def _learn(
    found: Found,
    part: Part,
    insider: int,
    who: tuple[int, int],
    targets: Mapping[int, Sequence[Target]],
    budget: Budget,
) -> None:
    """Note what insiders in one cell, so many with so many events, learn of the other cells of their component."""
    true = min((float(t.truth) for t in targets[int(part.used[insider])] if t.truth is not None), default=np.inf)
    own = min(float(who[1]), part.high[insider], true)
    if own < 1:
        return
    inside = _containing(part, insider)
    low = part.low.copy()
    low[insider] = max(low[insider], own)
    need = part.need - own
    goals = {v for v in np.flatnonzero(part.need >= 0).tolist() if v not in inside}
    not_zero, short = set[int](), set[int]()
    component = Component(part.relations, low, np.maximum(part.high, low), budget)
    try:
        component.not_zero(set(goals), not_zero)
        component.not_reaching({v for v in goals if need[v] > 0}, need, short)
    except InfeasibleError:
        return  # nobody can be there with so many events
    for variable in sorted(not_zero | short):
        learned = "of others" if variable in not_zero else "how few it has"
        for target in targets[int(part.used[variable])]:
            where = (target.table, *target.coordinates)
            correct = None if target.truth is None else variable in short or target.truth > 0
            says = f"{who[0]} of them, with {own:.0f}, know {learned}"
            claim = Claim(target.release, where, target.measure, says, correct)
            found.setdefault((claim.release, claim.where, claim.what), (claim, variable in short))


def _containing(part: Part, insider: int) -> set[int]:
    """Return the unknowns that an insider is in: every measure of the cell, and of the margins above it."""
    relations, above = part.relations, dict[int, set[int]]()
    start, variable, coefficient = relations.start.tolist(), relations.variable.tolist(), relations.coefficient.tolist()
    for row, exact in enumerate(relations.exact.tolist()):
        entries = range(start[row], start[row + 1])
        larger = [variable[entry] for entry in entries if coefficient[entry] > 0]
        if len(larger) == 1 and (exact or relations.constant[row] == 0):
            for entry in entries:
                if coefficient[entry] < 0:
                    above.setdefault(variable[entry], set()).add(larger[0])
    found, waiting = {insider}, [insider]
    while waiting:
        one = waiting.pop()
        same = np.flatnonzero(part.cell == part.cell[one]).tolist()
        new = above.get(one, set()).union(same) - found
        found |= new
        waiting += new
    return found
