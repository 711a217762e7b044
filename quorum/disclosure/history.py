"""What earlier releases tell of how campaigns go: how much is delivered, how often people see it, who clicks.

What belongs here: reading released packages, and what to expect of a campaign from them. What does not: shares of
categories (`quorum.disclosure.mix`), drawing, choices, and anything that was counted and not released.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
import pyarrow as pa

from quorum.disclosure.alone import of_key, rows_by_key
from quorum.disclosure.grid import Ints
from quorum.disclosure.mix import HIDDEN, Mix
from quorum.disclosure.plan import Assumptions, Booking
from quorum.disclosure.synthetic import Columns, Floats, Outlook, components
from quorum.disclosure.types import PUBLISHED
from quorum.policy import FamilySpec
from quorum.tables.periods import DAY, kind_of, week_of
from quorum.tables.shape import PackageShape, TableShape

_FEW = 3
"""Campaigns of one recipient from which something is concluded for another; with fewer, all recipients' are taken."""
_STEADY = 0.75
"""Share of days on which a total must have been told, for those on which it was not had fewer."""
_LEAST_SPREAD = 0.02
_TEN_THOUSAND = 10_000
_PERCENT = 100
_BASES = ("own", "recipient", "all", "assumed")

_Told = dict[str, dict[str, int]]
"""Family to period to a total, `HIDDEN` where withheld."""


@dataclass(frozen=True)
class Fact:
    """What the catalogue says of a campaign.

    Args:
        recipient_id: whose it is.
        price_model: ``cpm``, ``cpc`` or ``cpa``; who pays by the click is shown where people click.
        booking: what is booked.
    """

    recipient_id: str
    price_model: str
    booking: Booking


@dataclass(frozen=True)
class _Totals:
    """Totals of a campaign: events, and people where a package has them."""

    events: _Told = field(default_factory=dict)
    people: _Told = field(default_factory=dict)


