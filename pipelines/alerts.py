"""Alerts: one small interface, three ways out (a file, a webhook, an e-mail); counts and names of rules, nobody's data.

Where alerts go is said by ``alerts.yaml`` in the home, or by the file that ``QUORUM_ALERTS`` names; nothing that lands
can change it. An alert that cannot be sent never changes what a night did.

What belongs here: channels and sending. What does not: when there is something to tell (`pipelines.telling`).
"""

from __future__ import annotations

import json
import os
import smtplib
import ssl
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import yaml

from quorum.errors import ConfigurationError
from quorum.zones import Home

SETTING = "QUORUM_ALERTS"
FILE = "alerts.yaml"
_SECONDS = 10
_MOST_RULES = 20


@dataclass(frozen=True)
class Alert:
    """Something that somebody must know.

    Args:
        kind: one of `pipelines.telling.KINDS`; docs/runbook.md has a section for each.
        night: the night, or empty.
        code: exit code.
        rules: rule to how often it was met.
    """

    kind: str
    night: str
    code: int
    rules: Mapping[str, int]

    def as_record(self) -> dict[str, Any]:
        """Return what is sent: no message of an error, only its rule, so that nothing about a person can be in it."""
        rules = dict(sorted(self.rules.items())[:_MOST_RULES])
        return {"kind": self.kind, "night": self.night, "code": self.code, "rules": rules}

    def __str__(self) -> str:
        """Return it in one line."""
        rules = ", ".join(f"{rule} x {count}" for rule, count in self.as_record()["rules"].items())
        return f"quorum: {self.kind} {self.night} (exit {self.code}): {rules}; see docs/runbook.md"


class Channel(Protocol):
    """A way out."""

    def send(self, alert: Alert) -> None:
        """Send an alert, or raise `OSError`."""


@dataclass(frozen=True)
class FileChannel:
    """A file to which a line of JSON is appended.

    Args:
        path: absolute, or below the home.
    """

    path: Path

    def send(self, alert: Alert) -> None:
        """Append a line."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640)
        with os.fdopen(descriptor, "a", encoding="utf-8") as out:
            out.write(json.dumps(alert.as_record()) + "\n")


@dataclass(frozen=True)
class Webhook:
    """An address to which an object is posted; a redirection is not followed.

    Args:
        url: ``http://`` or ``https://``.
        token_env: name of the environment variable that holds a bearer token; empty for none.
    """

    url: str
    token_env: str = ""

    def send(self, alert: Alert) -> None:
        """Post it; ``text`` is what chat services show."""
        parts = urlsplit(self.url)
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        connection = kind(parts.hostname or "", parts.port, timeout=_SECONDS)
        headers = {"Content-Type": "application/json"}
        if self.token_env:
            headers["Authorization"] = f"Bearer {os.environ.get(self.token_env, '')}"
        try:
            body = json.dumps({"text": str(alert), **alert.as_record()}).encode()
            connection.request("POST", (parts.path or "/") + (f"?{parts.query}" if parts.query else ""), body, headers)
            status = connection.getresponse().status
        finally:
            connection.close()
        if status >= 300:
            raise OSError(f"status {status}")


@dataclass(frozen=True)
class Email:
    """A mail server.

    Args:
        host: its name.
        port: its port.
        sender: from whom.
        to: to whom.
        starttls: whether the connection is to be encrypted before anything is said.
        user: login, empty for none.
        password_env: name of the environment variable that holds the password.
    """

    host: str
    port: int
    sender: str
    to: tuple[str, ...]
    starttls: bool = True
    user: str = ""
    password_env: str = ""

    def send(self, alert: Alert) -> None:
        """Send a plain text."""
        message = EmailMessage()
        message["From"], message["To"] = self.sender, ", ".join(self.to)
        message["Subject"] = f"quorum: {alert.kind} {alert.night}"
        message.set_content(f"{alert}\n\n{json.dumps(alert.as_record(), indent=2)}\n")
        with smtplib.SMTP(self.host, self.port, timeout=_SECONDS) as server:
            if self.starttls:
                server.starttls(context=ssl.create_default_context())
            if self.user:
                server.login(self.user, os.environ.get(self.password_env, ""))
            server.send_message(message)


def load_channels(home: Home, environ: Mapping[str, str]) -> list[Channel]:
    """Return the channels; none if nobody named one.

    Args:
        home: the home, for ``alerts.yaml`` and paths below it.
        environ: the process environment; ``QUORUM_ALERTS`` names another file.

    Raises:
        ConfigurationError: the file is named and missing, or is not what it should be.
    """
    named = environ.get(SETTING)
    path = Path(named).expanduser() if named else home.root / FILE
    if not path.is_file():
        if named:
            raise ConfigurationError("alerts.file", f"{SETTING} names no file", "a file like alerts.yaml")
        return []
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        channels = document["channels"]
        return [_channel(home, dict(spec)) for spec in channels]
    except (yaml.YAMLError, UnicodeDecodeError, KeyError, TypeError, ValueError):
        raise ConfigurationError(
            "alerts.form", "an alerts.yaml that does not load", "channels: [{kind: file, webhook or email, ...}]"
        ) from None


def _channel(home: Home, spec: dict[str, Any]) -> Channel:
    kind = spec.pop("kind")
    if kind == "file":
        (path,) = (spec.pop("path"),)
        channel: Channel = FileChannel(home.root / str(path))
    elif kind == "webhook":
        url = str(spec.pop("url"))
        if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
            raise ValueError("scheme")
        channel = Webhook(url, str(spec.pop("token_env", "")))
    elif kind == "email":
        to = tuple(map(str, spec.pop("to")))
        sender, host, port = str(spec.pop("from")), str(spec.pop("host")), int(spec.pop("port", 587))
        starttls = bool(spec.pop("starttls", True))
        channel = Email(host, port, sender, to, starttls, str(spec.pop("user", "")), str(spec.pop("password_env", "")))
    else:
        raise ValueError("kind")
    if spec:
        raise ValueError("unknown field")
    return channel


def send(alert: Alert, channels: Sequence[Channel]) -> int:
    """Send an alert everywhere and return how many channels failed; one that fails holds up no other."""
    failed = 0
    for channel in channels:
        try:
            channel.send(alert)
        except (OSError, smtplib.SMTPException, ValueError):  # what they say may quote an address or a token
            failed += 1
    return failed
