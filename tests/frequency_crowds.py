"""Campaigns of a few ages, genders and devices, made person by person, with people by how often.

What belongs here: cubes. What does not: rules and readers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
from disclosure_portal import COUNTED, flat, package, plain, table

from quorum.disclosure import PackageCube
from quorum.disclosure.types import Seen
from quorum.tables import PackageShape
from quorum.tables.shape import ALL

BANDS = {"1": (1, 1), "2": (2, 2), "3-5": (3, 5), "6+": (6, 20)}
AGES, GENDERS, DEVICES = 3, 4, 3

Crowd = Mapping[tuple[int, int], Sequence[tuple[int, int]]]
"""Age and gender to (impressions, people)."""


def shape_of() -> PackageShape:
    key = plain(1)
    return package(
        table("audience_age_gender", key, flat("age_band", AGES), flat("gender", GENDERS)),
        table("audience_device", key, flat("device", DEVICES, False)),
    )


def cube_of(crowd: Crowd, nobody: int = 0, devices: Sequence[int] = (), unnamed: bool = False) -> PackageCube:
    """Everybody counts, nobody clicks; impressions of nobody are of the last age, gender and device."""
    people = np.zeros((AGES, GENDERS, 21), dtype=np.int64)
    for (age, gender), saw in crowd.items():
        for times, number in saw:
            people[age, gender, times] += number
    events = people @ np.arange(21)
    events[-1, -1] += nobody
    heads = people.sum(axis=2)
    shape, tables = shape_of(), {}
    split = list(devices) or [int(events.sum()) // 2, int(events.sum()) - int(events.sum()) // 2, 0]
    for t in shape.tables:
        places = list(t.coordinates())
        columns: dict[str, object] = {c: [place[i] for place in places] for i, c in enumerate(t.columns)}
        columns |= {name: np.zeros(len(places), dtype=np.int64) for f in COUNTED for name in f.columns}
        for row, place in enumerate(places):
            if "age_band" in t.columns:
                at = tuple(slice(None) if level == ALL else int(level[-1]) for level in place[1:])
                number, impressions = int(heads[at].sum()), int(events[at].sum())
            else:
                impressions = sum(split) if place[1] == ALL else split[int(place[1][-1])]
                number = int(heads.sum()) if place[1] == ALL else min(impressions, int(heads.sum()))
            columns["people_n"][row] = columns["people_counted_n"][row] = number
            columns["impression_n"][row] = impressions
        tables[t.name] = pa.table(columns)
    listed = [(age, gender) for age in range(AGES) for gender in range(GENDERS)]
    flat_people = people.reshape(-1, 21)
    last = np.zeros_like(flat_people)
    last[-1] = flat_people[-1] if unnamed else 0
    seen = Seen(
        ("age_band", "gender"),
        tuple((f"age_band{a}", f"gender{g}") for a, g in listed),
        flat_people,
        flat_people,
        last,
    )
    return PackageCube(shape, tables, seen={"c000": seen}, bands=BANDS)


MIXED = [(1, 60), (2, 40), (4, 30), (8, 12)]


def even() -> dict[tuple[int, int], list[tuple[int, int]]]:
    return {(a, g): list(MIXED) for a in range(AGES) for g in range(GENDERS)}


def leaking(both: int = 30) -> PackageCube:
    """Everybody of the first age saw one, and everybody of the first gender, and nobody else.

    Those who saw one are those of the age and those of the gender, less those who are both: a cell that is withheld.
    """
    crowd = {(a, g): [(2, 90), (4, 60), (8, 30)] for a in range(AGES) for g in range(GENDERS)}
    for a in range(AGES):
        crowd[a, 0] = [(1, 150)]
    for g in range(GENDERS):
        crowd[0, g] = [(1, 150)]
    crowd[0, 0] = [(1, both)]
    crowd[1, 1] = [(2, 20), (4, 10)]
    return cube_of(crowd)
