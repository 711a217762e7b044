"""All packages of a night: from cubes to safe tables, from safe tables through the door.

What belongs here: one package after the other, so that one that is refused holds up no other. What does not: control,
pages, attacks, signatures; each is a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from quorum import __version__
from quorum.audit.package import parse_files
from quorum.disclosure import PackageCube, control, project
from quorum.disclosure.clipping import ClippedShare, clipped_shares, month_before
from quorum.disclosure.invoice import TOTALS
from quorum.disclosure.month import sum_totals
from quorum.disclosure.week import sum_days, told_by_days
from quorum.engine.store import Store
from quorum.errors import ReleaseError
from quorum.hands import in_order
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.months import Months
from quorum.plans import KEY, Plans, keys_of
from quorum.policy import Policy, ReportSpec
from quorum.release.frequency import counted_rows, read_frequency, with_frequency, with_seen
from quorum.release.gate import BLOCKED, HELD, Door, Draft, Release, Staged, let_out, publish, stage
from quorum.release.month_shapes import month_shape, without_totals
from quorum.release.package import csv_bytes, package_path, table_files
from quorum.release.recall import Recall, recall_release
from quorum.release.safe import read_safe, unmake_safe, write_safe
from quorum.release.shapes import REFERENCES, package_shapes
from quorum.release.week_shapes import foreign_keys, week_shape, week_tables
from quorum.report.earlier import Earlier, period_before, read_earlier
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.report.workbook import render_workbook
from quorum.tables import Catalog, PackageShape
from quorum.tables.periods import MONTH, WEEK, days_of_month, days_of_week, ends_month, ends_week, kind_of
from quorum.tables.shape import EVERYONE, SEASONED
from quorum.zones import Home

_CLIPPING = "cube__clipping"
_FIRST_NIGHT = "seg__first_night"

_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Owed:
    """A package that a night owes.

    Args:
        shape: its shape, with the plans that hold.
        days: of a package of a week or month, night to the shape of the recipient's day package; empty for a day.
        weeks: of a package of a month, Sunday to the shape of the recipient's package of that week.
    """

    shape: PackageShape
    days: Mapping[date, PackageShape] = field(default_factory=dict)
    weeks: Mapping[date, PackageShape] = field(default_factory=dict)

    @property
    def parts(self) -> list[tuple[date, PackageShape]]:
        """The packages of shorter periods, each with the night that owes it."""
        return [*self.days.items(), *self.weeks.items()]


@dataclass(frozen=True)
class Frozen:
    """A package that was released.

    Args:
        shape: its shape.
        tables: what is safe of it.
        truth: what was counted, to score attacks with; empty once the cubes are over their days.
        night: that released it.
    """

    shape: PackageShape
    tables: Mapping[str, pa.Table]
    truth: Mapping[str, pa.Table]
    night: date


@dataclass(frozen=True)
class Packages:
    """What packages are made with.

    Args:
        store: cubes, safe tables, reference data.
        policy: reports and rule sets.
        keys: signing, and keyed digests.
        ledger: releases and refusals.
    """

    store: Store
    policy: Policy
    keys: KeyRing
    ledger: Ledger
    _shaped: dict[date, list[PackageShape]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _histories: dict[date, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    def make_safe(self, night: date) -> list[Release]:
        """Control every package that the night owes and has not released yet, and write what is safe.

        Plans that are missing are made first, before a cube is read.

        Returns:
            The packages that were refused, entered in the ledger with the reason.
        """
        refused = []
        plans = self._plans
        plans.fix(self._days(night), night)
        for owed in self._batches(night, plans):
            due = [each for each in owed if self._released(each.shape) is None]
            for each, reason in zip(due, self._spread(night, due, _make_safe), strict=True):
                if reason is not None:
                    refused.append(self._refuse(each.shape, night, reason))
        return refused

    def publish(self, night: date) -> list[Release]:
        """Bring every package that the night owes to the door; return what became of each."""
        releases = []
        for owed in self._batches(night, self._plans):
            lies = [(self.store.home.out / package_path(each.shape)).exists() for each in owed]
            staged = self._spread(night, [each for each, there in zip(owed, lies, strict=True) if not there], _stage)
            for each, there in zip(owed, lies, strict=True):
                made = None if there else next(staged)
                releases.append(self._explained(self._let_out(each.shape, night, made), night))
        return releases

    def _spread(self, night: date, owed: Sequence[Owed], act: Callable[[_Night, Owed], _Made]) -> Iterator[_Made]:
        """Do the same with packages that need nothing of each other, in several processes if they are many."""
        there = partial(_open, self.store.home, self.store.catalog, self.policy, self.keys, night)
        return in_order(owed, [len(keys_of(each.shape)) for each in owed], act, partial(_Night, self, night), there)

    def _let_out(self, shape: PackageShape, night: date, made: Staged | str | None) -> Release:
        """Return what became of a package that was staged, of which nothing is there, or that was refused."""
        if isinstance(made, str):
            return self._refuse(shape, night, made)
        try:
            return let_out(self.door, night, shape, lambda: made)
        except ReleaseError as error:
            return self._refuse(shape, night, str(error))

    def _released(self, shape: PackageShape) -> Mapping[str, object] | None:
        return self.ledger.release(shape.recipient_id, shape.report, shape.period)

    def stored(self, night: date) -> list[Release]:
        """Return the releases of a night that is done, each compared with what was signed.

        A release that the ledger says was removed when its days were over is not among them.

        Raises:
            ReleaseError: a stored release is not what its certificate says, or is gone.
        """
        found = []
        removed = {package for entry in self.ledger.entries("retention") for package in entry.body["packages"]}
        for entry in self.ledger.entries("release"):
            if entry.body["night"] == night.isoformat() and entry.body["report"] in self.policy.reports:
                shape = PackageShape(entry.body["recipient_id"], entry.body["report"], entry.body["period"], ())
                if package_path(shape).as_posix() in removed:
                    continue
                if not (self.store.home.out / package_path(shape)).exists():
                    raise ReleaseError(
                        "release.gone",
                        f"{shape.report} {shape.period} of {shape.recipient_id} was released and is not in its place",
                        "one release a period, as entered",
                        "restore the folder from a backup",
                    )
                found.append(publish(self.door, night, shape, lambda: None))
        return found

    def recall(self, recall: Recall) -> Path:
        """Recall a release; return the folder that says so."""
        return recall_release(self.door, recall)

    def frozen(self, report: str, period: str) -> Iterator[Frozen]:
        """Yield the packages of a report and period that were released and lie in their place, each as it was decided.

        Raises:
            ReleaseError: a stored release is not what its certificate says, or not what was made safe.
        """
        released = [
            entry.body
            for entry in self.ledger.entries("release")
            if (entry.body["report"], entry.body["period"]) == (report, period)
        ]
        recipients = {body["recipient_id"] for body in released}
        for night in sorted({date.fromisoformat(body["night"]) for body in released}):
            plans = self._plans
            cubes, months = Cubes(self), self._month(night, plans)
            for owed in chain.from_iterable(self._batches(night, plans)):
                shape = owed.shape
                if (shape.report, shape.period) == (report, period) and shape.recipient_id in recipients:
                    tables = read_safe(self.store, night, shape)
                    stored = publish(self.door, night, shape, lambda: None)
                    if tables is None or stored.path is None:
                        continue
                    every = {**tables, **read_frequency(self.store, night, shape, self.policy)}
                    for name, rows in every.items():
                        if (stored.path / f"{name}.csv").read_bytes() != csv_bytes(rows):
                            raise ReleaseError("release.safe", f"{name} of {shape.period} differs from what is safe")
                    truth = self._count(owed, night, cubes, months).tables if self._has_cubes(owed, night) else {}
                    yield Frozen(shape, tables, truth, night)

    def answer(self, night: date, shape: PackageShape, policy: Policy, draft: Draft) -> Release:
        """Bring the answer to a question to the door.

        Args:
            night: the latest night that is done.
            shape: of the answer.
            policy: with the report that it is a cut of under the name of the answer.
            draft: its tables, with all that the recipient holds of the same report and period beside it.
        """
        return publish(replace(self.door, policy=policy), night, shape, lambda: draft)

    def has_blocked(self, night: date) -> bool:
        """Say whether a package of a night was refused and has not been released since."""
        return any(self.ledger.release(*package) is None for package in self._refusals(night))

    def day_shapes(self, night: date) -> list[PackageShape]:
        """Return the shapes of the day packages that a night owes, from reference data, policy and plans."""
        plans = self._plans
        return [plans.with_plan(shape, night) for shape in self._days(night)]

    @property
    def door(self) -> Door:
        """What every release of this home passes with."""
        return Door(self.store.home, self.ledger, self.keys, self.policy, __version__)

    @property
    def _plans(self) -> Plans:
        return Plans(self.store, self.policy, self.ledger, self._days)

    def _batches(self, night: date, plans: Plans) -> Iterator[list[Owed]]:
        """Yield what a night owes: its day packages, then those of the week, then those of the month that it ends.

        What a month lists depends on what its days and weeks tell, so that it is looked at when they are made safe.
        """
        yield [Owed(self._with_head_counts(plans.with_plan(shape, night), [night])) for shape in self._days(night)]
        yield self._weeks(night, plans)
        yield self._months(night, plans)

    def _weeks(self, night: date, plans: Plans) -> list[Owed]:
        """Return the packages of the week that ends on a night; of a week under two policies there is none."""
        if not ends_week(night):
            return []
        months, counted = self._month(night, plans), self._counted(days_of_week(night))
        weeks = [
            (
                week_shape(self.policy, days, counted=counted, invoiced=months.invoiced(self.policy.reports[report])),
                days,
            )
            for (report, _), days in self._by_recipient(days_of_week(night), night, WEEK, plans)
        ]
        return [Owed(self._with_head_counts(shape, days), days) for shape, days in weeks if shape is not None]

    def _months(self, night: date, plans: Plans) -> list[Owed]:
        """Return the packages of the calendar month that ends on a night; under two policies there is none."""
        if not ends_month(night):
            return []
        months, weeks = self._month(night, plans), self._weeks_within(night, plans)
        owed, counted = [], self._counted(days_of_month(night))
        for owner, days in self._by_recipient(days_of_month(night), night, MONTH, plans):
            keys = sorted({key for shape in days.values() for key in keys_of(shape)} - foreign_keys(days, counted))
            shape = month_shape(self.policy, days, months.repeated(self.policy.reports[owner[0]], keys, night))
            if shape is not None:
                owed.append(Owed(self._with_head_counts(shape, days), days, weeks.get(owner, {})))
        return owed

    def _weeks_within(self, night: date, plans: Plans) -> dict[tuple[str, str], dict[date, PackageShape]]:
        """Return the packages of the weeks that lie in the month that ends on a night, by report and recipient."""
        found: dict[tuple[str, str], dict[date, PackageShape]] = {}
        for sunday in [day for day in days_of_month(night) if days_of_week(day)[-1] == day]:
            ran = sunday == night or self.ledger.night(sunday) is not None
            if ran and days_of_week(sunday)[0].month == night.month:
                for week in self._weeks(sunday, plans):
                    found.setdefault((week.shape.report, week.shape.recipient_id), {})[sunday] = week.shape
        return found

    def _by_recipient(
        self, days: Sequence[date], night: date, kind: str, plans: Plans
    ) -> list[tuple[tuple[str, str], dict[date, PackageShape]]]:
        """Return the day packages of nights that ran, by report and recipient; none if they ran under two policies."""
        nights = [day for day in days if day == night or self.ledger.night(day) is not None]
        if any(self._policy_of(day) != self.policy.digest for day in nights if self.ledger.night(day) is not None):
            return []
        by_report: dict[tuple[str, str], dict[date, PackageShape]] = {}
        for day in nights:
            for shape in self._days(day):
                if kind in self.policy.reports[shape.report].periods:
                    own = by_report.setdefault((shape.report, shape.recipient_id), {})
                    own[day] = self._with_head_counts(plans.with_plan(shape, day), [day])
        return sorted(by_report.items())

    def _with_head_counts(self, shape: PackageShape, nights: Iterable[date]) -> PackageShape:
        """Return a shape that says who counts: everyone, if there was no history yet on one of its nights."""
        has_history = [self._has_history(night) for night in nights]
        return replace(shape, head_counts=SEASONED if all(has_history) else EVERYONE)

    def _has_history(self, night: date) -> bool:
        if night not in self._histories:
            said = self.store.read(_FIRST_NIGHT, night)["is_bootstrap"].to_pylist()
            if not said:
                return False
            self._histories[night] = said == [False]
        return self._histories[night]

    def _counted(self, nights: Sequence[date]) -> dict[date, set[str]]:
        """Return, for nights that were begun, the campaigns whose people they count, whoever's they are."""
        begun = set(self.store.nights("pseudo__campaign"))
        return {night: self._running(night) for night in nights if night in begun}

    def _running(self, night: date) -> set[str]:
        rows = self.store.read("pseudo__campaign", night).to_pylist()
        return {row["campaign_id"] for row in rows if row["starts_on"] <= night <= row["ends_on"]}

    def months(self, night: date) -> Months:
        """Return what was told of the months of a night so far."""
        return self._month(night, self._plans)

    def _month(self, night: date, plans: Plans) -> Months:
        return Months(self.store, self.policy, self.ledger, plans, self._days, night)

    def _policy_of(self, night: date) -> str | None:
        """Return the digest of the policy under which a night was done."""
        done = self.ledger.night(night)
        return None if done is None else done[1].get("policy", {}).get("digest")

    def _days(self, night: date) -> list[PackageShape]:
        if night not in self._shaped:
            self._shaped[night] = package_shapes(self.policy, self.references(night), night)
        return self._shaped[night]

    def references(self, night: date) -> dict[str, pa.Table]:
        """Return the reference data of a night."""
        return {name: self.store.read(name, night) for name in REFERENCES}

    def cubes(self, night: date) -> dict[str, pa.Table]:
        """Return the cubes of a night's reports."""
        names = {table.cube for report in self.policy.reports.values() for table in report.tables}
        names |= {report.frequency.cube for report in self.policy.reports.values() if report.frequency}
        return {name: self.store.read(name, night) for name in sorted(names)}

    def _has_cubes(self, owed: Owed, night: date) -> bool:
        """Say whether all that a package was counted from is still there."""
        report = self.policy.reports[owed.shape.report]
        longer = {WEEK: report.week_cube, MONTH: report.month_cube}.get(kind_of(owed.shape.period))
        counted = [(table.cube, day) for table in report.tables for day in (owed.days or [night])]
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

    def control(self, owed: Owed, night: date, cubes: Cubes, months: Months) -> None:
        """Control a package and write what is safe of it.

        Raises:
            ReleaseError: what was controlled is not what may be released.
        """
        shape = owed.shape
        unmake_safe(self.store, night, shape, self.policy)
        report = self.policy.reports[shape.report]
        rule_set = self.policy.rule_sets[report.rule_set]
        families = [self.policy.families[name] for name in report.families]
        cube = self._count(owed, night, cubes, months)
        if not owed.days:
            safe = control(cube, rule_set, families, kept_back=months.kept_back(shape))
            write_safe(self.store, night, cube, safe, rule_set, self.policy, self.keys)
            return
        released = [(part, read_safe(self.store, day, part) or {}) for day, part in owed.parts]
        if kind_of(shape.period) == MONTH:
            safe = control(cube, rule_set, families)
        else:
            told = told_by_days(shape, released, families, _sources(report))
            safe = control(cube, rule_set, families, told_elsewhere=told, kept_back=months.kept_back(shape))
        beside = [parse_files(table_files(part, tables, self.policy)) for part, tables in released if tables]
        write_safe(self.store, night, cube, safe, rule_set, self.policy, self.keys, beside)

    def _count(self, owed: Owed, night: date, cubes: Cubes, months: Months) -> PackageCube:
        """Count what a package is about: from the cubes of its day, or of all days of its week or month."""
        report = self.policy.reports[owed.shape.report]
        if not owed.days:
            return self._project(owed.shape, cubes.of(night))
        days = [self._project(shape, cubes.of(day)) for day, shape in owed.days.items()]
        families = [self.policy.families[name] for name in report.families]
        if kind_of(owed.shape.period) != MONTH:
            people = self.store.read(str(report.week_cube), night)
            return sum_days(owed.shape, days, people, families, _sources(report))
        people = self.store.read(str(report.month_cube), night)
        below = without_totals(owed.shape)
        counted = sum_days(below, days, people, families, {table.name: table.name for table in below.tables})
        totals = sum_totals(owed.shape.table(TOTALS), days, people, families, months.prices())
        return PackageCube(owed.shape, {TOTALS: totals, **counted.tables}, counted.heads_at_most)

    def draft(
        self,
        owed: Owed,
        night: date,
        cubes: Cubes,
        months: Months,
        references: Mapping[str, pa.Table],
        clipped: Mapping[str, ClippedShare],
    ) -> Draft | None:
        """Return what a package brings to the door; None if nothing was made safe of it.

        Raises:
            ReleaseError: a package of a shorter period was not released yet.
        """
        shape = owed.shape
        for _, part in owed.parts:
            if self.ledger.release(part.recipient_id, part.report, part.period) is None:
                raise ReleaseError(
                    "release.days", f"{shape.period} before {part.period}", "shorter periods first", "release it first"
                )
        tables = read_safe(self.store, night, shape)
        if tables is None:
            return None
        tables = {**tables, **read_frequency(self.store, night, shape, self.policy)}
        breaks = months.plans.breaks(shape, night)
        references = {**references, "pseudo__campaign": self._campaigns_of(owed, references["pseudo__campaign"])}
        facts = page_facts(
            self.policy,
            references,
            with_frequency(shape, tables, self.policy),
            clipped.get(shape.recipient_id),
            breaks,
            self._earlier(shape),
        )
        pages = {**render(facts, tables), **render_workbook(facts, tables)}
        cube = self._count(owed, night, cubes, months)
        counted = {**cube.tables, **counted_rows(cube, self.policy)}
        return Draft(tables, pages, counted, tuple(part for _, part in owed.parts))

    def _earlier(self, shape: PackageShape) -> Earlier | None:
        """Return what the recipient's package of the period before says of whole campaigns; None if there is none."""
        before = replace(shape, period=period_before(shape.period))
        folder = self.store.home.out / package_path(before)
        if self.ledger.release(before.recipient_id, before.report, before.period) is None or not folder.is_dir():
            return None
        return read_earlier(folder, shape)

    def _campaigns_of(self, owed: Owed, campaigns: pa.Table) -> pa.Table:
        """Return the campaigns of a night with those of a longer period that are no longer in the reference data."""
        missing = set(keys_of(owed.shape)) - set(campaigns[KEY].to_pylist())
        if not missing or self.policy.reports[owed.shape.report].key != KEY:
            return campaigns
        earlier = [self.store.read("pseudo__campaign", day) for day in sorted(owed.days)]
        rows = {row[KEY]: row for table in earlier for row in table.to_pylist() if row[KEY] in missing}
        return pa.concat_tables([campaigns, pa.Table.from_pylist(list(rows.values()), campaigns.schema)])

    def _refuse(self, shape: PackageShape, night: date, reason: str) -> Release:
        """Enter a refusal that happened before the door in the ledger."""
        package = {"recipient_id": shape.recipient_id, "report": shape.report, "period": shape.period}
        self.ledger.append("blocked", {**package, "night": night.isoformat(), "reasons": [reason]})
        return Release(shape.recipient_id, shape.report, shape.period, BLOCKED, None, 0, 0, (reason,))

    def _explained(self, released: Release, night: date) -> Release:
        """Return a package that nothing safe was there for as blocked, with the reason why."""
        reasons = self._refusals(night).get((released.recipient_id, released.report, released.period), ())
        return replace(released, status=BLOCKED, reasons=reasons) if released.status == HELD and reasons else released

    def _refusals(self, night: date) -> dict[tuple[str, str, str], tuple[str, ...]]:
        """Return the latest reasons of every package of a night that was ever refused."""
        return {
            (entry.body["recipient_id"], entry.body["report"], entry.body["period"]): tuple(entry.body["reasons"])
            for entry in self.ledger.entries("blocked")
            if entry.body["night"] == night.isoformat()
        }


