"""The list of refusals: no row that no human decided or that nobody will look at again; it stands until its review."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from quorum.extract.p10 import is_human, refusal_list

NIGHT = date(2026, 11, 21)
REVIEW = date(2027, 5, 21)


def refusal(n: int, **changed: Any) -> dict[str, Any]:
    day = changed.pop("on", NIGHT)
    row = {"file_n": 1, "line_n": n, "request_id": f"r-{n}", "member_id": f"m-{n}", "reason_code": "abuse"}
    row |= {"requested_at": datetime.fromisoformat(f"{day}T01:{n:02}:00"), "requested_on": day}
    return row | {"evidence_ref": f"ev-{n}", "decided_by": "officer-1", "review_on": REVIEW} | changed


@pytest.mark.clause("P-10")
def test_a_decision_of_a_person_with_evidence_and_review_is_on_the_list(put, make) -> None:
    put("vault__refusal", refusal(1), refusal(2, reason_code="arrears", arrears_micros=5_000_000))
    found = make("p10__refusal_list", refusal_list)
    assert not found.refused
    rows = sorted(found.rows.to_pylist(), key=lambda row: row["reason_code"])
    assert [{k: v for k, v in row.items() if k != "person_key"} for row in rows] == [
        {
            "reason_code": "abuse",
            "evidence_ref": "ev-1",
            "decided_by": "officer-1",
            "review_on": REVIEW,
            "arrears_micros": None,
        },
        {
            "reason_code": "arrears",
            "evidence_ref": "ev-2",
            "decided_by": "officer-1",
            "review_on": REVIEW,
            "arrears_micros": 5_000_000,
        },
    ]
    assert all(len(row["person_key"]) == 32 for row in rows)


@pytest.mark.clause("P-10")
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"decided_by": None}, "not_decided"),
        ({"decided_by": " "}, "not_decided"),
        ({"decided_by": "system"}, "not_decided"),
        ({"review_on": None}, "no_review_date"),
        ({"review_on": date(2026, 11, 20)}, "review_passed"),
        ({"evidence_ref": None}, "no_evidence"),
        ({"evidence_ref": "-"}, "no_evidence"),
        ({"reason_code": "arrears"}, "no_arrears"),
        ({"reason_code": "arrears", "arrears_micros": 0}, "no_arrears"),
        ({"reason_code": "dislike"}, "unknown_reason"),
        ({"reason_code": None}, "unknown_reason"),
        ({"member_id": None}, "no_member"),
    ],
)
def test_what_must_be_refused_is_not_on_the_list_and_is_counted(put, make, changed, reason: str) -> None:
    put("vault__refusal", refusal(1), refusal(2, **changed))
    found = make("p10__refusal_list", refusal_list)
    assert dict(found.refused) == {reason: 1}
    assert found.rows.num_rows == 1


@pytest.mark.parametrize(
    "who",
    [
        "system",
        "SYSTEM",
        "ｓｙｓｔｅｍ",
        "auto",
        "auto-scoring",
        "rules engine 3",
        "batch_07",
        "scheduler",
        "自動判定",
        "n/a",
        "AI",
        "-",
        "",
        None,
    ],
)
def test_a_program_is_nobody(who: str | None) -> None:
    assert not is_human(who)


@pytest.mark.parametrize(
    "who", ["officer-12", "ai.tanaka", "山田", "4711", "h.autonori", "Na Li", "佐々木 主任", "desk-lead", "Ai Tanaka"]
)
def test_a_person_is_somebody(who: str) -> None:
    assert is_human(who)


def test_the_list_stands_until_the_day_of_the_review(put, make) -> None:
    put("vault__refusal", refusal(1, on=date(2026, 11, 1), review_on=NIGHT), night=date(2026, 11, 1))
    assert make("p10__refusal_list", refusal_list).rows.num_rows == 1
    later = make("p10__refusal_list", refusal_list, date(2026, 11, 22))
    assert later.rows.num_rows == 0
    assert dict(later.refused) == {"review_passed": 1}


def test_the_newest_decision_stands_and_what_nobody_decided_does_not_replace_it(put, make) -> None:
    put("vault__refusal", refusal(1, on=date(2026, 11, 1), evidence_ref="old"), night=date(2026, 11, 1))
    put(
        "vault__refusal",
        refusal(2, member_id="m-1", evidence_ref="new"),
        refusal(3, member_id="m-1", decided_by="auto"),
    )
    found = make("p10__refusal_list", refusal_list)
    assert found.rows["evidence_ref"].to_pylist() == ["new"]
    assert dict(found.refused) == {"superseded": 1, "not_decided": 1}


def test_a_newer_decision_whose_review_has_passed_lifts_the_older_one(put, make) -> None:
    put("vault__refusal", refusal(1, on=date(2026, 11, 1)), night=date(2026, 11, 1))
    put("vault__refusal", refusal(2, member_id="m-1", review_on=date(2026, 11, 20)))
    found = make("p10__refusal_list", refusal_list)
    assert found.rows.num_rows == 0


def test_one_person_may_be_refused_for_two_reasons(put, make) -> None:
    put("vault__refusal", refusal(1), refusal(2, member_id="m-1", reason_code="arrears", arrears_micros=1))
    assert make("p10__refusal_list", refusal_list).rows.num_rows == 2


def test_a_decision_dated_after_the_night_waits(put, make) -> None:
    put("vault__refusal", refusal(1, on=date(2026, 11, 22)))
    assert make("p10__refusal_list", refusal_list).rows.num_rows == 0
    assert make("p10__refusal_list", refusal_list, date(2026, 11, 22)).rows.num_rows == 1


def test_the_same_night_again_gives_the_same(put, make) -> None:
    put("vault__refusal", *(refusal(n) for n in range(1, 9)))
    assert make("p10__refusal_list", refusal_list).rows.equals(make("p10__refusal_list", refusal_list).rows)


@pytest.mark.parametrize(
    "decided_by",
    [
        "sys",
        "s y s t e m",
        "ѕystem",
        "ml-model",
        "GPT",
        "chatgpt-4",
        "AIモデル",
        "人工知能",
        "スコア",
        "スクリプト",
        "プログラム",
        "ルールエンジン",
        "machine learning",
        "fraud detection",
    ],
)
def test_a_program_by_another_name_is_nobody(decided_by: str) -> None:
    assert not is_human(decided_by)
