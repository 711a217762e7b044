"""Integer programs over one connected component: can each withheld count be 0, and can it be as large as it must?

What belongs here: the programs, solved by HiGHS, and the budget for them. What does not: which components there are and
what they mean (`quorum.audit.propagation`).

One feasible table is a witness for every goal that it meets, so that goals are tried together and only those left over
one by one: a handful of programs instead of two for each cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array

from quorum.audit.system import Relations
from quorum.audit.twins import representatives

Floats = NDArray[np.float64]
Interval = tuple[float, float]

_SOLVED, _INFEASIBLE = 0, 2
_NODES = 1000
_TOLERANCE = 1e-6


@dataclass
class Budget:
    """How many programs an attack may solve; counted, not timed, so that verdicts are the same on every machine.

    Args:
        programs: programs that may still be solved.
        unknowns: size of the largest component that is tried.
    """

    programs: int = 10_000
    unknowns: int = 1500


@dataclass(frozen=True)
class Outcome:
    """What the programs say about one component.

    Args:
        missed: variable to its feasible interval, where that misses 0 or what is needed.
        unreached: variables that the budget did not reach.
        contradictory: whether the component has no solution at all.
    """

    missed: Mapping[int, Interval] = field(default_factory=dict)
    unreached: Sequence[int] = ()
    contradictory: bool = False


class InfeasibleError(Exception):
    """The component has no solution."""


class SpentError(Exception):
    """The budget is spent, or a program was not solved within its nodes."""


class Examiner:
    """Examines components; equal ones, as of campaigns withheld whole, once.

    Args:
        budget: used up as components are examined.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._seen: dict[tuple[bytes, ...], Outcome] = {}

    def examine(self, relations: Relations, low: Floats, high: Floats, need: Mapping[int, float]) -> Outcome:
        """Say which unknowns of a component cannot be 0, or cannot be as large as needed.

        Args:
            relations: of the component.
            low: lower ends by variable, from propagation.
            high: upper ends by variable.
            need: variable to the value that it must be able to reach; only these are examined.

        Returns:
            The outcome, by variable.

        Guarantee:
            An unknown that is neither missed nor unreached has a solution in whole numbers of 0 or more where it is 0,
            and one where it is at least what it needs.

        Source: disclosure.md, attack 3; Fischetti and Salazar, Math. Program. 84 (1999) 283 (the auditing problem).
        """
        used, local = np.unique(relations.variable, return_inverse=True)
        needs = np.array([need.get(int(variable), -1.0) for variable in used])
        small = Relations(relations.start, local, relations.coefficient, relations.constant, relations.exact)
        parts = (small.start, local, small.coefficient, small.constant, small.exact, low[used], high[used], needs)
        key = tuple(np.ascontiguousarray(part).tobytes() for part in parts)
        if key not in self._seen:
            self._seen[key] = _examine(small, low[used], high[used], needs, self._budget)
        outcome = self._seen[key]
        return Outcome(
            {int(used[variable]): interval for variable, interval in outcome.missed.items()},
            [int(used[variable]) for variable in outcome.unreached],
            outcome.contradictory,
        )


