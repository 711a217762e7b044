"""Both ways of reconstruction give the published answers; they are the positive controls of attacks 9 and 10."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_DOWN, Decimal
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat

from quorum.audit.decoding import decode
from quorum.audit.microdata import Block, GroupStatistic, Person, reconstruct
from quorum.errors import ReleaseError

WORDS = {"all": {}, "female": {"female": True}, "male": {"female": False}, "black": {"black": True}}
WORDS |= {"white": {"black": False}, "married": {"married": True}, "black female": {"black": True, "female": True}}
PEOPLE = Block(7, ("age", 0, 125), ("female", "black", "married"))


@pytest.fixture(scope="module")
def oracles(shared: Path) -> dict[str, dict[str, Any]]:
    entries = json.loads((shared / "data" / "oracles.json").read_text())["reconstruction"]
    return {entry["id"]: entry for entry in entries}


def _published(oracle: dict[str, Any], *, least: int = 1, unit: str = "0.1") -> list[GroupStatistic]:
    """Statistics of groups of `least` or more, means to a unit, halves rounded down, as the source rounded them."""
    return [
        GroupStatistic(
            WORDS[group], count, Decimal(str(middle)), Decimal(str(mean)).quantize(Decimal(unit), ROUND_HALF_DOWN)
        )
        for group, count, middle, mean in oracle["statistics"]
        if count >= least
    ]


def test_seven_people_are_found(oracles: dict[str, dict[str, Any]]) -> None:
    oracle = oracles["census-block"]
    [found] = reconstruct(PEOPLE, _published(oracle))
    assert oracle["expect"]["solutions"] == 1
    # The source's own table of the seven: age, female, black, married.
    assert found == (
        (8, 1, 1, 0),
        (18, 0, 0, 0),
        (24, 1, 0, 0),
        (30, 0, 0, 1),
        (36, 1, 1, 1),
        (66, 1, 1, 1),
        (84, 0, 1, 1),
    )


def test_coarser_means_and_larger_groups_leave_more(oracles: dict[str, dict[str, Any]]) -> None:
    oracle = oracles["census-block"]
    rounded = reconstruct(PEOPLE, _published(oracle, unit="1"))
    large = reconstruct(PEOPLE, _published(oracle, least=4))
    assert len(rounded) == oracle["expect"]["with means rounded to integers"]
    assert len(large) == oracle["expect"]["with only groups of 4 or more"]


def _sets(size: int, numbers: range, attributes: int) -> Iterator[tuple[Person, ...]]:
    everybody = [(number, *has) for number in numbers for has in itertools.product((0, 1), repeat=attributes)]
    return itertools.combinations_with_replacement(everybody, size)


@pytest.mark.parametrize("seed", range(12))
def test_the_sets_are_those_of_brute_force(seed: int) -> None:
    block = Block(4, ("age", 0, 4), ("female", "black"))
    random = np.random.default_rng(seed)
    everybody = list(_sets(4, range(5), 2))
    truth = everybody[random.integers(len(everybody))]
    groups: list[dict[str, bool]] = [{}, {"female": True}, {"black": False}, {"female": False, "black": True}]

    def members(people: tuple[Person, ...], group: dict[str, bool]) -> list[int]:
        return [age for age, *has in people if all(bool(has[block.binary.index(k)]) == v for k, v in group.items())]

    statistics = []
    for group in groups[: 2 + seed % 3]:
        ages = members(truth, group)
        mean = Decimal(str(round(sum(ages) / len(ages), 1))) if ages and seed % 2 else None
        statistics.append(GroupStatistic(group, len(ages), Decimal(str(median(ages))) if ages else None, mean))

    def agrees(people: tuple[Person, ...], statistic: GroupStatistic) -> bool:
        ages = members(people, dict(statistic.group))
        if len(ages) != statistic.count or (statistic.median is not None and median(ages) != statistic.median):
            return False
        return statistic.mean is None or abs(Fraction(sum(ages), len(ages)) - Fraction(statistic.mean)) <= Fraction(
            1, 20
        )

    wanted = sorted(people for people in everybody if all(agrees(people, statistic) for statistic in statistics))
    assert truth in wanted
    assert reconstruct(block, statistics, at_most=len(everybody)) == wanted


def test_an_unknown_attribute_and_too_many_sets_are_refused() -> None:
    with pytest.raises(ReleaseError, match="microdata"):
        reconstruct(PEOPLE, [GroupStatistic({"left-handed": True}, 1)])
    with pytest.raises(ReleaseError, match="more than 5 sets"):
        reconstruct(PEOPLE, [GroupStatistic({}, 7)], at_most=5)


def test_all_people_of_a_product_s_noisy_answers_are_found(oracles: dict[str, dict[str, Any]], shared: Path) -> None:
    oracle = oracles["lp-2000-3000"]
    folder = shared / "data" / oracle["data"]
    people = loadmat(folder / "client_id_2000_3000_ordered.mat")["client_id"].ravel().astype(np.float64)
    truth = loadmat(folder / "true_status_client_id_2000_3000_ordered.mat")["true_status"].ravel().astype(bool)
    text = (folder / "aircloak_output_cleaned_2000_3000.txt").read_text()
    pattern = r"power => ([\d.]+),\s+mult => (\d+),\s+offset => (\d+),\s+sql => .*?\s+answer => (\d+)"
    questions = np.array(re.findall(pattern, text), dtype=np.float64)
    power, times, offset, answers = questions.T
    values = offset[:, None] * (people[None, :] * times[:, None]) ** power[:, None]
    decoded = decode(np.floor(values + 0.5) == np.floor(values), answers.astype(np.int64))
    assert len(people) == oracle["people"]
    assert np.mean(decoded.has == truth) == oracle["expect"]["accuracy"]
    assert round(max(truth.mean(), 1 - truth.mean()), 3) == oracle["expect"]["majority_baseline"]


def test_decoding_learns_nothing_where_noise_is_large() -> None:
    random = np.random.default_rng(7)
    truth = random.random(60) < 0.5
    members = random.random((240, 60)) < 0.5
    clear = decode(members, members @ truth.astype(np.int64))
    drowned = decode(members, np.round(members @ truth + random.normal(0, 200, 240)).astype(np.int64))
    assert np.array_equal(clear.has, truth)
    assert np.mean(drowned.has == truth) < 0.75


def test_answers_that_do_not_match_their_groups_are_refused() -> None:
    with pytest.raises(ReleaseError, match="decoding"):
        decode(np.ones((3, 2), dtype=bool), np.zeros(2, dtype=np.int64))
