"""The attack on people by how often: what it finds in the planted release, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from quorum.audit import frequency
from quorum.audit.frequency import judge_bands
from quorum.audit.package import ParsedPackage
from quorum.audit.planted import planted_release
from quorum.audit.planted_frequency import FINDINGS, planted_frequency
from quorum.audit.record import Findings
from quorum.audit.rules import read_rules
from quorum.audit.run import ATTACKS, run_attacks

RULES = planted_release().rules


def found(package: ParsedPackage) -> Findings:
    return judge_bands([package], read_rules(RULES))


def changed(**columns: tuple[int, ...]) -> ParsedPackage:
    """The planted package with other numbers in its tables."""
    package = planted_frequency()
    tables = dict(package.tables)
    for name, column in columns.items():
        table, _, measure = name.partition("__")
        values = {**tables[table].values, measure: np.array(column, dtype=np.int64)}
        tables[table] = replace(tables[table], values=values)
    return replace(package, tables=tables)


def test_it_finds_the_cells_that_bands_give_away() -> None:
    claims = found(planted_frequency()).claims
    assert {(claim.where, claim.what) for claim in claims} == FINDINGS


def test_bands_with_room_narrow_nothing() -> None:
    """Half of those who saw one are elsewhere, and margins have more impressions than people."""
    events = (1200, 300, 900, 300, 0, 0, 900, 0, 0)
    findings = found(changed(crowd__impression_n=events, often__people_n=(250, 100, 50, 50, 50)))
    assert findings.claims == ()
    assert (findings.targets, findings.unreached, findings.contradictions) == (8, 0, 0)


def test_it_finds_what_the_most_impressions_of_a_band_give_away() -> None:
    """The second age has 700 impressions: that takes some of those who saw six or more, who are then not elsewhere."""
    events = (900, 500, 400, 200, 0, 0, 700, 0, 0)
    claims = found(changed(crowd__impression_n=events, often__people_n=(250, 150, 50, 0, 50))).claims
    assert {(claim.where[2:], claim.what) for claim in claims} == {
        (("a1", "g2"), "impression_n"),
        (("a1", "g2"), "people_n"),
        (("a2", "g1"), "people_n"),
    }


def test_what_totals_alone_say_is_not_claimed() -> None:
    """Of the second age and gender at least 50 people follow without bands: other attacks say so."""
    places = {claim.where for claim in found(planted_frequency()).claims}
    assert ("crowd", "planted", "a2", "g2") not in places


def test_a_withheld_band_is_claimed() -> None:
    package = planted_frequency()
    often = package.tables["often"]
    shown = often.published["impressions"].copy()
    shown[2] = False
    tables = {**package.tables, "often": replace(often, published={"impressions": shown})}
    assert (("often", "planted", "2"), "band") in {
        (c.where, c.what) for c in found(replace(package, tables=tables)).claims
    }


def test_bands_that_cannot_be_are_a_contradiction() -> None:
    assert found(changed(often__people_n=(250, 0, 0, 0, 250))).contradictions == 1


def test_what_programs_do_not_reach_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frequency, "PROGRAMS", 1)
    monkeypatch.setattr(frequency._Crowd, "__post_init__", _without_programs(frequency._Crowd.__post_init__))
    assert found(planted_frequency()).unreached > 0


def _without_programs(setup: object) -> object:
    def limited(crowd: object) -> None:
        setup(crowd)
        crowd.left = 1

    return limited


def test_without_bounds_the_attack_has_no_power(monkeypatch: pytest.MonkeyPatch) -> None:
    """An attack that forgets what a band means finds nothing in the planted release, which blocks every release."""
    attack = [each for each in ATTACKS if each.name == "frequency"]
    package = planted_frequency()
    fine = changed(crowd__impression_n=(1200, 300, 900, 300, 0, 0, 900, 0, 0))
    assert run_attacks([fine], RULES, attacks=attack)[0].verdict == "passed"
    assert run_attacks([package], RULES, attacks=attack)[0].verdict == "failed"
    monkeypatch.setattr(frequency._Crowd, "_done", lambda crowd: iter(()))
    assert run_attacks([fine], RULES, attacks=attack, planted=planted_release())[0].verdict == "inconclusive"
