"""The equations of a package: which rows are one cell, and which cells sum to which.

What belongs here: the linear system, from public structure alone, in blocks that share nothing but a campaign's total.
What does not: counts, and what can be concluded from the equations.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import product
from math import prod

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from quorum.disclosure.grid import Axis, Bools, Coordinate, Ints, build_axis, coordinates_of, sizes
from quorum.tables.shape import ALL, Dimension, PackageShape, TableShape
from quorum.tables.targeting import Targets, aim

Floats = NDArray[np.float64]
Place = frozenset[tuple[str, str]]
"""Coordinates as (column, category) without margins and without the report's key: equal places are one cell."""

ONE_WAY, TWO_WAY, LAYERED, LINKED, GENERAL = "one_way", "two_way", "layered", "linked", "general"
_CUBE = 3


@dataclass(frozen=True, eq=False)
class Block:
    """Cells of one key of the report that are linked by equations other than through the total.

    Args:
        tables: the tables it covers.
        size: number of cells; cell 0 is the total if ``has_root``.
        matrix: (equations, cells): -1 for a margin, 1 for its parts; every row sums to 0 over the true values.
        partitions: whether people add up in every equation of the block.
        child: cells with a margin above them, one entry a (cell, immediate margin) pair.
        parent: that margin.
        fixed: whether public targeting makes the cell the only category of that margin beside ``unknown``; one entry a
            pair.
        form: ``one_way`` (a tree), ``two_way`` (two flat dimensions; cells in a grid), ``linked`` (three flat
            dimensions and tables that share cells with them, in which people add up), ``layered`` (a plane of those
            three, two-way) or ``general``.
        shape: sizes of the axes of a one-way or two-way block.
        has_root: whether cell 0 is the total of the key.
        rows: table, rows of the table, and the cell of each of them.
        parts: of a linked block, the blocks that its other tables make by themselves, each with its cells in this one.
        cube: of a linked block, its cells by the three dimensions, margins first.

    Guarantee:
        Public structure alone; two blocks of a key share at most the total.

    Source: disclosure.md, rule 6.
    """

    tables: tuple[str, ...]
    size: int
    matrix: Floats
    partitions: bool
    child: Ints
    parent: Ints
    fixed: Bools
    form: str
    shape: tuple[int, ...]
    has_root: bool
    rows: tuple[tuple[str, Ints, Ints], ...]
    parts: tuple[tuple[Block, Ints], ...] = ()
    cube: Ints = field(default_factory=lambda: np.zeros((0, 0, 0), dtype=np.int64))

    @cached_property
    def sparse(self) -> csr_array:
        """The matrix in whole numbers, without its zeros.

        Guarantee:
            As the matrix.

        Source: disclosure.md, rule 6.
        """
        return csr_array(self.matrix.astype(np.int64))

    def gather(self, values: Mapping[str, Ints]) -> Ints:
        """Return one value a cell from one value a row of each table.

        Args:
            values: table to its values, one a row of the whole table.

        Guarantee:
            Of rows that are one cell the last is taken; see `agrees`.

        Source: architecture.md, "A report package".
        """
        cells = np.zeros(self.size, dtype=np.int64)
        for table, rows, cell in self.rows:
            cells[cell] = values[table][rows]
        return cells

    def agrees(self, values: Mapping[str, Ints], cells: Ints) -> bool:
        """Say whether all rows that are one cell carry the same value.

        Args:
            values: table to its values, one a row of the whole table.
            cells: what `gather` made of them.

        Guarantee:
            If so, `gather` lost nothing.

        Source: architecture.md, "A report package" (the same cell carries the same value).
        """
        return all(np.array_equal(values[table][rows], cells[cell]) for table, rows, cell in self.rows)

    def orphans(self, published: Bools) -> Ints:
        """Return published cells that have a withheld margin right above them.

        Args:
            published: status of each cell.

        Guarantee:
            Where there are none, whatever is below a withheld margin is withheld.

        Source: disclosure.md, rule 6: a published part bounds its margin from below.
        """
        return np.unique(self.child[published[self.child] & ~published[self.parent]])


