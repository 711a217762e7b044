"""That a cube's margins are the sums they claim to be: the ground on which every proof of rule 6 stands.

What belongs here: the check. What does not: mending; a cube that does not add up is refused.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from quorum.disclosure.grid import Ints, coordinates_of, parents, sizes
from quorum.disclosure.types import PackageCube
from quorum.errors import ConfigurationError
from quorum.policy import FamilySpec
from quorum.tables.shape import TableShape


def verify_sums(cube: PackageCube, families: Sequence[FamilySpec]) -> None:
    """Refuse a cube whose parts do not add up to its margins.

    Args:
        cube: any.
        families: of the report.

    Raises:
        ConfigurationError: a count is not the sum of its parts; heads, or people who count, are not where a dimension
            partitions people; a part has more people than its margin; or a cell has fewer events than people, or fewer
            people than people who count.

    Guarantee:
        In a cube that passes, events add up over every margin, people over margins of dimensions that partition them,
        and a published margin is the equation that an outsider takes it for.

    Source: architecture.md, "A report package" (quorum:additive_over); disclosure.md, rule 6.
    """
    for table in cube.shape.tables:
        for family in families:
            if table.is_heads_only and family.name not in table.families:
                continue
            counts, heads = cube.values(table.name, family.count), cube.values(table.name, family.heads)
            if np.any(counts < heads):
                raise _refusal(table, family.heads, "is larger than the number of events")
            counted = cube.values(table.name, family.judged)
            if np.any(heads < counted):
                raise _refusal(table, family.judged, "is larger than the number of people")
            for place, dimension in enumerate(table.dimensions):
                partitions = dimension.partitions_people
                _verify_dimension(table, place, family.count, counts, adds_up=not table.is_heads_only)
                _verify_dimension(table, place, family.heads, heads, adds_up=partitions)
                _verify_dimension(table, place, family.judged, counted, adds_up=partitions)


def _verify_dimension(table: TableShape, place: int, column: str, values: Ints, *, adds_up: bool) -> None:
    above = parents(coordinates_of(table.dimensions[place]))
    child = np.flatnonzero(above >= 0)
    whole = np.unique(above[child])
    lines = np.moveaxis(values.reshape(sizes(table)), place, 0)
    sums, largest = np.zeros_like(lines), np.zeros_like(lines)
    np.add.at(sums, above[child], lines[child])
    np.maximum.at(largest, above[child], lines[child])
    if adds_up and not np.array_equal(sums[whole], lines[whole]):
        raise _refusal(table, column, "does not add up to its margin")
    if np.any(largest[whole] > lines[whole]):
        raise _refusal(table, column, "is larger in a part than in its margin")


def _refusal(table: TableShape, column: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        "cube.sums", f"{column} of {table.name} {what}", "margins that are the sums of their parts", "rebuild the cube"
    )