class Cubes:
    """The cubes of nights, each read once."""

    def __init__(self, packages: Packages) -> None:
        self._packages = packages
        self._read: dict[date, dict[str, pa.Table]] = {}

    def of(self, night: date) -> dict[str, pa.Table]:
        """Return the cubes of a night."""
        if night not in self._read:
            self._read[night] = self._packages.cubes(night)
        return self._read[night]


@dataclass(frozen=True)
class _Night:
    """What one process holds to do packages of a night."""

    packages: Packages
    night: date

    @cached_property
    def cubes(self) -> Cubes:
        return Cubes(self.packages)

    @cached_property
    def months(self) -> Months:
        return self.packages.months(self.night)

    @cached_property
    def references(self) -> dict[str, pa.Table]:
        return self.packages.references(self.night)

    @cached_property
    def clipped(self) -> dict[str, ClippedShare]:
        return self.packages.clipped(self.night)


def _open(home: Home, catalog: Catalog, policy: Policy, keys: KeyRing, night: date) -> _Night:
    """Open a home in a process that makes safe or stages; it reads the ledger, its parent alone writes there."""
    return _Night(Packages(Store(home, catalog, keys), policy, keys, Ledger(home.ledger)), night)


def _make_safe(work: _Night, owed: Owed) -> str | None:
    """Make a package safe; return why it was refused."""
    try:
        work.packages.control(owed, work.night, work.cubes, work.months)
    except ReleaseError as error:
        return str(error)
    return None


def _stage(work: _Night, owed: Owed) -> Staged | str | None:
    """Stage and attack a package; return why it was refused before that."""
    try:
        made = work.packages.draft(owed, work.night, work.cubes, work.months, work.references, work.clipped)
        return stage(work.packages.door, owed.shape, made)
    except ReleaseError as error:
        return str(error)


def _of(rows: pa.Table, recipient_id: str) -> pa.Table:
    """Return a recipient's rows of a cube that says whose they are; of any other, all: its keys belong to one."""
    if "recipient_id" not in rows.column_names:
        return rows
    return rows.filter(pc.equal(rows["recipient_id"], recipient_id)).drop_columns(["recipient_id"])


def _sources(report: ReportSpec) -> dict[str, str]:
    """Return, for each table of a week, the table of the days that it sums."""
    return {table.name: table.spec.name for table in week_tables(report)}
