"""Attacks 4 to 11 on releases broken for each of them, and on the same releases mended: silence must mean something."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pytest
from package_writer import RULES, Draft, campaigns, measures, one_table, package, plain

from quorum.audit.catalogue import ATTACKS, DEAR
from quorum.audit.package import ParsedPackage, parse_files
from quorum.audit.record import FAILED, INCONCLUSIVE, PASSED, AttackRecord
from quorum.audit.run import run_attacks
from quorum.tables.shape import ALL, TableShape

BIG = {"impression_n": 900, "people_n": 700, "click_n": 300, "clicker_n": 250, "clicker_rest_n": 450}
FAMILY = (("impressions", "impression_n", "people_n"),)
BY_NAME = {attack.name: attack for attack in ATTACKS}
Cells = Mapping[tuple[str, ...], int]


def judged(
    attack: str, *drafts: Draft, truth: bool = False, rules: Mapping[str, object] = RULES, held: Sequence[Draft] = ()
) -> AttackRecord:
    parsed, beside = ([parse_files(draft.files()) for draft in each] for each in (drafts, held))
    known = {p.release: draft.truth() for p, draft in zip(parsed, drafts, strict=True)} if truth else None
    [record] = run_attacks(parsed, rules, known, attacks=[BY_NAME[attack]], held=beside)
    return record


def people_by(column: str, people: Mapping[str, int], period: str = "2026-11-21", name: str = "audience") -> Draft:
    """One table of people alone; two impressions each."""
    shape = TableShape(
        name, name, (campaigns("c1"), plain(column, *people)), measures(column, heads=True, families=FAMILY)
    )
    cells = {("c1", key): _cell(n) for key, n in people.items()} | {("c1", ALL): _cell(sum(people.values()))}
    return Draft(package(shape, period=period), {name: cells})


def _cell(people: int) -> dict[str, int]:
    return {"impression_n": 2 * people, "people_n": people, "clicker_rest_n": people}


def together(*drafts: Draft) -> Draft:
    """The tables of several drafts in one package."""
    shape = dataclasses.replace(drafts[0].shape, tables=tuple(table for d in drafts for table in d.shape.tables))
    cells = {name: rows for draft in drafts for name, rows in draft.cells.items()}
    return Draft(shape, cells, frozenset().union(*(draft.withheld for draft in drafts)))


# --- 4 ----------------------------------------


def square(values: Cells) -> Draft:
    """Age by gender, its inner cells withheld."""
    ages, genders = (sorted({place[n] for place in values}) for n in (0, 1))
    shape = TableShape(
        "audience",
        "ads",
        (campaigns("c1"), plain("age_band", *ages), plain("gender", *genders)),
        measures("age_band", "gender", heads=True, families=FAMILY),
    )
    cells = {
        ("c1", age, gender): _cell(sum(n for (a, g), n in values.items() if age in (a, ALL) and gender in (g, ALL)))
        for age in (ALL, *ages)
        for gender in (ALL, *genders)
    }
    draft = Draft(package(shape), {"audience": cells})
    return draft.withhold("audience", *(("c1", *place) for place in values))


def test_an_insider_knows_of_others_where_there_is_no_slack() -> None:
    tight = square({("20s", "f"): 40, ("20s", "m"): 20, ("30s", "f"): 20, ("30s", "m"): 40})
    record = judged("insider", tight, truth=True)
    assert (record.verdict, record.correct) == (FAILED, record.violations)
    for attack in ("elimination", "propagation"):
        assert judged(attack, tight, truth=True).verdict == PASSED, "nobody outside can tell"


@pytest.mark.parametrize(("age", "gender", "verdict"), [("unknown", "unknown", PASSED), ("unknown", "x", FAILED)])
def test_that_somebody_is_unknown_tells_nothing_of_anybody(age: str, gender: str, verdict: str) -> None:
    """All but the last age and gender are one person more than the last of both: two insiders know of one there."""
    people = {("20s", "f"): 16, ("20s", "m"): 15, ("30s", "f"): 15, ("30s", "m"): 15, ("20s", gender): 25}
    people |= {("30s", gender): 27, (age, "f"): 30, (age, "m"): 20, (age, gender): 60}
    record = judged("insider", square(people), truth=True)
    assert record.verdict == verdict
    assert record.violations + record.measured["narrowed"] > 0
    assert judged("propagation", square(people), truth=True).verdict == PASSED


def test_an_insider_learns_nothing_where_there_is_room() -> None:
    loose = {(age, gender): 40 for age in ("20s", "30s", "40s") for gender in ("f", "m", "x")}
    assert judged("insider", square(loose), truth=True).verdict == PASSED


def test_what_many_events_tell_is_measured_and_not_judged() -> None:
    """Thirty events more than people: who has twenty of them alone narrows counts of events."""
    rules = {**RULES, "contribution": {"impression": 20}}
    loose = {(age, gender): 30 for age in ("20s", "30s", "40s") for gender in ("f", "m", "x")}
    record = judged("insider", square(loose), truth=True, rules=rules)
    assert record.verdict == PASSED
    assert {"positions_tried", "positions_left", "narrowed", "narrowed_by_heavy"} <= set(record.measured)


# --- 5 ----------------------------------------


def rest(people: int) -> Draft:
    """Two withheld cells hold 60 impressions; only the truth knows of how many people."""
    cell = {**BIG, "impression_n": 30, "people_n": people}
    draft = one_table({"20s": BIG, "30s": cell, "40s": cell})
    cells = {place: dict(of) for place, of in draft.cells["audience"].items()}
    for place, of in (("20s", BIG), ("30s", cell), ("40s", cell)):
        cells["c1", place] = {**BIG, **of}
    cells["c1", ALL] = {**BIG, "impression_n": 960, "people_n": 700 + 2 * people}
    draft = dataclasses.replace(draft, cells={"audience": cells})
    for family in ("impressions", "clicks"):
        draft = draft.withhold("audience", ("c1", "30s"), ("c1", "40s"), family=family)
    return draft.withhold("audience", ("c1", ALL), ("c1", "20s"), family="clicks")


def test_a_residual_is_about_people_and_not_about_events() -> None:
    for people, verdict in ((24, FAILED), (25, PASSED)):
        assert judged("residuals", rest(people), truth=True).verdict == verdict
    assert judged("residuals", rest(24)).verdict == PASSED, "the files alone do not show it"


@pytest.mark.parametrize(("people", "verdict"), [(24, FAILED), (25, PASSED)])
def test_a_residual_of_two_tables(people: int, verdict: str) -> None:
    """One table tells all ages together, another one the young: what is left is of the old, of two ages."""
    fine = people_by("age_band", {"20s": 60, "30s": 60, "40s": people, "50s": people}, name="fine")
    fine = fine.withhold("fine", *(("c1", age) for age in ("20s", "30s", "40s", "50s")))
    shape = TableShape(
        "coarse",
        "fine",
        (campaigns("c1"), plain("age_band", "young", margin=False)),
        measures("age_band", heads=True, families=FAMILY),
    )
    both = together(fine, Draft(package(shape), {"coarse": {("c1", "young"): _cell(120)}}))
    assert judged("residuals", both, truth=True).verdict == PASSED, "nobody says who is young"
    groups = {"age_band": {"20s": "young", "30s": "young"}}
    said = dataclasses.replace(both, shape=dataclasses.replace(both.shape, groups=groups))
    assert judged("residuals", said, truth=True).verdict == verdict


# --- 6 ----------------------------------------


def total(period: str, impressions: int) -> Draft:
    shape = TableShape("total", "ads", (campaigns("c1"),), measures(heads=False, families=FAMILY))
    return Draft(package(shape, period=period), {"total": {("c1",): {"impression_n": impressions}}})


@pytest.mark.parametrize(("left", "verdict"), [(0, PASSED), (1, FAILED), (49, FAILED), (50, PASSED)])
def test_a_week_less_its_days(left: int, verdict: str) -> None:
    days = [total(f"2026-11-{day}", 100) for day in range(16, 22)]
    assert judged("temporal", total("2026-W47", 600 + left), held=days).verdict == verdict


@pytest.mark.parametrize(("moved", "verdict"), [(0, PASSED), (-3, FAILED), (3, FAILED), (50, PASSED)])
def test_a_restatement_that_moves_a_few(moved: int, verdict: str) -> None:
    assert judged("temporal", total("2026-11-21.r2", 300 + moved), held=[total("2026-11-21", 300)]).verdict == verdict


def test_people_of_a_week_who_came_on_other_days() -> None:
    days = [people_by("gender", {"f": 200, "m": 200}, f"2026-11-{day}") for day in (16, 17)]
    for more, verdict in ((0, PASSED), (7, FAILED), (60, PASSED)):
        week = people_by("gender", {"f": 200 + more, "m": 200}, "2026-W47")
        week = week.withhold("audience", ("c1", "m"), ("c1", ALL))
        cells = {**week.cells["audience"], ("c1", "f"): {**_cell(200 + more), "impression_n": 4000}}
        week = dataclasses.replace(week, cells={"audience": cells})
        assert judged("temporal", week, held=days).verdict == verdict


# --- 7 ----------------------------------------


def test_candidates_that_two_days_leave_together() -> None:
    one = people_by("region", {"kanto": 60, "kinki": 60, "tohoku": 0}, "2026-11-20")
    other = people_by("region", {"kanto": 0, "kinki": 80, "tohoku": 70}, "2026-11-21")
    for alone in (one, other):
        assert judged("composition", alone).verdict == PASSED
    assert judged("composition", other, held=[one]).verdict == FAILED
    hidden = other.withhold("audience", ("c1", "kanto"), ("c1", "kinki"))
    assert judged("composition", hidden, held=[one]).verdict == PASSED, "what is withheld stays possible"


def test_one_region_with_everybody() -> None:
    assert judged("composition", people_by("region", {"kanto": 90, "kinki": 0})).verdict == FAILED
    assert judged("composition", people_by("region", {"kanto": 90})).verdict == PASSED, (
        "a table of one category is public"
    )


def test_a_cell_of_which_everybody_clicked() -> None:
    everybody = {**BIG, "clicker_n": 700, "click_n": 800}
    assert judged("composition", one_table({"20s": BIG, "30s": everybody}, heads=True)).verdict == FAILED
    assert judged("composition", one_table({"20s": BIG, "30s": BIG}, heads=True)).verdict == PASSED


# --- 8 ----------------------------------------


def counted(shown: int, hidden: Sequence[int]) -> tuple[Draft, dict[str, dict[str, pa.Table]], Mapping[str, object]]:
    """A told cell of 60 people of whom so many count, and withheld ones of so many who count."""
    families = {**RULES["families"], "impressions": {**RULES["families"]["impressions"], "counted": "people_counted_n"}}
    draft = people_by("age_band", {"20s": 60, **{f"h{n}": max(1, people) for n, people in enumerate(hidden)}})
    draft = draft.withhold("audience", *((("c1", f"h{n}")) for n in range(len(hidden))))
    truth = draft.truth()["audience"]
    count = {"20s": shown, ALL: 60, **{f"h{n}": people for n, people in enumerate(hidden)}}
    column = pa.array([count[place] for place in truth.column("age_band").to_pylist()])
    release = parse_files(draft.files()).release
    return (
        draft,
        {release: {"audience": truth.append_column("people_counted_n", column)}},
        {**RULES, "families": families},
    )


@pytest.mark.parametrize(("shown", "verdict"), [(49, FAILED), (50, PASSED)])
def test_a_cell_that_people_opened_who_do_not_count(shown: int, verdict: str) -> None:
    draft, truth, rules = counted(shown, (0, 0))
    [record] = run_attacks([parse_files(draft.files())], rules, truth, attacks=[BY_NAME["planted"]])
    assert record.verdict == verdict


def test_how_often_a_victim_decides_is_measured_for_the_best_number_of_planted_people() -> None:
    draft, truth, rules = counted(60, (12, 12, 12, 0, 3, 49))
    [record] = run_attacks([parse_files(draft.files())], rules, truth, attacks=[BY_NAME["planted"]])
    assert record.verdict == PASSED, "under standard it is measured"
    assert record.measured["best_planted"] == 50 - 1 - 12
    assert record.measured["advantage"] == pytest.approx(3 / 6)
    assert record.baseline == 0.5
    assert record.advantage == pytest.approx((4 / 6 - 0.5) / 0.5)
    assert record.measured["worst_advantage"] == 1.0


# --- 9 to 11 ----------------------------------------


def test_people_of_one_age_are_put_together_with_their_area() -> None:
    few = together(
        people_by("age_band", {"20s": 5, "30s": 0}), people_by("region", {"kanto": 3, "kinki": 2}, name="area")
    )
    record = judged("reconstruction", few)
    assert (record.verdict, record.targets, record.unreached) == (FAILED, 1, 0)
    two = together(
        people_by("age_band", {"20s": 4, "30s": 1}), people_by("region", {"kanto": 3, "kinki": 2}, name="area")
    )
    assert judged("reconstruction", two).verdict == PASSED, "who is 30 may live in either"
    hidden = few.withhold("area", ("c1", "kanto"), ("c1", "kinki"))
    assert judged("reconstruction", hidden).verdict == PASSED
    large = together(
        people_by("age_band", {"20s": 120, "30s": 0}), people_by("region", {"kanto": 60, "kinki": 60}, name="area")
    )
    assert judged("reconstruction", large).verdict == PASSED, "each combination holds enough people"


def crowd(people: int, tables: int, groups: int, *, seed: int = 1) -> Draft:
    """The same people in many tables of groups; the first half of them clicked."""
    rng = np.random.default_rng(seed)
    drafts = []
    for number in range(tables):
        column, at = f"g{number}", rng.permutation(people) % groups
        names = [f"k{group}" for group in range(groups)]
        shape = TableShape(f"t{number}", "ads", (campaigns("c1"), plain(column, *names)), measures(column, heads=True))
        cells = {}
        for place in (ALL, *names):
            inside = np.ones(people, dtype=bool) if place == ALL else at == names.index(place)
            seen, clicked = int(inside.sum()), int(inside[: people // 2].sum())
            cells["c1", place] = {
                "impression_n": 2 * seen, "people_n": seen, "click_n": clicked, "clicker_n": clicked,
                "clicker_rest_n": seen - clicked,
            }  # fmt: skip
        drafts.append(Draft(package(shape), {shape.name: cells}))
    return together(*drafts)


@pytest.mark.parametrize(("draft", "verdict"), [(crowd(24, 20, 6), FAILED), (crowd(400, 3, 4), PASSED)])
def test_who_clicked_is_decoded_from_many_small_groups(draft: Draft, verdict: str) -> None:
    for truth in (False, True):
        record = judged("decoding", draft, truth=truth)
        assert record.verdict == verdict
    assert record.baseline == 0.5
    assert (record.precision or 0) > 0.9 or verdict == PASSED


def test_noise_on_a_number_that_is_told_twice_averages_away() -> None:
    one, other = (dataclasses.replace(total("2026-11-21", n), withheld=frozenset()) for n in (300, 303))
    assert judged("decoding", one, other).verdict == FAILED
    assert judged("decoding", one, one).verdict == PASSED


@pytest.mark.parametrize(("draft", "verdict"), [(crowd(24, 20, 6), FAILED), (crowd(400, 3, 4), PASSED)])
def test_members_are_known_by_many_small_groups(draft: Draft, verdict: str) -> None:
    record = judged("membership", draft, truth=True)
    assert record.verdict == verdict
    assert (record.measured["tpr_random"] > 5e-3) == (verdict == FAILED)


# --- all ----------------------------------------


def test_verdicts_are_the_same_again_and_dear_attacks_leave_old_packages_alone() -> None:
    draft = crowd(24, 4, 6)
    old = dataclasses.replace(draft, shape=dataclasses.replace(draft.shape, period="2026-11-20"))
    parsed: list[ParsedPackage] = [parse_files(each.files()) for each in (draft, old)]
    dear = [attack for attack in ATTACKS if attack.name in DEAR and attack.name != "insider"]
    first = run_attacks(parsed[:1], RULES, attacks=dear, held=parsed[1:])
    again = run_attacks(parsed[:1], RULES, attacks=dear, held=parsed[1:])
    assert [record.as_record() for record in first] == [record.as_record() for record in again]
    both = run_attacks(parsed, RULES, attacks=dear)
    assert all(two.targets == 2 * one.targets for one, two in zip(first, both, strict=True))


def test_what_is_not_reached_is_said() -> None:
    blocks = TableShape(
        "t", "ads", (campaigns(*(f"c{n}" for n in range(5))), plain("g", "a", "b")), measures("g", heads=True)
    )
    cell = {"impression_n": 200, "people_n": 100, "click_n": 40, "clicker_n": 40, "clicker_rest_n": 60}
    draft = Draft(package(blocks), {"t": {place: dict(cell) for place in blocks.coordinates()}})
    record = judged("membership", draft)
    assert (record.targets, record.unreached) == (500, 200)
    assert record.as_record()["unreached"] == 200


def test_no_attack_without_power_passes() -> None:
    draft = one_table({"20s": BIG, "30s": BIG}, heads=True)
    for attack in ATTACKS:
        blunt = dataclasses.replace(
            attack, find=lambda case, attack=attack: dataclasses.replace(attack.find(case), claims=())
        )
        [record] = run_attacks([parse_files(draft.files())], RULES, attacks=[blunt])
        assert record.verdict == INCONCLUSIVE, attack.name
