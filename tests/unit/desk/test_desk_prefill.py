"""P-08: one instruction, its fields, no bulk run, no transfer that nobody gave an instruction for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from desk_portal import AT, CARD, HANAKO, NIGHT, TARO, Portal

from quorum.errors import PolicyError
from quorum.extract.build import is_batch
from quorum.extract.prefill import prefill
from quorum.extract.subject import subject_package
from quorum.tables import Catalog

ASKED = "vault__prefill_instruction"
FORM = {"form_id": "f-1"}


def ask(portal: Portal, *fields: str | None, member: str | None = HANAKO, **said: str) -> None:
    portal.ask(ASKED, "q", member, *({**FORM, **said, "field": field} for field in fields))


@pytest.mark.clause("P-08")
def test_the_fields_that_were_asked_for_are_given_and_no_other(portal: Portal, tmp_path: Path) -> None:
    ask(portal, "name", "birth_date")
    answer = prefill(portal.desk, "q", tmp_path / "out")
    [path] = answer.files
    document = json.loads(path.read_text(encoding="utf-8"))
    assert document["fields"] == {"name": "山田 花子", "birth_date": "1990-03-15"}
    assert (document["form"], document["transfer_to"]) == ("f-1", None)
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert HANAKO not in path.read_text(encoding="utf-8")


def test_nothing_is_kept(portal: Portal, tmp_path: Path) -> None:
    ask(portal, "name", "email")
    prefill(portal.desk, "q", tmp_path / "out")
    assert not portal.desk.store.nights("p08__prefill") and portal.desk.catalog["p08__prefill"].in_memory
    told = json.dumps(portal.entries("extract"), ensure_ascii=False)
    assert "花子" not in told and "hanako@" not in told and HANAKO not in told


def test_what_is_asked_for_and_not_registered_is_counted(portal: Portal) -> None:
    ask(portal, "name", "payment_method", member=TARO)
    assert prefill(portal.desk, "q", None).counts == {"fields": 1, "empty": 1}


@pytest.mark.clause("P-08")
@pytest.mark.parametrize(
    "field", ["bank_account", "card_number", "interests", "industry", "nickname", "member_id", None]
)
def test_a_field_that_the_purpose_may_not_use_is_refused(portal: Portal, field: str | None, tmp_path: Path) -> None:
    ask(portal, "name", field)
    with pytest.raises(PolicyError) as refused:
        prefill(portal.desk, "q", tmp_path / "out")
    assert refused.value.rule == "prefill.field" and not (tmp_path / "out").exists()


def test_every_field_that_may_be_filled_in_is_of_a_category_that_the_purpose_uses(portal: Portal) -> None:
    uses = portal.desk.policy.purposes["P-08"].uses
    columns = portal.desk.catalog["p08__prefill"].columns
    assert {c.category for c in columns} - {"KEY", "FACT"} <= set(uses)


@pytest.mark.clause("P-08")
def test_a_transfer_without_an_instruction_is_refused(portal: Portal, tmp_path: Path) -> None:
    ask(portal, "name", transfer_to="r01")
    with pytest.raises(PolicyError) as refused:
        prefill(portal.desk, "q", tmp_path / "out")
    assert refused.value.rule == "prefill.transfer" and refused.value.exit_code == 13
    assert not (tmp_path / "out").exists() and not portal.entries("extract", "P-08")


def test_a_transfer_on_instruction_names_the_recipient_in_the_ledger(portal: Portal, tmp_path: Path) -> None:
    ask(portal, "name", transfer_to="r01", instruction_id="i-1")
    prefill(portal.desk, "q", tmp_path / "out")
    [entry] = portal.entries("extract", "P-08")
    assert (entry["act"], entry["transfer_to"], entry["fields"]) == ("written", "r01", ["name"])


def test_a_transfer_is_in_the_register_and_the_person_is_shown_it(portal: Portal, tmp_path: Path) -> None:
    ask(portal, "name", "postal_code", transfer_to="r01", instruction_id="i-1")
    prefill(portal.desk, "q", tmp_path / "out", AT)
    portal.ask("vault__access_request", "a", HANAKO, {})
    portal.verify(HANAKO)
    assert subject_package(portal.desk, HANAKO, "a", tmp_path / "package").counts["disclosures"] == 1
    [shown] = json.loads((tmp_path / "package" / "subject.json").read_text(encoding="utf-8"))["sections"]["disclosures"]
    assert (shown["basis"], shown["recipient_id"], shown["items"]) == ("D-03", "r01", "NAME;ZIP")


def test_one_instruction_is_one_transfer(portal: Portal, tmp_path: Path) -> None:
    ask(portal, "name", transfer_to="r01", instruction_id="i-1")
    prefill(portal.desk, "q", None)
    prefill(portal.desk, "q", tmp_path / "a", AT)
    with pytest.raises(PolicyError, match=r"prefill\.once"):
        prefill(portal.desk, "q", tmp_path / "b", AT)
    assert not (tmp_path / "b").exists()
    assert [entry["act"] for entry in portal.entries("extract", "P-08")] == ["served", "written"]


def test_a_transfer_that_did_not_happen_is_not_on_record(portal: Portal, tmp_path: Path, monkeypatch) -> None:
    def broken(*_: object) -> None:
        raise OSError

    ask(portal, "name", transfer_to="r01", instruction_id="i-1")
    monkeypatch.setattr("quorum.extract.prefill.write_folder", broken)
    with pytest.raises(OSError):
        prefill(portal.desk, "q", tmp_path / "out", AT)
    assert not portal.desk.store.files("vault__disclosure", NIGHT)
    monkeypatch.undo()
    assert prefill(portal.desk, "q", tmp_path / "out", AT).counts["fields"] == 1


def test_a_form_of_the_portal_itself_is_no_disclosure(portal: Portal, tmp_path: Path) -> None:
    ask(portal, "name")
    prefill(portal.desk, "q", tmp_path / "out", AT)
    assert not portal.desk.store.files("vault__disclosure", NIGHT)


@pytest.mark.clause("P-08")
@pytest.mark.parametrize("request_id", [None, "", "nowhere", "q;q2"])
def test_a_run_without_one_request_is_refused(portal: Portal, request_id: str | None) -> None:
    ask(portal, "name")
    with pytest.raises(PolicyError):
        prefill(portal.desk, request_id, None)


def test_a_request_that_says_two_things_or_is_of_two_people_is_refused(portal: Portal) -> None:
    portal.ask(ASKED, "q", HANAKO, {**FORM, "field": "name"}, {"form_id": "f-2", "field": "name"})
    with pytest.raises(PolicyError, match=r"prefill\.one"):
        prefill(portal.desk, "q", None)
    portal.ask(ASKED, "q", HANAKO, {**FORM, "field": "name"}, {**FORM, "field": "name", "member_id": TARO})
    with pytest.raises(PolicyError, match=r"desk\.one_person"):
        prefill(portal.desk, "q", None)


def test_an_instruction_of_nobody_is_refused(portal: Portal) -> None:
    ask(portal, "name", member=None)
    with pytest.raises(PolicyError, match=r"prefill\.member"):
        prefill(portal.desk, "q", None)
    ask(portal, "name", member="m-nobody")
    with pytest.raises(PolicyError, match=r"prefill\.registration"):
        prefill(portal.desk, "q", None)


def test_a_role_without_the_purpose_is_refused(portal: Portal) -> None:
    ask(portal, "name")
    with pytest.raises(PolicyError, match=r"roles\.purpose"):
        prefill(portal.acting_as("scheduler").desk, "q", None)


@pytest.mark.clause("P-08")
def test_no_night_makes_it(catalog: Catalog) -> None:
    for purpose in ("P-04", "P-06", "P-08", "P-11"):
        own = [table for table in catalog.tables.values() if table.purpose == purpose]
        assert own and not [table.name for table in own if is_batch(catalog, table)]
        assert all(table.in_memory or table.on_request for table in own), purpose


def test_a_card_never_gets_into_a_form(portal: Portal, tmp_path: Path) -> None:
    everything = [c.name for c in portal.desk.catalog["p08__prefill"].columns][4:]
    ask(portal, *everything)
    [path] = prefill(portal.desk, "q", tmp_path / "out").files
    assert CARD not in path.read_text(encoding="utf-8")
