"""P-06: each method asks for what it says, inputs are not kept, a card number in clear is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from desk_portal import AT, CARD, HANAKO, MEMBERS, NIGHT, TARO, Portal

from quorum.errors import ConfigurationError, PolicyError
from quorum.extract.desk_settings import desk_settings
from quorum.extract.identity import check_verified, verify_identity

NAME = "山田花子"
MAIL = {"claimed_name": NAME, "claimed_address": "東京都千代田区桜町1-2-3", "mail_result": "delivered"}
SOUND = {
    "registered_mail": MAIL,
    "document": {"claimed_name": NAME, "claimed_birth_date": date(1990, 3, 15)},
    "bank": {
        "claimed_name": NAME,
        "claimed_bank_account": "０００１ １２３ ７６５４３２１",
    },
    "card": {"claimed_name": NAME, "claimed_card_last4": "1111"},
}


def result(portal: Portal, request: str) -> str:
    return verify_identity(portal.desk, request).facts["result"]


@pytest.mark.clause("P-06")
@pytest.mark.parametrize("method", SOUND)
def test_a_claim_that_agrees_passes_however_it_is_spelt(portal: Portal, method: str) -> None:
    portal.claim("q", HANAKO, method=method, **SOUND[method])
    assert verify_identity(portal.desk, "q").counts == {"passed": 1, "failed": 0}


@pytest.mark.parametrize(
    ("method", "wrong"),
    [
        ("registered_mail", {"mail_result": "returned"}),
        ("registered_mail", {"mail_result": None}),
        ("registered_mail", {"claimed_address": "東京都千代田区桜町1-2-4"}),
        ("registered_mail", {"claimed_address": None}),
        ("registered_mail", {"claimed_name": "山田華子"}),
        ("registered_mail", {"claimed_name": None}),
        ("document", {"claimed_birth_date": date(1990, 3, 16)}),
        ("document", {"claimed_birth_date": None}),
        ("document", {"claimed_address": "大阪府大阪市北区梅町4-5-6"}),
        ("bank", {"claimed_bank_account": "0001-123-7654322"}),
        ("bank", {"claimed_bank_account": None}),
        ("card", {"claimed_card_last4": "1112"}),
        ("card", {"claimed_card_last4": None}),
        ("card", {"claimed_name": "鈴木太郎"}),
    ],
)
def test_a_claim_that_differs_in_one_thing_that_the_method_asks_for_fails(portal: Portal, method: str, wrong) -> None:
    portal.claim("q", HANAKO, method=method, **{**SOUND[method], **wrong})
    assert result(portal, "q") == "failed"


def test_what_is_registered_of_somebody_else_does_not_count(portal: Portal) -> None:
    portal.claim("q", TARO, method="card", **SOUND["card"])
    assert result(portal, "q") == "failed"


def test_the_registration_that_stands_is_compared_and_not_an_earlier_one(portal: Portal) -> None:
    later = {"file_n": 5, "line_n": 1, "member_id": HANAKO, "updated_at": AT, **MEMBERS[HANAKO], "name": "佐藤 花子"}
    portal.put("vault__member", [later], part="later")
    portal.claim("q", HANAKO, method="card", **SOUND["card"])
    assert result(portal, "q") == "failed"


@pytest.mark.clause("P-06")
def test_only_the_result_is_kept(portal: Portal) -> None:
    portal.claim("q", HANAKO, method="registered_mail", **MAIL)
    verify_identity(portal.desk, "q")
    [row] = portal.desk.store.read("p06__verification", NIGHT, purpose="P-06").to_pylist()
    assert (row["method"], row["result"], row["verified_at"]) == ("registered_mail", "passed", AT)
    inputs = {*MAIL.values(), *MEMBERS[HANAKO].values(), HANAKO, "q"} - {"delivered"}
    assert not inputs & set(row.values())
    told = str(portal.entries("extract"))
    assert not any(str(value) in told for value in (NAME, MAIL["claimed_address"], HANAKO, "山田 花子"))


@pytest.mark.clause("P-06")
@pytest.mark.parametrize(
    "field", ["claimed_name", "claimed_address", "claimed_phone", "claimed_bank_account", "claimed_card_last4"]
)
@pytest.mark.parametrize(
    "spelling", [CARD, "4111 1111 1111 1111", "４１１１−１１１１−１１１１−１１１１", "4111.1111.1111.1111"]
)
def test_a_card_number_in_clear_is_refused_wherever_it_stands(portal: Portal, field: str, spelling: str) -> None:
    portal.claim("q", HANAKO, method="card", **{**SOUND["card"], field: f"カード {spelling}"})
    with pytest.raises(PolicyError) as refused:
        verify_identity(portal.desk, "q")
    assert refused.value.rule == "identity.card_in_clear"
    assert "1111" not in str(refused.value)
    assert portal.entries("extract")[-1]["refused"] == {"p06__verification": {"card_in_clear": 1}}
    assert not portal.desk.store.nights("p06__verification")


def test_more_than_the_end_of_a_card_is_refused_though_its_check_digit_is_wrong(portal: Portal) -> None:
    portal.claim("q", HANAKO, method="card", claimed_name=NAME, claimed_card_last4="4111111111111112")
    with pytest.raises(PolicyError, match="card_in_clear"):
        verify_identity(portal.desk, "q")


@pytest.mark.parametrize(("member", "method"), [(None, "card"), (HANAKO, None), (HANAKO, "password")])
def test_a_claim_of_nobody_or_in_no_known_way_is_refused(
    portal: Portal, member: str | None, method: str | None
) -> None:
    portal.claim("q", member, **{**SOUND["card"], "method": method})
    with pytest.raises(PolicyError):
        verify_identity(portal.desk, "q")
    assert sum(portal.entries("extract")[-1]["refused"]["p06__verification"].values()) == 1


def test_a_request_that_is_not_there_is_refused(portal: Portal) -> None:
    with pytest.raises(PolicyError) as refused:
        verify_identity(portal.desk, "nowhere")
    assert refused.value.exit_code == 13


def test_the_same_claim_again_is_as_stored_whatever_changed_meanwhile(portal: Portal) -> None:
    portal.claim("q", HANAKO, method="card", **SOUND["card"])
    assert result(portal, "q") == "passed"
    portal.claim("q", HANAKO, method="card", claimed_name="somebody")
    assert result(portal, "q") == "passed"
    assert portal.desk.store.read("p06__verification", NIGHT, "history").num_rows == 1


def test_a_role_without_the_purpose_verifies_nobody(portal: Portal) -> None:
    portal.claim("q", HANAKO, method="card", **SOUND["card"])
    with pytest.raises(PolicyError, match=r"roles\.purpose"):
        verify_identity(portal.acting_as("analyst").desk, "q")


def test_a_verification_holds_for_the_days_of_the_policy_and_not_a_moment_longer(portal: Portal, keyed) -> None:
    days = desk_settings(portal.desk.policy).verification_days
    end = AT.replace(hour=15, minute=0)  # of the night, in UTC
    portal.verify(HANAKO, at=end - timedelta(days=days))
    check_verified(portal.desk, HANAKO, keyed(HANAKO))
    portal.verify(TARO, at=end - timedelta(days=days, microseconds=1))
    with pytest.raises(PolicyError, match="too long ago"):
        check_verified(portal.desk, TARO, keyed(TARO))


def test_a_claim_that_nobody_looked_at_is_looked_at_when_it_is_needed(portal: Portal, keyed) -> None:
    portal.claim("bad", HANAKO, method="card", claimed_name=NAME, claimed_card_last4=CARD)
    portal.claim("good", HANAKO, method="card", **SOUND["card"])
    check_verified(portal.desk, HANAKO, keyed(HANAKO))
    with pytest.raises(PolicyError, match=r"desk\.identity"):
        check_verified(portal.desk, TARO, keyed(TARO))


def test_a_claim_that_failed_verifies_nobody(portal: Portal, keyed) -> None:
    portal.claim("q", HANAKO, method="card", claimed_name=NAME, claimed_card_last4="9999")
    with pytest.raises(PolicyError, match="no verification that passed"):
        check_verified(portal.desk, HANAKO, keyed(HANAKO))


@pytest.mark.parametrize("text", ["", "verification_days: 0", "verification_days: 90\nother: 1", "{}"])
def test_settings_that_cannot_be_trusted_are_refused(portal: Portal, tmp_path, text: str) -> None:
    (tmp_path / "desk.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        desk_settings(replace(portal.desk.policy, folder=tmp_path))
