"""`datapackage.json` as an outsider reads it: resources, roles, hierarchies, families, what sums over what.

What belongs here: from the descriptor's bytes to frozen types, refusing what is malformed. What does not: the tables
themselves (`quorum.audit.package`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from quorum.errors import ReleaseError
from quorum.tables.shape import KeyPlan, Measure

DESCRIPTOR = "datapackage.json"
STATUS_PREFIX = "status_"
PERIOD = "period"
BANDS = "quorum:frequency"


@dataclass(frozen=True)
class Resource:
    """A table as the descriptor announces it.

    Args:
        name: the resource's name.
        path: its csv file, a plain file name.
        universe: tables of one universe share cells.
        columns: every column, in the file's order.
        hierarchies: the dimensions, each as its columns, coarse to fine.
        measures: in order; a measure that does not sum over time counts heads.
        status: family to its status column.
        bands: of people by how often: category to its fewest and most events of one person; empty for other tables.
    """

    name: str
    path: str
    universe: str
    columns: tuple[str, ...]
    hierarchies: tuple[tuple[str, ...], ...]
    measures: tuple[Measure, ...]
    status: Mapping[str, str]
    bands: Mapping[str, tuple[int, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Descriptor:
    """What `datapackage.json` says about the package.

    Args:
        recipient: who received it.
        report: which report; the package's name where it does not say.
        period: e.g. ``2026-11-21``.
        resources: the tables, in order.
        invariants: totals declared as known to the recipient.
        groups: child category to parent, by column.
        plan: key of the report to what was fixed for it beforehand.
        targeting: key of the report to column to the categories that it targets.
    """

    recipient: str
    report: str
    period: str
    resources: tuple[Resource, ...]
    invariants: tuple[Mapping[str, Any], ...]
    groups: Mapping[str, Mapping[str, str]]
    plan: Mapping[str, KeyPlan]
    targeting: Mapping[str, Mapping[str, tuple[str, ...]]]


def malformed(rule: str, where: str, allowed: str) -> ReleaseError:
    """Return the refusal of a package: where, and what is allowed there; never a cell."""
    return ReleaseError(f"package.{rule}", where, allowed, "do not use the package; ask for it again")


def read_descriptor(content: bytes) -> Descriptor:
    """Read `datapackage.json`.

    Args:
        content: the file's bytes.

    Returns:
        The descriptor; resources that are no csv are left to the comparison of copies.

    Raises:
        ReleaseError: the JSON, a role, a hierarchy, a family or an `additive_over` is missing or contradicts another.

    Guarantee:
        Nothing but the file is used; every column of every table has exactly one role.

    Source: architecture.md, "A report package"; Frictionless Data Package v1.
    """
    try:
        raw = json.loads(content)
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise malformed("json", f"{DESCRIPTOR} is not JSON", "a JSON object in UTF-8") from None
    top = _Reader(raw, DESCRIPTOR)
    resources = tuple(
        _resource(entry) for entry in top.objects("resources") if str(entry.raw.get("path", "")).endswith(".csv")
    )
    _refuse_twice("resources", DESCRIPTOR, [resource.name for resource in resources])
    _refuse_twice("paths", DESCRIPTOR, [resource.path for resource in resources])
    if not resources:
        raise malformed("resources", f"{DESCRIPTOR} lists no csv file", "one or more")
    return Descriptor(
        recipient=top.text("quorum:recipient"),
        report=top.text("quorum:report" if "quorum:report" in top.raw else "name"),
        period=top.text("quorum:period"),
        resources=resources,
        invariants=tuple(_invariant(entry) for entry in top.objects("quorum:invariants")),
        groups=_groups(top),
        plan={
            key: _plan(_Reader(raw, f"{DESCRIPTOR}: quorum:plan")) for key, raw in top.child("quorum:plan").raw.items()
        },
        targeting=_targeting(top.child("quorum:targeting")),
    )


class _Reader:
    """A JSON object with accessors that name the place when they refuse."""

    def __init__(self, raw: object, where: str) -> None:
        if not isinstance(raw, dict):
            raise malformed("json", f"{where} is no object", "a JSON object")
        self.raw: dict[str, Any] = raw
        self.where = where

    def text(self, key: str) -> str:
        value = self.raw.get(key)
        if not isinstance(value, str) or not value:
            raise malformed("json", f"{self.where}: {key} is missing or no text", "a text")
        return value

    def number(self, key: str) -> int:
        value = self.raw.get(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise malformed("json", f"{self.where}: {key} is missing or no number", "a whole number of 0 or more")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.raw.get(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise malformed("json", f"{self.where}: {key} is missing or no list of texts", "a list of texts")
        return tuple(value)

    def objects(self, key: str) -> list[_Reader]:
        value = self.raw.get(key, [])
        if not isinstance(value, list):
            raise malformed("json", f"{self.where}: {key} is no list", "a list of objects")
        return [_Reader(item, f"{self.where}: {key}") for item in value]

    def child(self, key: str) -> _Reader:
        return _Reader(self.raw.get(key, {}), f"{self.where}: {key}")


def _resource(entry: _Reader) -> Resource:
    name, path = entry.text("name"), entry.text("path")
    if "/" in path or "\\" in path:
        raise malformed("path", f"{DESCRIPTOR}: a path with a folder in it", "a plain file name")
    fields = [(own, own.text("name"), own.text("quorum:role")) for own in entry.child("schema").objects("fields")]
    columns = tuple(column for _, column, _ in fields)
    _refuse_twice("columns", path, columns)
    if not {role for _, _, role in fields} <= {"dimension", "measure", "status"}:
        raise malformed("role", f"{path}: a role that does not exist", "dimension, measure or status")
    dimensions = {column: own for own, column, role in fields if role == "dimension"}
    measures = tuple(_measure(own, column, dimensions) for own, column, role in fields if role == "measure")
    status = {_family_of(column, path): column for _, column, role in fields if role == "status"}
    if {measure.family for measure in measures} != set(status):
        raise malformed("family", f"{path}: families of measures and of status columns differ", "one status a family")
    bands = next((_bands(own.child(BANDS)) for own in dimensions.values() if BANDS in own.raw), {})
    universe = entry.text("quorum:universe")
    return Resource(name, path, universe, columns, _hierarchies(dimensions, path), measures, status, bands)


def _bands(entry: _Reader) -> Mapping[str, tuple[int, int]]:
    found = {}
    for category, ends in entry.raw.items():
        is_pair = (
            isinstance(ends, list) and all(type(end) is int for end in ends) and len(ends) == len(("first", "last"))
        )
        if not is_pair or not 0 < ends[0] <= ends[1]:
            raise malformed("frequency", f"{entry.where}: a band without its two ends", "[fewest, most], whole numbers")
        found[category] = (ends[0], ends[1])
    return found


def _measure(field: _Reader, column: str, dimensions: Mapping[str, object]) -> Measure:
    additive_over = field.texts("quorum:additive_over")
    if not set(additive_over) <= {*dimensions, PERIOD}:
        raise malformed("additive_over", f"{column} sums over a column that is no dimension", f"dimensions or {PERIOD}")
    kind = "count" if PERIOD in additive_over else "heads"
    return Measure(column, field.text("quorum:family"), kind, additive_over)


def _hierarchies(dimensions: Mapping[str, _Reader], path: str) -> tuple[tuple[str, ...], ...]:
    """Return the distinct hierarchies in order; each column is in one, and all its columns agree on it."""
    if not dimensions:
        raise malformed("dimension", f"{path} has no dimension", "one or more")
    said = {
        column: field.texts("quorum:hierarchy") if "quorum:hierarchy" in field.raw else (column,)
        for column, field in dimensions.items()
    }
    distinct = tuple(dict.fromkeys(said.values()))
    if sorted(column for levels in distinct for column in levels) != sorted(dimensions):
        raise malformed("hierarchy", f"{path}: hierarchies do not cover each dimension once", "one hierarchy a column")
    if any(column not in levels for column, levels in said.items()):
        raise malformed("hierarchy", f"{path}: a column outside its own hierarchy", "its own levels, coarse to fine")
    return distinct


def _family_of(column: str, path: str) -> str:
    if not column.startswith(STATUS_PREFIX):
        raise malformed("status", f"{path}: a status column of another name", f"{STATUS_PREFIX}<family>")
    return column.removeprefix(STATUS_PREFIX)


def _invariant(entry: _Reader) -> Mapping[str, Any]:
    return {
        "period": entry.text("period"),
        "dimensions": entry.texts("dimensions"),
        "measures": entry.texts("measures"),
    }


def _groups(top: _Reader) -> Mapping[str, Mapping[str, str]]:
    groups = top.child("quorum:groups")
    return {
        column: {child: groups.child(column).text(child) for child in groups.child(column).raw} for column in groups.raw
    }


def _plan(entry: _Reader) -> KeyPlan:
    periods, levels = entry.child("periods"), entry.child("levels")
    return KeyPlan(
        {family: periods.text(family) for family in periods.raw},
        {
            table: {family: levels.child(table).number(family) for family in levels.child(table).raw}
            for table in levels.raw
        },
    )


def _targeting(entry: _Reader) -> Mapping[str, Mapping[str, tuple[str, ...]]]:
    found = {key: {column: entry.child(key).texts(column) for column in entry.child(key).raw} for key in entry.raw}
    if not all(categories for targets in found.values() for categories in targets.values()):
        raise malformed("targeting", f"{DESCRIPTOR}: a targeting of no category", "one category or more a column")
    return found


def _refuse_twice(what: str, where: str, names: Sequence[str]) -> None:
    if len(set(names)) != len(names):
        raise malformed(what, f"{where}: {what} of the same name", "each name once")
