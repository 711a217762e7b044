"""A table planted for a purpose, with what the clause says must be refused: honest contracts, refused reads.

Each planted table binds, and says the truth about its categories; the gate must name it and refuse it by its rule.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from gate_mutants import KEY, column, declaring, judged, planted, refusal, table

from quorum.errors import PolicyError
from quorum.lineage.crossings import Crossings, declared_crossings
from quorum.lineage.purposes import check_needed
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.tables.catalog import Column


@pytest.fixture(scope="module")
def declared(policy: Policy) -> Crossings:
    return declared_crossings(policy.folder)


@dataclass(frozen=True)
class Planted:
    """A table of a purpose that holds, or is decided by, what the purpose may not have.

    Args:
        purpose: its purpose.
        name: its name.
        statement: what it says.
        columns: its contract, honest about every category.
        rule: the rule that refuses it.
        says: what the message must name.
    """

    purpose: str
    name: str
    statement: str
    columns: tuple[Column, ...]
    rule: str
    says: tuple[str, ...]


def holds(purpose: str, name: str, source: str, category: str, type_: str = "VARCHAR") -> Planted:
    """A table of a purpose with one column of a parent in it, under its own category."""
    parent, base = source.split(".")
    return Planted(
        purpose,
        name,
        f"select {base} as held from {parent}",
        (column("held", category, type_),),
        "policy.holds",
        (f"{name}.held", category, purpose),
    )


def decided(purpose: str, name: str, source: str, category: str, condition: str) -> Planted:
    """A table of a purpose whose rows are decided by a column of another table."""
    parent, base = source.split(".")
    return Planted(
        purpose,
        name,
        f"select 1 as row_n from {parent} where {condition}",
        (column("row_n", "META", "INTEGER"),),
        "policy.touches",
        (name, f"{parent}.{base}", category, purpose),
    )


PLANTED = [
    # P-01 to P-03: DOB, IND, INT, IP, contact data are not ATTR; nothing of billing
    *(
        planted_case
        for purpose, name in (("P-01", "p01__planted"), ("P-02", "p02__planted"), ("P-03", "p03__planted"))
        for planted_case in (
            holds(purpose, name, "vault__member.birth_date", "DOB", "DATE"),
            holds(purpose, name, "vault__member.industry", "IND"),
            holds(purpose, name, "vault__member.interests", "INT"),
            holds(purpose, name, "vault__member.email", "EMAIL"),
            holds(purpose, name, "vault__member.address", "ADDR"),
            holds(purpose, name, "vault__member.phone", "TEL"),
            holds(purpose, name, "vault__member.name", "NAME"),
            holds(purpose, name, "vault__access.ip", "IP"),
            holds(purpose, name, "vault__partner_transaction.amount_micros", "FEE", "BIGINT"),
            holds(purpose, name, "vault__partner_transaction.billed_micros", "PBILL", "BIGINT"),
            decided(purpose, name, "vault__member.interests", "INT", "interests = 'golf'"),
            decided(purpose, name, "vault__member.birth_date", "DOB", "birth_date > DATE '2000-01-01'"),
            decided(purpose, name, "vault__access.ip", "IP", "ip is not null"),
            decided(purpose, name, "vault__refusal.reason_code", "MODE", "reason_code = 'abuse'"),
        )
    ),
    # P-03: of a person in any form
    holds("P-03", "p03__planted", "vault__access.cookie_id", "COOKIE"),
    # P-04: unlisted columns
    holds("P-04", "p04__planted", "vault__refusal.reason_code", "MODE"),
    holds("P-04", "p04__planted", "vault__partner_transaction.billed_micros", "PBILL", "BIGINT"),
    # P-05: ATTR columns, in its rows or deciding about them, there or before
    *(
        planted_case
        for source, category in (
            ("pseudo__member.gender", "GEN"),
            ("pseudo__member.prefecture", "ZIP"),
            ("pseudo__member.occupation", "OCC"),
            ("seg__event.section_id", "VIEW"),
            ("seg__event.device", "ENV"),
        )
        for planted_case in (
            holds("P-05", "p05__planted", source, category),
            decided("P-05", "p05__planted", source, category, f"{source.split('.')[1]} = 'a'"),
        )
    ),
    Planted(
        "P-05",
        "p05__planted",
        "select person_key from seg__person_day",  # whose rows are decided by age and place
        (KEY,),
        "policy.touches",
        ("p05__planted", "P-05"),
    ),
    # P-06: the inputs copied, a card number in clear
    holds("P-06", "p06__planted", "vault__verification_claim.claimed_name", "NAME"),
    holds("P-06", "p06__planted", "vault__member.card_number", "CARD"),
    holds("P-06", "p06__planted", "vault__verification_claim.mail_result", "MAILRES"),
    # P-07: a join to VIEW
    decided("P-07", "p07__planted", "seg__event.section_id", "VIEW", "section_id = 'news'"),
    holds("P-07", "p07__planted", "seg__event.section_id", "VIEW"),
    # P-08: what is not registered data
    holds("P-08", "p08__planted", "vault__member.card_number", "CARD"),
    # P-09: any other column
    holds("P-09", "p09__planted", "vault__member.name", "NAME"),
    holds("P-09", "p09__planted", "vault__member.gender", "GEN"),
    # P-11: free text in any other purpose
    *(
        holds(f"P-{n:02}", f"p{n:02}__planted", "vault__enquiry.enquiry_text", "INQ")
        for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
    ),
]


@pytest.mark.clause("C-08", "P-01", "P-02", "P-03")
@pytest.mark.parametrize("case", PLANTED, ids=lambda case: f"{case.purpose} {case.statement[7:70]}")
def test_a_table_with_what_its_purpose_may_not_have_is_refused(
    case: Planted, catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    made = table(case.name, case.purpose, case.statement, *case.columns)
    refused = refusal(planted(catalog, made), policy, declared, case.name)
    assert refused.rule == case.rule
    assert all(part in str(refused) for part in case.says), str(refused)


OTHERS = [
    ("P-01", "p10__refusal_list", "person_key"),
    ("P-02", "p10__refusal_list", "person_key"),
    ("P-03", "p10__refusal_list", "person_key"),
    ("P-04", "p06__verification", "result"),
    ("P-07", "seg__page_view", "section_id"),
    ("P-05", "p07__receipt", "person_key"),
    ("INFRA", "p10__refusal_list", "person_key"),
]


@pytest.mark.parametrize(("purpose", "parent", "read"), OTHERS)
@pytest.mark.parametrize("how", ["value", "use", "rows"])
def test_a_table_of_another_purpose_is_not_read(
    purpose: str, parent: str, read: str, how: str, catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    name = "p99__planted" if purpose == "INFRA" else f"p{purpose[2:]}__planted"
    category = catalog[parent].column(read).category
    statement, held = {
        "value": (f"select {read} as held from {parent}", column("held", category)),
        "use": (f"select 1 as held from {parent} where {read} = 'a'", column("held", "META", "INTEGER")),
        "rows": (f"select 1 as held from {parent}", column("held", "META", "INTEGER")),
    }[how]
    refused = refusal(planted(catalog, table(name, purpose, statement, held)), policy, declared, name)
    assert refused.rule in ("policy.purpose_within", "policy.holds", "policy.touches")
    assert name in str(refused)
    if how == "rows":
        assert refused.rule == "policy.purpose_within"


def test_a_declared_crossing_of_purposes_is_read_column_by_column(
    catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    made = table("p04__planted", "P-04", "select person_key from p10__refusal_list", KEY)
    allowed = declaring(declared, "purposes", "p04__planted", "p10__refusal_list.person_key", "segment_id")
    judged(planted(catalog, made), policy, allowed, "p04__planted")
    wider = table("p04__planted", "P-04", "select person_key from p10__refusal_list where review_on is null", KEY)
    assert "p10__refusal_list.review_on" in str(refusal(planted(catalog, wider), policy, allowed, "p04__planted"))
    unread = table("p04__planted", "P-04", "select 1 as n from p04__attribute", column("n", "META", "INTEGER"))
    with pytest.raises(PolicyError, match="does not happen"):
        check_needed(judged(planted(catalog, unread), policy, allowed, "p04__planted"))
