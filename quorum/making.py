"""Making one package: counted, controlled and written as safe; then drawn, staged and attacked.

What belongs here: one package after the other, as one process does them; the ledger is read alone. What does not:
which packages there are (`quorum.due`), what they are counted from (`quorum.counts`), and the door (`quorum.packages`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property

import pyarrow as pa

from quorum import __version__
from quorum.audit.package import parse_files
from quorum.counts import Counts, sources
from quorum.disclosure import control
from quorum.disclosure.clipping import ClippedShare
from quorum.disclosure.week import told_by_days
from quorum.due import Calendar, Due
from quorum.engine.store import Store
from quorum.errors import ReleaseError
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.months import Months
from quorum.plans import KEY, keys_of
from quorum.policy import Policy
from quorum.release.frequency import counted_rows, read_frequency, with_frequency
from quorum.release.gate import Door, Draft, Staged, stage
from quorum.release.package import package_path, table_files
from quorum.release.safe import read_safe, unmake_safe, write_safe
from quorum.report.earlier import Earlier, period_before, read_earlier
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.report.workbook import render_workbook
from quorum.tables import Catalog, PackageShape
from quorum.tables.periods import MONTH, kind_of
from quorum.zones import Home


@dataclass(frozen=True)
class Maker:
    """Makes packages of a night.

    Args:
        store: cubes, safe tables, reference data.
        policy: reports and rule sets.
        keys: keyed digests, and the signing key of the door.
        ledger: releases and plans; never written.
        calendar: what nights owe.
        night: the night.
    """

    store: Store
    policy: Policy
    keys: KeyRing
    ledger: Ledger
    calendar: Calendar
    night: date

    def make_safe(self, due: Due) -> str | None:
        """Make a package safe; return why it was refused."""
        try:
            self._control(due)
        except ReleaseError as error:
            return str(error)
        return None

    def stage(self, due: Due) -> Staged | str | None:
        """Stage and attack a package; return why it was refused before that, None if nothing was made safe of it."""
        try:
            return stage(self.door, due.shape, self._draft(due))
        except ReleaseError as error:
            return str(error)

    @property
    def door(self) -> Door:
        """What every release of this home passes with."""
        return door_of(self.store, self.policy, self.keys, self.ledger)

    @cached_property
    def counts(self) -> Counts:
        """The cubes that packages are counted from."""
        return Counts(self.store, self.policy)

    @cached_property
    def months(self) -> Months:
        """What was told of the months so far."""
        return self.calendar.months(self.night, self.calendar.plans)

    @cached_property
    def references(self) -> Mapping[str, pa.Table]:
        """The reference data of the night."""
        return self.calendar.references(self.night)

    @cached_property
    def clipped(self) -> Mapping[str, ClippedShare]:
        """What each recipient is told of contribution bounds."""
        return self.counts.clipped(self.night)

    def _control(self, due: Due) -> None:
        """Control a package and write what is safe of it.

        Raises:
            ReleaseError: what was controlled is not what may be released.
        """
        shape = due.shape
        unmake_safe(self.store, self.night, shape, self.policy)
        report = self.policy.reports[shape.report]
        rule_set = self.policy.rule_sets[report.rule_set]
        families = [self.policy.families[name] for name in report.families]
        cube = self.counts.count(due, self.night, self.months)
        if not due.days:
            safe = control(cube, rule_set, families, kept_back=self.months.kept_back(shape))
            write_safe(self.store, self.night, cube, safe, rule_set, self.policy, self.keys)
            return
        released = [(part, read_safe(self.store, day, part) or {}) for day, part in due.parts]
        if kind_of(shape.period) == MONTH:
            safe = control(cube, rule_set, families)
        else:
            told = told_by_days(shape, released, families, sources(report))
            safe = control(cube, rule_set, families, told_elsewhere=told, kept_back=self.months.kept_back(shape))
        beside = [parse_files(table_files(part, tables, self.policy)) for part, tables in released if tables]
        write_safe(self.store, self.night, cube, safe, rule_set, self.policy, self.keys, beside)

    def _draft(self, due: Due) -> Draft | None:
        """Return what a package brings to the door; None if nothing was made safe of it.

        Raises:
            ReleaseError: a package of a shorter period was not released yet.
        """
        shape = due.shape
        for _, part in due.parts:
            if self.ledger.release(part.recipient_id, part.report, part.period) is None:
                raise ReleaseError(
                    "release.days", f"{shape.period} before {part.period}", "shorter periods first", "release it first"
                )
        tables = read_safe(self.store, self.night, shape)
        if tables is None:
            return None
        tables = {**tables, **read_frequency(self.store, self.night, shape, self.policy)}
        breaks = self.months.plans.breaks(shape, self.night)
        references = {**self.references, "pseudo__campaign": self._campaigns_of(due)}
        facts = page_facts(
            self.policy,
            references,
            with_frequency(shape, tables, self.policy),
            self.clipped.get(shape.recipient_id),
            breaks,
            self._earlier(shape),
        )
        pages = {**render(facts, tables), **render_workbook(facts, tables)}
        cube = self.counts.count(due, self.night, self.months)
        counted = {**cube.tables, **counted_rows(cube, self.policy)}
        return Draft(tables, pages, counted, tuple(part for _, part in due.parts))

    def _earlier(self, shape: PackageShape) -> Earlier | None:
        """Return what the recipient's package of the period before says of whole campaigns; None if there is none."""
        before = replace(shape, period=period_before(shape.period))
        folder = self.store.home.out / package_path(before)
        if self.ledger.release(before.recipient_id, before.report, before.period) is None or not folder.is_dir():
            return None
        return read_earlier(folder, shape)

    def _campaigns_of(self, due: Due) -> pa.Table:
        """Return the campaigns of a night with those of a longer period that are no longer in the reference data."""
        campaigns = self.references["pseudo__campaign"]
        missing = set(keys_of(due.shape)) - set(campaigns[KEY].to_pylist())
        if not missing or self.policy.reports[due.shape.report].key != KEY:
            return campaigns
        earlier = [self.store.read("pseudo__campaign", day) for day in sorted(due.days)]
        rows = {row[KEY]: row for table in earlier for row in table.to_pylist() if row[KEY] in missing}
        return pa.concat_tables([campaigns, pa.Table.from_pylist(list(rows.values()), campaigns.schema)])


def open_maker(home: Home, catalog: Catalog, policy: Policy, keys: KeyRing, night: date) -> Maker:
    """Open a home in a process of its own; it reads the ledger, its parent alone writes there."""
    store, ledger = Store(home, catalog, keys), Ledger(home.ledger)
    return Maker(store, policy, keys, ledger, Calendar(store, policy, ledger), night)


def door_of(store: Store, policy: Policy, keys: KeyRing, ledger: Ledger) -> Door:
    """Return what every release of a home passes with."""
    return Door(store.home, ledger, keys, policy, __version__)
