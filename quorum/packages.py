"""All packages of a night: from cubes to safe tables, from safe tables through the door.

What belongs here: one package after the other, so that one that is refused holds up no other. What does not: control,
pages, attacks, signatures; each is a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

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
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.months import Months
from quorum.plans import KEY, Plans, keys_of
from quorum.policy import Policy, ReportSpec
from quorum.release.gate import BLOCKED, HELD, Door, Draft, Release, publish
from quorum.release.month_shapes import month_shape, without_totals
from quorum.release.package import package_path, table_files
from quorum.release.safe import read_safe, unmake_safe, write_safe
from quorum.release.shapes import REFERENCES, package_shapes
from quorum.release.week_shapes import foreign_keys, week_shape, week_tables
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.tables import PackageShape
from quorum.tables.periods import MONTH, WEEK, days_of_month, days_of_week, ends_month, ends_week, kind_of
from quorum.tables.shape import EVERYONE, SEASONED

_CLIPPING = "cube__clipping"
_FIRST_NIGHT = "seg__first_night"


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
        cubes, months = _Cubes(self), self._month(night, plans)
        for owed in self._owed(night, plans):
            shape = owed.shape
            if self.ledger.release(shape.recipient_id, shape.report, shape.period) is None:
                unmake_safe(self.store, night, shape, self.policy)
                try:
                    self._control(owed, night, cubes, months)
                except ReleaseError as error:
                    refused.append(self._refuse(shape, night, str(error)))
        return refused

    def publish(self, night: date) -> list[Release]:
        """Bring every package that the night owes to the door; return what became of each."""
        plans = self._plans
        cubes, months = _Cubes(self), self._month(night, plans)
        references, clipped = self._references(night), self._clipped(night)
        releases = []
        for owed in self._owed(night, plans):
            try:
                draft = partial(self._draft, owed, night, cubes, months, references, clipped)
                released = publish(self._door, night, owed.shape, draft)
            except ReleaseError as error:
                released = self._refuse(owed.shape, night, str(error))
            releases.append(self._explained(released, night))
        return releases

    def stored(self, night: date) -> list[Release]:
        """Return the releases of a night that is done, each compared with what was signed.

        A release that the ledger says was removed when its days were over is not among them.

        Raises:
            ReleaseError: a stored release is not what its certificate says, or is gone.
        """
        found = []
        removed = {package for entry in self.ledger.entries("retention") for package in entry.body["packages"]}
        for entry in self.ledger.entries("release"):
            if entry.body["night"] == night.isoformat():
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
                found.append(publish(self._door, night, shape, lambda: None))
        return found

    def has_blocked(self, night: date) -> bool:
        """Say whether a package of a night was refused and has not been released since."""
        return any(self.ledger.release(*package) is None for package in self._refusals(night))

    def day_shapes(self, night: date) -> list[PackageShape]:
        """Return the shapes of the day packages that a night owes, from its reference data and the policy alone."""
        return self._days(night)

    @property
    def _door(self) -> Door:
        return Door(self.store.home, self.ledger, self.keys, self.policy, __version__)

    @property
    def _plans(self) -> Plans:
        return Plans(self.store, self.policy, self.ledger, self._days)

    def _owed(self, night: date, plans: Plans) -> Iterator[Owed]:
        """Yield what a night owes: its day packages, then those of the week and of the month that it ends.

        What a month lists depends on what its days and weeks tell, so that it is looked at when they are made safe.
        """
        yield from [Owed(self._with_head_counts(plans.with_plan(shape, night), [night])) for shape in self._days(night)]
        yield from self._weeks(night, plans)
        yield from self._months(night, plans)

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

    def _month(self, night: date, plans: Plans) -> Months:
        return Months(self.store, self.policy, self.ledger, plans, self._days, night)

    def _policy_of(self, night: date) -> str | None:
        """Return the digest of the policy under which a night was done."""
        done = self.ledger.night(night)
        return None if done is None else done[1].get("policy", {}).get("digest")

    def _days(self, night: date) -> list[PackageShape]:
        if night not in self._shaped:
            self._shaped[night] = package_shapes(self.policy, self._references(night), night)
        return self._shaped[night]

    def _references(self, night: date) -> dict[str, pa.Table]:
        return {name: self.store.read(name, night) for name in REFERENCES}

    def cubes(self, night: date) -> dict[str, pa.Table]:
        """Return the cubes of a night's reports."""
        names = {table.cube for report in self.policy.reports.values() for table in report.tables}
        return {name: self.store.read(name, night) for name in sorted(names)}

    def _clipped(self, night: date) -> dict[str, ClippedShare]:
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
        keys = pa.array(keys_of(shape), pa.string())
        own = {
            spec.cube: cubes[spec.cube].filter(pc.is_in(cubes[spec.cube][report.key], keys)) for spec in report.tables
        }
        return project(shape, own, report, self.policy)

    def _control(self, owed: Owed, night: date, cubes: _Cubes, months: Months) -> None:
        shape = owed.shape
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

    def _count(self, owed: Owed, night: date, cubes: _Cubes, months: Months) -> PackageCube:
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

    def _draft(
        self,
        owed: Owed,
        night: date,
        cubes: _Cubes,
        months: Months,
        references: Mapping[str, pa.Table],
        clipped: Mapping[str, ClippedShare],
    ) -> Draft | None:
        shape = owed.shape
        for _, part in owed.parts:
            if self.ledger.release(part.recipient_id, part.report, part.period) is None:
                raise ReleaseError(
                    "release.days", f"{shape.period} before {part.period}", "shorter periods first", "release it first"
                )
        tables = read_safe(self.store, night, shape)
        if tables is None:
            return None
        breaks = months.plans.breaks(shape, night)
        references = {**references, "pseudo__campaign": self._campaigns_of(owed, references["pseudo__campaign"])}
        pages = render(page_facts(self.policy, references, shape, clipped.get(shape.recipient_id), breaks), tables)
        return Draft(
            tables, pages, self._count(owed, night, cubes, months).tables, tuple(part for _, part in owed.parts)
        )

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


class _Cubes:
    """The cubes of nights, each read once."""

    def __init__(self, packages: Packages) -> None:
        self._packages = packages
        self._read: dict[date, dict[str, pa.Table]] = {}

    def of(self, night: date) -> dict[str, pa.Table]:
        """Return the cubes of a night."""
        if night not in self._read:
            self._read[night] = self._packages.cubes(night)
        return self._read[night]


def _sources(report: ReportSpec) -> dict[str, str]:
    """Return, for each table of a week, the table of the days that it sums."""
    return {table.name: table.spec.name for table in week_tables(report)}
