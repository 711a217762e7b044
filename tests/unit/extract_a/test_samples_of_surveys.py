"""Samples of surveys (P-02, P-03): reproducible, by strata, nobody too often, no address, nothing billed, inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pyarrow as pa
import pytest
from extract_house import MEMBER, NIGHT, VIEW, House, open_house, survey, with_rules

from quorum.conformity import check_conformity
from quorum.errors import ConfigurationError, PolicyError
from quorum.extract.build import build
from quorum.extract.p02 import SAMPLE
from quorum.extract.p03 import SAMPLE as EFFECT_SAMPLE
from quorum.extract.surveys import load_surveys
from quorum.lineage.product import product_lineage
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.tables.catalog import Column, Table
from quorum.zones import Home

EFFECT = {"purpose": "P-03", "campaign_id": "k1", "seen_within_days": 7, "strata": []}


@pytest.fixture
def house(home: Home, catalog: Catalog, policy: Policy, tmp_path: Path) -> Iterator[House]:
    surveys = {"one": survey(), "two": survey(seed="t", strata=[]), "effect": survey(**EFFECT)}
    with open_house(home, catalog, with_rules(policy, tmp_path / "rules", surveys=surveys)) as house:
        yield house


def drawn(house: House, night: date = NIGHT) -> list[dict[str, Any]]:
    found = []
    for table in ("p02__survey_sample", "p03__effect_sample"):
        build(house.desk, table, night)
        found += house.kept(table, night)
    return found


def viewed(house: House, *campaigns: str | None, night: date = NIGHT) -> None:
    rows = [
        {**VIEW, "person_key": f"m{n:04}", "campaign_id": campaign, "last_viewed_on": night}
        for n, campaign in enumerate(campaigns)
    ]
    house.rows("seg__person_view", rows, night)


def test_the_surveys_of_the_product_load(policy: Policy) -> None:
    surveys = load_surveys(policy)
    assert {survey.purpose for survey in surveys.surveys} == {"P-02", "P-03"}


@pytest.mark.clause("P-02")
def test_nobody_is_drawn_for_two_surveys_in_one_night_nor_while_they_rest(house: House) -> None:
    house.members(40)
    viewed(house, *(["k1"] * 20 + [None] * 20))
    first = drawn(house)
    assert {row["survey_id"] for row in first} == {"one", "two", "effect"}
    assert len(first) == 5 + 5 + 5 + 5
    assert len({row["person_key"] for row in first}) == len(first)


@pytest.mark.clause("P-02")
def test_a_night_that_runs_again_draws_the_same(house: House) -> None:
    house.members(40)
    viewed(house, *(["k1"] * 20 + [None] * 20))
    assert drawn(house) == drawn(house)


@pytest.mark.clause("P-02")
def test_another_seed_draws_others(house: House, home: Home, catalog: Catalog, policy: Policy, tmp_path: Path) -> None:
    other = with_rules(policy, tmp_path / "other", surveys={"one": survey(seed="another")})
    house.members(200)
    build(house.desk, "p02__survey_sample", NIGHT)
    before = {row["person_key"] for row in house.kept("p02__survey_sample") if row["survey_id"] == "one"}
    with open_house(Home(home.root / "other"), catalog, other) as again:
        again.members(200)
        build(again.desk, "p02__survey_sample", NIGHT)
        after = {row["person_key"] for row in again.kept("p02__survey_sample")}
    assert len(before) == len(after) == 5
    assert before != after


@pytest.mark.clause("P-02", "P-03")
def test_who_opts_out_leaves_the_sample_the_same_night_and_is_not_drawn(house: House) -> None:
    eve = NIGHT
    house.members(12, eve)
    drawn(house, eve)
    gone = house.kept("p02__survey_sample", eve)[0]["person_key"]
    house.members(12, eve + timedelta(days=1))
    house.stop(gone, purpose="P-02", night=eve + timedelta(days=1))
    assert gone not in {row["person_key"] for row in drawn(house, eve + timedelta(days=1))}


def test_a_stratum_of_nine_is_not_drawn_and_one_of_ten_is(house: House) -> None:
    men = [{**MEMBER, "person_key": f"n{n}", "gender": "male"} for n in range(10)]
    women = [{**MEMBER, "person_key": f"m{n}"} for n in range(9)]
    house.rows("seg__member", [*men, *women])
    build(house.desk, "p02__survey_sample", NIGHT)
    assert {row["stratum"] for row in house.kept("p02__survey_sample") if row["survey_id"] == "one"} == {"gender=male"}


def test_a_survey_that_is_over_is_in_no_sample(house: House) -> None:
    house.members(30)
    drawn(house)
    after = date(2027, 1, 1)
    house.members(30, after)
    assert drawn(house, after) == []


def test_the_independent_look_refuses_who_is_drawn_too_soon_or_has_opted_out(house: House) -> None:
    schema = house.desk.catalog["p02__survey_sample"].arrow_schema()

    def rows(*drawn_on: tuple[str, str, date]) -> pa.Table:
        listed = [
            {"survey_id": s, "person_key": k, "stratum": "all", "seed": "x", "sampled_on": on} for s, k, on in drawn_on
        ]
        return pa.Table.from_pylist(listed, schema)

    earlier = NIGHT - timedelta(days=29)
    house.desk.store.write("p03__effect_sample", earlier, rows(("effect", "m1", earlier), ("effect", "m2", earlier)))
    assert SAMPLE.check(house.desk, NIGHT, rows(("one", "m3", NIGHT), ("one", "m1", earlier))).rows.num_rows == 2
    for twice in (
        rows(("one", "m1", NIGHT)),
        rows(("one", "m4", NIGHT), ("two", "m4", NIGHT)),
    ):
        with pytest.raises(PolicyError) as refused:
            SAMPLE.check(house.desk, NIGHT, twice)
        assert (refused.value.rule, refused.value.exit_code) == ("surveys.contact", 13)
        assert "m1" not in str(refused.value)
    house.desk.store.write("p02__survey_sample", NIGHT, rows(("one", "m5", NIGHT)))
    with pytest.raises(PolicyError):
        EFFECT_SAMPLE.check(house.desk, NIGHT, rows(("effect", "m5", NIGHT)))
    house.stop("m6", purpose="P-02")
    with pytest.raises(PolicyError) as refused:
        SAMPLE.check(house.desk, NIGHT, rows(("one", "m6", earlier)))
    assert refused.value.rule == "surveys.opted_out"


# -- what may be asked for ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dimension", ["email", "birth_date", "interests", "industry", "ip", "occupation_term", "name"])
def test_strata_by_anything_else_are_refused(policy: Policy, tmp_path: Path, dimension: str) -> None:
    surveys = {"one": survey(strata=[dimension])}
    with pytest.raises(PolicyError) as refused:
        load_surveys(with_rules(policy, tmp_path / "rules", surveys=surveys))
    assert refused.value.rule == "surveys.strata"


def test_strata_by_what_the_policy_took_from_the_purpose_are_refused(policy: Policy, tmp_path: Path) -> None:
    narrowed = replace(policy.purposes["P-02"], uses=("AGE",))
    changed = replace(policy, purposes=MappingProxyType({**policy.purposes, "P-02": narrowed}))
    with pytest.raises(PolicyError, match="gender"):
        load_surveys(with_rules(changed, tmp_path / "rules", surveys={"one": survey()}))


def test_a_survey_about_a_sensitive_matter_is_refused(policy: Policy, tmp_path: Path) -> None:
    for name in ({"name_ja": "病歴に関する調査"}, {"name_en": "On religion"}):
        with pytest.raises(PolicyError) as refused:
            load_surveys(with_rules(policy, tmp_path / "rules", surveys={"one": survey(**name)}))
        assert refused.value.rule == "surveys.sensitive"


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": "P-03"},
        {"campaign_id": "k1"},
        {**EFFECT, "seen_within_days": 91},
        {"per_stratum": 0},
        {"strata": ["gender", "gender"]},
        {"until": date(2026, 11, 20)},
        {"from": "soon"},
        {"reward": 100},
    ],
)
def test_a_survey_that_is_not_whole_is_refused(policy: Policy, tmp_path: Path, changes: Mapping[str, Any]) -> None:
    with pytest.raises(ConfigurationError):
        load_surveys(with_rules(policy, tmp_path / "rules", surveys={"one": survey(**changes)}))


def test_a_survey_for_another_purpose_is_refused(policy: Policy, tmp_path: Path) -> None:
    with pytest.raises(PolicyError):
        load_surveys(with_rules(policy, tmp_path / "rules", surveys={"one": survey(purpose="P-05")}))


@pytest.mark.parametrize("below", [{"people": 9}, {"rest_days": 29}])
def test_no_file_goes_below_the_floors(policy: Policy, tmp_path: Path, below: Mapping[str, int]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_surveys(with_rules(policy, tmp_path / "rules", **below))
    assert refused.value.rule == "surveys.floor"


# -- what the tables may hold ------------------------------------------------------------------------------------------


def with_column(catalog: Catalog, table: str, category: str) -> Catalog:
    contract = catalog[table]
    changed: Table = replace(
        contract, columns=(*contract.columns, Column("extra", "VARCHAR", category, "text", "Extra"))
    )
    return replace(catalog, tables={**catalog.tables, table: changed})


@pytest.mark.clause("P-02", "P-03")
@pytest.mark.parametrize("category", ["EMAIL", "ADDR", "TEL", "NAME", "INT", "IND", "DOB", "FEE", "PBILL", "PTX"])
@pytest.mark.parametrize("table", ["p01__segment_assignment", "p02__survey_sample", "p03__effect_sample"])
def test_no_table_of_these_purposes_holds_an_address_an_interest_or_a_bill(
    catalog: Catalog, policy: Policy, table: str, category: str
) -> None:
    check_conformity(catalog, policy)
    with pytest.raises(PolicyError, match=category):
        check_conformity(with_column(catalog, table, category), policy)


def test_no_statement_of_these_purposes_reads_the_vault_or_another_purpose(catalog: Catalog, policy: Policy) -> None:
    mine = {name: table for name, table in catalog.tables.items() if table.purpose in ("P-01", "P-02", "P-03")}
    extracts = {name for name in mine if name[:3] in ("p01", "p02", "p03")}
    assert {"p01__segment_assignment", "p02__survey_sample", "p02__usage", "p03__effect_sample"} <= extracts
    lineages = product_lineage(catalog, policy)
    for name in sorted(extracts & set(lineages)):
        lineage = lineages[name]
        for base in lineage.use.union(*lineage.columns.values()):
            if base.startswith("policy__"):
                continue
            parent = catalog[base.split(".")[0]]
            assert parent.zone.value != "vault", base
            assert parent.purpose in ("INFRA", mine[name].purpose), base
            assert policy.columns[parent.column(base.split(".")[1]).category].klass not in ("identifier", "restricted")


def test_cells_of_too_few_people_are_left_out_of_the_figures_of_use(house: House) -> None:
    people = [
        {
            "person_n": n,
            "person_key": f"m{n}",
            "person_kind": "member",
            "age_band": "30s" if n < 10 else "40s",
            "gender": "female",
            "is_bot": False,
        }
        for n in range(19)
    ]
    house.rows("seg__person_day", people)
    event = {
        "event_type": "request",
        "person_kind": "member",
        "is_page_view": True,
        "section_id": "news",
        "minute_n": 30_000_000,
    }
    house.rows("seg__event", [{**event, "person_key": person["person_key"]} for person in people])
    build(house.desk, "p02__usage", NIGHT)
    assert [(row["age_band"], row["viewer_n"]) for row in house.kept("p02__usage")] == [("30s", 10)]
    assert house.desk.ledger.entries("extract")[-1].body["refused"] == {"p02__usage": {"cell_too_small": 1}}
