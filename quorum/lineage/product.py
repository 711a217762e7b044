"""Lineage of the product's own tables: each statement of ``sql/``, and all of them one after the other.

What belongs here: the catalogue's contracts as a schema, and the way from table to table. What does not: what is
allowed to cross (`quorum.lineage.changes`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType

from quorum.engine.macros import AGE_MACROS, NETWORK_MACROS, pseudonym_macros
from quorum.engine.relations import policy_relations
from quorum.keys import KEY_BYTES, KeyRing
from quorum.lineage.declared import Declared, declare
from quorum.lineage.declassifiers import severed
from quorum.lineage.derive import Lineage, derive_in
from quorum.lineage.refusal import LineageError
from quorum.policy import Policy
from quorum.tables.catalog import WINDOWS, Catalog

_TYPES = {"string": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT"}
_NIGHT = re.compile(r"\$night\b")
_SOME_NIGHT = "DATE '2000-01-01'"  # the binder does not know the type of a parameter
_NO_KEY = KeyRing(bytes(KEY_BYTES))  # nothing is run: a macro's columns are the same under any key


@dataclass(frozen=True)
class Statements:
    """The statements of a catalogue, over one empty database that declares all that they may read.

    Args:
        catalog: the contracts.
        declared: the database.
    """

    catalog: Catalog
    declared: Declared

    def lineage(self, table: str, without: str | None = None) -> Lineage:
        """Return the lineage of a table's statement; base columns are those of contracts.

        Args:
            table: a table with a statement.
            without: a declassifier that is taken out of the statement first.

        Raises:
            LineageError: the lineage is not known.
        """
        sql = _NIGHT.sub(_SOME_NIGHT, str(self.catalog[table].query))
        try:
            if without is not None:
                sql = severed(self.declared.connection, sql, without)
            return _of_contracts(derive_in(self.declared, sql))
        except LineageError as refused:
            taken = "" if without is None else f" without {without}"
            raise LineageError(f"{table}{taken}: {refused.reason}") from None


@contextmanager
def open_statements(catalog: Catalog, policy: Policy) -> Iterator[Statements]:
    """Declare what the statements of a catalogue may read, and close it at the end."""
    declared = declare(product_schema(catalog, policy))
    try:
        yield Statements(catalog, declared)
    finally:
        declared.connection.close()


def product_schema(catalog: Catalog, policy: Policy) -> str:
    """Return the relations and macros that a statement of ``sql/`` may read, as a schema.

    Every table stands in it as often as it is read: as the night's partition, ``__previous`` and ``__history``.
    """
    read = {read.relation: read.table for table in catalog.tables.values() for read in table.reads}
    tables = {
        relation: [(column.name, column.type) for column in catalog[name].columns]
        for relation, name in {**{name: name for name in catalog.tables}, **read}.items()
    }
    for name, rows in policy_relations(policy).items():
        tables[name] = [(field.name, _TYPES[str(field.type)]) for field in rows.schema]
    created = [
        f"CREATE TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in columns)})"
        for name, columns in tables.items()
    ]
    return ";\n".join([*created, *AGE_MACROS, *NETWORK_MACROS, *pseudonym_macros(_NO_KEY)])


def product_lineage(catalog: Catalog, policy: Policy) -> Mapping[str, Lineage]:
    """Return the lineage of every table with a statement, by name; base columns are those of contracts.

    Raises:
        LineageError: a statement whose lineage is not known.
    """
    with open_statements(catalog, policy) as statements:
        return lineages_of(statements)


def lineages_of(statements: Statements) -> Mapping[str, Lineage]:
    """Return the lineage of every table with a statement, by name.

    Raises:
        LineageError: a statement whose lineage is not known.
    """
    with_statement = [name for name, table in statements.catalog.tables.items() if table.query is not None]
    return MappingProxyType({name: statements.lineage(name) for name in with_statement})


def _of_contracts(lineage: Lineage) -> Lineage:
    """Say ``vault__member.gender`` for a column of ``vault__member__history``: a window is the same table."""
    columns = {name: _windowless(value) for name, value in lineage.columns.items()}
    return Lineage(MappingProxyType(columns), _windowless(lineage.use))


def _windowless(columns: frozenset[str]) -> frozenset[str]:
    renamed = set()
    for column in columns:
        table, name = column.split(".")
        for window in WINDOWS:
            table = table.removesuffix(f"__{window}")
        renamed.add(f"{table}.{name}")
    return frozenset(renamed)
