"""A package as an outsider reads it: `datapackage.json` and the csv files, nothing else.

What belongs here: the parsed types, and refusing files that are not what the page says a package is. What does not:
judging what the cells give away (the attacks).
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from quorum.audit.copies import refuse_other_parquet
from quorum.audit.descriptor import DESCRIPTOR, Descriptor, Resource, malformed, read_descriptor
from quorum.audit.workbook import WORKBOOK, Sheet, refuse_other_workbook
from quorum.tables.shape import ALL, Dimension, PackageShape, TableShape

PUBLISHED = "published"
WITHHELD = "withheld"
_COUNT = re.compile(r"0|[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class ParsedTable:
    """A table of a package.

    Args:
        shape: its dimensions with their categories, and its measures.
        coordinates: one tuple a row, in the order of ``shape.columns``.
        values: measure to int64 values, a row each; 0 where withheld.
        published: family to whether the row's cell is published.
        bands: of people by how often: category to its fewest and most events of one person; empty for other tables.
    """

    shape: TableShape
    coordinates: tuple[tuple[str, ...], ...]
    values: Mapping[str, NDArray[np.int64]]
    published: Mapping[str, NDArray[np.bool_]]
    bands: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class ParsedPackage:
    """A package.

    Args:
        shape: recipient, report, period, tables, invariants, groups, plan, targeting.
        tables: name to table, in the descriptor's order.
        files: every file of the folder, name to bytes.
    """

    shape: PackageShape
    tables: Mapping[str, ParsedTable]
    files: Mapping[str, bytes] = field(repr=False)

    @property
    def release(self) -> str:
        """What a record calls it: recipient, report and period."""
        return f"{self.shape.recipient_id}/{self.shape.report}/{self.shape.period}"


def parse_package(folder: Path) -> ParsedPackage:
    """Read a package from its folder.

    Args:
        folder: where `datapackage.json` and the csv files lie.

    Returns:
        The package; all its other files as bytes, for the sweep for identifiers.

    Raises:
        ReleaseError: a file is missing or malformed; the message names file and column, never a cell.

    Guarantee:
        Tables come from the descriptor and the csv files alone. Each lists the whole product of its categories once;
        each status is ``published`` with every measure there or ``withheld`` with none; a Parquet copy and a workbook
        hold the same.

    Source: architecture.md, "A report package".
    """
    return parse_files(read_files(folder))


def read_files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder, path to bytes.

    Raises:
        ReleaseError: there is no such folder.

    Guarantee:
        Nothing is left out, folders within it included.

    Source: architecture.md, "A report package".
    """
    if not folder.is_dir():
        raise malformed("folder", f"no folder {folder.name}", "the folder of a package")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def parse_files(files: Mapping[str, bytes]) -> ParsedPackage:
    """Read a package from its files, name to bytes; see `parse_package`.

    Raises:
        ReleaseError: as `parse_package`.

    Guarantee:
        As `parse_package`; nothing outside ``files`` is read.

    Source: architecture.md, "A report package".
    """
    descriptor = read_descriptor(_file(files, DESCRIPTOR))
    tables, sheets = {}, {}
    for resource in descriptor.resources:
        rows = _rows(resource, _file(files, resource.path))
        tables[resource.name] = _table(resource, rows)
        copy = f"{resource.path.removesuffix('.csv')}.parquet"
        if copy in files:
            refuse_other_parquet(copy, files[copy], resource.columns, rows)
        sheets[resource.name] = Sheet(resource.columns, [measure.name for measure in resource.measures], rows)
    if WORKBOOK in files:
        refuse_other_workbook(files[WORKBOOK], sheets)
    return ParsedPackage(_shape(descriptor, tables), tables, files)


