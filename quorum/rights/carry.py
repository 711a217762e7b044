"""State that outlives its partition: rows that still stand are written into the oldest partition that stays.

What belongs here: which rows, as contracts say (`quorum.tables.catalog.Carry`). What does not: what goes, and when.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.ledger.tombstones import pseudonyms
from quorum.rights.parts import Part, batches, parts_of
from quorum.tables import Table
from quorum.tables.catalog import Carry

PART = "carried"
_CASE = ("case_open", "case_close")
_CASE_CHARACTERS = 12
_LANDED = ("file_n", "line_n")


def carry(desk: Desk, table: str, gone: Iterable[str], first: date, day: date) -> int:
    """Write the rows of partitions that go, and that still stand, into the oldest partition that stays.

    Args:
        desk: where.
        table: its contract says what stands; without a word, nothing does.
        gone: the partitions that go.
        first: the first day that is kept; the partition if there is none that stays.
        day: the day on which rows must stand.

    Returns:
        The rows that are carried, those carried before included. Doing it again gives the same file.
    """
    contract = desk.catalog[table]
    if contract.carry is None:
        return 0
    going = {date.fromisoformat(night) for night in gone}
    parts = parts_of(desk.store, table)
    staying = [part for part in parts if part.night not in going]
    target = staying[0].night if staying else first
    old = [part for part in parts if part.night in going or (part.night == target and part.path.stem == PART)]
    rows = _standing(desk, contract, contract.carry, old, staying, day)
    if rows.num_rows:
        desk.store.write(table, target, rows, PART)
    return int(rows.num_rows)


def _standing(desk: Desk, contract: Table, spec: Carry, old: list[Part], staying: list[Part], day: date) -> pa.Table:
    rows = _read(desk, contract, old, contract.arrow_schema().names)
    for name, values in spec.only.items():
        rows = rows.filter(pc.fill_null(pc.is_in(rows[name], pa.array(values, pa.string())), False))
    if spec.until is not None:
        rows = rows.filter(pc.fill_null(pc.greater_equal(rows[spec.until], pa.scalar(day, pa.date32())), False))
    if spec.open_case:
        rows = rows.filter(_has_open_case(desk, rows[spec.by[0]]))
    ordered = tuple(dict.fromkeys((*((spec.latest,) if spec.latest else ()), *_in(contract, _LANDED))))
    columns = tuple(dict.fromkeys((*spec.by, *ordered)))
    newer = _read(desk, contract, [part for part in staying if part not in old], columns)
    order = ", ".join(f"{name} desc nulls last" for name in ordered) or "1"
    listed = ", ".join(contract.arrow_schema().names)
    among = ", ".join(columns)
    statement = (
        f"select {listed} from (select *, row_number() over "
        f"(partition by {', '.join(spec.by)} order by {order}) as place from "
        f"(select {listed}, true as is_old from old_rows union all by name select {among}, false as is_old "
        "from new_rows)) where place = 1 and is_old order by all"
    )
    return desk.engine.query(statement, {"old_rows": rows, "new_rows": newer}).cast(contract.arrow_schema())


def _read(desk: Desk, contract: Table, parts: list[Part], columns: Iterable[str]) -> pa.Table:
    wanted = tuple(columns)
    empty = contract.arrow_schema().empty_table().select(wanted)
    rows = pa.concat_tables([empty, *(batch for part in parts for batch in batches(desk.store, part, wanted))])
    desk.store.note(contract.name, rows.num_rows)
    return rows


def _has_open_case(desk: Desk, requests: pa.ChunkedArray) -> pa.Array:
    """Return which requests have a case that was opened and not closed; the ledger names a case by a keyed hash."""
    opened, closed = ({entry.body["case"] for entry in desk.ledger.entries(kind)} for kind in _CASE)
    keys = pseudonyms(desk.keys, "event", requests.unique().to_pylist())
    standing = {request for key, request in keys.items() if f"c-{key[:_CASE_CHARACTERS]}" in opened - closed}
    return pc.is_in(requests.combine_chunks(), pa.array(sorted(standing), pa.string()))


def _in(contract: Table, names: Iterable[str]) -> tuple[str, ...]:
    known = {column.name for column in contract.columns}
    return tuple(name for name in names if name in known)
