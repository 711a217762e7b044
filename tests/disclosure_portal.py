"""Synthetic campaigns for the tests of disclosure control: people, their events, and the cubes these give."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pyarrow as pa

from quorum.disclosure import PackageCube
from quorum.disclosure.types import Seen
from quorum.policy import FamilySpec, Policy, RuleSet
from quorum.tables import Dimension, Measure, PackageShape, TableShape
from quorum.tables.shape import ALL

FAMILIES = (
    FamilySpec("impressions", "impression_n", "people_n"),
    FamilySpec("clicks", "click_n", "clicker_n", "clicker_rest_n", "impressions"),
    FamilySpec("conversions", "conversion_n", "converter_n", "converter_rest_n", "clicks"),
)
"""Where every head counts."""
COUNTED = tuple(replace(family, counted=f"{family.heads.removesuffix('_n')}_counted_n") for family in FAMILIES)
"""Where newcomers do not: as in the policy."""


def rule_set(heads: int = 50, clicks: int = 20, outside: int = 10) -> RuleSet:
    numbers = {"impressions": heads, "clicks": clicks, "conversions": clicks, "views": heads}
    return RuleSet("standard", numbers, outside, 10, 2, 90, 50)


def keyed(campaigns: int, creatives: int | Sequence[int]) -> Dimension:
    """Creatives below campaigns, each campaign with ``unknown``."""
    numbers = [creatives] * campaigns if isinstance(creatives, int) else list(creatives)
    keys = [(f"c{c:03}", f"cr{k}") for c in range(campaigns) for k in range(numbers[c])]
    keys += [(f"c{c:03}", "unknown") for c in range(campaigns)]
    return Dimension(("campaign_id", "creative_id"), tuple(sorted(keys)), has_margin=False, partitions_people=False)


def plain(campaigns: int) -> Dimension:
    keys = tuple((f"c{c:03}",) for c in range(campaigns))
    return Dimension(("campaign_id",), keys, has_margin=False, partitions_people=False)


def flat(name: str, size: int, partitions: bool = True) -> Dimension:
    return Dimension((name,), tuple((f"{name}{k}",) for k in range(size)), partitions_people=partitions)


def nested(coarse: str, fine: str, sizes: Sequence[int]) -> Dimension:
    return Dimension(
        (coarse, fine), tuple((f"{coarse}{a}", f"{fine}{a}.{b}") for a, n in enumerate(sizes) for b in range(n))
    )


def table(name: str, *dimensions: Dimension, families: Sequence[FamilySpec] = FAMILIES) -> TableShape:
    first, *others = dimensions
    inner = ([first] if len(first.levels) > 1 else []) + others
    columns = tuple(level for d in inner for level in d.levels if level != "campaign_id")
    heads = all(d.partitions_people for d in inner)
    measures = []
    for family in families:
        measures.append(Measure(family.count, family.name, "count", (*columns, "period")))
        if heads:
            measures.append(Measure(family.heads, family.name, "heads", columns))
    return TableShape(name, "ads", tuple(dimensions), tuple(measures))


def package(*tables: TableShape, recipient: str = "adv-a", period: str = "2026-11-21") -> PackageShape:
    return PackageShape(recipient, "campaign", period, tables)


def campaign_shape(
    campaigns: int, creatives: int | Sequence[int] = 8, policy: Policy | None = None, *, with_pairs: bool = False
) -> PackageShape:
    """The tables of the campaign report; with the policy's key sets if given, else with sets of the same sizes."""
    key = plain(campaigns)

    def of(name: str, size: int, partitions: bool = True) -> Dimension:
        return flat(name, size, partitions)

    area = nested("region", "prefecture", (1, 6, 7, 9, 7, 5, 4, 8, 1))
    sets = {"placement": 8, "age_band": 8, "gender": 4, "occupation": 16, "device": 5, "hour_band": 9}
    loose = {"placement", "device", "hour_band"}
    dims = {name: of(name, size, name not in loose) for name, size in sets.items()}
    return package(
        table("performance", keyed(campaigns, creatives), dims["placement"]),
        table("audience_age_gender", key, dims["age_band"], dims["gender"]),
        table("audience_area", key, area),
        table("audience_occupation", key, dims["occupation"]),
        table("audience_device", key, dims["device"]),
        table("audience_hour", key, dims["hour_band"]),
        *(pairs(key, dims, area) if with_pairs else ()),
    )


def pairs(key: Dimension, dims: Mapping[str, Dimension], area: Dimension) -> tuple[TableShape, ...]:
    """The tables of pairs that share cells with the others."""
    region = Dimension(area.levels[:1], tuple(dict.fromkeys(path[:1] for path in area.keys)))
    return (
        table("audience_age_gender_region", key, dims["age_band"], dims["gender"], region, families=FAMILIES[:1]),
        table("audience_device_hour", key, dims["device"], dims["hour_band"]),
    )


