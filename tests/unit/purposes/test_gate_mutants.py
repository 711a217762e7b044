"""The gate refuses what each clause says must be refused: small changes of the product's own statements.

A mutant is a part of a statement and what stands in its place. It must bind, its contract and the policy stay as they
are but where a column is added, and the gate must refuse it by the rule that is named here, naming the table.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest

from quorum.errors import PolicyError
from quorum.lineage.crossings import Crossing, Crossings, declared_crossings
from quorum.lineage.flows import Flows
from quorum.lineage.product import product_lineage
from quorum.lineage.purposes import check_needed, check_purposes
from quorum.lineage.refusal import LineageError
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.tables.catalog import Column, Table


def column(name: str, category: str, type_: str = "VARCHAR") -> Column:
    return Column(name, type_, category, "text", "planted")


def table(name: str, purpose: str, statement: str, *columns: Column) -> Table:
    return Table(name, "planted", "a row", purpose, "test", "cube", columns, statement, False, ())


def planted(catalog: Catalog, *tables: Table) -> Catalog:
    return Catalog(MappingProxyType({**catalog.tables, **{made.name: made for made in tables}}))


def rewritten(catalog: Catalog, name: str, old: str, new: str, *added: Column) -> Catalog:
    """The catalogue with a part of a statement in the place of another, and columns added to its contract."""
    contract = catalog[name]
    statement = str(contract.query).replace(old, new, 1)
    assert statement != contract.query, f"{name} does not say {old}"
    return planted(catalog, replace(contract, query=statement, columns=(*contract.columns, *added)))


def declaring(declared: Crossings, section: str, to: str, base: str, way: str) -> Crossings:
    return replace(declared, **{section: MappingProxyType({**getattr(declared, section), Crossing(to, base): way})})


@pytest.fixture(scope="module")
def declared(policy: Policy) -> Crossings:
    return declared_crossings(policy.folder)


def judged(catalog: Catalog, policy: Policy, declared: Crossings, *names: str) -> Flows:
    """Judge some tables and all that they are made of; they bind: what is refused is what they do."""
    product_lineage(part_of(catalog, names), policy)
    return check_purposes(part_of(catalog, names), policy, part_declared(declared, part_of(catalog, names)))


def part_of(catalog: Catalog, names: tuple[str, ...]) -> Catalog:
    wanted: dict[str, Table] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted[name] = catalog[name]
            waiting += [read.table for read in catalog[name].reads]
    return Catalog(MappingProxyType(wanted))


def part_declared(declared: Crossings, catalog: Catalog) -> Crossings:
    def kept(section: str) -> MappingProxyType[Crossing, str]:
        crossings = getattr(declared, section).items()
        return MappingProxyType({c: way for c, way in crossings if c.to.split(".")[0] in catalog.tables})

    return Crossings(kept("values"), kept("uses"), kept("purposes"))


def refusal(catalog: Catalog, policy: Policy, declared: Crossings, *names: str) -> PolicyError:
    with pytest.raises(PolicyError) as refused:
        judged(catalog, policy, declared, *names)
    assert not isinstance(refused.value, LineageError)
    assert refused.value.exit_code == 13
    assert refused.value.remedy
    return refused.value


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


KEY = column("person_key", "KEY")


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


def test_an_email_under_the_category_of_gender_is_refused(
    catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    lies = rewritten(catalog, "pseudo__member", "coalesce(gender.gender, 'unknown')", "version.gender_term")
    lies = rewritten(lies, "pseudo__member", "lower(trim(gender))", "lower(trim(email))")
    refused = refusal(lies, policy, declared, "pseudo__member")
    assert refused.rule == "policy.category_change"
    assert "vault__member.email" in str(refused)


def test_an_email_that_only_decides_is_refused(catalog: Catalog, policy: Policy, declared: Crossings) -> None:
    looked_up = rewritten(catalog, "pseudo__member", "lower(trim(gender))", "lower(trim(email))")
    assert "vault__member.email" in str(refusal(looked_up, policy, declared, "pseudo__member"))


@pytest.mark.clause("P-03", "P-03n")
@pytest.mark.parametrize("held", ["person_n", "hash(person_n)", "left(cast(person_n as varchar), 3)"])
def test_a_row_per_person_in_a_cube_is_refused(
    held: str, catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    statement = f"select {held} as campaign_id, count(*) as view_n from seg__page_view group by {held}"
    cube = table("cube__planted", "P-03", statement, column("campaign_id", "FACT"), column("view_n", "STAT", "BIGINT"))
    refused = refusal(planted(catalog, cube), policy, declared, "cube__planted")
    assert refused.rule == "policy.category_change"
    assert "cube__planted.campaign_id" in str(refused)


COOKIES = {
    "itself": "cookie_id",
    "a hash": "sha256(cookie_id)",
    "a prefix": "left(cookie_id, 4)",
    "an HMAC": "pseudonym_cookie(cookie_id)",
    "its length": "cast(length(cookie_id) as varchar)",
    "one of them": "max(cookie_id)",
}


@pytest.mark.clause("K-03")
@pytest.mark.parametrize("function", COOKIES.values(), ids=list(COOKIES))
@pytest.mark.parametrize("name", ["d03__planted", "cube__planted"])
def test_no_function_of_a_cookie_reaches_another_company(
    name: str, function: str, catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    statement = f"select {function} as held from vault__login"
    purpose = "INFRA" if name.startswith("d") else "P-03"
    for category in ("FACT", "HOW", "KEY", "COOKIE"):
        outside = planted(catalog, table(name, purpose, statement, column("held", category)))
        refused = refusal(outside, policy, declared, name)
        assert name in str(refused)
        if category == "KEY" and "pseudonym" in function:  # the same, declared: still outside
            allowed = declaring(declared, "values", f"{name}.held", "vault__login.cookie_id", "hmac_pseudonym")
            assert refusal(outside, policy, allowed, name).rule == "policy.outside"


@pytest.mark.clause("K-03")
def test_a_cookie_does_not_reach_another_company_by_way_of_other_tables(
    catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    """Three statements away, through a declared declassifier and under a declared category of its own."""
    person = table("pseudo__planted", "INFRA", "select cookie_key as who from pseudo__access", column("who", "KEY"))
    how = table(
        "seg__planted", "INFRA", "select who is null as how from pseudo__planted", column("how", "HOW", "BOOLEAN")
    )
    cube = table("cube__planted", "P-03", "select how as held from seg__planted", column("held", "HOW", "BOOLEAN"))
    allowed = declaring(declared, "values", "seg__planted.how", "pseudo__planted.who", "presence")
    undated = planted(catalog, person, how, cube)
    judged(undated, policy, allowed, "cube__planted")  # whether there is one tells nothing of which
    worse = replace(how, query="select who as how from pseudo__planted", columns=(column("how", "HOW"),))
    assert refusal(planted(undated, worse), policy, allowed, "cube__planted").rule == "policy.category_change"
    told = replace(how, query="select who as how from pseudo__planted", columns=(column("how", "KEY"),))
    held = replace(cube, columns=(column("held", "KEY"),))
    assert refusal(planted(undated, told, held), policy, declared, "cube__planted").rule == "policy.outside"


@pytest.mark.clause("K-03")
def test_a_count_of_cookies_may_leave_and_a_maximum_may_not(
    catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    def cube(measure: str) -> Catalog:
        return planted(
            catalog,
            table("cube__planted", "P-03", f"select {measure} as n from seg__page_view", column("n", "STAT", "BIGINT")),
        )

    judged(cube("count(distinct person_n)"), policy, declared, "cube__planted")
    judged(cube("cast(sum(1) as bigint)"), policy, declared, "cube__planted")
    for measure in ("max(person_n)", "cast(sum(person_n) as bigint)", "count(person_n) + min(person_n)"):
        assert refusal(cube(measure), policy, declared, "cube__planted").rule == "policy.category_change"


@pytest.mark.clause("P-03n")
def test_a_number_in_a_row_about_one_person_is_no_statistic(
    catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    made = table(
        "p02__planted",
        "P-02",
        "select person_key, count(*) as event_n from seg__event group by person_key",
        KEY,
        column("event_n", "STAT", "BIGINT"),
    )
    assert refusal(planted(catalog, made), policy, declared, "p02__planted").rule == "policy.category_change"


def test_what_a_disclosure_takes_from_is_decided_by_who_is_in_scope_only(
    catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    old, new = "order by person_n", "and member.interests = 'golf' order by person_n"
    chosen = rewritten(catalog, "d03__registration", old, new)
    assert "vault__member.interests" in str(refusal(chosen, policy, declared, "d03__registration"))


def test_what_python_makes_has_the_categories_of_its_parents(
    catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    safe = catalog["safe__section_device"]
    wider = replace(safe, columns=(*safe.columns, column("occupation", "OCC")))
    refused = refusal(planted(catalog, wider), policy, declared, "safe__section_device")
    assert "safe__section_device.occupation" in str(refused)
