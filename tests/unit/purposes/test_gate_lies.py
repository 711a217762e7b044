"""Contracts that say less than their statements do, and functions of a cookie on their way out: refused by lineage."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gate_mutants import KEY, column, declaring, judged, planted, refusal, rewritten, table

from quorum.lineage.crossings import Crossings, declared_crossings
from quorum.policy import Policy
from quorum.tables import Catalog


@pytest.fixture(scope="module")
def declared(policy: Policy) -> Crossings:
    return declared_crossings(policy.folder)


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
    counts = "select how as held, count(*) as n from seg__planted group by how"
    n = column("n", "STAT", "BIGINT")
    cube = table("cube__planted", "P-03", counts, column("held", "HOW", "BOOLEAN"), n)
    allowed = declaring(declared, "values", "seg__planted.how", "pseudo__planted.who", "presence")
    undated = planted(catalog, person, how, cube)
    judged(undated, policy, allowed, "cube__planted")  # whether there is one tells nothing of which
    worse = replace(how, query="select who as how from pseudo__planted", columns=(column("how", "HOW"),))
    assert refusal(planted(undated, worse), policy, allowed, "cube__planted").rule == "policy.category_change"
    told = replace(how, query="select who as how from pseudo__planted", columns=(column("how", "KEY"),))
    held = replace(cube, columns=(column("held", "KEY"),), query="select how as held from seg__planted")
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


ROWS = {
    "by person": "select count(*) as n from seg__page_view group by person_n",
    "by person, within a section": "select section_id, count(*) as n from seg__page_view group by section_id, person_n",
    "within a person before": "select n from (select person_n, count(*) as n from seg__page_view group by person_n)",
    "by a function of a person": "select count(*) as n from seg__page_view group by person_n % 1000",
    "as a union": "select count(*) as n from seg__page_view union all select 1 as n",
}


@pytest.mark.parametrize("statement", ROWS.values(), ids=list(ROWS))
def test_counts_of_one_person_each_are_no_cube(
    statement: str, catalog: Catalog, policy: Policy, declared: Crossings
) -> None:
    section = [column("section_id", "VIEW")] if "select section_id" in statement else []
    cube = table("cube__planted", "P-03", statement, *section, column("n", "STAT", "BIGINT"))
    assert refusal(planted(catalog, cube), policy, declared, "cube__planted").rule == "policy.row_per_person"
