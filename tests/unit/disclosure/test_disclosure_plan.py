"""The plan of a campaign: what it chooses, and that control holds packages to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from disclosure_portal import FAMILIES, Habits, count_people, fill, flat, nested, package, plain, rule_set, table

from quorum.disclosure import PackageCube, control
from quorum.disclosure.plan import Assumptions, Booking, plan_key
from quorum.tables import KeyPlan, PackageShape

KEY = "c000"
ASSUMED = Assumptions(2, 100, 1000, 125, 25, 80, 300)
SHAPE = package(
    table("audience_gender", plain(1), flat("gender", 3)),
    table("audience_area", plain(1), nested("region", "prefecture", (1, 6, 7))),
    table("audience_grid", plain(1), flat("age_band", 3), flat("device", 3)),
)


def booking(a_day: int, days: int = 28, **targets: frozenset[str]) -> Booking:
    return Booking(date(2026, 11, 2), date(2026, 11, 1 + days), a_day * days, targets)


def planned(a_day: int, days: int = 28, shares: Mapping = {}, **targets: frozenset[str]) -> KeyPlan:
    return plan_key(
        SHAPE.tables, KEY, booking(a_day, days, **targets), FAMILIES, rule_set(), ["day", "week"], ASSUMED, shares
    )


@pytest.mark.parametrize(
    ("a_day", "periods"),
    [
        (50_000, {"impressions": "day", "clicks": "day", "conversions": "week"}),
        (2_000, {"impressions": "day", "clicks": "week", "conversions": "week"}),
        (100, {"impressions": "week", "clicks": "week", "conversions": "week"}),
    ],
)
def test_the_shortest_period_that_is_expected_to_pass(a_day: int, periods: dict[str, str]) -> None:
    assert planned(a_day).periods == periods


def test_the_finest_level_that_is_expected_to_pass() -> None:
    assert planned(100_000).levels["audience_area"]["impressions"] == 2
    assert planned(900).levels["audience_area"] == {"impressions": 1, "clicks": 1, "conversions": 0}
    assert planned(10).levels["audience_area"]["impressions"] == 0


@pytest.mark.parametrize(("a_day", "level"), [(100_000, 2), (2_800, 2), (2_600, 1)])
def test_a_table_of_pairs_is_planned_only_with_people_for_its_average_cell(a_day: int, level: int) -> None:
    """Nine cells of three times 50 people at two impressions each: 2,700. The largest cells pass with fewer."""
    plan = plan_key(SHAPE.tables, KEY, booking(a_day), FAMILIES, rule_set(), ["day"], ASSUMED, {}, {"audience_grid"})
    assert plan.levels["audience_grid"]["impressions"] == level
    assert plan.levels["audience_grid"]["clicks"] <= level
    assert planned(2_600).levels["audience_grid"]["impressions"] == 2


def test_no_family_is_told_more_often_than_the_one_it_requires() -> None:
    for a_day in (1, 50, 300, 2_000, 10_000, 100_000, 10_000_000):
        kinds = [("day", "week").index(planned(a_day).periods[family.name]) for family in FAMILIES]
        assert kinds == sorted(kinds)


def test_a_flight_of_one_day_has_no_week_of_seven() -> None:
    assert planned(400, days=1).levels["audience_area"]["impressions"] == 1
    assert planned(70, days=7).levels["audience_gender"]["impressions"] == 1
    assert planned(70, days=1).levels["audience_gender"]["impressions"] == 0


def test_what_was_released_before_replaces_the_law_of_zipf() -> None:
    even = {(("gender", f"gender{n}"),): 1 / 3 for n in range(3)}
    uneven = {(("gender", "gender0"),): 0.999, (("gender", "gender1"),): 0.0005, (("gender", "gender2"),): 0.0005}
    assert planned(600, shares=even).levels["audience_gender"]["impressions"] == 1
    assert planned(130, shares=uneven).periods["impressions"] == "day"
    assert planned(130, shares=even).periods["impressions"] == "week"


def test_targeting_takes_categories_out() -> None:
    one = {"prefecture": frozenset({"prefecture1.2"})}
    assert planned(130, **one).periods["impressions"] == "day"
    assert planned(130, **one).levels["audience_area"]["impressions"] == 2
    assert planned(130).periods["impressions"] == "week"


def cube_of(shape: PackageShape, seed: int = 5, people: int = 20_000) -> PackageCube:
    return fill(shape, count_people(shape, [people], np.random.default_rng(seed), Habits(click=0.2)))


def statuses(shape: PackageShape, name: str, family: str) -> dict[tuple[str, ...], str]:
    safe = control(cube_of(shape), rule_set(), FAMILIES)
    words = safe.tables[name][f"status_{family}"].to_pylist()
    return dict(zip(shape.table(name).coordinates(), words, strict=True))


def test_a_family_of_another_period_is_withheld_as_a_whole() -> None:
    levels = {t.name: dict.fromkeys(("impressions", "clicks", "conversions"), 2) for t in SHAPE.tables}
    plan = KeyPlan({"impressions": "day", "clicks": "week", "conversions": "week"}, levels)
    shape = replace(SHAPE, plan={KEY: plan})
    for t in SHAPE.tables:
        assert "published" in statuses(shape, t.name, "impressions").values()
        assert set(statuses(shape, t.name, "clicks").values()) == {"withheld"}
        assert "published" in statuses(SHAPE, t.name, "clicks").values()


def test_levels_finer_than_planned_are_withheld() -> None:
    levels = {"audience_gender": {"impressions": 0}, "audience_area": {"impressions": 1}, "audience_grid": {}}
    shape = replace(SHAPE, plan={KEY: KeyPlan({"impressions": "day"}, levels)})
    told = {place for place, word in statuses(shape, "audience_area", "impressions").items() if word == "published"}
    assert {place[1:] for place in told} >= {("ALL", "ALL"), ("region1", "ALL")}
    # a region of one prefecture is that prefecture: one number under two names
    assert {place[2] for place in told} == {"ALL", "prefecture0.0"}
    gender = {p for p, word in statuses(shape, "audience_gender", "impressions").items() if word == "published"}
    assert gender == {(KEY, "ALL")}


def test_without_a_plan_all_levels_are_told() -> None:
    told = statuses(SHAPE, "audience_area", "impressions")
    assert "published" in {word for place, word in told.items() if place[2] not in ("ALL", "prefecture0.0")}


def test_by_month_is_only_what_requires_a_family_that_is() -> None:
    def chosen(a_day: int) -> list[str]:
        kinds = ["day", "week", "month"]
        return list(
            plan_key(SHAPE.tables, KEY, booking(a_day), FAMILIES, rule_set(), kinds, ASSUMED, {}).periods.values()
        )

    assert chosen(50_000) == ["day", "day", "week"]
    assert chosen(2_000) == ["day", "week", "week"], "clicks by month would need impressions on every day of it"
    assert chosen(10) == ["month", "month", "month"]