def _file(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise malformed("file", f"{name} is missing", "every file that the descriptor names")
    return files[name]


def _shape(descriptor: Descriptor, tables: Mapping[str, ParsedTable]) -> PackageShape:
    return PackageShape(
        descriptor.recipient,
        descriptor.report,
        descriptor.period,
        tuple(table.shape for table in tables.values()),
        descriptor.invariants,
        descriptor.groups,
        descriptor.plan,
        descriptor.targeting,
    )


def _rows(resource: Resource, content: bytes) -> list[list[str]]:
    """Return the rows of a csv file as texts, without its header."""
    try:
        rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error):
        raise malformed("csv", f"{resource.path} is no csv", "UTF-8, one record a line") from None
    if not rows or tuple(rows[0]) != resource.columns:
        raise malformed("csv", f"{resource.path}: the header differs from the descriptor", "the descriptor's columns")
    if any(len(row) != len(resource.columns) for row in rows):
        raise malformed("csv", f"{resource.path}: a row of another length", f"{len(resource.columns)} fields")
    return rows[1:]


def _table(resource: Resource, rows: Sequence[Sequence[str]]) -> ParsedTable:
    if not rows:
        raise malformed("product", f"{resource.path} has no row", "the whole product of its categories")
    columns = dict(zip(resource.columns, zip(*rows, strict=True), strict=True))
    published = {family: _status(columns[name], name, resource) for family, name in resource.status.items()}
    values = {
        measure.name: _values(columns[measure.name], published[measure.family], measure.name, resource)
        for measure in resource.measures
    }
    coordinates = tuple(zip(*(columns[level] for levels in resource.hierarchies for level in levels), strict=True))
    shape = TableShape(resource.name, resource.universe, _dimensions(resource, columns), resource.measures)
    if len(set(coordinates)) != len(coordinates):
        raise malformed("product", f"{resource.path} lists a cell twice", "each cell once")
    if len(coordinates) != math.prod(len(list(dimension.coordinates())) for dimension in shape.dimensions):
        raise malformed("product", f"{resource.path} leaves cells out", "the whole product of its categories")
    return ParsedTable(shape, coordinates, values, published, resource.bands)


def _status(words: Sequence[str], column: str, resource: Resource) -> NDArray[np.bool_]:
    if not set(words) <= {PUBLISHED, WITHHELD}:
        raise malformed("status", f"{resource.path}: another word in {column}", f"{PUBLISHED} or {WITHHELD}")
    return np.array([word == PUBLISHED for word in words], dtype=np.bool_)


def _values(texts: Sequence[str], published: NDArray[np.bool_], column: str, resource: Resource) -> NDArray[np.int64]:
    if any(bool(text) != shown for text, shown in zip(texts, published.tolist(), strict=True)):
        raise malformed("withheld", f"{resource.path}: {column} and its status differ", "empty exactly where withheld")
    if not all(_COUNT.fullmatch(text) for text in texts if text):
        raise malformed("measure", f"{resource.path}: {column} holds what is no count", "whole numbers of 0 or more")
    return np.array([int(text or 0) for text in texts], dtype=np.int64)


def _dimensions(resource: Resource, columns: Mapping[str, Sequence[str]]) -> tuple[Dimension, ...]:
    heads = [set(measure.additive_over) for measure in resource.measures if measure.kind == "heads"]
    return tuple(
        _dimension(
            levels, list(dict.fromkeys(zip(*(columns[level] for level in levels), strict=True))), heads, resource
        )
        for levels in resource.hierarchies
    )


def _dimension(
    levels: tuple[str, ...], listed: list[tuple[str, ...]], heads: Sequence[set[str]], resource: Resource
) -> Dimension:
    """Rebuild a dimension from the coordinates that occur in its columns."""
    margin = (ALL,) * len(levels)
    keys = tuple(path for path in listed if path[-1] != ALL)
    partitions = bool(heads) and all(set(levels) <= additive_over for additive_over in heads)
    dimension = Dimension(levels, keys, margin in listed, partitions)
    if any(ALL in path for path in keys) or set(dimension.coordinates()) != set(listed):
        raise malformed("hierarchy", f"{resource.path}: levels of {levels[0]} do not nest", "ALL below a coarser level")
    return dimension
