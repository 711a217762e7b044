"""Extracts that the night makes: built once, sealed, served as stored.

What belongs here: from statement to checked partition, and serving it. What does not: what a purpose decides
(`quorum.extract.p01` and others, one module each: ``GIVEN``, ``MADE``, ``CHECKS``), writing files
(`quorum.extract.files`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import pyarrow as pa

from quorum.desk import Desk
from quorum.errors import ConfigurationError
from quorum.extract import p01, p02, p03, p05, p07, p09, p10
from quorum.extract.result import BATCH, EXTRACT, Check, Checked, Extract, Make, check_served, enter
from quorum.extract.segments import load_segments
from quorum.extract.surveys import load_surveys
from quorum.policy import Policy
from quorum.policy.grants import check_may_read
from quorum.tables import Catalog, Table
from quorum.zones import Zone

GIVEN: Mapping[str, Make] = MappingProxyType({**p01.GIVEN, **p05.GIVEN})
"""A relation in memory that a batch statement reads, to the rows that it is given."""
MADE: Mapping[str, Make] = MappingProxyType({**p02.MADE, **p03.MADE})
"""A table that more than one run of its statement makes, to what makes it."""
CHECKS: Mapping[str, Check] = MappingProxyType(
    {**p01.CHECKS, **p02.CHECKS, **p03.CHECKS, **p05.CHECKS, **p07.CHECKS, **p09.CHECKS, **p10.CHECKS}
)
"""A table to the check that its rows pass before they are kept."""
AFTER: Mapping[str, tuple[str, ...]] = MappingProxyType({**p03.AFTER, **p05.AFTER})
"""A table to those that must be made before it in the same night although its statement does not read them."""


def check_rules(policy: Policy) -> None:
    """Check the files of the policy that extracts alone read, before anything is made.

    Raises:
        ConfigurationError: one of them is malformed.
        PolicyError: one of them asks for what its purpose may not use.
    """
    load_segments(policy)
    load_surveys(policy)


def is_batch(catalog: Catalog, table: Table) -> bool:
    """Say whether the night makes a table: a kept extract of a batch purpose that needs no request to be made."""
    return (
        table.zone is Zone.EXTRACT
        and table.purpose in BATCH
        and not table.in_memory
        and table.query is not None
        and all(not catalog[r.table].in_memory or r.table in GIVEN or table.name in MADE for r in table.reads)
    )


def batch_tables(catalog: Catalog, purpose: str) -> tuple[str, ...]:
    """Return the names of the tables that the night makes for a purpose, each after those that it reads."""
    return tuple(table.name for table in catalog.order() if table.purpose == purpose and is_batch(catalog, table))


def build(desk: Desk, table: str, night: date) -> int:
    """Make a table of a purpose for a night: its statement, its own check, an entry in the ledger, its partition.

    Args:
        desk: who acts, and on what.
        table: one for which `is_batch` holds.
        night: the night.

    Returns:
        The rows kept.

    Raises:
        PolicyError: the role is not granted the purpose, or the check refuses.
    """
    contract = desk.catalog[table]
    check_may_read(desk.policy, desk.actor, contract.purpose)
    rows = MADE[table](desk, night) if table in MADE else desk.engine.run(table, night, given(desk, contract, night))
    checked = CHECKS[table](desk, night, rows) if table in CHECKS else Checked(rows)
    enter(desk, "built", Extract(contract.purpose, night, {table: checked.rows}, {table: checked.refused}))
    return desk.store.write(table, night, checked.rows)


def given(desk: Desk, table: Table, night: date) -> dict[str, pa.Table]:
    """Return the rows of the relations in memory that a statement reads."""
    return {read.relation: GIVEN[read.table](desk, night) for read in table.reads if desk.catalog[read.table].in_memory}


def extract(desk: Desk, purpose: str, night: date) -> Extract:
    """Serve what a batch purpose made in a night, as it is stored; of the latest night, what is missing is made first.

    Args:
        desk: who asks, and of what.
        purpose: one of `BATCH`.
        night: a night that is done.

    Raises:
        UsageError: no such purpose, or one that is served on request.
        PolicyError: the role is not granted the purpose; nothing was read.
        ConfigurationError: no night, or not this one, is done; or an earlier night made nothing for the purpose.
    """
    check_served(desk, purpose)
    names = batch_tables(desk.catalog, purpose)
    _complete(desk, purpose, names, night)
    tables = {name: desk.store.read(name, night, purpose=purpose) for name in names}
    served = Extract(purpose, night, tables, {name: refused(desk, night, name) for name in names})
    enter(desk, "served", served)
    return served


def _complete(desk: Desk, purpose: str, names: tuple[str, ...], night: date) -> None:
    latest = desk.latest_night()
    if desk.ledger.night(night) is None:
        raise ConfigurationError(
            "extract.night", f"{purpose} of night {night}, which is not done", f"a done night, the latest is {latest}"
        )
    missing = [name for name in names if not desk.store.files(name, night)]
    if missing and night != latest:
        raise ConfigurationError(
            "extract.missing", f"{missing[0]} of night {night}, which did not make it", f"made of the latest, {latest}"
        )
    for name in missing:
        build(desk, name, night)


def refused(desk: Desk, night: date, table: str) -> Mapping[str, int]:
    """Return what was left out of a table when it was built, by reason, as the ledger tells it."""
    found: Mapping[str, int] = {}
    for entry in desk.ledger.entries(EXTRACT):
        if entry.body["act"] == "built" and entry.body["night"] == night.isoformat() and table in entry.body["tables"]:
            found = entry.body["refused"].get(table, {})
    return found
