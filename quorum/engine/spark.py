"""The same statements on Spark: behind the vault, where tables grow with the portal.

What belongs here: which statements Spark runs, what they may read, and their result as a partition. What does not:
the process (`quorum.engine.spark_client`) and the dialect (`quorum.engine.spark_sql`). Statements that read the vault
stay with the embedded engine: sealed rows are opened in memory alone, and Spark spills and shuffles in the clear.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq
import sqlglot

from quorum.engine.collected import collected_condition
from quorum.engine.duck import DuckEngine
from quorum.engine.macros import AGE_MACROS, NETWORK_MACROS
from quorum.engine.relations import policy_relations
from quorum.engine.spark_client import Parent, SparkClient, SparkSettings
from quorum.engine.spark_sql import read_macros, translate
from quorum.engine.store import Store, conform
from quorum.errors import ConfigurationError
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.tables.catalog import Read, Table
from quorum.zones import zone_of

_BATCH_ROWS = 250_000
_NOTHING: Mapping[str, pa.Table] = MappingProxyType({})


class SparkEngine:
    """Runs the statements of the catalogue's tables for a night, on Spark where they read nothing sealed.

    Args:
        store: partitions, and the contracts.
        policy: its key sets become the relations ``policy__*``.
        keys: for the statements that stay with the embedded engine.
        settings: how Spark is run.
    """

    def __init__(self, store: Store, policy: Policy, keys: KeyRing, settings: SparkSettings) -> None:
        self._store, self._policy = store, policy
        self._embedded = DuckEngine(store, policy, keys)
        self._macros = read_macros((*AGE_MACROS, *NETWORK_MACROS))
        settings.scratch.mkdir(parents=True, exist_ok=True)
        self._scratch = TemporaryDirectory(dir=settings.scratch, prefix="spark-")
        relations = {name: [self._keep(name, rows)] for name, rows in policy_relations(policy).items()}
        self._client = SparkClient(settings, relations)

    def build(self, table: str, night: date) -> int:
        """Run a table's statement for a night and write its partition; return its rows.

        Raises:
            ConfigurationError: the table has no statement, or the result is not what the contract says.
            QuorumError: the statement failed; the message names the table only.
        """
        contract = self._store.catalog[table]
        if is_embedded(contract):
            return self._embedded.build(table, night)
        with self._answer(contract, night, _NOTHING) as files, self._store.writer(table, night) as writer:
            for rows in files:
                writer.write(rows)
        return writer.rows

    def run(self, table: str, night: date, relations: Mapping[str, pa.Table] = _NOTHING) -> pa.Table:
        """Run a table's statement for a night and return its rows; nothing is written.

        Args:
            table: a table with a statement.
            night: the night, ``$night`` in the statement.
            relations: rows that stand in for stored parents, as for the embedded engine.

        Raises:
            ConfigurationError: as for `build`; or a given relation is not read, or does not fit its contract.
            QuorumError: the statement failed; the message names the table only.
        """
        contract = self._store.catalog[table]
        if is_embedded(contract):
            return self._embedded.run(table, night, relations)
        schema = contract.arrow_schema()
        with self._answer(contract, night, relations) as files:
            return pa.concat_tables([schema.empty_table(), *(conform(rows, schema) for rows in files)])

    def query(self, sql: str, relations: Mapping[str, pa.Table]) -> pa.Table:
        """Run a statement of the library's own on given rows, in memory, on the embedded engine."""
        return self._embedded.query(sql, relations)

    def query_stored(self, sql: str, night: date, tables: Mapping[str, str]) -> pa.Table:
        """Run a statement of the library's own on stored rows of a night, on the embedded engine."""
        return self._embedded.query_stored(sql, night, tables)

    def close(self) -> None:
        """End Spark and close the embedded engine; what they held is gone."""
        self._client.close()
        self._embedded.close()
        self._scratch.cleanup()

    @contextmanager
    def _answer(self, contract: Table, night: date, relations: Mapping[str, pa.Table]) -> Iterator[Iterator[pa.Table]]:
        """Give the rows of a statement in order, a batch at a time."""
        unread = set(relations) - {read.relation for read in contract.reads}
        if unread:
            raise ConfigurationError(
                "engine.relation", f"{sorted(unread)[0]} for {contract.name}", "what the statement reads"
            )
        parents = [self._parent(contract, read, night, relations) for read in contract.reads]
        with TemporaryDirectory(dir=self._scratch.name) as folder:
            target = Path(folder) / "rows"
            statement = translate(str(contract.query), night, self._macros)
            self._client.select(contract.name, statement, parents, target)
            yield (
                pa.Table.from_batches([batch])
                for path in sorted(target.glob("*.parquet"))
                for batch in pq.ParquetFile(path).iter_batches(_BATCH_ROWS)
            )

    def _parent(self, contract: Table, read: Read, night: date, relations: Mapping[str, pa.Table]) -> Parent:
        parent = self._store.catalog[read.table]
        condition = collected_condition(contract, parent, self._policy)
        if read.relation in relations:
            rows = conform(relations[read.relation], parent.arrow_schema())
            files = [self._keep(f"given-{contract.name}-{read.relation}", rows)]
        elif parent.in_memory:
            raise ConfigurationError(
                "engine.in_memory", f"{contract.name} without {read.relation}", "rows given to run"
            )
        else:
            files = self._store.files(read.table, night, read.window)
        return Parent(
            read.relation,
            files,
            [(column.name, column.type) for column in parent.columns],
            None if condition is None else _condition(condition),
        )

    def _keep(self, name: str, rows: pa.Table) -> Path:
        """Write rows where Spark reads them."""
        path = Path(self._scratch.name) / f"{name}.parquet"
        pq.write_table(rows, path)
        return path


def is_embedded(contract: Table) -> bool:
    """Say whether a statement stays with the embedded engine: it has none, or reads or makes what is sealed."""
    return contract.query is None or any(zone_of(name).is_sealed for name in (contract.name, *_reads(contract)))


def _reads(contract: Table) -> list[str]:
    return [read.table for read in contract.reads]


def _condition(condition: str) -> str:
    return sqlglot.parse_one(condition, read="duckdb").sql(dialect="spark")
