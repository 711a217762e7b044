"""The feasibility of a home's campaigns: what their plans will tell, from bookings, catalogue and earlier releases.

What belongs here: which campaigns, from which reference data, beside which plans; and what to ask for instead. What
does not: the forecast itself (`quorum.disclosure.feasibility`), plans (`quorum.plans`), and cubes, which nobody reads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import pyarrow as pa

from quorum.disclosure.alone import of_key
from quorum.disclosure.feasibility import Forecast, Trial, finest_levels
from quorum.disclosure.history import Fact, History
from quorum.disclosure.synthetic import Outlook
from quorum.engine.store import Store
from quorum.errors import InputError
from quorum.ledger import Ledger
from quorum.plans import KEY, Plans, assumptions_of, facts_of
from quorum.policy import FamilySpec, Policy, ReportSpec
from quorum.release.shapes import REFERENCES, forecast_shape, package_shapes
from quorum.released import Released
from quorum.tables import KeyPlan, PackageShape
from quorum.tables.periods import MONTH, plan_month

_WEEK_DAYS = 7
_MONTH_DAYS = 30
_WORTH_IT = 0.05


@dataclass(frozen=True)
class Feasible:
    """What is expected of one campaign and report.

    Args:
        report: the report.
        campaign_id: the campaign.
        fact: what the catalogue says of it.
        day: the first day that the forecast is for.
        outlook: what delivery, frequency and clicks are taken to be.
        plan: its plan on that day.
        is_fixed: whether the plan stands in the ledger; else it is what it would be today.
        planned: what that plan will tell.
        by_day: what is expected if everything is told by day, on every level.
        longer: what is expected, on every level, if what days do not tell enough of is told by week.
        recommended: the plan that ``longer`` speaks for.
    """

    report: str
    campaign_id: str
    fact: Fact
    day: date
    outlook: Outlook
    plan: KeyPlan
    is_fixed: bool
    planned: Forecast
    by_day: Forecast
    longer: Forecast
    recommended: KeyPlan


class Feasibility:
    """Forecasts of a home.

    Args:
        store: reference data and what was made safe.
        policy: reports, rule sets, assumptions.
        ledger: releases and plans.
    """

    def __init__(self, store: Store, policy: Policy, ledger: Ledger) -> None:
        self._store, self._policy = store, policy
        self._plans = Plans(store, policy, ledger, self._shapes_of_night)
        self._ledger = ledger
        self._shapes: dict[date, list[PackageShape]] = {}

    def next_day(self) -> date:
        """Return the day after the last night with reference data: the first that can be looked forward to.

        Raises:
            InputError: no campaign has landed.
        """
        return date.fromordinal(self._known_night().toordinal() + 1)

    def of(self, day: date, campaign_id: str | None = None, recipient_id: str | None = None) -> list[Feasible]:
        """Return forecasts of the campaigns that run on a day or start later.

        Args:
            day: the first day to look at. What was released on it or later is not used.
            campaign_id: of this campaign alone.
            recipient_id: of this recipient's campaigns alone.

        Raises:
            InputError: no such campaign or recipient has landed, or it is over.
        """
        references = {name: self._store.read(name, self._known_night(day)) for name in REFERENCES}
        facts = facts_of(references["pseudo__campaign"], self._policy)
        wanted = {
            key: fact
            for key, fact in facts.items()
            if campaign_id in (None, key) and recipient_id in (None, fact.recipient_id) and fact.booking.ends_on >= day
        }
        if not wanted:
            raise InputError(
                "feasibility.campaign",
                "no campaign that runs on the day or later",
                "a campaign of the reference data that has landed",
                "land reference/campaigns.csv and run a night; look at quorum status for the last one",
            )
        found = []
        for report in (report for report in self._policy.reports.values() if report.key == KEY):
            families = [self._policy.families[name] for name in report.families]
            history = History(facts, families, assumptions_of(self._policy))
            Released(self._store, self._policy, self._ledger, self._shapes_of_night, report).teach(history, day)
            found += [
                self._one(report, families, key, facts, max(day, fact.booking.starts_on), references, history)
                for key, fact in sorted(wanted.items())
                if fact.booking.starts_on <= fact.booking.ends_on
            ]
        return found

    def _one(
        self,
        report: ReportSpec,
        families: Sequence[FamilySpec],
        key: str,
        facts: Mapping[str, Fact],
        day: date,
        references: Mapping[str, pa.Table],
        history: History,
    ) -> Feasible:
        shape = self._shape(report, key, facts[key], day, references)
        plan, is_fixed = self._plans.of(shape, key, day, facts)
        drawn = forecast_shape(self._policy, self._plans.with_plan(shape, day))
        alone = replace(of_key(drawn, key), plan={})
        outlook = replace(history.rates(key), shares=history.shares(key, alone))
        rule_set = self._policy.rule_sets[report.rule_set]
        days, month_days = (min(facts[key].booking.day_n, most) for most in (_WEEK_DAYS, _MONTH_DAYS))
        trial = Trial(alone, outlook, families, rule_set, days, _seed(report.name, key, day), month_days)
        limits = assumptions_of(self._policy)
        by_day, longer = trial.compare(limits.period_percent)
        recommended = finest_levels(longer, limits.level_percent)
        planned = trial.forecast(plan)
        return Feasible(
            report.name, key, facts[key], day, outlook, plan, is_fixed, planned, by_day, longer, recommended
        )

    def _shape(
        self, report: ReportSpec, key: str, fact: Fact, day: date, references: Mapping[str, pa.Table]
    ) -> PackageShape:
        """Return the day package that will list a campaign, by the catalogue as it is known."""
        if day not in self._shapes:
            self._shapes[day] = package_shapes(self._policy, references, day)
        for shape in self._shapes[day]:
            if (shape.report, shape.recipient_id) == (report.name, fact.recipient_id):
                return shape
        raise InputError(
            "feasibility.recipient",
            f"no {report.name} report for {fact.recipient_id}, whose campaign {key} is",
            f"recipients of kind {', '.join(report.recipient_kinds)}",
            "land reference/recipients.csv",
        )

    def _shapes_of_night(self, night: date) -> list[PackageShape]:
        return package_shapes(self._policy, {name: self._store.read(name, night) for name in REFERENCES}, night)

    def _known_night(self, before: date | None = None) -> date:
        """Return the last night with reference data, before a day if one is named."""
        nights = [night for night in self._store.nights("pseudo__campaign") if before is None or night < before]
        if not nights:
            raise InputError(
                "feasibility.reference",
                "a forecast without a catalogue",
                "reference data of an earlier night",
                "run a night",
            )
        return nights[-1]


@dataclass(frozen=True)
class Remedy:
    """What to ask for instead of what a plan is not expected to tell.

    Args:
        period: by which period to tell it, if not by the plan's; ``month`` and no table is what the invoice tells.
        table: the table with every level; empty for the total.
        expected: the share that is told so; None of a total.
    """

    period: str
    table: str = ""
    expected: float | None = None


def remedy(found: Feasible, family: str, period_percent: int) -> Remedy | None:
    """Return what to ask for instead, of a family of which the plan is not expected to tell enough; else None.

    Args:
        found: the forecast of a campaign.
        family: one of the report.
        period_percent: what is enough, of the best table.
    """
    best, period = found.planned.best(family), found.plan.periods[family]
    if best is not None and best[1].is_at_least(period_percent):
        return None
    now = 0.0 if best is None else best[1].expected
    for other in (found.by_day, found.longer):
        better = other.best(family)
        if better is not None and (better[1].is_at_least(period_percent) or better[1].expected >= now + _WORTH_IT):
            return Remedy(other.plan.periods[family], better[0], better[1].expected)
    return Remedy(period if found.planned.totals[family] * 100 >= period_percent else MONTH)


def remedies(found: Feasible, family: str, period_percent: int) -> str:
    """Return the same in words; nothing where the plan is expected to tell enough.

    Args:
        found: the forecast of a campaign.
        family: one of the report.
        period_percent: what is enough, of the best table.
    """
    instead, period = remedy(found, family, period_percent), found.plan.periods[family]
    if instead is None:
        return ""
    if instead.expected is not None:
        when = "" if instead.period == period else f"by {instead.period}, "
        return f"{when}{instead.table} with every level: {instead.expected:.0%}"
    is_told = found.planned.totals[family] * 100 >= period_percent
    return f"the total by {period}" if is_told else "the month's total"


def told_of_all(found: Sequence[Feasible], family: str) -> float | None:
    """Return the share of all campaigns' events that is expected to be told, each in its best table.

    Args:
        found: forecasts.
        family: a family of their report.

    Returns:
        None if nothing is expected to happen.
    """
    weights = [one.outlook.events(family) for one in found]
    bests = [one.planned.best(family) for one in found]
    told = sum(
        weight * (0.0 if best is None else best[1].expected) for weight, best in zip(weights, bests, strict=True)
    )
    return told / sum(weights) if sum(weights) else None


def _seed(report: str, key: str, day: date) -> list[int]:
    """Return a seed made of public facts."""
    digest = hashlib.sha256(f"{report}/{key}/{plan_month(day)}".encode()).digest()
    return list(digest[:8])
