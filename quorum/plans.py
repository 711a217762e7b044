"""The plans of a home's campaigns: fixed once a campaign and month, entered in the ledger, read back ever after.

What belongs here: when a plan is made, from which rows, and how it stands in the ledger. What does not: the choice
(`quorum.disclosure.plan`), and holding packages to it (`quorum.disclosure.control`, `quorum.release.safe`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from quorum.disclosure.history import Fact, History
from quorum.disclosure.plan import Assumptions, Booking, Place, plan_key
from quorum.engine.store import Store
from quorum.errors import ConfigurationError
from quorum.ledger import Ledger
from quorum.policy import Policy, ReportSpec
from quorum.release.package import PUBLISHED
from quorum.release.shapes import planned_shape
from quorum.released import Owed, Released
from quorum.tables import KeyPlan, PackageShape
from quorum.tables.periods import DAY, MONTH, days_of_week, kind_of, plan_month
from quorum.tables.shape import ALL
from quorum.tables.targeting import Targets, listed_targets

PLAN = "plan"
KEY = "campaign_id"
"""Reports with this key have plans: what is booked is known before the first night."""

_SHOWN_NIGHTS = 7
_TARGETS = {
    "age_band": "target_age_bands",
    "gender": "target_genders",
    "prefecture": "target_prefectures",
    "occupation": "target_occupations",
}
_ASSUMED = {
    "impressions_per_person": "plan_impressions_per_person",
    "clicks_per_10000": "plan_clicks_per_10000_impressions",
    "conversions_per_10000": "plan_conversions_per_10000_clicks",
    "margin_percent": "plan_margin_percent",
    "level_percent": "plan_level_percent",
    "pairs_percent": "plan_pairs_percent",
    "period_percent": "plan_period_percent",
}


@dataclass
class Plans:
    """The plans of a home.

    Args:
        store: reference data, and what was made safe before.
        policy: reports, rule sets, assumptions.
        ledger: plans are entered here.
        owed: the shapes of an earlier night's day packages.
    """

    store: Store
    policy: Policy
    ledger: Ledger
    owed: Owed
    _fixed: dict[tuple[str, str, str], KeyPlan] = field(init=False)
    _learned: dict[tuple[str, str, date], History] = field(init=False, default_factory=dict)
    _shares_of: dict[tuple[str, date], dict[str, dict[Place, float]]] = field(init=False, default_factory=dict)
    _targeting: dict[tuple[str, str, str], Targets] = field(init=False)

    def __post_init__(self) -> None:
        self._fixed, self._targeting = {}, {}
        for entry in reversed(self.ledger.entries(PLAN)):
            month = entry.body["report"], entry.body["key"], entry.body["month"]
            self._fixed[month] = KeyPlan(entry.body["periods"], entry.body["levels"])
            self._targeting[month] = {c: tuple(listed) for c, listed in entry.body.get("targeting", {}).items()}

    def fix(self, shapes: Sequence[PackageShape], night: date) -> None:
        """Make and enter the plan of every campaign of a night's day packages that has none for the month.

        Args:
            shapes: the day packages that the night owes.
            night: the night.

        Guarantee:
            A campaign and month has one plan: the first that was entered. It is made from reference data and earlier
            releases; no cube is read.

        Source: disclosure.md, rules 7 and 10.
        """
        month = plan_month(night)
        missing = [
            (shape, key) for shape in shapes for key in keys_of(shape) if (shape.report, key, month) not in self._fixed
        ]
        missing = [(shape, key) for shape, key in missing if self.policy.reports[shape.report].key == KEY]
        if not missing:
            return
        facts = facts_of(self.store.read("pseudo__campaign", night), self.policy)
        for shape, key in missing:
            booking = facts[key].booking
            if self._was_told_by_day(shape, key, month, night, booking):
                plan, assumed = _as_before(shape, self.policy.reports[shape.report]), dict[str, int]()
            else:
                plan, assumed = self._choose(shape, key, facts, night)
            self._fixed[shape.report, key, month] = plan
            self._targeting[shape.report, key, month] = booking.targets
            self.ledger.append(PLAN, _body(shape, key, month, night, plan, booking) | {"assumed": assumed})

    def of(self, shape: PackageShape, key: str, day: date, facts: Mapping[str, Fact]) -> tuple[KeyPlan, bool]:
        """Return the plan of a campaign on a day, and whether it is fixed; else what it would be by today's knowledge.

        Args:
            shape: the package of the day that lists it.
            key: the campaign.
            day: the day, not after the first night that is still to come if the plan is not fixed.
            facts: the catalogue.
        """
        fixed = self._fixed.get((shape.report, key, plan_month(day)))
        return (fixed, True) if fixed is not None else (self._choose(shape, key, facts, day)[0], False)

    def with_plan(self, shape: PackageShape, day: date) -> PackageShape:
        """Return a shape with the plans and the targeting of its keys that hold on a day.

        Rows that these leave out are not in it. The targeting is that of the month's plan: a catalogue that changes
        within the month changes nothing in it.
        """
        month = plan_month(day)
        found = {key: self._fixed.get((shape.report, key, month)) for key in keys_of(shape)}
        targeting = {key: self._targeting.get((shape.report, key, month)) for key in keys_of(shape)}
        planned = replace(
            shape,
            plan={key: plan for key, plan in found.items() if plan is not None},
            targeting={key: targets for key, targets in targeting.items() if targets},
        )
        return planned_shape(self.policy, planned)

    def breaks(self, shape: PackageShape, day: date) -> set[str]:
        """Return the keys of a package whose plan differs from that of the month before; a first plan breaks nothing.

        Args:
            shape: a package.
            day: a day of its period.
        """
        month = plan_month(day)
        before = plan_month(days_of_week(date.fromisoformat(f"{month}-04"))[0] - timedelta(days=7))
        pairs = {
            key: (self._fixed.get((shape.report, key, before)), self._fixed.get((shape.report, key, month)))
            for key in keys_of(shape)
        }
        return {key for key, (old, new) in pairs.items() if old is not None and new is not None and old != new}

    def _choose(
        self, shape: PackageShape, key: str, facts: Mapping[str, Fact], night: date
    ) -> tuple[KeyPlan, dict[str, int]]:
        """Return the plan of a campaign, and in whole numbers what it was made from beside the booking.

        What its recipient was given before tells more than the policy assumes; what others were given is not theirs to
        see in a plan. By month is only what the home was there for from the campaign's first day in the calendar month.
        """
        report = self.policy.reports[shape.report]
        place = (shape.report, shape.recipient_id, night)
        if place not in self._learned:
            own = {k: fact for k, fact in facts.items() if fact.recipient_id == shape.recipient_id}
            families = [self.policy.families[name] for name in report.families]
            history = History(own, families, assumptions_of(self.policy))
            Released(self.store, self.policy, self.ledger, self.owed, report).teach(
                history, night, shape.recipient_id, cells=False
            )
            self._learned[place] = history
        if (shape.report, night) not in self._shares_of:
            self._shares_of[shape.report, night] = self._shares(report, night)
        booking, assumed = self._learned[place].assumed(key)
        has_month = min([*self.ledger.nights(), night]) <= max(booking.starts_on, night.replace(day=1))
        plan = plan_key(
            shape.tables,
            key,
            booking,
            [self.policy.families[name] for name in report.families],
            self.policy.rule_sets[report.rule_set],
            [kind for kind in report.periods if kind != MONTH or has_month],
            assumed,
            self._shares_of[shape.report, night].get(shape.recipient_id, {}),
            {spec.name for spec in report.tables if spec.is_planned},
        )
        return plan, {
            "impressions": booking.impressions,
            "impressions_per_1000_people": round(assumed.impressions_per_person * 1000),
            "clicks_per_10000_impressions": round(assumed.clicks_per_10000),
            "conversions_per_10000_clicks": round(assumed.conversions_per_10000),
        }

    def _was_told_by_day(self, shape: PackageShape, key: str, month: str, night: date, booking: Booking) -> bool:
        """Say whether the campaign stood in a released day package of this month, before plans were kept."""
        days = [
            date.fromisoformat(entry.body["period"])
            for entry in self.ledger.entries("release")
            if (entry.body["recipient_id"], entry.body["report"]) == (shape.recipient_id, shape.report)
            and kind_of(entry.body["period"]) == DAY
        ]
        before = [day for day in days if day < night and plan_month(day) == month and day >= booking.starts_on]
        return any(
            key in keys_of(owed)
            for day in before
            for owed in self.owed(day)
            if (owed.recipient_id, owed.report) == (shape.recipient_id, shape.report)
        )

    def _shares(self, report: ReportSpec, night: date) -> dict[str, dict[Place, float]]:
        """Return, by recipient, the share of each single category in what they were given on the nights before."""
        released = {
            (entry.body["recipient_id"], entry.body["period"])
            for entry in self.ledger.entries("release")
            if entry.body["report"] == report.name
        }
        base = self.policy.families[report.families[0]]
        parts: dict[str, dict[Place, int]] = {}
        wholes: dict[tuple[str, str], int] = {}
        for spec in report.tables:
            dimensions = [self.policy.dimensions[name].levels for name in spec.dimensions]
            columns = [column for levels in dimensions for column in levels]
            for day in [day for day in self.store.nights(f"safe__{spec.name}") if day < night][-_SHOWN_NIGHTS:]:
                rows = self.store.read(f"safe__{spec.name}", day)
                is_told = pc.equal(rows[f"status_{base.name}"], PUBLISHED)
                rows = rows.filter(pc.and_(pc.equal(rows["report"], report.name), is_told))
                for row in rows.select(["recipient_id", *columns, base.count]).to_pylist():
                    recipient, count = row["recipient_id"], row[base.count]
                    named = {column for column in columns if row[column] != ALL}
                    if (recipient, day.isoformat()) not in released:
                        continue
                    for levels in dimensions:
                        if not named:
                            wholes[recipient, levels[-1]] = wholes.get((recipient, levels[-1]), 0) + count
                        elif named == set(levels):
                            place = ((levels[-1], row[levels[-1]]),)
                            own = parts.setdefault(recipient, {})
                            own[place] = own.get(place, 0) + count
        return {
            recipient: {place: count / wholes[recipient, place[0][0]] for place, count in own.items()}
            for recipient, own in parts.items()
        }


def fixed_on(ledger: Ledger, night: date) -> list[Mapping[str, Any]]:
    """Return the plans that a night fixed, as they were entered, by report and campaign."""
    entries = [entry.body for entry in ledger.entries(PLAN) if entry.body["night"] == night.isoformat()]
    return sorted(entries, key=lambda body: (body["report"], body["key"]))


def keys_of(shape: PackageShape) -> list[str]:
    """Return the keys of the report that a package lists, table by table."""
    return list(dict.fromkeys(path[0] for table in shape.tables for path in table.dimensions[0].keys))


def facts_of(campaigns: pa.Table, policy: Policy) -> dict[str, Fact]:
    """Return what the catalogue says of each campaign; ``pseudo__campaign`` as of a night."""
    return {
        row[KEY]: Fact(row["recipient_id"], row["price_model"], _booking(row, policy)) for row in campaigns.to_pylist()
    }


def _booking(row: Mapping[str, Any], policy: Policy) -> Booking:
    said = {column: str(row.get(listed) or "").split(";") for column, listed in _TARGETS.items()}
    key_sets = {spec.levels[-1]: spec.keys for spec in policy.dimensions.values()}
    categories = {
        column: [category.key for category in policy.categories[key_sets[column]]]
        for column in said
        if column in key_sets
    }
    return Booking(
        row["starts_on"],
        row["ends_on"],
        row["booked_impressions"] or 0,
        listed_targets(said, categories),
    )


def _as_before(shape: PackageShape, report: ReportSpec) -> KeyPlan:
    levels = {table.name: dict.fromkeys(report.families, max(table.named())) for table in shape.tables}
    return KeyPlan(dict.fromkeys(report.families, DAY), levels)


def assumptions_of(policy: Policy) -> Assumptions:
    """Return what the policy assumes of campaigns.

    Raises:
        ConfigurationError: a limit is not declared.
    """
    missing = sorted(set(_ASSUMED.values()) - policy.limits.keys())
    if missing:
        raise ConfigurationError(
            "plan.assumption", f"no {missing[0]}", "every plan_* of categories.yaml: limits", "declare it"
        )
    return Assumptions(**{name: policy.limits[limit] for name, limit in _ASSUMED.items()})


def _body(shape: PackageShape, key: str, month: str, night: date, plan: KeyPlan, booking: Booking) -> dict[str, object]:
    """Return what the ledger keeps of a plan, with what it was made from: public facts."""
    return {
        "report": shape.report,
        "recipient_id": shape.recipient_id,
        "key": key,
        "month": month,
        "night": night.isoformat(),
        "periods": dict(plan.periods),
        "levels": {table: dict(levels) for table, levels in plan.levels.items()},
        "groups": {},
        "booked": {
            "impressions": booking.impressions,
            "starts_on": booking.starts_on.isoformat(),
            "ends_on": booking.ends_on.isoformat(),
        },
        "targeting": {column: list(listed) for column, listed in booking.targets.items()},
    }
