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
        Holds for all sums with coefficients 0 and 1, not only for single lines. Such a sum gives each row and column a
        number, and each cell its row's number less its column's, which is 0 or 1. Where it is 0 for every cell with
        many people, numbers never fall from column to row along such a cell, nor rise from row to column along any
        cell; so that they are all equal, and the sum is empty, if there is a way from each line to each other: from row
        to column along any withheld cell, back along one with many people. Lines that are the whole of a margin with
        enough people are let off: every line of the other kind crosses them, so that a sum which gives one of them
        another number than the rest contains all of it, or all of another such line.

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
    is_present = np.concatenate([touched.any(axis=1), touched.any(axis=0)])
    if np.any(is_present & ~is_joined & ~is_whole):
        return False
    linked = _ways(touched, touched)
    among = np.ix_(is_joined, is_joined)
    return not np.any(linked[among] & ~_ways(touched, joined, is_joined)[among])


def _ways(forth: Bools, back: Bools, through: Bools | None = None) -> Bools:
    """Say which lines can be reached from which, rows first: forth from row to column, back from column to row."""
    rows, columns = forth.shape
    step = np.zeros((rows + columns, rows + columns), dtype=np.int64)
    step[:rows, rows:], step[rows:, :rows] = forth, back.T
    if through is not None:
        step *= through[:, None] & through
    step[np.diag_indices(len(step))] = 1
    for _ in range(len(step).bit_length()):
        step = (step @ step > 0).astype(np.int64)
    return step > 0


def _whole(withheld: Bools, one_hot: Ints, published: Bools, many: Bools) -> Bools:
    """Say which lines are the whole of a margin with enough people.

    A published line is if none of its cells is published: the margin was published, so it has enough. The line of all
    withheld margins is if there are no others, or if one of them has enough people itself.
    """
    whole = (one_hot @ withheld.all(axis=1).astype(np.int64)) > 0
    if not published.all():
        whole[-1] = not published.any() or bool(np.any(many & ~published))
    return np.asarray(whole)
