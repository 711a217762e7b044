"""The careful path: nasty lines that real servers, scanners and log tools leave behind."""

from __future__ import annotations

import json
import time

import pytest

from quorum.intake.access_lines import Access, read_line
from quorum.intake.accounting import Reason
from quorum.intake.files import LINE_LIMIT

AT = 1_795_190_523_000_000  # 2026-11-20T16:02:03Z
TIME = "21/Nov/2026:01:02:03 +0900"
IP = "198.51.100.7"
COMBINED = f'{IP} - - [{TIME}] "GET /a?b=c HTTP/1.1" 200 512 "https://example.com/" "Mozilla/5.0 (X)"'
PLAIN = Access(AT, IP, None, "GET", "/a", 200, "Mozilla/5.0 (X)")


def read(line: str | bytes) -> Access | Reason:
    return read_line(line if isinstance(line, bytes) else line.encode())


def loaded(line: str | bytes) -> Access:
    found = read(line)
    assert isinstance(found, Access), found
    return found


def log(
    client: str = f"{IP} - -", moment: str = TIME, request: str = "GET /a HTTP/1.1", rest: str = ' 200 512 "-" "UA"'
) -> str:
    return f'{client} [{moment}] "{request}"{rest}'


def test_a_combined_line() -> None:
    assert read(COMBINED) == PLAIN


def test_a_common_line() -> None:
    assert read(f'{IP} - - [{TIME}] "GET /a HTTP/1.0" 304 -') == PLAIN._replace(status=304, user_agent=None)


@pytest.mark.clause("K-01")
@pytest.mark.parametrize(
    ("extra", "cookie", "ip"),
    [
        (' "quid=c1"', "c1", IP),
        (' "a=b; quid=c1; z=quid=9"', "c1", IP),
        (' "_ga=GA1.2; quid=c1"', "c1", IP),
        (' "quid=c1==;x=y"', "c1==", IP),
        (' "quid=\\"c1\\""', "c1", IP),
        (' "xquid=c1; QUID=c2"', None, IP),
        (' "quid=; a=b"', None, IP),
        (' "quid=-"', None, IP),
        (' "-"', None, IP),
        (' ""', None, IP),
        (' "203.0.113.9"', None, "203.0.113.9"),
        (' "10.0.0.1, 203.0.113.9, 8.8.8.8"', None, "203.0.113.9"),
        (' "unknown, 2001:DB8::7"', None, "2001:db8::7"),
        (' "10.0.0.1"', None, IP),
        (' "quid=c1" "203.0.113.9, 10.0.0.1"', "c1", "203.0.113.9"),
        (' "quid=c1" "-"', "c1", IP),
        (' "-" "203.0.113.9"', None, "203.0.113.9"),
        (' "-" "-"', None, IP),
        (' "quid=c1" "\' OR 1=1 --"', "c1", IP),
        (' "203.0.113.9" "quid=c1"', "c1", "203.0.113.9"),
        (' "203.0.113.9" "-"', None, "203.0.113.9"),
    ],
)
def test_cookie_and_forwarded_list_are_told_by_look(extra: str, cookie: str | None, ip: str) -> None:
    assert loaded(COMBINED + extra)._replace(third_parties=None) == PLAIN._replace(cookie_id=cookie, ip=ip)


@pytest.mark.clause("K-02")
@pytest.mark.parametrize(
    ("header", "names"),
    [
        ("quid=c1", None),
        ("-", None),
        ("_ga=GA1.2; quid=c1; _fbp=fb.1.2", "_fbp _ga"),
        ("a=1;a=2; a=3", "a"),
        ("QUID=c2; xquid=c1", "QUID xquid"),
        ("_gat_UA-12345-1=1", "_gat_UA-0-0"),
        ("dGVzdEB4LmpwYWJj==; quid=c1", "other"),  # a value in base64, no name
        ("secret=; quid=c1", "other"),
        ("quid=c1; secure", "other"),
        ("taro@example.com=1; quid=c1", "other"),
        ("090-1234-5678=1", "other"),
        ("5f2d9c31a87be4406d15c2=1", "other"),
        ("山田=1", "other"),
        ("x" * 65 + "=1", "other"),
        ("; ;quid=c1;", None),
    ],
)
def test_of_other_cookies_the_names_are_told_and_no_value(header: str, names: str | None) -> None:
    assert loaded(COMBINED + f' "{header}"').third_parties == names
    assert read(json.dumps({**RECORD, "cookie": header})).third_parties == names  # type: ignore[union-attr]


