"""The fast path reads what the careful path reads, on every line that it takes; the real log is the judge."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import pytest

from quorum.intake.access import CHUNK_LINES, read_chunks
from quorum.intake.access_lines import Access, read_line
from quorum.intake.access_scan import SCHEMA, scan
from quorum.intake.accounting import Reason
from quorum.intake.files import Landed, examine
from quorum.intake.lines import Lines

TIME = "21/Nov/2026:01:02:03 +0900"
AGENT = '"https://example.com/?a" "Mozilla/5.0 (X)"'
REGULAR = [
    f'198.51.100.7 - - [{TIME}] "GET /a?b HTTP/1.1" 200 512 {AGENT}',
    f'198.51.100.7 - - [{TIME}] "GET /a#b?c HTTP/1.0" 304 -',
    f'2001:db8::1 - frank [{TIME}] "POST /%E3%81%82 HTTP/2.0" 302 0 "-" "-"',
    f'10.0.0.1,203.0.113.9 - - [{TIME}] "HEAD / HTTP/1.1" 206 1 "" ""',
    f'host.example.com - - [{TIME}] "GET /? HTTP/1.1" 999 123456789012 {AGENT}',
    f'198.51.100.7 - - [29/Feb/2024:23:59:59 -1130] "PROPFIND /dav HTTP/1.1" 207 5 {AGENT}',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 "あ" "日本語 (X)"',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT} "quid=c1"',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT} "a=b; quid=c2; c=d"',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT} "quid="',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT} "quid=-"',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT} "-"',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT} "10.0.0.1, 203.0.113.9"',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT} "quid=c1" "203.0.113.9"',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT} "-" "not a list"',
]
IRREGULAR = [
    "",
    "x",
    f'198.51.100.7 - - [{TIME}] "GET /a HTTP/1.1" 200 512 "-" "C:\\\\x"',
    f'198.51.100.7 - - [{TIME}] "GET /a HTTP/1.1" 200 512 "-" "a\tb"',
    f'198.51.100.7 - - [{TIME}] "GET /a b HTTP/1.1" 200 512 {AGENT}',
    f'198.51.100.7 - - [{TIME}] "GET http://example.com/ HTTP/1.1" 200 512 {AGENT}',
    f'198.51.100.7 - - [{TIME}] "-" 400 0 {AGENT}',
    f'198.51.100.7 - john doe [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT}',
    f'198.51.100.7, 10.0.0.1 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT}',
    f'198.51.100.7 - - [31/Nov/2026:01:02:03 +0900] "GET / HTTP/1.1" 200 512 {AGENT}',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" - 512 {AGENT}',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT} "gzip"',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT} "203.0.113.9" "quid=c1"',
    f'198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT} ',
    f'foo,bar - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT}',
    f'\ufeff198.51.100.7 - - [{TIME}] "GET / HTTP/1.1" 200 512 {AGENT}',
]


def careful(lines: Lines, index: int) -> Access:
    found = read_line(lines[index])
    assert isinstance(found, Access), lines[index]
    return found


def test_every_line_is_taken_once_and_read_alike() -> None:
    for end in ("\n", "\r\n"):
        lines = Lines(end.join([*IRREGULAR, *REGULAR]).encode(), 101)
        table, rest = scan(lines)
        assert rest.tolist() == list(range(len(IRREGULAR)))
        for row in table.to_pylist():
            line_n = row.pop("line_n")
            assert careful(lines, line_n - 101)._asdict() == row
        assert table["line_n"].to_pylist() == list(range(101 + len(IRREGULAR), 101 + len(lines)))


def test_a_line_that_is_not_utf8_is_left_to_the_careful_path_alone() -> None:
    good, bad = REGULAR[6].encode(), REGULAR[6].encode().replace("あ".encode(), b"\xe3\x81")
    table, rest = scan(Lines(b"\n".join([good, bad, good]), 1))
    assert rest.tolist() == [1]
    assert table["line_n"].to_pylist() == [1, 3]


@pytest.mark.parametrize("block", [b"", b"\n", b"\r\n", b'"', b" ", b"\n\n\n", b'""""""', b"\0"])
def test_blocks_without_a_regular_line(block: bytes) -> None:
    lines = Lines(block, 1)
    table, rest = scan(lines)
    assert (table.num_rows, table.schema) == (0, SCHEMA)
    assert rest.tolist() == list(range(len(lines)))


def test_the_real_log_line_by_line(shared: Path) -> None:
    lines = Lines((shared / "data/access/semicomplete_2015.log").read_bytes(), 1)
    table, rest = scan(lines)
    assert (len(lines), table.num_rows + len(rest)) == (10_000, 10_000)
    assert len(rest) < 10
    for row in table.to_pylist():
        line_n = row.pop("line_n")
        assert careful(lines, line_n - 1)._asdict() == row
    refused = {index + 1: read_line(lines[index]) for index in rest.tolist()}
    assert {n: found for n, found in refused.items() if isinstance(found, Reason)} == {8899: Reason.UNCLOSED_QUOTE}


def test_chunks_hold_every_line_of_the_real_log(shared: Path) -> None:
    path = shared / "data/access/semicomplete_2015.log"
    landed = Landed("access", "access/x", path, 1, examine(path).lines, is_duplicate=False, is_truncated=False)
    chunks = list(read_chunks(landed, CHUNK_LINES))
    assert sum(chunk.requests.num_rows for chunk in chunks) == 9_999
    assert [(n, reason) for chunk in chunks for n, reason, _ in chunk.rejected] == [(8899, "unclosed_quote")]


def test_a_block_of_many_empty_lines_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quorum.intake.access.CHUNK_LINES", 3)
    path = tmp_path / "x"
    path.write_bytes(b"\n" * 4 + b"a\n" + b"\n" * 3 + b"b")
    landed = Landed("access", "access/x", path, 1, examine(path).lines, is_duplicate=False, is_truncated=False)
    chunks = [[(n, line) for n, _, line in chunk.rejected] for chunk in read_chunks(landed, 3)]
    assert [len(chunk) for chunk in chunks] == [3, 3, 3]
    assert list(chain.from_iterable(chunks)) == [(n, {5: b"a", 9: b"b"}.get(n, b"")) for n in range(1, 10)]
