"""Every statement on Spark, also those that the product leaves to the embedded engine because they read the vault."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from itertools import count
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from quorum.engine.collected import collected_condition
from quorum.engine.macros import AGE_MACROS, NETWORK_MACROS, pseudonym_macros
from quorum.engine.relations import policy_relations
from quorum.engine.spark_client import Parent, SparkClient, SparkSettings
from quorum.engine.spark_sql import read_macros, translate
from quorum.engine.store import conform
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Home

CHECKOUT = Path(__file__).resolve().parents[2]


@contextmanager
def on_spark(
    home: Home, catalog: Catalog, policy: Policy, keys: KeyRing
) -> Iterator[Callable[[str, date, Mapping[str, pa.Table]], pa.Table]]:
    """Give a function from table, night and given rows to rows."""
    folder, number = home.tmp, count()
    folder.mkdir(parents=True)
    macros = read_macros((*AGE_MACROS, *NETWORK_MACROS, *pseudonym_macros(keys)))

    def keep(rows: pa.Table) -> Path:
        path = folder / f"rows-{next(number)}.parquet"
        pq.write_table(rows, path)
        return path

    python = Path(os.environ.get("QUORUM_SPARK_PYTHON") or CHECKOUT / ".venv-spark" / "bin" / "python")
    settings = SparkSettings(python, "local[1]", "2g", folder)
    client = SparkClient(settings, {name: [keep(rows)] for name, rows in policy_relations(policy).items()})

    def select(table: str, night: date, given: Mapping[str, pa.Table]) -> pa.Table:
        contract = catalog[table]
        parents = []
        for read in contract.reads:
            parent = catalog[read.table]
            columns = [(column.name, column.type) for column in parent.columns]
            condition = collected_condition(contract, parent, policy)
            parents.append(Parent(read.relation, [keep(given[read.relation])], columns, condition))
        target = folder / f"answer-{next(number)}"
        client.select(table, translate(str(contract.query), night, macros), parents, target)
        schema = contract.arrow_schema()
        found = [conform(pq.read_table(path), schema) for path in sorted(target.glob("*.parquet"))]
        return pa.concat_tables([schema.empty_table(), *found])

    try:
        yield select
    finally:
        client.close()