@dataclass(frozen=True)
class Habits:
    """How people behave: events a person, clicks an impression, conversions a click, skew of categories, newcomers.

    Newcomers do not count; they keep to themselves in `crowd` of the cases, all in one category of each dimension.
    """

    events: float = 2.0
    click: float = 0.01
    conversion: float = 0.1
    skew: float = 1.0
    unknown: float = 0.1
    newcomers: float = 0.0
    crowd: float = 0.0


def count_people(
    shape: PackageShape,
    people: Sequence[int],
    rng: np.random.Generator,
    habits: Habits,
    seen: dict[str, Seen] | None = None,
) -> dict[str, pa.Table]:
    """Return, per table of the shape, the cube's rows: only cells in which something happened, in no order.

    In ``seen``, if given, people of each key are put by category and impressions.
    """
    parts: dict[str, list[dict[str, np.ndarray]]] = {t.name: [] for t in shape.tables}
    keys = list(dict.fromkeys(path[0] for path in shape.tables[0].dimensions[0].keys))
    for key, number in zip(keys, people, strict=True):
        if number:
            for name, columns in _count_key(shape, key, number, rng, habits, seen).items():
                parts[name].append(columns)
    tables = {}
    for t in shape.tables:
        columns = {}
        for name in [*t.columns, *_measures()]:
            pieces = [part[name] for part in parts[t.name]]
            text = name in t.columns
            merged = np.concatenate(pieces) if pieces else np.zeros(0, dtype=object if text else np.int64)
            columns[name] = pa.array(merged, pa.string() if text else pa.int64())
        order = rng.permutation(len(columns[t.columns[0]]))
        tables[t.name] = pa.table(columns).take(pa.array(order))
    return tables


def _measures() -> list[str]:
    return [column for family in COUNTED for column in family.columns]


def _draw(
    dimension: Dimension, depth: int, key: str, size: int, rng: np.random.Generator, habits: Habits
) -> np.ndarray:
    """Draw the finest category of each of so many people or events, as positions among the dimension's paths."""
    paths = [i for i, path in enumerate(dimension.keys) if depth == 0 or path[0] == key]
    weights = rng.permutation(1 / np.arange(1, len(paths) + 1) ** habits.skew)
    weights /= weights.sum()
    if len(paths) > 1:
        weights *= 1 - habits.unknown
        weights[-1] += habits.unknown
    return np.array(paths)[rng.choice(len(paths), size=size, p=weights)]


def _count_key(
    shape: PackageShape,
    key: str,
    people: int,
    rng: np.random.Generator,
    habits: Habits,
    seen: dict[str, Seen] | None = None,
) -> dict:
    number = rng.poisson(max(habits.events - 1, 0), size=people) + 1
    person = np.repeat(np.arange(people), number)
    clicks = rng.random(len(person)) < habits.click
    conversions = clicks & (rng.random(len(person)) < habits.conversion)
    events = {"impression_n": np.ones(len(person), dtype=np.int64), "click_n": clicks * rng.integers(1, 3, len(person))}
    events["conversion_n"] = conversions * 1
    drawn: dict[tuple[str, ...], np.ndarray] = {}
    for t in shape.tables:
        for place, dimension in enumerate(t.dimensions):
            depth = 1 if place == 0 else 0
            if dimension.levels in drawn or (place == 0 and len(dimension.levels) == 1):
                continue
            finer = next(
                (d for d in _dimensions(shape) if len(d.levels) > 1 and d.levels[0] == dimension.levels[0]), None
            )
            if place and finer is not None and finer.levels in drawn and finer.levels != dimension.levels:
                coarse = {path[0]: n for n, path in enumerate(dimension.keys)}
                drawn[dimension.levels] = np.array([coarse[path[0]] for path in finer.keys])[drawn[finer.levels]]
                continue
            size = people if dimension.partitions_people else len(person)
            one = _draw(dimension, depth, key, size, rng, habits)
            drawn[dimension.levels] = one[person] if dimension.partitions_people else one
    counts = np.ones(people, dtype=bool)
    if habits.newcomers:
        counts = rng.random(people) >= habits.newcomers
        together = ~counts & (rng.random(people) < habits.crowd)
        for values in drawn.values():
            values[together[person]] = values[0]
    if seen is not None:
        seen[key] = _seen(shape, person, number, counts, drawn)
    return {t.name: _count_table(t, key, person, counts[person], events, drawn) for t in shape.tables}


