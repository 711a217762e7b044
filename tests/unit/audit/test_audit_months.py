"""A month beside its days and weeks: what it declares is exempt by name, and gives nothing away that others hold."""

from __future__ import annotations

from dataclasses import replace

import pytest
from package_writer import Draft, campaigns, measures, package, plain

from quorum.audit.elimination import recover_exactly
from quorum.audit.equations import build_system
from quorum.audit.package import ParsedPackage, parse_files
from quorum.audit.reparse import read_again
from quorum.audit.rules import RuleBook, read_rules
from quorum.audit.run import ATTACKS, run_attacks
from quorum.audit.thin import only_totals
from quorum.audit.truth import Truth
from quorum.tables.shape import ALL, Measure, TableShape

NUMBERS = {
    "heads": {"impressions": 50, "clicks": 20},
    "outside": 10,
    "families": {
        "impressions": {"count": "impression_n", "heads": "people_n"},
        "clicks": {"count": "click_n", "heads": "clicker_n", "requires": "impressions"},
    },
}
DAYS = [f"2026-11-{day:02}" for day in range(1, 31)]
CELL = {"impression_n": 100, "click_n": 60}
INVOICED = ["impression_n", "click_n", "cost_micros"]


def rules() -> RuleBook:
    return read_rules(NUMBERS)


def device(period: str, cell: dict[str, int] = CELL) -> Draft:
    table = TableShape("device", "ads", (campaigns("c1"), plain("device", "m", "t")), measures("device", heads=False))
    double = {name: 2 * n for name, n in cell.items()}
    return Draft(package(table, period=period), {"device": {("c1", ALL): double, ("c1", "m"): cell, ("c1", "t"): cell}})


def month(events: int, clicks: int, declared: list[str] = INVOICED, period: str = "2026-11") -> Draft:
    counted = (
        Measure("impression_n", "impressions", "count", ("period",)),
        Measure("click_n", "clicks", "count", ("period",)),
        Measure("cost_micros", "cost", "count", ("period",)),
    )
    table = TableShape("totals", "ads", (campaigns("c1"),), counted)
    said = {"period": period, "dimensions": ["campaign_id"], "measures": declared}
    shape = replace(package(table, period=period), invariants=(said,) if declared else ())
    row = {"impression_n": events, "click_n": clicks, "cost_micros": 7 * events}
    return Draft(shape, {"totals": {("c1",): row}})


def parsed(*drafts: Draft) -> list[ParsedPackage]:
    return [parse_files(draft.files()) for draft in drafts]


def hide(draft: Draft) -> Draft:
    rows = (("c1", ALL), ("c1", "m"), ("c1", "t"))
    return draft.withhold("device", *rows).withhold("device", *rows, family="clicks")


def days(*withheld: str) -> list[Draft]:
    return [hide(device(day)) if day in withheld else device(day) for day in DAYS]


def broken(*drafts: Draft) -> set[str]:
    whole, *parts = parsed(*drafts)
    thin = [only_totals(part, whole) for part in parts]
    found = []
    for held in ([whole, *thin], [whole, *parts]):
        records = run_attacks(held, NUMBERS, attacks=ATTACKS[:3])
        found.append({r.attack for r in records if r.verdict != "passed"})
    assert found[0] == found[1], "totals alone show what everything shows"
    return found[0]


def claims(draft: Draft) -> set[str]:
    return {claim.what for claim in read_again(parsed(draft), rules(), Truth({})).claims}


def test_declared_totals_of_a_month_are_exempt_from_the_threshold() -> None:
    assert claims(month(3, 1)) == set()


@pytest.mark.parametrize(
    ("draft", "rule"),
    [
        (month(3, 1, declared=[]), {"threshold", "rule"}),
        (month(3, 1, declared=["click_n", "cost_micros"]), {"threshold"}),
        (month(300, 100, declared=["impression_n", "click_n"]), {"rule"}),
        (month(3, 1, period="2026-W47"), {"threshold", "rule"}),
        (month(3, 1, period="2026-11-21"), {"threshold", "rule"}),
    ],
    ids=["not declared", "another measure", "cost not declared", "a week", "a day"],
)
def test_nothing_else_is(draft: Draft, rule: set[str]) -> None:
    assert claims(draft) == rule


def test_a_cell_below_a_declared_total_is_not_exempt() -> None:
    few = device("2026-11", {"impression_n": 10, "click_n": 5})
    said = {"period": "2026-11", "dimensions": ["campaign_id"], "measures": INVOICED}
    draft = replace(few, shape=replace(few.shape, invariants=(said,)))
    found = read_again(parsed(draft), rules(), Truth({})).claims
    assert {claim.where for claim in found} == {("device", "c1", "m"), ("device", "c1", "t")}


def test_the_month_gives_away_the_one_day_that_is_withheld() -> None:
    assert broken(month(6000, 3600), *days()) == set()
    assert broken(month(6000, 3600), *days("2026-11-18")) == {"elimination", "propagation"}
    assert broken(month(6000, 3600), *days("2026-11-18", "2026-11-20")) == set()
    assert broken(month(5600 + 30, 3360 + 10), *days("2026-11-18", "2026-11-20")) == {"propagation"}, "thirty are left"


def test_weeks_are_taken_out_of_the_month_as_weeks() -> None:
    """A month told by week: border days at both ends, four weeks."""
    weeks = [device(f"2026-W{n}", {"impression_n": 700, "click_n": 420}) for n in (45, 46, 47, 48)]
    untold = days(*DAYS)
    total = 4 * 1400 + 2 * 200
    assert broken(month(total, 3600), *weeks, *untold) == set()
    alone = [untold[0], *untold[1:29]]  # the last day is not listed by the recipient's packages: nobody knows of it
    assert broken(month(total, 3600), *weeks[:3], hide(weeks[3]), *untold) == set()
    assert broken(month(total, 3600), *weeks, *alone) == set()


def test_a_month_whose_days_but_one_lie_in_weeks_gives_that_day_away() -> None:
    weeks = [device(f"2026-W{n}", {"impression_n": 700, "click_n": 420}) for n in (45, 46, 47, 48)]
    first = device(DAYS[0])
    system = build_system(parsed(month(6000, 3600), *weeks, first, *days(*DAYS)[1:]), rules(), Truth({}))
    assert {claim.release[-10:] for claim in recover_exactly(system).claims} == {"2026-11-30"}


def test_a_part_that_tells_what_the_month_lists_below_its_totals_is_kept_whole() -> None:
    whole, part = parsed(device("2026-11"), device(DAYS[0]))
    assert only_totals(part, whole) is part
    (hidden,) = parsed(days(DAYS[0])[0])
    assert only_totals(hidden, whole).tables["device"].coordinates == (("c1",),)
