"""Attack 3: how far withheld counts can be pinned down, first by propagating intervals, then by integer programs.

What belongs here: intervals of unknowns by sign, zero and threshold arguments, and the gate. What does not: the
programs themselves (`quorum.audit.intervals`), exact recovery (`quorum.audit.elimination`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from quorum.audit.intervals import Budget, Examiner, Interval
from quorum.audit.record import Claim, Findings
from quorum.audit.system import PUBLISHED, Relations, System, Target, baseline, by_variable, components, reduce

Floats = NDArray[np.float64]

_ROUNDS = 500


@dataclass(frozen=True)
class Bounds:
    """Intervals of all variables, in whole numbers.

    Args:
        low: lower ends.
        high: upper ends, maybe infinite.
        contradictions: variables whose interval is empty.
        finished: whether nothing more follows from single relations.
    """

    low: Floats
    high: Floats
    contradictions: int
    finished: bool


def pin_down(system: System, budget: Budget) -> Findings:
    """Claim every withheld count whose feasible interval misses 0 or min(threshold, known total).

    Args:
        system: of the packages.
        budget: how many programs may be solved.

    Returns:
        A claim for each such target with its interval, narrowest first; correct where the truth lies in it. Targets
        that the budget did not reach are judged by propagation alone and counted as unreached.

    Guarantee:
        Prior [0, infinity), whole numbers, events >= people. Without a claim and with nothing unreached, each withheld
        count alone may be 0 and may be min(threshold, known total): there is a solution of all relations in whole
        numbers of 0 or more for each.

    Source: disclosure.md, rule 6 and attack 3.
    """
    relations, broken = reduce(system)
    bounds = propagate(relations, system)
    totals = known_totals(system)
    targets = by_variable(system.targets)
    need = {variable: min(float(group[0].threshold), float(totals[variable])) for variable, group in targets.items()}
    missed = {
        variable: (float(bounds.low[variable]), float(bounds.high[variable]))
        for variable, needed in need.items()
        if 0 < bounds.low[variable] <= bounds.high[variable] or bounds.low[variable] <= bounds.high[variable] < needed
    }
    contradictions, unreached = broken + bounds.contradictions, 0
    if not contradictions:
        open_need = {variable: needed for variable, needed in need.items() if variable not in missed}
        found, left, contradictions = _programs(relations, bounds, open_need, Examiner(budget))
        missed |= found
        unreached = sum(len(targets[variable]) for variable in left)
    broken_targets = [target for target in system.targets if target.variable in missed]
    broken_targets.sort(key=lambda target: missed[target.variable][1] - missed[target.variable][0])
    claims = tuple(_claim(target, missed[target.variable]) for target in broken_targets)
    return Findings(len(system.targets), claims, baseline(system.targets), unreached, contradictions)


def propagate(relations: Relations, system: System) -> Bounds:
    """Draw from each relation alone what it says about each of its unknowns, until nothing more follows.

    Args:
        relations: reduced to unknowns.
        system: whose published values are their own intervals.

    Returns:
        An interval for every variable.

    Guarantee:
        Every nonnegative whole solution lies within. Where the component is a tree the intervals are exact.

    Source: interval propagation over linear constraints (Apt, Principles of Constraint Programming, 2003, ch. 6).
    """
    low = np.zeros(len(system.state))
    high = np.full(len(system.state), np.inf)
    published = system.state == PUBLISHED
    low[published] = high[published] = system.value[published]
    for _ in range(_ROUNDS):
        new_low, new_high = _tighten(relations, low, high)
        same = np.array_equal(new_low, low) and np.array_equal(new_high, high)
        low, high = new_low, new_high
        empty = int((low > high).sum())
        if same or empty:
            return Bounds(low, high, empty, same)
    return Bounds(low, high, 0, finished=False)


def _tighten(relations: Relations, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Apply every relation once to the intervals of its unknowns."""
    row, variable, coefficient = relations.row, relations.variable, relations.coefficient
    rises = coefficient > 0
    least = np.where(rises, low[variable], -high[variable])
    most = np.where(rises, high[variable], -low[variable])
    constant = relations.constant[row].astype(np.float64)
    floor = -constant - _others(most, row, len(relations.exact))
    ceiling = np.where(relations.exact[row], -constant - _others(least, row, len(relations.exact)), np.inf)
    new_low, new_high = low.copy(), high.copy()
    np.maximum.at(new_low, variable, np.where(rises, floor, -ceiling))
    np.minimum.at(new_high, variable, np.where(rises, ceiling, -floor))
    return new_low, new_high


def _others(values: Floats, row: NDArray[np.int64], row_n: int) -> Floats:
    """Return for each entry the sum of the other entries of its relation; infinite where one of them is."""
    infinite = np.isinf(values)
    sign = values[infinite][0] if infinite.any() else np.inf
    finite = np.where(infinite, 0.0, values)
    total = np.bincount(row, weights=finite, minlength=row_n)[row] - finite
    endless = np.bincount(row, weights=infinite, minlength=row_n)[row] - infinite
    return np.where(endless > 0, sign, total)


def known_totals(system: System) -> Floats:
    """Return the smallest published total that contains each variable; infinite where there is none.

    Args:
        system: of the packages.

    Returns:
        One number a variable.

    Guarantee:
        No nonnegative solution has a variable above its known total.

    Source: disclosure.md, rule 6 (min(threshold, known total)).
    """
    sums = system.relations.select(system.relations.exact)
    whole, is_part = sums.variable[sums.start[:-1]][sums.row], sums.coefficient < 0
    whole, part = whole[is_part], sums.variable[is_part]
    totals = np.full(len(system.state), np.inf)
    while True:
        of_whole = np.where(system.state[whole] == PUBLISHED, system.value[whole], totals[whole])
        tighter = totals.copy()
        np.minimum.at(tighter, part, of_whole)
        if np.array_equal(tighter, totals):
            return totals
        totals = tighter


def _programs(
    relations: Relations, bounds: Bounds, need: Mapping[int, float], examiner: Examiner
) -> tuple[dict[int, Interval], list[int], int]:
    """Examine every component that propagation alone does not settle; return missed, unreached, contradictions.

    A relation with one unknown says no more than a bound, which propagation has put into the intervals. Without such
    relations components are smaller, and more of their unknowns are alike.
    """
    missed: dict[int, Interval] = {}
    unreached: list[int] = []
    contradictions = 0
    relations = relations.select(np.diff(relations.start) > 1)
    for group in components(relations):
        component = relations.take(group)
        open_need = {int(v): need[int(v)] for v in np.unique(component.variable) if int(v) in need}
        if open_need and not (bounds.finished and _is_tree(component)):
            outcome = examiner.examine(component, bounds.low, bounds.high, open_need)
            missed |= outcome.missed
            unreached.extend(outcome.unreached)
            contradictions += outcome.contradictory
    return missed, unreached, contradictions


def _is_tree(component: Relations) -> bool:
    """Say whether a connected component has no cycle, so that propagated intervals are exact."""
    return len(component.variable) == len(np.unique(component.variable)) + len(component.exact) - 1


def _claim(target: Target, interval: Interval) -> Claim:
    low, high = interval
    correct = None if target.truth is None else low <= target.truth <= high
    says = f"is within [{low:.0f}, {high:.0f}]" if high < np.inf else f"is {low:.0f} or more"
    return Claim(target.release, (target.table, *target.coordinates), target.measure, says, correct)
