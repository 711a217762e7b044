"""What was told of a calendar month, piece by piece, and what must stay untold because the invoice tells the total.

What belongs here: reading from the ledger, the safe tables and the cubes of a month what of it is told. What does not:
when that is enough (`quorum.disclosure.invoice`), and withholding it (`quorum.disclosure.control`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from quorum.disclosure.invoice import Piece, has_room, invoiced_families, may_declare
from quorum.disclosure.month import Price
from quorum.engine.store import Store
from quorum.ledger import Ledger
from quorum.plans import KEY, Plans
from quorum.policy import Policy, ReportSpec
from quorum.release.package import PUBLISHED
from quorum.release.safe import week_table
from quorum.release.week_shapes import keys_in
from quorum.released import Owed
from quorum.tables import PackageShape
from quorum.tables.periods import DAY, MONTH, WEEK, days_of_month, days_of_week, kind_of, month_of, week_of
from quorum.tables.shape import ALL

_FEWEST_DAYS = 2

Told = Mapping[str, Mapping[str, Any]]
"""Campaign to its row of totals: counts, people, people who count, and statuses."""


@dataclass(frozen=True)
class Months:
    """The months of a home as a night sees them: everything that was decided up to it, and on other nights since.

    Args:
        store: safe tables, cubes, reference data.
        policy: reports, rule sets.
        ledger: which nights there are.
        plans: of the campaigns.
        owed: the shapes of a night's day packages.
        night: the night that decides.
    """

    store: Store
    policy: Policy
    ledger: Ledger
    plans: Plans
    owed: Owed
    night: date
    _read: dict[tuple[str, str, date], Told] = field(default_factory=dict, init=False)
    _by_day: dict[date, dict[tuple[str, str], PackageShape]] = field(default_factory=dict, init=False)

    def invoiced(self, report: ReportSpec) -> dict[str, tuple[str, ...]]:
        """Return, for each campaign, the families of which the invoice tells its number; none without months."""
        if report.key != KEY or MONTH not in report.periods:
            return {}
        return {key: invoiced_families(row["price_model"], report.families) for key, row in self._campaigns.items()}

    def prices(self) -> dict[str, Price]:
        """Return the price of each campaign, as of the night."""
        return {key: (row["price_model"], row["price_micros"]) for key, row in self._campaigns.items()}

    def covered(self, keys: Sequence[str], month: date) -> set[str]:
        """Return the campaigns whose first day in a month the home was there for: their month has totals, and room.

        Args:
            keys: campaigns.
            month: a day of the month.
        """
        first = min([*self.ledger.nights(), self.night])
        return {key for key in keys if first <= max(self._campaigns[key]["starts_on"], month.replace(day=1))}

    def kept_back(self, shape: PackageShape) -> dict[str, set[str]]:
        """Return what a day or week must withhold as a whole, family by family, so that the invoice tells nothing more.

        Args:
            shape: the package, with its plans.

        Returns:
            Family to campaigns. Where something of the month is untold already, or is certain to be, and the total
            less all that is told would be one number, or might be about too few people, nothing more is told. Of a
            campaign that has changed hands this is asked twice: of the recipient's days, and of everybody's, since
            either may be what the invoice adds up.

        Guarantee:
            A function of public facts, of people who count (rule 5) in what is untold, and of what was told.

        Source: disclosure.md, rules 5, 6, 7 and 9; docs/decisions/0007-periods-and-plans.md.
        """
        report, kind = self.policy.reports[shape.report], kind_of(shape.period)
        known = self.invoiced(report)
        keys = dict.fromkeys(key for table in shape.tables for key in keys_in(table)) if known else {}
        rules = self.policy.rule_sets[report.rule_set]
        found: dict[str, set[str]] = {}
        for month in {day.replace(day=1) for day in self._days_of(shape)}:
            for key in sorted(self.covered(list(keys), month)):
                for family in known[key]:
                    if _kind(shape, key, family) == kind and not all(
                        has_room([piece for _, piece in pieces if piece is not None], rules.heads[family])
                        for pieces in (
                            self._pieces(report, key, family, month, but=shape, owner=owner)
                            for owner in (shape.recipient_id, None)
                        )
                    ):
                        found.setdefault(family, set()).add(key)
        return found

    def repeated(self, report: ReportSpec, keys: Sequence[str], month: date) -> set[str]:
        """Return the campaigns of which a package of a month repeats what the invoice tells.

        Args:
            report: the report.
            keys: campaigns.
            month: a day of the month; all of its days and weeks are decided.

        Returns:
            Left out is a campaign of which a total would give away what is withheld, one that ran before the home was
            there, and one with a night that never ran: its invoice tells more than was counted.

        Guarantee:
            A function of public facts and of what was told.

        Source: disclosure.md, rules 9 and 10.
        """
        rules, known = self.policy.rule_sets[report.rule_set], self.invoiced(report)
        return {
            key
            for key in self.covered(keys, month)
            if self._is_whole(report, key, month)
            and all(self._may_declare(report, key, family, month, rules.heads[family]) for family in known[key])
        }

    def _may_declare(self, report: ReportSpec, key: str, family: str, month: date, threshold: int) -> bool:
        found = self._pieces(report, key, family, month)
        untold = [piece for _, piece in found if piece is not None]
        told_on = [day for day, piece in found if piece is None]
        is_settled = any(day < max(told_on) for day, piece in found if piece is not None) if told_on else False
        return may_declare(untold, threshold, is_told=bool(told_on), is_settled=is_settled)

    def _pieces(
        self,
        report: ReportSpec,
        key: str,
        family: str,
        month: date,
        but: PackageShape | None = None,
        owner: str | None = None,
    ) -> list[tuple[date, Piece | None]]:
        """Return the pieces of a family, campaign and month by the night that decided on each; None for what is told.

        ``but`` is the package that is being decided: its own piece is left out, and what is certain never to be told is
        added. ``owner`` is the recipient whose pieces they are; None for everybody's.
        """
        own = None if but is None else but.period
        found: list[tuple[date, Piece | None]] = []
        by_week: dict[date, list[date]] = {}
        for day, kind in self._listed(report, key, family, month, owner):
            if kind == WEEK:
                by_week.setdefault(days_of_week(day)[-1], []).append(day)
            elif day.isoformat() != own:
                told = kind == DAY and self._is_told(self._day(report, day), key, family)
                found.append((day, None if told else Piece(1, self._heads(report, key, family, day))))
        for sunday, days in by_week.items():
            week = self._week(report, sunday)
            if self._is_one(report, key, sunday) and (sunday > self._latest or week_of(sunday) == own):
                continue
            if key in week and week[key][f"status_{family}"] is not None:
                told = self._is_told(week, key, family)
                people = self._people_of_week(report, sunday).get(key, {})
                heads = int(people.get(self.policy.families[family].judged, 0))
                found.append((sunday, None if told else Piece(1, heads)))
            else:
                found += [(day, Piece(1, self._heads(report, key, family, day))) for day in days]
        if own is not None and kind_of(own) == WEEK:
            found += [(day, Piece(1, 0)) for day in self._never_told_by_week(report, key, month)]
        return found

    def _listed(
        self, report: ReportSpec, key: str, family: str, month: date, owner: str | None
    ) -> Iterator[tuple[date, str]]:
        """Yield the nights that list a campaign to an owner, or to anybody, with its plan's kind of period."""
        for day in self._nights(month):
            shape = self._shape(report, key, day)
            if shape is not None and owner in (None, shape.recipient_id):
                yield day, _kind(shape, key, family)

    def _never_told_by_week(self, report: ReportSpec, key: str, month: date) -> list[date]:
        """Return the days to come of a month that no week tells, as the calendar and the flight have it."""
        return [
            day
            for day in self._flight(key, month)
            if day > self._latest and not self._is_one(report, key, days_of_week(day)[-1])
        ]

    def _is_one(self, report: ReportSpec, key: str, sunday: date) -> bool:
        """Say whether a campaign's days of a week are two or more, all of its Sunday's month: what a week can tell."""
        row = self._campaigns[key]
        days = [
            day
            for day in days_of_week(sunday)
            if (row["starts_on"] <= day <= row["ends_on"] if day > self._latest else self._shape(report, key, day))
        ]
        return len(days) >= _FEWEST_DAYS and {month_of(day) for day in days} == {month_of(sunday)}

    def _is_whole(self, report: ReportSpec, key: str, month: date) -> bool:
        """Say whether a night ran on every day of a campaign's flight in a month."""
        return all(self._shape(report, key, day) is not None for day in self._flight(key, month))

    def _flight(self, key: str, month: date) -> list[date]:
        row = self._campaigns[key]
        return [day for day in days_of_month(month) if row["starts_on"] <= day <= row["ends_on"]]

    def _nights(self, month: date) -> list[date]:
        return [day for day in days_of_month(month) if day in self._ran]

    def _days_of(self, shape: PackageShape) -> list[date]:
        return list(days_of_week(self.night)) if kind_of(shape.period) == WEEK else [self.night]

    def _shape(self, report: ReportSpec, key: str, day: date) -> PackageShape | None:
        """Return the day package that lists a campaign, with its plans; None if none does."""
        return self._shapes(day).get((report.name, key)) if day in self._ran else None

    def _shapes(self, day: date) -> Mapping[tuple[str, str], PackageShape]:
        if day not in self._by_day:
            planned = [self.plans.with_plan(shape, day) for shape in self.owed(day)]
            self._by_day[day] = {(shape.report, key): shape for shape in planned for key in keys_in(shape.tables[0])}
        return self._by_day[day]

    def _day(self, report: ReportSpec, day: date) -> Told:
        """Return the totals that a night made safe."""
        return self._totals(f"safe__{report.tables[0].name}", report, day)

    def _week(self, report: ReportSpec, sunday: date) -> Told:
        return self._totals(week_table(report.name), report, sunday)

    def _people_of_week(self, report: ReportSpec, sunday: date) -> Told:
        return self._totals(str(report.week_cube), report, sunday)

    def _heads(self, report: ReportSpec, key: str, family: str, day: date) -> int:
        row = self._totals(report.tables[0].cube, report, day).get(key, {})
        return int(row.get(self.policy.families[family].judged, 0))

    def _totals(self, table: str, report: ReportSpec, night: date) -> Told:
        """Return the rows of whole campaigns of a partition; of a week any table that lists the campaign will do."""
        place = (report.name, table, night)
        if place not in self._read:
            rows = self.store.read(table, night) if night in self._ran else None
            self._read[place] = {} if rows is None else _whole_rows(rows, report, self.policy)
        return self._read[place]

    def _is_told(self, told: Told, key: str, family: str) -> bool:
        return key in told and told[key][f"status_{family}"] == PUBLISHED

    @cached_property
    def _campaigns(self) -> Mapping[str, Mapping[str, Any]]:
        """The campaigns of the month and of the week that reaches into it, each as it stood last."""
        first = days_of_week(self.night.replace(day=1))[0]
        nights = sorted(day for day in self._ran if first <= day <= self.night)
        return {row[KEY]: row for day in nights for row in self.store.read("pseudo__campaign", day).to_pylist()}

    @cached_property
    def _ran(self) -> frozenset[date]:
        return frozenset((*self.ledger.nights(), self.night))

    @cached_property
    def _latest(self) -> date:
        return max(self._ran)


def _kind(shape: PackageShape, key: str, family: str) -> str:
    """Return the kind of period that a plan has for a family; a campaign without a plan is told by day."""
    return shape.plan[key].periods.get(family, DAY) if key in shape.plan else DAY


def _whole_rows(rows: pa.Table, report: ReportSpec, policy: Policy) -> Told:
    """Return the row of each campaign that names no category."""
    levels = {level for spec in report.tables for name in spec.dimensions for level in policy.dimensions[name].levels}
    if "report" in rows.column_names:
        rows = rows.filter(pc.equal(rows["report"], report.name))
    for level in sorted(levels & set(rows.column_names)):
        rows = rows.filter(pc.equal(rows[level], ALL))
    found: dict[str, dict[str, Any]] = {}
    for row in rows.to_pylist():
        found.setdefault(row[report.key], {}).update({name: value for name, value in row.items() if value is not None})
    statuses = {f"status_{family}": None for family in report.families}
    return {key: {**statuses, **row} for key, row in found.items()}
