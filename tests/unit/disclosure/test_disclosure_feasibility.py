"""Forecasts: what they are drawn from, that they are judged by the rules, and that they come true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pyarrow as pa
import pytest
from disclosure_portal import FAMILIES, campaign_shape, flat, keyed, nested, package, plain, rule_set, table
from sample_portal import MONDAY, Outcome, Portal, hold, learned

from quorum.disclosure import PackageCube, control
from quorum.disclosure.alone import of_key, rows_by_key
from quorum.disclosure.feasibility import Trial, finest_levels, measure
from quorum.disclosure.history import Fact, History
from quorum.disclosure.plan import Assumptions, Booking
from quorum.disclosure.sums import verify_sums
from quorum.disclosure.synthetic import Outlook, components, draw_cube
from quorum.policy import Policy
from quorum.tables import KeyPlan, PackageShape

ASSUMED = Assumptions(2, 100, 1000, 125, 25, 80, 300)
KEY = "c000"
SMALL = package(
    table("performance", keyed(1, 2), flat("placement", 3, False)),
    table("audience_age_gender", plain(1), flat("age_band", 3), flat("gender", 3)),
    table("audience_area", plain(1), nested("region", "prefecture", (1, 3, 2))),
    table("audience_device", plain(1), flat("device", 3, False)),
    table("pairs", plain(1), flat("device", 3, False), flat("age_band", 3)),
)


def fact(a_day: int, recipient: str = "adv-a", model: str = "cpm", **targets: frozenset[str]) -> Fact:
    return Fact(recipient, model, Booking(date(2026, 11, 2), date(2026, 11, 29), a_day * 28, targets))


def history(facts: Mapping[str, Fact]) -> History:
    return History(facts, FAMILIES, ASSUMED)


def outlook(shape: PackageShape, a_day: int, **targets: frozenset[str]) -> Outlook:
    known = history({KEY: fact(a_day, **targets)})
    return replace(known.rates(KEY), shares=known.shares(KEY, shape))


def trial(a_day: int, shape: PackageShape = SMALL, days: int = 7, heads: int = 50, **targets: frozenset[str]) -> Trial:
    return Trial(shape, outlook(shape, a_day, **targets), FAMILIES, rule_set(heads), days, [3])


def every(kind: str) -> KeyPlan:
    names = [family.name for family in FAMILIES]
    return KeyPlan(dict.fromkeys(names, kind), {t.name: dict.fromkeys(names, 2) for t in SMALL.tables})


def released(shape: PackageShape, events: Mapping[str, Mapping[tuple[str, ...], int]]) -> dict[str, pa.Table]:
    """Tables that tell the named rows of impressions, and nothing else."""
    tables = {}
    for t in shape.tables:
        told = [events.get(t.name, {}).get(place[1:]) for place in t.coordinates()]
        status = ["withheld" if number is None else "published" for number in told]
        columns = {"impression_n": pa.array(told, pa.int64()), "status_impressions": pa.array(status)}
        for family in FAMILIES[1:]:
            columns[family.count] = pa.nulls(len(told), pa.int64())
            columns[f"status_{family.name}"] = pa.array(["withheld"] * len(told))
        for family in FAMILIES:
            columns[family.heads] = pa.array([None if n is None else n // 2 for n in told], pa.int64())
        tables[t.name] = pa.table(columns)
    return tables


# What is drawn


@pytest.mark.parametrize("a_day", [0, 3, 200, 40_000])
def test_a_drawn_cube_adds_up_like_a_counted_one(a_day: int) -> None:
    for shape in (SMALL, campaign_shape(1, 3)):
        cube = draw_cube(shape, outlook(shape, a_day), FAMILIES, 7, 1.0, np.random.default_rng(1))
        verify_sums(cube, FAMILIES)
        total = cube.values(shape.tables[0].name, "impression_n")[0]
        assert total == pytest.approx(a_day * 7, abs=4 * (a_day * 7 + 1) ** 0.5)
        control(cube, rule_set(), FAMILIES)


def test_tables_that_share_a_dimension_are_drawn_together() -> None:
    columns = [component.columns for component in components(SMALL)]
    assert sorted(map(set, columns), key=len)[-1] == {"age_band", "gender", "device"}
    cube = draw_cube(SMALL, outlook(SMALL, 5_000), FAMILIES, 1, 1.0, np.random.default_rng(1))
    device = cube.values("audience_device", "impression_n")
    pairs = cube.values("pairs", "impression_n").reshape(4, 4)
    assert pairs[:, 0].tolist() == device.tolist()


def test_equal_seeds_give_equal_forecasts() -> None:
    first, again = (trial(900).forecast(every("day")) for _ in range(2))
    assert first == again
    other = Trial(SMALL, outlook(SMALL, 900), FAMILIES, rule_set(), 7, [4]).forecast(every("day"))
    assert first != other


def test_a_category_that_is_not_targeted_is_not_drawn() -> None:
    targets = {"gender": frozenset({"gender1"})}
    cube = draw_cube(SMALL, outlook(SMALL, 5_000, **targets), FAMILIES, 1, 1.0, np.random.default_rng(1))
    grid = cube.values("audience_age_gender", "impression_n").reshape(4, 4)
    assert grid[:, 1].max() == grid[:, 3].max() == 0
    assert grid[0, 2] == grid[0, 0] > 0


# What is forecast


def test_the_share_grows_with_the_booking_and_falls_with_the_threshold() -> None:
    shares = [trial(n).forecast(every("day")).told["impressions"]["audience_area"].expected for n in (150, 600, 9_000)]
    assert shares == sorted(shares)
    assert shares[0] < 0.3
    assert shares[-1] == 1.0
    strict = trial(600, heads=150).forecast(every("day")).told["impressions"]["audience_area"].expected
    assert strict < shares[1] - 0.2


def test_what_is_too_little_by_week_is_forecast_by_month_where_there_are_months() -> None:
    small, by_month = outlook(SMALL, 60), every("month")
    tried = Trial(SMALL, small, FAMILIES, rule_set(), 7, [3], month_days=28)
    assert tried.forecast(every("week")).told["impressions"]["audience_device"].expected < 0.1
    found = tried.forecast(by_month)
    assert found == tried.forecast(by_month), "the same months for every plan"
    assert found.told["impressions"]["audience_device"].expected > 0.5
    assert found.events["impressions"] == pytest.approx(28 * 60, rel=0.1)
    assert not Trial(SMALL, small, FAMILIES, rule_set(), 7, [3]).forecast(by_month).told["impressions"]


def test_what_control_withholds_beside_small_cells_is_in_the_forecast() -> None:
    """Two of three equal categories pass alone; the third could be subtracted, so one more is withheld."""
    shape = package(table("audience_gender", plain(1), flat("gender", 3)))
    given = {("gender0",): 5_000, ("gender1",): 4_960, ("gender2",): 40, ("ALL",): 10_000}
    known = history({KEY: fact(10_000)})
    known.add(shape, released(shape, {"audience_gender": given}))
    expected = replace(known.rates(KEY), shares=known.shares(KEY, shape))
    found = Trial(shape, expected, FAMILIES, rule_set(), 7, [1]).forecast(
        KeyPlan(dict.fromkeys(("impressions", "clicks", "conversions"), "day"), {"audience_gender": {"impressions": 1}})
    )
    assert found.told["impressions"]["audience_gender"].expected == pytest.approx(0.5, abs=0.03)


def test_levels_that_a_plan_leaves_out_tell_nothing() -> None:
    plan = replace(every("day"), levels={t.name: dict.fromkeys(("impressions",), 1) for t in SMALL.tables})
    found = trial(9_000).forecast(plan)
    assert set(found.cells["impressions"]["audience_area"]) == {1}
    assert found.told["impressions"]["audience_area"].expected == 1.0
    nothing = replace(plan, levels={})
    assert trial(9_000).forecast(nothing).best("impressions") is None
    assert trial(9_000).forecast(nothing).totals["impressions"] == 1.0


def test_clicks_that_are_too_few_by_day_are_tried_by_week() -> None:
    by_day, longer = trial(6_000).compare(80)
    assert set(by_day.plan.periods.values()) == {"day"}
    assert longer.plan.periods == {"impressions": "day", "clicks": "week", "conversions": "week"}
    assert longer.told["clicks"]["audience_device"].expected > by_day.told["clicks"]["audience_device"].expected + 0.3
    assert longer.events["clicks"] == pytest.approx(7 * by_day.events["clicks"], rel=0.2)
    levels = finest_levels(longer, 25).levels
    assert levels["audience_age_gender"]["impressions"] == 2
    assert levels["audience_age_gender"]["conversions"] == 0


def test_days_that_are_enough_are_not_made_longer() -> None:
    by_day, longer = trial(2_000_000).compare(80)
    assert by_day is longer
    assert set(longer.plan.periods.values()) == {"day"}
    assert finest_levels(longer, 25).levels["audience_area"]["clicks"] == 2


def test_a_flight_of_a_day_has_no_week() -> None:
    by_day, longer = trial(100, days=1).compare(80)
    assert by_day is longer
    assert trial(100, days=1).forecast(every("week")).best("impressions") is None


def test_a_share_is_measured_over_known_categories_and_any_level() -> None:
    shape = package(table("t", plain(1), nested("region", "prefecture", (2, 2))))
    (t,) = shape.tables
    places = list(t.coordinates())
    finest = {("region0", "prefecture0.0"): 60, ("region0", "prefecture0.1"): 20, ("region1", "prefecture1.0"): 20}
    counts = [
        sum(n for path, n in finest.items() if all(a in ("ALL", b) for a, b in zip(p[1:], path, strict=True)))
        for p in places
    ]
    columns = {name: pa.array([p[i] for p in places]) for i, name in enumerate(t.columns)}
    columns |= {c: pa.array(counts) for f in FAMILIES for c in (f.count, f.heads, f.rest) if c}
    shown = {("ALL", "ALL"), ("region1", "ALL"), ("region0", "prefecture0.1")}
    status = pa.array(["published" if p[1:] in shown else "withheld" for p in places])
    plan = KeyPlan({"impressions": "day"}, {"t": {"impressions": 2}})
    found = measure(
        PackageCube(shape, {"t": pa.table(columns)}), {"t": pa.table({"status_impressions": status})}, plan, FAMILIES[0]
    )
    assert found["t"].told == pytest.approx(0.4)
    assert found["t"].cells == {1: pytest.approx(0.2), 2: pytest.approx(0.2)}


# What is learned


def test_own_releases_replace_booking_and_policy() -> None:
    known = history({KEY: fact(1_000)})
    assert set(known.rates(KEY).basis.values()) == {"assumed"}
    known.add(SMALL, released(SMALL, {"audience_area": {("ALL", "ALL"): 1_500}}))
    rates = known.rates(KEY)
    assert (rates.impressions, rates.impressions_per_person) == (1_500, 2.0)
    assert rates.basis == {"impressions": "own", "people": "own", "clicks": "assumed", "conversions": "assumed"}
    booking, assumed = known.assumed(KEY)
    assert booking.impressions == 1_500 * 28
    assert (assumed.impressions_per_person, assumed.clicks_per_10000) == (2.0, 100)


def test_clicks_are_learned_from_weeks_and_from_the_same_price_model() -> None:
    facts = {"c000": fact(1_000), "c001": fact(1_000), "c002": fact(1_000, model="cpc")}
    known = history(facts)
    for day in range(2, 9):
        shape = replace(SMALL, period=f"2026-11-{day:02}")
        known.add(shape, released(shape, {"audience_area": {("ALL", "ALL"): 1_000}}))
    known.add_total(KEY, "2026-W45", "clicks", 350)
    assert known.rates("c000").clicks_per_impression == pytest.approx(0.05)
    assert known.rates("c001").basis["clicks"] == "all"
    assert known.rates("c002").basis["clicks"] == "assumed"


def test_clicks_that_were_told_on_the_best_days_alone_tell_nothing() -> None:
    known = history({KEY: fact(1_000)})
    for day in range(2, 9):
        shape = replace(SMALL, period=f"2026-11-{day:02}")
        known.add(shape, released(shape, {"audience_area": {("ALL", "ALL"): 1_000}}))
    known.add_total(KEY, "2026-11-04", "clicks", 40)
    assert known.rates(KEY).basis["clicks"] == "assumed"


def test_withheld_cells_are_filled_in_from_what_is_left_of_the_total() -> None:
    known = history({KEY: fact(1_000)})
    cells = {("ALL", "ALL"): 1_000, ("region0", "prefecture0.0"): 700}
    known.add(SMALL, released(SMALL, {"audience_area": cells}))
    shares = known.shares(KEY, SMALL)["impressions", ("prefecture",)]
    assert shares[0] == pytest.approx(0.7)
    assert shares[1:].tolist() == pytest.approx([0.06] * 5)


def test_others_are_taken_where_a_campaign_has_no_releases() -> None:
    shape = campaign_shape(2, 2)
    facts = {"c000": fact(1_000), "c001": fact(500)}
    known = history(facts)
    known.add(
        of_key(shape, "c000"),
        released(of_key(shape, "c000"), {"audience_device": {("ALL",): 1_000, ("device3",): 900}}),
    )
    shares = known.shares("c001", of_key(shape, "c001"))["impressions", ("device",)]
    assert shares[3] == pytest.approx(0.9)
    assert known.rates("c001").basis["impressions"] == "assumed"


def test_a_key_alone_has_its_own_rows_in_order() -> None:
    shape = campaign_shape(3, (1, 2, 3))
    for t in shape.tables:
        places = list(t.coordinates())
        for key, rows in rows_by_key(t).items():
            alone = of_key(shape, key).table(t.name)
            assert [places[row] for row in rows] == list(alone.coordinates())


# Whether it comes true


@pytest.fixture(scope="module")
def portal(policy: Policy) -> Portal:
    return Portal(policy, members=6_000, impressions=20_000, campaigns=8, recipients=3, ctr=0.12, seed=3)


FIRST = [MONDAY]
DAYS = [MONDAY + timedelta(days=7)]


def off(found: Sequence[Outcome]) -> float:
    """By how much all best tables together tell less than forecast, as a share of the events."""
    best = [one for one in found if one.is_best]
    whole = sum(one.events for one in best)
    return sum((one.forecast.expected - one.actual) * one.events for one in best) / whole


def every_table(found: Sequence[Outcome]) -> float:
    """The mean error of a table of a campaign."""
    return float(np.mean([abs(one.forecast.expected - one.actual) for one in found]))


def of_clicks_and_impressions(found: Sequence[Outcome]) -> list[Outcome]:
    return [one for one in found if one.family != "conversions"]


@pytest.fixture(scope="module")
def known(portal: Portal) -> History:
    return learned(portal, FIRST, 0)


@pytest.fixture(scope="module")
def found(portal: Portal, known: History) -> list[Outcome]:
    return of_clicks_and_impressions(hold(portal, known, {"day": 0}, DAYS))


def test_what_is_forecast_comes_true(found: list[Outcome]) -> None:
    for family in ("impressions", "clicks"):
        assert abs(off([one for one in found if one.family == family])) <= 0.05
    assert every_table(found) <= 0.10


def test_what_is_forecast_by_other_thresholds_does_not(portal: Portal, known: History) -> None:
    strict = replace(portal.rule_set, heads={name: 2 * n for name, n in portal.rule_set.heads.items()})
    assert every_table(of_clicks_and_impressions(hold(portal, known, {"day": 0}, DAYS, strict))) > 0.10


def test_what_is_forecast_without_targeting_does_not(portal: Portal, found: list[Outcome]) -> None:
    """A campaign that starts later and is aimed at four prefectures: nothing but its booking tells where it is seen."""
    (key,) = (k for k, one in portal.facts.items() if "prefecture" in one.booking.targets)
    assert portal.facts[key].booking.starts_on == DAYS[0]
    blind = {k: replace(one, booking=replace(one.booking, targets={})) for k, one in portal.facts.items()}
    recipient = portal.facts[key].recipient_id
    missed = hold(portal, learned(portal, FIRST, 0, blind), {"day": 0}, DAYS, recipient_id=recipient)

    def area(some: Sequence[Outcome]) -> float:
        own = [o for o in some if (o.campaign_id, o.family, o.table) == (key, "impressions", "audience_area")]
        return every_table(own)

    assert area(found) <= 0.05
    assert area(missed) > 0.15