def build_blocks(shape: PackageShape) -> list[list[Block]]:
    """Return the blocks of every key of the report.

    Args:
        shape: the package.

    Returns:
        One list a key and universe, in the order of the tables: blocks that share at most the key's total.

    Guarantee:
        Every sum that a reader can write down from margins, hierarchies and tables that list the same cell is an
        equation of exactly one block, each cell is one variable, and a margin with one listed category is that
        category. Categories outside a campaign's targeting are 0 and no variables. Keys (campaigns, sections) share no
        equation, nor do universes.

    Source: architecture.md, "A report package"; disclosure.md, rule 6; de Wolf and Giessing, on linked tables as one
        system: Statistical Disclosure Control (Hundepool et al., 2012), section 4.
    """
    keyed = {table.name: _by_key(table) for table in shape.tables}
    keys = dict.fromkeys(key for positions in keyed.values() for key in positions)
    cache: dict[object, Block] = {}
    everything = []
    universes = dict.fromkeys(table.universe for table in shape.tables)
    for key, universe in product(keys, universes):
        grids = [
            _grid(table, keyed[table.name][key], shape.targeting.get(key, {}))
            for table in shape.tables
            if table.universe == universe and key in keyed[table.name]
        ]
        everything.append([_block(group, cache) for group in _linked(grids)])
    return everything


@dataclass(frozen=True, eq=False)
class _Grid:
    """A table within one key: its axes, and the rows of the whole table in the order of the product of coordinates.

    Rows of categories outside the key's targeting are left out; ``dimensions`` are what it leaves.
    """

    table: TableShape
    dimensions: tuple[Dimension, ...]
    axes: tuple[Axis, ...]
    rows: Ints

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(len(axis.parent) for axis in self.axes)

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(column for axis in self.axes for column in axis.columns)

    def cells(self) -> Ints:
        """Return the cell of each row, counted within the grid."""
        places = np.zeros(1, dtype=np.int64)
        for axis in self.axes:
            places = (places[:, None] * len(axis.parent) + axis.node).ravel()
        return places


@lru_cache(maxsize=1024)
def _shared_axis(dimension: Dimension, *, is_aimed: bool) -> Axis:
    """Return the axis of a dimension, which is the same for every key with the same targeting."""
    return build_axis(dimension.levels, coordinates_of(dimension), dimension.partitions_people, is_aimed=is_aimed)


def _by_key(table: TableShape) -> dict[str, list[tuple[int, Coordinate]]]:
    """Return the coordinates of the first dimension by the report's key, with their positions."""
    found: dict[str, list[tuple[int, Coordinate]]] = {}
    for position, coordinate in enumerate(coordinates_of(table.dimensions[0])):
        found.setdefault(coordinate[0], []).append((position, coordinate))
    return found


def _grid(table: TableShape, places: list[tuple[int, Coordinate]], targets: Targets) -> _Grid:
    first, *others = table.dimensions
    aimed = tuple(aim(dimension, targets) for dimension in others)
    kept = [_positions(dimension, left) for dimension, left in zip(others, aimed, strict=True)]
    rows = np.array([position for position, _ in places])
    for count, positions in zip(sizes(table)[1:], kept, strict=True):
        rows = (rows[:, None] * count + positions).ravel()
    shared = tuple(
        _shared_axis(left, is_aimed=left is not dimension) for dimension, left in zip(others, aimed, strict=True)
    )
    coordinates = tuple(coordinate[1:] for _, coordinate in places)
    own = build_axis(first.levels[1:], coordinates, first.partitions_people)
    return _Grid(table, (first, *aimed), (own, *shared) if first.levels[1:] else shared, rows)


