"""Packages of one month that state different plans for a campaign were planned by what their nights saw."""

from __future__ import annotations

from dataclasses import replace

from quorum.audit.package import ParsedPackage
from quorum.audit.plans import changed_plans
from quorum.tables import KeyPlan, PackageShape

PLAN = KeyPlan({"impressions": "day", "clicks": "week"}, {"area": {"impressions": 2, "clicks": 1}})


def stated(period: str, plan: KeyPlan, recipient: str = "adv-a") -> ParsedPackage:
    return ParsedPackage(PackageShape(recipient, "campaign", period, (), plan={"c1": plan}), {}, {})


def changed(*packages: ParsedPackage) -> list[str]:
    return [claim.release for claim in changed_plans(packages)]


def test_one_plan_a_month() -> None:
    later = replace(PLAN, periods={"impressions": "week", "clicks": "week"})
    assert changed(stated("2026-11-10", PLAN), stated("2026-11-11", PLAN)) == []
    assert changed(stated("2026-11-11", later), stated("2026-11-10", PLAN)) == ["adv-a/campaign/2026-11-11"]
    assert changed(stated("2026-11-10", PLAN), stated("2026-12-10", later)) == [], "another month has another plan"


def test_a_level_that_changes() -> None:
    finer = replace(PLAN, levels={"area": {"impressions": 1, "clicks": 1}})
    assert changed(stated("2026-11-10", PLAN), stated("2026-11-11", finer)) == ["adv-a/campaign/2026-11-11"]


def test_the_plan_is_the_same_for_every_recipient() -> None:
    other = replace(PLAN, periods={"impressions": "week", "clicks": "week"})
    found = changed(stated("2026-11-10", PLAN), stated("2026-11-12", other, "adv-b"))
    assert found == ["adv-b/campaign/2026-11-12"]


def test_a_week_states_what_it_tells_and_a_month_what_its_plans_share() -> None:
    week = KeyPlan(PLAN.periods, {"area_clicks": {"clicks": 1}, "area": {"clicks": 1}})
    month = KeyPlan({"impressions": "day", "clicks": "day"}, {"area": {"impressions": 0}})
    assert changed(stated("2026-11-10", PLAN), stated("2026-W46", week), stated("2026-11", month)) == []
    assert changed(stated("2026-11-10", PLAN), stated("2026-11-10.r2", PLAN)) == []