def test_a_header_names_at_most_fifty_third_parties() -> None:
    header = ";".join(f"{chr(97 + n % 26)}{chr(97 + n // 26)}=1" for n in range(100))
    names = str(loaded(COMBINED + f' "{header}"').third_parties).split(" ")
    assert len(names) == 51 and "other" in names


@pytest.mark.parametrize(
    ("client", "ip"),
    [
        ("10.0.0.1 - -", None),  # a portal behind a proxy that hides its clients
        ("10.0.0.1, 198.51.100.7 - -", IP),
        ("198.51.100.7,10.0.0.1 - -", IP),
        ("198.51.100.7 10.0.0.1 - -", IP),
        ("unknown, 198.51.100.7 - -", IP),
        ("2001:0DB8::1 - -", "2001:db8::1"),
        ("[2001:db8::1]:4711 - -", "2001:db8::1"),
        ("[2001:db8::1%eth0] - -", "2001:db8::1"),
        ("fe80::1%eth0 - -", None),
        ("::ffff:198.51.100.7 - -", IP),
        ("host.example.com - -", None),
        ("www.example.com:80 198.51.100.7 - -", IP),
        ("- - -", None),
        ("198.51.100.7 - john doe", IP),
        ("198.51.100.7 - Doe, John [admin]", IP),
        ("198.51.100.7 ident 203.0.113.9", IP),
        ("198.51.100.7 - ", IP),
        ("  198.51.100.7 - frank", IP),
        ("\ufeff198.51.100.7 - -", IP),
        ("\x00\x00198.51.100.7 - -", IP),
    ],
)
def test_first_fields(client: str, ip: str | None) -> None:
    assert loaded(log(client)).ip == ip


@pytest.mark.parametrize(
    ("request_line", "method", "path"),
    [
        ("GET / HTTP/1.1", "GET", "/"),
        ("GET /a/b.html?x=1#y HTTP/2", "GET", "/a/b.html"),
        ("GET /a#y?x HTTP/1.1", "GET", "/a"),
        ("GET /%E3%81%82%3Fq HTTP/1.1", "GET", "/%E3%81%82%3Fq"),
        ("GET //x//y HTTP/1.1", "GET", "//x//y"),
        ("GET https://example.com/a?b HTTP/1.1", "GET", "/a"),
        ("GET http://example.com HTTP/1.1", "GET", "/"),
        ("GET http://example.com?x HTTP/1.1", "GET", "/"),
        ("GET /a b c HTTP/1.1", "GET", "/a b c"),
        ("GET /a", "GET", "/a"),
        ("GET  /a  HTTP/1.1", "GET", "/a"),
        ("OPTIONS * HTTP/1.1", "OPTIONS", None),
        ("CONNECT example.com:443 HTTP/1.1", "CONNECT", None),
        ("PROPFIND /dav HTTP/1.1", "PROPFIND", "/dav"),
        ("OPTIONS / RTSP/1.0", None, None),
        ("-", None, None),
        ("", None, None),
        ("quit", None, None),
        ("SSH-2.0-OpenSSH_9.6", None, None),
        ("hello world", None, None),
        ("G@T /a HTTP/1.1", None, None),
        ("\\x16\\x03\\x01\\x02\\x00\\x01\\x00", None, None),
        ("\\x00\\x00GET / HTTP/1.1", None, None),
        ("GET /\\x22a\\x22 HTTP/1.1", "GET", '/"a"'),
        ('GET /\\"a\\" HTTP/1.1', "GET", '/"a"'),
        ('GET /"a" HTTP/1.1', "GET", '/"a"'),
        ('GET /?q="a b" HTTP/1.1', "GET", "/"),
    ],
)
def test_requests(request_line: str, method: str | None, path: str | None) -> None:
    found = loaded(log(request=request_line))
    assert (found.method, found.path) == (method, path)
    assert (found.status, found.user_agent) == (200, "UA")


