"""SFTP: one attempt to bring files to a server whose key the policy names.

What belongs here: logging in, going on where an attempt ended, a name that is final only when the file is whole. What
does not: trying again (`quorum.deliver.run`). The servers that this machine has spoken to, its agent and its SSH
settings are not looked at: the policy's keys alone are trusted.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from quorum.deliver.faults import TransferError, refused, stranger
from quorum.deliver.logins import Secret, login_error
from quorum.deliver.parcel import Item
from quorum.policy.targets import Target

if TYPE_CHECKING:
    from collections.abc import Awaitable

    import asyncssh

T = TypeVar("T")
CONNECT_SECONDS = 20
STEP_SECONDS = 120
"""So long may one step take, of at most `_STEP_BYTES`."""
_STEP_BYTES = 1 << 20


def send(target: Target, secret: Secret, folder: str, items: Sequence[Item]) -> int:
    """Bring files to a folder of the server.

    Args:
        target: the server, how it is known, and the path.
        secret: the private key.
        folder: below the target's path; made if missing.
        items: the files, in the order in which they become visible.

    Returns:
        How many were sent; those that lay there whole were not.

    Raises:
        TransferError: the connection broke, or the server failed: worth another try.
        PolicyError: the server has another key.
        LedgerError: the private key is none, or the server does not let it in.
        DeliveryError: the server refuses, e.g. for want of permission.

    Guarantee:
        A file has its name only when all its bytes are there; until then it lies beside it under a name that begins
        with a dot and ends in ``.part``.
    """
    return asyncio.run(_send(target, secret, folder, items))


async def _send(target: Target, secret: Secret, folder: str, items: Sequence[Item]) -> int:
    import asyncssh

    try:
        keys = [asyncssh.import_public_key(key) for key in target.host_keys]
    except asyncssh.KeyImportError:
        raise stranger(target, "has a key in recipients.yaml that is none") from None
    try:
        login = asyncssh.import_private_key(secret.text)
    except asyncssh.KeyImportError:
        raise login_error(target, "is no private key, or one with a passphrase", "an OpenSSH private key") from None
    try:
        connection = await asyncssh.connect(
            target.host,
            target.port,
            username=target.user,
            client_keys=[login],
            known_hosts=(keys, [], []),
            server_host_key_algs=sorted({name for key in keys for name in _algorithms(key)}),
            preferred_auth="publickey",
            agent_path=None,
            config=None,
            connect_timeout=CONNECT_SECONDS,
            login_timeout=CONNECT_SECONDS,
            keepalive_interval=15,
        )
        async with connection, connection.start_sftp_client() as sftp:
            sent = await _put_all(sftp, target, folder, items)
    except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
        raise stranger(target, "shows another key") from None
    except asyncssh.PermissionDenied:
        raise login_error(target, "is not let in", "a key that the recipient has entered") from None
    except (asyncssh.SFTPPermissionDenied, asyncssh.SFTPNoSuchFile, asyncssh.SFTPNoSuchPath):
        raise refused(target, "refuses: no such folder, or no permission to write") from None
    except asyncssh.SFTPError:
        raise TransferError("the server failed, or has no space left") from None
    except (asyncssh.Error, OSError, TimeoutError):
        raise TransferError("the connection failed") from None
    return sent


def _algorithms(key: asyncssh.SSHKey) -> list[str]:
    """Return the signatures that a server can show a key with; those over SHA-1 are not among them."""
    return [name.decode("ascii") for name in key.sig_algorithms if name != b"ssh-rsa"]


async def _put_all(sftp: asyncssh.SFTPClient, target: Target, folder: str, items: Sequence[Item]) -> int:
    place = "/" + "/".join(target.path)
    await _step(sftp.stat(place))
    for part in folder.split("/"):
        place = f"{place.rstrip('/')}/{part}"
        if not await _step(sftp.isdir(place)):
            await _step(sftp.mkdir(place))
    return sum([await _put(sftp, place, item) for item in items])


async def _put(sftp: asyncssh.SFTPClient, place: str, item: Item) -> bool:
    """Bring one file there; False if it lay there."""
    final, part = f"{place}/{item.name}", f"{place}/.{item.name}.{item.sha256[:16]}.part"
    there = await _read(sftp, final, len(item.data))
    if there is not None and hashlib.sha256(there).hexdigest() == item.sha256:
        return False
    begun = await _read(sftp, part, len(item.data))
    done = len(begun) if begun and item.data.startswith(begun) else 0
    async with sftp.open(part, "r+b" if done else "wb") as file:
        for start in range(done, len(item.data), _STEP_BYTES):
            await _step(file.write(item.data[start : start + _STEP_BYTES], start))
    if await _step(sftp.getsize(part)) != len(item.data):
        raise TransferError("the server kept a file of another size")
    await _rename(sftp, part, final)
    return True


async def _read(sftp: asyncssh.SFTPClient, path: str, size: int) -> bytes | None:
    """Return what lies under a name; None if nothing does, it is longer than it can be, or it cannot be read."""
    import asyncssh

    try:
        if (await _step(sftp.getsize(path)) or 0) > size:
            return None
        async with sftp.open(path, "rb") as file:
            data: bytes = await _step(file.read())
        return data
    except (asyncssh.SFTPNoSuchFile, asyncssh.SFTPPermissionDenied):
        return None


async def _rename(sftp: asyncssh.SFTPClient, part: str, final: str) -> None:
    """Give a whole file its name, at once where the server can."""
    import asyncssh

    try:
        await _step(sftp.posix_rename(part, final))
    except asyncssh.SFTPOpUnsupported:
        if await _step(sftp.exists(final)):
            await _step(sftp.remove(final))
        await _step(sftp.rename(part, final))


async def _step(work: Awaitable[T]) -> T:
    return await asyncio.wait_for(work, STEP_SECONDS)
