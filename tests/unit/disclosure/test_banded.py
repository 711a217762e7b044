"""Worlds of one grid: margins keep their people and their impressions, and numbers of impressions their people."""

from __future__ import annotations

import numpy as np

from quorum.disclosure.banded import Crowd, is_open

NONE = np.zeros(0, dtype=np.int64)
MIXED = (60, 60)


def crowd(*cells: tuple[int, int], threshold: int = 50, kept: np.ndarray = NONE) -> Crowd:
    """Two by two cells, all withheld, each with people of one and of two impressions; all margins are told."""
    people = np.array([(0, *cell) for cell in cells], dtype=np.int64)
    published = np.array([True, True, True, True, False, False, True, False, False])
    return Crowd((3, 3), people, published, threshold, kept)


def test_cells_that_can_change_places_are_open() -> None:
    assert is_open(crowd(MIXED, MIXED, MIXED, MIXED))


def test_a_margin_keeps_its_impressions() -> None:
    """All of the first row saw one, all of the second saw two: each column then says who is in which row."""
    assert not is_open(crowd((60, 0), (60, 0), (0, 60), (0, 60)))


def test_a_margin_keeps_its_people() -> None:
    """The first row has fewer than the threshold, so that none of its cells reaches it."""
    assert not is_open(crowd((10, 10), (10, 10), MIXED, MIXED))


def test_no_cell_holds_more_people_than_its_margin() -> None:
    """Rows have 240 people of 360 impressions: 241 of one impression each would be as many as a row has."""
    assert is_open(crowd(MIXED, MIXED, MIXED, MIXED, threshold=240))
    assert not is_open(crowd(MIXED, MIXED, MIXED, MIXED, threshold=241))


def test_nearly_all_of_a_row_may_not_change_places_with_those_of_another() -> None:
    """One in 61 is another: every cell has both, and still a row cannot be emptied into another column."""
    assert not is_open(crowd((60, 1), (60, 1), (1, 60), (1, 60)))


def test_a_margin_that_other_tables_share_keeps_who_saw_how_many() -> None:
    """Where rows keep as many people of each number, cells of a row still change places within it."""
    assert is_open(crowd(MIXED, MIXED, MIXED, MIXED, kept=np.array([3, 6])))
