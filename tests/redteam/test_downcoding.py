"""Who knows the algorithm runs it on every input that a file leaves possible: what is left of the withheld cells.

The defender's algorithm meets the attack here: the attack's own module knows nothing of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import product

import pyarrow as pa
import pytest
from disclosure_portal import FAMILIES, flat, nested, package, plain, rule_set, table

from quorum.audit.downcoding import FEWEST, Algorithm, File, Input, SmallTable, downcode
from quorum.disclosure import PackageCube, control
from quorum.errors import ReleaseError
from quorum.tables import TableShape
from quorum.tables.shape import ALL

RULES = rule_set(heads=10, clicks=10)
THREE = table("audience_age", plain(1), flat("age_band", 3), families=FAMILIES[:1])
TWO_DEVICES = table("audience_device", plain(1), flat("device", 2, partitions=False), families=FAMILIES[:1])
AREAS = table("audience_area", plain(1), nested("region", "prefecture", (1, 2)), families=FAMILIES[:1])


def small(shape: TableShape, most: int = 60) -> SmallTable:
    places = list(shape.coordinates())
    finest = [place for place in places if ALL not in place]
    cells = (
        tuple(at for at, leaf in enumerate(finest) if all(a in (b, ALL) for a, b in zip(place, leaf, strict=True)))
        for place in places
    )
    return SmallTable(len(finest), tuple(cells), most)


def controlled(shape: TableShape) -> Algorithm:
    """Control as it stands, on people who see one impression each."""
    tables = small(shape)
    names = {c: pa.array([place[at] for place in shape.coordinates()]) for at, c in enumerate(shape.columns)}

    @lru_cache(maxsize=4096)
    def publish(numbers: Input) -> File:
        sums = pa.array(tables.sums(numbers), pa.int64())
        rows = pa.table({**names, "impression_n": sums, "people_n": sums})
        cube = PackageCube(package(shape), {shape.name: rows})
        return tuple(control(cube, RULES, FAMILIES[:1]).tables[shape.name]["impression_n"].to_pylist())

    return publish


def inputs(total: int, finest: int) -> Iterator[Input]:
    if finest == 1:
        yield (total,)
        return
    for first in range(total + 1):
        yield from ((first, *rest) for rest in inputs(total - first, finest - 1))


def given_away(shape: TableShape, total: int) -> dict[File, list[int]]:
    """Every file that control makes of a total, with the withheld cells that keep too few values."""
    publish, tables = controlled(shape), small(shape, total)
    files = {publish(numbers) for numbers in inputs(total, tables.finest)}
    return {file: told for file in files if (told := downcode(tables, file, publish).told())}


@pytest.mark.parametrize(
    ("shape", "total"), [(THREE, 12), (THREE, 20), (THREE, 25), (TWO_DEVICES, 30), (TWO_DEVICES, 34), (AREAS, 30)]
)
def test_every_withheld_cell_keeps_three_values(shape: TableShape, total: int) -> None:
    assert given_away(shape, total) == {}


def test_what_control_gives_away_to_who_knows_it() -> None:
    """A known limit (docs/threat_model.md): control withholds no more than it must, so that a pattern says something.

    Of 33 people in three categories, 9, 12 and 12: one cell is under 10, and what is withheld beside it is the least of
    the others, so no more than 12. Then the one under 10 is 9.
    """
    found = given_away(THREE, 33)
    assert set(found) == {(33, None, 12, None), (33, 12, None, None)}
    left = downcode(small(THREE), (33, None, 12, None), controlled(THREE))
    assert left.inputs == ((9, 12, 12),)
    runs = [controlled(THREE)(numbers) in found for numbers in inputs(33, 3)]
    assert sum(runs) == 3, "of 595 inputs"


def test_categories_merged_by_what_tonight_counts() -> None:
    """Rule 7: two cells merged because each was under 50, total 98, are 49 and 49."""

    def merging(numbers: Input) -> File:
        one, other = numbers
        return (one, other, one + other) if one >= 50 and other >= 50 else (None, None, one + other)

    def merging_both_small(numbers: Input) -> File:
        one, other = numbers
        return (None, None, one + other) if one < 50 and other < 50 else (one, other, None)

    tables = SmallTable(2, ((0,), (1,), (0, 1)), 200)
    assert downcode(tables, (None, None, 98), merging_both_small).inputs == ((49, 49),)
    assert downcode(tables, (None, None, 98), merging).told() == []


def test_three_values_and_two() -> None:
    def under(least: int) -> Callable[[Input], File]:
        return lambda numbers: (numbers[0] if numbers[0] >= least else None,)

    one = SmallTable(1, ((0,),), 9)
    assert downcode(one, (None,), under(3)).values == {0: frozenset({0, 1, 2})}
    assert downcode(one, (None,), under(3)).told() == []
    assert downcode(one, (None,), under(2)).told() == [0]
    assert FEWEST == 3


def test_all_inputs_are_met_and_no_other() -> None:
    """Against trying everything: a grid of two lines and two columns."""
    cells = ((0, 1, 2, 3), (0, 1), (2, 3), (0, 2), (1, 3), (0,), (1,), (2,), (3,))
    tables = SmallTable(4, cells, 5)

    def publish(numbers: Input) -> File:
        return tuple(value if value >= 3 else None for value in tables.sums(numbers))

    for numbers in ((1, 2, 2, 1), (0, 4, 1, 1), (3, 0, 0, 0), (1, 0, 0, 1), (2, 2, 2, 2)):
        file = publish(numbers)
        every = tuple(other for other in product(range(6), repeat=4) if publish(other) == file)
        assert downcode(tables, file, publish).inputs == every


def test_no_input_and_too_many() -> None:
    one = SmallTable(2, ((0,), (1,)), 9)
    with pytest.raises(ReleaseError, match="no input"):
        downcode(one, (4, None), lambda numbers: (0, 0))
    with pytest.raises(ReleaseError, match="more than 5"):
        downcode(one, (None, None), lambda numbers: (None, None), at_most=5)