class Component:
    """The programs of one component over variables 0..n-1.

    Args:
        relations: over local variables.
        low: lower ends.
        high: upper ends, maybe infinite.
        budget: used up, one a program.
    """

    def __init__(self, relations: Relations, low: Floats, high: Floats, budget: Budget) -> None:
        self._relations, self._low, self._high, self._budget = relations, low, high, budget
        self._least = -relations.constant.astype(np.float64)
        self._most = np.where(relations.exact, self._least, np.inf)

    def extremes(self, variable: int) -> Interval:
        """Return the least and the greatest value that a variable can take; infinity where there is no end."""
        one = np.zeros(len(self._low))
        one[variable] = 1.0
        low = self._program(one, alone=True)[variable]
        high = self._program(-one, alone=True)[variable] if np.isfinite(self._high[variable]) else np.inf
        return float(low), float(high)

    def not_zero(self, goals: set[int], missed: set[int]) -> None:
        """Move the goals that are 0 in no solution to the missed ones, and take all others away."""
        together = True
        while goals:
            tried = sorted(goals) if together else [min(goals)]
            cost = np.zeros(len(self._low))
            cost[tried] = 1.0
            solution = self._program(cost, alone=len(tried) == 1)
            together = _decide(goals, {v for v in goals if solution[v] <= 0}, tried, missed)

    def not_reaching(self, goals: set[int], needs: Floats, missed: set[int]) -> None:
        """Move the goals that reach what they need in no solution to the missed ones, and take all others away.

        Each goal gets a helper, at most the goal and at most its need; the sum of the helpers is maximised.
        """
        together = True
        while goals:
            tried = sorted(goals) if together else [min(goals)]
            cost = np.concatenate((np.zeros(len(self._low)), -np.ones(len(tried))))
            solution = self._program(cost, tried, needs[tried], alone=len(tried) == 1)
            together = _decide(goals, {v for v in goals if solution[v] >= needs[v]}, tried, missed)

    def _program(self, cost: Floats, helped: Sequence[int] = (), caps: Floats | None = None, *, alone: bool) -> Floats:
        """Solve one program; a goal tried alone needs the optimum, for goals tried together any solution will do.

        The corner that a linear program finds is nearly always whole; where it is not, whole numbers are asked for.
        """
        solution = self._optimum(cost, helped, caps, whole=False, alone=True)
        if np.abs(solution - np.round(solution)).max() > _TOLERANCE:
            solution = self._optimum(cost, helped, caps, whole=True, alone=alone)
        return np.round(solution) + 0.0  # no -0

    def _optimum(self, cost: Floats, helped: Sequence[int], caps: Floats | None, *, whole: bool, alone: bool) -> Floats:
        if self._budget.programs <= 0:
            raise SpentError
        self._budget.programs -= 1
        high = self._high if caps is None else np.concatenate((self._high, caps))
        result = milp(
            cost,
            integrality=np.full(len(cost), int(whole)),
            bounds=Bounds(np.concatenate((self._low, np.zeros(len(helped)))), high),
            constraints=[self._constraint(len(cost)), *self._helpers(helped)],
            options={"node_limit": _NODES, "mip_rel_gap": 0.0},
        )
        if result.status == _INFEASIBLE:
            raise InfeasibleError
        if result.x is None or (alone and result.status != _SOLVED):
            raise SpentError
        solution: Floats = result.x
        return solution

    def _constraint(self, width: int) -> LinearConstraint:
        relations = self._relations
        entries = (relations.coefficient.astype(np.float64), relations.variable, relations.start)
        return LinearConstraint(csr_array(entries, shape=(len(relations.exact), width)), self._least, self._most)

    def _helpers(self, helped: Sequence[int]) -> list[LinearConstraint]:
        """Return the constraint that each helper is at most the variable it helps."""
        if not helped:
            return []
        count, size = len(helped), len(self._low)
        columns = np.column_stack((np.array(helped), np.arange(size, size + count))).ravel()
        entries = (np.tile([1.0, -1.0], count), columns, np.arange(0, 2 * count + 1, 2))
        return [LinearConstraint(csr_array(entries, shape=(count, size + count)), 0.0, np.inf)]


def _examine(relations: Relations, low: Floats, high: Floats, needs: Floats, budget: Budget) -> Outcome:
    """Examine one of each kind of variable; its twins share its fate."""
    alike = representatives(relations, np.column_stack((low, high, needs)))
    goals = np.flatnonzero((needs >= 0) & (alike == np.arange(len(needs)))).tolist()
    twins = {goal: np.flatnonzero(alike == goal).tolist() for goal in goals}
    if len(needs) > budget.unknowns:
        return Outcome(unreached=np.flatnonzero(needs >= 0).tolist())
    to_zero, to_need, failed = set(goals), {goal for goal in goals if needs[goal] > 0}, set[int]()
    component, intervals = Component(relations, low, high, budget), dict[int, Interval]()
    try:
        component.not_zero(to_zero, failed)
        component.not_reaching(to_need, needs, failed)
        intervals.update((variable, component.extremes(variable)) for variable in sorted(failed))
    except InfeasibleError:
        return Outcome(contradictory=True)
    except SpentError:
        pass  # what is known to be missed is missed, with the interval that propagation gave
    missed = {goal: intervals.get(goal, (float(low[goal]), float(high[goal]))) for goal in sorted(failed)}
    unreached = sorted((to_zero | to_need) - failed)
    return Outcome(
        {twin: interval for goal, interval in missed.items() for twin in twins[goal]},
        [twin for goal in unreached for twin in twins[goal]],
    )


def _decide(goals: set[int], met: set[int], tried: Sequence[int], missed: set[int]) -> bool:
    """Take decided goals from the open ones: those met, and one that failed alone. Return whether any was met."""
    goals -= met
    if len(tried) == 1 and tried[0] not in met:
        goals.discard(tried[0])
        missed.add(tried[0])
    return bool(met)
