"""Rows of the cubes reach their place in the product, and what is in no key set is folded, never lost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from disclosure_portal import COUNTED as FAMILIES
from disclosure_portal import Habits, count_people, fill, flat, keyed, package, plain, table

from quorum.disclosure import project
from quorum.errors import ConfigurationError
from quorum.policy import Policy, ReportSpec
from quorum.policy.types import TableSpec
from quorum.tables import Dimension, PackageShape

MEASURES = [column for family in FAMILIES for column in family.columns]
REPORT = ReportSpec(
    name="campaign",
    name_ja="",
    name_en="",
    recipient_kinds=("advertiser",),
    rule_set="standard",
    periods=("day",),
    universe="ads",
    key="campaign_id",
    families=("impressions", "clicks", "conversions"),
    tables=(TableSpec("performance", "cube__p", ()), TableSpec("by_gender", "cube__g", ())),
)
Row = tuple[Sequence[str | None], Sequence[int]]


def _shape(*, gender: Dimension | None = None) -> PackageShape:
    placement = Dimension(("placement",), (("top",), ("other",)), partitions_people=False)
    own = gender or Dimension(("gender",), (("female",), ("unknown",)))
    return package(table("performance", keyed(1, 1), placement), table("by_gender", plain(1), own))


def _rows(columns: Sequence[str], rows: Sequence[Row]) -> pa.Table:
    """Rows of (coordinates, impressions and people); nobody clicked."""
    found: dict[str, pa.Array] = {
        name: pa.array([c[i] for c, _ in rows], pa.string()) for i, name in enumerate(columns)
    }
    for name in MEASURES:
        at = {"impression_n": 0, "people_n": 1, "people_counted_n": 1, "clicker_rest_n": 1, "converter_rest_n": 1}.get(
            name
        )
        found[name] = pa.array([0 if at is None else v[at] for _, v in rows], pa.int64())
    return pa.table(found)


def _performance(rows: Sequence[Row]) -> pa.Table:
    return _rows(("campaign_id", "creative_id", "placement"), rows)


def _genders(rows: Sequence[Row]) -> pa.Table:
    return _rows(("campaign_id", "gender"), rows)


EMPTY = {"cube__p": _performance([]), "cube__g": _genders([])}


def test_missing_rows_are_zero_and_order_does_not_matter(policy: Policy) -> None:
    rows: list[Row] = [(("c000", "female"), (7, 3)), (("c000", "ALL"), (7, 3))]
    cube = project(_shape(), {**EMPTY, "cube__g": _genders(rows)}, REPORT, policy)
    assert cube.tables["by_gender"].select(["gender", "impression_n", "people_n"]).to_pylist() == [
        {"gender": "ALL", "impression_n": 7, "people_n": 3},
        {"gender": "female", "impression_n": 7, "people_n": 3},
        {"gender": "unknown", "impression_n": 0, "people_n": 0},
    ]
    assert cube.values("performance", "impression_n").tolist() == [0] * 9
    assert not cube.heads_at_most


def test_undeclared_creatives_and_placements_are_folded(policy: Policy) -> None:
    rows: list[Row] = [
        (("c000", "ALL", "ALL"), (30, 10)),
        (("c000", "ALL", "top"), (10, 6)),
        (("c000", "ALL", "pop-under"), (20, 9)),
        (("c000", "cr0", "ALL"), (5, 4)),
        (("c000", "cr0", "top"), (5, 4)),
        (("c000", "crX", "ALL"), (20, 8)),
        (("c000", "crX", "pop-under"), (20, 8)),
        (("c000", None, "ALL"), (5, 5)),
        (("c000", None, "top"), (5, 5)),
    ]
    cube = project(_shape(), {**EMPTY, "cube__p": _performance(rows)}, REPORT, policy)
    found = {
        (row["creative_id"], row["placement"]): (row["impression_n"], row["people_n"], row["clicker_rest_n"])
        for row in cube.tables["performance"].to_pylist()
    }
    assert found == {
        ("ALL", "ALL"): (30, 10, 10),
        ("ALL", "top"): (10, 6, 6),
        ("ALL", "other"): (20, 9, 9),
        ("cr0", "ALL"): (5, 4, 4),
        ("cr0", "top"): (5, 4, 4),
        ("cr0", "other"): (0, 0, 0),
        ("unknown", "ALL"): (25, 8, 8),
        ("unknown", "top"): (5, 5, 5),
        ("unknown", "other"): (20, 8, 8),
    }
    most = cube.heads_at_most["performance"]["people_n"]
    assert most.tolist() == [10, 6, 9, 4, 4, 0, 13, 5, 8]


def test_people_folded_together_are_counted_from_below(policy: Policy) -> None:
    """Of 8 and 5 people with 3 and 4 clickers, 8 are there at least, and 4 of them did not click for sure."""
    folded = _performance(
        [
            (("c000", "ALL", "ALL"), (20, 10)),
            (("c000", "ALL", "top"), (20, 10)),
            (("c000", "a", "ALL"), (10, 8)),
            (("c000", "a", "top"), (10, 8)),
            (("c000", "b", "ALL"), (10, 5)),
            (("c000", "b", "top"), (10, 5)),
        ]
    )
    clicks = {"click_n": [7, 7, 3, 3, 4, 4], "clicker_n": [7, 7, 3, 3, 4, 4], "clicker_rest_n": [3, 3, 5, 5, 1, 1]}
    clicks["clicker_counted_n"] = clicks["clicker_n"]
    for name, values in clicks.items():
        folded = folded.set_column(folded.column_names.index(name), name, pa.array(values, pa.int64()))
    cube = project(_shape(), {**EMPTY, "cube__p": folded}, REPORT, policy)
    row = cube.tables["performance"].to_pylist()[-3]
    assert (row["creative_id"], row["placement"]) == ("unknown", "ALL")
    assert (row["impression_n"], row["people_n"], row["click_n"], row["clicker_n"]) == (20, 8, 7, 4)
    assert row["clicker_rest_n"] == 1


def test_people_who_count_are_folded_by_themselves(policy: Policy) -> None:
    """Of those who count 6 and 5 are there, of whom 1 and 3 clicked: 6 at least, and 3 who did not click for sure."""
    rows: list[Row] = [(("c000", c, p), (20, 9)) for c in ("ALL", "a", "b") for p in ("ALL", "top")]
    folded = _performance(rows)
    numbers = {
        "people_counted_n": [9, 9, 6, 6, 5, 5],
        "click_n": [16, 16, 8, 8, 8, 8],
        "clicker_n": [8, 8, 7, 7, 8, 8],
        "clicker_counted_n": [3, 3, 1, 1, 3, 3],
        "clicker_rest_n": [6, 6, 5, 5, 2, 2],
        "impression_n": [40, 40, 20, 20, 20, 20],
    }
    for name, values in numbers.items():
        folded = folded.set_column(folded.column_names.index(name), name, pa.array(values, pa.int64()))
    cube = project(_shape(), {**EMPTY, "cube__p": folded}, REPORT, policy)
    row = cube.tables["performance"].to_pylist()[-3]
    assert (row["people_n"], row["people_counted_n"], row["clicker_counted_n"], row["clicker_rest_n"]) == (9, 6, 3, 2)
    bounds = cube.heads_at_most["performance"]
    assert (bounds["people_n"][-3], bounds["people_counted_n"][-3], bounds["clicker_counted_n"][-3]) == (18, 11, 4)


def test_a_hierarchy_is_folded_level_by_level(policy: Policy) -> None:
    area = Dimension(("region", "prefecture"), (("kanto", "tokyo"), ("unknown", "unknown")))
    rows: list[Row] = [
        (("c000", "ALL", "ALL"), (9, 9)),
        (("c000", "kanto", "ALL"), (4, 4)),
        (("c000", "kanto", "tokyo"), (4, 4)),
        (("c000", "atlantis", "ALL"), (5, 5)),
        (("c000", "atlantis", "poseidonis"), (5, 5)),
    ]
    cubes = {**EMPTY, "cube__g": _rows(("campaign_id", "region", "prefecture"), rows)}
    cube = project(_shape(gender=area), cubes, REPORT, policy)
    assert cube.values("by_gender", "people_n").tolist() == [9, 4, 5, 4, 5]


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ([(("c999", "ALL"), (1, 1))], "cube.category"),
        ([(("c000", "ALL"), (2, 2)), (("c000", "x"), (2, 2))], "cube.category"),
        ([(("c000", "ALL"), (2, 2)), (("c000", "a"), (2, 2)), (("c000", "a"), (0, 0))], "cube.twice"),
        ([(("c000", "ALL"), (3, 2)), (("c000", "a"), (2, 2))], "cube.sums"),
        ([(("c000", "ALL"), (4, 3)), (("c000", "a"), (2, 2)), (("c000", "b"), (2, 2))], "cube.sums"),
        ([(("c000", "ALL"), (1, 2)), (("c000", "a"), (1, 2))], "cube.sums"),
    ],
    ids=["another-key", "no-unknown", "twice", "events", "people", "fewer-events-than-people"],
)
def test_what_has_no_place_or_does_not_add_up_is_refused(policy: Policy, rows: list[Row], rule: str) -> None:
    shape = _shape(gender=Dimension(("gender",), (("a",), ("b",))))
    with pytest.raises(ConfigurationError) as refused:
        project(shape, {**EMPTY, "cube__g": _genders(rows)}, REPORT, policy)
    assert refused.value.rule == rule
    assert "c999" not in str(refused.value)


def test_a_part_larger_than_its_margin_is_refused(policy: Policy) -> None:
    rows: list[Row] = [
        (("c000", "ALL", "ALL"), (9, 3)),
        (("c000", "ALL", "top"), (9, 3)),
        (("c000", "cr0", "ALL"), (9, 4)),
        (("c000", "cr0", "top"), (9, 4)),
    ]
    with pytest.raises(ConfigurationError, match=r"cube\.sums"):
        project(_shape(), {**EMPTY, "cube__p": _performance(rows)}, REPORT, policy)


@pytest.mark.parametrize("column", ["gender", "people_n"])
def test_a_cube_without_a_column_is_refused(policy: Policy, column: str) -> None:
    with pytest.raises(ConfigurationError, match=column):
        project(_shape(), {**EMPTY, "cube__g": _genders([]).drop_columns([column])}, REPORT, policy)


def test_a_null_measure_is_refused(policy: Policy) -> None:
    rows = _genders([(("c000", "ALL"), (0, 0))])
    rows = rows.set_column(rows.column_names.index("people_n"), "people_n", pa.array([None], pa.int64()))
    with pytest.raises(ConfigurationError, match=r"cube\.values"):
        project(_shape(), {**EMPTY, "cube__g": rows}, REPORT, policy)


def test_a_table_without_a_cube_is_refused(policy: Policy) -> None:
    with pytest.raises(ConfigurationError, match=r"cube\.missing"):
        project(_shape(), EMPTY, replace(REPORT, tables=REPORT.tables[:1]), policy)
    with pytest.raises(ConfigurationError, match=r"cube\.missing"):
        project(_shape(), {"cube__g": EMPTY["cube__g"]}, REPORT, policy)


def test_projection_of_whole_cubes_is_their_zero_filling(policy: Policy) -> None:
    shape = package(
        table("performance", keyed(2, 3), flat("placement", 4, False)), table("by_gender", plain(2), flat("gender", 3))
    )
    counted = count_people(shape, [200, 90], np.random.default_rng(5), Habits())
    cube = project(shape, {"cube__p": counted["performance"], "cube__g": counted["by_gender"]}, REPORT, policy)
    expected = fill(shape, counted)
    for name in ("performance", "by_gender"):
        for column in (*shape.table(name).columns, *MEASURES):
            assert cube.tables[name][column].to_pylist() == expected.tables[name][column].to_pylist()
