"""Tables with two flat dimensions: witnesses by rerouting, all at once.

What belongs here: quick refusals, and proposals of other tables for `witness.accept` to judge. What does not: the
verdict, and tables of another form; what no proposal settles goes to `linear`.

A published row or column is a line whose withheld cells have a known sum. Withheld rows (at least two) have a known sum
together only: they are one line, within which people move freely; so are withheld columns. Lines and cells are then a
bipartite graph, and a cell is emptied by rerouting its people along the other three corners of rectangles.
"""

from __future__ import annotations

from math import prod

import numpy as np

from quorum.disclosure import linear
from quorum.disclosure.grid import Bools, Ints
from quorum.disclosure.lines import Lines, read_lines
from quorum.disclosure.two_way_heads import is_held_by_many
from quorum.disclosure.witness import Layer, Protection, accept, unproven

_LARGEST = 1000
"""Cells of a block above which nothing is proposed: a proposal for each cell, as large as the table, is more work than
the few programs that move all cells together."""


def violations(protection: Protection, published: Bools) -> Ints:
    """Return withheld cells of a two-way block that must not stay withheld beside these published ones.

    Args:
        protection: a two-way block, layers, threshold.
        published: status of each cell; above a published cell everything is published.

    Returns:
        Some of these cells, or none if the state is sound.

    Guarantee:
        If empty, every withheld cell has whole witnesses at 0 and at its goal, for each layer, and every sum of
        withheld cells that follows from published ones holds ``threshold`` people: where people add up, because each of
        its parts can reach that many; else because it contains a cell or a whole margin with that many.

    Source: disclosure.md, rule 6; docs/decisions/0003-complementary-suppression.md.
    """
    if not published.any() or published.all():
        return np.zeros(0, dtype=np.int64)
    block = protection.block
    lines = read_lines(published.reshape(block.shape))
    refused = _refuse_quickly(protection, lines, published)
    if refused.size:
        return refused
    for layer in protection.layers:
        bad, _ = linear.settle(block, layer, published, find_tables(protection, layer, published))
        if bad.size:
            return bad
    return refused


def unshown(protection: Protection, published: Bools) -> Ints:
    """Return withheld cells of a two-way block that rerouting alone does not show to be open, without a program.

    Args:
        protection: a two-way block in which people add up, layers, threshold.
        published: status of each cell; above a published cell everything is published.

    Returns:
        Some of these cells, or none. More than `violations` returns: what only a program could show is among them.

    Guarantee:
        If empty, as `violations`.

    Source: disclosure.md, rule 6.
    """
    if not published.any() or published.all():
        return np.zeros(0, dtype=np.int64)
    refused = _refuse_quickly(protection, read_lines(published.reshape(protection.block.shape)), published)
    if refused.size:
        return refused
    for layer in protection.layers:
        low, high = unproven(layer, published, find_tables(protection, layer, published))
        if low.size or high.size:
            return np.concatenate([low, high])
    return refused


def _refuse_quickly(protection: Protection, lines: Lines, published: Bools) -> Ints:
    """Return cells that cannot stay withheld: alone in a line, or with less left in the line than they must reach."""
    block = protection.block
    cells = np.arange(block.size).reshape(block.shape)
    withheld = (~published).reshape(block.shape)
    bad = np.zeros(block.shape, dtype=np.bool_)
    for side, is_bad, index in ((withheld, bad, cells), (withheld.T, bad.T, cells.T)):
        # A line is the margins (the first of all lines), or the inner cells of a published row.
        known = ~side[:, 0]
        parts = side[:, 1:] & known[:, None]
        is_bad[:, 1:] |= parts & (np.count_nonzero(parts, axis=1) == 1)[:, None]
        for layer in protection.layers:
            if layer.reach:
                left = (layer.values[index[:, 1:]] * parts).sum(axis=1)
                is_bad[:, 1:] |= parts & (left[:, None] < layer.goals[index[:, 1:]])
    if not bad.any() and not block.partitions and not is_held_by_many(protection, lines, published):
        bad = withheld & (protection.heads < protection.threshold).reshape(block.shape)
    return np.flatnonzero(bad)