@lru_cache(maxsize=1024)
def _positions(dimension: Dimension, left: Dimension) -> Ints:
    """Return the positions of the coordinates that targeting leaves of a dimension."""
    kept = set(coordinates_of(left))
    return np.array([at for at, coordinate in enumerate(coordinates_of(dimension)) if coordinate in kept])


def _linked(grids: Sequence[_Grid]) -> list[list[_Grid]]:
    """Return tables of a universe in groups that may share a cell beside the total: those with a column in common."""
    groups: list[list[_Grid]] = []
    for grid in grids:
        touching = [group for group in groups if any(one.columns & grid.columns for one in group)]
        merged = [one for group in touching for one in group] + [grid]
        groups = [group for group in groups if group not in touching] + [merged]
    return groups


def _block(grids: Sequence[_Grid], cache: dict[object, Block]) -> Block:
    """Return the block of linked tables; one that has no column of its own below the key is built once a targeting."""
    kind = tuple((grid.table.name, grid.dimensions[1:]) for grid in grids)
    if all(len(grid.table.dimensions[0].levels) == 1 for grid in grids):
        if kind not in cache:
            cache[kind] = _build(grids)
        known = cache[kind]
        rows = tuple((grid.table.name, grid.rows, cell) for grid, (_, _, cell) in zip(grids, known.rows, strict=True))
        return replace(known, rows=rows)
    return _build(grids)


def _build(grids: Sequence[_Grid]) -> Block:
    cells = _canonical(grids)
    size = 1 + max(int(cell.max()) for cell in cells)
    lines: dict[bytes, Floats] = {}
    pairs: dict[tuple[int, int], bool] = {}
    for grid, cell in zip(grids, cells, strict=True):
        of_grid = np.zeros(prod(grid.shape), dtype=np.int64)
        of_grid[grid.cells()] = cell
        for whole, parts, fixed in _lines(grid, of_grid):
            line = np.zeros(size)
            line[parts] = 1.0
            line[whole] -= 1.0
            lines.setdefault(line.tobytes(), line)
            pairs.update(((part, whole), is_fixed) for part, is_fixed in zip(parts.tolist(), fixed, strict=True))
    has_root = all(np.count_nonzero(axis.parent < 0) == 1 for grid in grids for axis in grid.axes)
    partitions = all(axis.partitions for grid in grids for axis in grid.axes if len(axis.parent) > 1)
    wide = _wide(max(grids, key=lambda grid: prod(grid.shape)))
    form = _form(wide) if has_root and _is_one_grid(grids, size) else GENERAL
    cube = _cube(grids, cells) if form == GENERAL and has_root and partitions else None
    ordered = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)
    return Block(
        tables=tuple(grid.table.name for grid in grids),
        size=size,
        matrix=np.array(list(lines.values())).reshape(-1, size),
        partitions=partitions,
        child=ordered[:, 0],
        parent=ordered[:, 1],
        fixed=np.array([pairs[child, parent] for child, parent in ordered.tolist()], dtype=np.bool_),
        form=form if cube is None else LINKED,
        shape=tuple(len(axis.parent) for axis in wide),
        has_root=has_root,
        rows=tuple((grid.table.name, grid.rows, cell) for grid, cell in zip(grids, cells, strict=True)),
        parts=() if cube is None else _parts(grids, cells),
        cube=np.zeros((0, 0, 0), dtype=np.int64) if cube is None else cube,
    )


def _wide(grid: _Grid) -> list[Axis]:
    return [axis for axis in grid.axes if len(axis.parent) > 1]


def _is_flat(axes: Sequence[Axis]) -> bool:
    return all(not np.any(axis.parent[1:]) for axis in axes)


def _is_one_grid(grids: Sequence[_Grid], size: int) -> bool:
    """Say whether the largest table lists every cell of the others, so that the block is that table."""
    return max(prod(grid.shape) for grid in grids) == size


