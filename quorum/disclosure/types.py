"""What goes into disclosure control and what comes out of it, as types that carry their guarantee.

What belongs here: the two cubes and what makes them sound. What does not: how cells are chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import InitVar, dataclass, field
from types import MappingProxyType

import numpy as np
import pyarrow as pa

from quorum.disclosure.grid import Ints, coordinate_columns
from quorum.errors import ConfigurationError, ReleaseError
from quorum.tables.shape import PackageShape

PUBLISHED = "published"
WITHHELD = "withheld"

SEAL = object()
"""Held by `quorum.disclosure.control` alone: who has it may make a `SafeCube`."""


@dataclass(frozen=True, eq=False)
class Seen:
    """People of one key of the report by category and by how many impressions they have. It stays inside.

    Args:
        columns: of the categories.
        places: one category a column, a row each.
        people: (rows, most impressions + 1) int64.
        counted: those of them who count (rule 5).
        unnamed: those of them of whom every category is unknown, of other columns too.

    Guarantee:
        Everybody with an impression that counts stands in it once.

    Source: disclosure.md, rule 4 (nobody has more impressions than the bound).
    """

    columns: tuple[str, ...]
    places: tuple[tuple[str, ...], ...]
    people: Ints
    counted: Ints
    unnamed: Ints


@dataclass(frozen=True, eq=False)
class PackageCube:
    """Everything that was counted for one package, before any rule.

    Args:
        shape: the package.
        tables: table to its rows: the whole product of categories in the shape's order; dimension columns (string),
            then for each family of the report its count (events), heads (people), those of them who count (rule 5) and,
            where the policy names one, rest (people who count and are in the cell outside the family), int64, without
            nulls, 0 where nothing happened.
        heads_at_most: table to head column to upper bounds of the heads, one a row, where heads are only bounds because
            categories were folded together; without an entry the heads are exact.
        seen: key of the report to its people by how many impressions they have; empty where a report does not tell it.
        bands: band to its fewest and most impressions, in order; empty likewise.

    Raises:
        ConfigurationError: tables or rows are not the shape's, or a measure is negative or null.

    Guarantee:
        Rows stand in the order of the shape, so that a row's position tells its cell. That sums hold is checked by
        `quorum.disclosure.sums.verify_sums`, which `control` calls again.

    Source: architecture.md, "A report package".
    """

    shape: PackageShape
    tables: Mapping[str, pa.Table]
    heads_at_most: Mapping[str, Mapping[str, Ints]] = field(default_factory=dict)
    seen: Mapping[str, Seen] = field(default_factory=dict)
    bands: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [table.name for table in self.shape.tables]
        if sorted(names) != sorted(self.tables):
            raise ConfigurationError("cube.tables", "tables other than those of the shape", "one per table")
        for table in self.shape.tables:
            rows = self.tables[table.name]
            for column, expected in coordinate_columns(table).items():
                if column not in rows.column_names or not rows[column].combine_chunks().equals(expected):
                    raise ConfigurationError(
                        "cube.rows", f"rows of {table.name} in another order than the shape's", "the whole product"
                    )
            for column in rows.column_names[len(table.columns) :]:
                self._refuse_values(table.name, rows, column)
        object.__setattr__(self, "tables", MappingProxyType(dict(self.tables)))

    def _refuse_values(self, table: str, rows: pa.Table, column: str) -> None:
        values = rows[column]
        if values.type != pa.int64() or values.null_count or (len(values) and values.to_numpy().min() < 0):
            raise ConfigurationError("cube.values", f"{table}.{column} is not a count in every row", "int64, 0 or more")

    def values(self, table: str, column: str) -> Ints:
        """Return a measure of a table, one a row, int64.

        Raises:
            ConfigurationError: the table has no such measure.

        Guarantee:
            Read-only; the order is the shape's.

        Source: architecture.md, "A report package".
        """
        if column not in self.tables[table].column_names:
            raise ConfigurationError("cube.measure", f"{table} has no column {column}", "the report's families")
        return np.asarray(self.tables[table][column].to_numpy(), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class SafeCube:
    """The cells of one package that may be said out loud, and the word ``withheld`` for all others.

    Only `quorum.disclosure.control` makes one; it is neither copied with changes nor unpickled.

    Args:
        shape: the package.
        tables: table to its rows, in the shape's order: dimension columns (string), the shape's measures (int64, null
            where withheld), ``status_<family>`` (``published`` or ``withheld``).
        rule_set: name of the rule set.
        rule_set_digest: SHA-256, hex, of its numbers.
        cube_digest: SHA-256, hex, of what was counted. Not keyed: it stays inside, as the cube does.
        frequency: key of the report to its people by band, in the order of the cube's bands; only keys of which all
            bands are told.
        seal: what `control` holds.

    Raises:
        ReleaseError: it is built by hand.

    Guarantee:
        Every published cell passed rules 1, 2 and 6 of the rule set within this package. Nothing is said about other
        packages of the same recipient.

    Source: disclosure.md, "Rules of a release"; style.md, habit 8.
    """

    shape: PackageShape
    tables: Mapping[str, pa.Table]
    rule_set: str
    rule_set_digest: str
    cube_digest: str
    seal: InitVar[object]
    frequency: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def __post_init__(self, seal: object) -> None:
        if seal is not SEAL:
            raise ReleaseError("disclosure.seal", "a safe cube built by hand", "control() alone", "call control()")
        object.__setattr__(self, "tables", MappingProxyType(dict(self.tables)))
        object.__setattr__(self, "frequency", MappingProxyType(dict(self.frequency)))

    def __reduce__(self) -> str | tuple[object, ...]:
        raise ReleaseError("disclosure.seal", "a copied or pickled safe cube", "the one that control() returned")
