"""The fast path of JSON lines reads what the careful path reads, on every line that it takes."""

from __future__ import annotations

import json
from itertools import product

import numpy as np
import pytest

from quorum.intake.access_json import scan_json
from quorum.intake.access_lines import Access, read_line
from quorum.intake.lines import Lines

TIMES = ["2026-11-21T01:02:03+09:00", "2026-11-20T16:02:03.25Z", "21/Nov/2026:01:02:03 +0900"]
RECORD = {"ip": "198.51.100.7", "time": TIMES[0], "request": "GET /a?b HTTP/1.1", "status": 200, "user_agent": "UA"}
VALUES: dict[str, list[object]] = {
    "ip": ["198.51.100.7", "10.0.0.1, 203.0.113.9", "10.0.0.1", "2001:DB8::1", "unknown", "", None],
    "time": TIMES,
    "request": ["GET / HTTP/1.1", "GET /a#b?c HTTP/2", "GET /a b HTTP/1.1", "GET http://x.example/y HTTP/1.1", "-", ""],
    "status": [200, 304, 999, None],
    "bytes": [0, 512, None],
    "referrer": ["-", "https://x.example/"],
    "user_agent": ["Mozilla/5.0 (X)", "日本語", 'a"b\\c\td', "-", "", None],
    "cookie": ["quid=c1", "a=b; quid=c2", "c3", "quid=", "QUID=1", "-", "", None],
}
IRREGULAR: list[dict[str, object]] = [
    {"time": "2026-02-30T00:00:00Z"},
    {"time": "2026-11-21T01:02:03"},
    {"time": None},
    {"request": None},
    {"status": 20},
    {"user_agent": "a\0b"},
    {"user_agent": "{braces}"},
    {"cookie": "quid=\0"},
]


def block(records: list[dict[str, object]], end: str = "\n") -> Lines:
    return Lines(end.join(json.dumps(record, ensure_ascii=False) for record in records).encode(), 11)


def read(lines: Lines) -> tuple[dict[int, Access], list[int]]:
    table, rest = scan_json(lines, np.arange(len(lines)))
    return {row.pop("line_n") - 11: Access(**row) for row in table.to_pylist()}, rest.tolist()


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_regular_lines_are_read_as_the_careful_path_reads_them(end: str) -> None:
    records = [{**RECORD, name: value} for name in VALUES for value in VALUES[name]]
    records += [{**RECORD, "ip": ip, "cookie": c} for ip, c in product(VALUES["ip"], VALUES["cookie"])]
    lines = block(records, end)
    fast, rest = read(lines)
    assert rest == []
    assert fast == {n: read_line(lines[n]) for n in range(len(lines))}


def test_lines_that_are_not_regular_are_left_alone() -> None:
    lines = block([{**RECORD, **change} for change in IRREGULAR] + [RECORD] * 64)
    fast, rest = read(lines)
    assert rest == list(range(len(IRREGULAR)))
    assert set(fast.values()) == {read_line(json.dumps(RECORD).encode())}


def test_a_status_may_be_text_throughout() -> None:
    lines = block(
        [{**RECORD, "status": "404", "bytes": "-"}] * 64 + [{**RECORD, "status": "-"}, {**RECORD, "status": "x"}]
    )
    fast, rest = read(lines)
    assert rest == [65]
    assert [fast[n].status for n in (0, 64)] == [404, None]


@pytest.mark.parametrize(
    "line",
    [
        b'{"ip": 5, "time": "2026-11-21T01:02:03Z", "request": "-"}',
        b'{"time": "2026-11-21T01:02:03Z", "request": "-", "member_id": "m"}',
        b'{"time": "2026-11-21T01:02:03Z", "request": "-", "request": "-"}',
        b'{"time": "2026-11-21T01:02:03Z", "request": "-",}',
        b'{"time": "2026-11-21T01:02:03Z", "request": "\\ud800"}',
        b'{"time": "2026-11-21T01:02:03Z", "request": "\xff"}',
        b'{"time" "request"}',
    ],
)
def test_a_line_that_the_reader_refuses_sends_its_block_to_the_careful_path(line: bytes) -> None:
    lines = Lines(b"\n".join([json.dumps(RECORD).encode()] * 64 + [line]), 11)
    assert read(lines) == ({}, list(range(65)))


def test_two_objects_on_a_line_are_no_line() -> None:
    one = json.dumps(RECORD).encode()
    lines = Lines(b"\n".join([one] * 64 + [one + one, b""]), 11)
    fast, rest = read(lines)
    assert (sorted(fast), rest) == (list(range(64)), [64])


def test_few_lines_and_other_formats_are_left_alone() -> None:
    assert read(block([RECORD] * 3)) == ({}, [0, 1, 2])
    assert read(Lines(b"", 11)) == ({}, [])
    lines = Lines(b"x\n" * 70 + json.dumps(RECORD).encode(), 11)
    assert read(lines) == ({}, list(range(71)))