def _cube(grids: Sequence[_Grid], cells: Sequence[Ints]) -> Ints | None:
    """Return the cells of the one table with three flat dimensions, if there is one and the others need no program."""
    found = [index for index, grid in enumerate(grids) if _is_cube(grid)]
    if len(found) != 1 or len(grids) == 1:
        return None
    own, grid = cells[found[0]], grids[found[0]]
    if any(block.form == GENERAL for block, _ in _parts(grids, cells)) or len(np.unique(own)) < prod(grid.shape):
        return None
    flat = np.zeros(prod(grid.shape), dtype=np.int64)
    flat[grid.cells()] = own
    return flat.reshape([len(axis.parent) for axis in _wide(grid)])


def _is_cube(grid: _Grid) -> bool:
    return len(_wide(grid)) == _CUBE and _is_flat(_wide(grid))


def _parts(grids: Sequence[_Grid], cells: Sequence[Ints]) -> tuple[tuple[Block, Ints], ...]:
    """Return the blocks of the tables beside the cube, with the cell of each of theirs."""
    cell_of = {grid.table.name: cell for grid, cell in zip(grids, cells, strict=True)}
    found = []
    for group in _linked([grid for grid in grids if not _is_cube(grid)]):
        block = _build(group)
        place = np.zeros(block.size, dtype=np.int64)
        for table, _, own in block.rows:
            place[own] = cell_of[table]
        found.append((block, place))
    return tuple(found)


def _form(wide: Sequence[Axis]) -> str:
    if len(wide) <= 1:
        return ONE_WAY
    return TWO_WAY if len(wide) == 2 and _is_flat(wide) else GENERAL


def _lines(grid: _Grid, cells: Ints) -> list[tuple[int, Ints, list[bool]]]:
    """Return every equation of a table as (margin, parts, which of them targeting fixes), in cells of the block."""
    lines: list[tuple[int, Ints, list[bool]]] = []
    array = cells.reshape(grid.shape)
    for place, axis in enumerate(grid.axes):
        stacked = np.moveaxis(array, place, 0).reshape(len(axis.parent), -1)
        for node in np.unique(axis.parent[axis.parent >= 0]).tolist():
            parts, fixed = stacked[axis.parent == node], axis.fixed[axis.parent == node].tolist()
            lines.extend((int(whole), parts[:, index], fixed) for index, whole in enumerate(stacked[node]))
    return lines


def _canonical(grids: Sequence[_Grid]) -> list[Ints]:
    """Return the block's cell of each row: rows of one place, in any table, and aliases share one."""
    if len(grids) == 1:
        return [grids[0].cells()]
    number: dict[object, int] = {}
    first: list[int] = []

    def find(index: int) -> int:
        while first[index] != index:
            index = first[index]
        return index

    def register(name: object) -> int:
        if name not in number:
            number[name] = len(first)
            first.append(len(first))
        return find(number[name])

    found: list[list[int]] = [[] for _ in grids]
    # The largest table comes first: where it lists all cells, they are numbered as they stand in it.
    ranked = sorted(range(len(grids)), key=lambda position: -prod(grids[position].shape))
    for position in ranked:
        grid, rows = grids[position], found[position]
        for cell, place in zip(grid.cells().tolist(), _places(grid), strict=True):
            one, other = sorted((register(place), register((position, cell))))
            first[other] = one
            rows.append(one)
    listed = dict.fromkeys(find(row) for position in ranked for row in found[position])
    roots = {root: index for index, root in enumerate(listed)}
    return [np.array([roots[find(row)] for row in rows], dtype=np.int64) for rows in found]


def _places(grid: _Grid) -> list[Place]:
    """Return the place of each row."""
    named = [
        [
            tuple((column, level) for column, level in zip(axis.columns, coordinate, strict=True) if level != ALL)
            for coordinate in axis.coordinates
        ]
        for axis in grid.axes
    ]
    return [frozenset(pair for part in parts for pair in part) for parts in product(*named)]
