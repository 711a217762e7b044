"""What tests of rights look at: every stored row."""

from __future__ import annotations

from typing import Any

from quorum.desk import Desk
from quorum.rights.parts import batches, parts_of


def everything(desk: Desk) -> dict[str, list[dict[str, Any]]]:
    """Return all rows of all kept tables, in order of nights and files."""
    return {
        table.name: [
            row
            for part in parts_of(desk.store, table.name)
            for rows in batches(desk.store, part)
            for row in rows.to_pylist()
        ]
        for table in desk.catalog.tables.values()
        if not table.in_memory
    }
