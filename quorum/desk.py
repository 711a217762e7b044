"""What every act on stored data about persons is given, beside what it is about: the desk.

What belongs here: the bundle. What does not: any act (`quorum.extract`, `quorum.rights`, `quorum.register`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from quorum.engine.choose import Engine
from quorum.engine.store import Store
from quorum.errors import ConfigurationError
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.policy import Actor, Policy
from quorum.tables import Catalog
from quorum.zones import Home


@dataclass(frozen=True)
class Desk:
    """An open home, and who acts in it.

    Args:
        home: the run-time state.
        policy: the rules.
        keys: the key ring.
        ledger: where acts are entered before they are done.
        store: partitions; its reads are noted under the actor.
        engine: statements.
        actor: who acts, in which role.
    """

    home: Home
    policy: Policy
    keys: KeyRing
    ledger: Ledger
    store: Store
    engine: Engine
    actor: Actor

    @property
    def catalog(self) -> Catalog:
        """The contracts."""
        return self.store.catalog

    def latest_night(self) -> date:
        """Return the latest night that is done: what is known today.

        Raises:
            ConfigurationError: no night is done.
        """
        nights = self.ledger.nights()
        if not nights:
            raise ConfigurationError("desk.night", "a home in which no night is done", "one", "run a night first")
        return nights[-1]
