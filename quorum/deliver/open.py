"""Opening what a delivery works with, for the command and for Dagster.

What belongs here: opening and closing. What does not: the delivery (`quorum.deliver.run`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from quorum.deliver.run import Delivery
from quorum.ledger import Ledger
from quorum.policy import load_policy
from quorum.release.certificate import PUBLIC_KEY, load_public_key
from quorum.zones import Home


@contextmanager
def open_delivery(home: Home, policy: Path, environ: Mapping[str, str]) -> Iterator[Delivery]:
    """Open what a delivery works with, and close it.

    Args:
        home: where packages lie.
        policy: the policy folder, which names the targets.
        environ: where logins are named.

    Raises:
        ConfigurationError: the policy does not load, or the home has no public key.
    """
    rules, ledger = load_policy(policy), Ledger(home.ledger)
    try:
        key = load_public_key(home.keys / PUBLIC_KEY)
        yield Delivery(home, ledger, rules, key, environ, lambda: datetime.now(UTC))
    finally:
        ledger.close()
