"""The embedded engine: statements of ``sql/`` on DuckDB, in memory, sandboxed, checked against their contracts.

What belongs here: connections, what a statement may read, errors without values. What does not: what statements say
(``sql/``), where partitions lie (`quorum.engine.store`). Two databases are kept apart: one for statements that read
the vault, which holds the pseudonym keys and can spill nowhere (a spill is plain text), and one for all others, which
holds no key, may spill into the home's scratch space, and may open files of the warehouse only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import duckdb
import pyarrow as pa

from quorum.engine.collected import collected_condition
from quorum.engine.macros import AGE_MACROS, NETWORK_MACROS, pseudonym_macros
from quorum.engine.operators import Operators, read_operators
from quorum.engine.relations import policy_relations
from quorum.engine.store import Store, conform
from quorum.errors import ConfigurationError, QuorumError
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.tables.catalog import Read, Table
from quorum.zones import zone_of

_BATCH_ROWS = 250_000
_NIGHT = re.compile(r"\$night\b")
_NOTHING: Mapping[str, pa.Table] = MappingProxyType({})

Answer = TypeVar("Answer")


class DuckEngine:
    """Runs the statements of the catalogue's tables for a night.

    Args:
        store: partitions, and the contracts.
        policy: its key sets become the relations ``policy__*``.
        keys: the pseudonym keys are derived from it.
        memory_limit: of each of the two databases, e.g. ``3GB``.
        threads: of each of the two databases; all cores if None.
        profiles: where the profile of each statement is kept, by table; None for no profiles.
    """

    def __init__(
        self,
        store: Store,
        policy: Policy,
        keys: KeyRing,
        *,
        memory_limit: str = "3GB",
        threads: int | None = None,
        profiles: dict[str, Operators] | None = None,
    ) -> None:
        self._store, self._profiles = store, profiles
        settings: dict[str, str | int] = {
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "python_enable_replacements": "false",
            "preserve_insertion_order": "true",
            "memory_limit": memory_limit,
        }
        if threads is not None:
            settings["threads"] = threads
        self._policy = policy
        relations = policy_relations(policy)
        store.home.tmp.mkdir(parents=True, exist_ok=True)
        scratch = str(store.home.tmp.absolute())
        self._sealed = _connect(
            {**settings, "temp_directory": ""}, relations, (*AGE_MACROS, *NETWORK_MACROS, *pseudonym_macros(keys)), None
        )
        self._open = _connect({**settings, "temp_directory": scratch}, relations, (), store.home.warehouse)
        if profiles is None:
            for database in (self._sealed, self._open):
                database.execute("SET lock_configuration = true")

    def build(self, table: str, night: date) -> int:
        """Run a table's statement for a night and write its partition; return its rows.

        Raises:
            ConfigurationError: the table has no statement, or the result is not what the contract says.
            QuorumError: the statement failed; the message names the table only.
        """
        contract = self._contract(table)
        batches = self._batches(contract, night, _NOTHING)
        with self._store.writer(table, night) as writer:
            for batch in batches:
                writer.write(pa.Table.from_batches([batch]))
        return writer.rows

    def run(self, table: str, night: date, relations: Mapping[str, pa.Table] = _NOTHING) -> pa.Table:
        """Run a table's statement for a night and return its rows; nothing is written.

        Args:
            table: a table with a statement.
            night: the night, ``$night`` in the statement.
            relations: rows that stand in for stored parents, by the name under which the statement reads them, e.g. one
                chunk as ``vault__access``; they must fit the parent's contract.

        Raises:
            ConfigurationError: as for `build`; or a given relation is not read, or does not fit its contract.
            QuorumError: the statement failed; the message names the table only.
        """
        contract = self._contract(table)
        unread = set(relations) - {read.relation for read in contract.reads}
        if unread:
            raise ConfigurationError("engine.relation", f"{sorted(unread)[0]} for {table}", "what the statement reads")
        return pa.Table.from_batches(self._batches(contract, night, relations), contract.arrow_schema())

    def query(self, sql: str, relations: Mapping[str, pa.Table]) -> pa.Table:
        """Run a statement of the library's own on given rows, in memory, with the macros and the policy's relations.

        Raises:
            QuorumError: the statement failed; the message carries nothing of it.
        """
        cursor = self._sealed.cursor()
        try:
            for name, rows in relations.items():
                cursor.register(name, rows)
            answer: pa.Table = _redacted("a statement on rows in memory", lambda: cursor.sql(sql).to_arrow_table())
            return answer
        finally:
            cursor.close()

    def query_stored(self, sql: str, night: date, tables: Mapping[str, str]) -> pa.Table:
        """Run a statement of the library's own on stored rows of a night; only the columns that it names are read.

        Raises:
            QuorumError: it failed, or one of the tables (by their names in it) is sealed: this database may spill.
        """
        cursor = self._open.cursor()
        try:
            for name, table in tables.items():
                if zone_of(table).is_sealed:
                    raise ConfigurationError("engine.sealed", f"{table} beside the vault", "tables that are not sealed")
                self._open_files(cursor, name, self._store.catalog[table], self._store.files(table, night), None)
            answer: pa.Table = _redacted("a statement on stored rows", lambda: cursor.sql(sql).to_arrow_table())
            return answer
        finally:
            cursor.close()

    def close(self) -> None:
        """Close both databases; what they held is gone."""
        self._sealed.close()
        self._open.close()

    def _contract(self, table: str) -> Table:
        contract = self._store.catalog[table]
        if contract.query is None:
            raise ConfigurationError("engine.no_query", f"running {table}", "a table with a query.sql")
        return contract

    def _batches(self, contract: Table, night: date, relations: Mapping[str, pa.Table]) -> Iterator[pa.RecordBatch]:
        """Yield the result of a statement in batches; each statement has a connection, hence names, of its own."""
        statement = str(contract.query)
        cursor = (self._sealed if _reads_sealed(contract) else self._open).cursor()
        try:
            for read in contract.reads:
                self._provide(cursor, contract, read, night, relations)
            if self._profiles is not None:
                cursor.execute("PRAGMA enable_profiling = 'no_output'")
            parameters = {"night": night} if _NIGHT.search(statement) else None
            reader: pa.RecordBatchReader = _redacted(
                contract.name, lambda: cursor.sql(statement, params=parameters).to_arrow_reader(_BATCH_ROWS)
            )
            _check_schema(contract, reader.schema)
            while (batch := _redacted(contract.name, lambda: next(reader, None))) is not None:
                yield batch
            if self._profiles is not None:
                self._profiles[contract.name] = read_operators(cursor.get_profiling_information())
        finally:
            cursor.close()

    def _provide(
        self,
        cursor: duckdb.DuckDBPyConnection,
        contract: Table,
        read: Read,
        night: date,
        relations: Mapping[str, pa.Table],
    ) -> None:
        """Give a statement one of its parents: given rows, rows opened in memory, or a view of plain Parquet.

        What was collected before the statement's purpose took effect is not in it.
        """
        parent = self._store.catalog[read.table]
        schema = parent.arrow_schema()
        condition = collected_condition(contract, parent, self._policy)
        if read.relation in relations:
            _register(cursor, read.relation, conform(relations[read.relation], schema), condition)
            return
        if parent.in_memory:
            raise ConfigurationError(
                "engine.in_memory", f"{contract.name} without {read.relation}", "rows given to run"
            )
        files = self._store.files(read.table, night, read.window)
        if files and _reads_sealed(contract):  # that database opens no file at all
            rows = self._store.read(read.table, night, read.window, purpose=contract.purpose)
            _register(cursor, read.relation, rows, condition)
        else:
            self._open_files(cursor, read.relation, parent, files, condition)

    @staticmethod
    def _open_files(
        cursor: duckdb.DuckDBPyConnection, relation: str, table: Table, files: Sequence[Path], condition: str | None
    ) -> None:
        """Give a statement the rows of a table's files as a view; those that meet the condition, if there is one."""
        if not files:
            cursor.register(relation, table.arrow_schema().empty_table())
            return
        columns = ", ".join(column.name for column in table.columns)
        paths = ", ".join(_literal(path) for path in files)
        view = (
            f"CREATE TEMP VIEW {relation} AS SELECT {columns} FROM read_parquet([{paths}], hive_partitioning = false)"
            + ("" if condition is None else f" WHERE {condition}")
        )
        _redacted(table.name, lambda: cursor.execute(view))


