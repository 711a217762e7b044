"""Released tables, looked up cell by cell; what is withheld is None, never 0.

What belongs here: reading values by coordinate, and ratios of them. What does not: words and layout.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from quorum.disclosure.invoice import CHARGED
from quorum.policy import FamilySpec, Policy
from quorum.report.facts import Booking
from quorum.tables import Dimension, PackageShape, TableShape
from quorum.tables.shape import ALL
from quorum.tables.targeting import aim

if TYPE_CHECKING:
    import pyarrow as pa

Rows = Mapping[tuple[str, ...], Mapping[str, object]]


class Released:
    """The released tables of a package. Rows are read when a page asks for them: a page details a few campaigns.

    Args:
        shape: the package.
        tables: per table of the shape its rows, in the shape's order.
        policy: the families.

    Raises:
        ValueError: a table has more or fewer rows than its shape.
    """

    def __init__(self, shape: PackageShape, tables: Mapping[str, pa.Table], policy: Policy) -> None:
        self.shape = shape
        self.families: Sequence[FamilySpec] = [policy.families[name] for name in policy.reports[shape.report].families]
        self._tables = tables
        self._blocks = {table.name: _blocks(table, tables[table.name].num_rows) for table in shape.tables}
        self._rows: dict[tuple[str, str], Rows] = {}
        self._aimed: dict[tuple[str, int, str], frozenset[tuple[str, ...]]] = {}

    def value(self, table: TableShape, key: str, at: Mapping[str, str], measure: str) -> int | None:
        """Return a measure of a cell, or None where it is withheld or the table does not have it or the key.

        Args:
            table: the table.
            key: the campaign or section.
            at: columns to categories; ALL in every other column.
            measure: the column.
        """
        if not self.lists(table, key):
            return None
        own = table.columns[0]
        coordinate = tuple(key if column == own else at.get(column, ALL) for column in table.columns)
        value = self.rows(table, key)[coordinate].get(measure)
        return value if isinstance(value, int) else None

    def rows(self, table: TableShape, key: str) -> Rows:
        """Return the rows of a campaign or section, coordinates to columns, in the file's order.

        Args:
            table: the table.
            key: the campaign or section.
        """
        if (table.name, key) not in self._rows:
            starts, size = self._blocks[table.name]
            parts = [self._tables[table.name].slice(start, size).to_pylist() for start in starts[key]]
            listed = [row for part in parts for row in part]
            self._rows[table.name, key] = {tuple(row[name] for name in table.columns): row for row in listed}
        return self._rows[table.name, key]

    def is_outside_targeting(self, table: TableShape, coordinate: tuple[str, ...]) -> bool:
        """Say whether a row lies outside the targeting of its campaign, so that it is 0 beforehand."""
        targets = self.shape.targeting.get(coordinate[0])
        if not targets:
            return False
        at = len(table.dimensions[0].levels)
        for n, dimension in enumerate(table.dimensions[1:]):
            place = coordinate[at : at + len(dimension.levels)]
            at += len(dimension.levels)
            if place not in self._places(table, n, dimension, coordinate[0]):
                return True
        return False

    def lists(self, table: TableShape, key: str) -> bool:
        """Say whether a table lists a campaign or section; in a week each stands in the tables of its families."""
        return key in self._blocks[table.name][0]

    def total(self, key: str, measure: str) -> int | None:
        """Return a measure of a whole campaign or section from the first table that has it; None where withheld."""
        for table in self.shape.tables:
            if self.lists(table, key) and measure in (m.name for m in table.measures):
                start = self._blocks[table.name][0][key][0]  # the row of the total comes first
                value: int | None = self._tables[table.name][measure][start].as_py()
                return value
        return None

    def tells(self, key: str, measure: str) -> bool:
        """Say whether a table that lists a campaign or section has a measure: else nothing of it can be withheld."""
        return any(
            self.lists(table, key) and measure in (m.name for m in table.measures) for table in self.shape.tables
        )

    def tells_some(self, key: str) -> bool:
        """Say whether a number of a campaign or section is published, besides what targeting makes 0."""
        return any(
            isinstance(row[measure.name], int) and not self.is_outside_targeting(table, coordinate)
            for table in self.shape.tables
            if self.lists(table, key)
            for coordinate, row in self.rows(table, key).items()
            for measure in table.measures
        )

    def cost_micros(self, key: str, booking: Booking) -> int | None:
        """Return the cost of a campaign: the released count of the event that is charged, times the public price."""
        charged = self.charged(booking)
        count = self.total(key, charged) if charged else None
        return None if count is None else count * booking.price_micros

    def charged(self, booking: Booking) -> str:
        """Return the measure of the events that a price model charges; empty for one that is not known."""
        family = CHARGED.get(booking.price_model)
        return next((own.count for own in self.families if own.name == family), "")

    def _places(self, table: TableShape, n: int, dimension: Dimension, key: str) -> frozenset[tuple[str, ...]]:
        if (table.name, n, key) not in self._aimed:
            aimed = aim(dimension, self.shape.targeting[key])
            self._aimed[table.name, n, key] = frozenset(aimed.coordinates())
        return self._aimed[table.name, n, key]


def _blocks(table: TableShape, rows: int) -> tuple[dict[str, list[int]], int]:
    """Return where the rows of each key begin, and how many follow: those of one coordinate of the first dimension."""
    first = list(table.dimensions[0].coordinates())
    if table.row_n != rows:
        raise ValueError(f"{table.name} does not have the rows of its shape")
    size = rows // max(1, len(first))
    starts: dict[str, list[int]] = {}
    for n, coordinate in enumerate(first):
        starts.setdefault(coordinate[0], []).append(n * size)
    return starts, size
