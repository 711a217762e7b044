"""What packages are counted from: the cubes of nights, and what one package is about in them.

What belongs here: reading cubes and leaving one recipient's numbers of them. What does not: which packages there are
(`quorum.due`), and what of the numbers may be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from quorum.disclosure import PackageCube, project
from quorum.disclosure.clipping import ClippedShare, clipped_shares, month_before
from quorum.disclosure.invoice import TOTALS
from quorum.disclosure.month import sum_totals
from quorum.disclosure.week import sum_days
from quorum.due import Due
from quorum.engine.store import Store
from quorum.months import Months
from quorum.policy import Policy, ReportSpec
from quorum.release.frequency import with_seen
from quorum.release.month_shapes import without_totals
from quorum.release.week_shapes import week_tables
from quorum.tables import PackageShape
from quorum.tables.periods import MONTH, WEEK, kind_of

_CLIPPING = "cube__clipping"


def sources(report: ReportSpec) -> dict[str, str]:
    """Return, for each table of a week, the table of the days that it sums."""
    return {table.name: table.spec.name for table in week_tables(report)}


@dataclass(frozen=True)
class Counts:
    """The cubes of a home, each night's read once.

    Args:
        store: cubes.
        policy: reports.
    """

    store: Store
    policy: Policy
    _read: dict[date, dict[str, pa.Table]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def count(self, due: Due, night: date, months: Months) -> PackageCube:
        """Count what a package is about: from the cubes of its day, or of all days of its week or month."""
        report = self.policy.reports[due.shape.report]
        if not due.days:
            return self._project(due.shape, self._cubes(night))
        days = [self._project(shape, self._cubes(day)) for day, shape in due.days.items()]
        families = [self.policy.families[name] for name in report.families]
        if kind_of(due.shape.period) != MONTH:
            people = self.store.read(str(report.week_cube), night)
            return sum_days(due.shape, days, people, families, sources(report))
        people = self.store.read(str(report.month_cube), night)
        below = without_totals(due.shape)
        counted = sum_days(below, days, people, families, {table.name: table.name for table in below.tables})
        totals = sum_totals(due.shape.table(TOTALS), days, people, families, months.prices())
        return PackageCube(due.shape, {TOTALS: totals, **counted.tables}, counted.heads_at_most)

    def is_whole(self, due: Due, night: date) -> bool:
        """Say whether all that a package was counted from is still there."""
        report = self.policy.reports[due.shape.report]
        longer = {WEEK: report.week_cube, MONTH: report.month_cube}.get(kind_of(due.shape.period))
        counted = [(table.cube, day) for table in report.tables for day in (due.days or [night])]
        return all(self.store.files(*one) for one in [*counted, *([(longer, night)] if longer else [])])

    def clipped(self, night: date) -> dict[str, ClippedShare]:
        """Return what each recipient is told of the last whole month, by the catalogue that stood at its end."""
        month = month_before(night)
        nights = [past for past in self.store.nights(_CLIPPING) if past.replace(day=1) == month]
        if not nights:
            return {}
        counted = [self.store.read(_CLIPPING, past) for past in nights]
        return clipped_shares(
            month, counted, self.store.read("pseudo__campaign", nights[-1]), self.policy.clipped_classes
        )

    def _project(self, shape: PackageShape, cubes: Mapping[str, pa.Table]) -> PackageCube:
        """Count what one package is about: the rows of the recipient's own keys, and no other's."""
        report = self.policy.reports[shape.report]
        listed = {table.name: sorted({path[0] for path in table.dimensions[0].keys}) for table in shape.tables}
        own = {
            spec.cube: _of(
                cubes[spec.cube].filter(
                    pc.is_in(cubes[spec.cube][report.key], pa.array(listed[spec.name], pa.string()))
                ),
                shape.recipient_id,
            )
            for spec in report.tables
            if spec.name in listed
        }
        cube = project(shape, own, report, self.policy)
        return cube if report.frequency is None else with_seen(cube, cubes[report.frequency.cube], self.policy)

    def _cubes(self, night: date) -> dict[str, pa.Table]:
        """Return the cubes of a night's reports."""
        if night not in self._read:
            names = {table.cube for report in self.policy.reports.values() for table in report.tables}
            names |= {report.frequency.cube for report in self.policy.reports.values() if report.frequency}
            self._read[night] = {name: self.store.read(name, night) for name in sorted(names)}
        return self._read[night]


def _of(rows: pa.Table, recipient_id: str) -> pa.Table:
    """Return a recipient's rows of a cube that says whose they are; of any other, all: its keys belong to one."""
    if "recipient_id" not in rows.column_names:
        return rows
    return rows.filter(pc.equal(rows["recipient_id"], recipient_id)).drop_columns(["recipient_id"])
