"""Variables and relations: what an attacker writes down before solving anything.

What belongs here: the system of unknowns with its relations as flat arrays, and its reduction by what is published.
What does not: where relations come from (`quorum.audit.equations`) and solving them (the attacks).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

ABSENT, WITHHELD, PUBLISHED, DECLARED = range(4)


@dataclass(frozen=True)
class Target:
    """A withheld cell of a package.

    Args:
        release: of which package.
        table: in which table.
        coordinates: of the row.
        measure: the column.
        family: the family that governs it.
        threshold: the family's smallest head count.
        variable: the unknown that stands for it; shared with equal cells of other tables.
        truth: its value, where the truth is given to score claims.
    """

    release: str
    table: str
    coordinates: tuple[str, ...]
    measure: str
    family: str
    threshold: int
    variable: int
    truth: int | None


@dataclass(frozen=True)
class Relations:
    """Relations ``sum(coefficient * variable) + constant = 0`` (or ``>= 0`` where not exact), as flat arrays.

    Args:
        start: where each relation begins in the flat arrays, with the total length at the end.
        variable: variables, relation after relation; in a sum the whole comes first.
        coefficient: their coefficients, 1 or -1.
        constant: one a relation.
        exact: one a relation.
    """

    start: Ints
    variable: Ints
    coefficient: Ints
    constant: Ints
    exact: Bools

    @property
    def row(self) -> Ints:
        """The relation of each entry of the flat arrays."""
        return np.repeat(np.arange(len(self.exact)), np.diff(self.start))

    def select(self, keep: Bools) -> Relations:
        """Return some of the relations, in order."""
        return self.take(np.flatnonzero(keep))

    def take(self, rows: Ints) -> Relations:
        """Return the relations of these indices, in the order given; the cost is theirs, not that of all."""
        lengths = self.start[rows + 1] - self.start[rows]
        start = np.concatenate(([0], np.cumsum(lengths)))
        entries = np.repeat(self.start[rows] - start[:-1], lengths) + np.arange(start[-1])
        return Relations(
            start, self.variable[entries], self.coefficient[entries], self.constant[rows], self.exact[rows]
        )


@dataclass(frozen=True)
class System:
    """Everything that packages say about their cells.

    Args:
        state: per variable ABSENT, WITHHELD, PUBLISHED or DECLARED (known to the recipient, value not in the files).
        value: per variable; 0 unless published.
        relations: between variables.
        targets: the withheld cells, a variable as often as tables list it.
        rows: where the cell of a variable stands, one place each: release, table, row.
        width: variables of a cell, one a measure; those of a cell follow each other.
    """

    state: NDArray[np.int8]
    value: Ints
    relations: Relations
    targets: tuple[Target, ...]
    rows: Mapping[int, tuple[str, str, int]] = field(default_factory=dict)
    width: int = 1

    def row_of(self, variable: int) -> tuple[str, str, int] | None:
        """Return where the cell of a variable stands; None for an unknown that no package lists."""
        return self.rows.get(variable // self.width)


class RelationList:
    """Collects relations one by one."""

    def __init__(self) -> None:
        self._variables: list[int] = []
        self._coefficients: list[int] = []
        self._lengths: list[int] = []
        self._exact: list[bool] = []

    def whole_is_sum(self, whole: int, parts: Sequence[int]) -> None:
        """Add ``whole = sum of parts``."""
        self._add((whole, *parts), (1, *(-1 for _ in parts)), exact=True)

    def at_least(self, larger: Sequence[int], smaller: int) -> None:
        """Add ``sum of larger >= smaller``."""
        self._add((*larger, smaller), (*(1 for _ in larger), -1), exact=False)

    def _add(self, variables: Sequence[int], coefficients: Sequence[int], *, exact: bool) -> None:
        self._variables.extend(variables)
        self._coefficients.extend(coefficients)
        self._lengths.append(len(variables))
        self._exact.append(exact)

    def relations(self) -> Relations:
        """Return what was collected."""
        return Relations(
            np.concatenate(([0], np.cumsum(np.array(self._lengths, dtype=np.int64)))),
            np.array(self._variables, dtype=np.int64),
            np.array(self._coefficients, dtype=np.int64),
            np.zeros(len(self._exact), dtype=np.int64),
            np.array(self._exact, dtype=np.bool_),
        )


def reduce(system: System) -> tuple[Relations, int]:
    """Put the published values into the relations.

    Args:
        system: the variables with what is published of them.

    Returns:
        The relations that still hold an unknown (withheld or declared), published values moved into their constants,
        and the number of relations between published cells alone that do not hold.

    Guarantee:
        Every solution of the one is a solution of the other.

    Source: disclosure.md, attack 2.
    """
    full = system.relations
    known = system.state[full.variable] == PUBLISHED
    constant = full.constant.copy()
    np.add.at(constant, full.row[known], (full.coefficient * system.value[full.variable])[known])
    lengths = np.bincount(full.row[~known], minlength=len(full.exact))
    reduced = Relations(
        np.concatenate(([0], np.cumsum(lengths))),
        full.variable[~known],
        full.coefficient[~known],
        constant,
        full.exact,
    )
    broken = (lengths == 0) & np.where(full.exact, constant != 0, constant < 0)
    return reduced.select(lengths > 0), int(broken.sum())


def components(relations: Relations) -> list[Ints]:
    """Return the relations' indices, grouped so that no two groups share an unknown, small groups first.

    Guarantee:
        Solving the groups one by one is solving the whole.

    Source: disclosure.md, "How to suppress and how to audit".
    """
    if not len(relations.exact):
        return []
    from scipy.sparse import coo_array  # heavy, and nobody who verifies needs it
    from scipy.sparse.csgraph import connected_components

    used, local = np.unique(relations.variable, return_inverse=True)
    size = len(relations.exact) + len(used)
    graph = coo_array((np.ones(len(local)), (relations.row, local + len(relations.exact))), shape=(size, size))
    _, label = connected_components(graph, directed=False)
    of_relation = label[: len(relations.exact)]
    order = np.argsort(of_relation, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(of_relation[order])) + 1)
    return sorted(groups, key=lambda group: (len(group), int(group[0])))


def baseline(targets: Sequence[Target]) -> float | None:
    """Return the share of targets that one constant guess gets right at best; None without truth.

    Guarantee:
        No guess of one value for all is better.

    Source: disclosure.md, "The red team".
    """
    truths = Counter(target.truth for target in targets if target.truth is not None)
    return max(truths.values()) / truths.total() if truths else None


def by_variable(targets: Sequence[Target]) -> Mapping[int, list[Target]]:
    """Return the targets of each variable."""
    grouped: dict[int, list[Target]] = {}
    for target in targets:
        grouped.setdefault(target.variable, []).append(target)
    return grouped
