"""An erasure in the small: whose rows go, that it can be stopped anywhere, and that it names nobody."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from conftest_rights import everything

from quorum.desk import Desk
from quorum.errors import ConfigurationError, PolicyError
from quorum.ledger.tombstones import load_erased
from quorum.policy import Actor
from quorum.rights import erase as erasing
from quorum.rights.erase import erase, pending
from quorum.rights.person import end_of, find_person
from quorum.rights.receipt import as_text, receipt_of, write_receipt

D1, D2, D3 = date(2026, 11, 20), date(2026, 11, 21), date(2026, 12, 31)
NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)
MAIL, PHONE, NAME = "hanako@example.jp", "090-1234-5678", "山田 花子"
"""Of nobody: example domains and numbers that nobody has."""


def at(hour: int, day: date = D1) -> datetime:
    """An instant as it is stored: in UTC, without a zone."""
    return datetime.combine(day, time(hour))


def micros(instant: datetime) -> int:
    return int(instant.replace(tzinfo=UTC).timestamp()) * 1_000_000


@pytest.fixture
def home_of_two(put: Any, key: Any) -> None:
    """Two members: m-one asks to be erased; they share the cookie c-both, and a telephone number."""
    one, two = key("member", "m-one"), key("member", "m-two")
    own, both = key("cookie", "c-own"), key("cookie", "c-both")
    lent = key("cookie", "c-lent")  # the login of the other member is older than the vault keeps
    address = "東京都港区芝一丁目2-3"
    put(
        "vault__member",
        D1,
        {
            "file_n": 1,
            "line_n": 1,
            "member_id": "m-one",
            "name": NAME,
            "email": MAIL,
            "phone": PHONE,
            "address": address,
        },
        {
            "file_n": 1,
            "line_n": 2,
            "member_id": "m-two",
            "name": "山田 太郎",
            "phone": "(090) 1234 5678",
            "address": address,
        },
    )
    put(
        "vault__login",
        D1,
        {"file_n": 2, "line_n": 1, "event_id": "l-1", "login_at": at(1), "cookie_id": "c-own", "member_id": "m-one"},
        {"file_n": 2, "line_n": 2, "event_id": "l-2", "login_at": at(2), "cookie_id": "c-both", "member_id": "m-one"},
        {"file_n": 2, "line_n": 3, "event_id": "l-3", "login_at": at(6), "cookie_id": "c-both", "member_id": "m-two"},
        {"file_n": 2, "line_n": 4, "event_id": "l-4", "login_at": at(4), "cookie_id": "c-lent", "member_id": "m-one"},
    )
    links = [
        {"cookie_key": own, "member_key": one, "valid_from": at(1), "last_login_at": at(1)},
        {"cookie_key": both, "member_key": one, "valid_from": at(2), "valid_to": at(6), "last_login_at": at(2)},
        {"cookie_key": both, "member_key": two, "valid_from": at(6), "last_login_at": at(6)},
        {"cookie_key": lent, "member_key": two, "valid_from": at(0), "valid_to": at(4), "last_login_at": at(0)},
        {"cookie_key": lent, "member_key": one, "valid_from": at(4), "last_login_at": at(4)},
    ]
    put("pseudo__login_link", D1, *links)
    put("pseudo__login_link", D2, *links)
    events = [
        (1, own, at(0)),
        (2, own, at(3)),
        (3, both, at(1)),
        (4, both, at(3)),
        (5, both, at(6)),
        (6, None, at(3)),
        (8, lent, at(3)),
    ]
    put("pseudo__ad_event", D1, *({"line_n": n, "cookie_key": cookie, "event_at": when} for n, cookie, when in events))
    put("pseudo__ad_event", D3, {"line_n": 7, "cookie_key": own, "event_at": at(3, D3)})
    put("pseudo__member", D2, {"member_key": one}, {"member_key": two})
    put("seg__person_day", D1, {"person_n": 1, "person_key": two}, {"person_n": 2, "person_key": one})
    put("seg__person_day", D1, {"person_n": 3, "person_key": own}, part="more")
    put("seg__ad_event", D1, {"person_n": 1}, {"person_n": 2}, {"person_n": 2}, {"person_n": 3}, {"person_n": None})
    put("seg__ad_event", D2, {"person_n": 2})
    put("p09__public_nickname", D1, {"public_id": key("public", "m-one")}, {"public_id": key("public", "m-two")})
    lines = [f"{{{MAIL}", "tel=%2B81%2090 1234 5678", "quid=c-own;", "quid=c-both;", f"様{NAME}様", "nobody"]
    put(
        "vault__rejected_line",
        D1,
        *({"file_n": 3, "line_n": n, "line": line.encode()} for n, line in enumerate(lines)),
        {"file_n": 3, "line_n": 90, "line": "山田花子,".encode("cp932")},
    )
    put("vault__disclosure", D1, {"member_key": one})
    listed = {"message_id": "n-1", "member_ids": ["m-one", "m-two"]}
    put(
        "vault__request",
        D2,
        {"request_id": "r-0", "kind": "access", "member_id": "m-one", "details": "{}"},
        {"request_id": "r-2", "kind": "notice", "details": json.dumps(listed)},
        {"request_id": "r-3", "kind": "notice", "details": json.dumps({"member_ids": ["m-one"]})},
        {"request_id": "r-4", "kind": "enquiry", "details": json.dumps({"reply_to": MAIL})},
        {"request_id": "r-5", "kind": "enquiry", "member_id": "m-two", "details": json.dumps({"text": f"to {MAIL}"})},
        {"request_id": "r-6", "kind": "erase", "details": "{}"},
    )
    put(
        "vault__request",
        D1,
        {"request_id": "r-1", "kind": "erase", "member_id": "m-one", "details": "{}"},
        {"request_id": "r-7", "kind": "enquiry", "details": json.dumps({"reply_to": MAIL})},
    )
    put(
        "vault__enquiry",
        D2,
        {"request_id": "r-4", "reply_to": MAIL.upper()},
        {"request_id": "r-5", "member_id": "m-two"},
    )


EXPECTED = {
    "vault__member": {str(D1): 1},
    "vault__login": {str(D1): 3},
    "pseudo__login_link": {str(D1): 3, str(D2): 3},
    "pseudo__ad_event": {str(D1): 3, str(D3): 1},
    "pseudo__member": {str(D2): 1},
    "seg__person_day": {str(D1): 2},
    "seg__ad_event": {str(D1): 3},
    "p09__public_nickname": {str(D1): 1},
    "vault__rejected_line": {str(D1): 4},
    "vault__request": {str(D1): 2, str(D2): 3},
    "vault__enquiry": {str(D2): 1},
}


@pytest.mark.usefixtures("home_of_two")
def test_the_persons_rows_go_and_no_others(desk: Desk) -> None:
    before = everything(desk)
    done = erase(desk, "r-1", NOW)
    assert done["rows"] == EXPECTED
    assert done["struck"] == {"vault__request": 2}
    after = everything(desk)
    for table, rows in before.items():
        assert len(rows) - len(after[table]) == sum(EXPECTED.get(table, {}).values()), table
    assert [row["line_n"] for row in after["pseudo__ad_event"]] == [3, 5, 6, 8]
    assert [row["person_n"] for row in after["seg__ad_event"]] == [1, None, 2], "a number is of its night"
    assert [row["line_n"] for row in after["vault__rejected_line"]] == [1, 3, 5], "a shared number names nobody"
    assert [json.loads(row["details"]) for row in after["vault__request"]] == [
        {"message_id": "n-1", "member_ids": ["m-two"]},
        {"text": "(erased)"},
        {},
    ]
    assert len(after["vault__disclosure"]) == 1
    assert not [row for rows in after.values() for row in rows if "m-one" in str(row) or MAIL in str(row).lower()]


@pytest.mark.usefixtures("home_of_two")
def test_stopped_at_any_file_it_goes_on_and_tells_the_same(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    before, whole = everything(desk), erasing.rewrite
    for stop in (0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 40):
        left = [stop]

        def killed(*arguments: Any, left: list[int] = left) -> None:
            if not left[0]:
                raise KeyboardInterrupt
            left[0] -= 1
            whole(*arguments)

        monkeypatch.setattr(erasing, "rewrite", killed)
        try:
            done = erase(desk, "r-1", NOW)
            break
        except KeyboardInterrupt:
            assert load_erased(desk.ledger, desk.keys).members(["m-one", "m-two"]) == {"m-one"}, (
                "the tombstone is first"
            )
    assert stop < 40, "each run does one file, so it is stopped at every one"
    assert (done["rows"], done["struck"]) == (EXPECTED, {"vault__request": 2})
    assert desk.ledger.verify()
    assert erase(desk, "r-1", NOW) == done
    for table, rows in everything(desk).items():
        assert len(before[table]) - len(rows) == sum(EXPECTED.get(table, {}).values()), table


@pytest.mark.usefixtures("home_of_two")
def test_killed_after_the_last_file_it_is_done_the_next_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    entered = desk.ledger.append

    def killed(kind: str, body: Any) -> Any:
        if kind == erasing.DONE:
            raise KeyboardInterrupt
        return entered(kind, body)

    with monkeypatch.context() as patched:
        patched.setattr(desk.ledger, "append", killed)
        with pytest.raises(KeyboardInterrupt):
            erase(desk, "r-1", NOW)
    assert erase(desk, "r-1", NOW)["rows"] == EXPECTED


@pytest.mark.usefixtures("home_of_two")
def test_the_tombstone_holds_until_the_latest_of_clock_night_and_event(desk: Desk, key: Any) -> None:
    erase(desk, "r-1", NOW)
    erased = load_erased(desk.ledger, desk.keys)
    spans = erased.spans_of("cookie", [key("cookie", "c-own"), key("cookie", "c-both"), key("cookie", "c-other")])
    until = micros(at(3, D3))
    assert {span[1] for span in spans[key("cookie", "c-own")]} == {until}
    assert spans[key("cookie", "c-both")] == ((micros(at(2)), micros(at(6)) - 1),)
    assert key("cookie", "c-other") not in spans
    assert end_of(D2) < until


@pytest.mark.usefixtures("home_of_two")
def test_ledger_and_receipt_hold_counts_and_no_name(desk: Desk, key: Any, tmp_path: Path) -> None:
    desk.ledger.register_file(D1, "members", "a.json", "one")
    desk.ledger.register_file(D1, "logins", "m-one.json", "two")
    desk.ledger.register_file(D2, "logins", "again.json", "two")
    receipt = receipt_of(desk, erase(desk, "r-1", NOW))
    assert receipt["removed_rows"] == sum(n for nights in EXPECTED.values() for n in nights.values())
    names = [(f["source"], f["night"], f["name"]) for f in receipt["landing_files"]]
    assert names == [
        ("members", str(D1), "a.json"),
        ("logins", str(D1), "(its name names the person)"),
        ("logins", str(D2), "again.json"),
    ]
    told = json.dumps([receipt, [dict(e.body) for e in desk.ledger.entries()]], ensure_ascii=False) + as_text(receipt)
    for name in ("m-one", "c-own", MAIL, "花子", "5678", "r-1", key("member", "m-one"), key("cookie", "c-own")):
        assert name not in told
    path = write_receipt(receipt, tmp_path / "receipts", desk.home)
    assert json.loads(path.read_text(encoding="utf-8")) == receipt
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(ConfigurationError):
        write_receipt(receipt, desk.home.root / "receipts", desk.home)


@pytest.mark.usefixtures("home_of_two")
def test_only_who_may_and_only_on_a_request_that_landed(desk: Desk) -> None:
    assert pending(desk.store) == 2, "a request without a member too: somebody has to look at it"
    analyst = Desk(desk.home, desk.policy, desk.keys, desk.ledger, desk.store, desk.engine, Actor("x", "analyst"))
    before = everything(desk)
    with pytest.raises(PolicyError, match=r"roles\.act"):
        erase(analyst, "r-1", NOW)
    for request in ("r-2", "r-6", "none"):
        with pytest.raises(PolicyError, match=r"erase\.request"):
            erase(desk, request, NOW)
    assert everything(desk) == before
    assert not desk.ledger.tombstones()
    erase(desk, "r-1", NOW)
    assert pending(desk.store) == 1


@pytest.mark.usefixtures("home_of_two")
def test_what_is_shared_is_not_theirs_alone(desk: Desk, key: Any) -> None:
    person = find_person(desk, "m-one")
    assert person.cookies == {"c-own"}
    assert person.keys == {key("member", "m-one"), key("public", "m-one"), key("cookie", "c-own")}
    assert set(person.shared) == {"c-both", key("cookie", "c-both"), "c-lent", key("cookie", "c-lent")}
    assert {"m-one", MAIL, "山田花子", "c-own"} <= person.pieces
    assert not {"09012345678", "090-1234-5678"} & person.pieces
    assert "m-one" not in repr(person) and MAIL not in repr(person)


def test_half_written_files_of_a_killed_night_go_too(desk: Desk, put: Any) -> None:
    put("vault__request", D1, {"request_id": "r", "kind": "erase", "member_id": "m", "details": "{}"})
    leftover = desk.home.partition("vault__request", D1) / ".landed.parquet.tmp"
    leftover.write_bytes(b"m")
    erase(desk, "r", NOW)
    assert not leftover.exists()
    assert desk.store.read("vault__request", D1).num_rows == 0
    assert pending(desk.store) == 0
