"""All packages of a night: from cubes to safe tables, from safe tables through the door.

What belongs here: one package after the other, so that one that is refused holds up no other. What does not: control,
pages, attacks, signatures; each is a call.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from quorum import __version__
from quorum.audit.package import parse_files
from quorum.disclosure import PackageCube, control, project
from quorum.disclosure.clipping import ClippedShare, clipped_shares, month_before
from quorum.disclosure.week import sum_days, told_by_days
from quorum.engine.store import Store
from quorum.errors import ReleaseError
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.plans import Plans
from quorum.policy import Policy, ReportSpec
from quorum.release.gate import BLOCKED, HELD, Door, Draft, Release, publish
from quorum.release.package import package_path, table_files
from quorum.release.safe import read_safe, unmake_safe, write_safe
from quorum.release.shapes import package_shapes
from quorum.release.week_shapes import week_shape, week_tables
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.tables import PackageShape
from quorum.tables.periods import WEEK, days_of_week, ends_week
from quorum.tables.shape import EVERYONE, SEASONED

_CLIPPING = "cube__clipping"
_FIRST_NIGHT = "seg__first_night"
_REFERENCES = ("pseudo__recipient", "pseudo__campaign", "pseudo__creative", "pseudo__section")


@dataclass(frozen=True)
class Owed:
    """A package that a night owes.

    Args:
        shape: its shape, with the plans that hold.
        days: of a package of a week, night to the shape of the recipient's day package; empty for a day.
    """

    shape: PackageShape
    days: Mapping[date, PackageShape] = field(default_factory=dict)


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

    def make_safe(self, night: date) -> list[Release]:
        """Control every package that the night owes and has not released yet, and write what is safe.

        Plans that are missing are made first, before a cube is read.

        Returns:
            The packages that were refused, entered in the ledger with the reason.
        """
        refused = []
        self._plans.fix(self._days(night), night)
        cubes = _Cubes(self)
        for owed in self._owed(night):
            shape = owed.shape
            if self.ledger.release(shape.recipient_id, shape.report, shape.period) is None:
                unmake_safe(self.store, night, shape, self.policy)
                try:
                    self._control(owed, night, cubes)
                except ReleaseError as error:
                    refused.append(self._refuse(shape, night, str(error)))
        return refused

    def publish(self, night: date) -> list[Release]:
        """Bring every package that the night owes to the door; return what became of each."""
        cubes = _Cubes(self)
        references, clipped = self._references(night), self._clipped(night)
        releases = []
        for owed in self._owed(night):
            try:
                draft = partial(self._draft, owed, night, cubes, references, clipped)
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

    @property
    def _door(self) -> Door:
        return Door(self.store.home, self.ledger, self.keys, self.policy, __version__)

    @property
    def _plans(self) -> Plans:
        return Plans(self.store, self.policy, self.ledger, self._days)

    def _owed(self, night: date) -> list[Owed]:
        """Return what a night owes: its day packages, then those of the week that it ends, which rest on them."""
        plans = self._plans
        days = [Owed(self._with_head_counts(plans.with_plan(shape, night), [night])) for shape in self._days(night)]
        return [*days, *self._weeks(night, plans)]

    def _weeks(self, night: date, plans: Plans) -> list[Owed]:
        """Return the packages of the week that ends on a night; of a week under two policies there is none."""
        if not ends_week(night):
            return []
        nights = [day for day in days_of_week(night) if day == night or self.ledger.night(day) is not None]
        if any(self._policy_of(day) != self.policy.digest for day in nights if self.ledger.night(day) is not None):
            return []
        by_report: dict[tuple[str, str], dict[date, PackageShape]] = {}
        for day in nights:
            for shape in self._days(day):
                if WEEK in self.policy.reports[shape.report].periods:
                    own = by_report.setdefault((shape.report, shape.recipient_id), {})
                    own[day] = self._with_head_counts(plans.with_plan(shape, day), [day])
        begun = set(self.store.nights("pseudo__campaign"))
        counted = {day: self._running(day) for day in days_of_week(night) if day in begun}
        weeks = [(week_shape(self.policy, days, counted), days) for _, days in sorted(by_report.items())]
        return [Owed(self._with_head_counts(shape, days), days) for shape, days in weeks if shape is not None]

    def _with_head_counts(self, shape: PackageShape, nights: Iterable[date]) -> PackageShape:
        """Return a shape that says who counts: everyone, if there was no history yet on one of its nights."""
        portal = [self.store.read(_FIRST_NIGHT, night)["is_bootstrap"].to_pylist() for night in nights]
        return replace(shape, head_counts=SEASONED if all(said == [False] for said in portal) else EVERYONE)

    def _running(self, night: date) -> set[str]:
        """Return the campaigns whose people a night counts, whoever's they are."""
        rows = self.store.read("pseudo__campaign", night).to_pylist()
        return {row["campaign_id"] for row in rows if row["starts_on"] <= night <= row["ends_on"]}

    def _policy_of(self, night: date) -> str | None:
        """Return the digest of the policy under which a night was done."""
        done = self.ledger.night(night)
        return None if done is None else done[1].get("policy", {}).get("digest")

    def _days(self, night: date) -> list[PackageShape]:
        return package_shapes(self.policy, self._references(night), night)

    def _references(self, night: date) -> dict[str, pa.Table]:
        return {name: self.store.read(name, night) for name in _REFERENCES}

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
        listed = {table.name: sorted({path[0] for path in table.dimensions[0].keys}) for table in shape.tables}
        own = {
            spec.cube: cubes[spec.cube].filter(
                pc.is_in(cubes[spec.cube][report.key], pa.array(listed[spec.name], pa.string()))
            )
            for spec in report.tables
            if spec.name in listed
        }
        return project(shape, own, report, self.policy)

    def _control(self, owed: Owed, night: date, cubes: _Cubes) -> None:
        shape = owed.shape
        report = self.policy.reports[shape.report]
        rule_set = self.policy.rule_sets[report.rule_set]
        families = [self.policy.families[name] for name in report.families]
        cube = self._count(owed, night, cubes)
        if not owed.days:
            safe = control(cube, rule_set, families)
            write_safe(self.store, night, cube, safe, rule_set, self.policy, self.keys)
            return
        released = {day: read_safe(self.store, day, of_day) or {} for day, of_day in owed.days.items()}
        told = told_by_days(
            shape, [(owed.days[day], tables) for day, tables in released.items()], families, _sources(report)
        )
        safe = control(cube, rule_set, families, told_elsewhere=told)
        beside = [
            parse_files(table_files(owed.days[day], tables, self.policy)) for day, tables in released.items() if tables
        ]
        write_safe(self.store, night, cube, safe, rule_set, self.policy, self.keys, beside)

    def _count(self, owed: Owed, night: date, cubes: _Cubes) -> PackageCube:
        """Count what a package is about: from the cubes of its day, or of all days of its week."""
        report = self.policy.reports[owed.shape.report]
        if not owed.days:
            return self._project(owed.shape, cubes.of(night))
        return sum_days(
            owed.shape,
            [self._project(shape, cubes.of(day)) for day, shape in owed.days.items()],
            self.store.read(str(report.week_cube), night),
            [self.policy.families[name] for name in report.families],
            _sources(report),
        )

    def _draft(
        self,
        owed: Owed,
        night: date,
        cubes: _Cubes,
        references: Mapping[str, pa.Table],
        clipped: Mapping[str, ClippedShare],
    ) -> Draft | None:
        shape = owed.shape
        for day in owed.days.values():
            if self.ledger.release(day.recipient_id, day.report, day.period) is None:
                raise ReleaseError(
                    "release.days", f"{shape.period} before its day {day.period}", "days first", "release the day first"
                )
        tables = read_safe(self.store, night, shape)
        if tables is None:
            return None
        breaks = self._plans.breaks(shape, night)
        pages = render(page_facts(self.policy, references, shape, clipped.get(shape.recipient_id), breaks), tables)
        return Draft(tables, pages, self._count(owed, night, cubes).tables, tuple(owed.days.values()))

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
