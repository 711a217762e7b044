"""Corrections: a new version that counts from the next night, checked as registration is, made once, journalled."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from desk_portal import AT, HANAKO, MEMBERS, NIGHT, TARO, Portal

from quorum.errors import PolicyError
from quorum.extract.correct import JOURNAL, correct
from quorum.extract.subject import subject_package

NEXT = NIGHT + timedelta(days=1)
ASKED = "vault__correction"


@pytest.fixture
def verified(portal: Portal) -> Portal:
    portal.verify(HANAKO)
    return portal


def ask(portal: Portal, request: str = "q", member: str | None = HANAKO, at: datetime = AT, **fields) -> None:
    rows = [{"field": field, "new_value": value} for field, value in fields.items()]
    portal.ask(ASKED, request, member, *rows, at=at)


def stands(portal: Portal, night: date, member: str = HANAKO) -> dict:
    """The registration that a night counts with, by the statement that reduces it."""
    rows = portal.desk.store.read("vault__member", night, "history").to_pylist()
    return max((r for r in rows if r["member_id"] == member), key=lambda r: (r["updated_at"], r["file_n"], r["line_n"]))


@pytest.mark.clause("P-04")
def test_a_correction_counts_from_the_next_night_and_changes_nothing_else(verified: Portal) -> None:
    ask(verified, address="京都府京都市松町7", postal_code="600-8001", birth_date="1991-04-16")
    answer = correct(verified.desk, "q")
    assert (answer.counts, answer.facts) == ({"fields": 3}, {"effective_on": "2026-11-22"})
    now, then = stands(verified, NIGHT), stands(verified, NEXT)
    changed = {name for name in now if now[name] != then[name]}
    assert changed == {"address", "postal_code", "birth_date", "updated_at", "file_n", "line_n"}
    assert (then["address"], then["postal_code"], then["birth_date"]) == (
        "京都府京都市松町7",
        "6008001",
        date(1991, 4, 16),
    )
    assert stands(verified, NEXT, TARO) == stands(verified, NIGHT, TARO)


def test_the_pipeline_counts_with_the_corrected_version_and_the_done_night_stays(verified: Portal, keyed) -> None:
    ask(verified, gender="男性")
    correct(verified.desk, "q")
    genders = {}
    for night in (NIGHT, NEXT):
        rows = verified.desk.engine.run("pseudo__member", night).to_pylist()
        genders[night] = next(row["gender"] for row in rows if row["member_key"] == keyed(HANAKO))
    assert genders == {NIGHT: "female", NEXT: "male"}


def test_it_stands_although_the_registration_was_changed_after_the_request(verified: Portal) -> None:
    later = {"file_n": 5, "line_n": 1, "member_id": HANAKO, **MEMBERS[HANAKO], "updated_at": AT + timedelta(days=3)}
    verified.put("vault__member", [later], part="later")
    ask(verified, nickname="はな")
    correct(verified.desk, "q")
    assert stands(verified, NEXT)["nickname"] == "はな"


def test_the_next_nights_own_members_are_written_beside_it(verified: Portal) -> None:
    ask(verified, nickname="はな")
    correct(verified.desk, "q")
    verified.put("vault__member", [{"file_n": 7, "line_n": 1, "member_id": "m-new", "updated_at": AT}], night=NEXT)
    assert verified.desk.store.read("vault__member", NEXT).num_rows == 2
    assert stands(verified, NEXT)["nickname"] == "はな"


def test_the_same_request_again_is_refused(verified: Portal) -> None:
    ask(verified, nickname="はな")
    correct(verified.desk, "q")
    with pytest.raises(PolicyError, match=r"correct\.once"):
        correct(verified.desk, "q")
    assert verified.desk.store.read("vault__member", NEXT).num_rows == 1


def test_it_is_still_refused_after_the_next_night(verified: Portal) -> None:
    ask(verified, nickname="はな")
    correct(verified.desk, "q")
    verified.desk.ledger.finish_night(NEXT, "1" * 64, {})
    with pytest.raises(PolicyError, match=r"correct\.once"):
        correct(verified.desk, "q")


@pytest.mark.clause("P-04")
def test_journal_and_ledger_name_fields_and_no_value_or_number(verified: Portal) -> None:
    ask(verified, email="new.hanako@example.jp")
    correct(verified.desk, "q")
    [row] = verified.desk.store.read(JOURNAL, NEXT).to_pylist()
    assert (row["field"], row["corrected_on"]) == ("email", NEXT)
    told = f"{row} {verified.entries('correct')}"
    assert not [v for v in ("hanako@example.jp", "new.hanako", HANAKO) if v in told]
    assert verified.entries("correct")[0]["fields"] == ["email"]


def test_the_package_shows_the_correction_at_once(verified: Portal, tmp_path: Path) -> None:
    ask(verified, nickname="はな")
    verified.ask("vault__access_request", "a", HANAKO, {})
    correct(verified.desk, "q")
    assert subject_package(verified.desk, HANAKO, "a", tmp_path / "out").counts["corrections"] == 1
    page = (tmp_path / "out" / "subject.ja.html").read_text(encoding="utf-8")
    assert "<td>はな</td>" in page and "はなちゃん" not in page and "2026年11月22日" in page


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("email", " a@example.jp ", "a@example.jp"),
        ("phone", "０３−０００１−２３４５", "03-0001-2345"),
        ("postal_code", "１００ー0002", "1000002"),
        ("gender", " Ｆ ", "F"),
        ("bank_account", "0001-001-0000001", "0001-001-0000001"),
        ("card_number", "5555 5555 5555 4444", "5555555555554444"),
        ("interests", None, None),
    ],
)
def test_values_are_spelt_as_registrations_are(verified: Portal, field: str, text: str | None, value) -> None:
    ask(verified, **{field: text})
    correct(verified.desk, "q")
    assert stands(verified, NEXT)[field] == value


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("birth_date", "1991-02-30"),
        ("birth_date", "16 April 1991"),
        ("birth_date", "2026-11-22"),
        ("email", "hanako"),
        ("email", "a@b@example.jp"),
        ("phone", "12"),
        ("postal_code", "100-00011"),
        ("card_number", "5555555555554445"),
        ("card_number", "none"),
        ("bank_account", "my bank"),
        ("name", ""),
        ("name", "  "),
        ("name", "a\u0000b"),
        ("name", "\u202egnp"),
        ("name", "a\u2067b"),
        ("address", "x" * 1025),
    ],
)
def test_a_value_that_is_not_of_its_kind_is_refused_whole(verified: Portal, field: str, text: str) -> None:
    ask(verified, **{"nickname": "はな", field: text})
    with pytest.raises(PolicyError) as refused:
        correct(verified.desk, "q")
    assert refused.value.rule == "correct.value"
    assert not text.strip() or text not in str(refused.value)
    assert verified.desk.store.nights("vault__member") == [NIGHT] and not verified.entries("correct")


@pytest.mark.parametrize("field", ["member_id", "updated_at", "file_n", "password", None])
def test_what_nobody_may_correct_is_refused(verified: Portal, field: str | None) -> None:
    verified.ask(ASKED, "q", HANAKO, {"field": field, "new_value": "x"})
    with pytest.raises(PolicyError) as refused:
        correct(verified.desk, "q")
    assert refused.value.rule == "correct.field"
    assert "password" not in str(refused.value)


def test_nobody_corrects_without_showing_who_they_are(portal: Portal) -> None:
    portal.verify(TARO)
    ask(portal, nickname="はな")
    with pytest.raises(PolicyError, match=r"desk\.identity"):
        correct(portal.desk, "q")
    assert portal.desk.store.nights("vault__member") == [NIGHT]


@pytest.mark.parametrize("role", ["officer", "billing", "scheduler"])
def test_only_a_role_with_the_act_corrects(verified: Portal, role: str) -> None:
    ask(verified, nickname="はな")
    with pytest.raises(PolicyError, match=r"roles\.act"):
        correct(verified.acting_as(role).desk, "q")


def test_a_correction_of_nobody_or_of_no_registration_is_refused(verified: Portal) -> None:
    ask(verified, member=None, nickname="はな")
    with pytest.raises(PolicyError, match=r"correct\.member"):
        correct(verified.desk, "q")
    ask(verified, request="q2", member="m-nobody", nickname="はな")
    with pytest.raises(PolicyError):
        correct(verified.desk, "q2")
