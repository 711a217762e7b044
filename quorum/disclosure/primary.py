"""Rules 1 and 2 cell by cell: is this number about enough people, and does it leave enough people out of it?

What belongs here: each rule as a pure function over arrays with one entry a cell. What does not: which numbers the
rules use (`quorum.policy.RuleSet`), and what follows from several published cells together
(`quorum.disclosure.suppress`).
"""

from __future__ import annotations

import numpy as np

from quorum.disclosure.grid import Bools, Ints


def has_enough_heads(heads: Ints, threshold: int) -> Bools:
    """Rule 1: say where a family counts enough people.

    Args:
        heads: people of the family in each cell, or a lower bound.
        threshold: the rule set's number for the family.

    Returns:
        True where the cell may pass. A cell of 0 people never does: it looks like any other withheld one.

    Guarantee:
        Where True, at least ``threshold`` people are behind the number. How many events each of them has is not looked
        at here.

    Source: disclosure.md, rule 1.
    """
    return np.asarray(heads >= threshold)


def has_required(published: Bools | None, cells: int) -> Bools:
    """Rule 1: say where the family that another one requires is published.

    Args:
        published: status of the required family in each cell; None where none is required.
        cells: number of cells.

    Returns:
        True where the requirement is met.

    Guarantee:
        Clicks appear only where impressions do, conversions only where clicks do.

    Source: disclosure.md, rule 1.
    """
    return np.ones(cells, dtype=np.bool_) if published is None else published.copy()


def leaves_people_beside(rest: Ints | None, outside: int, cells: int) -> Bools:
    """Rule 2: say where enough people of the cell are not in the family.

    Args:
        rest: people of each cell outside the family, or a lower bound; None for a family that makes the cell.
        outside: the rule set's number.
        cells: number of cells.

    Returns:
        True where it cannot be said of everybody in the cell that they clicked, or bought.

    Guarantee:
        Where True, knowing that a person is in the cell does not tell that the person is in the family.

    Source: disclosure.md, rule 2 (certainty).
    """
    return np.ones(cells, dtype=np.bool_) if rest is None else np.asarray(rest >= outside)


def leaves_people_of_parent(heads: Ints, at_most: Ints, child: Ints, parent: Ints, outside: int) -> Bools:
    """Rule 2: say which groups leave enough people of each of their margins outside.

    Args:
        heads: people of the family in each cell, or a lower bound.
        at_most: upper bound of the same; equal where heads are exact.
        child: cells with a margin above them, one entry a pair; aliases are one cell, so that a margin with one listed
            category is judged against the margin above it.
        parent: that margin, one entry a pair.
        outside: the rule set's number.

    Returns:
        One entry a cell: True where every immediate margin has at least ``outside`` people who are not in the group,
        and for cells without a margin above.

    Guarantee:
        Where True, knowing that a person is in the margin does not tell that the person is in the group, unless that
        was known beforehand.

    Source: disclosure.md, rule 2 (certainty, groups).
    """
    passes = np.ones(len(heads), dtype=np.bool_)
    passes[child[heads[parent] - at_most[child] < outside]] = False
    return passes
