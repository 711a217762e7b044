"""All packages of a night: from cubes to safe tables, from safe tables through the door.

What belongs here: one package after the other, so that one that is refused holds up no other. What does not: control,
pages, attacks, signatures; each is a call.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from quorum import __version__
from quorum.disclosure import PackageCube, control, project
from quorum.engine.store import Store
from quorum.errors import ReleaseError
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.plans import Plans
from quorum.policy import Policy
from quorum.release.gate import BLOCKED, HELD, Door, Draft, Release, publish
from quorum.release.package import package_path
from quorum.release.safe import RELEASE, read_safe, write_safe
from quorum.release.shapes import package_shapes
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.tables import PackageShape

_REFERENCES = ("pseudo__recipient", "pseudo__campaign", "pseudo__creative", "pseudo__section")


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
        cubes = self._cubes(night)
        for shape in self._owed(night):
            if self.ledger.release(shape.recipient_id, shape.report, shape.period) is None:
                self._unmake(shape, night)
                try:
                    self._control(shape, night, cubes)
                except ReleaseError as error:
                    refused.append(self._refuse(shape, night, str(error)))
        return refused

    def publish(self, night: date) -> list[Release]:
        """Bring every package that the night owes to the door; return what became of each."""
        cubes = self._cubes(night)
        references = self._references(night)
        releases = []
        for shape in self._owed(night):
            try:
                released = publish(self._door, night, shape, partial(self._draft, shape, night, cubes, references))
            except ReleaseError as error:
                released = self._refuse(shape, night, str(error))
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

    def _owed(self, night: date) -> list[PackageShape]:
        """Return what a night owes, each with the plans that hold."""
        plans = self._plans
        return [plans.with_plan(shape, night) for shape in self._days(night)]

    def _days(self, night: date) -> list[PackageShape]:
        return package_shapes(self.policy, self._references(night), night)

    def _references(self, night: date) -> dict[str, pa.Table]:
        return {name: self.store.read(name, night) for name in _REFERENCES}

    def _cubes(self, night: date) -> dict[str, pa.Table]:
        names = {table.cube for report in self.policy.reports.values() for table in report.tables}
        return {name: self.store.read(name, night) for name in sorted(names)}

    def _project(self, shape: PackageShape, cubes: Mapping[str, pa.Table]) -> PackageCube:
        """Count what one package is about: the rows of the recipient's own keys, and no other's."""
        report = self.policy.reports[shape.report]
        keys = pa.array(sorted({place[0] for place in shape.tables[0].coordinates()}), pa.string())
        own = {
            spec.cube: cubes[spec.cube].filter(pc.is_in(cubes[spec.cube][report.key], keys)) for spec in report.tables
        }
        return project(shape, own, report, self.policy)

    def _control(self, shape: PackageShape, night: date, cubes: Mapping[str, pa.Table]) -> None:
        report = self.policy.reports[shape.report]
        rule_set = self.policy.rule_sets[report.rule_set]
        cube = self._project(shape, cubes)
        safe = control(cube, rule_set, [self.policy.families[name] for name in report.families])
        write_safe(self.store, night, cube, safe, rule_set, self.policy, self.keys)

    def _unmake(self, shape: PackageShape, night: date) -> None:
        """Remove what an earlier attempt of the night made safe: what is refused now must not be found there."""
        for table in (RELEASE, *(f"safe__{spec.name}" for spec in self.policy.reports[shape.report].tables)):
            self.store.remove(table, night, f"{shape.recipient_id}.{shape.report}")

    def _draft(
        self, shape: PackageShape, night: date, cubes: Mapping[str, pa.Table], references: Mapping[str, pa.Table]
    ) -> Draft | None:
        tables = read_safe(self.store, night, shape)
        if tables is None:
            return None
        pages = render(page_facts(self.policy, references, shape), tables)
        return Draft(tables, pages, self._project(shape, cubes).tables)

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
