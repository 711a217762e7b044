"""What is said to work: intervals against a known answer, and no claim that chance or repeated clicks explain."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from release_night import NIGHT, cube_tables, references, withhold
from scipy.stats import norm
from scipy.stats.contingency import relative_risk

from quorum.policy import Policy
from quorum.release.shapes import package_shapes
from quorum.report.effective import FEWEST_CLICKS, Comparison, Comparisons, Part, compare
from quorum.report.facts import page_facts
from quorum.report.findings import Teller
from quorum.report.html import render
from quorum.report.intervals import LEAST_DISPERSION, Ratio, critical, dispersion, ratio_interval
from quorum.report.labels import Words
from quorum.report.released import Released
from quorum.tables import PackageShape

Tables = dict[str, pa.Table]


@pytest.mark.parametrize("counts", [(139, 11_037, 239, 11_034), (26, 1_000, 210, 9_000), (20, 400, 40, 4_000)])
def test_an_interval_is_that_of_katz(counts: tuple[int, int, int, int]) -> None:
    x, n, rest_x, rest_n = counts
    known = relative_risk(x, n, rest_x, rest_n)
    low, high = known.confidence_interval(0.95)
    found = ratio_interval(x, n, rest_x, rest_n, critical(1))
    assert (found.low, found.high) == (np.floor(100 * low), np.ceil(100 * high))
    assert found.middle == round(100 * known.relative_risk)


def test_the_published_example_of_aspirin_and_heart_attacks() -> None:
    """Agresti, Categorical Data Analysis, 2.2: 189 of 11,034 against 104 of 11,037 is 1.82, with 1.43 to 2.30."""
    found = ratio_interval(189, 11_034, 104, 11_037, critical(1))
    assert (found.low, found.middle) == (143, 182)
    assert found.high in (230, 231), "rounded outward"


def test_many_comparisons_and_repeated_clicks_widen_an_interval() -> None:
    plain = ratio_interval(150, 10_000, 1_000, 100_000, critical(1))
    assert critical(50) == pytest.approx(norm.ppf(1 - 0.025 / 50))
    many = ratio_interval(150, 10_000, 1_000, 100_000, critical(50))
    spread = ratio_interval(150, 10_000, 1_000, 100_000, critical(50), 3.0)
    assert spread.low < many.low < plain.low < plain.high < many.high < spread.high
    assert plain.differs == many.differs == 1
    assert spread.differs == 0


def test_an_interval_that_is_printed_with_one_is_no_difference() -> None:
    assert Ratio(100, 150, 220).differs == 0
    assert Ratio(101, 150, 220).differs == 1
    assert Ratio(50, 70, 100).differs == 0
    assert Ratio(50, 70, 99).differs == -1


def test_dispersion_is_that_of_geometric_repeats_and_never_too_small() -> None:
    rng = np.random.default_rng(3)
    repeats = rng.geometric(0.4, size=200_000)
    factor = dispersion(int(repeats.sum()), len(repeats), 10**9, None, 10)
    assert factor == pytest.approx((repeats.astype(float) ** 2).sum() / repeats.sum(), rel=0.01)
    assert dispersion(500, 500, 10**6, None, 10) == LEAST_DISPERSION
    assert dispersion(500, None, 10**6, None, 10) > 10, "the bound on one person where clickers are withheld"
    assert dispersion(500, 250, 1_000, 100, 10) == 3 + 0.5 * 19


def test_false_claims_are_rare_when_people_repeat_their_clicks() -> None:
    """1,000 campaigns of ten alike segments whose clickers click 1.7 times: at most 5 % of them claim anything."""
    rng = np.random.default_rng(11)
    clickers = rng.binomial(20_000, 0.01, size=(1_000, 10))
    clicks = clickers + rng.negative_binomial(np.maximum(clickers, 1), 1 / 1.7)
    wrong = naive = 0
    for campaign, people in zip(clicks, clickers, strict=True):
        total = int(campaign.sum())
        factor = dispersion(total, int(people.sum()), 200_000, 150_000, 10)
        for widened in (True, False):
            z, by = (critical(10), factor) if widened else (critical(1), 1.0)
            found = any(ratio_interval(int(x), 20_000, total - int(x), 180_000, z, by).differs for x in campaign)
            wrong, naive = (wrong + found, naive) if widened else (wrong, naive + found)
    assert wrong <= 50
    assert naive > 500, "the campaigns are not idle"


def _night(policy: Policy, people: int = 4_000) -> tuple[PackageShape, Tables]:
    shape = next(s for s in package_shapes(policy, references(2), NIGHT) if s.report == "campaign")
    return shape, withhold(shape, cube_tables(shape, policy, people), policy)


def _with_clicks(tables: Tables, name: str, at: dict[str, str], clicks: int) -> Tables:
    rows = tables[name].to_pylist()
    for row in rows:
        if all(row[column] == place for column, place in at.items()):
            row["click_n"] = clicks
    return {**tables, name: pa.Table.from_pylist(rows, schema=tables[name].schema)}


WOMEN = {"campaign_id": "c000", "age_band": "ALL", "gender": "female"}


def test_a_part_is_compared_with_the_rest_of_its_campaign_from_released_cells(policy: Policy) -> None:
    shape, tables = _night(policy)
    found = compare(Released(shape, tables, policy), ["c000", "c001"], 10)
    rows = tables["audience_age_gender"].to_pylist()
    at = {tuple(row[c] for c in ("campaign_id", "age_band", "gender")): row for row in rows}
    total, women = at["c000", "ALL", "ALL"], at["c000", "ALL", "female"]
    part = next(one.part for one in found["c000"].all if one.part.at == {"gender": "female"})
    assert (part.clicks, part.rest_clicks) == (women["click_n"], total["click_n"] - women["click_n"])
    assert (part.shown, part.rest_shown) == (women["impression_n"], total["impression_n"] - women["impression_n"])
    parts = [one.part for comparisons in found.values() for one in comparisons.all]
    assert all(min(part.clicks, part.rest_clicks) >= FEWEST_CLICKS for part in parts)
    assert not any({"unknown", "other"} & set(part.at.values()) for part in parts)
    assert not any({"creative_id", "placement"} <= set(part.at) for part in parts)


def test_intervals_hold_for_all_comparisons_of_the_page_together(policy: Policy) -> None:
    shape, tables = _night(policy)
    found = compare(Released(shape, tables, policy), ["c000", "c001"], 10)
    many = sum(len(comparisons.all) for comparisons in found.values())
    assert many > len(found["c000"].all) > 10
    for one in found["c000"].all:
        p = one.part
        numbers = (p.clicks, p.shown, p.rest_clicks, p.rest_shown)
        assert one.ratio == ratio_interval(*numbers, critical(many), found["c000"].dispersion)


def test_what_is_withheld_is_not_compared(policy: Policy) -> None:
    shape, tables = _night(policy)
    hidden = tables["audience_age_gender"].to_pylist()
    for row in hidden:
        if all(row[column] == place for column, place in WOMEN.items()):
            row.update(click_n=None, clicker_n=None, status_clicks="withheld")
    tables["audience_age_gender"] = pa.Table.from_pylist(hidden, schema=tables["audience_age_gender"].schema)
    found = compare(Released(shape, tables, policy), ["c000"], 10)["c000"]
    assert not any(one.part.at == {"gender": "female"} for one in found.all)
    assert any(one.part.at == {"gender": "male"} for one in found.all)
    for row in hidden:
        row.update(click_n=None, clicker_n=None, status_clicks="withheld")
    tables["audience_age_gender"] = pa.Table.from_pylist(hidden, schema=tables["audience_age_gender"].schema)
    assert not any(
        set(one.part.at) & {"gender", "age_band"}
        for one in compare(Released(shape, tables, policy), ["c000"], 10)["c000"].all
    )


@pytest.mark.parametrize("factor", [2, 0.3])
def test_a_difference_is_said_in_a_sentence_and_marked_in_the_table(policy: Policy, factor: float) -> None:
    shape, tables = _night(policy, 20_000)
    before = next(
        r["click_n"] for r in tables["audience_age_gender"].to_pylist() if all(r[c] == p for c, p in WOMEN.items())
    )
    whole = next(r["click_n"] for r in tables["audience_age_gender"].to_pylist() if r["campaign_id"] == "c000")
    tables = _with_clicks(tables, "audience_age_gender", WOMEN, int(before * factor))
    everybody = {**WOMEN, "gender": "ALL"}
    tables = _with_clicks(tables, "audience_age_gender", everybody, whole + int(before * factor) - before)
    pages = render(page_facts(policy, references(2), shape), tables)
    told = compare(Released(shape, tables, policy), ["c000", "c001"], 10)["c000"].told
    assert told[0].part.at == {"gender": "female"}
    ja, en = (pages[f"report.{language}.html"].decode() for language in ("ja", "en"))
    assert "性別「女性」のクリック率は" in ja
    assert "female (Gender): a click rate of" in en
    said = re.findall(r"the interval is (\d+\.\d\d) to (\d+\.\d\d)", en)
    assert said
    assert all(float(low) > 1 or float(high) < 1 for low, high in said)
    mark = "above the rest" if factor > 1 else "below the rest"
    panel = en[en.index("<h4>By gender</h4>") :]
    assert mark in panel[panel.index("female") : panel.index("</tr>", panel.index("female"))]


def test_the_surest_come_first_and_none_is_told_without_a_difference(policy: Policy) -> None:
    shape, tables = _night(policy, 20_000)
    hours = [r for r in tables["audience_hour"].to_pylist() if r["campaign_id"] == "c000" and r["click_n"]][1:4]
    for times, row in zip((3, 2, 0.4), hours, strict=True):
        at = {"campaign_id": "c000", "hour_band": row["hour_band"]}
        tables = _with_clicks(tables, "audience_hour", at, int(row["click_n"] * times))
    told = compare(Released(shape, tables, policy), ["c000"], 10)["c000"].told
    assert len(told) >= 2
    assert all(one.ratio.differs for one in told)
    distances = [one.ratio.low / 100 if one.ratio.differs > 0 else 100 / one.ratio.high for one in told]
    assert all(one >= other - 1e-9 for one, other in pairwise(distances))


def test_a_report_without_clicks_says_nothing_of_effects(policy: Policy) -> None:
    shape = next(s for s in package_shapes(policy, references(), NIGHT) if s.report == "sections")
    tables = withhold(shape, cube_tables(shape, policy, 2_000), policy)
    text = render(page_facts(policy, references(), shape), tables)["report.en.html"].decode()
    assert "What works" not in text
    assert "What stands out" not in text


def test_the_first_screen_gives_each_campaign_its_say_before_one_speaks_twice(policy: Policy) -> None:
    def sure(gender: str, low: int) -> Comparison:
        return Comparison(Part("t", {"gender": gender}, 30, 1_000, 10, 1_000), Ratio(low, low + 50, low + 100))

    teller = Teller(Words("en", policy, {}))
    loud, quiet = Comparisons((sure("female", 200), sure("male", 300), sure("unknown", 250))), sure("female", 110)
    said = [finding.text for finding in teller.first([("Loud", loud), ("Quiet", Comparisons((quiet,)))])]
    assert [text.partition(":")[0] for text in said] == ["Loud", "Quiet", "Loud"]
    assert ["Male" in text or "male" in text.split() for text in said] == [True, False, False]
    alone = [finding.text for finding in teller.first([("Loud", loud)])]
    assert len(alone) == 3
    assert not any(text.startswith("Loud") for text in alone)
