"""Every sum that a reader can write down is an equation, each cell is one variable, aliases are one cell."""

from __future__ import annotations

import numpy as np
import pytest
from disclosure_portal import (
    FAMILIES,
    Habits,
    campaign_shape,
    count_people,
    fill,
    flat,
    keyed,
    nested,
    package,
    plain,
    table,
)

from quorum.disclosure.equations import GENERAL, ONE_WAY, TWO_WAY, Block, build_blocks
from quorum.disclosure.grid import build_axis, coordinate_columns, parent_of, parents
from quorum.tables import Dimension, TableShape


def _only_block(*tables: TableShape) -> Block:
    ((block,),) = build_blocks(package(*tables))
    return block


def _lines(block: Block) -> set[tuple[int, tuple[int, ...]]]:
    return {(int(np.flatnonzero(row < 0)[0]), tuple(np.flatnonzero(row > 0).tolist())) for row in block.matrix}


def test_parents_are_one_level_up() -> None:
    assert parent_of(("a", "b", "c")) == ("a", "b", "ALL")
    assert parent_of(("a", "ALL")) == ("ALL", "ALL")
    assert parent_of(("ALL",)) is None
    assert parents([("ALL",), ("a",), ("b",)]).tolist() == [-1, 0, 0]
    assert parents([("a",), ("b",)]).tolist() == [-1, -1]


def test_columns_stand_in_the_order_of_the_published_file() -> None:
    shape = table("t", keyed(2, 2), nested("region", "prefecture", (2, 1)), flat("gender", 2))
    columns = [coordinate_columns(shape)[name].to_pylist() for name in shape.columns]
    assert list(zip(*columns, strict=True)) == list(shape.coordinates())


def test_a_margin_with_one_category_is_that_category() -> None:
    coordinates = tuple(nested("region", "prefecture", (1, 2)).coordinates())
    axis = build_axis(("region", "prefecture"), coordinates, True)
    assert axis.node.tolist() == [0, 1, 2, 1, 3, 4]
    assert axis.parent.tolist() == [-1, 0, 0, 2, 2]


def test_a_dimension_with_one_category_is_its_margin() -> None:
    block = _only_block(table("t", plain(1), flat("gender", 1), flat("age", 3)))
    assert (block.form, block.size) == (ONE_WAY, 4)
    assert [cell.tolist() for _, _, cell in block.rows] == [[0, 1, 2, 3, 0, 1, 2, 3]]


def test_a_tree_has_a_line_for_each_margin() -> None:
    block = _only_block(table("t", plain(1), nested("region", "prefecture", (2, 1, 2))))
    assert _lines(block) == {(0, (1, 2, 3)), (1, (4, 5)), (3, (6, 7))}
    assert block.form == ONE_WAY
    assert list(zip(block.child.tolist(), block.parent.tolist(), strict=True)) == [
        (1, 0), (2, 0), (3, 0), (4, 1), (5, 1), (6, 3), (7, 3),
    ]  # fmt: skip


def test_a_two_way_table_has_a_line_for_each_row_and_column() -> None:
    block = _only_block(table("t", plain(1), flat("age", 2), flat("gender", 3)))
    assert (block.form, block.shape, block.size) == (TWO_WAY, (3, 4), 12)
    assert _lines(block) == {
        (0, (4, 8)), (1, (5, 9)), (2, (6, 10)), (3, (7, 11)),
        (0, (1, 2, 3)), (4, (5, 6, 7)), (8, (9, 10, 11)),
    }  # fmt: skip


@pytest.mark.parametrize(
    "dimensions",
    [
        (flat("age", 2), nested("region", "prefecture", (2, 2))),
        (flat("age", 2), flat("gender", 2), flat("device", 2)),
    ],
    ids=["hierarchy", "three"],
)
def test_other_forms_are_general(dimensions: tuple[Dimension, ...]) -> None:
    assert _only_block(table("t", plain(1), *dimensions)).form == GENERAL


