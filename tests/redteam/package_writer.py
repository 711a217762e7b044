"""Write packages of any shape from cells, as the page says they are written; independent of the product's own writer.

Also a small invented portal to take cells from, and a protector that is good enough for it: two withheld cells a line.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from quorum.tables.shape import ALL, Dimension, Measure, PackageShape, TableShape

RULES = {
    "heads": {"impressions": 50, "clicks": 20},
    "outside": 10,
    "families": {
        "impressions": {"count": "impression_n", "heads": "people_n", "rest": None, "requires": None},
        "clicks": {"count": "click_n", "heads": "clicker_n", "rest": "clicker_rest_n", "requires": "impressions"},
    },
}

Row = tuple[str, ...]
Withheld = frozenset[tuple[str, Row, str]]
"""(table, coordinates, family)"""


@dataclass(frozen=True)
class Draft:
    """A package before it is written: true cells of every table, and which are withheld."""

    shape: PackageShape
    cells: Mapping[str, Mapping[Row, Mapping[str, int]]]
    withheld: Withheld = frozenset()

    def withhold(self, table: str, *rows: Row, family: str = "impressions") -> Draft:
        return replace(self, withheld=self.withheld | {(table, row, family) for row in rows})

    def publish(self, table: str, *rows: Row, family: str = "impressions") -> Draft:
        return replace(self, withheld=self.withheld - {(table, row, family) for row in rows})

    def with_value(self, table: str, row: Row, **values: int) -> Draft:
        cells = {name: {place: dict(of) for place, of in rows.items()} for name, rows in self.cells.items()}
        cells[table][row].update(values)
        return replace(self, cells=cells)

    def truth(self) -> dict[str, pa.Table]:
        """True heads and counts, rests too, as the gate has them."""
        return {table.name: _truth(table, self.cells[table.name]) for table in self.shape.tables}

    def files(self, *, parquet: bool = False) -> dict[str, bytes]:
        """The package, file name to bytes."""
        files = {"datapackage.json": json.dumps(describe(self.shape), ensure_ascii=False).encode()}
        for table in self.shape.tables:
            header, rows = self._rows(table)
            text = io.StringIO(newline="")
            csv.writer(text, lineterminator="\n").writerows([header, *rows])
            files[f"{table.name}.csv"] = text.getvalue().encode()
            if parquet:
                files[f"{table.name}.parquet"] = parquet_bytes(table, header, rows)
        return files

    def write(self, folder: Path, *, parquet: bool = False) -> Path:
        folder.mkdir(parents=True)
        for name, data in self.files(parquet=parquet).items():
            (folder / name).write_bytes(data)
        return folder

    def _rows(self, table: TableShape) -> tuple[list[str], list[list[str]]]:
        header = [*table.columns, *(m.name for m in table.measures), *(f"status_{f}" for f in table.families)]
        rows = []
        for place in table.coordinates():
            shown = {family: (table.name, place, family) not in self.withheld for family in table.families}
            values = [str(self.cells[table.name][place][m.name]) if shown[m.family] else "" for m in table.measures]
            rows.append([*place, *values, *("published" if shown[f] else "withheld" for f in table.families)])
        return header, rows


def describe(shape: PackageShape) -> dict[str, object]:
    return {
        "name": f"{shape.report}-{shape.period}",
        "quorum:recipient": shape.recipient_id,
        "quorum:report": shape.report,
        "quorum:period": shape.period,
        "quorum:invariants": [dict(invariant) for invariant in shape.invariants],
        "quorum:groups": shape.groups,
        "resources": [
            {
                "name": table.name,
                "path": f"{table.name}.csv",
                "quorum:universe": table.universe,
                "schema": {"fields": _fields(table)},
            }
            for table in shape.tables
        ],
    }


def _fields(table: TableShape) -> list[dict[str, object]]:
    fields: list[dict[str, object]] = [
        {"name": level, "type": "string", "quorum:role": "dimension", "quorum:hierarchy": list(dimension.levels)}
        for dimension in table.dimensions
        for level in dimension.levels
    ]
    fields += [
        {
            "name": measure.name,
            "type": "integer",
            "quorum:role": "measure",
            "quorum:family": measure.family,
            "quorum:additive_over": list(measure.additive_over),
        }
        for measure in table.measures
    ]
    return fields + [{"name": f"status_{f}", "type": "string", "quorum:role": "status"} for f in table.families]


def parquet_bytes(
    table: TableShape, header: list[str], rows: list[list[str]], metadata: Mapping[str, str] | None = None
) -> bytes:
    measures = {measure.name for measure in table.measures}
    columns = {
        name: pa.array([int(v) if v else None for v in column], pa.int64()) if name in measures else pa.array(column)
        for name, column in zip(header, zip(*rows, strict=True), strict=True)
    }
    out = io.BytesIO()
    pq.write_table(pa.table(columns).replace_schema_metadata(metadata), out)
    return out.getvalue()


def _truth(table: TableShape, cells: Mapping[Row, Mapping[str, int]]) -> pa.Table:
    places = list(cells)
    columns: dict[str, list[str] | list[int]] = {c: [p[i] for p in places] for i, c in enumerate(table.columns)}
    columns |= {name: [cells[place][name] for place in places] for name in cells[places[0]]}
    return pa.table(columns)


# --- shapes ---------------------------------------------------------------------------------------------------------

FAMILIES = (("impressions", "impression_n", "people_n"), ("clicks", "click_n", "clicker_n"))


def measures(*columns: str, heads: bool, families: Iterable[tuple[str, str, str]] = FAMILIES) -> tuple[Measure, ...]:
    made = []
    for family, count, people in families:
        made.append(Measure(count, family, "count", (*columns, "period")))
        if heads:
            made.append(Measure(people, family, "heads", columns))
    return tuple(made)


def plain(column: str, *keys: str, margin: bool = True, people: bool = True) -> Dimension:
    return Dimension((column,), tuple((key,) for key in keys), margin, people)


def campaigns(*keys: str) -> Dimension:
    return plain("campaign_id", *keys, margin=False, people=False)


def package(*tables: TableShape, period: str = "2026-11-21", recipient: str = "r-01", **more: object) -> PackageShape:
    return PackageShape(recipient, "campaign", period, tables, **more)


def one_table(columns: Mapping[str, Mapping[str, int]], *, heads: bool = False) -> Draft:
    """A draft of one table, one dimension and one campaign: category to values, ALL filled in as the sum."""
    shape = TableShape(
        "audience", "ads", (campaigns("c1"), plain("age_band", *columns)), measures("age_band", heads=heads)
    )
    names = [measure.name for measure in shape.measures]
    cells = {("c1", key): {name: values.get(name, 0) for name in names} for key, values in columns.items()}
    cells["c1", ALL] = {name: sum(cell[name] for cell in cells.values()) for name in names}
    return Draft(package(shape), {"audience": cells})


# --- an invented portal -----------------------------------------------------------------------------------------------

AGES = ("u20", "20s", "30s", "40s", "50s", "unknown")
GENDERS = ("female", "male", "unknown")
AREAS = (
    ("hokkaido", "hokkaido"),
    ("kanto", "tokyo"),
    ("kanto", "kanagawa"),
    ("kanto", "saitama"),
    ("kinki", "osaka"),
    ("kinki", "kyoto"),
    ("kinki", "nara"),
)
CREATIVES = (("c1", "cr-1"), ("c1", "cr-2"), ("c1", "unknown"), ("c2", "cr-1"), ("c2", "cr-3"), ("c2", "unknown"))
PLACEMENTS = ("top", "article", "mail")
DEVICES = ("desktop", "mobile", "tablet")


def portal_shape() -> PackageShape:
    key = campaigns("c1", "c2")
    return package(
        TableShape(
            "performance",
            "ads",
            (
                Dimension(("campaign_id", "creative_id"), CREATIVES, False, False),
                plain("placement", *PLACEMENTS, people=False),
            ),
            measures("campaign_id", "creative_id", "placement", heads=False),
        ),
        TableShape(
            "audience_age_gender",
            "ads",
            (key, plain("age_band", *AGES), plain("gender", *GENDERS)),
            measures("age_band", "gender", heads=True),
        ),
        TableShape(
            "audience_area",
            "ads",
            (key, Dimension(("region", "prefecture"), AREAS)),
            measures("region", "prefecture", heads=True),
        ),
        TableShape(
            "audience_device",
            "ads",
            (key, plain("device", *DEVICES, people=False)),
            measures("device", heads=False),
        ),
    )


def portal(seed: int = 1, people: int = 2500, events: int = 9000) -> Draft:
    """True cells of an invented night: two campaigns, some clicks, skewed categories."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, people, events)
    campaign = np.array(["c1", "c2"])[(rng.random(events) < 0.2).astype(int)]
    area = rng.choice(len(AREAS), people, p=_skewed(len(AREAS)))
    creative = rng.choice(["cr-1", "cr-2", "unknown"], events, p=[0.45, 0.4, 0.15]).astype(object)
    creative[(campaign == "c2") & (creative == "cr-2")] = "cr-3"
    columns = {
        "campaign_id": campaign,
        "creative_id": creative,
        "placement": rng.choice(PLACEMENTS, events, p=[0.4, 0.35, 0.25]),
        "device": rng.choice(DEVICES, events, p=_skewed(3)),
        "age_band": rng.choice(AGES, people, p=_skewed(6))[who],
        "gender": rng.choice(GENDERS, people, p=[0.45, 0.45, 0.1])[who],
        "region": np.array([region for region, _ in AREAS])[area][who],
        "prefecture": np.array([prefecture for _, prefecture in AREAS])[area][who],
    }
    shape = portal_shape()
    clicked = rng.random(events) < 0.06
    return Draft(shape, {table.name: _count(table, columns, who, clicked) for table in shape.tables})


