"""A small synthetic night for the tests of releases and pages: reference data, people, and the cubes they give."""

from __future__ import annotations

from datetime import date
from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa

from quorum.policy import Policy
from quorum.report.facts import page_facts
from quorum.report.workbook import render_workbook
from quorum.tables import PackageShape, TableShape

NIGHT = date(2026, 11, 21)
_TEXT = pa.string()


def references(campaigns: int = 3) -> dict[str, pa.Table]:
    """Reference tables: three advertisers, an information provider, three sections; the first advertiser books all."""
    first, last = date(2026, 11, 1), date(2026, 11, 30)
    rows = [
        {
            "campaign_id": f"c{n:03}",
            "recipient_id": "adv-a",
            "name_ja": f"秋の新生活キャンペーン{n}" if n else "冬のボーナス <定期預金> & 投資信託",
            "name_en": f"Autumn campaign {n}" if n else "Winter bonus <deposits> & funds",
            "starts_on": first,
            "ends_on": last,
            "booked_impressions": 600_000 // (n + 1),
            "price_model": ("cpm", "cpc", "cpa")[n % 3],
            "price_micros": (300_000, 45_000_000, 900_000_000)[n % 3],
            "target_age_bands": "20s;30s" if n == 1 else "",
            "target_genders": "",
            "target_prefectures": "",
            "target_occupations": "",
        }
        for n in range(campaigns)
    ]
    ended = {**rows[0], "campaign_id": "c900", "recipient_id": "adv-b", "ends_on": date(2026, 11, 20)}
    creatives = [
        {"creative_id": f"cr{n}{k}", "campaign_id": f"c{n:03}", "name": f"バナー {k}"}
        for n in range(campaigns)
        for k in "ab"
    ]
    recipients = [
        {"recipient_id": "adv-a", "kind": "advertiser", "name_ja": "みなと銀行株式会社", "name_en": "Minato Bank"},
        {"recipient_id": "adv-b", "kind": "advertiser", "name_ja": "乙社", "name_en": "B"},
        {"recipient_id": "info-a", "kind": "information_provider", "name_ja": "天気の丙社", "name_en": "Weather"},
    ]
    sections = [
        {"path_prefix": p, "section_id": s, "recipient_id": r, "name_ja": j, "name_en": e}
        for p, s, r, j, e in (
            ("/weather/", "weather", "info-a", "天気", "Weather"),
            ("/tenki/", "weather", "info-a", "天気", "Weather"),
            ("/news/", "news", "site", "ニュース", "News"),
        )
    ]
    types = {"starts_on": pa.date32(), "ends_on": pa.date32(), "booked_impressions": pa.int64()}
    types["price_micros"] = pa.int64()

    def table(records: list[dict[str, object]]) -> pa.Table:
        schema = pa.schema([(name, types.get(name, _TEXT)) for name in records[0]])
        return pa.Table.from_pylist(records, schema=schema)

    return {
        "pseudo__campaign": table([*rows, ended]),
        "pseudo__creative": table(creatives),
        "pseudo__recipient": table(recipients),
        "pseudo__section": table(sections),
    }


def cube_tables(shape: PackageShape, policy: Policy, people: int = 6_000, seed: int = 7) -> dict[str, pa.Table]:
    """Cubes of invented people, projected onto the shape: per row count, heads and rest of every family."""
    frame = _people(shape, policy, people, np.random.default_rng(seed))
    return {table.name: _aggregate(table, shape, policy, frame) for table in shape.tables}


def _people(shape: PackageShape, policy: Policy, people: int, rng: np.random.Generator) -> pd.DataFrame:
    """One row per person, key and contact; attributes are fixed per person."""

    def pick(count: int, size: int) -> np.ndarray:
        weights = rng.dirichlet(np.ones(count) * 4)
        weights[-2:] *= 0.3  # other, unknown
        return rng.choice(count, size=size, p=weights / weights.sum())

    report = policy.reports[shape.report]
    keys = list(dict.fromkeys(path[0] for path in shape.tables[0].dimensions[0].keys))
    shares = 1 / np.arange(1, len(keys) + 1) ** 1.2
    attributes = pd.DataFrame({"person": np.arange(people)})
    events = rng.integers(1, 5, size=people)
    frame = attributes.loc[attributes.index.repeat(events)].reset_index(drop=True)
    frame[report.key] = rng.choice(keys, size=len(frame), p=shares / shares.sum())
    for table in shape.tables:
        for dimension in table.dimensions:
            if dimension.levels[-1] in frame:
                continue
            paths = list(dimension.keys)
            if dimension.levels[0] == report.key:
                own = {key: [p[1] for p in paths if p[0] == key] for key in keys}
                draws = rng.random(len(frame))
                frame["creative_id"] = [
                    own[k][int(d * len(own[k]))] for k, d in zip(frame[report.key], draws, strict=True)
                ]
                continue
            per_person = dimension.partitions_people
            chosen = pick(len(paths), people if per_person else len(frame))
            index = frame["person"].to_numpy() if per_person else np.arange(len(frame))
            for depth, level in enumerate(dimension.levels):
                frame[level] = [paths[chosen[i]][depth] for i in index]
    chance = np.ones(len(frame))
    for name in report.families:
        family = policy.families[name]
        hit = rng.random(len(frame)) < chance
        frame[family.count] = np.where(hit, rng.integers(1, 3, size=len(frame)), 0)
        chance = hit * 0.2
    return frame


