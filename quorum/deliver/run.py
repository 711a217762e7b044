"""A delivery: which packages are owed, each sent once, tried again a few times, and its receipt.

What belongs here: the order of these steps, and what a delivery that was stopped leads to. What does not: how bytes
travel (`sftp`, `s3`) and what may be sent (`parcel`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from quorum.deliver import s3, sftp
from quorum.deliver.faults import TransferError
from quorum.deliver.logins import Secret, read_secret
from quorum.deliver.parcel import Item, Parcel, check_owner, open_parcel
from quorum.deliver.sealing import forget, sealed
from quorum.errors import ConfigurationError, DeliveryError, LedgerError, QuorumError, ReleaseError
from quorum.ledger import Ledger
from quorum.lock import hold
from quorum.policy import Policy
from quorum.policy.targets import S3, SFTP, Target
from quorum.release.recall import RECALL
from quorum.zones import Home

DELIVERED, FAILED, WAITING = "delivered", "failed", "waiting"
RECEIPT = "delivery"
PAUSES = (1, 4, 16)
"""Seconds before the second, third and last attempt at a package."""
Sender = Callable[[Target, Secret, str, Sequence[Item]], int]
SENDERS: Mapping[str, Sender] = {SFTP: sftp.send, S3: s3.send}


@dataclass(frozen=True)
class Delivery:
    """What a delivery works with.

    Args:
        home: packages lie in ``out/``.
        ledger: releases are read from it, receipts entered.
        policy: the targets.
        key: the public key that packages are verified with.
        environ: the process environment, for logins.
        now: says what time it is; receipts carry it, nothing is decided by it.
        sleep: waits so many seconds.
    """

    home: Home
    ledger: Ledger
    policy: Policy
    key: Ed25519PublicKey
    environ: Mapping[str, str] = field(repr=False)
    now: Callable[[], datetime]
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Outcome:
    """What became of a package that was owed.

    Args:
        recipient_id: whose it is.
        report: which report.
        period: of which period.
        kind: of the target.
        status: ``delivered``; ``failed``; or ``waiting``: its target failed with a package before.
        file_n: files of the package.
        byte_n: bytes of them, before encryption.
        sent_n: files that were sent now; the others lay there already.
        error: why it failed.
    """

    recipient_id: str
    report: str
    period: str
    kind: str
    status: str
    file_n: int = 0
    byte_n: int = 0
    sent_n: int = 0
    error: QuorumError | None = None

    def as_record(self) -> dict[str, object]:
        """Return the outcome as JSON-compatible fields."""
        return {
            "recipient_id": self.recipient_id,
            "report": self.report,
            "period": self.period,
            "kind": self.kind,
            "status": self.status,
            "file_n": self.file_n,
            "byte_n": self.byte_n,
            "sent_n": self.sent_n,
            "error": None if self.error is None else self.error.as_record(),
        }


def owed(
    delivery: Delivery, recipients: Collection[str] = (), periods: Collection[str] = ()
) -> list[Mapping[str, Any]]:
    """Return the releases and recalls that have not been delivered, in the order in which they were entered.

    A release that was recalled is not owed any more; its recall is, for it is the next link of the recipient's chain.

    Args:
        delivery: ledger and policy.
        recipients: of these alone; of all that have a target if empty.
        periods: of these alone; of all if empty.

    Raises:
        ConfigurationError: a recipient is asked for that has no target.
    """
    for who in recipients:
        if who not in delivery.policy.recipients:
            raise ConfigurationError("deliver.recipient", f"{who} has no target", "those of recipients.yaml", "add it")
    entries = delivery.ledger.entries(RECEIPT)
    done = {(entry.body["place"], entry.body["certificate"]) for entry in entries}
    recalled = {entry.body["recalled"]["certificate"] for entry in delivery.ledger.entries(RECALL)}
    removed = {package for entry in delivery.ledger.entries("retention") for package in entry.body["packages"]}
    found = []
    entered = [*delivery.ledger.entries("release"), *delivery.ledger.entries(RECALL)]
    for body in (entry.body for entry in sorted(entered, key=lambda entry: entry.seq)):
        target = delivery.policy.recipients.get(body["recipient_id"])
        is_asked = not recipients or body["recipient_id"] in recipients
        is_of_period = not periods or body["period"].removesuffix(f".{RECALL}") in periods
        if target is None or not is_asked or not is_of_period:
            continue
        path = "/".join((body["recipient_id"], body["report"], body["period"]))
        is_over = (target.place, body["certificate"]) in done or body["certificate"] in recalled or path in removed
        if not is_over:
            found.append(body)
    return found


def deliver(delivery: Delivery, recipients: Collection[str] = (), periods: Collection[str] = ()) -> Iterator[Outcome]:
    """Deliver what is owed, each package to its recipient's target.

    Args:
        delivery: what it works with.
        recipients: as for `owed`.
        periods: as for `owed`.

    Yields:
        What became of each package, as soon as it is known. A package that does not verify fails alone; after any other
        failure the recipient's further packages wait for the next delivery.

    Raises:
        LedgerError: another delivery is at work.

    Guarantee:
        A package goes to the target of the recipient that its signed certificate names, and nowhere else. It is sent
        once: its receipt is entered when all of it has arrived, and what arrived before a delivery was stopped is
        recognised by its digest.
    """
    with _alone(delivery.home):
        failed: set[str] = set()
        for body in owed(delivery, recipients, periods):
            target = delivery.policy.recipients[body["recipient_id"]]
            whose = (body["recipient_id"], body["report"], body["period"], target.kind)
            if target.recipient_id in failed:
                yield Outcome(*whose, WAITING)
                continue
            try:
                parcel = open_parcel(delivery.home, delivery.key, body)
                sent = _send(delivery, parcel, target)
            except QuorumError as error:
                if not isinstance(error, ReleaseError):
                    failed.add(target.recipient_id)
                yield Outcome(*whose, FAILED, error=error)
                continue
            yield Outcome(*whose, DELIVERED, len(parcel.items), parcel.byte_n, sent)


def _send(delivery: Delivery, parcel: Parcel, target: Target) -> int:
    """Bring a package to its target and enter the receipt; return how many files were sent."""
    check_owner(parcel, target)
    secret = read_secret(target, delivery.environ)
    items = sealed(delivery.home, parcel, target)
    sent = _tried(delivery, target, secret, f"{parcel.report}/{parcel.period}", items)
    delivery.ledger.append(RECEIPT, _receipt(delivery, parcel, target))
    forget(delivery.home, parcel, target)
    return sent


def _tried(delivery: Delivery, target: Target, secret: Secret, folder: str, items: Sequence[Item]) -> int:
    """Send, and try again after a fault that may pass."""
    for pause in (*PAUSES, None):
        try:
            return SENDERS[target.kind](target, secret, folder, items)
        except TransferError as fault:
            what = fault.what
        if pause is not None:
            delivery.sleep(pause)
    raise DeliveryError(
        "deliver.failed",
        f"the {target.kind} target of {target.recipient_id}: {what}, {len(PAUSES) + 1} times",
        "",
        "run it again: it goes on where it ended",
    )


def _receipt(delivery: Delivery, parcel: Parcel, target: Target) -> dict[str, Any]:
    """Return what the ledger keeps of a delivery: digests and sizes; no address, no login."""
    return {
        "recipient_id": parcel.recipient_id,
        "report": parcel.report,
        "period": parcel.period,
        "kind": target.kind,
        "place": target.place,
        "certificate": parcel.certificate,
        "files": parcel.digest,
        "file_n": len(parcel.items),
        "byte_n": parcel.byte_n,
        "is_encrypted": bool(target.encrypt_to),
        "delivered_at": delivery.now().isoformat(timespec="seconds"),
    }


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    """Hold the one lock of deliveries; a night may run beside it.

    Raises:
        LedgerError: another process holds it.
    """
    home.outbox.mkdir(parents=True, exist_ok=True, mode=0o700)
    taken = LedgerError(
        "deliver.lock", "a second delivery of the same home", "one at a time", "wait until the other has ended"
    )
    with hold(home.outbox / "lock", taken):
        yield