def test_a_tls_handshake_in_raw_bytes() -> None:
    line = log().encode().replace(b"GET /a HTTP/1.1", b"\x16\x03\x01\x02\x00\x01\x00\xfc\xff")
    assert loaded(line)[3:] == (None, None, 200, "UA", None)


@pytest.mark.parametrize(
    ("rest", "status", "agent"),
    [
        (' 200 512 "-" "-"', 200, None),
        (' 200 512 "" ""', 200, None),
        (' - 512 "-" "UA"', None, "UA"),
        (' 200 - "-" "UA"', 200, "UA"),
        (' 200 "-" "UA"', 200, "UA"),
        (' "-" "UA"', None, "UA"),
        (" 200", 200, None),
        ("", None, None),
        (' 499 0  "-"   "UA"  ', 499, "UA"),
        (' 200 512 "-" "Mozilla \\"5\\" (X)"', 200, 'Mozilla "5" (X)'),
        (' 200 512 "-" "Mozilla \\x225\\x22 (X)"', 200, 'Mozilla "5" (X)'),
        (' 200 512 "-" "Mozilla "5" (X)"', 200, 'Mozilla "5" (X)'),
        (' 200 512 "-" "Mozilla ""5"" (X)"', 200, 'Mozilla ""5"" (X)'),
        (' 200 512 "-" "C:\\\\dir\\\\"', 200, "C:\\dir\\"),
        (' 200 512 "-" "C:\\dir\\"', 200, "C:\\dir\\"),  # a server that does not escape
        (' 200 512 "-" "a\\tb \\q"', 200, "a\tb \\q"),
        (' 200 512 "a\\" \\"b" "UA"', 200, "UA"),
        (' 200 512 "-" "\\xe3\\x81\\x82"', 200, "あ"),
        (' 200 512 "-" "あ"', 200, "あ"),
        (' 200 512 "-" "a\0b"', 200, "a\ufffdb"),
        (
            ' 200 512 "-" "() { :;}; /bin/bash -c \\"cat /etc/passwd\\""',
            200,
            '() { :;}; /bin/bash -c "cat /etc/passwd"',
        ),
        (' 200 512 "-" "${jndi:ldap://x/a}"', 200, "${jndi:ldap://x/a}"),
        (' 200 512 "-" "UA"\r', 200, "UA"),
    ],
)
def test_results_and_agents(rest: str, status: int | None, agent: str | None) -> None:
    found = loaded(log(rest=rest))
    assert (found.status, found.user_agent) == (status, agent)
    assert (found.ip, found.path) == (IP, "/a")


def test_bytes_that_are_not_utf8_do_not_cost_the_line() -> None:
    line = log(rest=' 200 512 "http://REF/" "UA-"').encode().replace(b"REF", b"\xe4\xe5").replace(b"UA-", b"\xff\xfeUA")
    assert loaded(line).user_agent == "\ufffd\ufffdUA"


@pytest.mark.parametrize(
    "wrapped",
    [
        f'"{COMBINED}"',
        f"'{COMBINED}'",
        '"' + COMBINED.replace('"', '""') + '"',
        '"' + COMBINED.replace('"', '\\"') + '"',
        json.dumps(COMBINED),
    ],
)
def test_a_line_wrapped_in_quotes(wrapped: str) -> None:
    assert read(wrapped) == PLAIN


def test_a_wrapped_line_keeps_the_quotes_inside_its_fields() -> None:
    agent = COMBINED.replace("(X)", '\\"X\\"')
    assert loaded(json.dumps(agent)).user_agent == 'Mozilla/5.0 "X"'