def find_tables(protection: Protection, layer: Layer, published: Bools, keep: Ints | None = None) -> Ints:
    """Return tables that a reader of a state cannot rule out, as many as are needed and are found without a program.

    Args:
        protection: a two-way block.
        layer: one of its layers.
        published: status of each cell.
        keep: what cells should not go below when others are filled from them, one a cell; None for 0.

    Returns:
        Tables, (number, cells), in which withheld cells are 0 or at their goals, wherever this can be had by rerouting.
        None where the block is large: there all is left to programs.

    Guarantee:
        Each was let pass by `witness.accept`.

    Source: disclosure.md, rule 6; the hypercube idea of Giessing and Repsilber (GHMITER), in tau-ARGUS.
    """
    block = protection.block
    if block.size > _LARGEST:
        return np.zeros((0, block.size), dtype=np.int64)
    flow = _Flow(read_lines(published.reshape(block.shape)), layer, block.shape, keep)
    emptied = flow.whole_tables(np.concatenate([*flow.empty_lines(), flow.empty_cells()]))
    emptied = emptied[accept(block, layer, published, emptied)]
    _, to_reach = unproven(layer, published, emptied)
    if not to_reach.size:
        return emptied
    row, column = np.divmod(to_reach, block.shape[1])
    inner = (row > 0) & (column > 0)
    filled = flow.whole_tables(flow.fill_cells(row[inner] - 1, column[inner] - 1))
    return np.concatenate([emptied, filled[accept(block, layer, published, filled)]])


class _Flow:
    """Proposals for one layer: changes of the inner cells, (number, rows, columns).

    Args:
        lines: of the state.
        layer: the numbers and their bounds.
        shape: of the grid, margins included.
        keep: what cells that others are filled from should not go below; None for 0.
    """

    def __init__(self, lines: Lines, layer: Layer, shape: tuple[int, ...], keep: Ints | None) -> None:
        self._lines = lines
        self._all = layer.values.reshape(shape)[1:, 1:]
        self._goals = layer.goals.reshape(shape)[1:, 1:]
        self._inner = self._all * lines.withheld
        self._spare = self._inner if keep is None else np.maximum(self._inner - keep.reshape(shape)[1:, 1:], 0)
        self._room = (layer.upper.reshape(shape)[1:, 1:] - self._all) * lines.withheld
        self._merged, self._merged_room = lines.merge(self._inner), lines.merge(self._room)
        self._merged_spare = lines.merge(self._spare)
        self._open = lines.merge(np.ones_like(self._inner)) > 0

    def whole_tables(self, changes: Ints) -> Ints:
        """Return whole tables with margins, flattened, from changes of the inner cells."""
        number, rows, columns = changes.shape
        tables = np.zeros((number, rows + 1, columns + 1), dtype=np.int64)
        tables[:, 1:, 1:] = self._all + changes
        tables[:, 1:, 0] = tables[:, 1:, 1:].sum(axis=2)
        tables[:, 0, :] = tables[:, 1:, :].sum(axis=1)
        return tables.reshape(number, (rows + 1) * (columns + 1))

    def empty_lines(self) -> tuple[Ints, Ints]:
        """Empty each withheld row into the other withheld rows, column by column; the same for columns."""
        lines = self._lines
        rows = _empty_each(np.flatnonzero(lines.row == lines.plain_rows), self._inner, self._room)
        columns = _empty_each(np.flatnonzero(lines.column == lines.plain_columns), self._inner.T, self._room.T)
        return rows, columns.transpose(0, 2, 1)

    def empty_cells(self) -> Ints:
        """Empty each withheld cell of a published row and column: its people go along rectangles.

        Of the rectangle (row, column), (row, j), (i, column), (i, j) the cell and (i, j) lose, the other two gain.
        """
        lines, value = self._lines, self._merged
        row, column = np.nonzero(self._open[: lines.plain_rows, : lines.plain_columns])
        beside, above, corner = self._rectangles(row, column)
        room_beside, room_above = self._merged_room[row], self._merged_room[:, column].T
        limit = np.minimum(np.minimum(self._merged_spare[None], room_beside[:, None, :]), room_above[:, :, None])
        limit = np.where(corner & beside[:, None, :] & above[:, :, None], limit, 0)
        moved = _take(value[row, column], limit)
        change = -moved
        each = np.arange(len(row))
        change[each, row, :] += moved.sum(axis=1)
        change[each, :, column] += moved.sum(axis=2)
        change[each, row, column] -= value[row, column]
        return self._expand(change)

    def fill_cells(self, row: Ints, column: Ints) -> Ints:
        """Raise each given cell to its goal, from cells of its row and of its column, whose lines are repaid."""
        lines = self._lines
        line, other = lines.row[row], lines.column[column]
        missing = np.maximum(self._goals[row, column] - self._merged[line, other], 0)
        along_row = self._fill(line, other, missing, self._merged_spare, self._merged_room, self._open)
        along_column = self._fill(other, line, missing, self._merged_spare.T, self._merged_room.T, self._open.T)
        changes = np.concatenate([along_row, along_column.transpose(0, 2, 1)])
        return self._gather(self._expand(changes), np.tile(row, 2), np.tile(column, 2))

    def _rectangles(self, row: Ints, column: Ints) -> tuple[Bools, Bools, Bools]:
        """Return which columns, rows and opposite corners a cell can make rectangles with."""
        beside, above = self._open[row].copy(), self._open[:, column].T.copy()
        each = np.arange(len(row))
        beside[each, column] = False
        above[each, row] = False
        return beside, above, np.broadcast_to(self._open, (len(row), *self._open.shape))

    @staticmethod
    def _fill(row: Ints, column: Ints, missing: Ints, value: Ints, room: Ints, is_open: Bools) -> Ints:
        """Raise cells from other cells of the row, the most helpful first, and any cells of the column."""
        each = np.arange(len(row))
        beside, above = value[row] * is_open[row], (value[:, column] * is_open[:, column]).T
        beside[each, column] = 0
        above[each, row] = 0
        change = np.zeros((len(row), *value.shape), dtype=np.int64)
        missing, free = missing.copy(), room * is_open
        for _ in range(min(value.shape)):
            through = np.minimum(above[:, :, None], free[None])
            reachable = np.minimum(beside, through.sum(axis=1))
            best = np.argmax(reachable, axis=1)
            amount = np.minimum(missing, reachable[each, best])
            if not amount.any():
                break
            taken = _take(amount, through[each, :, best])
            change[each, :, column] -= taken
            change[each, :, best] += taken
            change[each, row, best] -= amount
            change[each, row, column] += amount
            above -= taken
            beside[each, best] = 0
            missing -= amount
        return change

    def _expand(self, change: Ints) -> Ints:
        """Spread changes of merged lines over their rows and columns."""
        lines = self._lines
        by_row = _spread(
            change, lines.row, lines.plain_rows, self._spare @ lines.columns.T, self._room @ lines.columns.T
        )
        by_column = _spread(by_row.transpose(0, 2, 1), lines.column, lines.plain_columns, self._spare.T, self._room.T)
        return by_column.transpose(0, 2, 1)

    def _gather(self, change: Ints, row: Ints, column: Ints) -> Ints:
        """Move what a target still misses into it from the other cells of its pair of merged lines."""
        lines = self._lines
        pool = (lines.row == lines.row[row][:, None])[:, :, None] & (lines.column == lines.column[column][:, None])[
            :, None
        ]
        each = np.arange(len(row))
        missing = np.maximum(self._goals[row, column] - (self._inner + change)[each, row, column], 0)
        others = (self._spare + change) * pool
        others[each, row, column] = 0
        moved = _take(missing, np.maximum(others, 0))
        change = change - moved
        change[each, row, column] += moved.sum(axis=(1, 2))
        return change


