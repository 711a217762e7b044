"""P-11: a case is opened, viewed while open, closed; no text outside the view."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk_portal import HANAKO, TARO, Portal

from quorum.errors import PolicyError
from quorum.extract.cases import TOPICS, case_close, case_open, case_queue, case_view
from quorum.tables import Catalog

ASKED = "vault__enquiry"
TEXT = "請求の金額が違うようです。至急ご確認ください。"


@pytest.fixture
def enquiring(browsing: Portal) -> Portal:
    browsing.ask(ASKED, "q", HANAKO, {"topic": "billing", "service": "shop-01", "enquiry_text": TEXT})
    browsing.ask(ASKED, "q2", None, {"topic": "gossip", "enquiry_text": "誰？", "reply_to": "x@example.jp"})
    return browsing


def viewed(portal: Portal, case: str, out: Path) -> dict:
    [path] = case_view(portal.desk, case, out).files
    assert path.stat().st_mode & 0o777 == 0o600
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.clause("P-11")
def test_an_open_case_shows_what_it_takes_to_answer_and_no_more(enquiring: Portal, tmp_path: Path) -> None:
    case = case_open(enquiring.desk, "q").case
    document = viewed(enquiring, case, tmp_path / "out")
    enquiry = document["enquiry"]
    assert (enquiry["enquiry_text"], enquiry["reply_to"], enquiry["age_years"]) == (TEXT, "hanako@example.jp", 36)
    assert [(p["item_category"], p["amount_micros"]) for p in document["purchases"]] == [("書籍", 1_200_000_000)]
    text = json.dumps(document, ensure_ascii=False)
    assert not [v for v in ("花子", "桜町", "1990", HANAKO, "家電", "食品", "誰") if v in text]


def test_of_the_usage_only_the_service_asked_about_is_shown(enquiring: Portal, tmp_path: Path) -> None:
    enquiring.ask(ASKED, "q4", HANAKO, {"topic": "other", "service": "news", "enquiry_text": "?"})
    document = viewed(enquiring, case_open(enquiring.desk, "q4").case, tmp_path / "news")
    assert [(u["service"], u["view_n"]) for u in document["usage"]] == [("news", 2)] and not document["purchases"]
    assert viewed(enquiring, case_open(enquiring.desk, "q").case, tmp_path / "shop")["usage"] == []


def test_somebody_who_is_no_member_gets_an_answer_as_well(enquiring: Portal, tmp_path: Path) -> None:
    document = viewed(enquiring, case_open(enquiring.desk, "q2").case, tmp_path / "out")
    assert document["enquiry"]["reply_to"] == "x@example.jp" and document["purchases"] == []


@pytest.mark.clause("P-11")
def test_a_closed_case_is_not_shown(enquiring: Portal, tmp_path: Path) -> None:
    case = case_open(enquiring.desk, "q").case
    case_view(enquiring.desk, case, None)
    case_close(enquiring.desk, case)
    with pytest.raises(PolicyError) as refused:
        case_view(enquiring.desk, case, tmp_path / "out")
    assert refused.value.rule == "case.open" and refused.value.exit_code == 13
    assert not (tmp_path / "out").exists()
    with pytest.raises(PolicyError):
        case_close(enquiring.desk, case)


def test_a_case_that_was_never_opened_is_not_shown(enquiring: Portal) -> None:
    for case in ("c-000000000000", "q", ""):
        with pytest.raises(PolicyError, match=r"case\.open"):
            case_view(enquiring.desk, case, None)


def test_an_enquiry_has_one_case_in_its_life(enquiring: Portal) -> None:
    case = case_open(enquiring.desk, "q").case
    with pytest.raises(PolicyError, match=r"case\.once"):
        case_open(enquiring.desk, "q")
    case_close(enquiring.desk, case)
    with pytest.raises(PolicyError, match=r"case\.once"):
        case_open(enquiring.desk, "q")


def test_only_an_enquiry_opens_a_case(enquiring: Portal) -> None:
    enquiring.ask("vault__access_request", "a", HANAKO, {})
    for request in ("a", "nowhere"):
        with pytest.raises(PolicyError, match=r"desk\.request"):
            case_open(enquiring.desk, request)


@pytest.mark.clause("P-11")
def test_the_queue_counts_topics_and_holds_no_text(enquiring: Portal) -> None:
    first, second = (case_open(enquiring.desk, request) for request in ("q", "q2"))
    queue = case_queue(enquiring.desk)
    assert queue.cases == (first, second)
    assert queue.counts == {**dict.fromkeys(TOPICS, 0), "billing": 1, "other": 1}
    case_close(enquiring.desk, first.case)
    assert case_queue(enquiring.desk).cases == (second,)
    records = [
        queue.as_record(),
        enquiring.entries("case_open"),
        enquiring.entries("case_close"),
        case_view(enquiring.desk, second.case, None).as_record(),
    ]
    told = json.dumps(records, ensure_ascii=False)
    assert not [v for v in ("gossip", "誰", TEXT, HANAKO, "hanako", "x@example.jp", '"q"', '"q2"') if v in told]


def test_roles(enquiring: Portal) -> None:
    for act in (lambda desk: case_open(desk, "q"), lambda desk: case_close(desk, "c")):
        with pytest.raises(PolicyError, match=r"roles\.act"):
            act(enquiring.acting_as("billing").desk)
    for read in (case_queue, lambda desk: case_view(desk, "c", None)):
        with pytest.raises(PolicyError, match=r"roles\.purpose"):
            read(enquiring.acting_as("officer").desk)


def test_of_two_enquiries_each_case_shows_its_own(enquiring: Portal, tmp_path: Path) -> None:
    enquiring.ask(ASKED, "q3", TARO, {"topic": "privacy", "service": "shop-01", "enquiry_text": "三つめ"})
    cases = {request: case_open(enquiring.desk, request).case for request in ("q", "q3")}
    assert viewed(enquiring, cases["q3"], tmp_path / "b")["enquiry"]["enquiry_text"] == "三つめ"
    assert viewed(enquiring, cases["q"], tmp_path / "a")["enquiry"]["enquiry_text"] == TEXT


@pytest.mark.clause("P-11")
def test_free_text_stands_in_no_other_purpose(catalog: Catalog) -> None:
    holding = {
        table.purpose
        for table in catalog.tables.values()
        if any(column.category == "INQ" for column in table.columns) and table.purpose != "INFRA"
    }
    assert holding == {"P-11"}
