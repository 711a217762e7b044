"""The plan of a campaign: in which period and at which level each family will be told, from public facts alone.

What belongs here: expected people of each cell, and the choice. What does not: anything that was counted and not
released, the ledger, and control, which takes a plan as one more condition.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import product

import numpy as np

from quorum.disclosure.equations import Floats
from quorum.policy import FamilySpec, RuleSet
from quorum.tables.periods import DAY, KINDS, MONTH, WEEK
from quorum.tables.shape import ALL, Dimension, KeyPlan, TableShape
from quorum.tables.targeting import Targets, aim

Place = tuple[tuple[str, str], ...]
"""Categories by column, beside the key."""

_PERCENT = 100
_TEN_THOUSAND = 10_000
_DAYS = {DAY: 1, WEEK: 7, MONTH: 30}


@dataclass(frozen=True)
class Booking:
    """What is booked for a campaign.

    Args:
        starts_on: first day.
        ends_on: last day.
        impressions: booked impressions, 0 or more.
        targets: column to the categories that are targeted, without ``unknown``; a column without an entry is not
            targeted.
    """

    starts_on: date
    ends_on: date
    impressions: int
    targets: Targets

    @property
    def day_n(self) -> int:
        """Days of the flight, at least one."""
        return max((self.ends_on - self.starts_on).days + 1, 1)


@dataclass(frozen=True)
class Assumptions:
    """What is assumed of campaigns before they start: numbers of the policy, or what earlier releases tell instead.

    Args:
        impressions_per_person: impressions that a person sees of a campaign in a day.
        clicks_per_10000: clicks for ten thousand impressions.
        conversions_per_10000: conversions for ten thousand clicks.
        margin_percent: expected people of a cell that is expected to pass, in percent of the threshold.
        level_percent: share of a level's weight that must be expected to pass for the level to be told.
        period_percent: share of the best table's weight that must be expected to pass for a period to be chosen.
        pairs_percent: people expected in the average cell of a table of pairs, in percent of the threshold.
    """

    impressions_per_person: float
    clicks_per_10000: float
    conversions_per_10000: float
    margin_percent: int
    level_percent: int
    period_percent: int
    pairs_percent: int

    def events(self, family: str, impressions: float) -> float:
        """Return the expected events of a family for expected impressions."""
        clicks = impressions * self.clicks_per_10000 / _TEN_THOUSAND
        rates = {"clicks": clicks, "conversions": clicks * self.conversions_per_10000 / _TEN_THOUSAND}
        return rates.get(family, impressions)

    def people(self, family: str, events: Floats) -> Floats:
        """Return the expected people behind expected events; who clicks is taken to click once."""
        return events if family in ("clicks", "conversions") else events / self.impressions_per_person


def plan_key(
    tables: Sequence[TableShape],
    key: str,
    booking: Booking,
    families: Sequence[FamilySpec],
    rule_set: RuleSet,
    periods: Sequence[str],
    assumptions: Assumptions,
    shares: Mapping[Place, float],
    pairs: Collection[str] = (),
) -> KeyPlan:
    """Choose the period of each family of a campaign, and its level in each table.

    Args:
        tables: of the report, as a package of the day lists them.
        key: the campaign.
        booking: what is booked.
        families: a family comes after the one it requires.
        rule_set: thresholds.
        periods: kinds of period that can be chosen.
        assumptions: of the policy.
        shares: share of a campaign's impressions in a single category, from cells that this recipient was given before;
            a category without an entry is taken to have its part of what is left, by Zipf's law in the order listed.
        pairs: tables that list a campaign only if its plan tells their finest cells.

    Returns:
        For each family the shortest period in which enough of its best table is expected to pass, not shorter than that
        of the family it requires; the longest if none is. By month is only what requires a family that is: clicks stand
        in a cell only if impressions are told there on every day, and a month has many. In each table the finest level
        of which enough is expected to pass in that period; in a table of pairs the finest only if its average cell is
        expected to have enough people too, and for a family no finer than for the one it requires.

    Guarantee:
        A function of public facts and earlier releases. What was counted and not released reaches no choice, so that a
        plan tells nothing of it.

    Source: disclosure.md, rules 7 and 10; docs/decisions/0007-periods-and-plans.md.
    """
    ordered = [kind for kind in KINDS if kind in periods]
    weights = {table.name: _weights(table, key, booking, shares) for table in tables}
    chosen: dict[str, str] = {}
    levels: dict[str, dict[str, int]] = {table.name: {} for table in tables}
    for family in families:
        first = 0 if family.requires is None else ordered.index(chosen[family.requires])
        needed = rule_set.heads[family.name] * assumptions.margin_percent / _PERCENT
        by_month = family.requires is None or chosen[family.requires] == MONTH
        for kind in [kind for kind in ordered[first:] if by_month or kind != MONTH]:
            impressions = booking.impressions / booking.day_n * min(_DAYS[kind], booking.day_n)
            events = assumptions.events(family.name, impressions)
            passing = {
                name: _passing(levelled, assumptions, family.name, events, needed) for name, levelled in weights.items()
            }
            best = max((max(by_level[1:], default=0.0) for by_level in passing.values()), default=0.0)
            if best * _PERCENT >= assumptions.period_percent:
                break
        chosen[family.name] = kind
        for name, shares_by_level in passing.items():
            enough = [
                n for n, share in enumerate(shares_by_level) if n and share * _PERCENT >= assumptions.level_percent
            ]
            if name in pairs:
                enough = _with_room(enough, weights[name], assumptions, family, events, rule_set)
                enough = [n for n in enough if family.requires is None or n <= levels[name][family.requires]]
            levels[name][family.name] = max(enough, default=0)
    return KeyPlan(chosen, levels)


def _with_room(
    enough: Sequence[int],
    levelled: Mapping[int, Floats],
    assumptions: Assumptions,
    family: FamilySpec,
    events: float,
    rule_set: RuleSet,
) -> list[int]:
    """Return levels without the finest, unless people are expected to fill it: a few large cells would be told alone.

    What requires another family is told where that one is, so that it is not asked again.
    """
    finest = max(levelled)
    average = assumptions.people(family.name, levelled[finest] * events).mean()
    needed = rule_set.heads[family.name] * assumptions.pairs_percent / _PERCENT
    return [n for n in enough if n < finest or family.requires is not None or average >= needed]


def _passing(
    levelled: Mapping[int, Floats], assumptions: Assumptions, family: str, events: float, needed: float
) -> list[float]:
    """Return, level by level, the share of a table's weight in cells whose expected people are enough."""
    found = []
    for level in sorted(levelled):
        expected = levelled[level] * events
        passes = assumptions.people(family, expected) >= needed
        found.append(float(expected[passes].sum() / expected.sum()) if expected.sum() else 0.0)
    return found


