"""The catalogue of tables, loaded once from ``sql/<zone>/<table>/{query.sql, table.yaml}`` and frozen.

What belongs here: the contract of a table and which tables a query reads. What does not: values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import yaml

from quorum.errors import ConfigurationError
from quorum.zones import Zone, zone_of

if TYPE_CHECKING:
    import pyarrow as pa

TYPES = ("VARCHAR", "BIGINT", "INTEGER", "DATE", "TIMESTAMP", "BOOLEAN", "BLOB")
ORIGINS = ("subject", "partner")
WINDOWS = ("previous", "history")
_TABLE_NAME = re.compile(r"\b((?:vault|pseudo|seg|cube|safe|[pd]\d\d)__[a-z_]+?)(?:__(previous|history))?\b")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)


@dataclass(frozen=True)
class Column:
    """A column of a contract.

    Args:
        name: the name; the unit is in it.
        type: one of ``TYPES``.
        category: a data category of ``policy/columns.yaml``.
        unit: what one unit of the value is.
        description: what it means.
        origin: who gave it, one of ``ORIGINS``: asked of the person at registration (clause C-02) or supplied by a
            partner (C-03); None for what was recorded or made.
    """

    name: str
    type: str
    category: str
    unit: str
    description: str
    origin: str | None = None


@dataclass(frozen=True)
class Read:
    """A parent of a query and the window of it that is read.

    Args:
        table: the parent.
        window: ``night`` (this night's partition), ``previous`` (the latest earlier partition) or ``history`` (all
            partitions up to and including this night).
    """

    table: str
    window: str

    @property
    def relation(self) -> str:
        """The name by which a query reads it, e.g. ``pseudo__login_link__previous``."""
        return self.table if self.window == "night" else f"{self.table}__{self.window}"


@dataclass(frozen=True)
class Carry:
    """Which rows outlive their partition, when its retention is over: state that still stands.

    Args:
        by: columns of which one row is kept for each combination.
        latest: the column whose latest value it has; the last to land if None.
        until: a date up to which, itself included, a row stands; a row without one stands no longer.
        only: column to the values of the rows that stand at all.
        open_case: whether only requests with an open case stand.
    """

    by: tuple[str, ...]
    latest: str | None = None
    until: str | None = None
    only: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    open_case: bool = False


@dataclass(frozen=True)
class Table:
    """The contract of a table.

    Args:
        name: ``{zone}__{subject}``.
        description: what it is.
        grain: what a row is.
        purpose: one purpose of ``policy/policy.yaml``, or INFRA.
        owner: who answers for it.
        retention: a zone of ``policy/retention.yaml`` or a number of days.
        columns: in order.
        query: the statement that makes it, or None for a table made by Python.
        in_memory: never written anywhere.
        parents: declared parents of a table made by Python.
        collected: the column that says when a row was collected: an instant (TIMESTAMP), a civil date (DATE) or
            minutes since 1970-01-01 in UTC (BIGINT); None for a table about no person. What was collected before a
            purpose took effect is not read for it (clause R-02).
        on_request: written by somebody's act (`quorum.register`), never by a night.
        carry: which rows outlive their partition; None for none.
    """

    name: str
    description: str
    grain: str
    purpose: str
    owner: str
    retention: str
    columns: tuple[Column, ...]
    query: str | None
    in_memory: bool
    parents: tuple[str, ...]
    collected: str | None = None
    on_request: bool = False
    carry: Carry | None = None

    @property
    def zone(self) -> Zone:
        """The zone, by the name."""
        return zone_of(self.name)

    @cached_property
    def reads(self) -> tuple[Read, ...]:
        """What the query reads, by the names in it, in order of first mention; declared parents for a Python table."""
        if self.query is None:
            return tuple(Read(parent, "night") for parent in self.parents)
        found = _TABLE_NAME.findall(_COMMENT.sub(" ", self.query))
        return tuple(dict.fromkeys(Read(table, window or "night") for table, window in found))

    def column(self, name: str) -> Column:
        """Return a column by name.

        Raises:
            KeyError: the contract has no such column.
        """
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name}.{name}")

    def arrow_schema(self) -> pa.Schema:
        """Return the Arrow schema; every field nullable, timestamps in microseconds of UTC without a zone."""
        import pyarrow as pa

        types = {
            "VARCHAR": pa.string(),
            "BIGINT": pa.int64(),
            "INTEGER": pa.int32(),
            "DATE": pa.date32(),
            "TIMESTAMP": pa.timestamp("us"),
            "BOOLEAN": pa.bool_(),
            "BLOB": pa.binary(),
        }
        return pa.schema([(column.name, types[column.type]) for column in self.columns])


@dataclass(frozen=True)
class Catalog:
    """All contracts, by name.

    Args:
        tables: name to contract.
    """

    tables: Mapping[str, Table]

    def __getitem__(self, name: str) -> Table:
        if name not in self.tables:
            raise ConfigurationError("tables.unknown", f"table {name}", "a folder under sql/", "add its contract")
        return self.tables[name]

    def in_zone(self, zone: Zone) -> tuple[Table, ...]:
        """Return the tables of a zone, by name."""
        return tuple(self.tables[name] for name in sorted(self.tables) if zone_of(name) is zone)

    def children(self, name: str) -> tuple[Table, ...]:
        """Return the tables that read a table, in any window, by name."""
        return tuple(t for _, t in sorted(self.tables.items()) if any(read.table == name for read in t.reads))

    def order(self) -> tuple[Table, ...]:
        """Return all tables so that each comes after what it reads of the same night.

        Raises:
            ConfigurationError: the contracts form a circle.
        """
        done: dict[str, Table] = {}
        while len(done) < len(self.tables):
            ready = [
                table
                for name, table in sorted(self.tables.items())
                if name not in done
                and all(r.table in done or r.window == "previous" or r.table == name for r in table.reads)
            ]
            if not ready:
                raise ConfigurationError("tables.circle", "contracts that read each other in a circle")
            done.update((table.name, table) for table in ready)
        return tuple(done.values())


def load_catalog(folder: Path) -> Catalog:
    """Load every contract under ``sql/``.

    Args:
        folder: the ``sql`` folder.

    Raises:
        ConfigurationError: a contract is malformed, misnamed or in the wrong folder, or reads an unknown table.
    """
    tables = {}
    for path in sorted(folder.glob("*/*/table.yaml")):
        table = _load_table(path)
        if path.parent.name != table.name or path.parent.parent.name != table.zone.value:
            raise ConfigurationError("tables.place", f"{table.name} in {path.parent.name}", "sql/<zone>/<table>/")
        tables[table.name] = table
    if not tables:
        raise ConfigurationError("tables.none", "a folder without contracts", "sql/<zone>/<table>/table.yaml")
    for table in tables.values():
        for read in table.reads:
            if read.table not in tables:
                raise ConfigurationError("tables.parent", f"{table.name} reads {read.table}", "a declared table")
            if zone_of(read.table).rank > table.zone.rank:
                raise ConfigurationError("tables.one_way", f"{table.name} reads {read.table}", "an earlier zone")
    return Catalog(MappingProxyType(tables))


def _load_table(path: Path) -> Table:
    raw: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    required = {"name", "description", "grain", "purposes", "owner", "retention", "columns"}
    unknown = set(raw) - required - {"kept", "parents", "collected", "carry"}
    if unknown or required - set(raw):
        raise ConfigurationError("tables.fields", f"{path.parent.name}/table.yaml", f"fields {sorted(required)}")
    if len(raw["purposes"]) != 1:
        raise ConfigurationError("tables.purpose", f"{raw['name']} has {len(raw['purposes'])} purposes", "exactly one")
    columns = tuple(Column(**column) for column in raw["columns"])
    for column in columns:
        if column.type not in TYPES:
            raise ConfigurationError("tables.type", f"{raw['name']}.{column.name} is {column.type}", ", ".join(TYPES))
        if column.origin is not None and column.origin not in ORIGINS:
            raise ConfigurationError(
                "tables.origin", f"{raw['name']}.{column.name} is of {column.origin}", ", ".join(ORIGINS)
            )
    query = path.parent / "query.sql"
    return Table(
        name=raw["name"],
        description=raw["description"],
        grain=raw["grain"],
        purpose=raw["purposes"][0],
        owner=raw["owner"],
        retention=str(raw["retention"]),
        columns=columns,
        query=query.read_text(encoding="utf-8") if query.exists() else None,
        in_memory=raw.get("kept") == "memory",
        parents=tuple(raw.get("parents", ())),
        collected=raw.get("collected"),
        on_request=raw.get("kept") == "on_request",
        carry=_carry(raw["name"], raw["carry"], columns) if "carry" in raw else None,
    )


def _carry(table: str, raw: dict[str, Any], columns: tuple[Column, ...]) -> Carry:
    only = {name: tuple(values) for name, values in raw.get("only", {}).items()}
    named = {*raw.get("by", ()), *only, *(raw[name] for name in ("latest", "until") if name in raw)}
    unknown = set(raw) - {"by", "latest", "until", "only", "open_case"}
    if unknown or not raw.get("by") or not named <= {column.name for column in columns}:
        raise ConfigurationError("tables.carry", f"what {table} carries", "by, latest, until, only: its columns")
    return Carry(
        tuple(raw["by"]), raw.get("latest"), raw.get("until"), MappingProxyType(only), bool(raw.get("open_case"))
    )
