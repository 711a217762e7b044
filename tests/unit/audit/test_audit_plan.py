"""The outsider's reading of plans: what a package says was fixed, and whether it keeps to it, also across periods."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from disclosure_portal import FAMILIES, Habits, count_people, fill, flat, package, plain, rule_set, table

from quorum.audit.package import ParsedPackage, parse_files
from quorum.audit.reparse import read_again
from quorum.audit.rules import read_rules
from quorum.audit.truth import Truth
from quorum.disclosure import control
from quorum.errors import ReleaseError
from quorum.policy import Policy
from quorum.release.package import rule_numbers, table_files
from quorum.tables import KeyPlan, PackageShape

KEY = "c000"
GENDER = table("audience_gender", plain(1), flat("gender", 3))
CLICKS = table("audience_gender_clicks", plain(1), flat("gender", 3, False), families=FAMILIES[1:])


def released(policy: Policy, shape: PackageShape, stated: Mapping[str, KeyPlan], click: float = 0.3) -> ParsedPackage:
    """Release under the shape's plan, and say another one in the description."""
    people = count_people(shape, [4_000], np.random.default_rng(3), Habits(click=click))
    safe = control(fill(shape, people), rule_set(), FAMILIES)
    return parse_files(table_files(replace(shape, plan=stated), safe.tables, policy))


def broken(policy: Policy, *packages: ParsedPackage) -> set[tuple[str, str]]:
    numbers = rule_numbers(policy.rule_sets["standard"], policy.reports["campaign"], policy)
    claims = read_again(packages, read_rules(numbers), Truth({})).claims
    return {(claim.where[0], claim.what) for claim in claims}


def plan(level: int = 1, **periods: str) -> dict[str, KeyPlan]:
    levels = {t.name: dict.fromkeys(("impressions", "clicks", "conversions"), level) for t in (GENDER, CLICKS)}
    return {KEY: KeyPlan({"impressions": "day", "clicks": "day", "conversions": "day", **periods}, levels)}


def test_a_package_keeps_to_the_plan_that_it_states(policy: Policy) -> None:
    for stated in (plan(), plan(clicks="week", conversions="week"), plan(0)):
        package_ = released(policy, package(GENDER, period="2026-11-21"), stated)
        assert package_.shape.plan == stated
    assert broken(policy, released(policy, replace(package(GENDER), plan=plan(0)), plan(0))) == set()


@pytest.mark.parametrize("stated", [plan(clicks="week"), plan(0)])
def test_what_another_period_or_level_should_tell_is_claimed(policy: Policy, stated: dict[str, KeyPlan]) -> None:
    assert ("audience_gender", "plan") in broken(policy, released(policy, package(GENDER), stated))


def test_clicks_of_a_week_rest_on_impressions_of_each_day(policy: Policy) -> None:
    week = released(policy, package(CLICKS, period="2026-W47"), {})
    days = [released(policy, package(GENDER, period=f"2026-11-{day}"), {}) for day in (20, 21)]
    assert week.tables["audience_gender_clicks"].published["clicks"].any()
    assert ("audience_gender_clicks", "requires") not in broken(policy, week, *days)
    nothing = replace(package(GENDER, period="2026-11-22"), plan=plan(impressions="week"))
    held_back = released(policy, nothing, {})
    assert ("audience_gender_clicks", "requires") in broken(policy, week, *days, held_back)
    other_week = released(policy, replace(nothing, period="2026-11-23"), {})
    assert ("audience_gender_clicks", "requires") not in broken(policy, week, *days, other_week)


@pytest.mark.parametrize("level", [-1, "1", True, None])
def test_a_level_that_is_no_number_is_refused(policy: Policy, level: object) -> None:
    files = dict(released(policy, package(GENDER), plan()).files)
    described = json.loads(files["datapackage.json"])
    described["quorum:plan"][KEY]["levels"]["audience_gender"]["clicks"] = level
    with pytest.raises(ReleaseError, match=r"package\.json"):
        parse_files({**files, "datapackage.json": json.dumps(described).encode()})