def _weights(table: TableShape, key: str, booking: Booking, shares: Mapping[Place, float]) -> dict[int, Floats]:
    """Return the share of the campaign in each cell of a table, by how many categories the cell names."""
    axes = [_axis(dimension, key, booking, shares) for dimension in table.dimensions]
    found: dict[int, list[float]] = {}
    for parts in product(*axes):
        found.setdefault(sum(named for named, _ in parts), []).append(float(np.prod([share for _, share in parts])))
    return {level: np.array(cells) for level, cells in found.items()}


def _axis(dimension: Dimension, key: str, booking: Booking, shares: Mapping[Place, float]) -> list[tuple[int, float]]:
    """Return (categories named, share) of each coordinate that targeting leaves of a dimension, of this key alone."""
    is_key = not dimension.has_margin
    dimension = aim(dimension, booking.targets)
    finest = [path for path in dimension.keys if not is_key or path[0] == key]
    leaf = dict(zip(finest, _leaves(dimension, finest, booking, shares), strict=True))
    found = []
    for coordinate, depth in zip(dimension.coordinates(), dimension.depths(), strict=True):
        if is_key and coordinate[0] != key:
            continue
        path = tuple(level for level in coordinate if level != ALL)
        share = sum(weight for whole, weight in leaf.items() if whole[: len(path)] == path)
        found.append((depth - 1 if is_key else depth, share))
    return found


def _leaves(
    dimension: Dimension, finest: Sequence[tuple[str, ...]], booking: Booking, shares: Mapping[Place, float]
) -> list[float]:
    """Return the share of each finest category: as released before, else by Zipf's law, 0 where it is not targeted."""
    column = dimension.levels[-1]
    if len(dimension.levels) == 1 and not dimension.has_margin:
        return [1.0]
    targeted = [column not in booking.targets or path[-1] in booking.targets[column] for path in finest]
    given = [shares.get(((column, path[-1]),)) for path in finest]
    known = sum(share for share, is_in in zip(given, targeted, strict=True) if is_in and share is not None)
    left = max(1.0 - known, 0.0)
    unknown_n = sum(is_in and share is None for share, is_in in zip(given, targeted, strict=True))
    zipf = _zipf(unknown_n)
    weights = [
        0.0 if not is_in else left * next(zipf) if share is None else share
        for share, is_in in zip(given, targeted, strict=True)
    ]
    total = sum(weights)
    return [weight / total for weight in weights] if total else [1.0 / len(finest)] * len(finest)


def _zipf(size: int) -> Iterator[float]:
    """Yield shares of Zipf's law."""
    total = sum(1 / rank for rank in range(1, size + 1))
    yield from (1 / rank / total for rank in range(1, size + 1))
