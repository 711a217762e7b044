"""Who gets a notice: whoever is addressed, without the stop list, once, at an address; segments come in as an id."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
import pytest

from quorum.errors import EXIT_POLICY, PolicyError
from quorum.extract import p05
from quorum.extract.result import Checked
from quorum.keys import KeyRing
from quorum.tables import Catalog

NIGHT = date(2026, 11, 21)
List = Callable[..., dict[str, Checked]]


def key(n: int) -> str:
    derived = KeyRing(bytes(range(32))).derive("pseudonym/member")
    return hmac.new(derived, f"m-{n}".encode(), hashlib.sha256).hexdigest()[:32]


def member(n: int, **changed: Any) -> dict[str, Any]:
    row = {"file_n": 1, "line_n": n, "member_id": f"m-{n}", "updated_at": datetime.fromisoformat("2026-11-01")}
    return row | {"email": f"m{n}@mail.example", "address": f"東京都 {n}"} | changed


def notice(n: int | None, **changed: Any) -> dict[str, Any]:
    row = {"file_n": 1, "line_n": 1, "request_id": "r-1", "member_id": None if n is None else f"m-{n}"}
    row |= {"requested_on": NIGHT, "requested_at": datetime.fromisoformat("2026-11-21"), "message_id": "msg-1"}
    return row | {"channel": "email", "segment_id": None} | changed


def assigned(n: int, segment: str = "s-1", **changed: Any) -> dict[str, Any]:
    return {"person_key": key(n), "segment_id": segment, "valid_from": NIGHT, "policy_version": 1} | changed


@pytest.fixture
def listed(desk, put) -> List:
    def run(night: date = NIGHT) -> dict[str, Checked]:
        made = {}
        if not desk.store.files("pseudo__stop", night):
            put("pseudo__stop", night=night)
        for table, check in p05.CHECKS.items():
            given = {"p05__addressee": p05.addressees(desk, night)}
            made[table] = check(desk, night, desk.engine.run(table, night, given))
            desk.store.write(table, night, made[table].rows)
        return made

    return run


def people(checked: Checked) -> list[tuple[str, str, str]]:
    rows = checked.rows.to_pylist()
    return sorted((row["message_id"], row["person_key"], row["address"]) for row in rows)


def test_named_members_are_listed_at_the_address_that_stands(put, listed: List) -> None:
    put("vault__member", member(1), member(2), member(3), night=NIGHT - timedelta(days=1))
    put("vault__member", member(1, email="new@mail.example", updated_at=datetime.fromisoformat("2026-11-02"), file_n=2))
    put("vault__notice", notice(1), notice(2, channel="post"), notice(2, message_id="msg-2"))
    made = listed()
    mailed = [("msg-1", key(1), "new@mail.example"), ("msg-2", key(2), "m2@mail.example")]
    assert people(made["p05__mailing_list"]) == mailed
    assert people(made["p05__postal_list"]) == [("msg-1", key(2), "東京都 2")]
    assert not made["p05__mailing_list"].refused


@pytest.mark.clause("P-05")
def test_nobody_of_the_stop_list_is_listed(put, listed: List) -> None:
    put("vault__member", member(1), member(2), member(3))
    put("vault__notice", notice(1), notice(2), notice(3))
    put("pseudo__stop", {"person_key": key(2), "purpose": "P-05"}, {"person_key": key(3), "purpose": "P-01"})
    found = listed()["p05__mailing_list"]
    assert [person for _, person, _ in people(found)] == sorted([key(1), key(3)])
    assert dict(found.refused) == {"stopped": 1}


@pytest.mark.clause("P-05")
def test_without_a_stop_list_nobody_is_addressed(put, desk) -> None:
    put("vault__member", member(1))
    put("vault__notice", notice(1))
    with pytest.raises(PolicyError) as refused:
        p05.addressees(desk, NIGHT)
    assert refused.value.rule == "mail.stop_list"
    for table, check in p05.CHECKS.items():
        with pytest.raises(PolicyError):
            check(desk, NIGHT, desk.catalog[table].arrow_schema().empty_table())


@pytest.mark.clause("P-05")
def test_a_segment_comes_in_as_an_id_and_is_entered_in_the_ledger(put, listed: List, desk) -> None:
    put("vault__member", *(member(n) for n in range(1, 6)))
    put("p01__segment_assignment", assigned(1), assigned(2), assigned(3, valid_to=NIGHT), assigned(4, "s-2"))
    put("vault__notice", notice(None, segment_id="s-1"), notice(4, segment_id="s-2"), notice(5, segment_id="s-2"))
    found = listed()["p05__mailing_list"]
    assert [person for _, person, _ in people(found)] == sorted([key(1), key(2), key(4)])
    assert dict(found.refused) == {"not_in_segment": 1}
    crossings = [entry.body for entry in desk.ledger.entries(p05.CROSSING)]
    assert crossings
    assert crossings[0]["from"] == "p01__segment_assignment"
    assert crossings[0]["people_n"] == {"s-1": 2, "s-2": 2}
    assert key(1) not in str(crossings)


def test_no_segment_no_crossing(put, listed: List, desk) -> None:
    put("vault__member", member(1))
    put("vault__notice", notice(1))
    listed()
    assert not desk.ledger.entries(p05.CROSSING)


def test_one_person_is_listed_once_for_a_message(put, listed: List) -> None:
    put("vault__member", member(1), member(2, email=None))
    put("p01__segment_assignment", assigned(1), assigned(1, "s-2"))
    notices = [notice(1), notice(1, request_id="r-2"), notice(1, channel="post"), notice(2), notice(2, channel="post")]
    put("vault__notice", *notices, notice(None, segment_id="s-1"), notice(None, segment_id="s-2"))
    made = listed()
    assert people(made["p05__mailing_list"]) == [("msg-1", key(1), "m1@mail.example")]
    assert people(made["p05__postal_list"]) == [("msg-1", key(2), "東京都 2")]
    assert dict(made["p05__mailing_list"].refused) == {"no_address": 1}
    assert not made["p05__postal_list"].refused


def test_a_message_reaches_nobody_a_second_time_on_a_later_night(put, listed: List) -> None:
    later = NIGHT + timedelta(days=1)
    put("vault__member", member(1), member(2))
    put("vault__notice", notice(1))
    listed()
    put("vault__notice", notice(1), notice(1, channel="post"), notice(2), night=later)
    made = listed(later)
    assert people(made["p05__mailing_list"]) == [("msg-1", key(2), "m2@mail.example")]
    assert not made["p05__mailing_list"].refused
    assert made["p05__postal_list"].rows.num_rows == 0
    assert not made["p05__postal_list"].refused


def test_people_without_an_address_are_counted_and_not_listed(put, listed: List) -> None:
    emails = [None, " ", "not an address", "a@b", "a@mail.example,b@mail.example", "a@mail.example\nBcc: b@x.example"]
    put("vault__member", *(member(n, email=email) for n, email in enumerate(emails, 1)), member(9, address=None))
    put("vault__notice", *(notice(n) for n in range(1, 9)), notice(9, channel="post"))
    made = listed()
    assert made["p05__mailing_list"].rows.num_rows == 0
    assert dict(made["p05__mailing_list"].refused) == {"no_address": 4, "bad_address": 4}
    assert made["p05__postal_list"].rows.num_rows == 0
    assert dict(made["p05__postal_list"].refused) == {"no_address": 1}


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"message_id": None}, "no_message"),
        ({"message_id": " "}, "no_message"),
        ({"channel": None}, "no_channel"),
        ({"channel": "fax"}, "no_channel"),
        ({"member_id": None}, "no_addressee"),
        ({"member_id": None, "segment_id": "nobody"}, "no_addressee"),
    ],
)
def test_a_notice_that_cannot_go_out_gives_nothing(put, listed: List, changed, reason: str) -> None:
    put("vault__member", member(1))
    put("vault__notice", notice(1, **changed))
    made = listed()
    assert not made["p05__mailing_list"].rows.num_rows + made["p05__postal_list"].rows.num_rows
    assert dict(made["p05__mailing_list"].refused) == {reason: 1}


def test_a_notice_counts_on_its_own_day_and_a_late_one_when_it_lands(put, listed: List) -> None:
    later = NIGHT + timedelta(days=1)
    put("vault__member", member(1), member(2))
    put("vault__notice", notice(1, requested_on=later), notice(2, requested_on=NIGHT - timedelta(days=3)))
    assert [person for _, person, _ in people(listed()["p05__mailing_list"])] == [key(2)]
    assert [person for _, person, _ in people(listed(later)["p05__mailing_list"])] == [key(1)]


def test_two_people_with_one_address_are_two(put, listed: List) -> None:
    put("vault__member", member(1, email="home@mail.example"), member(2, email="home@mail.example"))
    put("vault__notice", notice(1), notice(2))
    assert listed()["p05__mailing_list"].rows.num_rows == 2


def test_the_same_night_again_gives_the_same(put, listed: List) -> None:
    put("vault__member", *(member(n) for n in range(9)))
    put("vault__notice", *(notice(n, channel="email" if n % 2 else "post") for n in range(9)))
    first, again = listed(), listed()
    assert all(first[table].rows.equals(again[table].rows) for table in p05.CHECKS)


def test_a_night_without_notices_lists_nobody(listed: List) -> None:
    assert all(made.rows.num_rows == 0 and not made.refused for made in listed().values())


@pytest.mark.clause("P-05")
@pytest.mark.parametrize("table", list(p05.CHECKS))
def test_a_statement_that_forgot_the_stop_list_or_lists_somebody_twice_is_blocked(put, listed, desk, table) -> None:
    put("pseudo__stop", {"person_key": key(2), "purpose": "P-05"})
    schema = desk.catalog[table].arrow_schema()
    row = {"message_id": "msg-1", "person_key": key(1), "address": "a@mail.example", "listed_on": NIGHT}
    for rows, rule in (([row, row], "mail.twice"), ([row, row | {"person_key": key(2)}], "mail.stop")):
        with pytest.raises(PolicyError) as refused:
            p05.CHECKS[table](desk, NIGHT, pa.Table.from_pylist(rows, schema))
        assert refused.value.rule == rule
        assert refused.value.exit_code == EXIT_POLICY


@pytest.mark.clause("P-05")
def test_the_lists_hold_an_address_and_no_attribute(catalog: Catalog, policy) -> None:
    for table, address in (("p05__mailing_list", "EMAIL"), ("p05__postal_list", "ADDR")):
        assert [c.name for c in catalog[table].columns] == ["message_id", "person_key", "address", "listed_on"]
        assert {c.category for c in catalog[table].columns} == {"FACT", "KEY", address, "META"}
