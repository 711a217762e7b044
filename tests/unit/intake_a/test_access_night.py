"""A night of access logs: from landed files to partitions of requests, every line accounted for."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import zstandard

from quorum.errors import QuorumError
from quorum.intake.access import take_in_access
from quorum.intake.accounting import Accounting
from quorum.intake.context import Intake

Land = Callable[..., Path]
YESTERDAY, TOMORROW = date(2026, 11, 20), date(2026, 11, 22)


def line(moment: str = "21/Nov/2026:12:00:00 +0900", ip: str = "198.51.100.7", path: str = "/") -> bytes:
    return f'{ip} - - [{moment}] "GET {path} HTTP/1.1" 200 512 "-" "Mozilla/5.0 (Windows NT 10.0)"\n'.encode()


LOG = line() * 3 + b"rubbish\n\n" + line(path="/a b")


def accounting(intake: Intake, night: date) -> dict[str, Accounting]:
    return {taken.file: taken for taken in take_in_access(intake, night)}


def test_every_line_of_every_file_is_accounted_for(loading: Intake, land: Land, night: date) -> None:
    land("access/a.log", LOG)
    land("access/b.log.gz", gzip.compress(LOG))
    land("access/c.gz", gzip.compress(LOG * 500)[:-30])
    land("access/d.log", b"")
    land("access/e.png", b"\x89PNG\r\n\x1a\n\0\0\nmore")
    land("access/f.parquet", b"PAR1\x15\x04\n\xff\xfe\n")
    land("access/g.csv", b"id,name\n1,a\n")
    land("access/h.zst", zstandard.compress(b"\n".join([line().strip()] * 2)))
    land("access/i.gz.gz", gzip.compress(gzip.compress(LOG)))
    land("access/_COMPLETE", b"")
    taken = accounting(loading, night)
    assert taken["access/a.log"] == Accounting(
        "access", "access/a.log", 6, loaded=4, quarantined={"empty": 1, "not_a_log_line": 1}
    )
    assert taken["access/b.log.gz"] == Accounting("access", "access/b.log.gz", 6, duplicate=6)
    truncated = taken["access/c.gz"]
    assert truncated.quarantined == {"truncated": truncated.read}
    assert truncated.read > 1000
    assert taken["access/d.log"] == Accounting("access", "access/d.log", 0)
    assert taken["access/e.png"].quarantined == {"other_format": 4}
    assert taken["access/f.parquet"].quarantined == {"other_format": 2}
    assert taken["access/g.csv"].quarantined == {"not_a_log_line": 2}
    assert (taken["access/h.zst"].read, taken["access/h.zst"].loaded) == (2, 2)
    assert set(taken["access/i.gz.gz"].quarantined) == {"other_format"}
    assert loading.ledger.accounting(night) == [each.as_record() for each in taken.values()]

    requests = loading.store.read("pseudo__access", night)
    assert requests.num_rows == sum(each.loaded for each in taken.values()) == 6
    sealed = loading.store.read("vault__rejected_line", night)
    assert sealed.num_rows == sum(sum(each.quarantined.values()) for each in taken.values())
    assert sealed.filter(pa.compute.equal(sealed["file_n"], 1)).select(["line_n", "reason", "line"]).to_pylist() == [
        {"line_n": 4, "reason": "not_a_log_line", "line": b"rubbish"},
        {"line_n": 5, "reason": "empty", "line": b""},
    ]
    assert set(sealed["source"].to_pylist()) == {"access"}


def test_what_is_written_names_no_one(loading: Intake, land: Land, night: date) -> None:
    land("access/a.log", line(ip="203.0.113.77", path="/mail?to=hanako@example.com") + b"broken hanako@example.com\n")
    take_in_access(loading, night)
    files = [path for path in loading.store.home.root.rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert b"hanako" not in content and b"203.0.113.77" not in content


def test_the_row_of_a_request(loading: Intake, land: Land, night: date) -> None:
    land("access/a.log", b"\n" + line("20/Nov/2026:16:02:03 +0000"))
    take_in_access(loading, night)
    (row,) = loading.store.read("pseudo__access", night).to_pylist()
    assert (row["file_n"], row["line_n"], row["access_date"], row["access_hour"]) == (1, 2, night, 1)
    assert str(row["access_at"]) == "2026-11-20 16:02:03"
    assert (row["network"], row["device"], row["system"]) == ("198.51.100.0/24", "desktop", "windows")
    assert row["is_page_view"]


def test_late_requests_count_tonight_and_waiting_ones_on_their_day(loading: Intake, land: Land, night: date) -> None:
    land(
        "access/a.log",
        line("20/Nov/2026:23:59:59 +0900")
        + line("21/Nov/2026:00:00:00 +0900")
        + line("21/Nov/2026:23:59:59 +0900")
        + line("21/Nov/2026:15:00:00 +0000") * 2
        + line("25/Nov/2026:00:00:00 +0900"),
    )
    taken = accounting(loading, night)["access/a.log"]
    assert (taken.loaded, taken.waiting, taken.late) == (6, 3, 1)
    store = loading.store
    assert {day: store.read("pseudo__access", day).num_rows for day in store.nights("pseudo__access")} == {
        night: 3,
        TOMORROW: 2,
        date(2026, 11, 25): 1,
    }
    assert [path.name for path in store.files("pseudo__access", TOMORROW)] == ["landed-2026-11-21.parquet"]


def test_a_rerun_replaces_what_the_night_wrote(loading: Intake, land: Land, night: date) -> None:
    path = land("access/a.log", line("22/Nov/2026:12:00:00 +0900") + b"rubbish\n")
    land("access/b.log", line())
    take_in_access(loading, night)
    first = loading.store.read("pseudo__access", night)
    assert take_in_access(loading, night) == take_in_access(loading, night)
    assert loading.store.read("pseudo__access", night).equals(first)
    path.write_bytes(line())
    take_in_access(loading, night)
    assert loading.store.nights("pseudo__access") == [night]
    assert loading.store.nights("vault__rejected_line") == []
    assert len(loading.ledger.accounting(night)) == 2


def test_a_night_leaves_the_parts_of_others_alone(loading: Intake, land: Land, night: date) -> None:
    land("access/a.log", line("22/Nov/2026:00:00:01 +0900"))
    land("access/b.log", line("22/Nov/2026:00:00:02 +0900"), TOMORROW)
    take_in_access(loading, night)
    take_in_access(loading, TOMORROW)
    assert loading.store.read("pseudo__access", TOMORROW).num_rows == 2
    take_in_access(loading, TOMORROW)
    assert loading.store.read("pseudo__access", TOMORROW).num_rows == 2


def test_a_night_without_a_file_has_an_empty_partition(loading: Intake, night: date) -> None:
    for _ in range(2):
        assert take_in_access(loading, night) == []
        assert loading.store.nights("pseudo__access") == [night]
        assert loading.store.read("pseudo__access", night).num_rows == 0


def test_a_night_without_a_request_adds_no_empty_part_to_those_of_others(
    loading: Intake, land: Land, night: date
) -> None:
    land("access/a.log", line("22/Nov/2026:00:00:01 +0900"))
    take_in_access(loading, night)
    take_in_access(loading, TOMORROW)
    assert [path.name for path in loading.store.files("pseudo__access", TOMORROW)] == ["landed-2026-11-21.parquet"]


def test_a_night_that_fails_writes_nothing(
    loading: Intake, land: Land, night: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    land("access/a.log", LOG)
    take_in_access(loading, night)
    before = loading.store.read("pseudo__access", night)
    land("access/b.log", line() * 5 + b"more rubbish\n")
    run, calls = loading.engine.run, []

    def fail(*given: Any) -> pa.Table:
        calls.append(given)
        if len(calls) == 2:
            raise QuorumError("engine.failed", "the second file")
        return run(*given)

    monkeypatch.setattr(loading.engine, "run", fail)
    with pytest.raises(QuorumError):
        take_in_access(loading, night)
    assert loading.store.read("pseudo__access", night).equals(before)
    assert loading.store.read("vault__rejected_line", night).num_rows == 2


def test_more_dates_than_files_can_be_open(loading: Intake, land: Land, night: date) -> None:
    days = [night + timedelta(days=n) for n in range(300)]
    land("access/a.log", b"".join(line(day.strftime("%d/%b/%Y:12:00:00 +0900")) for day in days * 2))
    assert accounting(loading, night)["access/a.log"].waiting == 598
    store = loading.store
    assert [store.read("pseudo__access", day).num_rows for day in store.nights("pseudo__access")] == [2] * 300


def test_rows_that_are_held_are_written_at_the_end(
    loading: Intake, land: Land, night: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quorum.intake.access_nights._OPEN_PARTS", 1)
    land("access/a.log", line() + line("22/Nov/2026:12:00:00 +0900"))
    land("access/b.log", line("22/Nov/2026:13:00:00 +0900"))
    take_in_access(loading, night)
    assert loading.store.read("pseudo__access", TOMORROW).num_rows == 2
