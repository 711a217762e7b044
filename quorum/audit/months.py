"""A month as an attacker writes it down: the weeks that tell a key, and the days that no such week holds.

What belongs here: which parts make up each cell of a month, and which of them are linked with it alone. What does not:
numbering cells and collecting relations (`quorum.audit.equations`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from quorum.audit.descriptor import PERIOD
from quorum.audit.periods import days_of, parts_of
from quorum.audit.places import Key, Place
from quorum.audit.system import WITHHELD
from quorum.tables.periods import DAY, WEEK, kind_of
from quorum.tables.shape import Measure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


_WEEK_DAYS = 7


@dataclass(frozen=True)
class Sum:
    """What a cell of a month is the sum of.

    Args:
        whole: the variable of the month's cell.
        linked: variables of parts.
        alone: variables of parts of which nothing is told, and which the month alone links with others.
        is_open: whether the month may hold more than these.
    """

    whole: int
    linked: Sequence[int]
    alone: Sequence[int]
    is_open: bool


@dataclass(frozen=True)
class Months:
    """The cells of a universe, period by period.

    Args:
        places: period to its cells.
        keys: period to the keys of the report that its packages list.
        measures: by name.
        state: of each variable.
        variable: of a cell and measure.
        zeros: cells that targeting makes 0: everybody knows them, and whatever the total is, the others make it up.
    """

    places: Mapping[str, Mapping[Place, int]]
    keys: Mapping[str, Collection[Key]]
    measures: Mapping[str, Measure]
    state: NDArray[np.int8]
    variable: Callable[[int, str], int]
    zeros: Collection[int] = frozenset()

    def told_below(self, month: str) -> set[tuple[Key, str]]:
        """Return the keys and measures of which a month lists cells below the total: they link its parts."""
        return {
            (key, name)
            for place, cell in self.places[month].items()
            if len(place) > 1
            for name in self.measures
            if self.state[self.variable(cell, name)]
            for key in set(self.keys.get(month, ())).intersection(place)
        }

    def shared(self, days: Collection[str]) -> set[tuple[Key, str, str]]:
        """Return (key, measure, day) for days that lie in a week whose packages list the key and measure."""
        weeks = [period for period in self.places if kind_of(period) == WEEK]
        return {
            (key, name, day) for week in weeks for key, name in self._listed(week) for day in _days_within(week, days)
        }

    def sums(
        self,
        month: str,
        free: Collection[tuple[Key, str]],
        free_of: Mapping[str, Collection[tuple[Key, str]]],
    ) -> Iterator[Sum]:
        """Yield what each cell of a month is the sum of.

        Args:
            month: the period.
            free: keys and measures whose split over the days is free.
            free_of: week to the same of its own days.

        Guarantee:
            No event of the month is in two parts. A part stands alone only if no other period than the month holds it,
            and only its total is linked: whatever that is, the cells below it can be made to fit.

        Source: disclosure.md, rule 8 and attack 6; docs/decisions/0007-periods-and-plans.md.
        """
        ways = {kind_of(parts[0]): (parts, fills) for parts, fills in parts_of(month, self.places)}
        days, fills = ways.get(DAY, ([], False))
        weeks = ways.get(WEEK, ([], False))[0]
        shared, below = self.shared(days), self.told_below(month)
        hidden_days = {
            day: {pair for pair in self._withheld(day) - below if (*pair, day) not in shared} for day in days
        }
        hidden_weeks = {week: (self._withheld(week) - below) & set(free_of.get(week, ())) for week in weeks}
        every = {key for period in (month, *days, *weeks) for key in self.keys.get(period, ())}
        for place, cell in self.places[month].items():
            own = every.intersection(place)
            for name, measure in self.measures.items():
                whole = self.variable(cell, name)
                if PERIOD not in measure.additive_over or not self.state[whole]:
                    continue
                if any((key, name) in free for key in own):
                    continue
                telling = [week for week in weeks if self._has(week, place, name)]
                left = sorted(set(days) - {day for week in telling for day in _days_within(week, days)})
                running = [day for day in left if not own or own.intersection(self.keys.get(day, ()))]
                listing = [day for day in running if self._has(day, place, name)]
                parts = [(week, hidden_weeks[week]) for week in telling] + [(day, hidden_days[day]) for day in listing]
                found: tuple[list[int], list[int]] = ([], [])
                for part, hidden in parts:
                    is_alone = bool(own) and all((key, name) in hidden for key in own)
                    found[is_alone].append(self.variable(self.places[part][place], name))
                is_short = not fills and _WEEK_DAYS * len(telling) + len(left) < _length(month)
                if parts:
                    yield Sum(whole, *found, is_short or len(listing) < len(running))

    def _has(self, period: str, place: Place, name: str) -> bool:
        cell = self.places[period].get(place)
        return cell is not None and bool(self.state[self.variable(cell, name)])

    def _listed(self, period: str) -> set[tuple[Key, str]]:
        """Return the keys and measures that a period's packages list."""
        return self._pairs(period, lambda state: state != 0)

    def _withheld(self, period: str) -> set[tuple[Key, str]]:
        """Return the keys and measures of which a period's packages tell nothing but what targeting makes 0."""
        return self._listed(period) - self._pairs(period, lambda state: state not in (0, WITHHELD), self.zeros)

    def _pairs(self, period: str, is_meant: Callable[[int], bool], but: Collection[int] = ()) -> set[tuple[Key, str]]:
        own = set(self.keys.get(period, ()))
        return {
            (key, name)
            for place, cell in self.places[period].items()
            if cell not in but
            for name in self.measures
            if is_meant(int(self.state[self.variable(cell, name)]))
            for key in own.intersection(place)
        }


def _length(month: str) -> int:
    span = days_of(month)
    return 0 if span is None else (span[1] - span[0]).days + 1


def _days_within(week: str, days: Collection[str]) -> set[str]:
    span = days_of(week)
    return {day for day in days if span and span[0].isoformat() <= day <= span[1].isoformat()}