@pytest.mark.parametrize(
    ("moment", "at"),
    [
        (TIME, AT),
        ("20/Nov/2026:16:02:03 +0000", AT),
        ("20/Nov/2026:12:32:03 -0330", AT),
        ("21/Nov/2026:06:02:03 +1400", AT),
        ("20/nov/2026:16:02:03 +00:00", AT),
        ("20/Nov/2026:16:02:03.250 +0000", AT + 250_000),
        ("20/Nov/2026:16:02:03 Z", AT),
        ("2026-11-21T01:02:03+09:00", AT),
        ("2026-11-21 01:02:03 +0900", AT),
        ("29/Feb/2024:00:00:00 +0000", 1_709_164_800_000_000),
    ],
)
def test_times(moment: str, at: int) -> None:
    assert loaded(log(moment=moment)).at == at


@pytest.mark.parametrize(
    "moment",
    [
        "29/Feb/2026:01:02:03 +0900",
        "31/Apr/2026:01:02:03 +0900",
        "00/Nov/2026:01:02:03 +0900",
        "21/Nov/2026:24:00:00 +0900",
        "21/Nov/2026:01:60:03 +0900",
        "21/Nov/2026:01:02:61 +0900",
        "21/Xyz/2026:01:02:03 +0900",
        "21/Nov/0000:01:02:03 +0900",
        "21/Nov/9999:23:02:03 -0900",
        "21/Nov/2026:01:02:03",
        "21/Nov/2026:01:02:03 +0960",
        "21/Nov/2026:01:02:03 +2400",
        "2026-02-30T01:02:03+09:00",
        "2026-11-21T01:02:03",
        "٢١/Nov/2026:01:02:03 +0900",
        "-",
        "",
        "1" * 100_000,
    ],
)
def test_impossible_times(moment: str) -> None:
    assert read(log(moment=moment)) is Reason.BAD_TIME


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("", Reason.EMPTY),
        (" \t\r", Reason.EMPTY),
        ("\ufeff", Reason.EMPTY),
        (COMBINED[:-1], Reason.UNCLOSED_QUOTE),
        (COMBINED[: COMBINED.index("HTTP/1.1")], Reason.UNCLOSED_QUOTE),
        (COMBINED.replace('"Mozilla', "Mozilla"), Reason.UNCLOSED_QUOTE),
        (COMBINED.replace('HTTP/1.1"', "HTTP/1.1"), Reason.UNCLOSED_QUOTE),
        (COMBINED + ' "quid=1', Reason.UNCLOSED_QUOTE),
        (COMBINED + " 0.012", Reason.UNDECLARED),
        (COMBINED + ' "gzip"', Reason.UNDECLARED),
        (COMBINED + ' "quid=1" "-" "more"', Reason.UNDECLARED),
        (COMBINED + ' "host.example.com" "-"', Reason.UNDECLARED),
        (log(rest=' 200 512 "-"'), Reason.NOT_A_LOG_LINE),
        (log(rest=' 200 512 99 "-" "UA"'), Reason.NOT_A_LOG_LINE),
        (log(rest=' abc 512 "-" "UA"'), Reason.NOT_A_LOG_LINE),
        (log(client=""), Reason.NOT_A_LOG_LINE),
        (log(client="Nov 21 01:02:03 web1 nginx: 198.51.100.7 - -"), Reason.NOT_A_LOG_LINE),
        ("id,name,email", Reason.NOT_A_LOG_LINE),
        ("#Fields: date time c-ip cs-method", Reason.NOT_A_LOG_LINE),
        ("2026-11-21 01:02:03 198.51.100.7 GET / 200", Reason.NOT_A_LOG_LINE),
        ("[Sat Nov 21 01:02:03 2026] [error] [client 198.51.100.7] File does not exist", Reason.NOT_A_LOG_LINE),
        ('"', Reason.NOT_A_LOG_LINE),
        ('""', Reason.NOT_A_LOG_LINE),
        ("[", Reason.NOT_A_LOG_LINE),
        ("\\", Reason.NOT_A_LOG_LINE),
        ("{", Reason.NOT_A_LOG_LINE),
        ("[1, 2]", Reason.NOT_A_LOG_LINE),
        ("x" * (LINE_LIMIT + 1), Reason.TOO_LONG),
    ],
)
def test_what_does_not_load(line: str, reason: Reason) -> None:
    assert read(line) is reason


