"""Seeded small portals whose people are told by how often, read by somebody who shares no code with the house."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from disclosure_portal import COUNTED, Habits, count_people, fill, rule_set, small_shape
from frequency_crowds import BANDS, leaking
from frequency_reader import Reader

from quorum.audit.frequency import judge_bands
from quorum.audit.package import parse_files
from quorum.audit.rules import read_rules
from quorum.disclosure import PackageCube, SafeCube, control, frequency
from quorum.policy import Policy
from quorum.release.frequency import frequency_rows
from quorum.release.package import rule_numbers, table_files

RULES = rule_set(heads=10, clicks=10)


def portal(seed: int) -> PackageCube:
    """A campaign of a few hundred people, of any habits."""
    rng, seen, shape = np.random.default_rng(seed), {}, small_shape()
    habits = Habits(
        events=float(rng.uniform(1.5, 4)),
        click=float(rng.choice([0.05, 0.3, 0.9])),
        conversion=0.4,
        skew=float(rng.uniform(0.3, 1.5)),
        unknown=float(rng.uniform(0, 0.3)),
        newcomers=float(rng.choice([0, 0.3])),
    )
    people = int(rng.integers(120, 900))
    return replace(fill(shape, count_people(shape, [people], rng, habits, seen)), seen=seen, bands=BANDS)


def files_of(cube: PackageCube, safe: SafeCube, policy: Policy) -> dict[str, bytes]:
    return table_files(cube.shape, {**safe.tables, **frequency_rows(safe, policy)}, policy)


def under(policy: Policy) -> Policy:
    """The policy with the numbers that these portals are judged by."""
    return replace(policy, rule_sets={**policy.rule_sets, policy.reports["campaign"].rule_set: RULES})


@pytest.mark.parametrize(
    "seeds", [pytest.param(range(8), id="a few"), pytest.param(range(8, 40), id="more", marks=pytest.mark.slow)]
)
def test_a_reader_finds_nothing_that_the_totals_do_not_say(policy: Policy, seeds: range) -> None:
    """Exact numbers of impressions of everybody, clickers among the people, all tables at once."""
    house, listed, numbers = under(policy), 0, 0
    for seed in seeds:
        cube = portal(seed)
        safe = control(cube, RULES, COUNTED)
        if not safe.frequency:
            continue
        files = files_of(cube, safe, house)
        reader = Reader(files, "c000")
        listed, numbers = listed + 1, numbers + len(reader.hidden)
        assert reader.narrowed() == [], seed
        rules = read_rules(rule_numbers(RULES, house.reports["campaign"], house))
        findings = judge_bands([parse_files(files)], rules)
        assert (findings.claims, findings.contradictions, findings.unreached) == ((), 0, 0)
    assert listed >= len(seeds) // 4
    assert numbers


def test_without_the_proof_the_reader_and_the_attack_find_it(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = read_rules(rule_numbers(rule_set(), policy.reports["campaign"], policy))
    for both in (5, 20, 30):
        cube = leaking(both)
        assert not control(cube, rule_set(), COUNTED).frequency
        with monkeypatch.context() as patch:
            patch.setattr(frequency, "is_open", lambda crowd: True)
            safe = control(cube, rule_set(), COUNTED)
        files = files_of(cube, safe, policy)
        narrowed = Reader(files, "c000").narrowed()
        assert both in [round(least) for _, _, least, _ in narrowed]
        assert judge_bands([parse_files(files)], rules).claims
        assert Reader(files, "c000", bounded=False).narrowed() == []


def test_without_the_lower_bound_of_a_band_nobody_would_notice(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    """So the bounds that the descriptor states are what the attack works with."""
    monkeypatch.setattr(frequency, "is_open", lambda crowd: True)
    cube = leaking()
    files = files_of(cube, control(cube, rule_set(), COUNTED), policy)
    rules = read_rules(rule_numbers(rule_set(), policy.reports["campaign"], policy))
    blunt = re.sub(rb"\[\s*\d+,\s*\d+\s*\]", b"[1, 20]", files["datapackage.json"])
    assert judge_bands([parse_files(files)], rules).claims
    assert judge_bands([parse_files({**files, "datapackage.json": blunt})], rules).claims == ()
