"""How alike the people of told groups are is what the measures of microdata say of the same people."""

from __future__ import annotations

import duckdb
import pytest
from package_writer import Draft, campaigns, measures, package, plain

from quorum.audit.catalogue import ATTACKS
from quorum.audit.package import parse_files
from quorum.audit.run import run_attacks
from quorum.measure.anonymity import diversity
from quorum.measure.classes import Microdata
from quorum.tables.shape import ALL, TableShape

RULES = {
    "heads": {"impressions": 50},
    "outside": 10,
    "families": {"impressions": {"count": "impression_n", "heads": "people_n", "rest": None, "requires": None}},
}
PEOPLE = {("20s", "f"): 120, ("20s", "m"): 60, ("30s", "f"): 55, ("30s", "m"): 140, ("40s", "f"): 80, ("40s", "m"): 85}


def _draft(people: dict[tuple[str, str], int]) -> Draft:
    shape = TableShape(
        "audience",
        "ads",
        (campaigns("c1"), plain("age_band", "20s", "30s", "40s"), plain("gender", "f", "m")),
        measures("age_band", "gender", heads=True, families=(("impressions", "impression_n", "people_n"),)),
    )
    cells = {}
    for age in (ALL, "20s", "30s", "40s"):
        for gender in (ALL, "f", "m"):
            inside = sum(n for (a, g), n in people.items() if age in (a, ALL) and gender in (g, ALL))
            cells["c1", age, gender] = {"impression_n": 2 * inside, "people_n": inside}
    return Draft(package(shape), {"audience": cells})


@pytest.mark.parametrize(
    "people", [PEOPLE, {**PEOPLE, ("40s", "f"): 0}, {**PEOPLE, ("20s", "f"): 400}, dict.fromkeys(PEOPLE, 60)]
)
def test_diversity_is_that_of_the_people_told(people: dict[tuple[str, str], int]) -> None:
    parsed = parse_files(_draft(people).files())
    [attack] = [attack for attack in ATTACKS if attack.name == "composition"]
    [record] = run_attacks([parsed], RULES, attacks=[attack])
    rows = [place for place, n in people.items() for _ in range(n)]
    connection = duckdb.connect()
    connection.execute("create table people (age varchar, gender varchar, everybody varchar)")
    connection.executemany("insert into people values (?, ?, 'x')", rows)
    measured = [
        diversity(Microdata(connection, "people", (known,)), asked)
        for known, asked in (("age", "gender"), ("gender", "age"), ("everybody", "gender"), ("everybody", "age"))
    ]
    assert record.measured["distinct_l"] == min(each.distinct_l for each in measured)
    assert record.measured["entropy_l"] == pytest.approx(min(each.entropy_l for each in measured))
    assert record.measured["t_equal"] == pytest.approx(max(each.t_equal for each in measured))
    right = 0
    for at in (0, 1):
        right += sum(max(n for p, n in people.items() if p[at] == value) for value in {p[at] for p in people})
        right += max(sum(n for p, n in people.items() if p[at] == value) for value in {p[at] for p in people})
    assert record.correct == right
    assert record.claims == 4 * len(rows)
