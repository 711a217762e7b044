"""Nights of the sample's portal in memory, counted person by person: what forecasts are held against.

It shares no line with what draws forecasts: people, habits and campaigns are those of `quorum.sample`, and every cell
is counted by going through its events.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from itertools import product

import numpy as np
import pyarrow as pa

from quorum.disclosure import PackageCube, control
from quorum.disclosure.alone import of_key, rows_by_key
from quorum.disclosure.feasibility import Share, Trial, measure
from quorum.disclosure.history import Fact, History
from quorum.disclosure.plan import Assumptions, plan_key
from quorum.disclosure.types import PUBLISHED, SafeCube
from quorum.disclosure.week import told_by_days
from quorum.plans import assumptions_of, facts_of
from quorum.policy import Policy, RuleSet
from quorum.release.shapes import forecast_shape, package_shapes
from quorum.release.week_shapes import week_shape, week_tables
from quorum.sample import society
from quorum.sample.ads import AdDay, make_ad_day
from quorum.sample.agents import AGENTS
from quorum.sample.audience import expected_impressions, make_audience
from quorum.sample.catalogue import PLACEMENTS, make_campaigns, make_recipients
from quorum.sample.people import make_people
from quorum.tables import KeyPlan, PackageShape, TableShape
from quorum.tables.shape import ALL

MONDAY = date(2026, 11, 2)
DEVICES = ("desktop", "mobile", "tablet")
KINDS = ("impressions", "clicks", "conversions")


@dataclass
class Portal:
    """A portal of which nights can be counted.

    Args:
        policy: reports and key sets.
        members: registered people.
        impressions: a night.
        campaigns: by Zipf's law; a third of them start in the second week.
        recipients: advertisers.
        ctr: clicks an impression.
        seed: of everything.
    """

    policy: Policy
    members: int = 20_000
    impressions: int = 60_000
    campaigns: int = 24
    recipients: int = 6
    ctr: float = 0.03
    seed: int = 1
    plans: dict[str, KeyPlan] = field(default_factory=dict)

    def __post_init__(self) -> None:
        days = [MONDAY + timedelta(days=n) for n in range(14)]
        self.people = make_people(self.members, self.seed)
        receivers = make_recipients(self.recipients + 4)
        booked = make_campaigns(self.campaigns, receivers, days[0], days[-1], self.seed)
        self.booked = [
            replace(
                each,
                starts_on=days[7] if each.number % 4 == 2 or each.number % 9 == 7 else days[0] - timedelta(days=7),
                ends_on=days[-1] + timedelta(days=7),
            )
            for each in booked
        ]
        self.audience = make_audience(self.people, self.booked, self.ctr, self.seed)
        self.events = round(self.impressions * (1 + self.ctr * 1.05))
        present = self.people.present(self.seed, days[0].toordinal())
        expected = expected_impressions(self.audience, present, self.events, self.ctr)
        rows = [self._row(each, expected[each.number]) for each in self.booked]
        types = {"starts_on": pa.date32(), "ends_on": pa.date32(), "booked_impressions": pa.int64()}
        self.references = {
            "pseudo__campaign": pa.Table.from_pylist(
                rows, pa.schema([(n, types.get(n, pa.string())) for n in rows[0]])
            ),
            "pseudo__creative": pa.Table.from_pylist(
                [{"creative_id": c, "campaign_id": each.campaign_id} for each in self.booked for c in each.creatives]
            ),
            "pseudo__recipient": pa.Table.from_pylist(
                [{"recipient_id": each.recipient_id, "kind": each.kind} for each in receivers]
            ),
            "pseudo__section": pa.table({"section_id": pa.array([], pa.string())}),
        }
        self.facts: dict[str, Fact] = facts_of(self.references["pseudo__campaign"], self.policy)
        self.report = self.policy.reports["campaign"]
        self.families = [self.policy.families[name] for name in self.report.families]
        self.rule_set = self.policy.rule_sets[self.report.rule_set]
        self.assumed: Assumptions = assumptions_of(self.policy)
        self._days: dict[date, AdDay] = {}

    def shapes(self, day: date) -> list[PackageShape]:
        """The day packages of advertisers, with plans."""
        owed = [s for s in package_shapes(self.policy, self.references, day) if s.report == "campaign"]
        found = [forecast_shape(self.policy, shape) for shape in owed]
        for shape in found:
            for key in _keys(shape):
                self.plans.setdefault(key, self._plan(shape, key))
        return [replace(shape, plan={key: self.plans[key] for key in _keys(shape)}) for shape in found]

    def day(self, shape: PackageShape, day: date) -> tuple[PackageCube, SafeCube]:
        """What is counted for a package of a day, and what of it is told."""
        cube = self._count(shape, self._drawn(day), {table.name: table.name for table in shape.tables})
        return cube, control(cube, self.rule_set, self.families)

    def week(
        self, days: Mapping[date, tuple[PackageShape, Mapping[str, pa.Table]]]
    ) -> tuple[PackageCube, SafeCube] | None:
        """What is counted for the week of some day packages, and what of it is told; None if nothing is."""
        shape = week_shape(self.policy, {day: of_day for day, (of_day, _) in days.items()})
        if shape is None:
            return None
        sources = {table.name: table.spec.name for table in week_tables(self.report)}
        drawn = [self._drawn(day) for day in days]
        whole = AdDay(*(np.concatenate([getattr(d, f) for d in drawn]) for f in AdDay.__dataclass_fields__))
        cube = self._count(shape, whole, sources)
        told = told_by_days(shape, list(days.values()), self.families, sources)
        return cube, control(cube, self.rule_set, self.families, told_elsewhere=told)

    def _plan(self, shape: PackageShape, key: str) -> KeyPlan:
        periods = [kind for kind in self.report.periods if kind != "month"]
        booking = self.facts[key].booking
        return plan_key(shape.tables, key, booking, self.families, self.rule_set, periods, self.assumed, {})

    def _row(self, each, per_day: int) -> dict[str, object]:
        days = (each.ends_on - each.starts_on).days + 1
        targets = ("target_age_bands", "target_genders", "target_prefectures", "target_occupations")
        return {
            "campaign_id": each.campaign_id,
            "recipient_id": each.recipient_id,
            "starts_on": each.starts_on,
            "ends_on": each.ends_on,
            "booked_impressions": max(100, per_day * days * (80 + each.number * 17 % 41) // 100),
            "price_model": each.price_model,
            **dict(zip(targets, each.targets, strict=True)),
        }

    def _drawn(self, day: date) -> AdDay:
        if day not in self._days:
            present = self.people.present(self.seed, day.toordinal())
            running = sum(each.weight for each in self.booked if each.runs(day))
            events = self.events * running // sum(each.weight for each in self.booked)
            self._days[day] = make_ad_day(self.audience, day, present, events, self.ctr, self.seed)
        return self._days[day]

    def _categories(self, events: AdDay) -> dict[str, np.ndarray]:
        """One category an event, by column."""
        person = self.people.owner[events.cookie]
        segment = self.audience.segment[person]
        genders = np.array(["female", "male", "unknown", "unknown"])
        bands = np.array([c.key for h in range(24) for c in self.policy.categories["hour_bands"] if _holds(c, h)])
        creatives = np.array([[*each.creatives, *[""] * (4 - len(each.creatives))] for each in self.booked])
        devices = np.array([DEVICES[device] for _, device, _ in AGENTS])
        return {
            "age_band": np.array(society.AGE_BANDS)[segment // 4],
            "gender": genders[segment % 4],
            "prefecture": np.array(society.PREFECTURES)[self.audience.prefecture[person]],
            "occupation": np.array(society.OCCUPATIONS)[self.audience.occupation[person]],
            "device": devices[self.people.agent[events.cookie]],
            "hour_band": bands[events.ms // 3_600_000 % 24],
            "placement": np.array(PLACEMENTS)[events.placement],
            "creative_id": creatives[events.campaign, events.creative],
        }

    def _count(self, shape: PackageShape, events: AdDay, sources: Mapping[str, str]) -> PackageCube:
        own = {key: number for number, key in enumerate(_keys(shape))}
        number_of = np.array([own.get(each.campaign_id, -1) for each in self.booked])
        events = events.take(number_of[events.campaign] >= 0)
        events = events.take(np.argsort(events.campaign, kind="stable"))
        categories = self._categories(events)
        categories["campaign_id"] = np.array([each.campaign_id for each in self.booked])[events.campaign]
        person = self.people.owner[events.cookie].astype(np.int64)
        tables = {}
        for table in shape.tables:
            tables[table.name] = _rows(table, categories, person, events.kind, self.families)
        return PackageCube(shape, tables)


def _holds(category, hour: int) -> bool:
    return category.first is not None and category.first <= hour <= category.last


def _keys(shape: PackageShape) -> list[str]:
    return list(dict.fromkeys(path[0] for table in shape.tables for path in table.dimensions[0].keys))


def _rows(table: TableShape, categories, person, kind, families) -> pa.Table:
    """Count a table: every event in every cell that it belongs to, level by level."""
    listed = [list(dimension.coordinates()) for dimension in table.dimensions]
    places = []
    for dimension, coordinates in zip(table.dimensions, listed, strict=True):
        position = {path: i for i, path in enumerate(coordinates)}
        own = []
        first = 1 if not dimension.has_margin else 0
        for depth in range(first, len(dimension.levels) + 1):
            finest = {
                (path if len(dimension.levels) > 1 and not dimension.has_margin else path[-1:]): path
                for path in dimension.keys
            }
            columns = dimension.levels if len(next(iter(finest))) > 1 else dimension.levels[-1:]
            names = np.stack([categories[c] for c in columns], axis=1)
            unique, inverse = np.unique(names, axis=0, return_inverse=True)
            codes = np.array(
                [
                    position[finest[tuple(row)][:depth] + (ALL,) * (len(dimension.levels) - depth)]
                    if tuple(row) in finest
                    else -1
                    for row in unique.tolist()
                ]
            )
            own.append(codes[inverse.ravel()])
        places.append(own)
    size = int(np.prod([len(coordinates) for coordinates in listed]))
    counted = {c: np.zeros(size, dtype=np.int64) for f in families for c in (f.count, f.heads)}
    people_n = int(person.max(initial=0)) + 1
    for combination in product(*places):
        row = np.zeros(len(person), dtype=np.int64)
        for codes, coordinates in zip(combination, listed, strict=True):
            row = row * len(coordinates) + codes
        inside = np.all([codes >= 0 for codes in combination], axis=0)
        for number, family in enumerate(families):
            at = inside & (kind == number)
            counted[family.count] += np.bincount(row[at], minlength=size)
            pairs = np.unique(row[at] * people_n + person[at])
            counted[family.heads] += np.bincount(pairs // people_n, minlength=size)
    seen = counted[families[0].heads]
    rests = {f.rest: np.maximum(seen - counted[f.heads], 0) for f in families if f.rest}
    texts = list(zip(*table.coordinates(), strict=True))
    columns = {name: pa.array(values, pa.string()) for name, values in zip(table.columns, texts, strict=True)}
    everybody = {f.judged: counted[f.heads] for f in families}
    return pa.table({**columns, **counted, **everybody, **rests})


def teach_week(history: History, week: SafeCube, families) -> None:
    """Let a history take in the totals of a week."""
    for table in week.shape.tables:
        rows = week.tables[table.name]
        for row, place in enumerate(table.coordinates()):
            if all(text == ALL for text in place[1:]):
                for family in (f for f in families if f.name in table.families):
                    is_told = rows[f"status_{family.name}"][row].as_py() == PUBLISHED
                    number = rows[family.count][row].as_py() if is_told else None
                    history.add_total(place[0], week.shape.period, family.name, number)


@dataclass(frozen=True)
class Outcome:
    """One table and family of a campaign under a plan: what was forecast, and what came."""

    plan: str
    campaign_id: str
    recipient_id: str
    is_new: bool
    impressions: float
    family: str
    table: str
    is_best: bool
    forecast: Share
    actual: float
    actual_best: float
    days: tuple[float, ...]
    events: int


def every_level(shape: PackageShape, by_week: int) -> KeyPlan:
    """The plan that tells every level, and so many families by week."""
    split = len(KINDS) - by_week
    levels = {table.name: dict.fromkeys(KINDS, max(table.named())) for table in shape.tables}
    return KeyPlan({name: "day" if i < split else "week" for i, name in enumerate(KINDS)}, levels)


def learned(
    portal: Portal, days: Sequence[date], by_week: int | None = None, facts: Mapping[str, Fact] | None = None
) -> History:
    """What is known after some nights, each released as planned; with the week that ends on the last.

    Args:
        portal: its nights.
        days: in order.
        by_week: how many families are told by week, on every level; by the portal's own plans if None.
        facts: what is taken for the catalogue; the portal's own if None.
    """
    history = History(facts or portal.facts, portal.families, portal.assumed)
    given: dict[str, dict[date, tuple[PackageShape, Mapping[str, pa.Table]]]] = {}
    for day in days:
        for shape in portal.shapes(day):
            if by_week is not None:
                shape = replace(shape, plan=dict.fromkeys(_keys(shape), every_level(shape, by_week)))
            _, safe = portal.day(shape, day)
            history.add(shape, safe.tables)
            given.setdefault(shape.recipient_id, {})[day] = shape, safe.tables
    for own in given.values():
        if days[-1].isoweekday() == 7 and (week := portal.week(own)) is not None:
            teach_week(history, week[1], portal.families)
    return history


def hold(
    portal: Portal,
    history: History,
    plans: Mapping[str, int | None],
    days: Sequence[date],
    rule_set: RuleSet | None = None,
    recipient_id: str | None = None,
) -> list[Outcome]:
    """Forecast the campaigns of some days, and hold the forecasts against what these days bring.

    Args:
        portal: its nights.
        history: what is known before.
        plans: name to how many families are told by week, on every level; the portal's own plans if None.
        days: in order; whole weeks, if anything is told by week.
        rule_set: of the forecasts; the portal's own if None.
        recipient_id: this recipient's campaigns alone.
    """
    shapes = {
        (shape.recipient_id, day): shape
        for day in days
        for shape in portal.shapes(day)
        if recipient_id in (None, shape.recipient_id)
    }
    found = []
    for recipient in sorted({recipient for recipient, _ in shapes}):
        own = {day: shapes[recipient, day] for day in days}
        keys = _keys(own[days[0]])
        trials = {key: _trial(portal, history, own[days[0]], key, rule_set) for key in keys}
        for name, by_week in plans.items():
            planned = {
                day: shape if by_week is None else replace(shape, plan=dict.fromkeys(keys, every_level(shape, by_week)))
                for day, shape in own.items()
            }
            judged = {day: portal.day(shape, day) for day, shape in planned.items()}
            weeks = portal.week({day: (planned[day], judged[day][1].tables) for day in days}) if len(days) > 1 else None
            for key in keys:
                plan = planned[days[0]].plan[key]
                foreseen = trials[key].forecast(plan)
                for family in portal.families:
                    came = list(judged.values()) if plan.periods[family.name] == "day" else [weeks]
                    measured = [_measured(cube, safe, key, plan, family) for cube, safe in filter(None, came)]
                    found += _outcomes(portal, name, key, family, foreseen, measured, days[0])
    return found


def _trial(portal: Portal, history: History, shape: PackageShape, key: str, rule_set: RuleSet | None) -> Trial:
    alone = replace(of_key(shape, key), plan={})
    outlook = replace(history.rates(key), shares=history.shares(key, alone))
    return Trial(alone, outlook, portal.families, rule_set or portal.rule_set, 7, [int(key[1:])])


def _measured(cube: PackageCube, safe: SafeCube, key: str, plan: KeyPlan, family) -> dict[str, tuple[float, int]]:
    """Day table to share told and events, of one campaign of a package."""
    found = {}
    own = {}
    tables = {}
    parts = []
    for table in cube.shape.tables:
        rows = rows_by_key(table).get(key)
        if rows is None or family.name not in table.families:
            continue
        take = pa.array(rows)
        own[table.name], tables[table.name] = cube.tables[table.name].take(take), safe.tables[table.name].take(take)
        parts.append(of_key(PackageShape("", "", cube.shape.period, (table,)), key).tables[0])
    alone = PackageCube(PackageShape("", "", cube.shape.period, tuple(parts)), own)
    names = {name: name.removesuffix("_clicks").removesuffix("_conversions") for name in own}
    for name, one in measure(alone, tables, plan, family).items():
        found[names[name]] = one.told, int(alone.values(name, family.count)[0])
    return found


def _outcomes(portal, name, key, family, foreseen, measured, day) -> list[Outcome]:
    fact, best = portal.facts[key], foreseen.best(family.name)
    tables = dict.fromkeys([*foreseen.told[family.name], *(t for one in measured for t in one)])
    mean_of = {t: float(np.mean([one.get(t, (0.0, 0))[0] for one in measured] or [0.0])) for t in tables}
    found = []
    for table in tables:
        found.append(
            Outcome(
                name,
                key,
                fact.recipient_id,
                fact.booking.starts_on == day,
                fact.booking.impressions / fact.booking.day_n,
                family.name,
                table,
                best is not None and best[0] == table,
                foreseen.told[family.name].get(table, Share(0.0, 0.0, 0.0)),
                mean_of[table],
                max(mean_of.values()),
                tuple(one.get(table, (0.0, 0))[0] for one in measured),
                sum(one.get(table, (0.0, 0))[1] for one in measured),
            )
        )
    return found
