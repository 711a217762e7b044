"""What an attack found in the worst case, sealed: the ledger keeps it, the officer alone can read it.

What belongs here: sealing and opening. What does not: what is found (`quorum.audit`), and who may ask.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from quorum.audit.record import PASSED, AttackRecord
from quorum.errors import LedgerError
from quorum.keys import KeyRing
from quorum.ledger import Ledger

WORST = "worst"
"""What a role must be granted to read it."""

_PURPOSE = "ledger/worst"
_KEY_BYTES = 64


def seal_worst(keys: KeyRing, records: Sequence[AttackRecord]) -> str:
    """Return the worst case of every attack that did not pass, encrypted, as hex.

    Args:
        keys: the key comes from it.
        records: of one release.

    Guarantee:
        Without the master key nothing of it can be read but its length, and nothing changed unseen; the same records
        give the same text.

    Source: disclosure.md, The red team (worst case, in the sealed ledger only); RFC 5297 (AES-SIV).
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    text = json.dumps([record.as_sealed() for record in records if record.verdict != PASSED], ensure_ascii=False)
    return AESSIV(keys.derive(_PURPOSE, _KEY_BYTES)).encrypt(text.encode(), None).hex()


def open_worst(keys: KeyRing, sealed: str) -> list[dict[str, str]]:
    """Return what `seal_worst` sealed: attack, release, verdict and worst case each.

    Raises:
        LedgerError: it was sealed with another key, or changed.

    Guarantee:
        What is returned is what was sealed.

    Source: RFC 5297.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

    try:
        text = AESSIV(keys.derive(_PURPOSE, _KEY_BYTES)).decrypt(bytes.fromhex(sealed), None)
    except (InvalidTag, ValueError):
        raise LedgerError("ledger.sealed", "a sealed worst case", "what this home's key sealed") from None
    found: list[dict[str, str]] = json.loads(text)
    return found


def worst_of(ledger: Ledger, keys: KeyRing, package: tuple[str, str, str]) -> list[dict[str, str]]:
    """Return what was sealed of a package, each time that an attack refused it: night, attack, verdict and worst case.

    Args:
        ledger: with the refusals.
        keys: that sealed them.
        package: recipient, report and period.

    Raises:
        LedgerError: an entry was sealed with another key, or changed.

    Guarantee:
        Nothing of any other package is returned.

    Source: disclosure.md, The red team.
    """
    refusals = [entry.body for entry in ledger.entries("blocked") if "sealed" in entry.body]
    own = [body for body in refusals if (body["recipient_id"], body["report"], body["period"]) == package]
    return [{"night": body["night"], **found} for body in own for found in open_worst(keys, body["sealed"])]