class History:
    """Earlier releases, read.

    Args:
        facts: campaign to what the catalogue says of it.
        families: of the report.
        assumptions: of the policy, for what was never released.

    Guarantee:
        Everything it says is a function of the catalogue, the policy and released cells.

    Source: disclosure.md, rules 7 and 10.
    """

    def __init__(self, facts: Mapping[str, Fact], families: Sequence[FamilySpec], assumptions: Assumptions) -> None:
        self._facts, self._families, self._assumptions = facts, families, assumptions
        self._first = families[0].name
        self._totals: dict[str, _Totals] = {}
        self._mix = Mix(
            {key: fact.recipient_id for key, fact in facts.items()},
            {key: fact.booking.targets for key, fact in facts.items()},
        )

    def add(self, shape: PackageShape, tables: Mapping[str, pa.Table], *, cells: bool = True) -> None:
        """Take in a package of a day that was released.

        Args:
            shape: its shape.
            tables: as released.
            cells: whether its cells are wanted, for shares; or its totals alone.

        Guarantee:
            Cells that are withheld are taken for nothing but withheld; campaigns that the catalogue does not have, for
            nothing.

        Source: disclosure.md, rule 7 (earlier released cells).
        """
        for table in shape.tables:
            rows_of = {key: rows for key, rows in rows_by_key(table).items() if key in self._facts}
            measures = {measure.name for measure in table.measures}
            for family in (family for family in self._families if family.name in table.families):
                events = _told(tables[table.name], family.name, family.count)
                people = _told(tables[table.name], family.name, family.heads) if family.heads in measures else None
                for key, rows in rows_of.items():
                    totals = self._totals.setdefault(key, _Totals())
                    _enter(totals.events, family.name, shape.period, events[rows[0]])
                    if people is not None:
                        _enter(totals.people, family.name, shape.period, people[rows[0]])
                    if cells and events[rows[0]] > 0:
                        alone = of_key(_only(shape, table), key).tables[0]
                        self._mix.see(alone, key, family.name, events[rows])

    def add_total(self, key: str, period: str, family: str, events: int | None) -> None:
        """Take in a total of a longer period that was released.

        Args:
            key: the campaign.
            period: e.g. ``2026-W47``.
            family: the family.
            events: None where it is withheld.

        Guarantee:
            As of `add`.

        Source: disclosure.md, rule 7 (earlier released cells).
        """
        if key in self._facts:
            totals = self._totals.setdefault(key, _Totals())
            _enter(totals.events, family, period, HIDDEN if events is None else events)

    def rates(self, key: str) -> Outlook:
        """Return what is expected of a campaign's size and habits, without shares.

        Args:
            key: one of the campaigns of the facts.

        Returns:
            From its own releases; else from those of its recipient's campaigns, if they are some, else of all, with the
            same price model where clicks and conversions are meant; else as the policy assumes.

        Guarantee:
            As of the class.

        Source: disclosure.md, rules 7 and 10.
        """
        fact, assumed = self._facts[key], self._assumptions
        anybody, alike = self._groups(key, None), self._groups(key, fact.price_model)
        delivered, spread, delivery_basis = self._delivery(key)
        frequency = self._learned(anybody, lambda k: self._per_person(k, self._first), assumed.impressions_per_person)
        each = self._learned(anybody, lambda k: self._per_person(k, "clicks"), 1.0)
        clicks = self._learned(
            alike, lambda k: self._rate(k, "clicks", self._first), assumed.clicks_per_10000 / _TEN_THOUSAND
        )
        bought = self._learned(
            alike, lambda k: self._rate(k, "conversions", "clicks"), assumed.conversions_per_10000 / _TEN_THOUSAND
        )
        basis = {"people": frequency[1], "clicks": clicks[1], "conversions": bought[1]}
        return Outlook(
            impressions=fact.booking.impressions / fact.booking.day_n * delivered,
            impressions_per_person=max(frequency[0], 1.0),
            clicks_per_impression=clicks[0],
            clicks_per_clicker=max(each[0], 1.0),
            conversions_per_click=bought[0],
            spread=spread,
            shares={},
            basis={"impressions": delivery_basis, **basis},
        )

    def assumed(self, key: str) -> tuple[Booking, Assumptions]:
        """Return what a plan is made from: the booking as it will be delivered, and habits as they are.

        Args:
            key: one of the campaigns of the facts.

        Guarantee:
            As of the class.

        Source: disclosure.md, rule 7 (from bookings, the catalogue and earlier released cells).
        """
        booking, rates = self._facts[key].booking, self.rates(key)
        learned = replace(
            self._assumptions,
            impressions_per_person=rates.impressions_per_person,
            clicks_per_10000=rates.clicks_per_impression * _TEN_THOUSAND,
            conversions_per_10000=rates.conversions_per_click * _TEN_THOUSAND,
        )
        return replace(booking, impressions=round(rates.impressions * booking.day_n)), learned

    def shares(self, key: str, shape: PackageShape) -> dict[tuple[str, Columns], Floats]:
        """Return the shares that are expected in the tables of a campaign.

        Args:
            key: one of the campaigns of the facts.
            shape: a package of this key alone.

        Returns:
            For each family and component of tables the share of events in each finest cell.

        Guarantee:
            As of the class.

        Source: disclosure.md, rules 7 and 10.
        """
        found: dict[tuple[str, Columns], Floats] = {}
        for component in components(shape):
            for family in self._families:
                base = found.get((family.requires or "", component.columns))
                found[family.name, component.columns] = self._mix.expect(key, component, family.name, base)
        return found

    def _groups(self, key: str, price_model: str | None) -> list[list[str]]:
        """Return campaigns to learn from: itself; its recipient's, if they are some; all."""
        fact = self._facts[key]
        like = [k for k in self._totals if price_model in (None, self._facts[k].price_model)]
        mine = [k for k in like if self._facts[k].recipient_id == fact.recipient_id]
        return [[key] if key in self._totals else [], mine if len(mine) >= _FEW else [], like]

    def _learned(
        self, groups: Sequence[Sequence[str]], parts: Callable[[str], Iterator[tuple[int, int]]], assumed: float
    ) -> tuple[float, str]:
        """Return the ratio of sums over the first group that tells it, and which group that is."""
        for keys, basis in zip(groups, _BASES, strict=False):
            pairs = [pair for key in keys for pair in parts(key)]
            if below := sum(under for _, under in pairs):
                return sum(over for over, _ in pairs) / below, basis
        return assumed, _BASES[-1]

    def _delivery(self, key: str) -> tuple[float, float, str]:
        """Return how much is delivered of what is booked, how far that may be off, and from whom it is known."""
        own, *others = self._groups(key, None)
        for found in (self._delivered(k) for k in own):
            if found:
                return float(np.mean(found)), max(float(np.std(found) / np.mean(found)), _LEAST_SPREAD), _BASES[0]
        for keys, basis in zip(others, _BASES[1:], strict=False):
            means = [float(np.mean(days)) for days in map(self._delivered, keys) if days]
            if len(means) >= _FEW:
                return float(np.mean(means)), float(np.std(means) / np.mean(means)), basis
        return 1.0, self._assumptions.margin_percent / _PERCENT - 1, _BASES[-1]

    def _delivered(self, key: str) -> list[float]:
        """Return, day by day, what was delivered of what was booked, where it was told."""
        booking = self._facts[key].booking
        told = self._totals[key].events.get(self._first, {})
        days = [number for period, number in told.items() if number > 0 and kind_of(period) == DAY]
        return [number * booking.day_n / booking.impressions for number in days] if booking.impressions else []

    def _per_person(self, key: str, family: str) -> Iterator[tuple[int, int]]:
        """Yield events and people of each day that tells both."""
        totals = self._totals[key]
        for period, people in totals.people.get(family, {}).items():
            if people > 0 and totals.events[family][period] > 0:
                yield totals.events[family][period], people

    def _rate(self, key: str, family: str, base: str) -> Iterator[tuple[int, int]]:
        """Yield events of a family and of the one it requires, in periods that tell both; none if days seldom do.

        A total is withheld where events are few: what is told on a few days alone is told on the best of them.
        """
        events, under = self._totals[key].events.get(family, {}), self._totals[key].events.get(base, {})
        pairs = {period: (number, _sum(under, period)) for period, number in events.items() if number != HIDDEN}
        told = {period: (over, below) for period, (over, below) in pairs.items() if below > 0}
        days = [period for period in told if kind_of(period) == DAY]
        wanted = [period for period, number in under.items() if number > 0 and kind_of(period) == DAY]
        if len(days) < len(told) or len(days) >= _STEADY * len(wanted):
            yield from told.values()


def _only(shape: PackageShape, table: TableShape) -> PackageShape:
    return PackageShape(shape.recipient_id, shape.report, shape.period, (table,))


def _sum(events: Mapping[str, int], period: str) -> int:
    """Return the events of a period: as told, else as the days of the week tell them, if all do."""
    if kind_of(period) == DAY or events.get(period, HIDDEN) != HIDDEN:
        return events.get(period, HIDDEN)
    days = [n for day, n in events.items() if kind_of(day) == DAY and week_of(date.fromisoformat(day)) == period]
    return HIDDEN if HIDDEN in days else sum(days)


def _enter(into: _Told, family: str, period: str, number: int) -> None:
    """Enter a total; what one table tells, no other takes back."""
    own = into.setdefault(family, {})
    own[period] = max(int(number), own.get(period, HIDDEN))


def _told(rows: pa.Table, family: str, column: str) -> Ints:
    """Return a released measure, `HIDDEN` where it is withheld."""
    shown = np.array(rows[f"status_{family}"].to_pylist()) == PUBLISHED
    values = rows[column].combine_chunks().fill_null(HIDDEN).to_numpy(zero_copy_only=False)
    return np.where(shown, values, HIDDEN).astype(np.int64)
