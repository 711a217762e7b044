"""Whatever lands, nothing is lost and nothing crashes; and what is written as a log line is read as it was meant."""

from __future__ import annotations

import gzip
import tempfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import zstandard
from hypothesis import example, given, settings
from hypothesis import strategies as st

from quorum.intake.access import read_chunks
from quorum.intake.access_lines import Access, read_line
from quorum.intake.access_scan import scan
from quorum.intake.accounting import Reason
from quorum.intake.files import Landed, examine, whole_bytes
from quorum.intake.lines import Lines

PACKINGS = st.sampled_from([bytes, gzip.compress, zstandard.compress])
LINES = [
    b'198.51.100.7 - - [21/Nov/2026:01:02:03 +0900] "GET /a/b?c=d#e HTTP/1.1" 200 123 "https://x.example/" "UA (X; Y)"',
    b'10.1.2.3 - bob [29/Feb/2024:23:59:59 -0330] "POST /a HTTP/1.0" 304 - "-" "-" "a=b; quid=zz"',
    b'2001:db8::1 - - [31/Dec/2026:23:59:59 +1400] "HEAD /?x HTTP/2.0" 206 9 "" "\xe3\x81\x82" "quid=c" "8.8.8.8, ::1"',
    b'h.example.com - - [01/Jan/2026:00:00:00 +0000] "-" 400 0',
    b'{"ip": "198.51.100.7", "time": "2026-11-21T01:02:03Z", "request": "GET / HTTP/1.1", "status": 200}',
]
PIECES = [
    *(bytes([code]) for code in b"\" \\[]-?#{},;=/:1+%'\r\n\t\0\x0b\x1f\x7f\x85\xff"),
    *(b'" "', b'""', b'\\"', b"\\x22", b"  ", b"quid=", b"::1", b"8.8.8.8", b"unknown", b"30/Feb/2026", b"HTTP/1.1"),
    *(b"\xef\xbb\xbf", b"\xe3\x80\x80", b"\xc2\xa0", b"\x16\x03\x01"),
]


@st.composite
def nearly_regular(draw: st.DrawFn) -> bytes:
    """A log line with a few bytes put in, overwritten or left out."""
    line = draw(st.sampled_from(LINES))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(line)))
        line = line[:start] + draw(st.sampled_from([b"", *PIECES])) + line[start + draw(st.integers(0, 2)) :]
    return line


FILES = st.one_of(
    st.binary(max_size=300),
    st.builds(
        lambda lines, end: b"\n".join(lines) + end,
        st.lists(nearly_regular(), max_size=8),
        st.sampled_from([b"", b"\n"]),
    ),
)


@settings(deadline=None, max_examples=150)
@given(FILES, PACKINGS)
@example(b"\n" * 10, gzip.compress)
def test_read_is_loaded_plus_quarantined(content: bytes, pack: object) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x")
        path.write_bytes(pack(content))  # type: ignore[operator]
        seen = examine(path)
        landed = Landed("access", "access/x", path, 1, seen.lines, is_duplicate=False, is_truncated=seen.is_truncated)
        unpacked = whole_bytes(landed)
        numbers, reasons = [], []
        for chunk in read_chunks(landed, lines=2):
            numbers += chunk.requests["line_n"].to_pylist() + [n for n, _, _ in chunk.rejected]
            reasons += [reason for _, reason, _ in chunk.rejected]
    if seen.is_truncated:
        assert pack is bytes and content.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd"))
    else:
        assert seen.lines == len(unpacked.split(b"\n")) - (unpacked[-1:] in (b"", b"\n"))
    assert sorted(numbers) == list(range(1, seen.lines + 1 if unpacked else 1))
    assert set(reasons) <= {str(reason) for reason in Reason}


@settings(deadline=None, max_examples=250)
@given(st.lists(nearly_regular(), min_size=1, max_size=10), st.sampled_from([b"\n", b"\r\n"]))
def test_both_paths_read_alike(written: list[bytes], end: bytes) -> None:
    lines = Lines(end.join(written), 1)
    table, rest = scan(lines)
    assert sorted([n - 1 for n in table["line_n"].to_pylist()] + rest.tolist()) == list(range(len(lines)))
    for row in table.to_pylist():
        assert read_line(lines[row.pop("line_n") - 1]) == Access(**row)


@given(st.binary(max_size=500))
def test_any_bytes_are_a_line_or_have_a_reason(line: bytes) -> None:
    assert isinstance(read_line(line), Access | Reason)


# -- lines that are written as servers write them --------------------------------------------------------------------

PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.builds(datetime.fromtimestamp, st.integers(40_000_000, 7_000_000_000), OFFSETS)
ADDRESSES = st.one_of(
    st.ip_addresses(v=4, network="203.0.113.0/24"), st.ip_addresses(v=6, network="2001:db8::/32")
).map(str)
PATHS = st.from_regex(r"/[A-Za-z0-9._~%!$&'()*+,;=:@/-]{0,40}", fullmatch=True)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def escaped(text: str, style: str) -> str:
    """Write a field as Apache (``\\"``) or nginx (``\\x22``) does."""
    if style == "nginx":
        return text.replace("\\", "\\x5C").replace('"', "\\x22")
    return text.replace("\\", "\\\\").replace('"', '\\"')


@settings(deadline=None, max_examples=150)
@given(
    moment=TIMES,
    ip=ADDRESSES,
    user=st.sampled_from(["-", "frank", "john doe", "あ [x]"]),
    method=st.sampled_from(["GET", "POST", "PROPFIND"]),
    path=PATHS,
    query=st.sampled_from(["", "?", "?a=b&c", "#x", "?a#b"]),
    status=st.integers(100, 599),
    referrer=PRINTABLE,
    agent=PRINTABLE,
    cookie=st.one_of(st.none(), st.from_regex(r"[A-Za-z0-9]{1,20}", fullmatch=True)),
    forwarded=st.one_of(st.none(), ADDRESSES),
    style=st.sampled_from(["apache", "nginx"]),
)
def test_a_line_is_read_as_it_was_meant(
    moment: datetime,
    ip: str,
    user: str,
    method: str,
    path: str,
    query: str,
    status: int,
    referrer: str,
    agent: str,
    cookie: str | None,
    forwarded: str | None,
    style: str,
) -> None:
    stamp = f"{moment.day:02}/{MONTHS[moment.month - 1]}/{moment:%Y:%H:%M:%S %z}"
    line = f'{ip} - {user} [{stamp}] "{method} {path}{query} HTTP/1.1" {status} 5'
    line += f' "{escaped(referrer, style)}" "{escaped(agent, style)}"'
    if cookie or forwarded:
        line += f' "{f"quid={cookie}" if cookie else "-"}"'
    if forwarded:
        line += f' "{forwarded}, 10.0.0.1"'
    expected = Access(
        at=int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1_000_000,
        ip=forwarded or ip,
        cookie_id=cookie,
        method=method,
        path=path,
        status=status,
        user_agent=None if agent in ("", "-") else agent,
    )
    assert read_line(line.encode()) == expected
    table, rest = scan(Lines(line.encode(), 1))
    assert len(rest) == 1 or {**table.to_pylist()[0]} == {"line_n": 1, **expected._asdict()}
