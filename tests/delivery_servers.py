"""Servers on loopback for the tests of delivery, each with its own keys, and faults that a test switches on."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncssh
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

LOOPBACK = "127.0.0.1"


@dataclass
class Faults:
    """What a server is to do wrong, and what it saw.

    Args:
        cut_after: bytes after which the next connection is cut, once each.
        is_full: whether it has no space left.
        is_denied: whether nothing may be written.
        hold_at: name of a file with which it keeps the client waiting.
        written: bytes that arrived, by name of the file without its temporary ending.
        renamed: names in the order in which files became final.
        logins: how often somebody was let in.
        held: set when a client waits.
    """

    cut_after: list[int] = field(default_factory=list)
    is_full: bool = False
    is_denied: bool = False
    hold_at: str = ""
    written: Counter[str] = field(default_factory=Counter)
    renamed: list[str] = field(default_factory=list)
    logins: int = 0
    held: threading.Event = field(default_factory=threading.Event)
    since_login: int = 0


@dataclass(frozen=True)
class SftpPortal:
    """A running SFTP server.

    Args:
        port: on loopback.
        root: what its user sees as ``/``.
        host_key: its public key, as policy/recipients.yaml has it.
        faults: what it does wrong, and what it saw.
    """

    port: int
    root: Path
    host_key: str
    faults: Faults

    def target(self, **changes: object) -> dict[str, object]:
        """What recipients.yaml says of it."""
        return {
            "kind": "sftp",
            "endpoint": f"sftp://quorum@{LOOPBACK}:{self.port}/in",
            "host_keys": [self.host_key],
            "login": {"env": "QUORUM_LOGIN_A"},
            **changes,
        }

    def files(self) -> dict[str, bytes]:
        """All files, by path below the root."""
        return {
            p.relative_to(self.root).as_posix(): p.read_bytes() for p in sorted(self.root.rglob("*")) if p.is_file()
        }


def public_key(key: asyncssh.SSHKey) -> str:
    return " ".join(key.export_public_key().decode().split()[:2])


@contextmanager
def sftp_portal(root: Path, login: asyncssh.SSHKey, algorithm: str = "ssh-ed25519") -> Iterator[SftpPortal]:
    """Run an SFTP server until the end of the block."""
    faults, host_key = Faults(), asyncssh.generate_private_key(algorithm)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            LOOPBACK,
            0,
            server_host_keys=[host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(public_key(login)),
            password_auth=False,
            sftp_factory=lambda channel: _Drop(channel, root, faults),
            server_factory=lambda: _Door(faults),
        )

    async def end() -> None:
        server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)

    server = asyncio.run_coroutine_threadsafe(listen(), loop).result(20)
    try:
        yield SftpPortal(server.get_port(), root, public_key(host_key), faults)
    finally:
        asyncio.run_coroutine_threadsafe(end(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


class _Door(asyncssh.SSHServer):
    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def auth_completed(self) -> None:
        self._faults.logins += 1
        self._faults.since_login = 0


class _Drop(asyncssh.SFTPServer):
    def __init__(self, channel: Any, root: Path, faults: Faults) -> None:
        super().__init__(channel, chroot=str(root).encode())
        self._faults = faults

    async def write(self, file_obj: object, offset: int, data: bytes) -> int:  # type: ignore[override]
        name = Path(file_obj.name.decode()).name.removeprefix(".").rsplit(".", 2)[0]  # type: ignore[attr-defined]
        faults = self._faults
        if faults.is_denied:
            raise asyncssh.SFTPPermissionDenied("no")
        if faults.is_full:
            raise asyncssh.SFTPFailure("No space left on device")
        if faults.hold_at == name:
            faults.held.set()
            await asyncio.sleep(60)
        done = super().write(file_obj, offset, data)
        faults.written[name] += len(data)
        faults.since_login += len(data)
        if faults.cut_after and faults.since_login >= faults.cut_after[0]:
            faults.cut_after.pop(0)
            self.connection.abort()
        return done  # type: ignore[return-value]

    def posix_rename(self, oldpath: bytes, newpath: bytes) -> None:
        self._faults.renamed.append(Path(newpath.decode()).name)
        super().posix_rename(oldpath, newpath)


@dataclass(frozen=True)
class S3Portal:
    """A running S3-compatible service over TLS.

    Args:
        port: on loopback.
        ca_file: its certificate descends from this one.
        answers: a test puts here what it wants to answer itself: (method, key) to a status and a code, or to None for a
            connection that is cut; each is used once.
        requests: methods, keys and queries that arrived.
    """

    port: int
    ca_file: Path
    answers: list[Callable[[str, str, str], tuple[int, str] | bool | None]]
    requests: list[tuple[str, str, str]]

    def target(self, bucket: str, **changes: object) -> dict[str, object]:
        """What recipients.yaml says of it."""
        return {
            "kind": "s3",
            "endpoint": f"s3://{bucket}/in",
            "service": f"https://{LOOPBACK}:{self.port}",
            "region": "ap-northeast-1",
            "ca_file": str(self.ca_file),
            "login": {"env": "QUORUM_LOGIN_A"},
            **changes,
        }

    def puts(self) -> Counter[str]:
        """How often each key was written, or a part of it."""
        return Counter(key for method, key, _ in self.requests if method == "PUT")


@contextmanager
def s3_portal(folder: Path) -> Iterator[S3Portal]:
    """Run an S3-compatible service until the end of the block; what it stores is of this process."""
    ca_file, chain = certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain)
    answers: list[Callable[[str, str, str], tuple[int, str] | bool | None]] = []
    requests: list[tuple[str, str, str]] = []
    backend = DomainDispatcherApplication(create_backend_app)

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        seen = environ["REQUEST_METHOD"], environ["PATH_INFO"].lstrip("/"), environ["QUERY_STRING"]
        requests.append(seen)
        for answer in answers:
            said = answer(*seen)
            if said is True:
                continue
            answers.remove(answer)
            if said is None:
                environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
                return []
            status, code = said  # type: ignore[misc]
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            body = (
                b""
                if seen[0] == "HEAD"
                else f"<Error><Code>{code}</Code><Message>AKIASECRET</Message></Error>".encode()
            )
            start(f"{status} x", [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
            return [body]
        return backend(environ, start)

    server = make_server(LOOPBACK, 0, app, threaded=True, ssl_context=context, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield S3Portal(server.server_port, ca_file, answers, requests)
    finally:
        server.shutdown()
        thread.join(20)
        server.server_close()


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, *_: object) -> None:
        """Say nothing."""


def certificates(folder: Path) -> tuple[Path, Path]:
    """Make an authority and a certificate of it for loopback; return the authority's file, and certificate and key."""
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = _certificate("authority", authority_key.public_key(), "authority", authority_key, is_authority=True)
    leaf = _certificate(LOOPBACK, key.public_key(), "authority", authority_key, is_authority=False)
    ca_file, chain = folder / "authority.pem", folder / "server.pem"
    ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain.write_bytes(leaf.public_bytes(serialization.Encoding.PEM) + text)
    return ca_file, chain


def _certificate(
    subject: str,
    key: ec.EllipticCurvePublicKey,
    issuer: str,
    issuer_key: ec.EllipticCurvePrivateKey,
    *,
    is_authority: bool,
) -> x509.Certificate:
    now = datetime.now(UTC)
    names = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    builder = (
        x509.CertificateBuilder()
        .subject_name(names[0])
        .issuer_name(names[1])
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_authority:
        address = x509.IPAddress(ipaddress.ip_address(LOOPBACK))
        builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())
