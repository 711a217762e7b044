"""The gate before every night and every command: contracts, statements and policy, judged together, once a process.

What belongs here: the order of the checks, and remembering that the same files have passed. What does not: any check.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import lru_cache

from quorum.conformity import check_conformity
from quorum.lineage.flows import Flows
from quorum.lineage.purposes import check_purposes
from quorum.lineage.unused import Unused, check_collected, listed_unused, unused_columns
from quorum.policy import Policy
from quorum.tables.catalog import Catalog


@dataclass(frozen=True)
class Gate:
    """What has passed.

    Args:
        flows: the lineage of the catalogue, as it was judged.
        unused: columns that land and that no purpose uses.
        listed: what is listed of them, and until when.
    """

    flows: Flows
    unused: frozenset[str]
    listed: Mapping[str, Unused]

    def check_day(self, today: date) -> None:
        """Check what may be collected on a civil date in Asia/Tokyo; see `check_collected`.

        Raises:
            PolicyError: a column lands that no purpose uses and that is not, or no longer, listed.
        """
        check_collected(self.unused, self.listed, today)


def check_gate(catalog: Catalog, policy: Policy) -> Gate:
    """Judge contracts and statements under a policy; the same ones are judged once in a process.

    Raises:
        PolicyError: something does what the policy does not allow; nothing may be built.
        ConfigurationError: ``declassifiers.yaml`` or ``unused_columns.yaml`` cannot be trusted.
    """
    return _judged(_Asked(repr(sorted(catalog.tables.items())), repr(policy), catalog, policy))


@dataclass(frozen=True)
class _Asked:
    """A question: what it is about says whether it was asked before."""

    contracts: str
    rules: str
    catalog: Catalog = field(compare=False)
    policy: Policy = field(compare=False)


@lru_cache(maxsize=4)
def _judged(asked: _Asked) -> Gate:
    check_conformity(asked.catalog, asked.policy)
    flows = check_purposes(asked.catalog, asked.policy)
    return Gate(flows, unused_columns(flows), listed_unused(asked.policy.folder))
