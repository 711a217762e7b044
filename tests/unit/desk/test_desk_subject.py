"""P-04: one verified person, everything of theirs, nothing of anybody else."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from desk_portal import AT, CARD, HANAKO, MEMBERS, NIGHT, TARO, Portal

from quorum.errors import PolicyError, QuorumError
from quorum.extract.subject import SECTIONS, check_columns, one_person, subject_package

ASKED = "vault__access_request"


@pytest.fixture
def asking(browsing: Portal) -> Portal:
    browsing.ask(ASKED, "q", HANAKO, {"language": "ja"})
    return browsing


@pytest.fixture
def verified(asking: Portal) -> Portal:
    asking.verify(HANAKO)
    return asking


def written(portal: Portal, out: Path) -> dict:
    subject_package(portal.desk, HANAKO, "q", out)
    return json.loads((out / "subject.json").read_text(encoding="utf-8"))


@pytest.mark.clause("P-04")
def test_every_section_has_what_is_held_about_the_person(verified: Portal, tmp_path: Path) -> None:
    document = written(verified, tmp_path / "out")
    assert list(document["sections"]) == list(SECTIONS)
    [registration] = document["sections"]["registration"]
    hidden = {"bank_account", "card_number"}
    shown = {n: v if n != "birth_date" else v.isoformat() for n, v in MEMBERS[HANAKO].items() if n not in hidden}
    ends = {"bank_account_end": "321", "card_number_end": "1111"}
    assert registration == {**shown, **ends, "updated_at": "2026-10-01T09:00:00.000+09:00"}
    sections = document["sections"]
    assert [(r["item_category"], r["amount_micros"]) for r in sections["purchases"]] == [
        ("書籍", 1_200_000_000),
        ("食品", 800_000_000),
    ]
    assert [(r["section_id"], r["view_n"]) for r in sections["usage"]] == [("news", 2)]
    assert [(r["section_id"], r["beacon_n"]) for r in sections["beacons"]] == [("news", 1)]
    assert sections["logins"] == [{"login_date": "2026-11-21", "login_n": 1}]
    assert [r["campaign_id"] for r in sections["advertisements"]] == ["c001"]
    assert [(r["choice"], r["scope"]) for r in sections["choices"]] == [("opt_out", "ads")]
    assert [r["segment_id"] for r in sections["segments"]] == ["students"]
    assert [r["recipient_name"] for r in sections["disclosures"]] == ["甲社"]
    assert [r["age_years"] for r in sections["attributes"]] == [36]
    assert document["policy"] == {"version": verified.desk.policy.version, "digest": verified.desk.policy.digest}


def test_every_column_is_described_in_both_languages(verified: Portal, tmp_path: Path) -> None:
    document = written(verified, tmp_path / "out")
    for section, rows in document["sections"].items():
        for row in rows:
            assert set(row) == set(document["columns"][section])
    assert document["columns"]["registration"]["email"]["ja"] == "メールアドレス"


def test_nothing_of_anybody_else_and_no_key_and_no_number_is_in_any_file(
    verified: Portal, tmp_path: Path, keyed
) -> None:
    out = tmp_path / "out"
    written(verified, out)
    theirs = [str(v) for v in MEMBERS[TARO].values()]
    alien = [*theirs, TARO, keyed(TARO), keyed(HANAKO), CARD, "0001-123-7654321", "finance", "c002", "乙社", "捜査機関"]
    for path in out.iterdir():
        text = path.read_text(encoding="utf-8")
        assert not [value for value in alien if value in text], path.name


@pytest.mark.clause("C-06")
def test_the_view_before_the_login_is_not_theirs(verified: Portal, tmp_path: Path) -> None:
    assert "health" not in (tmp_path / "out").name
    assert "health" not in json.dumps(written(verified, tmp_path / "out")["sections"])


def test_pages_are_self_contained_and_escape_what_people_wrote(verified: Portal, tmp_path: Path) -> None:
    evil = {**MEMBERS[HANAKO], "nickname": "<script>alert(1)</script>"}
    verified.put(
        "vault__member", [{"file_n": 5, "line_n": 1, "member_id": HANAKO, "updated_at": AT, **evil}], part="later"
    )
    written(verified, tmp_path / "out")
    for language in ("ja", "en"):
        page = (tmp_path / "out" / f"subject.{language}.html").read_text(encoding="utf-8")
        assert f'<html lang="{language}">' in page
        assert "<script" not in page and "&lt;script&gt;" in page
        assert not re.search(r"(src|href)=\"(?!#)", page) and "url(" not in page and "@import" not in page
        assert "甲社" in page and "••••1111" in page
    assert "ニュース" in (tmp_path / "out" / "subject.ja.html").read_text(encoding="utf-8")
    assert "News" in (tmp_path / "out" / "subject.en.html").read_text(encoding="utf-8")


def test_the_same_request_gives_the_same_bytes(verified: Portal, tmp_path: Path) -> None:
    written(verified, tmp_path / "a")
    written(verified, tmp_path / "b")
    for path in (tmp_path / "a").iterdir():
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_files_are_for_the_one_who_acts_and_stay_out_of_the_home(verified: Portal, tmp_path: Path) -> None:
    out = tmp_path / "out"
    written(verified, out)
    assert out.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    before = len(verified.desk.ledger.entries())
    with pytest.raises(QuorumError):
        subject_package(verified.desk, HANAKO, "q", verified.desk.home.root / "leak")
    assert len(verified.desk.ledger.entries()) == before
    assert not (verified.desk.home.root / "leak").exists()


def test_the_ledger_has_the_entry_before_the_first_byte(verified: Portal, tmp_path: Path, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise OSError

    monkeypatch.setattr("quorum.extract.subject.write_folder", broken)
    with pytest.raises(OSError):
        subject_package(verified.desk, HANAKO, "q", tmp_path / "out")
    entry = verified.entries("extract", "P-04")[-1]
    assert entry["act"] == "written" and entry["tables"]["p04__purchase"] == 2
    assert HANAKO not in json.dumps(entry) and '"q"' not in json.dumps(entry)
    assert not (tmp_path / "out").exists()


def test_without_a_folder_there_are_counts_only(verified: Portal, tmp_path: Path) -> None:
    answer = subject_package(verified.desk, HANAKO, "q", None)
    assert answer.counts == {
        **dict.fromkeys(SECTIONS, 1),
        "purchases": 2,
        "corrections": 0,
    }
    assert answer.files == () and list(tmp_path.iterdir()) == [verified.desk.home.root]
    told = json.dumps(answer.as_record(), ensure_ascii=False)
    assert not [v for v in (*map(str, MEMBERS[HANAKO].values()), HANAKO) if v in told]


@pytest.mark.clause("S-01")
def test_every_read_is_noted_under_the_purpose(verified: Portal) -> None:
    subject_package(verified.desk, HANAKO, "q", None)
    read = {entry["table"] for entry in verified.entries("read", "P-04")}
    assert {ASKED, "vault__member", "vault__partner_transaction", "vault__disclosure"} <= read


@pytest.mark.clause("P-04")
def test_without_a_verification_there_is_no_package(asking: Portal, tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="P-06"):
        subject_package(asking.desk, HANAKO, "q", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_verification_of_somebody_else_or_an_old_one_does_not_do(asking: Portal) -> None:
    asking.verify(TARO)
    asking.verify(HANAKO, at=AT - timedelta(days=365))
    with pytest.raises(PolicyError, match="P-06"):
        subject_package(asking.desk, HANAKO, "q", None)


@pytest.mark.parametrize(
    ("subject", "request_id"), [(TARO, "q"), (HANAKO, "theirs"), (HANAKO, "nowhere"), (HANAKO, "v")]
)
def test_only_the_subjects_own_request_of_that_kind_does(verified: Portal, subject: str, request_id: str) -> None:
    verified.ask(ASKED, "theirs", TARO, {})
    verified.ask("vault__correction", "v", HANAKO, {"field": "email"})
    verified.verify(TARO)
    with pytest.raises(PolicyError):
        subject_package(verified.desk, subject, request_id, None)


@pytest.mark.clause("P-04")
@pytest.mark.parametrize(
    ("table", "before", "after"),
    [
        ("p04__purchase", "on purchase.member_id = request.member_id", "on true"),
        ("p04__registration", "on member.member_id = request.member_id", "on true"),
        ("p04__registration_version", "on member.member_id = request.member_id", "on true"),
        ("p04__usage", "on link.member_key = subject.member_key", "on true"),
        ("p04__beacon", "on link.member_key = subject.member_key", "on true"),
        ("p04__login", "on login.member_key = subject.member_key", "on true"),
        ("p04__advertisement", "on link.member_key = subject.member_key", "on true"),
        ("p04__choice", "on choice.member_key = subject.member_key", "on true"),
        ("p04__attribute", "on member.member_key = subject.member_key", "on true"),
        ("p04__segment", "on assignment.person_key = subject.member_key", "on true"),
        ("p04__disclosure", "on record.member_key = pseudonym_member(request.member_id)", "on true"),
        ("p04__correction", "on journal.member_key = pseudonym_member(request.member_id)", "on true"),
    ],
)
def test_two_people_in_one_package_are_refused(
    verified: Portal, keyed, tmp_path: Path, table: str, before: str, after: str
) -> None:
    journal = {"request_key": "k", "field": "email", "corrected_on": NIGHT, "requested_at": AT}
    verified.put("vault__correction_journal", [{**journal, "member_key": keyed(TARO)}])
    mixed = verified.with_query(table, lambda query: query.replace(before, after))
    with pytest.raises(PolicyError) as refused:
        subject_package(mixed.desk, HANAKO, "q", tmp_path / "out")
    assert refused.value.rule == "subject.two_people"
    assert not (tmp_path / "out").exists()


def test_a_row_of_nobody_is_refused_too() -> None:
    rows = pa.table({"person_key": pa.array(["k", None]), "n": [1, 2]})
    with pytest.raises(PolicyError, match="two_people"):
        one_person("p04__purchase", rows, "k")
    assert one_person("p04__purchase", rows.slice(0, 1), "k").column_names == ["n"]


@pytest.mark.clause("P-04")
@pytest.mark.parametrize("category", ["PBILL", "INQ", "MODE", "IP", "COOKIE", "RAW", "PTX"])
def test_a_column_that_the_purpose_does_not_list_is_refused(verified: Portal, category: str) -> None:
    table = verified.desk.catalog["p04__purchase"]
    check_columns(table, verified.desk.policy)
    widened = replace(table, columns=(*table.columns[:-1], replace(table.columns[-1], category=category)))
    with pytest.raises(PolicyError, match=r"subject\.column"):
        check_columns(widened, verified.desk.policy)
    with pytest.raises(PolicyError, match=r"subject\.column"):
        subject_package(verified.with_contract(widened).desk, HANAKO, "q", None)


@pytest.mark.clause("S-01")
def test_a_role_without_the_purpose_gets_nothing(verified: Portal) -> None:
    with pytest.raises(PolicyError, match=r"roles\.purpose"):
        subject_package(verified.acting_as("billing").desk, HANAKO, "q", None)


def test_a_person_of_whom_little_is_held_gets_a_package_as_well(portal: Portal, tmp_path: Path) -> None:
    portal.ask(ASKED, "q", HANAKO, {})
    portal.verify(HANAKO)
    document = written(portal, tmp_path / "out")
    assert document["sections"]["usage"] == [] and document["sections"]["disclosures"] == []
    assert "記録はありません" in (tmp_path / "out" / "subject.ja.html").read_text(encoding="utf-8")
