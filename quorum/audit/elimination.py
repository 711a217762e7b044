"""Attack 2: exact recovery by elimination over every equation of the packages.

What belongs here: which unknowns follow exactly, and their values. What does not: intervals
(`quorum.audit.propagation`), and where equations come from (`quorum.audit.equations`).
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quorum.audit.record import Claim, Findings
from quorum.audit.system import DECLARED, PUBLISHED, Relations, System, Target, baseline, components, reduce

PRIME = 2**61 - 1
"""Modulus of the elimination: a prime above twice every count and sum, so that a residue is the value itself."""

_SEEDS = ((0x9E3779B97F4A7C15, 0xD1B54A32D192ED03), (0xBF58476D1CE4E5B9, 0xD1B54A32D192ED03), (3, 0x94D049BB133111EB))
"""Three guesses at what stays free: the first two differ in the unknowns, the third also in the declared totals."""

Row = dict[int, int]


@dataclass(frozen=True)
class Recovered:
    """What follows exactly from a set of equations.

    Args:
        values: variable to value; None where it follows only with a declared total whose value is not in the files.
        contradictions: equations that cannot hold together.
    """

    values: Mapping[int, int | None]
    contradictions: int


def recover_exactly(system: System) -> Findings:
    """Claim every withheld cell that follows exactly from what is published.

    Args:
        system: of the packages.

    Returns:
        A claim for each target whose variable is determined or published elsewhere; correct where its value is true.

    Guarantee:
        Without a claim, no withheld cell is a linear function of published ones and of declared totals; the chance that
        one is overlooked or made up is below 1e-12 per million cells. Nothing is said about intervals.

    Source: disclosure.md, attack 2; Langsrud 2024, doi:10.1007/978-3-031-69651-0_6.
    """
    relations, broken = reduce(system)
    relations = relations.select(relations.exact)
    declared = {int(v) for v in relations.variable if system.state[v] == DECLARED}
    values: dict[int, int | None] = {}
    contradictions = broken
    for group in components(relations):
        solved = solve(_rows(relations, group.tolist()), [int(-relations.constant[row]) for row in group], declared)
        values.update(solved.values)
        contradictions += solved.contradictions
    claims = tuple(claim for target in system.targets if (claim := _claim(target, system, values)) is not None)
    return Findings(len(system.targets), claims, baseline(system.targets), contradictions=contradictions)


def solve(rows: Sequence[Row], right: Sequence[int], declared: set[int]) -> Recovered:
    """Solve linear equations as far as they can be solved.

    Args:
        rows: one a equation, variable to coefficient; they are used up.
        right: right-hand sides.
        declared: variables that are known, though not to us.

    Returns:
        The determined variables with their values, and the number of contradictions.

    Example:
        >>> solve([{0: 1, 1: 1}, {1: 1, 2: 1}, {0: 1, 1: 1, 2: 1}], [4, 6, 9], set()).values
        {1: 1, 2: 5, 0: 3}

    Guarantee:
        A variable is returned exactly if its unit vector lies in the row space (declared variables left out), up to a
        chance of one in 2**61.

    Source: elimination with the fewest fill-ins (Markowitz, Management Science 3 (1957) 255) modulo a prime; what is
        determined does not depend on what is put in for the free variables.
    """
    equations, constants = list(rows), [value % PRIME for value in right]
    pivots, contradictions = _eliminate(equations, constants, declared)
    guesses = [_substitute(equations, constants, pivots, declared, *seeds) for seeds in _SEEDS]
    values: dict[int, int | None] = {}
    for variable, _ in reversed(pivots):
        first, second, third = (guess[variable] for guess in guesses)
        if first == second:
            values[variable] = _signed(first) if first == third else None
    return Recovered(values, contradictions)


def _eliminate(equations: list[Row], constants: list[int], declared: set[int]) -> tuple[list[tuple[int, int]], int]:
    """Bring equations into echelon form in place; return (variable, equation) pivots in order, and contradictions."""
    holding: dict[int, set[int]] = {}
    for index, equation in enumerate(equations):
        for variable in equation:
            holding.setdefault(variable, set()).add(index)
    queue = [(len(equation), index) for index, equation in enumerate(equations)]
    heapq.heapify(queue)
    pivots: list[tuple[int, int]] = []
    done: set[int] = set()
    contradictions = 0
    while queue:
        length, index = heapq.heappop(queue)
        equation = equations[index]
        if index in done or length != len(equation):
            continue
        done.add(index)
        for variable in equation:
            holding[variable].discard(index)
        free = [variable for variable in equation if variable not in declared]
        if not free:
            contradictions += not equation and constants[index] != 0
            continue
        pivot = min(free, key=lambda variable: (len(holding[variable]), variable))
        pivots.append((pivot, index))
        for other in sorted(holding[pivot]):
            _subtract(equations, constants, holding, pivot, index, other)
            heapq.heappush(queue, (len(equations[other]), other))
    return pivots, contradictions


def _subtract(
    equations: list[Row], constants: list[int], holding: dict[int, set[int]], pivot: int, index: int, other: int
) -> None:
    """Take the multiple of one equation from another that removes the pivot from it."""
    target = equations[other]
    factor = target[pivot] * pow(equations[index][pivot], -1, PRIME) % PRIME
    for variable, coefficient in equations[index].items():
        value = (target.get(variable, 0) - factor * coefficient) % PRIME
        if value:
            target[variable] = value
            holding[variable].add(other)
        else:  # it was there: both factors are units modulo a prime
            del target[variable]
            holding[variable].discard(other)
    constants[other] = (constants[other] - factor * constants[index]) % PRIME


def _substitute(
    equations: Sequence[Row],
    constants: Sequence[int],
    pivots: Sequence[tuple[int, int]],
    declared: set[int],
    free_seed: int,
    declared_seed: int,
) -> dict[int, int]:
    """Return one solution modulo the prime: free and declared variables are guessed, pivots follow."""
    solution: dict[int, int] = {}
    for pivot, index in reversed(pivots):
        total = constants[index]
        for variable, coefficient in equations[index].items():
            if variable != pivot:
                seed = declared_seed if variable in declared else free_seed
                value = solution.setdefault(variable, pow(seed, variable + 2, PRIME))
                total -= coefficient * value
        solution[pivot] = total * pow(equations[index][pivot], -1, PRIME) % PRIME
    return solution


def _rows(relations: Relations, group: Sequence[int]) -> list[Row]:
    rows = []
    for row in group:
        entries = slice(int(relations.start[row]), int(relations.start[row + 1]))
        pairs = zip(relations.variable[entries].tolist(), relations.coefficient[entries].tolist(), strict=True)
        rows.append({variable: coefficient % PRIME for variable, coefficient in pairs})
    return rows


def _claim(target: Target, system: System, values: Mapping[int, int | None]) -> Claim | None:
    variable = target.variable
    if system.state[variable] == PUBLISHED:
        value: int | None = int(system.value[variable])
    elif variable in values:
        value = values[variable]
    else:
        return None
    says = "follows with the invoice" if value is None else f"is {value}"
    correct = None if target.truth is None else value is None or value == target.truth
    return Claim(target.release, (target.table, *target.coordinates), target.measure, says, correct)


def _signed(residue: int) -> int:
    return residue - PRIME if residue > PRIME // 2 else residue