def _take(amount: Ints, limit: Ints) -> Ints:
    """Split each amount over places in order, none above its limit: (number,), (number, ...places) -> the same."""
    places = limit.reshape(len(limit), prod(limit.shape[1:]))
    before = np.cumsum(places, axis=1) - places
    return np.clip(amount[:, None] - before, 0, places).reshape(limit.shape)


def _empty_each(members: Ints, values: Ints, room: Ints) -> Ints:
    """Empty each of these rows into the others, column by column."""
    size = len(members)
    limit = np.repeat(room[members][None], size, axis=0)
    limit[np.arange(size), np.arange(size)] = 0
    before = np.cumsum(limit, axis=1) - limit
    moved = np.clip(values[members][:, None, :] - before, 0, limit)
    moved[np.arange(size), np.arange(size)] -= values[members]
    change = np.zeros((size, *values.shape), dtype=np.int64)
    change[:, members] = moved
    return change


def _spread(change: Ints, line: Ints, merged: int, value: Ints, room: Ints) -> Ints:
    """Turn changes of lines (number, merged, other) into changes of rows (number, rows, other).

    What the merged line loses is taken from its rows in order, what it gains is given to them in order.
    """
    rows = change[:, line]
    members = np.flatnonzero(line == merged)
    if members.size:
        total = change[:, merged][:, None, :]
        can_lose, can_gain = value[members], room[members]
        lost = np.clip(-total - (np.cumsum(can_lose, axis=0) - can_lose), 0, can_lose)
        gained = np.clip(total - (np.cumsum(can_gain, axis=0) - can_gain), 0, can_gain)
        rows[:, members] = gained - lost
    return rows