def _skewed(size: int) -> np.ndarray:
    weights = 1 / np.arange(1, size + 1)
    return weights / weights.sum()


def _count(
    table: TableShape, columns: Mapping[str, np.ndarray], who: np.ndarray, clicked: np.ndarray
) -> dict[Row, dict[str, int]]:
    cells = {}
    for place in table.coordinates():
        inside = np.ones(len(who), dtype=bool)
        for column, category in zip(table.columns, place, strict=True):
            if category != ALL:
                inside &= columns[column] == category
        people, clickers = set(who[inside]), set(who[inside & clicked])
        cells[place] = {
            "impression_n": int(inside.sum()),
            "people_n": len(people),
            "click_n": int((inside & clicked).sum()),
            "clicker_n": len(clickers),
            "clicker_rest_n": len(people - clickers),
        }
    return cells


def lines(table: TableShape) -> list[tuple[Row, list[Row]]]:
    """Every margin of a table with the rows that it sums."""
    found: dict[tuple[str, Row], list[Row]] = {}
    rows = list(table.coordinates())
    for row in rows:
        for dimension in table.dimensions:
            at = [table.columns.index(level) for level in dimension.levels]
            depth = sum(row[place] != ALL for place in at)
            if depth > (0 if dimension.has_margin else 1):
                whole = tuple(ALL if place == at[depth - 1] else value for place, value in enumerate(row))
                found.setdefault((dimension.levels[depth - 1], whole), []).append(row)
    return [(whole, parts) for (_, whole), parts in found.items()]


