"""What is taken about the persons in scope: the columns of the items and no others, under numbers of their own.

What belongs here: from keys to rows without a key. What does not: whom it is about (`quorum.register.scope`); files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.register.decide import Grant
from quorum.register.items import PURCHASE, REGISTRATION, columns_of
from quorum.register.scope import SCOPE

PERSON = "person_n"
_NEEDED: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        REGISTRATION: ("vault__member", ("file_n", "line_n", "member_id", "updated_at")),
        PURCHASE: ("vault__partner_transaction", ("member_id",)),
    }
)
"""Table to what it is made from, and the columns without which it cannot be made."""

SOURCES: Mapping[str, str] = MappingProxyType({REGISTRATION: "registration", PURCHASE: "partner"})
"""Table to how its data had been acquired."""


@dataclass(frozen=True)
class Taken:
    """Rows to be disclosed.

    Args:
        tables: table to its rows: ``person_n`` and the columns of the items; a row without any item is left out.
        people: member key to number, of those about whom there is a row.
    """

    tables: Mapping[str, pa.Table]
    people: Mapping[str, int]

    @property
    def source(self) -> str:
        """How the data had been acquired, split by ``;``."""
        return ";".join(SOURCES[table] for table in self.tables)


def take(desk: Desk, grant: Grant, scope: pa.Table, night: date) -> Taken:
    """Read what a disclosure may take of the persons in scope; each read is noted under the basis.

    Args:
        desk: the open home.
        grant: the checked order.
        scope: rows of ``vault__disclosure_scope``.
        night: the latest night.
    """
    found = {
        table: _rows(desk, grant, table, columns, scope, night)
        for table in (REGISTRATION, PURCHASE)
        if (columns := columns_of(grant.items, table))
    }
    seen = sorted({n for rows in found.values() for n in rows[PERSON].to_pylist()})
    final = {before: after for after, before in enumerate(seen, start=1)}
    keys = zip(scope["member_key"].to_pylist(), scope[PERSON].to_pylist(), strict=True)
    people = {key: final[n] for key, n in keys if n in final}
    tables = {table: _renumbered(rows, final) for table, rows in found.items() if rows.num_rows}
    return Taken(MappingProxyType(tables), MappingProxyType(people))


def _rows(desk: Desk, grant: Grant, table: str, columns: Sequence[str], scope: pa.Table, night: date) -> pa.Table:
    """Run the statement of a table on what was asked for alone: other columns are not read, and stand in as null."""
    parent, needed = _NEEDED[table]
    schema = desk.catalog[parent].arrow_schema()
    wanted = [name for name in schema.names if name in {*needed, *columns}]
    stored = desk.store.read(parent, night, "history", columns=wanted, purpose=grant.basis.code)
    whole = pa.table(
        [stored[f.name] if f.name in wanted else pa.nulls(stored.num_rows, f.type) for f in schema], schema=schema
    )
    made = desk.engine.run(table, night, {SCOPE: scope, f"{parent}__history": whole}).select([PERSON, *columns])
    is_something = pc.is_valid(made[columns[0]])
    for column in columns[1:]:
        is_something = pc.or_(is_something, pc.is_valid(made[column]))
    kept = made.filter(is_something)
    return kept.sort_by([(name, "ascending") for name in kept.column_names])


def _renumbered(rows: pa.Table, final: Mapping[int, int]) -> pa.Table:
    numbers = pa.array([final[n] for n in rows[PERSON].to_pylist()], pa.int32())
    return rows.set_column(0, PERSON, numbers)
