"""Every rule that a published cell can break is broken here once, and seen; its neighbour that keeps it is not."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from package_writer import RULES, Draft, campaigns, measures, one_table, package, plain

from quorum.audit.package import parse_files
from quorum.audit.reparse import read_again
from quorum.audit.rules import read_rules
from quorum.audit.truth import Truth
from quorum.tables.shape import ALL, Dimension, TableShape

CELL = {"impression_n": 90, "people_n": 70, "click_n": 30, "clicker_n": 25, "clicker_rest_n": 45}


def _claims(*drafts: Draft, truth: bool = False) -> set[tuple[str, ...]]:
    parsed = [parse_files(draft.files()) for draft in drafts]
    known = {p.release: draft.truth() for p, draft in zip(parsed, drafts, strict=True)} if truth else {}
    findings = read_again(parsed, read_rules(RULES), Truth(known))
    assert all(claim.correct for claim in findings.claims)
    return {(claim.what, *claim.where) for claim in findings.claims}


def _draft(**changes: int) -> Draft:
    """Three age bands; the changes are of the first."""
    return one_table({"20s": {**CELL, **changes}, "30s": CELL, "40s": CELL}, heads=True)


def test_a_clean_table_makes_no_claim() -> None:
    assert _claims(_draft()) == set()
    parsed = parse_files(_draft().withhold("audience", ("c1", "20s")).files())
    assert read_again([parsed], read_rules(RULES), Truth({})).targets == 7  # four rows, two families, one withheld


@pytest.mark.parametrize(
    ("measure", "least"), [("people_n", 50), ("clicker_n", 20), ("impression_n", 50), ("click_n", 20)]
)
def test_thresholds_hold_to_the_unit(measure: str, least: int) -> None:
    others = {"impression_n": {"people_n": 49}, "click_n": {"clicker_n": 19}}.get(measure, {})
    under = _claims(_draft(**{**others, measure: least - 1}))
    assert under == {("threshold", "audience", "c1", "20s")}
    events = {"people_n": 50, "clicker_n": 20}
    assert _claims(_draft(**{**events, measure: least})) == set()


def test_withheld_cells_are_under_no_rule() -> None:
    assert _claims(_draft(people_n=3).withhold("audience", ("c1", "20s"))) == {("requires", "audience", "c1", "20s")}
    assert _claims(_draft(clicker_n=3).withhold("audience", ("c1", "20s"), family="clicks")) == set()


def test_heads_that_only_the_truth_knows() -> None:
    columns = {"20s": CELL, "30s": CELL}
    few = one_table(columns).with_value("audience", ("c1", "20s"), people_n=49)
    assert _claims(few) == set()
    few = replace(few, cells={"audience": {place: {**CELL, **cell} for place, cell in few.cells["audience"].items()}})
    few = few.with_value("audience", ("c1", ALL), people_n=200, clicker_n=50)
    assert _claims(few, truth=True) == {("threshold", "audience", "c1", "20s")}


def test_a_zero_is_published_only_below_a_zero() -> None:
    nothing = dict.fromkeys(("click_n", "clicker_n"), 0)
    rows = {key: {**CELL, **nothing} for key in ("20s", "30s")}
    below = {("threshold", "audience", "c1", key) for key in ("20s", "30s")}
    total = ("threshold", "audience", "c1", ALL)
    assert _claims(one_table(rows, heads=True)) == {total}
    hidden = one_table(rows, heads=True).withhold("audience", ("c1", ALL), family="clicks")
    assert _claims(hidden) == below


def test_a_family_is_published_only_where_the_one_it_requires_is() -> None:
    draft = _draft().withhold("audience", ("c1", "30s"), ("c1", "40s"))
    assert _claims(draft) == {("requires", "audience", "c1", "30s"), ("requires", "audience", "c1", "40s")}
    assert _claims(draft.withhold("audience", ("c1", "30s"), ("c1", "40s"), family="clicks")) == set()


def test_a_family_may_stand_without_the_one_it_requires_in_tables_that_lack_it() -> None:
    shape = TableShape(
        "clicks_only",
        "ads",
        (campaigns("c1"), plain("age_band", "20s", "30s")),
        measures("age_band", heads=False, families=[("clicks", "click_n", "clicker_n")]),
    )
    assert _claims(Draft(package(shape), {"clicks_only": {p: {"click_n": 60} for p in shape.coordinates()}})) == {
        ("total", "clicks_only", "c1", ALL)
    }


def test_ten_people_are_outside_a_published_group() -> None:
    def two(people: int) -> Draft:
        rest = {**CELL, "impression_n": 90, "people_n": people, "click_n": 30, "clicker_n": 25}
        return (
            one_table({"20s": {**CELL, "people_n": 80}, "30s": rest}, heads=True)
            .withhold("audience", ("c1", "30s"))
            .withhold("audience", ("c1", "30s"), family="clicks")
        )

    assert _claims(two(9)) == {("outside group", "audience", "c1", "20s")}
    assert _claims(two(10)) == set()
    hidden = two(9).withhold("audience", ("c1", ALL)).withhold("audience", ("c1", ALL), family="clicks")
    assert _claims(hidden) == set(), "the margin is not in the files"
    assert _claims(hidden, truth=True) == {("outside group", "audience", "c1", "20s")}


def test_a_margin_of_one_category_is_that_category() -> None:
    assert _claims(one_table({"20s": CELL}, heads=True)) == set()


def test_ten_people_are_outside_a_published_family() -> None:
    for rest, claims in ((9, {("outside family", "audience", "c1", "20s")}), (10, set())):
        draft = _draft(clicker_rest_n=rest)
        cells = {p: {"clicker_rest_n": 45, **c} for p, c in draft.cells["audience"].items()}
        draft = replace(draft, cells={"audience": cells}).with_value("audience", ("c1", "20s"), clicker_rest_n=rest)
        assert _claims(draft, truth=True) == claims
        assert _claims(draft) == set()


def _counting(draft: Draft, counted: dict[str, int]) -> dict[str, pa.Table]:
    """The truth of a draft by age, with people who count."""
    rows = draft.truth()["audience"]
    numbers = [counted[age] for age in rows["age_band"].to_pylist()]
    return {"audience": rows.append_column("people_counted_n", pa.array(numbers, pa.int64()))}


def _with_people(draft: Draft, people: dict[str, int]) -> dict[str, pa.Table]:
    """The truth of a draft by age, with other people."""
    rows = draft.truth()["audience"]
    numbers = pa.array([people[age] for age in rows["age_band"].to_pylist()], pa.int64())
    return {"audience": rows.append_column("people_n", numbers)}


def _claims_of_counted(draft: Draft, counted: dict[str, int]) -> set[tuple[str, ...]]:
    families = {**RULES["families"]}
    families["impressions"] = {**families["impressions"], "counted": "people_counted_n"}
    package = parse_files(draft.files())
    truth = Truth({package.release: _counting(draft, counted)})
    found = read_again([package], read_rules({**RULES, "families": families}), truth)
    return {(claim.what, *claim.where[1:]) for claim in found.claims}


def test_people_who_count_are_judged_and_no_others() -> None:
    draft = one_table({"20s": CELL, "30s": CELL, "40s": CELL}, heads=True)
    many = {ALL: 210, "20s": 50, "30s": 70, "40s": 70}
    assert _claims_of_counted(draft, many) == set()
    assert _claims_of_counted(draft, {**many, "20s": 49}) == {("threshold", "c1", "20s")}
    assert _claims_of_counted(draft, {**many, ALL: 79}) == {("outside group", "c1", age) for age in ("30s", "40s")}, (
        "79 less 70 are outside, though there are 140"
    )


@pytest.mark.parametrize("heads", [True, False])
def test_what_is_withheld_of_a_margin_holds_people_who_count(heads: bool) -> None:
    draft = one_table({"20s": CELL, "30s": CELL, "40s": CELL}, heads=heads)
    for age in ("20s", "30s"):
        draft = draft.withhold("audience", ("c1", age)).withhold("audience", ("c1", age), family="clicks")
    few = {ALL: 210, "20s": 29, "30s": 20, "40s": 70}
    more = {**few, "30s": 21} if heads else {**few, "30s": 50}
    assert _claims_of_counted(draft, more) == set()
    assert _claims_of_counted(draft, few) == {("residual", "c1", ALL)}, "49, or 29 for sure where people do not add up"
    draft = draft.withhold("audience", ("c1", "40s")).withhold("audience", ("c1", "40s"), family="clicks")
    assert _claims_of_counted(draft, {ALL: 60, "20s": 20, "30s": 20, "40s": 20}) == set(), "the whole of the margin"


def test_what_is_left_beside_zeros_of_the_targeting_is_the_margin() -> None:
    nobody = dict.fromkeys(CELL, 0)
    draft = one_table({"20s": CELL, "unknown": CELL, "40s": nobody}, heads=False)
    for age in ("20s", "unknown"):
        draft = draft.withhold("audience", ("c1", age)).withhold("audience", ("c1", age), family="clicks")
    parsed = parse_files(draft.files())
    aimed = replace(parsed, shape=replace(parsed.shape, targeting={"c1": {"age_band": ("20s",)}}))
    few = Truth({parsed.release: _with_people(draft, {ALL: 60, "20s": 30, "unknown": 30, "40s": 0})})
    claims = {(claim.what, *claim.where[1:]) for claim in read_again([aimed], read_rules(RULES), few).claims}
    assert ("residual", "c1", ALL) not in claims, "the 60 people of the margin itself"
    claims = {(claim.what, *claim.where[1:]) for claim in read_again([parsed], read_rules(RULES), few).claims}
    assert ("residual", "c1", ALL) in claims, "40s was told for what it is, and 30 people are left for sure"


def test_events_are_at_least_people() -> None:
    assert _claims(_draft(impression_n=69)) == {("events", "audience", "c1", "20s")}
    assert _claims(_draft(impression_n=70)) == set()


def test_heads_stand_only_where_categories_partition_people() -> None:
    def device(*columns: str) -> Draft:
        shape = TableShape(
            "device", "ads", (campaigns("c1"), plain("device", "m", "t")), measures(*columns, heads=True)
        )
        cells = {("c1", ALL): {k: 2 * v for k, v in CELL.items()}, ("c1", "m"): CELL, ("c1", "t"): CELL}
        return Draft(package(shape), {"device": cells})

    assert _claims(device("device")) == set()
    assert _claims(device()) == {("heads", "device")}
    below = Dimension(("campaign_id", "creative_id"), (("c1", "a"), ("c1", "b")), has_margin=False)
    shape = TableShape("creative", "ads", (below,), measures("campaign_id", heads=True))
    cells = dict.fromkeys(shape.coordinates(), CELL)
    cells["c1", ALL] = {k: 2 * v for k, v in CELL.items()}
    assert _claims(Draft(package(shape), {"creative": cells})) == {("heads", "creative")}


def test_published_parts_add_up_to_their_published_margin() -> None:
    wrong = _draft().with_value("audience", ("c1", ALL), impression_n=271)
    assert _claims(wrong) == {("total", "audience", "c1", ALL)}
    assert _claims(wrong.withhold("audience", ("c1", "20s"), ("c1", "30s"))) == {
        ("requires", "audience", "c1", "20s"),
        ("requires", "audience", "c1", "30s"),
    }


def _second(name: str = "second", **changes: int) -> tuple[TableShape, dict[tuple[str, ...], dict[str, int]]]:
    shape = TableShape(name, "ads", (campaigns("c1"), plain("gender", "f", "m")), measures("gender", heads=True))
    total = {k: 3 * v for k, v in CELL.items()}
    half = {k: v // 2 for k, v in total.items()}
    other = {k: total[k] - half[k] for k in total}
    return shape, {("c1", ALL): {**total, **changes}, ("c1", "f"): half, ("c1", "m"): other}


def _two_tables(universe: str = "ads", **changes: int) -> Draft:
    first = _draft()
    shape, cells = _second(**changes)
    tables = (*first.shape.tables, replace(shape, universe=universe))
    return Draft(replace(first.shape, tables=tables), {**first.cells, "second": cells})


def test_tables_of_a_universe_agree_on_the_cells_they_share() -> None:
    assert _claims(_two_tables()) == set()
    assert ("agreement", "second", "c1", ALL) in _claims(_two_tables(impression_n=271))
    assert ("agreement", "second", "c1", ALL) not in _claims(_two_tables("other", impression_n=271))
    hidden = _two_tables().withhold("second", ("c1", ALL), family="clicks")
    assert _claims(hidden) == {("agreement", "second", "c1", ALL)}


def test_packages_of_a_period_agree_and_others_need_not() -> None:
    one, other = _draft(), replace(_draft(), shape=replace(_draft().shape, recipient_id="r-02"))
    assert _claims(one, other) == set()
    differing = other.with_value("audience", ("c1", "20s"), impression_n=91)
    assert ("agreement", "audience", "c1", "20s") in _claims(one, differing)
    later = replace(differing, shape=replace(differing.shape, period="2026-11-22"))
    assert not any(claim[0] == "agreement" for claim in _claims(one, later))
