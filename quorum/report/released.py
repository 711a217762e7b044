"""Released tables, looked up cell by cell; what is withheld is None, never 0.

What belongs here: reading values by coordinate, and ratios of them. What does not: words and layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import TYPE_CHECKING

from quorum.policy import FamilySpec, Policy
from quorum.report.facts import Booking
from quorum.tables import PackageShape, TableShape
from quorum.tables.shape import ALL

if TYPE_CHECKING:
    import pyarrow as pa


class Released:
    """The released tables of a package.

    Args:
        shape: the package.
        tables: per table of the shape its rows, in the shape's order.
        policy: the families.
    """

    def __init__(self, shape: PackageShape, tables: Mapping[str, pa.Table], policy: Policy) -> None:
        self.shape = shape
        self.families: Sequence[FamilySpec] = [policy.families[name] for name in policy.reports[shape.report].families]
        self._cells = {
            table.name: dict(zip(table.coordinates(), tables[table.name].to_pylist(), strict=True))
            for table in shape.tables
        }
        self._outside = {
            table.name: frozenset(compress(table.coordinates(), shape.zeros(table))) for table in shape.tables
        }
        self._of_key: dict[tuple[str, str], dict[tuple[str, ...], Mapping[str, object]]] = {}

    def value(self, table: TableShape, key: str, at: Mapping[str, str], measure: str) -> int | None:
        """Return a measure of a cell, or None where it is withheld or the table does not have it or the key.

        Args:
            table: the table.
            key: the campaign or section.
            at: columns to categories; ALL in every other column.
            measure: the column.
        """
        own = table.columns[0]
        coordinate = tuple(key if column == own else at.get(column, ALL) for column in table.columns)
        if not self.lists(table, key):
            return None
        value: int | None = self._cells[table.name][coordinate].get(measure)
        return value

    def rows(self, table: TableShape, key: str) -> Mapping[tuple[str, ...], Mapping[str, object]]:
        """Return the rows of a campaign or section, coordinates to columns, in the file's order.

        Args:
            table: the table.
            key: the campaign or section.
        """
        if not self._of_key:
            for shape in self.shape.tables:
                for coordinate, row in self._cells[shape.name].items():
                    self._of_key.setdefault((shape.name, coordinate[0]), {})[coordinate] = row
        return self._of_key[table.name, key]

    def is_outside_targeting(self, table: TableShape, coordinate: tuple[str, ...]) -> bool:
        """Say whether a row lies outside the targeting of its campaign, so that it is 0 beforehand."""
        return coordinate in self._outside[table.name]

    def lists(self, table: TableShape, key: str) -> bool:
        """Say whether a table lists a campaign or section; in a week each stands in the tables of its families."""
        return any(path[0] == key for path in table.dimensions[0].keys)

    def total(self, key: str, measure: str) -> int | None:
        """Return a measure of a whole campaign or section from the first table that has it; None where withheld."""
        for table in self.shape.tables:
            if self.lists(table, key) and measure in (m.name for m in table.measures):
                return self.value(table, key, {}, measure)
        return None

    def cost_micros(self, key: str, booking: Booking) -> int | None:
        """Return the cost of a campaign: the released count of the event that is charged, times the public price."""
        family = {"cpm": "impressions", "cpc": "clicks", "cpa": "conversions"}[booking.price_model]
        count = self.total(key, next(f.count for f in self.families if f.name == family))
        return None if count is None else count * booking.price_micros
