"""Records count, score and judge; nothing that leaves says more than it may."""

from __future__ import annotations

import json

import pytest

from quorum.audit.record import FAILED, INCONCLUSIVE, PASSED, AttackRecord, Claim, Findings, score, verdict, wilson


def _claim(correct: bool | None, says: str = "is 47") -> Claim:
    return Claim("r", ("t", "c1"), "people_n", says, correct)


def _score(*claims: Claim, baseline: float | None = 0.2, power: bool = True, contradictions: int = 0) -> AttackRecord:
    findings = Findings(10, claims, baseline, 3, contradictions)
    return score("elimination", "r", findings, power=power, seconds=1.5)


def test_advantage_is_over_the_baseline() -> None:
    record = _score(_claim(True), _claim(True), _claim(True), _claim(False))
    assert (record.claims, record.correct, record.precision) == (4, 3, 0.75)
    assert record.advantage == pytest.approx((0.75 - 0.2) / 0.8)
    low, high = wilson(3, 4)
    assert record.advantage_low == pytest.approx((low - 0.2) / 0.8)
    assert record.advantage_high == pytest.approx((high - 0.2) / 0.8)
    assert record.verdict == FAILED


def test_without_truth_nothing_is_scored() -> None:
    record = _score(_claim(None), baseline=None)
    assert (record.correct, record.precision, record.advantage, record.advantage_low) == (None, None, None, None)
    assert record.verdict == FAILED


def test_a_perfect_baseline_leaves_no_advantage() -> None:
    assert _score(_claim(True), baseline=1.0).advantage is None


@pytest.mark.parametrize(
    ("power", "contradictions", "expected"),
    [(True, 0, PASSED), (False, 0, INCONCLUSIVE), (True, 1, INCONCLUSIVE), (False, 1, INCONCLUSIVE)],
)
def test_silence_passes_only_with_power_and_a_consistent_package(
    power: bool, contradictions: int, expected: str
) -> None:
    record = _score(power=power, contradictions=contradictions)
    assert record.verdict == expected
    assert (record.correct, record.worst) == (0, "")


def test_a_claim_fails_whatever_else() -> None:
    assert _score(_claim(False), power=False, contradictions=1).verdict == FAILED


def test_the_worst_claim_is_one_that_is_true() -> None:
    assert _score(_claim(False, "is 1"), _claim(True, "is 2")).worst == "r t c1 people_n: is 2"
    assert _score(_claim(None, "is 1"), _claim(None, "is 2")).worst == "r t c1 people_n: is 1"


def test_what_leaves_has_no_value_and_no_time() -> None:
    record = _score(_claim(True))
    assert "47" in record.worst
    assert "47" not in json.dumps(record.as_record()) + repr(record) + repr(_claim(True))
    assert {"worst", "seconds"}.isdisjoint(record.as_record())
    assert record.as_verdict() == {"attack": "elimination", "verdict": FAILED}


def test_wilson_is_the_known_interval() -> None:
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(10, 10) == pytest.approx((0.7224672, 1.0))
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)  # Newcombe 1998, table I


def test_the_verdict_over_all() -> None:
    passed, failed, open_ = _score(), _score(_claim(True)), _score(power=False)
    assert verdict([passed, passed]) == PASSED
    assert verdict([passed, open_, failed]) == FAILED
    assert verdict([passed, open_]) == INCONCLUSIVE
    assert verdict([]) == INCONCLUSIVE


def test_guesses_are_scored_and_only_gates_fail() -> None:
    findings = Findings(100, (), 0.5, guesses=40, hits=30, measured={"tpr": 0.001})
    record = score("membership", "r", findings, power=True, seconds=1.0)
    assert (record.claims, record.correct, record.violations, record.verdict) == (40, 30, 0, PASSED)
    assert (record.precision, record.advantage) == (0.75, 0.5)
    assert record.as_record()["measured"] == {"tpr": 0.001}
    over = Findings(100, (_claim(True),), 0.5, guesses=40, hits=30)
    failed = score("membership", "r", over, power=True, seconds=1.0)
    assert (failed.claims, failed.violations, failed.verdict) == (40, 1, FAILED)


def test_the_worst_case_is_for_the_officer_alone() -> None:
    record = _score(_claim(True))
    assert record.as_sealed() == {"attack": "elimination", "release": "r", "verdict": FAILED, "worst": record.worst}


def test_wilson_is_wider_at_a_higher_level() -> None:
    low, high = wilson(5, 100, 3.719)
    assert low < wilson(5, 100)[0] < 0.05 < wilson(5, 100)[1] < high
