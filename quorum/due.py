"""Which packages a night owes: of the day, of the week and of the month that it ends, each with its shape.

What belongs here: nights, plans and reference data, and what of them makes a package. What does not: counting
(`quorum.counts`), control, the door.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pyarrow as pa

from quorum.engine.store import Store
from quorum.ledger import Ledger
from quorum.months import Months
from quorum.plans import Plans, keys_of
from quorum.policy import Policy
from quorum.release.month_shapes import month_shape
from quorum.release.shapes import REFERENCES, package_shapes
from quorum.release.week_shapes import foreign_keys, week_shape
from quorum.tables import PackageShape
from quorum.tables.periods import MONTH, WEEK, days_of_month, days_of_week, ends_month, ends_week
from quorum.tables.shape import EVERYONE, SEASONED

_FIRST_NIGHT = "seg__first_night"


@dataclass(frozen=True)
class Due:
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
class Calendar:
    """The packages that the nights of a home owe.

    Args:
        store: reference data, and the cubes of months.
        policy: reports, and the periods that they are made for.
        ledger: which nights ran, and the plans of campaigns.
    """

    store: Store
    policy: Policy
    ledger: Ledger
    _shaped: dict[date, list[PackageShape]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _histories: dict[date, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def plans(self) -> Plans:
        """The plans of campaigns, as the ledger has them now."""
        return Plans(self.store, self.policy, self.ledger, self.days)

    def days(self, night: date) -> list[PackageShape]:
        """Return the shapes of a night's day packages as policy and reference data have them, before plans."""
        if night not in self._shaped:
            self._shaped[night] = package_shapes(self.policy, self.references(night), night)
        return self._shaped[night]

    def day_shapes(self, night: date) -> list[PackageShape]:
        """Return the shapes of the day packages that a night owes, from reference data, policy and plans."""
        plans = self.plans
        return [plans.with_plan(shape, night) for shape in self.days(night)]

    def batches(self, night: date, plans: Plans) -> Iterator[list[Due]]:
        """Yield what a night owes: its day packages, then those of the week, then those of the month that it ends.

        What a month lists depends on what its days and weeks tell, so that it is looked at when they are made safe.
        """
        yield [Due(self._with_head_counts(plans.with_plan(shape, night), [night])) for shape in self.days(night)]
        yield self._weeks(night, plans)
        yield self._months(night, plans)

    def _weeks(self, night: date, plans: Plans) -> list[Due]:
        """Return the packages of the week that ends on a night; of a week under two policies there is none."""
        if not ends_week(night):
            return []
        months, counted = self.months(night, plans), self._counted(days_of_week(night))
        weeks = [
            (
                week_shape(self.policy, days, counted=counted, invoiced=months.invoiced(self.policy.reports[report])),
                days,
            )
            for (report, _), days in self._by_recipient(days_of_week(night), night, WEEK, plans)
        ]
        return [Due(self._with_head_counts(shape, days), days) for shape, days in weeks if shape is not None]

    def _months(self, night: date, plans: Plans) -> list[Due]:
        """Return the packages of the calendar month that ends on a night; under two policies there is none."""
        if not ends_month(night):
            return []
        months, weeks = self.months(night, plans), self._weeks_within(night, plans)
        due, counted = [], self._counted(days_of_month(night))
        for owner, days in self._by_recipient(days_of_month(night), night, MONTH, plans):
            keys = sorted({key for shape in days.values() for key in keys_of(shape)} - foreign_keys(days, counted))
            shape = month_shape(self.policy, days, months.repeated(self.policy.reports[owner[0]], keys, night))
            if shape is not None:
                due.append(Due(self._with_head_counts(shape, days), days, weeks.get(owner, {})))
        return due

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
            for shape in self.days(day):
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

    def months(self, night: date, plans: Plans) -> Months:
        """Return what was told of the months of a night so far."""
        return Months(self.store, self.policy, self.ledger, plans, self.days, night)

    def references(self, night: date) -> dict[str, pa.Table]:
        """Return the reference data of a night."""
        return {name: self.store.read(name, night) for name in REFERENCES}

    def _policy_of(self, night: date) -> str | None:
        """Return the digest of the policy under which a night was done."""
        done = self.ledger.night(night)
        return None if done is None else done[1].get("policy", {}).get("digest")
