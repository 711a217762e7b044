"""People by how often: all cells or none, and an audit that would notice anything in between."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from disclosure_portal import FAMILIES, flat, package, plain, rule_set, table

from quorum.audit.package import parse_files
from quorum.audit.run import run_attacks
from quorum.disclosure import PackageCube, SafeCube, control, one_way, suppress
from quorum.disclosure.equations import WHOLE, build_blocks
from quorum.policy import Policy
from quorum.release.package import rule_numbers, table_files
from quorum.tables import Dimension, Measure, PackageShape, TableShape

BANDS = ("1", "2", "3-5", "6+")
SEEN = (1, 2, 4, 8)
RULES = rule_set()


def shape_of(policy: Policy) -> PackageShape:
    del policy
    key = plain(1)
    frequency = Dimension(("frequency",), tuple((band,) for band in BANDS))
    heads = TableShape(
        "audience_frequency",
        "ads",
        (key, frequency),
        (Measure("people_n", "impressions", "heads", ("frequency",)),),
    )
    return package(table("audience_device", key, flat("device", 2, False)), _genders(key), heads)


def _genders(key: Dimension) -> TableShape:
    return table("audience_gender", key, flat("gender", 2))


def cube_of(shape: PackageShape, people: Sequence[int], nobody: int = 30) -> PackageCube:
    """Bands of people; all of them of both genders alike, in one device; events of nobody in the total alone."""
    impressions = sum(n * seen for n, seen in zip(people, SEEN, strict=True)) + nobody
    tables = {}
    for t in shape.tables:
        places = list(t.coordinates())
        columns: dict[str, object] = {c: [place[i] for place in places] for i, c in enumerate(t.columns)}
        columns |= {name: np.zeros(len(places), dtype=np.int64) for f in FAMILIES for name in _names(f)}
        for row, place in enumerate(places):
            heads, events = _counted(place[-1], people, impressions)
            columns["people_n"][row], columns["impression_n"][row] = heads, events
            columns["clicker_rest_n"][row] = columns["converter_rest_n"][row] = heads
        tables[t.name] = pa.table(columns)
    return PackageCube(shape, tables)


def _names(family) -> list[str]:
    return [name for name in (family.count, family.heads, family.rest) if name]


def _counted(last: str, people: Sequence[int], impressions: int) -> tuple[int, int]:
    total = sum(people)
    if last in BANDS:
        band = BANDS.index(last)
        return people[band], people[band] * SEEN[band]
    halves = {
        "gender0": (total // 2, impressions // 2),
        "gender1": (total - total // 2, impressions - impressions // 2),
    }
    return {**halves, "ALL": (total, impressions), "device0": (total, impressions), "device1": (0, 0)}[last]


def told(safe: SafeCube) -> list[int | None]:
    return safe.tables["audience_frequency"]["people_n"].to_pylist()


@pytest.mark.parametrize(
    ("people", "whole"),
    [((900, 400, 200, 60), True), ((900, 400, 200, 49), False), ((90, 40, 200, 600), False), ((0, 0, 0, 0), False)],
)
def test_all_cells_are_told_or_none(policy: Policy, people: Sequence[int], whole: bool) -> None:
    safe = control(cube_of(shape_of(policy), people), RULES, FAMILIES)
    total, *cells = told(safe)
    assert cells == (list(people) if whole else [None] * 4)
    assert total == (sum(people) or None)
    assert safe.tables["audience_gender"]["people_n"].to_pylist()[0] == total


def test_it_is_a_block_of_its_own_and_tells_no_events(policy: Policy) -> None:
    shape = shape_of(policy)
    assert {block.tables: block.form for block in build_blocks(shape)[0]}[("audience_frequency",)] == WHOLE
    assert shape.table("audience_frequency").is_heads_only
    assert not shape.table("audience_gender").is_heads_only


def attacked(policy: Policy, safe: SafeCube, cube: PackageCube) -> dict[str, str]:
    parsed = parse_files(table_files(cube.shape, safe.tables, policy))
    assert parsed.tables["audience_frequency"].bands == {
        "frequency": {"1": (1, 1), "2": (2, 2), "3-5": (3, 5), "6+": (6, 20)}
    }
    numbers = rule_numbers(RULES, policy.reports["campaign"], policy)
    return {record.attack: record.verdict for record in run_attacks([parsed], numbers)}


def test_the_attacks_find_nothing_where_it_is_withheld(policy: Policy) -> None:
    """Though with 900 of 1,549 people who saw one impression, the totals alone say that many did."""
    cube = cube_of(shape_of(policy), (900, 400, 200, 49))
    assert set(attacked(policy, control(cube, RULES, FAMILIES), cube).values()) == {"passed"}


def test_the_audit_catches_a_release_that_forgot_what_people_did(
    policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the bound two cells are withheld in one line: nobody in 2 needs 449 people in 6+, and more events."""
    monkeypatch.setitem(suppress._VIOLATIONS, WHOLE, one_way.violations)
    cube = cube_of(shape_of(policy), (900, 400, 700, 49), nobody=0)
    safe = control(cube, RULES, FAMILIES)
    assert told(safe) == [2049, 900, None, 700, None]
    assert attacked(policy, safe, cube)["propagation"] == "failed"


def test_without_its_bounds_the_audit_would_not_see_it(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Brute force over both cells: of all splits of 449 people, only some are in the events that are left."""
    monkeypatch.setitem(suppress._VIOLATIONS, WHOLE, one_way.violations)
    cube = cube_of(shape_of(policy), (900, 400, 700, 49), nobody=0)
    safe = control(cube, RULES, FAMILIES)
    events = safe.tables["audience_gender"]["impression_n"].to_pylist()[0]
    open_splits = [n for n in range(450) if 900 + 2 * n + 3 * 700 + 6 * (449 - n) <= events]
    assert min(open_splits) > 0
    files = table_files(cube.shape, safe.tables, policy)
    files["datapackage.json"] = files["datapackage.json"].replace(b'"quorum:frequency"', b'"quorum:other"')
    numbers = rule_numbers(RULES, policy.reports["campaign"], policy)
    records = run_attacks([parse_files(files)], numbers)
    assert next(r for r in records if r.attack == "propagation").verdict == "passed"
