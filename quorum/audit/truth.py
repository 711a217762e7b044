"""The truth about withheld cells, where the gate has it: to score what an attack claims, never to make a claim.

What belongs here: looking up true values of a package's rows. What does not: using them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa

from quorum.audit.package import ParsedTable
from quorum.audit.system import Ints
from quorum.errors import ReleaseError


class Truth:
    """True counts and heads of packages.

    Args:
        tables: release (`ParsedPackage.release`) to table name to an Arrow table with the dimension columns and, as
            int64 without nulls, whatever counts, heads and rests are known. Nothing at all is a truth too: then nothing
            is scored.
    """

    def __init__(self, tables: Mapping[str, Mapping[str, pa.Table]]) -> None:
        self._tables = tables
        self._rows: dict[tuple[str, str], Ints] = {}
        self._columns: dict[tuple[str, str, str], Ints] = {}

    def column(self, release: str, table: ParsedTable, name: str) -> Ints | None:
        """Return the true values of a column in the order of the package's rows; None where they are not known.

        Args:
            release: which package.
            table: the parsed table.
            name: a measure, or a column of heads or rests that the package does not carry.

        Raises:
            ReleaseError: the truth leaves out a row of the package.

        Guarantee:
            Values belong to the rows by coordinates, not by order.

        Source: disclosure.md, "The red team" (ground truth is used only to score).
        """
        true = self._tables.get(release, {}).get(table.shape.name)
        if true is None or name not in true.column_names:
            return None
        own = (release, table.shape.name)
        if own not in self._rows:
            self._rows[own] = _align(true, table)
        if (*own, name) not in self._columns:
            self._columns[*own, name] = true.column(name).to_numpy()[self._rows[own]].astype(np.int64)
        return self._columns[*own, name]


def _align(true: pa.Table, table: ParsedTable) -> Ints:
    columns = [true.column(column).to_pylist() for column in table.shape.columns]
    position = {place: row for row, place in enumerate(zip(*columns, strict=True))}
    if not set(table.coordinates) <= set(position):
        raise ReleaseError("attack.truth", f"the truth of {table.shape.name} leaves out rows", "every row of the table")
    return np.array([position[place] for place in table.coordinates], dtype=np.int64)
