"""Access logs by what people would use instead: GoAccess, and the import script of Matomo.

What belongs here: the log that all can read, how each program is run, and what it says it counted. What does not: clock
and comparison (`bench.peers`).

GoAccess is Debian's package. Matomo's `import_logs.py` is in no registry: the environment names it in
``MATOMO_IMPORT_LOGS``. It is run dry, so that it parses every line and sends nothing; of a server it asks the name of a
site, which is answered here, on loopback.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import zstandard

_COMBINED = re.compile(rb'^\S+ \S+ \S+ \[[^\]]+\] "[^"]*" \d{3} (?:\d+|-) "[^"]*" "[^"]*"')
_RECORDED = re.compile(r"^\s*(\d+) requests imported successfully", re.MULTILINE)
_SITE = b'{"idsite": "1", "main_url": "http://portal.example.jp"}'
_ENABLED = ("static", "bots", "http-errors", "http-redirects")

Counts = dict[str, int]


def write_combined(landing: Path, log: Path) -> int:
    """Write the landed lines that have a referrer and an agent as a log of the combined format; return how many.

    What follows the agent (cookie, forwarded addresses) is cut off: not every program can be told of it line by line.
    """
    lines = 0
    with log.open("wb") as out:
        for path in sorted((landing / "access").iterdir()):
            for line in _lines(path):
                if found := _COMBINED.match(line):
                    out.write(found[0] + b"\n")
                    lines += 1
    return lines


def _lines(path: Path) -> Iterator[bytes]:
    if path.suffix == ".zst":
        with path.open("rb") as packed, zstandard.ZstdDecompressor().stream_reader(packed) as raw:
            yield from _split(raw)
    else:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as plain:
            yield from plain


def _split(raw: zstandard.ZstdDecompressionReader) -> Iterator[bytes]:
    rest = b""
    while piece := raw.read(1 << 20):
        *whole, rest = (rest + piece).split(b"\n")
        yield from whole
    if rest:
        yield rest


def goaccess_command(log: Path, answer: Path) -> list[str]:
    """Return the command that counts a log by GoAccess; empty if it is not installed."""
    program = shutil.which("goaccess")
    given = ["--log-format=COMBINED", "--no-global-config", "--no-progress", "--max-items=1000"]
    return [program, str(log), *given, "-o", str(answer)] if program else []


def goaccess_counts(answer: str) -> Counts:
    """Return requests by status, and failed lines, from GoAccess's JSON."""
    told = json.loads(answer)
    found = {"failed": int(told["general"]["failed_requests"])}
    for group in told["status_codes"]["data"]:
        for item in group["items"]:
            found[str(item["data"])[:3]] = int(item["hits"]["count"])
    return found


def matomo_command(log: Path, port: int) -> list[str]:
    """Return the command that parses a log by Matomo's script; empty if nobody named one that is there."""
    script = Path(os.environ.get("MATOMO_IMPORT_LOGS", ""))
    if not script.is_file():
        return []
    given = [f"--url=http://127.0.0.1:{port}", "--token-auth=none", "--idsite=1", "--dry-run", "--recorders=1"]
    enabled = [f"--enable-{what}" for what in _ENABLED]
    return [sys.executable, str(script), *given, *enabled, "--log-format-name=ncsa_extended", str(log)]


def matomo_recorded(told: str) -> int:
    """Return how many requests the script says it would have imported; static files, bots and errors are asked for.

    Raises:
        ValueError: it does not say.
    """
    found = _RECORDED.search(told)
    if not found:
        raise ValueError("Matomo's script told no count")
    return int(found[1])


@contextmanager
def one_site() -> Iterator[int]:
    """Answer every request on loopback with the one site; yield the port."""
    server = HTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


class _Site(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", str(len(_SITE)))
        self.end_headers()
        self.wfile.write(_SITE)

    do_GET = do_POST  # noqa: N815 - the name is the server's

    def log_message(self, *_: object) -> None:
        """Say nothing."""
