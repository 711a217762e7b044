"""The log of reads: who read how many rows of which sealed table, for which purpose (clause S-01).

What belongs here: one entry of the journal for each read. What does not: whether it is allowed
(`quorum.policy.grants`), and what was read.
"""

from __future__ import annotations

from dataclasses import dataclass

from quorum.ledger.store import Ledger
from quorum.policy import Actor

READ = "read"


@dataclass(frozen=True)
class ReadLog:
    """Notes reads of one actor.

    Args:
        ledger: where entries go.
        actor: who reads.
    """

    ledger: Ledger
    actor: Actor

    def note(self, purpose: str, table: str, rows: int) -> None:
        """Enter a read in the journal, before the rows are handed over.

        Args:
            purpose: what it is for, INFRA for the pipeline itself.
            table: a sealed table.
            rows: how many rows were read; none leaves no entry.
        """
        if rows:
            body = {"who": self.actor.name, "role": self.actor.role, "purpose": purpose, "table": table, "rows": rows}
            self.ledger.append(READ, body)
