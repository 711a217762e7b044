from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date

import pytest

from quorum.errors import LedgerError
from quorum.ledger import Ledger
from quorum.zones import Home

NIGHT, NEXT = date(2026, 11, 21), date(2026, 11, 22)


@pytest.fixture
def ledger(home: Home) -> Iterator[Ledger]:
    opened = Ledger(home.ledger)
    yield opened
    opened.close()


def test_entries_form_a_chain(ledger: Ledger) -> None:
    first = ledger.append("a", {"n": 1})
    second = ledger.append("b", {"n": 2})
    assert second.previous == first.hash
    assert ledger.verify() == 2
    assert [entry.body for entry in ledger.entries("b")] == [{"n": 2}]


@pytest.mark.parametrize(
    "tampering",
    [
        "update journal set body = '{\"n\":9}' where seq = 2",
        "update journal set kind = 'z' where seq = 1",
        "delete from journal where seq = 2",
        "delete from journal where seq = 1",
        "update journal set hash = previous where seq = 3",
    ],
)
def test_tampering_with_the_journal_is_found(ledger: Ledger, home: Home, tampering: str) -> None:
    for n in range(3):
        ledger.append("x", {"n": n})
    with sqlite3.connect(home.ledger / "ledger.sqlite") as db:
        db.execute(tampering)
    with pytest.raises(LedgerError, match=r"ledger\.chain"):
        ledger.verify()


def test_a_file_delivered_twice_is_a_duplicate_and_a_rerun_is_not(ledger: Ledger) -> None:
    first = ledger.register_file(NIGHT, "access", "a.log", "d1")
    twice = ledger.register_file(NIGHT, "access", "b.log", "d1")
    rerun = ledger.register_file(NIGHT, "access", "a.log", "d1")
    later = ledger.register_file(NEXT, "access", "a.log", "d1")
    elsewhere = ledger.register_file(NIGHT, "ads", "a.log", "d1")
    assert [f.is_duplicate for f in (first, twice, rerun, later, elsewhere)] == [False, True, False, True, False]
    assert rerun.file_n == first.file_n


def test_accounting_is_kept_by_night(ledger: Ledger) -> None:
    landed = ledger.register_file(NIGHT, "access", "a.log", "d1")
    ledger.record_accounting(landed.file_n, {"read": 1})
    assert ledger.accounting(NIGHT) == [{"read": 1}]
    assert ledger.accounting(NEXT) == []


def test_a_night_is_done_once(ledger: Ledger) -> None:
    assert ledger.night(NIGHT) is None
    ledger.finish_night(NIGHT, "digest", {"releases": 3})
    assert ledger.night(NIGHT) == ("digest", {"releases": 3})
    assert ledger.nights() == [NIGHT]
    assert ledger.entries("night")[0].body == {"night": "2026-11-21", "inputs": "digest", "releases": 3}
    with pytest.raises(LedgerError, match=r"ledger\.night"):
        ledger.finish_night(NIGHT, "digest", {})


def test_a_period_is_released_once(ledger: Ledger) -> None:
    ledger.enter_release("r1", "campaign", "2026-11-20", NIGHT, "c1", {"published_cells": 2})
    ledger.enter_release("r1", "campaign", "2026-11-21", NIGHT, "c2", {"published_cells": 3})
    assert ledger.last_certificate("r1", "campaign") == "c2"
    assert ledger.last_certificate("r2", "campaign") is None
    assert ledger.release("r1", "campaign", "2026-11-20") == {
        "published_cells": 2,
        "certificate": "c1",
        "night": "2026-11-21",
    }
    with pytest.raises(LedgerError, match=r"ledger\.release"):
        ledger.enter_release("r1", "campaign", "2026-11-20", NEXT, "c3", {})
    assert len(ledger.entries("release")) == 2
    ledger.verify()
