"""What was released before a night, read back from the safe zone: the only past that plans and forecasts may look at.

What belongs here: finding released packages and reading their cells. What does not: what is concluded from them
(`quorum.disclosure.history`), and any cube.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from quorum.disclosure.history import History
from quorum.engine.store import Store
from quorum.ledger import Ledger
from quorum.policy import Policy, ReportSpec
from quorum.release.package import PUBLISHED
from quorum.release.safe import week_table
from quorum.release.shapes import forecast_shape
from quorum.tables import PackageShape
from quorum.tables.periods import WEEK
from quorum.tables.shape import ALL

_NIGHTS = 14
"""So many nights before are looked at: a whole week and its days are among them, whichever day it is."""

Owed = Callable[[date], Sequence[PackageShape]]
"""The day packages that a night owed, by the reference data of that night."""


@dataclass(frozen=True)
class Released:
    """Released packages of a report.

    Args:
        store: the safe zone.
        policy: reports.
        ledger: what was released.
        owed: the shapes of an earlier night's day packages.
        report: the report.
    """

    store: Store
    policy: Policy
    ledger: Ledger
    owed: Owed
    report: ReportSpec

    def teach(self, history: History, before: date, recipient_id: str | None = None, *, cells: bool = True) -> None:
        """Let a history take in what was released on the nights before a night.

        Args:
            history: takes it in.
            before: the night.
            recipient_id: released to whom; to anybody if None.
            cells: whether categories are wanted, or totals alone.
        """
        known = {
            (entry.body["recipient_id"], entry.body["period"])
            for entry in self.ledger.entries("release")
            if entry.body["report"] == self.report.name and recipient_id in (None, entry.body["recipient_id"])
        }
        for night in [night for night in self.store.nights("safe__release") if night < before][-_NIGHTS:]:
            for shape, tables in self._days(night, known):
                history.add(shape, tables, cells=cells)
            if WEEK in self.report.periods:
                for row in self._week_totals(night, known):
                    history.add_total(*row)

    def _days(self, night: date, known: set[tuple[str, str]]) -> Iterator[tuple[PackageShape, Mapping[str, pa.Table]]]:
        """Yield the released day packages of a night; one whose shape has changed since is passed over."""
        shapes = [
            forecast_shape(self.policy, shape)
            for shape in self.owed(night)
            if shape.report == self.report.name and (shape.recipient_id, shape.period) in known
        ]
        names = dict.fromkeys(table.name for shape in shapes for table in shape.tables)
        stored = {name: self.store.read(f"safe__{name}", night) for name in names}
        for shape in shapes:
            tables = {table.name: _of(stored[table.name], shape) for table in shape.tables}
            if all(tables[table.name].num_rows == table.row_n for table in shape.tables):
                yield shape, tables

    def _week_totals(self, night: date, known: set[tuple[str, str]]) -> Iterator[tuple[str, str, str, int | None]]:
        """Yield key, period, family and events of the totals of each released week that ends on a night."""
        rows = self.store.read(week_table(self.report.name), night)
        families = [self.policy.families[name] for name in self.report.families]
        columns = {level for spec in self.report.tables for name in spec.dimensions for level in self._levels(name)}
        for column in sorted(columns & set(rows.column_names)):
            rows = rows.filter(pc.equal(rows[column], ALL))
        for row in rows.to_pylist():
            if (row["recipient_id"], row["period"]) in known:
                for family in families:
                    if row[f"status_{family.name}"] is not None:
                        is_told = row[f"status_{family.name}"] == PUBLISHED
                        yield row[self.report.key], row["period"], family.name, row[family.count] if is_told else None

    def _levels(self, dimension: str) -> tuple[str, ...]:
        return self.policy.dimensions[dimension].levels


def _of(rows: pa.Table, shape: PackageShape) -> pa.Table:
    """Return the rows of one package."""
    own = pc.and_(pc.equal(rows["recipient_id"], shape.recipient_id), pc.equal(rows["report"], shape.report))
    return rows.filter(own)