def protect(draft: Draft, heads: Mapping[str, int], outside: int) -> Draft:
    """Withhold small cells; where a table has two dimensions, then all inner cells of the campaign; then close lines.

    Enough for the invented portal, where no category holds half of a campaign; not in general.
    """
    withheld: set[tuple[str, Row, str]] = set()
    for table in draft.shape.tables:
        cells = draft.cells[table.name]
        for family, _, people in FAMILIES:
            small = {row for row, cell in cells.items() if cell[people] < heads[family]}
            if family == "clicks":
                small |= {row for row in cells if (table.name, row, "impressions") in withheld}
                small |= {row for row, cell in cells.items() if cell["clicker_rest_n"] < outside}
            for whole, parts in lines(table):
                if len(parts) > 1:
                    small |= {row for row in parts if cells[whole][people] - cells[row][people] < outside}
            inner = {row for row in cells if _depth(table, row) == len(table.dimensions)}
            if table.name in ("performance", "audience_age_gender"):
                small |= {row for row in inner if any(other[0] == row[0] for other in inner & small)}
            small = _close(table, cells, small, people, heads[family])
            withheld |= {(table.name, row, family) for row in small}
    return replace(draft, withheld=frozenset(withheld))


def _depth(table: TableShape, row: Row) -> int:
    """In how many dimensions a row names its finest category."""
    return sum(row[table.columns.index(dimension.levels[-1])] != ALL for dimension in table.dimensions)


def _close(
    table: TableShape, cells: Mapping[Row, Mapping[str, int]], small: set[Row], people: str, least: int
) -> set[Row]:
    """Withhold more until each published margin has no withheld part, or two or more that hold enough people."""
    while True:
        before = set(small)
        for whole, parts in lines(table):
            hidden = [row for row in parts if row in small]
            shown = sorted((row for row in parts if row not in small), key=lambda row: cells[row][people])
            if whole in small and not hidden:
                small.add(shown[0])
            while whole not in small and hidden and shown:
                if len(hidden) > 1 and sum(cells[row][people] for row in hidden) >= least:
                    break
                hidden.append(shown.pop(0))
            small |= set(hidden)
            if len(parts) == 1 and small & {whole, parts[0]}:
                small |= {whole, parts[0]}
        if small == before:
            return small
