"""People of a week or month beside people of its parts: never both, and what the one says of the other is seen."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pyarrow as pa
import pytest
from package_writer import Draft, campaigns, package, plain

from quorum.audit.equations import build_system
from quorum.audit.intervals import Budget
from quorum.audit.package import ParsedPackage, parse_files
from quorum.audit.planted import planted_release
from quorum.audit.propagation import pin_down, propagate
from quorum.audit.reach import told_for_both
from quorum.audit.reparse import read_again
from quorum.audit.rules import RuleBook, read_rules
from quorum.audit.run import practise
from quorum.audit.system import PUBLISHED, reduce
from quorum.audit.truth import Truth
from quorum.tables.shape import ALL, KeyPlan, Measure, TableShape

NUMBERS = {
    "heads": {"impressions": 50},
    "outside": 10,
    "families": {
        "impressions": {"count": "impression_n", "heads": "people_n", "counted": "people_counted_n"},
    },
}
DAYS = [f"2026-11-{day:02}" for day in range(16, 23)]
WEEK, MONTH = "2026-W47", "2026-11"
EVENTS = Measure("impression_n", "impressions", "count", ("period",))
PEOPLE = Measure("people_n", "impressions", "heads", ())


def rules() -> RuleBook:
    return read_rules(NUMBERS)


def held(period: str, people: int | None, key: str = "c1", events: int | None = None, kind: str = "") -> ParsedPackage:
    """A package that tells people of a campaign, or withholds them; with its events in a table of their own."""
    tables = [TableShape("reach", "ads", (campaigns(key),), (PEOPLE,))]
    rows = {"reach": {(key,): {"people_n": people}}}
    if events is not None:
        tables.append(TableShape("total", "ads", (campaigns(key),), (EVENTS,)))
        rows["total"] = {(key,): {"impression_n": events}}
    withheld = {("reach", (key,), "impressions")} if people is None else set()
    found = parse_files(Draft(package(*tables, period=period), rows, withheld).files())
    plan = {key: KeyPlan({"impressions": kind}, {name: {"impressions": 0} for name in rows})} if kind else {}
    return replace(found, shape=replace(found.shape, plan=plan))


def claims_of(packages: list[ParsedPackage]) -> set[tuple[tuple[str, ...], str]]:
    return {(claim.where, claim.what) for claim in told_for_both(packages)}


@pytest.mark.parametrize(("whole", "part"), [(WEEK, DAYS[0]), (WEEK, DAYS[6]), (MONTH, DAYS[3]), (MONTH, WEEK)])
def test_people_of_a_period_and_of_a_part_of_it_are_never_both_told(whole: str, part: str) -> None:
    assert claims_of([held(whole, 400), held(part, 100)]) == {(("reach", "c1"), "reach")}
    assert claims_of([held(part, 100), held(whole, 400)]) == {(("reach", "c1"), "reach")}
    (claim,) = [c for c in read_again([held(whole, 400), held(part, 100)], rules(), Truth({})).claims if c.correct]
    assert claim.what == "reach"


@pytest.mark.parametrize(
    "packages",
    [
        [held(WEEK, 400), held(DAYS[0], None)],
        [held(WEEK, None), held(DAYS[0], 100)],
        [held(WEEK, 400), held(DAYS[0], 0)],
        [held(WEEK, 400), held(DAYS[0], 100, "c2")],
        [held(WEEK, 400), held("2026-11-23", 100)],
        [held(DAYS[0], 100), held(DAYS[1], 100)],
    ],
)
def test_other_people_are_no_parts(packages: list[ParsedPackage]) -> None:
    assert claims_of(packages) == set()


def test_a_category_of_a_day_is_a_part_too() -> None:
    age = TableShape(
        "age", "ads", (campaigns("c1"), plain("age_band", "a", "b")), (replace(PEOPLE, additive_over=("age_band",)),)
    )
    cells = {("c1", ALL): {"people_n": 120}, ("c1", "a"): {"people_n": 60}, ("c1", "b"): {"people_n": 60}}
    draft = Draft(package(age, period=DAYS[0]), {"age": cells}).withhold("age", ("c1", ALL))
    assert claims_of([held(WEEK, 400), parse_files(draft.files())]) == {(("reach", "c1"), "reach")}


def test_too_few_people_and_people_against_the_plan_are_read_again() -> None:
    def found(of: ParsedPackage, truth: Truth) -> set[str]:
        return {claim.what for claim in read_again([of], rules(), truth).claims}

    assert found(held(WEEK, 50, kind="week"), Truth({})) == set()
    assert found(held(WEEK, 49, kind="week"), Truth({})) == {"threshold"}
    assert found(held(WEEK, 90, kind="day"), Truth({})) == {"plan"}
    of = held(WEEK, 90, kind="week")
    for counted, says in ((50, set()), (49, {"threshold"})):
        rows = {"campaign_id": ["c1"], "people_n": [90], "people_counted_n": [counted]}
        assert found(of, Truth({of.release: {"reach": pa.table(rows)}})) == says


def test_fewer_events_than_people_are_a_contradiction_across_tables() -> None:
    for events, broken in ((90, 0), (89, 1)):
        _, found = reduce(build_system([held(WEEK, 90, events=events)], rules(), Truth({})))
        assert found == broken


def bounds_of(week: int, told: list[int | None]) -> tuple[float, float]:
    """Return between what the people of the first day lie."""
    days = [held(day, told[n] if n < len(told) else 1, "c1" if n < len(told) else "c2") for n, day in enumerate(DAYS)]
    system = build_system([held(WEEK, week), *days], rules(), Truth({}))
    (aimed,) = [target.variable for target in system.targets if target.release.endswith(DAYS[0])]
    bounds = propagate(reduce(system)[0], system)
    return float(bounds.low[aimed]), float(bounds.high[aimed])


def test_what_people_of_a_week_say_of_a_day_is_what_brute_force_finds() -> None:
    """Four people, three days: the people of the first day, given the week's and those of the others."""
    seen: dict[tuple[int, int, int], set[int]] = {}
    for world in product(product((0, 1), repeat=3), repeat=4):
        first, *others = (sum(person[day] for person in world) for day in range(3))
        seen.setdefault((sum(any(person) for person in world), *others), set()).add(first)
    for (week, second, third), found in seen.items():
        assert bounds_of(week, [None, second, third]) == (min(found), max(found))
    assert len(seen) > 30


