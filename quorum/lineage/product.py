"""Lineage of the product's own tables: each statement of ``sql/``, and all of them one after the other.

What belongs here: the catalogue's contracts as a schema, and the way from table to table. What does not: what is
allowed to cross (`quorum.lineage.crossings`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from quorum.engine.macros import NETWORK_MACROS, pseudonym_macros
from quorum.engine.relations import policy_relations
from quorum.keys import KEY_BYTES, KeyRing
from quorum.lineage.declared import declare
from quorum.lineage.derive import Lineage, derive_in
from quorum.policy import Policy
from quorum.tables.catalog import WINDOWS, Catalog

_TYPES = {"string": "VARCHAR", "int32": "INTEGER", "int64": "BIGINT"}
_NIGHT = re.compile(r"\$night\b")
_SOME_NIGHT = "DATE '2000-01-01'"  # the binder does not know the type of a parameter
_NO_KEY = KeyRing(bytes(KEY_BYTES))  # nothing is run: a macro's columns are the same under any key


def product_schema(catalog: Catalog, policy: Policy) -> str:
    """Return the relations and macros that a statement of ``sql/`` may read, as a schema.

    Every table stands in it three times: the night's partition, ``__previous`` and ``__history``.
    """
    tables = {
        name + suffix: [(column.name, column.type) for column in table.columns]
        for name, table in catalog.tables.items()
        for suffix in ("", *(f"__{window}" for window in WINDOWS))
    }
    for name, rows in policy_relations(policy).items():
        tables[name] = [(field.name, _TYPES[str(field.type)]) for field in rows.schema]
    created = [
        f"CREATE TABLE {name} ({', '.join(f'{column} {kind}' for column, kind in columns)})"
        for name, columns in tables.items()
    ]
    return ";\n".join([*created, *NETWORK_MACROS, *pseudonym_macros(_NO_KEY)])


def product_lineage(catalog: Catalog, policy: Policy) -> Mapping[str, Lineage]:
    """Return the lineage of every table with a statement, by name; base columns are those of contracts.

    Raises:
        LineageError: a statement whose lineage is not known.
    """
    declared = declare(product_schema(catalog, policy))
    try:
        return MappingProxyType(
            {
                name: _of_contracts(derive_in(declared, _NIGHT.sub(_SOME_NIGHT, table.query)))
                for name, table in catalog.tables.items()
                if table.query is not None
            }
        )
    finally:
        declared.connection.close()


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
