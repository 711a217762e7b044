"""Everybody in the sample is invented, valid by the policy, and spread as said."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from quorum.policy.load import load_policy
from quorum.policy.types import Policy
from quorum.sample import society
from quorum.sample.agents import AGENTS
from quorum.sample.catalogue import _TARGETS, PLACEMENTS
from quorum.sample.logins import make_logins
from quorum.sample.members import arrivals, make_pool, member_columns, member_ids
from quorum.sample.people import UNKNOWN_AGE, People, make_people

DAY = date(2026, 11, 21)
MEMBERS = 6000


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy(Path(__file__).resolve().parents[3] / "policy")


@pytest.fixture(scope="module")
def people() -> People:
    return make_people(MEMBERS, 11)


@pytest.fixture(scope="module")
def texts(people: People) -> dict[str, list[str]]:
    members = np.arange(MEMBERS, dtype=np.int32)
    columns = member_columns(people, make_pool(11), members, DAY, 0, 11)
    return {name: column.to_pylist() for name, column in columns.items()}


def keys(policy: Policy, key_set: str) -> set[str]:
    return {category.key for category in policy.categories[key_set]}


def test_every_category_is_one_of_the_policy(policy: Policy) -> None:
    assert set(society.AGE_BANDS) == keys(policy, "age_bands")
    assert set(society.GENDERS) - {"other"} == keys(policy, "genders")  # published as unknown
    assert set(society.PREFECTURES) == keys(policy, "prefectures")
    assert set(society.OCCUPATIONS) == keys(policy, "occupations")
    assert set(PLACEMENTS) == keys(policy, "placements") - {"other", "unknown"}
    for number, key_set in enumerate(("age_bands", "genders", "prefectures", "occupations")):
        aimed = {key for target in _TARGETS for key in target[number].split(";") if key}
        assert aimed <= keys(policy, key_set)


def test_every_term_means_its_category(policy: Policy) -> None:
    occupation = {term: each.key for each in policy.categories["occupations"] for term in each.terms}
    for key, terms in society.OCCUPATION_TERMS.items():
        assert {occupation.get(term, "unknown") for term in terms} == {key}
    gender = {term: each.key for each in policy.categories["genders"] for term in each.terms}
    for key, terms in zip(society.GENDERS, society.GENDER_TERMS, strict=True):
        published = "unknown" if key == "other" else key
        assert {gender.get(term.lower(), "unknown") for term in terms} == {published}


def test_postal_codes_lie_in_the_prefecture_they_are_drawn_for(
    policy: Policy, people: People, texts: dict[str, list[str]]
) -> None:
    known = dict(policy.postal_prefixes)
    for number, code in zip(people.prefecture.tolist(), texts["postal_code"], strict=True):
        plain = code.replace("-", "")
        found = next((known[plain[:n]] for n in range(7, 0, -1) if plain[:n] in known), "unknown")
        assert found == society.PREFECTURES[number]
        assert re.fullmatch(r"|\d{7}|\d{3}-\d{4}", code)


def test_every_prefecture_has_enough_codes() -> None:
    assert all(len(codes) >= 10 for codes in make_pool(11).postal)


def test_birth_dates_give_the_age_band(people: People, texts: dict[str, list[str]]) -> None:
    for band, text in zip(people.age_band.tolist(), texts["birth_date"], strict=True):
        if band == len(society.AGE_SPANS):
            assert text == ""
            continue
        birth = date.fromisoformat(text)
        age = DAY.year - birth.year - ((DAY.month, DAY.day) < (birth.month, birth.day))
        assert society.AGE_SPANS[band][0] <= age <= society.AGE_SPANS[band][1]


def test_cards_pass_the_check_digit_and_are_of_the_test_range(texts: dict[str, list[str]]) -> None:
    for card in texts["card_number"][:500]:
        doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(card)]
        assert sum(digit // 10 + digit % 10 for digit in doubled) % 10 == 0
        assert re.fullmatch(r"400000\d{10}", card)


def test_contacts_are_reserved(texts: dict[str, list[str]]) -> None:
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+\d{4}@(mail\.)?example\.(jp|com|net)", mail) for mail in texts["email"])
    assert all(re.fullmatch(r"0[789]0-0000-\d{4}", phone) for phone in texts["phone"])
    assert all(re.fullmatch(r"0000-001-\d{7}", account) for account in texts["bank_account"])


def test_names_fit_the_gender(people: People, texts: dict[str, list[str]]) -> None:
    pool = make_pool(11)
    male, female = {written for written, _ in pool.given[1]}, {written for written, _ in pool.given[0]}
    for gender, name in zip(people.gender.tolist(), texts["name"], strict=True):
        assert name.split(" ")[1] in (male if gender == 1 else female)


def test_ids_are_unique(people: People) -> None:
    assert len(set(member_ids(np.arange(200_000, dtype=np.int32)).to_pylist())) == 200_000
    assert len(set(people.cookie_id.to_pylist())) == MEMBERS * 20 // 3


def test_persons_own_their_cookies_and_nothing_else(people: People) -> None:
    assert len(people.owner) == int(people.cookie_n.sum()) == MEMBERS * 20 // 3
    for person in (0, 1, people.login_n - 1, people.login_n, len(people.member) - 1):
        first = int(people.first_cookie[person])
        assert set(people.owner[first : first + int(people.cookie_n[person])].tolist()) == {person}
    assert people.login_n == MEMBERS * 7 // 10
    assert len(set(people.member[: people.login_n].tolist())) == people.login_n


def test_every_member_lands_once_and_some_again(people: People) -> None:
    landed = arrivals(people, 7, 11)
    assert len(landed[0]) > MEMBERS * 9 // 10
    assert set(np.concatenate(landed).tolist()) == set(range(MEMBERS))
    again = np.intersect1d(landed[0], landed[3])
    assert 0 < len(again) < len(landed[3])


def test_logins_stand_follow_and_change_hands(people: People) -> None:
    logins = make_logins(people, 7, 11)
    first = logins.day == 0
    standing = np.count_nonzero(first & (logins.ms < 0)) / people.cookie_n[: people.login_n].sum()
    assert 0.7 < standing < 0.85
    assert np.all(logins.ms[~first] >= 0)
    owner = people.owner[logins.cookie]
    assert set(people.member[logins.person].tolist()) <= set(range(MEMBERS))
    assert 20 < np.count_nonzero(owner != logins.person) < 400
    assert set(logins.day.tolist()) == set(range(7))


def test_devices_fit_the_age(people: People) -> None:
    devices = np.array([device for _, device, _ in AGENTS])[people.agent]
    age_band = people.attribute(people.age_band, UNKNOWN_AGE)[people.owner]
    for band, mix in enumerate(society.DEVICES):
        shares = np.bincount(devices[age_band == band], minlength=3) * 100 / np.count_nonzero(age_band == band)
        assert np.all(np.abs(shares - np.array(mix)) < 7)
