"""Rule 3 on published answers and at its boundaries; bounds on a person keep every published count clear of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorum.disclosure.money import (
    check_bounds,
    is_safe_sum,
    is_safe_within_bounds,
    passes_dominance,
    passes_p_percent,
)
from quorum.errors import ConfigurationError
from quorum.policy import Policy, RuleSet, load_policy
from quorum.workspace import open_workspace
from quorum.zones import Home


@pytest.fixture(scope="module")
def rules(policy: Policy) -> RuleSet:
    return policy.rule_sets["standard"]


def test_a_sum_that_no_one_dominates_and_that_the_second_knows_to_two_percent(shared: Path, rules: RuleSet) -> None:
    (answer,) = json.loads((shared / "data" / "oracles.json").read_text(encoding="utf-8"))["dominance"]
    rest = answer["total"] - sum(answer["largest"])
    contributions = [*answer["largest"], *[1] * rest]
    assert passes_dominance(contributions, 1, 90) is (answer["expect"]["(1,0.90)"] == "safe")
    percent = round(100 * answer["expect"]["second can know the first to"])
    assert passes_p_percent(contributions, percent) and not passes_p_percent(contributions, percent + 1)
    assert not is_safe_sum(contributions, rules)


@pytest.mark.parametrize(
    ("contributions", "passes"),
    [
        ([100, 5, 10], False),  # 5 beside the two largest: 5 % of 100
        ([10, 100, 10], True),  # 10 %: just as much as asked for
        ([100, 10, 9, 0], False),
        ([100], False),
        ([100, 100], False),
        ([0, 0, 0], False),
        ([], False),
        ([7 * 10**30, 1, 7 * 10**29 - 1], False),
        ([7 * 10**30, 7 * 10**29, 7 * 10**29], True),
    ],
)
def test_p_percent(contributions: list[int], passes: bool) -> None:
    assert passes_p_percent(contributions, 10) is passes


@pytest.mark.parametrize(
    ("contributions", "n", "passes"),
    [
        ([45, 10, 45], 2, True),  # 90 of 100
        ([45, 9, 46], 2, False),
        ([90, 10], 1, True),
        ([91, 9], 1, False),
        ([50, 50], 2, False),
        ([1, 1, 1], 5, False),
        ([0], 1, False),
        ([], 2, False),
        ([9 * 10**30, 10**30], 1, True),
        ([9 * 10**30 + 1, 10**30], 1, False),
    ],
)
def test_dominance(contributions: list[int], n: int, passes: bool) -> None:
    assert passes_dominance(contributions, n, 90) is passes


@pytest.mark.parametrize(
    ("contributions", "passes"),
    [
        ([50, 30, 20], True),
        ([51, 29, 20], False),  # one person has more than half
        ([48, 43, 9], False),  # two have more than nine tenths
        ([49, 41, 10], True),
    ],
)
def test_a_sum_passes_all_three(contributions: list[int], passes: bool, rules: RuleSet) -> None:
    assert is_safe_sum(contributions, rules) is passes


@given(st.data())
def test_no_count_within_bounds_that_are_let_pass_fails(data: st.DataObject) -> None:
    heads, bound = data.draw(st.integers(10, 60)), data.draw(st.integers(1, 60))
    rules = RuleSet(
        "drawn",
        heads=MappingProxyType({}),
        outside=10,
        p_percent=data.draw(st.integers(5, 100)),
        dominance_n=data.draw(st.integers(1, 4)),
        dominance_percent=data.draw(st.integers(10, 95)),
        single_share_percent=data.draw(st.integers(5, 60)),
    )
    people = data.draw(
        st.lists(st.integers(1, bound) | st.sampled_from([1, bound]), min_size=heads, max_size=heads + 5)
    )
    if is_safe_within_bounds(heads, bound, rules):
        assert is_safe_sum(people, rules)


@pytest.mark.parametrize(
    ("heads", "bound", "is_safe"), [(50, 49, True), (50, 50, False), (20, 19, True), (20, 20, False)]
)
def test_the_highest_bound_is_where_one_person_has_half(heads: int, bound: int, is_safe: bool, rules: RuleSet) -> None:
    assert is_safe_within_bounds(heads, bound, rules) is is_safe


def test_bounds_of_the_policy_keep_every_published_count_clear(policy: Policy) -> None:
    check_bounds(policy)
    for kind, bound in (("impression", 50), ("click", 20), ("conversion", 20)):
        wide = replace(policy, contribution={**policy.contribution, kind: bound})
        with pytest.raises(ConfigurationError, match=rf"disclosure\.dominance: contribution\.{kind} is {bound}"):
            check_bounds(wide)


def test_a_home_does_not_open_under_bounds_that_do_not_suffice(root: Path, tmp_path: Path, home: Home) -> None:
    folder = Path(shutil.copytree(root / "policy", tmp_path / "policy"))
    text = (folder / "disclosure.yaml").read_text(encoding="utf-8")
    (folder / "disclosure.yaml").write_text(text.replace("click: 10", "click: 20"), encoding="utf-8")
    load_policy(folder)
    with (
        pytest.raises(ConfigurationError, match=r"disclosure\.dominance"),
        open_workspace(home, None, folder, {"QUORUM_MASTER_KEY": "5a" * 32}),
    ):
        pass