def _counted(people: pd.Series) -> int:
    """How many of the people count: of twelve, eleven do (rule 5)."""
    return people[people % 12 != 0].nunique()


def _aggregate(table: TableShape, shape: PackageShape, policy: Policy, frame: pd.DataFrame) -> pa.Table:
    families = [policy.families[name] for name in policy.reports[shape.report].families]
    base = families[0]
    cells: dict[tuple[str, ...], list[int]] = {}
    masks = [
        [depth for depth in range(len(d.levels) + 1) if depth >= (0 if d.has_margin else 1)] for d in table.dimensions
    ]
    for depths in product(*masks):
        shown = [level for d, depth in zip(table.dimensions, depths, strict=True) for level in d.levels[:depth]]
        groups = frame.groupby(shown) if shown else [((), frame)]
        for key, rows in groups:
            found = dict(zip(shown, key if isinstance(key, tuple) else (key,), strict=False))
            coordinate = tuple(found.get(column, "ALL") for column in table.columns)
            values = []
            everyone = _counted(rows.loc[rows[base.count] > 0, "person"])
            for family in families:
                people = rows.loc[rows[family.count] > 0, "person"]
                counted = _counted(people)
                values += [int(rows[family.count].sum()), people.nunique(), counted]
                if family.rest:
                    values.append(everyone - counted)
            cells[coordinate] = values
    columns = [column for family in families for column in family.columns]
    rows = [(*c, *cells.get(c, [0] * len(columns))) for c in table.coordinates()]
    schema = pa.schema([(c, _TEXT) for c in table.columns] + [(c, pa.int64()) for c in columns])
    return pa.table(
        [pa.array(values, t) for values, t in zip(zip(*rows, strict=True), schema.types, strict=True)], schema=schema
    )


def pages_of(shape: PackageShape, tables: dict[str, pa.Table], policy: Policy) -> dict[str, bytes]:
    """Two short pages and the workbook of a package, whose files are tested, not what its pages say."""
    html = {"report.ja.html": "<p>報告</p>".encode(), "report.en.html": b"<p>report</p>"}
    return {**html, **render_workbook(page_facts(policy, references(), shape), tables)}


def withhold(
    shape: PackageShape, cubes: dict[str, pa.Table], policy: Policy, *, totals_only: bool = False
) -> dict[str, pa.Table]:
    """Released tables by thresholds alone, or totals alone, for tests of files and pages.

    By thresholds nothing protects against subtraction: the attacks break it wherever a cell is withheld.
    """
    report = policy.reports[shape.report]
    numbers = policy.rule_sets[report.rule_set]
    released = {}
    for table in shape.tables:
        frame = cubes[table.name].to_pandas()
        shown = pd.DataFrame(index=frame.index)
        for name in report.families:
            family = policy.families[name]
            shown[name] = frame[family.judged] >= numbers.heads[name]
            if totals_only:
                shown[name] &= (frame[list(table.columns[1:])] == "ALL").all(axis=1)
            if family.rest:
                shown[name] &= frame[family.rest] >= numbers.outside
            if family.requires:
                shown[name] &= shown[family.requires]
        columns = {column: pa.array(frame[column], _TEXT) for column in table.columns}
        for measure in table.measures:
            columns[measure.name] = pa.array(frame[measure.name], pa.int64(), mask=~shown[measure.family].to_numpy())
        for name in table.families:
            words = np.where(shown[name], "published", "withheld")
            columns[f"status_{name}"] = pa.array(words, _TEXT)
        released[table.name] = pa.table(columns)
    return released
