"""Tables of three dimensions whose margins are told and nothing more: witnesses without a program.

What belongs here: proposals for linked blocks, for `witness.accept` to judge. What does not: the verdict, and what no
proposal settles (`programs`).

Where one table tells pairs of two dimensions and another the third, any way to fill a rectangle of pairs by categories
with the right row and column sums is a table that a reader cannot rule out. Filled from one corner, in some order of
rows and columns, it is 0 nearly everywhere, and as large as can be in the corner.
"""

from __future__ import annotations

import numpy as np

from quorum.disclosure.equations import Block
from quorum.disclosure.grid import Bools, Ints
from quorum.disclosure.witness import Layer, accept, unproven


def propose(block: Block, layer: Layer, published: Bools) -> Ints:
    """Return tables in which withheld cells of the cube are 0 or as large as they can be, found without a program.

    Args:
        block: a linked block.
        layer: one of its layers; one with a base gets no proposal.
        published: status of each cell.

    Returns:
        Tables, (number, cells); none where the cube tells more than its parts.

    Guarantee:
        Each was let pass by `witness.accept`.

    Source: the northwest corner rule of the transportation problem, Hoffman 1963; disclosure.md, rule 6.
    """
    none = np.zeros((0, block.size), dtype=np.int64)
    cube = _pairs_by_third(block)
    if cube is None or layer.base is not None or published[cube[1:, 1:, 1:]].any():
        return none
    if not published[1:].any():
        gathered = _gather(block, layer, cube)
        return gathered[accept(block, layer, published, gathered)]
    rows, columns = layer.values[cube[1:, 1:, 0]].ravel(), layer.values[cube[0, 0, 1:]]
    shape = (cube.shape[0] - 1, cube.shape[1] - 1)
    by_first = np.arange(len(rows))
    by_second = by_first.reshape(shape).T.ravel()
    orders = [
        (np.roll(order, -start), np.roll(np.arange(len(columns)), -turn))
        for turn in range(len(columns))
        for order, step in ((by_first, shape[1]), (by_second, shape[0]))
        for start in range(0, len(rows), step)
    ]
    filled = np.array([_fill(rows, columns, *order) for order in orders])
    tables = _whole(block, layer, cube, filled.reshape(len(orders), *shape, len(columns)))
    tables = tables[accept(block, layer, published, tables)]
    cells = np.union1d(*unproven(layer, published, tables))
    place = np.full(block.size, -1)
    place[cube[1:, 1:, 1:].ravel()] = np.arange(cube[1:, 1:, 1:].size)
    left = place[cells][place[cells] >= 0]
    row, column = np.divmod(left, len(columns))
    first = [_first(rows, one) for one in row.tolist()]
    ends = [(one, _first(columns, at), _last(columns, at)) for one, at in zip(first, column.tolist(), strict=True)]
    aimed = [_fill(rows, columns, one, order) for one, *both in ends for order in both]
    more = np.array(aimed, dtype=np.int64).reshape(len(aimed), *shape, len(columns))
    more = _whole(block, layer, cube, more)
    return np.concatenate([tables, more[accept(block, layer, published, more)]])


def _pairs_by_third(block: Block) -> Ints | None:
    """Return the cube with the two dimensions first whose pairs a part has, and the third that another part has."""
    in_parts = np.zeros(block.size, dtype=np.bool_)
    for _, cells in block.parts:
        in_parts[cells] = True
    for axis in range(block.cube.ndim):
        cube = np.moveaxis(block.cube, axis, -1)
        if in_parts[cube[:, :, 0]].all() and in_parts[cube[0, 0]].all():
            return cube
    return None


def _gather(block: Block, layer: Layer, cube: Ints) -> Ints:
    """Return tables in which everybody is in one cell of the cube, and in one category that a margin has besides."""
    above = np.eye(block.size, dtype=np.int64)
    above[block.child, block.parent] = 1
    for _ in range(block.cube.ndim):
        above = (above @ above > 0).astype(np.int64)
    below = np.setdiff1d(block.child, block.cube)
    tables = []
    for turn, cell in enumerate(cube[1:, 1:, 1:].ravel().tolist()):
        inside = above[cell] > 0
        beside = below[np.any(above[below][:, inside] & (np.arange(block.size)[inside] > 0), axis=1)]
        if beside.size:
            inside |= above[beside[turn // cube[0, 0, 1:].size % beside.size]] > 0
        tables.append(inside * layer.values[0])
    return np.array(tables, dtype=np.int64)


def _fill(rows: Ints, columns: Ints, row_order: Ints, column_order: Ints) -> Ints:
    """Fill a rectangle with the given sums from the corner where both orders begin."""
    row_end, column_end = np.cumsum(rows[row_order]), np.cumsum(columns[column_order])
    start = np.maximum((row_end - rows[row_order])[:, None], column_end - columns[column_order])
    filled = np.zeros((len(rows), len(columns)), dtype=np.int64)
    filled[np.ix_(row_order, column_order)] = np.maximum(np.minimum(row_end[:, None], column_end) - start, 0)
    return filled


def _first(values: Ints, place: int) -> Ints:
    return np.roll(np.arange(len(values)), -place)


def _last(values: Ints, place: int) -> Ints:
    return np.roll(np.arange(len(values)), -place - 1)


def _whole(block: Block, layer: Layer, cube: Ints, inner: Ints) -> Ints:
    """Return whole tables from inner cells of the cube, (number, ...cube); cells beside the cube keep their numbers."""
    number, *sizes = inner.shape
    full = np.zeros((number, *(size + 1 for size in sizes)), dtype=np.int64)
    full[:, 1:, 1:, 1:] = inner
    for axis in (1, 2, 3):
        margin = np.take(full, [0], axis=axis)
        margin += full.sum(axis=axis, keepdims=True)
        np.put_along_axis(full, np.zeros_like(margin), margin, axis=axis)
    tables = np.tile(layer.values, (number, 1))
    tables[:, cube.ravel()] = full.reshape(number, cube.size)
    return tables