RECORD = {
    "ip": IP,
    "time": "2026-11-21T01:02:03+09:00",
    "request": "GET /a?b=c HTTP/1.1",
    "status": 200,
    "bytes": 512,
    "referrer": "-",
    "user_agent": "Mozilla/5.0 (X)",
    "cookie": "quid=c1",
}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, PLAIN._replace(cookie_id="c1")),
        ({"cookie": "c1"}, PLAIN._replace(cookie_id="c1")),
        ({"cookie": "a=b; quid=c2"}, PLAIN._replace(cookie_id="c2", third_parties="a")),
        ({"cookie": None}, PLAIN),
        ({"cookie": "-", "status": "200"}, PLAIN),
        ({"cookie": "", "status": None}, PLAIN._replace(status=None)),
        ({"cookie": "", "ip": "10.0.0.1, 203.0.113.9"}, PLAIN._replace(ip="203.0.113.9")),
        ({"cookie": "", "ip": None, "user_agent": None}, PLAIN._replace(ip=None, user_agent=None)),
        ({"cookie": "", "time": TIME}, PLAIN),
        ({"cookie": "", "time": "2026-11-20T16:02:03.5Z"}, PLAIN._replace(at=AT + 500_000)),
        ({"cookie": "", "request": ""}, PLAIN._replace(method=None, path=None)),
        ({"cookie": "", "user_agent": "\ud800\0"}, PLAIN._replace(user_agent="\ufffd\ufffd")),
        ({"extra": 1}, Reason.UNDECLARED),
        ({"member_id": "m1"}, Reason.UNDECLARED),
        ({"status": 20}, Reason.BAD_VALUE),
        ({"status": True}, Reason.BAD_VALUE),
        ({"status": 200.5}, Reason.BAD_VALUE),
        ({"status": [200]}, Reason.BAD_VALUE),
        ({"status": {}}, Reason.BAD_VALUE),
        ({"user_agent": 7}, Reason.BAD_VALUE),
        ({"ip": ["198.51.100.7"]}, Reason.BAD_VALUE),
        ({"time": "2026-11-21T01:02:03"}, Reason.BAD_TIME),
        ({"time": 1795190523}, Reason.BAD_TIME),
        ({"time": None}, Reason.BAD_TIME),
    ],
)
def test_json_lines(change: dict[str, object], expected: Access | Reason) -> None:
    assert read(json.dumps({**RECORD, **change})) == expected


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"ip": "198.51.100.7"}', Reason.MISSING_FIELD),
        ("{}", Reason.MISSING_FIELD),
        (json.dumps(RECORD)[:-1], Reason.NOT_A_LOG_LINE),
        (json.dumps(RECORD) + ",", Reason.NOT_A_LOG_LINE),
        (json.dumps(RECORD)[:-1] + ', "ip": "203.0.113.9"}', Reason.NOT_A_LOG_LINE),
        ('{"ip":' * 100_000, Reason.NOT_A_LOG_LINE),
        ('{"status": ' + "9" * 10_000 + "}", Reason.NOT_A_LOG_LINE),
    ],
)
def test_json_that_is_no_record(line: str, reason: Reason) -> None:
    assert read(line) is reason


def test_a_wrapped_json_line() -> None:
    assert read(json.dumps(json.dumps(RECORD))) == PLAIN._replace(cookie_id="c1")


@pytest.mark.parametrize(
    "hostile",
    [
        '"' * 100_000,
        '" ' * 100_000,
        "[" * 200_000,
        '] "' * 50_000,
        "\\" * 200_000,
        " " * 200_000 + "x",
        f'{IP} - - [{TIME}] "' + " " * 200_000 + '" 200 5',
        f'{IP} - - [{TIME}] "GET ' + "/ " * 100_000 + '" 200 5 "-" "UA"',
        f'{IP} - - [{TIME}] "GET /" ' + '" 200 5 ' * 50_000,
        f'{IP} - - [{TIME}] "GET /" 200 5 "-" "' + "a=b;" * 50_000 + '"',
        ", ".join(["10.0.0.1"] * 50_000) + f' - - [{TIME}] "GET /" 200 5',
    ],
)
def test_no_line_takes_long(hostile: str) -> None:
    start = time.perf_counter()
    read(hostile)
    assert time.perf_counter() - start < 2
