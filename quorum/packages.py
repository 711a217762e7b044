"""All packages of a night: from cubes to safe tables, from safe tables through the door.

What belongs here: one package after the other, so that one that is refused holds up no other. What does not: which
packages there are (`quorum.due`), and making one (`quorum.making`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property, partial
from itertools import chain
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from quorum.due import Calendar, Due
from quorum.engine.store import Store
from quorum.errors import ReleaseError
from quorum.hands import in_order
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.making import Maker, door_of, open_maker
from quorum.plans import keys_of
from quorum.policy import Policy
from quorum.release.frequency import read_frequency
from quorum.release.gate import BLOCKED, HELD, Door, Draft, Release, Staged, let_out, publish
from quorum.release.package import csv_bytes, package_path
from quorum.release.recall import Recall, recall_release
from quorum.release.safe import read_safe
from quorum.tables import PackageShape

_Made = TypeVar("_Made")


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

    def make_safe(self, night: date) -> list[Release]:
        """Control every package that the night owes and has not released yet, and write what is safe.

        Plans that are missing are made first, before a cube is read.

        Returns:
            The packages that were refused, entered in the ledger with the reason.
        """
        refused = []
        calendar = self.calendar
        plans = calendar.plans
        plans.fix(calendar.days(night), night)
        for batch in calendar.batches(night, plans):
            due = [each for each in batch if self._released(each.shape) is None]
            for each, reason in zip(due, self._spread(night, due, Maker.make_safe), strict=True):
                if reason is not None:
                    refused.append(self._refuse(each.shape, night, reason))
        return refused

    def publish(self, night: date) -> list[Release]:
        """Bring every package that the night owes to the door; return what became of each."""
        releases = []
        calendar = self.calendar
        for due in calendar.batches(night, calendar.plans):
            lies = [(self.store.home.out / package_path(each.shape)).exists() for each in due]
            staged = self._spread(
                night, [each for each, there in zip(due, lies, strict=True) if not there], Maker.stage
            )
            for each, there in zip(due, lies, strict=True):
                made = None if there else next(staged)
                releases.append(self._explained(self._let_out(each.shape, night, made), night))
        return releases

    def _spread(self, night: date, due: Sequence[Due], act: Callable[[Maker, Due], _Made]) -> Iterator[_Made]:
        """Do the same with packages that need nothing of each other, in several processes if they are many."""
        there = partial(open_maker, self.store.home, self.store.catalog, self.policy, self.keys, night)
        return in_order(due, [len(keys_of(each.shape)) for each in due], act, partial(self._maker, night), there)

    def _maker(self, night: date) -> Maker:
        return Maker(self.store, self.policy, self.keys, self.ledger, self.calendar, night)

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
            calendar, maker = self.calendar, self._maker(night)
            for due in chain.from_iterable(calendar.batches(night, calendar.plans)):
                shape = due.shape
                if (shape.report, shape.period) == (report, period) and shape.recipient_id in recipients:
                    tables = read_safe(self.store, night, shape)
                    stored = publish(self.door, night, shape, lambda: None)
                    if tables is None or stored.path is None:
                        continue
                    every = {**tables, **read_frequency(self.store, night, shape, self.policy)}
                    for name, rows in every.items():
                        if (stored.path / f"{name}.csv").read_bytes() != csv_bytes(rows):
                            raise ReleaseError("release.safe", f"{name} of {shape.period} differs from what is safe")
                    is_whole = maker.counts.is_whole(due, night)
                    truth = maker.counts.count(due, night, maker.months).tables if is_whole else {}
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

    @cached_property
    def calendar(self) -> Calendar:
        """Which packages the nights of this home owe."""
        return Calendar(self.store, self.policy, self.ledger)

    @property
    def door(self) -> Door:
        """What every release of this home passes with."""
        return door_of(self.store, self.policy, self.keys, self.ledger)

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
