"""A disclosure from order to file, and every refusal: exit 13, no byte, and an entry that names nobody."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import stat
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from types import MappingProxyType
from typing import Any

import pytest
from register_office import CANARIES, CASE, HARD, Office

from quorum.errors import PolicyError, UsageError
from quorum.ledger.store import canonical
from quorum.register import disclose as module
from quorum.register.files import content_digest

D03 = {"basis": "D-03", "recipient": "adv-01", "items": ("NAME", "EMAIL")}
D04 = {"basis": "D-04", "items": ("NAME", "ADDR"), "subjects": ("m-1",), "statute": "ccp-197-2", **CASE}
D06 = {"basis": "D-06", "items": ("TEL",), "subjects": ("m-1",), **CASE, **HARD}
MAIL = {"basis": "processor", "processor": "mailing-house", "items": ("EMAIL",)}


def rows(office: Office, name: str = "registration.csv") -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO((office.out / name).read_text(encoding="utf-8-sig"))))


@pytest.mark.clause("D-03")
def test_what_a_person_consented_to_is_given_and_nothing_else(office: Office) -> None:
    done = office.disclose(**D03)
    assert rows(office) == [{"person_n": "1", "name": "Hanako Canary", "email": "hanako.canary@example.jp"}]
    assert sorted(path.name for path in office.out.iterdir()) == ["manifest.json", "registration.csv"]
    assert stat.S_IMODE(office.out.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in office.out.iterdir()} == {0o600}
    assert done.facts["people_n"] == 1
    assert office.kinds() == ["disclosure"]


def test_the_entry_names_no_person_and_holds_what_binds_the_file(office: Office) -> None:
    done = office.disclose(**D03)
    (entry,) = office.workspace.ledger.entries("disclosure")
    assert (entry.hash, entry.body["policy_digest"]) == (done.entry, office.workspace.policy.digest)
    assert not any(canary in canonical(entry.body) for canary in (*CANARIES, office.key("m-1")))
    manifest = json.loads((office.out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["ledger"] == {"seq": entry.seq, "hash": entry.hash}
    assert content_digest(manifest) == entry.body["content"]
    told = manifest["files"]["registration.csv"]
    assert told["sha256"] == hashlib.sha256((office.out / "registration.csv").read_bytes()).hexdigest()
    assert [column["category"] for column in told["columns"]] == ["META", "NAME", "EMAIL"]
    assert not any(canary in json.dumps(manifest) for canary in CANARIES)
    office.workspace.ledger.verify()


@pytest.mark.clause("D-02")
def test_the_entry_and_the_record_are_there_before_the_first_byte(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[str], int, bool]] = []
    deliver = module.deliver

    def watching(out: Any, files: Any) -> None:
        seen.append((office.kinds(), len(office.record()), out.exists()))
        deliver(out, files)

    monkeypatch.setattr(module, "deliver", watching)
    office.disclose(**D03)
    assert seen == [(["disclosure"], 1, False)]


@pytest.mark.clause("D-02", "D-03")
def test_each_person_has_a_row_that_says_what_the_law_wants_kept(office: Office) -> None:
    office.disclose(**D03)
    (row,) = office.record()
    assert row["member_key"] == office.key("m-1")
    told = {name: row[name] for name in ("basis", "recipient_id", "recipient_name", "items", "source", "batch_id")}
    assert told == {
        "basis": "D-03",
        "recipient_id": "adv-01",
        "recipient_name": "例示保険株式会社",
        "items": "NAME;EMAIL",
        "source": "registration",
        "batch_id": "adv-01-2026-11",
    }
    assert (row["consent_scopes"], row["consented_at"].hour, row["is_told"]) == ("provide_contact", 1, True)
    assert row["disclosed_on"] == date(2026, 11, 22)


def test_only_the_columns_of_the_items_are_read(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    read: dict[str, set[str]] = {}
    store_read = type(office.workspace.store).read

    def watching(self: Any, table: str, night: date, window: str = "night", columns: Any = None, **rest: Any) -> Any:
        read.setdefault(table, set()).update(columns or ["*"])
        return store_read(self, table, night, window, columns, **rest)

    monkeypatch.setattr(type(office.workspace.store), "read", watching)
    office.disclose(**D03)
    assert read["vault__member"] == {"file_n", "line_n", "member_id", "name", "email", "updated_at"}
    assert "vault__partner_transaction" not in read


@pytest.mark.clause("S-01")
def test_each_read_is_noted_under_the_basis(office: Office) -> None:
    office.disclose(**D03)
    noted = [entry.body for entry in office.workspace.ledger.entries("read") if entry.body["table"] == "vault__member"]
    assert {(body["who"], body["purpose"], body["rows"]) for body in noted} == {("first", "D-03", 4)}


def test_purchases_go_with_the_number_of_their_person(office: Office) -> None:
    office.disclose(basis="D-03", recipient="adv-02", items=("FEE", "ITEM", "NAME"))
    assert rows(office, "purchase.csv") == [
        {"person_n": "1", "item_category": "books", "amount_micros": "5"},
        {"person_n": "1", "item_category": "food", "amount_micros": "7"},
    ]
    assert rows(office) == [{"person_n": "1", "name": "Hanako Canary"}]
    assert office.record()[0]["source"] == "registration;partner"


def test_two_disclosures_do_not_share_their_numbers(office: Office) -> None:
    from quorum.register.scope import numbered

    keys = [f"{n:032x}" for n in range(50)]
    orders = {tuple(numbered(office.workspace.desk, f"d-{n}", keys)["member_key"].to_pylist()) for n in range(5)}
    assert len(orders) == 5
    assert tuple(sorted(keys)) not in orders


@pytest.mark.clause("D-04")
def test_a_case_is_answered_on_request_with_what_it_states(office: Office) -> None:
    order = {"basis": "D-04", "approver": "second", "items": ("NAME",), "untold_reason": "secret inquiry"}
    done = office.disclose(request="q-1", **order)
    assert sorted(row["name"] for row in rows(office)) == ["Hanako Canary", "Taro Canary"]
    assert (done.facts["case"], done.facts["statute"], done.facts["is_told"]) == ("K-9", "ccp-197-2", False)
    assert {(row["is_told"], row["untold_reason"]) for row in office.record()} == {(False, "secret inquiry")}
    (entry,) = office.workspace.ledger.entries("disclosure")
    assert "secret inquiry" not in canonical(entry.body)


@pytest.mark.clause("D-05", "D-06")
def test_d06_says_that_it_must_be_looked_at_again_and_d05_that_it_is_wider_than_the_law(office: Office) -> None:
    assert office.disclose(**D06).facts["review_by"] == "2026-12-06"
    again = replace(office, out=office.out.with_name("again"))
    done = again.disclose(**{**D06, "basis": "D-05", "case": "K-2"})
    assert (done.facts["is_wider_than_law"], done.facts["review_by"]) == (True, None)
    (_, entry) = office.workspace.ledger.entries("disclosure")
    assert entry.body["is_wider_than_law"] is True
    manifest = json.loads((again.out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["is_wider_than_law"] is True


def test_a_processor_gets_those_who_have_not_taken_themselves_out(office: Office) -> None:
    done = office.disclose(**MAIL)
    assert done.facts["purpose"] == "P-05"
    assert sorted(row["email"] for row in rows(office)) == ["hanako.canary@example.jp", "jiro.canary@example.jp"]


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no basis": ({**D03, "basis": None}, "disclose.basis"),
    "an unknown basis": ({**D03, "basis": "D-07"}, "disclose.basis"),
    "a sale": ({**D03, "basis": "sale"}, "disclose.sale"),
    "paid": ({**D03, "is_paid": True}, "disclose.sale"),
    "rows as statistics": ({**D03, "basis": "statistics"}, "disclose.rows"),
    "no recipient": ({**D03, "recipient": None}, "disclose.field"),
    "a recipient in no register": ({**D03, "recipient": "adv-99"}, "disclose.recipient"),
    "no item": ({**D03, "items": ()}, "disclose.items"),
    "a cookie": ({**D03, "items": ("COOKIE",)}, "disclose.items"),
    "an address of the network": ({**D04, "items": ("IP",)}, "disclose.items"),
    "a pseudonym": ({**D04, "items": ("KEY",)}, "disclose.items"),
    "a member number": ({**D04, "items": ("MEMBER",)}, "disclose.items"),
    "an item that the recipient may not get": ({**D03, "items": ("NAME", "DOB")}, "disclose.items"),
    "a person without consent": ({**D03, "subjects": ("m-1", "m-2")}, "disclose.consent"),
    "somebody else's consent": ({**D03, "recipient": "adv-02", "subjects": ("m-3",)}, "disclose.consent"),
    "goods alone, undeclared": ({"basis": "D-03", "recipient": "adv-02", "items": ("ITEM",)}, "disclose.declaration"),
    "no case": ({**D04, "case": None}, "disclose.field"),
    "no authority": ({**D04, "authority": " "}, "disclose.field"),
    "no statute": ({**D04, "statute": None}, "disclose.field"),
    "no approver": ({**D04, "approver": None}, "disclose.field"),
    "the actor as approver": ({**D04, "approver": "First"}, "disclose.approver"),
    "a statute that is not listed": ({**D04, "statute": "no such act"}, "disclose.statute"),
    "a statute under its former name": ({**D04, "statute": "プロバイダ責任制限法"}, "disclose.statute"),
    "a case about nobody": ({**D04, "subjects": ()}, "disclose.subject"),
    "a person who is not there": ({**D04, "subjects": ("m-1", "m-77")}, "disclose.subject"),
    "nobody who is there": ({**D04, "subjects": ("m-77",)}, "disclose.nobody"),
    "a case that names a person": ({**D04, "case": "hanako.canary@example.jp"}, "disclose.text"),
    "no necessity": ({**D06, "necessity": None}, "disclose.field"),
    "consent not said to be hard": ({**D06, "why_consent_is_hard": None}, "disclose.field"),
    "untold without a statute": ({**D06, "untold_reason": "because"}, "disclose.untold"),
    "no processor": ({**MAIL, "processor": None}, "disclose.field"),
    "a processor in no register": ({**MAIL, "processor": "nobody"}, "disclose.processor"),
    "an expired contract": ({**MAIL, "processor": "billing-agent", "items": ("NAME",)}, "disclose.contract"),
    "an item that the contract does not cover": ({**MAIL, "items": ("NAME",)}, "disclose.items"),
    "a purpose that the contract does not cover": ({**MAIL, "purpose": "P-07"}, "disclose.purpose"),
    "a processor, a person who is out": ({**MAIL, "subjects": ("m-2",)}, "disclose.stop"),
}  # fmt: skip


@pytest.mark.clause("D-01", "D-02", "D-03", "D-04", "D-05", "D-06", "S-03")
@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_allowed_is_refused_without_a_byte_and_entered_by_codes(
    office: Office, untouched: Callable[[], dict[str, bytes]], what: str
) -> None:
    order, rule = REFUSED[what]
    before = untouched()
    with pytest.raises(PolicyError) as refused:
        office.disclose(**order)
    assert (refused.value.rule, refused.value.exit_code) == (rule, 13)
    assert not any(canary in str(refused.value) for canary in CANARIES)
    assert list(office.out.parent.iterdir()) == []
    assert untouched() == before
    assert office.record() == []
    (entry,) = office.workspace.ledger.entries("disclosure_refused")
    assert office.kinds() == ["disclosure_refused"]
    assert entry.body["rule"] == rule
    assert set(entry.body) == {"rule", "basis", "recipient_id", "processor_id", "items", "who", "role"}
    assert not any(canary in canonical(entry.body) for canary in (*CANARIES, "adv-99", "D-07", "COOKIE"))


@pytest.mark.parametrize(
    "order",
    [
        {"basis": "D-06"},
        {"basis": "D-04", "items": ("NAME", "EMAIL")},
        {"basis": "D-04", "subjects": ("m-3",)},
        {"basis": "D-04", "case": "K-10"},
        {"basis": "D-04", "recipient": "court"},
        {"basis": "D-03", "recipient": "adv-01", "items": ("NAME",)},
    ],
)
def test_an_order_that_goes_beyond_the_request_is_refused(office: Office, order: dict[str, Any]) -> None:
    with pytest.raises(PolicyError) as refused:
        office.disclose(request="q-1", approver="second", **order)
    assert refused.value.rule == "disclose.request"
    assert office.kinds() == ["disclosure_refused"]


def test_a_request_that_has_not_landed_is_refused(office: Office) -> None:
    with pytest.raises(PolicyError, match=r"disclose\.request"):
        office.disclose(request="q-2", basis="D-04", approver="second")


@pytest.mark.clause("D-03")
@pytest.mark.parametrize(
    ("choices", "is_given"),
    [
        ([("m-1", "provide_contact", "adv-01", "consent", 1)], True),
        ([("m-1", "provide_contact", None, "consent", 1)], False),
        ([("m-1", "provide_contact", "adv-02", "consent", 1)], False),
        ([("m-1", "provide_contact", "adv-01", "withdraw", 1)], False),
        ([("m-1", "provide_contact", "adv-01", "opt_in", 1)], False),
        ([("m-1", "provide_contact", "adv-01", "consent", 1), ("m-1", "provide_contact", None, "withdraw", 2)], False),
        ([("m-1", "provide_contact", "adv-01", "consent", 1), ("m-1", "provide_contact", None, "withdraw", 1)], False),
        ([("m-1", "provide_contact", "adv-01", "consent", 2), ("m-1", "provide_contact", None, "withdraw", 1)], True),
        ([("m-1", "provide_contact", "adv-01", "consent", 1), ("m-1", "all", None, "opt_out", 2)], False),
        ([("m-1", "provide_contact", "adv-01", "consent", 1), ("m-1", "all", "adv-01", "withdraw", 2)], False),
        ([("m-1", "provide_contact", "adv-01", "consent", 1), ("m-1", "all", "adv-02", "withdraw", 2)], True),
        ([("m-1", "provide_contact", "adv-01", "consent", 1), ("m-1", "nobody_knows", None, "opt_out", 2)], False),
        ([("m-1", "provide_contact", "adv-01", "consent", 1), ("m-1", "ads", None, "opt_out", 2)], True),
        ([("m-1", "provide_contact", "adv-01", "consent", 1), ("m-2", "all", None, "opt_out", 2)], True),
        ([("m-1", "provide_purchases", "adv-01", "consent", 1)], True),
        ([("m-1", "ads", "adv-01", "consent", 1)], False),
    ],
)
def test_a_consent_counts_while_it_stands(office: Office, choices: list[Any], is_given: bool) -> None:
    office.choose(*choices)
    if is_given:
        assert office.disclose(**D03).facts["people_n"] == 1
    else:
        with pytest.raises(PolicyError) as refused:
            office.disclose(**D03)
        assert refused.value.rule == "disclose.nobody"
        assert not office.out.exists()


def test_every_item_must_be_covered(office: Office) -> None:
    office.choose(("m-1", "provide_purchases", "adv-01", "consent", 1))  # provides no address
    with pytest.raises(PolicyError, match="about nobody"):
        office.disclose(basis="D-03", recipient="adv-01", items=("NAME", "ADDR"))


def test_an_item_that_no_consent_can_provide_is_refused(office: Office) -> None:
    recipient = replace(office.rules.recipients["adv-01"], items=("NAME", "DOB"))
    rules = replace(office.rules, recipients=MappingProxyType({"adv-01": recipient}))
    with pytest.raises(PolicyError) as refused:
        replace(office, rules=rules).disclose(basis="D-03", recipient="adv-01", items=("DOB",))
    assert refused.value.rule == "disclose.items"
    assert "by consent" in str(refused.value)


@pytest.mark.parametrize(
    ("links", "declared_on", "consents", "rule"),
    [
        (None, None, True, "disclose.declaration"),
        (True, date(2026, 11, 23), True, "disclose.declaration"),
        (True, date(2026, 11, 22), False, "disclose.nobody"),
        (True, date(2026, 11, 22), True, None),
        (False, date(2026, 11, 22), True, None),
    ],
)
def test_personally_referable_information_needs_a_declaration_and_the_consent(
    office: Office, links: bool | None, declared_on: date | None, consents: bool, rule: str | None
) -> None:
    recipient = replace(office.rules.recipients["adv-02"], links_to_persons=links, declared_on=declared_on)
    changed = replace(office, rules=replace(office.rules, recipients=MappingProxyType({"adv-02": recipient})))
    office.choose(("m-1", "provide_purchases", "adv-02", "consent" if consents else "withdraw", 1))
    order = {"basis": "D-03", "recipient": "adv-02", "items": ("ITEM",)}
    if rule is None:
        assert changed.disclose(**order).facts["is_personally_referable"] is True
        assert list(rows(office, "purchase.csv")[0]) == ["person_n", "item_category"]
    else:
        with pytest.raises(PolicyError) as refused:
            changed.disclose(**order)
        assert refused.value.rule == rule


@pytest.mark.clause("S-03")
@pytest.mark.parametrize(
    ("day", "rule"),
    [(date(2029, 3, 31), None), (date(2029, 4, 1), "disclose.contract"), (date(2026, 3, 15), "disclose.contract")],
)
def test_a_contract_holds_to_its_last_day_and_not_before_its_first(office: Office, day: date, rule: str | None) -> None:
    if rule is None:
        assert office.disclose(today=day, **MAIL).facts["people_n"] == 2
        return
    with pytest.raises(PolicyError) as refused:
        office.disclose(today=day, **MAIL)
    assert refused.value.rule == rule


@pytest.mark.clause("D-04")
def test_the_former_name_of_a_statute_held_while_it_stood(office: Office) -> None:
    order = {**D04, "statute": "isp-liability-2001"}
    assert office.disclose(today=date(2025, 3, 31), **order).facts["statute"] == "isp-liability-2001"
    with pytest.raises(PolicyError, match="cite it as platform-response-2025"):
        office.disclose(today=date(2025, 4, 1), **{**order, "case": "K-2"})


@pytest.mark.clause("D-04")
def test_a_case_is_answered_once(office: Office) -> None:
    office.disclose(**D04)
    again = replace(office, out=office.out.with_name("again"))
    with pytest.raises(PolicyError) as refused:
        again.disclose(**D04)
    assert refused.value.rule == "disclose.case"
    assert again.disclose(**{**D04, "case": "K-2"}).facts["disclosure_id"] == "d-20261122-0002"


def test_a_failure_after_the_entry_is_entered_and_leaves_nothing(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> None:
        raise OSError(28, "Hanako Canary")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.rename", fail)
        with pytest.raises(OSError, match="28"):
            office.disclose(**D04)
    assert office.kinds() == ["disclosure", "disclosure_failed"]
    assert office.record() == []
    assert list(office.out.parent.iterdir()) == []
    (entry,) = office.workspace.ledger.entries("disclosure_failed")
    assert entry.body == {"disclosure_id": "d-20261122-0001", "rule": "bug"}
    assert office.disclose(**D04).facts["disclosure_id"] == "d-20261122-0002"  # it was not answered


def test_it_delivers_where_every_file_has_a_name_at_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.O_TMPFILE", 0)  # opening a folder for writing is refused, as such file systems do
    assert office.disclose(**D03).files == ("registration.csv", "manifest.json")
    assert len(rows(office)) == 1
    assert {stat.S_IMODE(path.stat().st_mode) for path in office.out.iterdir()} == {0o600}


def test_a_folder_that_cannot_be_used_is_a_mistake_of_usage(office: Office) -> None:
    (office.out / "mine").mkdir(parents=True)
    inside = replace(office, out=office.workspace.home.root / "given")
    nowhere = replace(office, out=office.out.parent / "no" / "where")
    for wrong in (office, inside, nowhere):
        with pytest.raises(UsageError, match=r"disclose\.out"):
            wrong.disclose(**D03)
    assert office.kinds() == []
    (office.out / "mine").rmdir()
    assert office.disclose(**D03).facts["people_n"] == 1  # an empty one can


@pytest.mark.clause("S-01")
def test_the_scheduler_and_those_without_the_act_are_refused(office: Office) -> None:
    for actor in ("scheduler", "desk", "analyst"):
        workspace = replace(office.workspace, actor=replace(office.workspace.actor, role=actor))
        with pytest.raises(PolicyError) as refused:
            replace(office, workspace=workspace).disclose(**D03)
        assert refused.value.rule == "roles.act"
    assert office.kinds() == ["disclosure_refused"] * 3