def _register(cursor: duckdb.DuckDBPyConnection, relation: str, rows: pa.Table, condition: str | None) -> None:
    """Give a statement rows under a name; those that meet the condition, if there is one."""
    if condition is None:
        cursor.register(relation, rows)
        return
    cursor.register(f"{relation}__whole", rows)
    _redacted(
        relation,
        lambda: cursor.execute(f"CREATE TEMP VIEW {relation} AS SELECT * FROM {relation}__whole WHERE {condition}"),
    )


def _reads_sealed(contract: Table) -> bool:
    return any(zone_of(read.table).is_sealed for read in contract.reads)


def _connect(
    settings: Mapping[str, str | int],
    relations: Mapping[str, pa.Table],
    macros: tuple[str, ...],
    readable: Path | None,
) -> duckdb.DuckDBPyConnection:
    """Open a database in memory, give it relations and macros, then close the door to files.

    Its settings are to be locked, unless statements are profiled: a profile is switched on where a statement runs.
    """
    connection = duckdb.connect(":memory:", config=dict(settings))
    for name, rows in relations.items():
        connection.register("given", rows)
        connection.execute(f"CREATE TABLE {name} AS SELECT * FROM given")
        connection.unregister("given")
    for macro in macros:
        _redacted("a macro", partial(connection.execute, macro))  # an error would quote the key
    if readable is not None:
        connection.execute(f"SET allowed_directories = [{_literal(readable)}]")
    connection.execute("SET enable_external_access = false")
    return connection


def _literal(path: Path) -> str:
    return "'" + str(path.absolute()).replace("'", "''") + "'"


def _check_schema(contract: Table, found: pa.Schema) -> None:
    wanted = contract.arrow_schema()
    if not found.equals(wanted):
        differing = [
            f"{name}"
            for name in dict.fromkeys([*wanted.names, *found.names])
            if name not in found.names or name not in wanted.names or found.field(name).type != wanted.field(name).type
        ]
        raise ConfigurationError(
            "engine.contract",
            f"{contract.name}: " + (f"columns {differing} differ" if differing else "columns in another order"),
            "names, order and types of table.yaml",
            "cast in query.sql",
        )


def _redacted(what: str, act: Callable[[], Answer]) -> Answer:
    """Do something with the engine; its errors quote values, so they are replaced, and not even chained."""
    failure: QuorumError
    try:
        return act()
    except duckdb.OutOfMemoryException:
        failure = ConfigurationError("engine.memory", what, "", "raise the memory limit")
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException):
        failure = ConfigurationError("engine.statement", f"{what} does not fit the relations that it reads")
    except (duckdb.Error, pa.ArrowException, OSError) as error:
        failure = QuorumError("engine.failed", f"{what} ({type(error).__name__})")
    raise failure