def test_a_dimension_without_a_margin_gives_no_line() -> None:
    free = Dimension(("site",), (("s0",), ("s1",)), has_margin=False)
    block = _only_block(table("t", plain(1), free, flat("age", 2)))
    assert not block.has_root
    assert _lines(block) == {(0, (1, 2)), (3, (4, 5))}


def test_tables_that_list_the_same_cell_share_its_variable() -> None:
    ages = flat("age", 2)
    block = _only_block(
        table("by_gender", plain(1), ages, flat("gender", 2)),
        table("by_area", plain(1), ages, nested("region", "prefecture", (1, 2))),
        table("by_age", plain(1), ages),
    )
    cells = {name: cell for name, _, cell in block.rows}
    assert cells["by_gender"].reshape(3, 3)[:, 0].tolist() == cells["by_age"].tolist()
    assert cells["by_area"].reshape(3, 6)[:, 0].tolist() == cells["by_age"].tolist()
    # The one prefecture of the first region is that region.
    assert np.array_equal(cells["by_area"].reshape(3, 6)[:, 1], cells["by_area"].reshape(3, 6)[:, 3])
    assert (block.form, block.size) == (GENERAL, 9 + 3 * 4)
    assert block.has_root and not block.rows[0][2][0]


def test_a_third_table_links_two_that_have_nothing_in_common() -> None:
    a, b = flat("age", 2), flat("gender", 2)
    block = _only_block(table("x", plain(1), a), table("y", plain(1), b), table("z", plain(1), a, b))
    assert block.tables == ("x", "y", "z")
    assert block.size == 9


def test_tables_without_a_common_column_share_the_total_alone() -> None:
    ((first, second),) = build_blocks(
        package(table("x", plain(1), flat("age", 2)), table("y", plain(1), flat("gender", 2)))
    )
    assert first.tables == ("x",) and second.tables == ("y",)


def test_universes_and_campaigns_are_never_linked() -> None:
    ages = flat("age", 2)
    other = TableShape("other", "views", (plain(2), ages), ())
    blocks = build_blocks(package(table("own", plain(2), ages), other))
    assert [[block.tables for block in group] for group in blocks] == [[("own",)], [("other",)]] * 2
    rows = [group[0].rows[0][1].tolist() for group in blocks]
    assert rows == [[0, 1, 2], [0, 1, 2], [3, 4, 5], [3, 4, 5]]


def test_a_keys_rows_are_found_where_categories_nest_below_it() -> None:
    shape = package(table("performance", keyed(2, [1, 2]), flat("placement", 2, False)))
    first, second = (group[0] for group in build_blocks(shape))
    listed = list(shape.tables[0].coordinates())
    for key, block in (("c000", first), ("c001", second)):
        ((_, rows, _),) = block.rows
        assert [listed[row] for row in rows] == [c for c in listed if c[0] == key]
    assert (first.size, second.size) == (9, 12)
    assert not first.partitions


def test_true_numbers_solve_every_equation() -> None:
    shape = campaign_shape(2, [1, 3])
    cube = fill(shape, count_people(shape, [300, 200], np.random.default_rng(2), Habits()))
    for group in build_blocks(shape):
        for block in group:
            for family in FAMILIES:
                for column in (family.count, family.heads) if block.partitions else (family.count,):
                    values = {name: cube.values(name, column) for name in block.tables}
                    cells = block.gather(values)
                    assert block.agrees(values, cells)
                    assert not np.any(block.matrix @ cells)


def test_rows_of_one_cell_that_differ_are_noticed() -> None:
    block = _only_block(table("t", plain(1), nested("region", "prefecture", (1, 2))))
    values = {"t": np.array([6, 1, 5, 2, 2, 3])}
    assert not block.agrees(values, block.gather(values))


def test_published_cells_below_withheld_margins_are_orphans() -> None:
    block = _only_block(table("t", plain(1), nested("region", "prefecture", (2, 2))))
    published = np.array([True, False, True, True, False, True, True])
    assert block.orphans(published).tolist() == [3]
