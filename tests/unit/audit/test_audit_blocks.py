"""Blocks hold what a package tells of the people of a key, and draw them as they were."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from package_writer import FAMILIES, RULES, Draft, campaigns, measures, package, plain, portal, protect

from quorum.audit.blocks import Block, blocks_of
from quorum.audit.package import parse_files
from quorum.audit.rules import read_rules
from quorum.audit.truth import Truth
from quorum.tables.shape import TableShape


def blocks(draft: Draft, *, truth: bool = False) -> list[Block]:
    parsed = parse_files(draft.files())
    known = Truth({parsed.release: draft.truth()} if truth else {})
    return blocks_of(parsed, read_rules({**RULES, "contribution": {"impression": 20}}).of("campaign"), known)


def test_a_block_is_a_key_with_the_tables_that_tell_of_people() -> None:
    draft = protect(portal(), RULES["heads"], RULES["outside"])
    found = blocks(draft)
    assert [block.key for block in found] == ["c2", "c1"], "the fewest people first"
    for block in found:
        assert block.families == ("impressions", "clicks")
        assert [table.name for table in block.tables] == ["audience_age_gender", "audience_area"]
        assert (block.threshold, block.bound) == (50, 20)
        total = draft.cells["audience_area"][block.key, "ALL", "ALL"]
        assert (block.people["impressions"], block.events) == (total["people_n"], total["impression_n"])


@pytest.mark.parametrize("truth", [False, True])
def test_people_drawn_are_as_many_as_there_were(truth: bool) -> None:
    draft = protect(portal(), RULES["heads"], RULES["outside"])
    for block in blocks(draft, truth=truth):
        for table in block.tables:
            assert table.holds.shape == (len(table.rows), len(table.leaves))
            assert (table.holds[table.leaves] == np.eye(len(table.leaves), dtype=bool)).all()
            for family in block.families:
                told = table.shown[family]
                assert table.people[family].sum() == block.people[family]
                if truth:
                    assert (table.holds[told] @ table.people[family] == table.heads[family][told]).all()


def test_a_key_of_which_no_total_is_told_is_no_block() -> None:
    shape = TableShape("t", "ads", (campaigns("c1", "c2"), plain("g", "a", "b")), measures("g", heads=True))
    cell = {"clicker_rest_n": 60} | {name: 100 for _, *names in FAMILIES for name in names}
    draft = Draft(package(shape), {"t": {place: dict(cell) for place in shape.coordinates()}})
    hidden = draft.withhold("t", ("c1", "ALL")).withhold("t", ("c2", "ALL"), family="clicks")
    assert [(block.key, block.families) for block in blocks(hidden)] == [("c2", ("impressions",))]


def test_a_table_whose_cells_stand_in_another_is_left_out() -> None:
    inner = TableShape("inner", "ads", (campaigns("c1"), plain("g", "a", "b")), measures("g", heads=True))
    outer = TableShape(
        "outer", "ads", (campaigns("c1"), plain("g", "a", "b"), plain("h", "x")), measures("g", "h", heads=True)
    )
    cell = {"clicker_rest_n": 60} | {name: 100 for _, *names in FAMILIES for name in names}
    cells = {table.name: {place: dict(cell) for place in table.coordinates()} for table in (inner, outer)}
    [block] = blocks(Draft(package(inner, outer), cells))
    assert [table.name for table in block.tables] == ["outer"]
    again = replace(inner, name="again")
    [block] = blocks(Draft(package(inner, again), {**cells, "again": cells["inner"]}))
    assert [table.name for table in block.tables] == ["inner"]
