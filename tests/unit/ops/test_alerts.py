"""Alerts: each way out against a server of its own on loopback; counts and names of rules only; failures held apart."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from pipelines.alerts import Alert, load_channels, send
from pipelines.telling import KINDS, alert_of, tell
from quorum.errors import ConfigurationError
from quorum.zones import Home

CANARY = "hanako.canary@example.jp"
ERRORS = [
    {"code": 11, "rule": "landing.volume", "message": f"a line about {CANARY}"},
    {"code": 12, "rule": "release.blocked", "message": CANARY},
    {"code": 12, "rule": "release.blocked", "message": CANARY},
]
ALERT = Alert("blocked", "2026-11-21", 12, {"landing.volume": 1, "release.blocked": 2})


class Hook(BaseHTTPRequestHandler):
    """Keeps what is posted."""

    received: ClassVar[list[tuple[str, str, dict[str, object]]]] = []
    status = 200

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.received.append((self.path, self.headers.get("Authorization", ""), body))
        self.send_response(self.status)
        if self.status == 302:
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_address[1]}/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class Mailbox(socketserver.StreamRequestHandler):
    """The least of a mail server: takes one message."""

    received: ClassVar[list[str]] = []

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                content = b""
                while (part := self.rfile.readline()) != b".\r\n":
                    content += part
                self.received.append(content.decode())
            elif word == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 ok\r\n")


@contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])  # type: ignore[index]
    finally:
        server.shutdown()
        server.server_close()


def configure(home: Home, *channels: dict[str, object]) -> None:
    home.root.mkdir(parents=True, exist_ok=True)
    (home.root / "alerts.yaml").write_text(json.dumps({"channels": list(channels)}), encoding="utf-8")


def test_an_alert_holds_counts_and_names_of_rules_only() -> None:
    alert = alert_of("2026-11-21", ERRORS)
    assert alert is not None
    assert alert.as_record() == ALERT.as_record()
    assert CANARY not in str(alert) + json.dumps(alert.as_record())
    assert alert_of("2026-11-21", []) is None
    assert {alert_of("", [{"code": code, "rule": "x"}]).kind for code in KINDS} == set(KINDS.values())  # type: ignore[union-attr]


def test_a_file_gets_a_line(home: Home) -> None:
    configure(home, {"kind": "file", "path": "alerts.jsonl"})
    assert tell(ALERT, home.root, {}) == tell(ALERT, home.root, {}) == 0
    lines = (home.root / "alerts.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [ALERT.as_record()] * 2


def test_a_webhook_gets_an_object_and_its_token(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_TOKEN", "s3cret")
    Hook.received, Hook.status = [], 200
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Hook)) as port:
        configure(home, {"kind": "webhook", "url": f"http://127.0.0.1:{port}/hook?a=b", "token_env": "HOOK_TOKEN"})
        assert tell(ALERT, home.root, {}) == 0
    assert Hook.received == [("/hook?a=b", "Bearer s3cret", {"text": str(ALERT), **ALERT.as_record()})]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_refuses_is_a_failure_and_no_redirection_is_followed(home: Home, status: int) -> None:
    Hook.received, Hook.status = [], status
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Hook)) as port:
        configure(home, {"kind": "webhook", "url": f"http://127.0.0.1:{port}/hook"})
        assert tell(ALERT, home.root, {}) == 1
    assert [path for path, _, _ in Hook.received] == ["/hook"]


def test_an_email_is_sent(home: Home) -> None:
    Mailbox.received = []
    with serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox)) as port:
        server = {"host": "127.0.0.1", "port": port, "starttls": False}
        configure(home, {"kind": "email", **server, "from": "quorum@example.jp", "to": ["ops@example.jp"]})
        assert tell(ALERT, home.root, {}) == 0
    (mail,) = Mailbox.received
    assert "Subject: quorum: blocked 2026-11-21" in mail
    assert "release.blocked x 2" in mail


def test_one_that_fails_holds_up_no_other(home: Home) -> None:
    closed = {"kind": "webhook", "url": "http://127.0.0.1:1/hook"}
    mail = {"kind": "email", "host": "127.0.0.1", "port": 1, "from": "a@example.jp", "to": ["b@example.jp"]}
    configure(home, closed, mail, {"kind": "file", "path": "alerts.jsonl"})
    assert send(ALERT, load_channels(home, {})) == 2
    assert (home.root / "alerts.jsonl").is_file()


def test_without_channels_nothing_is_sent_and_nothing_fails(home: Home) -> None:
    assert tell(ALERT, home.root, {}) == tell(None, home.root, {}) == 0


def test_another_file_is_named_by_the_environment(home: Home, tmp_path: Path) -> None:
    named = tmp_path / "channels.yaml"
    named.write_text("channels: [{kind: file, path: a.jsonl}]", encoding="utf-8")
    assert len(load_channels(home, {"QUORUM_ALERTS": str(named)})) == 1
    with pytest.raises(ConfigurationError):
        load_channels(home, {"QUORUM_ALERTS": str(tmp_path / "nowhere.yaml")})


@pytest.mark.parametrize(
    "channel",
    [
        {"kind": "pigeon"},
        {"kind": "file"},
        {"kind": "file", "path": "a", "mode": 1},
        {"kind": "webhook", "url": "file:///etc/passwd"},
        {"kind": "webhook", "url": "gopher://example.jp/"},
        {"kind": "webhook", "url": "http:///path"},
        {"kind": "email", "host": "h", "from": "a"},
        "file",
    ],
)
def test_what_is_no_channel_is_refused_and_counts_as_one_that_fails(home: Home, channel: dict[str, object]) -> None:
    configure(home, channel)
    with pytest.raises(ConfigurationError, match=r"alerts\.form"):
        load_channels(home, {})
    assert tell(ALERT, home.root, {}) == 1