def test_a_day_that_must_have_had_people_is_claimed() -> None:
    days = [held(day, 60 if n else None) for n, day in enumerate(DAYS)]
    system = build_system([held(WEEK, 500), *days], rules(), Truth({}))
    claims = pin_down(system, Budget()).claims
    assert [(claim.release[-10:], claim.what) for claim in claims] == [(DAYS[0], "people_n")]


def test_a_day_that_lists_the_campaign_and_no_people_may_have_had_any() -> None:
    table = TableShape("total", "ads", (campaigns("c1"),), (EVENTS,))
    silent = parse_files(Draft(package(table, period=DAYS[0]), {"total": {("c1",): {"impression_n": 900}}}).files())
    system = build_system([held(WEEK, 500), silent, *(held(day, 60) for day in DAYS[1:])], rules(), Truth({}))
    assert reduce(system)[1] == 0


def test_where_no_day_tells_people_days_are_not_made_one_system() -> None:
    days = [held(day, None) for day in DAYS]
    system = build_system([held(WEEK, 500), *days], rules(), Truth({}))
    assert not len(system.relations.exact)
    assert (system.state == PUBLISHED).sum() == 1


def test_the_planted_week_tells_people_for_both() -> None:
    broken = planted_release()
    found = {(claim.where, claim.what) for claim in told_for_both(practise(broken).packages)}
    assert (("crowd", "planted"), "reach") in found & broken.findings["reparse"]
