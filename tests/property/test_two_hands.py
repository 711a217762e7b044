"""A campaign in two hands that collude, with an invoice for each or one for both: nothing exact, nothing narrowed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pytest
from test_months import COUNTS, FAMILIES, HOUSE, KEY, NAMES, REPORT, RULES, K, Portal, Reader

from quorum.audit.catalogue import CHEAP
from quorum.audit.hands import colluders
from quorum.audit.package import parse_files
from quorum.audit.run import run_attacks
from quorum.months import Months
from quorum.release.month_shapes import month_shape
from quorum.release.package import rule_numbers, table_files
from quorum.release.week_shapes import foreign_keys, week_shape
from quorum.tables import PackageShape
from quorum.tables.periods import days_of_month, days_of_week, ends_month, ends_week
from quorum.tables.shape import ALL

SEEDS, FEW = range(24), 3
FIRST_HAND, SECOND_HAND = "adv-a", "adv-b"
Hands = Mapping[str, dict[date, PackageShape]]


@dataclass
class Moved(Portal):
    """A campaign that changes hands on a day of November; some of them come back."""

    whose: dict[date, str] = field(default_factory=dict)
    people: tuple[int, int] = (40, 200)

    def shapes(self, night: date) -> list[PackageShape]:
        if not self.whose:
            first, last = (
                max(self.starts, date(2026, 11, 3)),
                max(min(self.ends, date(2026, 11, 26)), date(2026, 11, 4)),
            )
            moves = first + (last - first) * (self.seed % 4 + 1) / 6
            back = date(2026, 11, 28) if self.seed % 5 == 0 else date.max
            self.whose = {day: SECOND_HAND if moves <= day < back else FIRST_HAND for day in self.at}
            for events in self.events.values() if self.seed % 2 else ():
                events[FEW:, self.at[moves] - 1] = 0  # on the first hand's last day hardly anybody
        return [replace(shape, recipient_id=self.whose[night]) for shape in super().shapes(night)]

    def _run(self, night: date) -> None:
        self._day(night)
        if ends_week(night):
            for days in self._hands(days_of_week(night), night).values():
                counted = self._counted(days_of_week(night), night)
                months = self._months(night)
                shape = week_shape(HOUSE, days, counted=counted, invoiced=months.invoiced(REPORT))
                if shape is not None:
                    self._week(shape, days, night, months)
        if ends_month(night):
            for days in self._hands(days_of_month(night), night).values():
                keys = {KEY} - foreign_keys(days, self._counted(days_of_month(night), night))
                shape = month_shape(HOUSE, days, self._months(night).repeated(REPORT, sorted(keys), night))
                if shape is not None:
                    self._month(shape, days)

    def _hands(self, days: Sequence[date], night: date) -> Hands:
        found: dict[str, dict[date, PackageShape]] = {}
        for day, shape in self._days(tuple(days), night).items():
            found.setdefault(shape.recipient_id, {})[day] = shape
        return found

    def _counted(self, days: Sequence[date], night: date) -> dict[date, set[str]]:
        return {day: {KEY} for day in self._days(tuple(days), night)}


def bills(portal: Moved, family: str, hands: Sequence[str | None]) -> Iterator[tuple[str, list[date], int]]:
    """Yield what an invoice may add up in a month, the days of a hand or of both (None); the name of the bill first.

    Left out is one beside which nothing is told, it gives away itself alone; and one whose last piece was withheld: of
    a flight that ends so, or a hand, we could not know what comes (docs/decisions/0007-periods-and-plans.md).
    """
    invoiced = ("impressions", "clicks", *(("conversions",) if portal.model == "cpa" else ()))
    reader = Reader(portal, family)
    for month in ("2026-10", "2026-11", "2026-12"):
        days = [day for day in portal.nights if f"{day:%Y-%m}" == month and portal.starts <= day <= portal.ends]
        if family not in invoiced or portal.ran[0] > max(portal.starts, date.fromisoformat(f"{month}-01")):
            continue
        for hand in hands:
            own = [day for day in days if hand in (None, portal.whose[day])]
            if own and is_settled(reader, own):
                rows = portal.cube(own)[KEY, ALL]
                yield f"{month} of {hand}", own, rows[COUNTS[family]]


def is_settled(reader: Reader, days: Sequence[date]) -> bool:
    """Say whether something of these days is told, and nothing withheld after it."""
    told = [day for day in days if is_told(reader, day)]
    untold = [day for day in days if day not in told]
    return bool(told) and (not untold or decided(reader, untold[-1]) < decided(reader, told[-1]))


def is_told(reader: Reader, day: date) -> bool:
    return (day.isoformat(), ALL) in reader.known or (week(day), ALL) in reader.known


def decided(reader: Reader, day: date) -> date:
    by_week = (week(day), ALL) in reader.known or (week(day), ALL) in reader.hidden
    return days_of_week(day)[-1] if by_week else day


def week(day: date) -> str:
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02}"


def with_bills(portal: Moved, family: str, hands: Sequence[str | None]) -> Reader:
    reader = Reader(portal, family)
    for name, days, value in bills(portal, family, hands):
        reader.known[name, ALL] = value
        reader.sums.append(((name, ALL), [(day.isoformat(), ALL) for day in days]))
    return reader


def rests(portal: Moved, family: str, hands: Sequence[str | None]) -> list[int]:
    """Return how many people who count are in what bills tell beside what was told, where anything was."""
    judged = next(f.judged for f in FAMILIES if f.name == family)
    reader, found = Reader(portal, family), []
    for _, days, _ in bills(portal, family, hands):
        untold = [day for day in days if not is_told(reader, day)]
        if untold and len(untold) < len(days):
            found.append(portal.cube(untold)[KEY, ALL][judged])
    return found


@pytest.fixture(scope="module")
def portals() -> list[Moved]:
    return [Moved(seed) for seed in SEEDS]


@pytest.mark.parametrize("hands", [(FIRST_HAND, SECOND_HAND), (None,)])
def test_colluding_hands_with_their_invoices_learn_nothing_withheld(
    portals: list[Moved], hands: Sequence[str | None]
) -> None:
    for portal in portals:
        for family in NAMES:
            reader = with_bills(portal, family, hands)
            assert reader.recovered() == []
            assert reader.narrowed() == []
            assert [people for people in rests(portal, family, hands) if people < K] == []


def test_the_portals_are_worth_attacking(portals: list[Moved]) -> None:
    """Both hands are told something, by day and by week, and bills leave rests."""
    assert sum({FIRST_HAND, SECOND_HAND} == {s.recipient_id for s, _ in p.held.values()} for p in portals) >= 15
    assert sum("W" in period for p in portals for period in p.held) >= 10
    hands = ((None,), (FIRST_HAND, SECOND_HAND))
    assert sum(len(rests(portal, family, bill)) for portal in portals for family in NAMES for bill in hands) >= 8


def test_what_two_hands_hold_is_attacked_together(portals: list[Moved]) -> None:
    for portal in portals[:4]:
        packages = [parse_files(table_files(shape, safe.tables, HOUSE)) for shape, safe in portal.held.values()]
        for together in colluders(packages):
            for record in run_attacks(together, rule_numbers(RULES, REPORT, HOUSE), attacks=CHEAP):
                assert record.verdict == "passed", (record.attack, record.worst)


def test_a_hand_that_looks_after_its_own_days_alone_gives_the_other_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The power check: with room asked for in each hand's days alone, an invoice for both tells the rest of one."""
    asked = Months._pieces

    def own_alone(self, report, key, family, month, but=None, owner=None):
        return asked(self, report, key, family, month, but, owner or (but.recipient_id if but else None))

    monkeypatch.setattr(Months, "_pieces", own_alone)
    portals = (Moved(seed) for seed in SEEDS if seed % 2)
    assert any(with_bills(p, f, (None,)).recovered() for p in portals for f in NAMES)
