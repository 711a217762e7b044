"""Attacks run together, each with its power check; silence without power passes nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from package_writer import RULES, one_table

from quorum.audit.package import parse_files
from quorum.audit.planted import Planted, planted_release
from quorum.audit.propagation import pin_down, propagate
from quorum.audit.record import FAILED, INCONCLUSIVE, PASSED, verdict
from quorum.audit.rules import read_rules
from quorum.audit.run import ATTACKS, Case, attack_folders, practise, run_attacks
from quorum.audit.system import reduce
from quorum.audit.truth import Truth
from quorum.errors import ReleaseError

CELL = {"impression_n": 90, "people_n": 70, "click_n": 30, "clicker_n": 25}
DRAFT = one_table({"20s": CELL, "30s": CELL, "40s": CELL}, heads=True)
CLEAN = parse_files(DRAFT.files())
BROKEN = parse_files(DRAFT.withhold("audience", ("c1", "20s"), family="clicks").files())


def test_every_attack_breaks_the_planted_release_and_passes_a_clean_one() -> None:
    planted = planted_release()
    case = practise(planted)
    for attack in ATTACKS:
        assert planted.is_broken_by(attack.name, attack.find(case)), attack.name
    records = run_attacks([CLEAN], RULES)
    assert [record.attack for record in records] == [attack.name for attack in ATTACKS]
    assert {record.verdict for record in records} == {PASSED}
    assert verdict(records) == PASSED


def test_an_attack_that_does_not_see_what_links_periods_has_no_power() -> None:
    planted = planted_release()
    for held in (planted.beside[1:], planted.beside[:1]):
        case = Case((planted.package, *held), read_rules(planted.rules), Truth({}), planted.canaries)
        for attack in ATTACKS[:3]:
            assert not planted.is_broken_by(attack.name, attack.find(case)), attack.name


def test_the_planted_release_needs_programs_and_not_only_propagation() -> None:
    planted = planted_release()
    system = Case((planted.package,), read_rules(planted.rules), Truth({})).system
    [target] = [t for t in system.targets if t.coordinates == ("planted", "w", "b")]
    bounds = propagate(reduce(system)[0], system)
    assert (bounds.low[target.variable], bounds.high[target.variable]) == (0, 116)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_an_attack_that_breaks_nothing_is_inconclusive(attack: object) -> None:
    harmless = Planted(CLEAN, RULES, (), planted_release().findings)
    [record] = run_attacks([CLEAN], RULES, attacks=[attack], planted=harmless)
    assert record.verdict == INCONCLUSIVE


def test_an_attack_without_a_planted_leak_has_no_power() -> None:
    planted = dataclasses.replace(planted_release(), findings={})
    assert {record.verdict for record in run_attacks([CLEAN], RULES, planted=planted)} == {INCONCLUSIVE}


def test_a_blunted_attack_is_noticed() -> None:
    blunt = dataclasses.replace(
        ATTACKS[2], find=lambda case: dataclasses.replace(pin_down(case.system, case.budget), claims=())
    )
    assert [record.verdict for record in run_attacks([CLEAN], RULES, attacks=[blunt])] == [INCONCLUSIVE]


def test_a_broken_release_fails_with_and_without_truth() -> None:
    without = run_attacks([BROKEN], RULES)
    known = run_attacks([BROKEN], RULES, {BROKEN.release: DRAFT.truth()})
    for records, correct in ((without, None), (known, 2)):
        [elimination] = [record for record in records if record.attack == "elimination"]
        assert (elimination.verdict, elimination.targets, elimination.claims) == (FAILED, 2, 2)
        assert elimination.correct == correct
        assert verdict(records) == FAILED


def test_folders_are_attacked_as_files(tmp_path: Path) -> None:
    DRAFT.write(tmp_path / "clean", parquet=True)
    records = attack_folders([tmp_path / "clean"], {"campaign": RULES})
    assert verdict(records) == PASSED
    again = attack_folders([tmp_path / "clean"], {"campaign": RULES})
    assert [record.as_record() for record in again] == [record.as_record() for record in records]
    with pytest.raises(ReleaseError, match="campaign"):
        attack_folders([tmp_path / "clean"], {"site": RULES})


def test_folders_are_attacked_recipient_by_recipient(tmp_path: Path) -> None:
    """Of another report the other recipient may know what this one may not; neither holds both packages."""
    shape = dataclasses.replace(DRAFT.shape, recipient_id="r-02", report="site")
    hidden = DRAFT.withhold("audience", ("c1", "20s"), ("c1", "30s"), family="clicks")
    drafts = (dataclasses.replace(DRAFT, shape=shape), hidden)
    folders = [draft.write(tmp_path / draft.shape.recipient_id) for draft in drafts]
    records = attack_folders(folders, RULES)
    assert [record.release for record in records[:: len(ATTACKS)]] == [CLEAN.release, "r-02/site/2026-11-21"]
    assert verdict(records) == PASSED
    assert verdict(run_attacks([parse_files(draft.files()) for draft in drafts], RULES)) == FAILED
    with pytest.raises(ReleaseError, match=r"attack\.packages"):
        attack_folders([], RULES)


def test_recipients_who_were_told_of_one_campaign_are_attacked_together(tmp_path: Path) -> None:
    """Of one campaign and report nobody may be told what is withheld from another."""
    other = dataclasses.replace(DRAFT, shape=dataclasses.replace(DRAFT.shape, recipient_id="r-02"))
    hidden = DRAFT.withhold("audience", ("c1", "20s"), ("c1", "30s"), family="clicks")
    folders = [draft.write(tmp_path / draft.shape.recipient_id) for draft in (hidden, other)]
    records = attack_folders(folders, RULES)
    assert verdict(records[: 2 * len(ATTACKS)]) == PASSED
    together = {record.attack: record for record in records[2 * len(ATTACKS) :]}
    assert together["elimination"].verdict == FAILED
    assert together["elimination"].release == f"{CLEAN.release} and 1 more"
    same = [DRAFT.write(tmp_path / "same"), folders[1]]
    assert verdict(attack_folders(same, RULES)) == PASSED


def test_colluding_recipients_are_named_by_their_number() -> None:
    other = parse_files(dataclasses.replace(DRAFT, shape=dataclasses.replace(DRAFT.shape, recipient_id="r-02")).files())
    assert {record.release for record in run_attacks([CLEAN, other], RULES)} == {f"{CLEAN.release} and 1 more"}


def test_nothing_to_attack_is_refused() -> None:
    with pytest.raises(ReleaseError, match=r"attack\.packages"):
        run_attacks([], RULES)


def test_every_attack_says_what_it_does_not_prove() -> None:
    for attack in ATTACKS:
        assert attack.knows
        assert attack.success
        assert attack.not_proved
