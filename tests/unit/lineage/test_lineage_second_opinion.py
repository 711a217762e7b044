"""A second opinion: what a reader of the text alone finds that an output comes from, lineage knows as well.

The reader is no gate: it sees no use but in expressions, no whole rows, no macros. It is another's work, and that is
what it is good for here.
"""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from sqlglot import exp, parse_one
from sqlglot.lineage import lineage as read_lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from quorum.lineage.declared import declare
from quorum.lineage.derive import Lineage
from quorum.lineage.product import product_lineage, product_schema
from quorum.policy import Policy
from quorum.tables import Catalog

Schema = dict[str, dict[str, str]]


@pytest.fixture(scope="module")
def ours(catalog: Catalog, policy: Policy) -> Mapping[str, Lineage]:
    return product_lineage(catalog, policy)


@pytest.fixture(scope="module")
def schema(catalog: Catalog, policy: Policy) -> Schema:
    declared = declare(product_schema(catalog, policy))
    rows = declared.connection.execute("SELECT table_name, column_name, data_type FROM duckdb_columns()").fetchall()
    declared.connection.close()
    tables: Schema = {}
    for table, column, kind in rows:
        tables.setdefault(table, {})[column] = kind
    return tables


def read(sql: str, schema: Schema, columns: list[str]) -> dict[str, set[str]]:
    """Return what the reader finds for each output column; a window of a table is that table."""
    statement = qualify(parse_one(sql, read="duckdb"), schema=schema, dialect="duckdb")
    scope = build_scope(statement)
    found = {}
    for column in columns:
        node = read_lineage(column, statement, schema=schema, dialect="duckdb", scope=scope, copy=False)
        found[column] = {
            f"{leaf.source.name.split('__previous')[0].split('__history')[0]}.{leaf.name.split('.')[-1].strip(chr(34))}"
            for leaf in node.walk()
            if isinstance(leaf.source, exp.Table)
        }
    return found


def test_no_output_of_the_product_comes_from_a_column_that_its_lineage_does_not_name(
    catalog: Catalog, ours: Mapping[str, Lineage], schema: Schema
) -> None:
    compared = 0
    for name, lineage in ours.items():
        columns = [column.name for column in catalog[name].columns]
        for column, found in read(str(catalog[name].query), schema, columns).items():
            bases = {base for base in found if not base.endswith(".*")}
            assert bases <= lineage.columns[column] | lineage.use, f"{name}.{column}"
            compared += len(bases)
    assert compared > len(ours) * 4  # it does not hold by finding nothing
