"""Segments (P-01): ATTR and nothing else, nothing sensitive, none too small, nobody who opted out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from extract_house import MEMBER, NIGHT, VIEW, WOMEN, House, open_house, segment, with_rules

from quorum.errors import ConfigurationError, PolicyError
from quorum.extract.build import build, check_rules
from quorum.extract.segments import ATTRIBUTES, load_segments, segment_conditions, segment_rules
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Home


@pytest.fixture
def house(home: Home, catalog: Catalog, policy: Policy, tmp_path: Path) -> Iterator[House]:
    with open_house(home, catalog, with_rules(policy, tmp_path / "rules")) as house:
        yield house


def assignments(house: House, night: date = NIGHT) -> list[tuple[str, date, date | None]]:
    build(house.desk, "p01__segment_assignment", night)
    kept = house.kept("p01__segment_assignment", night)
    return [(row["person_key"], row["valid_from"], row["valid_to"]) for row in kept]


def test_the_catalogue_of_the_product_loads_and_its_rules_are_canonical(policy: Policy) -> None:
    catalogue = load_segments(policy)
    assert catalogue.segments
    for one in catalogue.segments:
        rule = json.loads(one.rule)
        assert one.rule == json.dumps(rule, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        assert {condition["attribute"] for condition in rule["all"]} <= set(ATTRIBUTES)


def test_conditions_are_of_attr_only(policy: Policy) -> None:
    attr = {"ZIP", "GEN", "OCC", "AGE", "SVC", "ITEM", "VIEW", "TIME", "HOW", "ENV"}
    assert {attribute.category for attribute in ATTRIBUTES.values()} <= attr


@pytest.mark.clause("P-01")
@pytest.mark.parametrize(
    "attribute",
    ["birth_date", "industry", "interests", "ip", "cookie_id", "email", "phone", "address", "name", "member_id", "AGE"],
)
def test_a_condition_on_anything_else_is_refused_and_nothing_is_built(
    home: Home, catalog: Catalog, policy: Policy, tmp_path: Path, attribute: str
) -> None:
    bad = {"women": WOMEN, "x": segment({"attribute": attribute, "any": ["a"]})}
    changed = with_rules(policy, tmp_path / "rules", segments=bad)
    with pytest.raises(PolicyError) as refused:
        check_rules(changed)
    assert (refused.value.rule, refused.value.exit_code) == ("segments.attribute", 13)
    assert attribute in refused.value.asked
    with open_house(home, catalog, changed) as house:
        house.members(20)
        with pytest.raises(PolicyError):
            build(house.desk, "p01__segment_assignment", NIGHT)
        assert not house.desk.store.files("p01__segment_assignment", NIGHT)


def test_an_attribute_that_the_policy_took_from_the_purpose_is_refused(policy: Policy, tmp_path: Path) -> None:
    narrowed = replace(policy.purposes["P-01"], uses=("AGE",))
    changed = replace(policy, purposes=MappingProxyType({**policy.purposes, "P-01": narrowed}))
    with pytest.raises(PolicyError, match="gender"):
        load_segments(with_rules(changed, tmp_path / "rules"))


@pytest.mark.clause("P-01")
@pytest.mark.parametrize(
    ("segment_id", "spec"),
    [
        ("x", segment({"attribute": "section_id", "any": ["medical-care"], "within_days": 7})),
        ("x", segment({"attribute": "item_category", "any": ["処方薬"], "within_days": 7})),
        ("medical_history", WOMEN),
        ("x", {**WOMEN, "name_ja": "通院中の人"}),
        ("x", {**WOMEN, "name_en": "Interested in ＲＥＬＩＧＩＯＮ"}),
    ],
)
def test_a_segment_about_a_sensitive_matter_is_refused(
    policy: Policy, tmp_path: Path, segment_id: str, spec: dict[str, Any]
) -> None:
    with pytest.raises(PolicyError) as refused:
        load_segments(with_rules(policy, tmp_path / "rules", segments={segment_id: spec}))
    assert refused.value.rule == "segments.sensitive"


@pytest.mark.parametrize(
    "conditions",
    [
        [],
        [{"attribute": "gender", "any": []}],
        [{"attribute": "gender", "any": ["unknown"]}],
        [{"attribute": "gender", "any": ["woman"]}],
        [{"attribute": "gender", "any": ["female"], "within_days": 7}],
        [{"attribute": "section_id", "any": ["news"]}],
        [{"attribute": "section_id", "any": ["news"], "within_days": 91}],
        [{"attribute": "section_id", "any": ["news"], "within_days": 0}],
        [{"attribute": "gender", "any": ["female"], "weight": 2}],
        [{"attribute": "gender", "any": ["female"]}, {"attribute": "gender", "any": ["male"]}],
    ],
)
def test_a_segment_that_is_not_whole_is_refused(
    policy: Policy, tmp_path: Path, conditions: list[Mapping[str, Any]]
) -> None:
    with pytest.raises(ConfigurationError):
        load_segments(with_rules(policy, tmp_path / "rules", segments={"x": segment(*conditions)}))


def test_no_file_lets_a_segment_be_smaller_than_the_floor(policy: Policy, tmp_path: Path) -> None:
    assert load_segments(with_rules(policy, tmp_path / "rules", people=10)).people == 10
    with pytest.raises(ConfigurationError) as refused:
        load_segments(with_rules(policy, tmp_path / "rules", people=9))
    assert refused.value.rule == "segments.floor"


def test_rules_and_conditions_fit_their_contracts(catalog: Catalog, policy: Policy) -> None:
    assert segment_rules(policy).schema == catalog["p01__segment_rule"].arrow_schema()
    assert segment_conditions(policy).schema == catalog["p01__segment_condition"].arrow_schema()


@pytest.mark.clause("P-01")
def test_a_segment_of_ten_is_assigned_and_one_of_nine_is_not(house: House) -> None:
    house.members(9)
    assert assignments(house) == []
    build(house.desk, "p01__segment", NIGHT)
    (row,) = house.kept("p01__segment")
    assert (row["people_n"], row["is_assigned"]) == (None, False)
    assert house.desk.ledger.entries("extract")[-1].body["refused"] == {"p01__segment": {"segment_too_small": 1}}
    house.members(10)
    assert len(assignments(house)) == 10
    build(house.desk, "p01__segment", NIGHT)
    (row,) = house.kept("p01__segment")
    assert (row["people_n"], row["is_assigned"]) == (10, True)
    assert house.desk.ledger.entries("extract")[-1].body["refused"] == {}


def test_a_bot_and_who_opted_out_make_no_segment_large_enough(house: House) -> None:
    house.rows("seg__member", [{**MEMBER, "person_key": f"m{n}"} for n in range(11)])
    assert len(assignments(house)) == 11
    house.stop("m1", "m2", purpose="P-01")
    assert assignments(house) == []


@pytest.mark.clause("P-01")
def test_who_opts_out_is_in_none_the_same_night_and_others_are_continued(house: House) -> None:
    eve = date(2026, 11, 20)
    house.members(12, eve)
    assert len(assignments(house, eve)) == 12
    house.members(12)
    house.stop("m0003", purpose="P-01")
    tonight = assignments(house)
    assert "m0003" not in {key for key, _, _ in tonight}
    assert {(since, until) for _, since, until in tonight} == {(eve, None)}


def test_an_assignment_ends_with_the_night_on_which_it_is_not_met(house: House) -> None:
    eve = date(2026, 11, 20)
    house.members(12, eve)
    assignments(house, eve)
    rows = [{**MEMBER, "person_key": f"m{n:04}", "gender": "male" if n == 4 else "female"} for n in range(12)]
    house.rows("seg__member", rows)
    assert [row for row in assignments(house) if row[2] is not None] == [("m0004", eve, NIGHT)]
    house.members(11, night=date(2026, 11, 22), gender="female")
    after = assignments(house, date(2026, 11, 22))
    assert [row for row in after if row[2] is not None] == [("m0011", eve, date(2026, 11, 22))]
    assert ("m0004", date(2026, 11, 22), None) in after


@pytest.mark.clause("R-01")
def test_rows_name_the_version_of_the_policy(house: House) -> None:
    house.members(10)
    assignments(house)
    assert {row["policy_version"] for row in house.kept("p01__segment_assignment")} == {house.desk.policy.version}


def test_a_view_counts_for_its_days(home: Home, catalog: Catalog, policy: Policy, tmp_path: Path) -> None:
    viewers = segment({"attribute": "section_id", "any": ["news"], "within_days": 3})
    with open_house(home, catalog, with_rules(policy, tmp_path / "rules", segments={"news": viewers})) as house:
        days = [date(2026, 11, 19)] * 10 + [date(2026, 11, 18)] * 5
        house.rows(
            "seg__person_view", [{**VIEW, "person_key": f"m{n}", "last_viewed_on": d} for n, d in enumerate(days)]
        )
        assert {key for key, _, _ in assignments(house)} == {f"m{n}" for n in range(10)}
