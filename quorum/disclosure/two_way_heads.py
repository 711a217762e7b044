"""Residuals of a two-way table whose categories share people: does each contain enough of them for sure?

What belongs here: the bound by the largest number, for every combination of lines at once. What does not: tables where
people add up; there a residual's people are their sum, and the intervals of heads say all.
"""

from __future__ import annotations

import numpy as np

from quorum.disclosure.grid import Bools, Ints
from quorum.disclosure.lines import Lines
from quorum.disclosure.witness import Protection


def is_held_by_many(protection: Protection, lines: Lines, published: Bools) -> bool:
    """Say whether every sum of withheld cells that follows from published ones contains a cell with enough people.

    Args:
        protection: a two-way block with its heads and threshold.
        lines: of the state.
        published: status of each cell.

    Returns:
        True if each such sum contains a withheld cell or margin of ``threshold`` people, or the whole of a published
        margin.

    Guarantee:
        Holds for all sums with coefficients 0 and 1, not only for single lines. A sum of lines gives each line a number
        and each cell the sum of its two lines' numbers. A cell with many people must get 0, so that lines joined by
        such cells share one number up to sign; if these join all lines, every cell gets 0. A line without any such cell
        is let off where it is the whole of a margin with enough people: it is crossed by every line of the other kind,
        so that a sum which gives it a number contains all of it, or all of another such line.

    Source: disclosure.md, rule 6 (else their maximum); docs/decisions/0003-complementary-suppression.md.
    """
    many = (protection.heads >= protection.threshold).reshape(protection.block.shape)
    joined = lines.merge(many[1:, 1:].astype(np.int64)) > 0
    touched = lines.merge(np.ones(lines.withheld.shape, dtype=np.int64)) > 0
    grid = published.reshape(protection.block.shape)
    row_is_whole = _whole(lines.withheld, lines.rows, grid[1:, 0], many[1:, 0])
    column_is_whole = _whole(lines.withheld.T, lines.columns, grid[0, 1:], many[0, 1:])
    is_whole = np.concatenate([row_is_whole, column_is_whole])
    is_joined = np.concatenate([joined.any(axis=1), joined.any(axis=0)])
    present = np.concatenate([touched.any(axis=1), touched.any(axis=0)])
    if np.any(present & ~is_joined & ~is_whole):
        return False
    by_all, by_many = _labels(touched)[is_joined], _labels(joined)[is_joined]
    return len(np.unique(by_all)) == len(np.unique(by_many))


def _whole(withheld: Bools, one_hot: Ints, published: Bools, many: Bools) -> Bools:
    """Say which lines are the whole of a margin with enough people.

    A published line is if none of its cells is published: the margin was published, so it has enough. The line of all
    withheld margins is if there are no others, or if one of them has enough people itself.
    """
    whole = (one_hot @ withheld.all(axis=1).astype(np.int64)) > 0
    if not published.all():
        whole[-1] = not published.any() or bool(np.any(many & ~published))
    return np.asarray(whole)


def _labels(edges: Bools) -> Ints:
    """Return the connected component of each line: rows first, then columns."""
    rows, columns = edges.shape
    label = np.arange(rows + columns)
    row, column = np.nonzero(edges)
    while True:
        low = np.minimum(label[row], label[rows + column])
        before = label.copy()
        np.minimum.at(label, row, low)
        np.minimum.at(label, rows + column, low)
        label = label[label]
        if np.array_equal(label, before):
            return label
