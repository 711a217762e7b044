"""The lines of a two-way table: rows and columns with a known sum, withheld ones merged into one.

What belongs here: which line a cell belongs to. What does not: what follows from it (`two_way`, `two_way_heads`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from quorum.disclosure.grid import Bools, Ints


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines of a state: what is known of withheld cells, line by line.

    Args:
        withheld: inner cells, (rows, columns).
        row: merged line of each row: published rows first, then one for all withheld rows.
        column: the same for columns.
        rows: (merged, rows), 1 where a row belongs to a line.
        columns: (merged, columns).
        plain_rows: number of published rows.
        plain_columns: number of published columns.

    Guarantee:
        Made by `read_lines`.

    Source: disclosure.md, rule 6.
    """

    withheld: Bools
    row: Ints
    column: Ints
    rows: Ints
    columns: Ints
    plain_rows: int
    plain_columns: int

    def merge(self, inner: Ints) -> Ints:
        """Return sums over the withheld cells, line by line: (merged rows, merged columns).

        Guarantee:
            Published cells count 0.

        Source: disclosure.md, rule 6.
        """
        merged: Ints = self.rows @ (inner * self.withheld) @ self.columns.T
        return merged


def read_lines(grid: Bools) -> Lines:
    """Return the lines of a state.

    Args:
        grid: status of each cell, margins first: (1 + rows, 1 + columns).

    Guarantee:
        A withheld cell belongs to one merged row and one merged column, whose sums are all that is published about it.

    Source: disclosure.md, rule 6 (margins).
    """
    row, rows, plain_rows = _merge(grid[1:, 0])
    column, columns, plain_columns = _merge(grid[0, 1:])
    return Lines(~grid[1:, 1:], row, column, rows, columns, plain_rows, plain_columns)


def _merge(published: Bools) -> tuple[Ints, Ints, int]:
    plain = int(np.count_nonzero(published))
    line = np.full(len(published), plain, dtype=np.int64)
    line[published] = np.arange(plain)
    one_hot = (np.arange(plain + int(plain < len(published)))[:, None] == line).astype(np.int64)
    return line, one_hot, plain
