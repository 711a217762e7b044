"""What is missing: 500 gaps planted in clean histories, all found, and nothing else."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from quorum.completeness import (
    FEW,
    HALF,
    MANY,
    MISSING,
    NIGHT,
    PACKAGE,
    TABLE,
    Arrived,
    Finding,
    Gap,
    Owed,
    find_gaps,
    judge_arrival,
    judge_volume,
    load_expected,
    passed_over,
)
from quorum.errors import ConfigurationError, PolicyError

FIRST = date(2026, 8, 3)
TABLES = frozenset({"audience_age_gender", "audience_area", "audience_device", "performance"})
Key = tuple[str, str, str]


def history(nights: int = 60, recipients: int = 12) -> tuple[dict[date, list[Owed]], dict[Key, set[str]]]:
    """Nights that owe a campaign package to each recipient, each seventh one of the week too; all published."""
    owed, published = {}, dict[Key, set[str]]()
    for night in (FIRST + timedelta(days=n) for n in range(nights)):
        periods = [night.isoformat(), *([f"2026-W{night.isocalendar().week}"] if night.isoweekday() == 7 else [])]
        owed[night] = [Owed(f"adv-{n:02}", "campaign", period, TABLES) for n in range(recipients) for period in periods]
        published |= {(one.recipient_id, one.report, one.period): set(one.tables) for one in owed[night]}
    return owed, published


@pytest.mark.parametrize("seed", range(5))
def test_500_gaps_are_found_and_none_in_a_clean_history(seed: int) -> None:
    chance = random.Random(seed)
    owed, published = history()
    assert find_gaps(owed, published) == []
    night_of = {(one.recipient_id, one.report, one.period): night for night, of in owed.items() for one in of}
    planted = set[Gap]()
    for key in chance.sample(sorted(published), 250):
        del published[key]
        planted.add(Gap(night_of[key], PACKAGE, *key))
    for key in chance.sample(sorted(published), 250):
        table = chance.choice(sorted(TABLES))
        published[key].remove(table)
        planted.add(Gap(night_of[key], TABLE, *key, table))
    found = find_gaps(owed, published)
    assert len(planted) == len(found) == 500
    assert set(found) == planted


def test_nights_that_were_passed_over_are_found() -> None:
    chance = random.Random(3)
    days = [FIRST + timedelta(days=n) for n in range(600)]
    missing = set(chance.sample(days[1:-1], 500))
    assert passed_over([day for day in days if day not in missing]) == [Gap(day, NIGHT) for day in sorted(missing)]
    assert passed_over(days) == passed_over([]) == []


def test_a_blocked_package_is_told_as_blocked_and_not_as_a_gap() -> None:
    owed, published = history(1, 2)
    key = ("adv-01", "campaign", FIRST.isoformat())
    del published[key]
    assert find_gaps(owed, published, {key}) == []
    assert len(find_gaps(owed, published)) == 1


WEEKDAY = {"access": 40_000, "ads": 90_000, "beacon": 20_000, "logins": 4_000}


def lines_of(night: date, chance: random.Random) -> dict[str, int]:
    """Lines of a night: fewer on Saturdays and Sundays, a tenth up or down."""
    share = 0.6 if night.isoweekday() > 5 else 1.0
    return {source: int(usual * share * chance.uniform(0.85, 1.15)) for source, usual in WEEKDAY.items()}


def test_500_volumes_that_lack_a_part_or_come_twice_are_found_and_none_of_clean_nights(root: Path) -> None:
    expected, chance = load_expected(root / "policy"), random.Random(11)
    nights = [FIRST + timedelta(days=n) for n in range(400)]
    clean = {night: lines_of(night, chance) for night in nights}
    earlier: dict[str, dict[date, int]] = {source: {} for source in WEEKDAY}
    found = planted = 0
    for number, night in enumerate(nights):
        assert judge_volume(night, clean[night], earlier, expected) == []
        for source, low, high in (("access", 0.4, 2.6), ("ads", 0.2, 5.0)) if number >= 30 and planted < 500 else ():
            share, kind = chance.choice([(low * chance.random(), FEW), (high + chance.random(), MANY)])
            spoilt = {**clean[night], source: int(clean[night][source] * share)}
            planted += 1
            told = judge_volume(night, spoilt, earlier, expected)
            found += [(one.source, one.kind) for one in told] == [(source, kind)]
        for source, count in clean[night].items():
            earlier[source][night] = count
    assert (planted, found) == (500, 500)


def test_500_sources_that_lack_something_are_found_and_none_of_whole_ones() -> None:
    chance = random.Random(5)
    required = tuple(sorted(WEEKDAY))
    whole = {source: Arrived(1000, is_complete=True) for source in required}
    assert judge_arrival(whole, required, {}) == []
    for _ in range(500):
        source, kind = chance.choice(required), chance.choice(["missing", "broken", "absent"])
        there = {
            "missing": Arrived(1000),
            "broken": Arrived(900, broken=("a.gz",), is_complete=True),
            "absent": Arrived(900, absent=("a.gz", "b.gz"), is_complete=True),
        }[kind]
        count = {"missing": 0, "broken": 1, "absent": 2}[kind]
        expected = Finding(source, MISSING if kind == "missing" else HALF, count)
        assert judge_arrival({**whole, source: there}, required, {}) == [expected]


def test_half_a_stray_file_holds_nothing_up_where_nothing_is_required() -> None:
    there = {"access": Arrived(1000, broken=("cut.log.gz",))}
    assert judge_arrival(there, (), {"access": {"web-1.log.gz"}}) == []
    assert judge_arrival(there, (), {"access": {"cut.log.gz"}}) == [Finding("access", HALF, 1)]
    assert judge_arrival(there, ("access",), {})[1:] == [Finding("access", HALF, 1)]


def test_no_night_is_judged_by_volume_before_anything_is_usual(root: Path) -> None:
    expected = load_expected(root / "policy")
    for earlier in ({}, {"access": {FIRST: 50_000, FIRST + timedelta(days=1): 50_000}}):
        assert judge_volume(FIRST + timedelta(days=2), {"access": 3}, earlier, expected) == []
    three = {"access": {FIRST + timedelta(days=n): 50_000 for n in range(3)}}
    assert judge_volume(FIRST + timedelta(days=3), {"access": 12_600}, three, expected) == []
    assert judge_volume(FIRST + timedelta(days=3), {"access": 12_400}, three, expected)[0].kind == FEW
    small = {"access": {FIRST: 900}}
    assert judge_volume(FIRST + timedelta(days=7), {}, small, expected) == []
    assert judge_volume(FIRST + timedelta(days=7), {"access": 2001}, small, expected)[0].kind == MANY


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("weeks: 4", "weeks: 0"),
        ("{low: 500, high: 2000}", "{low: 1000, high: 2000}"),
        ("{low: 500, high: 2000}", "{low: 500, high: 900}"),
        ("{low: 500, high: 2000}", "{low: 500}"),
        ("least_lines: 1000", "fewest_lines: 1000"),
    ],
)
def test_bounds_that_would_hold_nothing_or_everything_are_refused(
    root: Path, tmp_path: Path, old: str, new: str
) -> None:
    text = (root / "policy" / "completeness.yaml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "completeness.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises((ConfigurationError, PolicyError)):
        load_expected(tmp_path)


def test_findings_are_told_in_counts_and_names_of_sources() -> None:
    told = [Finding("ads", MISSING), Finding("ads", HALF, 2), Finding("ads", FEW, 10, 2000), Finding("ads", MANY, 9, 3)]
    assert [str(one) for one in told] == [
        "ads has not arrived whole (no _COMPLETE marker)",
        "ads has 2 file(s) that are broken off or not as its marker lists them",
        "ads has only 10 lines where some 2,000 were expected",
        "ads has 9 lines where some 3 were expected",
    ]