def _seen(shape: PackageShape, person: np.ndarray, number: np.ndarray, counts: np.ndarray, drawn: Mapping) -> Seen:
    """Return people by every category of one level that partitions them; nobody's categories are all unknown."""
    own = {d.levels: d for d in _dimensions(shape) if d.partitions_people and d.has_margin and len(d.levels) == 1}
    first = np.unique(person, return_index=True)[1]
    places = list(zip(*([d.keys[at][0] for at in drawn[levels][first]] for levels, d in own.items()), strict=True))
    listed = sorted(set(places))
    row = np.array([listed.index(place) for place in places])
    people, counted = np.zeros((2, len(listed), 21), dtype=np.int64)
    np.add.at(people, (row, number), 1)
    np.add.at(counted, (row[counts], number[counts]), 1)
    columns = tuple(levels[0] for levels in own)
    return Seen(columns, tuple(listed), people, counted, np.zeros_like(people))


def _dimensions(shape: PackageShape) -> list[Dimension]:
    return [dimension for t in shape.tables for dimension in t.dimensions]


def _count_table(
    t: TableShape, key: str, person: np.ndarray, counts: np.ndarray, events: Mapping, drawn: Mapping
) -> dict[str, np.ndarray]:
    choices = []
    for place, dimension in enumerate(t.dimensions):
        levels = (
            range(1, len(dimension.levels) + 1)
            if place == 0 or not dimension.has_margin
            else range(len(dimension.levels) + 1)
        )
        options = []
        for depth in levels:
            pad = (ALL,) * (len(dimension.levels) - depth)
            if place == 0 and depth == 1:
                options.append((np.zeros(len(person), dtype=np.int64), [(key, *pad)]))
                continue
            prefixes = list(dict.fromkeys(path[:depth] for path in dimension.keys))
            index = {p: i for i, p in enumerate(prefixes)}
            of_path = np.array([index[path[:depth]] for path in dimension.keys])
            options.append((of_path[drawn[dimension.levels]], [p + pad for p in prefixes]))
        choices.append(options)
    found: dict[str, list] = {name: [] for name in [*t.columns, *_measures()]}
    for combination in product(*choices):
        code = np.zeros(len(person), dtype=np.int64)
        for index, names in combination:
            code = code * len(names) + index
        size = int(np.prod([len(names) for _, names in combination]))
        seen = _heads(code, person, np.ones(len(person), dtype=bool), size)
        cells = np.flatnonzero(seen)
        rest = cells.copy()
        parts = []
        for _, names in reversed(combination):
            rest, position = np.divmod(rest, len(names))
            parts.append([names[p] for p in position])
        rows = [sum(path, ()) for path in zip(*reversed(parts), strict=True)]
        for column, values in zip(t.columns, zip(*rows, strict=True), strict=True):
            found[column].extend(values)
        for family in COUNTED:
            hit = events[family.count] > 0
            heads = _heads(code, person, hit, size)
            found[family.count].extend(
                np.bincount(code, weights=events[family.count], minlength=size)[cells].astype(np.int64)
            )
            counted = _heads(code, person, hit & counts, size)
            found[family.heads].extend(heads[cells])
            found[family.judged].extend(counted[cells])
            if family.rest:
                found[family.rest].extend((_heads(code, person, counts, size) - counted)[cells])
    return {name: np.array(values, dtype=object if name in t.columns else np.int64) for name, values in found.items()}


def _heads(code: np.ndarray, person: np.ndarray, mask: np.ndarray, size: int) -> np.ndarray:
    if not mask.any():
        return np.zeros(size, dtype=np.int64)
    pairs = np.unique(code[mask] * (person.max() + 1) + person[mask])
    return np.bincount(pairs // (person.max() + 1), minlength=size)


def fill(shape: PackageShape, cubes: Mapping[str, pa.Table]) -> PackageCube:
    """Zero-fill cubes that use listed categories only."""
    tables = {}
    for t in shape.tables:
        rows = cubes[t.name]
        names = [c for c in rows.column_names if c not in t.columns]
        at = dict(zip(zip(*(rows[c].to_pylist() for c in t.columns), strict=True), range(rows.num_rows), strict=True))
        listed = list(t.coordinates())
        take = np.array([at.get(c, -1) for c in listed], dtype=np.int64)
        columns = {name: pa.array([c[i] for c in listed], pa.string()) for i, name in enumerate(t.columns)}
        for name in names:
            values = np.append(rows[name].to_numpy(), 0)
            columns[name] = pa.array(values[take], pa.int64())
        tables[t.name] = pa.table(columns)
    return PackageCube(shape, tables)


def small_shape(creatives: int = 2) -> PackageShape:
    """A campaign report of few cells, with every kind of table."""
    key = plain(1)
    return package(
        table("performance", keyed(1, creatives), flat("placement", 3, False)),
        table("audience_age_gender", key, flat("age_band", 3), flat("gender", 3)),
        table("audience_area", key, nested("region", "prefecture", (1, 3, 2))),
        table("audience_device", key, flat("device", 3, False)),
    )
