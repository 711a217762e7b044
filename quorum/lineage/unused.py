"""Only what is needed is collected (clause C-04): every column that lands reaches the output of a purpose.

What belongs here: the way back from all outputs to what landed, and the list of what is not used yet. What does not:
what a purpose may use (`quorum.lineage.purposes`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType

from quorum.errors import ConfigurationError, PolicyError
from quorum.lineage.flows import INFRASTRUCTURE, Flows
from quorum.lineage.outside import is_outside
from quorum.policy.fields import read
from quorum.zones import Zone

_ABOUT_NOBODY = "fact"
_RECEIVED = "RAW"


@dataclass(frozen=True)
class Unused:
    """A column that lands and that no purpose uses yet.

    Args:
        since: civil date on which it was listed.
        expires: the last civil date on which it may be collected without a use.
        why: why it is still collected.
    """

    since: date
    expires: date
    why: str


def listed_unused(folder: Path) -> Mapping[str, Unused]:
    """Read ``unused_columns.yaml``: ``table.column`` to what is said of it.

    Raises:
        ConfigurationError: the file is missing, has a column twice, or an entry has other fields than since, expires
            and why.
    """
    try:
        raw = read(folder, "unused_columns.yaml")
        found = {str(column): Unused(**entry) for column, entry in raw.items()}
    except (TypeError, AttributeError):
        raise ConfigurationError(
            "policy.unused_columns", "unused_columns.yaml cannot be read", "since, expires and why for each column"
        ) from None
    for column, entry in found.items():
        if not (isinstance(entry.since, date) and isinstance(entry.expires, date) and entry.since <= entry.expires):
            raise ConfigurationError("policy.unused_columns", column, "two dates, since and then expires", "correct it")
    return MappingProxyType(found)


def unused_columns(flows: Flows) -> frozenset[str]:
    """Return the columns that land and that no output of any purpose depends on, ``table.column``."""
    return collected_columns(flows) - used_columns(flows)


def check_collected(unused: frozenset[str], listed: Mapping[str, Unused], today: date) -> None:
    """Check that every column that lands and is not used is listed with a date that has not passed.

    Args:
        unused: what `unused_columns` returned.
        listed: what ``unused_columns.yaml`` lists.
        today: a civil date in Asia/Tokyo; of a night, the night's.

    Guarantee: a collected column that no output of any purpose depends on, by value or by use, is on the list.

    Source: clause C-04: only what is needed is collected.

    Raises:
        PolicyError: an unused column is not listed or is past its date, or a listed one is used or is no such column.
    """
    for column in sorted(unused | set(listed)):
        if column not in listed:
            problem, remedy = "is collected, and no purpose uses it", "stop collecting it, or list it with a date"
        elif column not in unused:
            problem, remedy = "is listed as unused, and is used or not collected", "take it off the list"
        elif today > listed[column].expires:
            problem, remedy = f"is unused, and its date {listed[column].expires} has passed", "stop collecting it"
        else:
            continue
        raise PolicyError("policy.unused_column", f"{column} {problem}", "what a purpose uses (C-04)", remedy)


def collected_columns(flows: Flows) -> frozenset[str]:
    """Return every column that lands, ``table.column``: of the vault's tables that no statement and no act makes."""
    return frozenset(
        f"{table.name}.{column.name}"
        for table in flows.catalog.in_zone(Zone.VAULT)
        if table.query is None and not table.on_request
        for column in table.columns
        if column.origin is not None or flows.policy.columns[column.category].klass != _ABOUT_NOBODY
    )


def used_columns(flows: Flows) -> frozenset[str]:
    """Return every column that an output of a purpose or a disclosure depends on, by value or use, at any distance."""
    seen: set[str] = set()
    waiting = [
        f"{table.name}.{column.name}"
        for table in flows.catalog.tables.values()
        if table.purpose != INFRASTRUCTURE or is_outside(table)
        for column in table.columns
    ]
    while waiting:
        column = waiting.pop()
        if column not in seen:
            seen.add(column)
            owner, name = column.split(".")
            waiting += [*flows.bases(owner, name), *flows.used(owner), *_received(flows, owner)]
    return frozenset(seen)


def _received(flows: Flows, table: str) -> list[str]:
    """Return the columns of text as it was received that Python reads a table's fields from."""
    contract = flows.catalog[table]
    parents = contract.parents if contract.query is None else ()
    return [
        f"{parent}.{column.name}"
        for parent in parents
        for column in flows.catalog[parent].columns
        if column.category == _RECEIVED
    ]
