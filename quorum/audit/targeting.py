"""What a package's targeting tells an outsider: cells that are 0, and categories that everybody is known to be in.

What belongs here: reading `quorum:targeting` on the rows of a table. What does not: what follows from it (the attacks).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.system import Bools
from quorum.tables.shape import ALL, Dimension

UNKNOWN = "unknown"


class Targeted:
    """The targeting of a package on the rows of one of its tables.

    Args:
        package: the package.
        table: one of its tables.

    Attributes:
        zero: row by row, whether it names a category outside the targeting of its campaign: nobody is there, for who is
            outside the targeting is counted as ``unknown``.
    """

    def __init__(self, package: ParsedPackage, table: ParsedTable) -> None:
        self._table = table
        self._position = {column: place for place, column in enumerate(table.shape.columns)}
        self._aimed = {
            key: [dimension for dimension in table.shape.dimensions if _is_aimed(dimension, targets)]
            for key, targets in package.shape.targeting.items()
        }
        allowed = {
            key: [(self._places(dimension), _allowed(dimension, package.shape.targeting[key])) for dimension in own]
            for key, own in self._aimed.items()
        }
        self.zero: Bools = np.array(
            [
                any(_named(row, places) not in listed for places, listed in allowed.get(row[0], ()))
                for row in table.coordinates
            ],
            dtype=np.bool_,
        )

    def is_fixed(self, row: int, column: str, siblings: list[int]) -> bool:
        """Say whether targeting makes a row the only one of its siblings that is not ``unknown``.

        Args:
            row: the row.
            column: over which its margin sums.
            siblings: the rows of the margin, itself too.
        """
        coordinates, place = self._table.coordinates, self._position[column]
        if not any(column in dimension.levels for dimension in self._aimed.get(coordinates[row][0], ())):
            return False
        return [r for r in siblings if not self.zero[r] and coordinates[r][place] != UNKNOWN] == [row]

    def _places(self, dimension: Dimension) -> list[int]:
        return [self._position[level] for level in dimension.levels]


def _is_aimed(dimension: Dimension, targets: Mapping[str, Sequence[str]]) -> bool:
    """Say whether a targeting restricts a dimension: by its finest column, where there is ``unknown`` for the rest."""
    return dimension.levels[-1] in targets and any(path[-1] == UNKNOWN for path in dimension.keys)


def _allowed(dimension: Dimension, targets: Mapping[str, Sequence[str]]) -> set[tuple[str, ...]]:
    """Return what a row may name of a dimension: the beginnings of every path that is targeted, and of ``unknown``."""
    kept = {UNKNOWN, *targets[dimension.levels[-1]]}
    return {path[:depth] for path in dimension.keys if path[-1] in kept for depth in range(len(path) + 1)}


def _named(row: Sequence[str], places: Sequence[int]) -> tuple[str, ...]:
    return tuple(row[place] for place in places if row[place] != ALL)
