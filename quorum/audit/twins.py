"""Unknowns that are alike: what holds for one holds for all, so that one program answers for a whole line of cells.

What belongs here: finding unknowns that can change places without changing the relations. What does not: solving.

A cell has several unknowns: events and people, of one family or more. Relations of two (events at least people) tie
them into a cluster; all other relations are lines. Two unknowns are alike if their clusters look the same from where
they stand and lie on the same lines.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from quorum.audit.system import Ints, Relations

Lines = list[tuple[tuple[int, int], ...]]
Ties = list[list[tuple[int, int, int]]]
"""Per variable: the variable it is tied to, its own sign, the other's sign."""


def representatives(relations: Relations, marks: NDArray[np.float64]) -> Ints:
    """Return for each variable the first one that it can change places with; itself where there is none.

    Args:
        relations: of one component over variables 0..n-1.
        marks: one row a variable: bounds and needs; variables with different marks are different.

    Returns:
        One variable each.

    Guarantee:
        Swapping the clusters of a variable and its representative maps the relations onto themselves. Not all such
        swaps are found: only those of cells on the same lines, in clusters without a cycle.

    Source: rooted trees have a canonical form (Aho, Hopcroft and Ullman, 1974, section 3.2); symmetry in linear
    programs (Bödi, Herr and Joswig, Math. Program. 137 (2013) 65).
    """
    is_tie = ~relations.exact & (np.diff(relations.start) == 2) & (relations.constant == 0)
    lines, ties = _read(relations, is_tie, len(marks))
    first: dict[object, int] = {}
    chosen = []
    for variable in range(len(marks)):
        form: object = variable  # alike to nobody, unless
        with suppress(_CycleError):
            form = _form(variable, -1, {variable}, lines, ties, marks)
        chosen.append(first.setdefault(form, variable))
    return np.array(chosen, dtype=np.int64)


class _CycleError(Exception):
    """A cluster is no tree."""


def _read(relations: Relations, is_tie: NDArray[np.bool_], size: int) -> tuple[Lines, Ties]:
    lines: list[list[tuple[int, int]]] = [[] for _ in range(size)]
    ties: Ties = [[] for _ in range(size)]
    start, variables, signs = relations.start.tolist(), relations.variable.tolist(), relations.coefficient.tolist()
    for row, tie in enumerate(is_tie.tolist()):
        entries = range(start[row], start[row + 1])
        if tie:
            one, two = entries
            ties[variables[one]].append((variables[two], signs[one], signs[two]))
            ties[variables[two]].append((variables[one], signs[two], signs[one]))
        else:
            for entry in entries:
                lines[variables[entry]].append((row, signs[entry]))
    return [tuple(of) for of in lines], ties


def _form(
    variable: int, origin: int, seen: set[int], lines: Lines, ties: Ties, marks: NDArray[np.float64]
) -> tuple[object, ...]:
    """Return the canonical form of a variable's cluster as seen from it: equal forms can be laid on one another."""
    branches = []
    for other, own_sign, other_sign in ties[variable]:
        if other == origin:
            continue
        if other in seen:
            raise _CycleError
        seen.add(other)
        branches.append((own_sign, other_sign, _form(other, variable, seen, lines, ties, marks)))
    return lines[variable], tuple(marks[variable].tolist()), tuple(sorted(branches, key=repr))
