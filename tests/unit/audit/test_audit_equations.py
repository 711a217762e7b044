"""Every equation between two cells is rebuilt, and none that does not hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from package_writer import RULES, Draft, campaigns, measures, one_table, package, plain, portal

from quorum.audit.equations import build_system
from quorum.audit.package import parse_files
from quorum.audit.places import place_of
from quorum.audit.rules import read_rules
from quorum.audit.system import DECLARED, PUBLISHED, System, reduce
from quorum.audit.truth import Truth
from quorum.errors import ReleaseError
from quorum.tables.shape import ALL, Dimension, TableShape

CELL = {"impression_n": 80, "click_n": 30}


def _system(*drafts: Draft, truth: bool = False) -> System:
    parsed = [parse_files(draft.files()) for draft in drafts]
    known = {p.release: draft.truth() for p, draft in zip(parsed, drafts, strict=True)} if truth else {}
    return build_system(parsed, read_rules(RULES), Truth(known))


def _sums(system: System) -> list[int]:
    """Number of parts of each sum."""
    return (np.diff(system.relations.start)[system.relations.exact] - 1).tolist()


def _bounds(system: System) -> int:
    return int((~system.relations.exact).sum())


def test_true_cells_satisfy_every_relation() -> None:
    system = _system(portal())
    assert (system.state[system.relations.variable] == PUBLISHED).all()
    relations, broken = reduce(system)
    assert broken == 0
    assert len(relations.exact) == 0
    assert system.targets == ()


def test_a_wrong_total_breaks_a_relation() -> None:
    _, broken = reduce(_system(portal().with_value("audience_device", ("c1", "mobile"), impression_n=1)))
    assert broken == 1


def test_margins_are_summed_level_by_level() -> None:
    area = Dimension(("region", "prefecture"), (("kanto", "tokyo"), ("kanto", "chiba"), ("kinki", "osaka")))
    shape = TableShape("area", "ads", (campaigns("c1"), area), measures("region", "prefecture", heads=False))
    system = _system(Draft(package(shape), {"area": dict.fromkeys(shape.coordinates(), CELL)}))
    assert sorted(_sums(system)) == [1, 1, 2, 2, 2, 2]  # two regions; two and one prefecture; two measures


def test_a_dimension_without_all_yields_no_equation_over_it() -> None:
    key = Dimension(("campaign_id", "creative_id"), (("c1", "a"), ("c1", "b"), ("c2", "a")), has_margin=False)
    shape = TableShape("performance", "ads", (key,), measures("campaign_id", "creative_id", heads=False))
    system = _system(Draft(package(shape), {"performance": dict.fromkeys(shape.coordinates(), CELL)}))
    assert sorted(_sums(system)) == [1, 1, 2, 2]  # the creatives of c2, of c1; two measures


def test_measures_sum_only_over_what_they_say() -> None:
    shape = TableShape(
        "device",
        "ads",
        (campaigns("c1"), plain("device", "mobile", "tablet"), plain("gender", "f", "m")),
        measures("gender", heads=True),
    )
    cell = {**CELL, "people_n": 60, "clicker_n": 20}
    system = _system(Draft(package(shape), {"device": dict.fromkeys(shape.coordinates(), cell)}))
    assert len(_sums(system)) == 3 * 4  # per device coordinate one sum over gender, for four measures
    # heads over device: each part at most the margin, the margin at most the sum, for three genders and two families;
    # events at least people, for nine cells and two families
    assert _bounds(system) == 3 * 2 * 3 + 9 * 2


def test_equal_cells_of_a_universe_are_one_variable() -> None:
    hidden = portal().withhold("audience_area", ("c1", ALL, ALL)).withhold("audience_device", ("c1", ALL))
    targets = _system(hidden).targets
    assert len({t.variable for t in targets}) == 2  # impression_n and people_n; the device table has no heads
    assert len(targets) == 3
    shape = replace(
        hidden.shape,
        tables=tuple(replace(t, universe="other") if t.name == "audience_device" else t for t in hidden.shape.tables),
    )
    assert len({t.variable for t in _system(replace(hidden, shape=shape)).targets}) == 3


def test_coordinates_are_equal_wherever_they_stand() -> None:
    assert place_of(("b", "a"), ("y", "x")) == place_of(("a", "c", "b"), ("x", ALL, "y"))


def test_published_anywhere_is_known_everywhere() -> None:
    for table, other in (("audience_area", "audience_device"), ("audience_device", "audience_area")):
        row = ("c1", ALL, ALL) if table == "audience_area" else ("c1", ALL)
        system = _system(portal().withhold(table, row))
        [state] = {int(system.state[t.variable]) for t in system.targets if t.measure == "impression_n"}
        assert state == PUBLISHED, other


def test_groups_are_sums_of_their_children() -> None:
    fine = TableShape(
        "fine", "ads", (campaigns("c1"), plain("age_band", "20s", "60s", "70s")), measures("age_band", heads=False)
    )
    coarse = TableShape(
        "coarse", "ads", (campaigns("c1"), plain("age_band", "20s", "60+")), measures("age_band", heads=False)
    )
    shape = package(fine, coarse, groups={"age_band": {"60s": "60+", "70s": "60+", "80s": "90+"}})
    cells = {t.name: dict.fromkeys(t.coordinates(), CELL) for t in (fine, coarse)}
    assert sorted(_sums(_system(Draft(shape, cells)))) == [2, 2, 2, 2, 3, 3]  # coarse, 60+, fine
    heads = replace(coarse, measures=measures("age_band", heads=True))
    with_people = {**CELL, "people_n": 60, "clicker_n": 20}
    cells["coarse"] = dict.fromkeys(coarse.coordinates(), with_people)
    with_heads = _sums(_system(Draft(replace(shape, tables=(fine, heads)), cells)))
    assert sorted(with_heads) == [2, 2, 2, 2, 2, 2, 3, 3], "the fine table has no heads to sum"
    apart = replace(shape, tables=(fine, replace(coarse, universe="other")))
    assert sorted(_sums(_system(Draft(apart, cells)))) == [2, 2, 3, 3]


def test_a_group_beside_its_children_is_not_summed_twice() -> None:
    table = TableShape(
        "both",
        "ads",
        (campaigns("c1"), plain("age_band", "20s", "60+", "60s", "70s")),
        measures("age_band", heads=False),
    )
    shape = package(table, groups={"age_band": {"60s": "60+", "70s": "60+"}})
    assert sorted(_sums(_system(Draft(shape, {"both": dict.fromkeys(table.coordinates(), CELL)})))) == [2, 2, 2, 2]


def _days(*days: str, campaign: bool = True) -> list[Draft]:
    """One table a day; ``campaign`` says whether c1 is listed."""
    keys = ("c1", "c2") if campaign else ("c2",)
    table = TableShape("device", "ads", (campaigns(*keys), plain("device", "m", "t")), measures("device", heads=False))
    return [Draft(package(table, period=day), {"device": dict.fromkeys(table.coordinates(), CELL)}) for day in days]


WEEK = [f"2026-11-{day}" for day in range(16, 23)]


def test_a_week_is_the_sum_of_its_days() -> None:
    margins_n = 2 * 2 * 8  # two campaigns, two measures, eight packages
    system = _system(*_days(*WEEK, "2026-W47"))
    assert _sums(system).count(7) == 2 * 3 * 2
    assert len(_sums(system)) == margins_n + 12
    partial = _system(*_days(*WEEK[:3], "2026-W47"))
    assert _sums(partial).count(4) == 12, "three days and what the others hold"
    assert len(partial.state) - len(system.state) // 8 * 4 == 12, "one unknown each"


def test_a_day_that_does_not_list_a_campaign_holds_nothing_of_it() -> None:
    drafts = [*_days(*WEEK[:6], "2026-W47"), *_days(WEEK[6], campaign=False)]
    system = _system(*drafts)
    assert _sums(system).count(6) == 6, "c1: six days, the seventh is not its own"
    assert _sums(system).count(7) == 6, "c2: seven days"
    assert (system.state == PUBLISHED).all()


def test_a_day_that_lists_the_campaign_and_not_the_cell_leaves_it_open() -> None:
    table = TableShape("device", "ads", (campaigns("c1", "c2"), plain("device", "m")), measures("device", heads=False))
    seventh = Draft(package(table, period=WEEK[6]), {"device": dict.fromkeys(table.coordinates(), CELL)})
    system = _system(*_days(*WEEK[:6], "2026-W47"), seventh)
    assert _sums(system).count(7) == 12, "totals and m: seven days; t: six days and an unknown"
    assert int((system.state[-4:] != PUBLISHED).sum()) == 4


def test_periods_that_no_day_lists_are_not_related() -> None:
    week, day = _days("2026-W47")[0], one_table({"20s": CELL, "30s": CELL})
    table = replace(day.shape.tables[0], dimensions=(campaigns("c9"), plain("age_band", "20s", "30s")))
    day = Draft(package(table, period=WEEK[0]), {"audience": dict.fromkeys(table.coordinates(), CELL)})
    assert set(_sums(_system(week, day))) == {2}


def _invoiced(period: str, *measures_known: str) -> Draft:
    draft = one_table({"20s": CELL, "30s": CELL, "40s": CELL}).withhold("audience", ("c1", ALL), ("c1", "20s"))
    invariant = {"period": period, "dimensions": ["campaign_id"], "measures": list(measures_known)}
    return replace(draft, shape=replace(draft.shape, invariants=(invariant,)))


def test_declared_totals_are_known_and_no_targets() -> None:
    system = _system(_invoiced("2026-11-21", "impression_n", "cost_micros"))
    assert [t.coordinates for t in system.targets] == [("c1", "20s")]
    assert int((system.state == DECLARED).sum()) == 1


def test_the_truth_says_what_the_invoice_says() -> None:
    system = _system(_invoiced("2026-11-21", "impression_n"), truth=True)
    assert int((system.state == DECLARED).sum()) == 0
    assert int(system.value.max()) == 240


def test_a_declared_month_is_a_cell_of_its_own() -> None:
    system = _system(_invoiced("2026-11", "impression_n"))
    assert {t.coordinates for t in system.targets} == {("c1", ALL), ("c1", "20s")}
    assert int((system.state == DECLARED).sum()) == 1
    assert _sums(system).count(2) == 1, "the month: this day and an unknown"


def test_people_bound_those_who_did_more_only_where_that_is_true() -> None:
    cell = {"impression_n": 90, "people_n": 70, "click_n": 90, "clicker_n": 60}
    draft = one_table({"20s": cell, "30s": {**cell, "clicker_n": 80}}, heads=True)
    events_n = 3 * 2
    assert _bounds(_system(draft)) == events_n
    assert _bounds(_system(draft, truth=True)) == events_n + 2, "all but the band with more clickers than people"


def test_families_without_a_rule_are_refused() -> None:
    parsed = parse_files(one_table({"20s": CELL}).files())
    rules = {"heads": {"impressions": 50}, "outside": 10, "families": RULES["families"]}
    with pytest.raises(ReleaseError, match="clicks"):
        build_system([parsed], read_rules(rules), Truth({}))


def _withheld(draft: Draft) -> Draft:
    for place in draft.shape.tables[0].coordinates():
        draft = draft.withhold("device", place)
    return draft


def test_days_that_tell_nothing_split_their_week_freely() -> None:
    (week,) = _days("2026-W47")
    days = [_withheld(day) for day in _days(*WEEK)]
    assert _sums(_system(*days, week)).count(7) == 6, "clicks, which every day tells; not impressions"
    assert _sums(_system(*days[:-1], *_days(WEEK[6]), week)).count(7) == 12, "a day that tells links them all"
    month = [*days, week, *_days("2026-11")]
    assert _sums(_system(*month)).count(7) == 12, "days of a week and a month are not free"


def test_weeks_of_a_month_are_not_free_where_a_day_of_theirs_tells() -> None:
    (month,) = _days("2027-02")
    weeks = [_withheld(week) for week in _days(*(f"2027-W0{n}" for n in (5, 6, 7, 8)))]
    assert _sums(_system(month, *weeks)).count(4) == 6, "clicks, which every week tells"
    assert _sums(_system(month, *weeks, *_days("2027-02-01"))).count(4) == 12


def test_relations_are_taken_in_the_order_asked_for() -> None:
    relations = _system(portal()).relations
    taken = relations.take(np.array([5, 2]))
    for place, row in enumerate((5, 2)):
        mine, theirs = slice(*taken.start[place : place + 2]), slice(*relations.start[row : row + 2])
        assert taken.variable[mine].tolist() == relations.variable[theirs].tolist()
        assert taken.coefficient[mine].tolist() == relations.coefficient[theirs].tolist()
        assert taken.exact[place] == relations.exact[row]
