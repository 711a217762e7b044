"""The whole way from counts to released cells: what comes out, in which form, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from disclosure_portal import (
    FAMILIES,
    Habits,
    campaign_shape,
    count_people,
    fill,
    flat,
    keyed,
    nested,
    package,
    plain,
    rule_set,
    small_shape,
    table,
)

from quorum.disclosure import PackageCube, SafeCube, control
from quorum.disclosure.control import digest_rule_set
from quorum.errors import ConfigurationError
from quorum.policy import FamilySpec, Policy
from quorum.tables import Dimension, Measure, PackageShape, TableShape

RULES = rule_set()


def _cube(shape: PackageShape, people: Sequence[int], habits: Habits | None = None, seed: int = 1) -> PackageCube:
    return fill(shape, count_people(shape, people, np.random.default_rng(seed), habits or Habits()))


def _by_hand(
    shape: PackageShape,
    heads: Sequence[int],
    clickers: Sequence[int] | None = None,
    events: Sequence[int] | None = None,
) -> PackageCube:
    """One table; everybody has two impressions unless told otherwise, clickers click once, nobody converts."""
    (t,) = shape.tables
    people = np.array(heads, dtype=np.int64)
    clicked = np.zeros_like(people) if clickers is None else np.array(clickers, dtype=np.int64)
    listed = list(t.coordinates())
    columns = {name: pa.array([c[i] for c in listed], pa.string()) for i, name in enumerate(t.columns)}
    seen = people * 2 if events is None else np.array(events, dtype=np.int64)
    numbers = [seen, people, clicked, clicked, people - clicked, people * 0, people * 0, people]
    names = [c for f in FAMILIES for c in (f.count, f.heads, f.rest) if c]
    columns |= {name: pa.array(values) for name, values in zip(names, numbers, strict=True)}
    return PackageCube(shape, {t.name: pa.table(columns)})


def _status(safe: SafeCube, name: str, family: str = "impressions") -> list[bool]:
    return [status == "published" for status in safe.tables[name][f"status_{family}"].to_pylist()]


def test_nothing_counted_is_nothing_published() -> None:
    safe = control(_cube(small_shape(), [0]), RULES, FAMILIES)
    for t in safe.shape.tables:
        for family in t.families:
            assert not any(_status(safe, t.name, family))
        for measure in t.measures:
            assert safe.tables[t.name][measure.name].null_count == safe.tables[t.name].num_rows


def test_a_huge_campaign_is_told_whole() -> None:
    habits = Habits(events=3, click=0.5, conversion=0.5, skew=0.1, unknown=0.1)
    cube = _cube(small_shape(), [60_000], habits)
    safe = control(cube, RULES, FAMILIES)
    for t in safe.shape.tables:
        for family in t.families:
            assert all(_status(safe, t.name, family))
        for measure in t.measures:
            assert safe.tables[t.name][measure.name].to_pylist() == cube.values(t.name, measure.name).tolist()


def test_released_tables_have_the_columns_of_the_package() -> None:
    shape = small_shape()
    safe = control(_cube(shape, [5_000]), RULES, FAMILIES)
    for t in shape.tables:
        expected = [(c, pa.string()) for c in t.columns] + [(m.name, pa.int64()) for m in t.measures]
        expected += [(f"status_{family}", pa.string()) for family in t.families]
        assert safe.tables[t.name].schema.equals(pa.schema(expected))
    assert (safe.rule_set, safe.shape) == ("standard", shape)


def test_a_category_with_few_people_takes_the_smallest_other_with_it() -> None:
    shape = package(table("by_age", plain(1), flat("age", 4)))
    safe = control(_by_hand(shape, [700, 300, 240, 120, 40]), RULES, FAMILIES)
    assert _status(safe, "by_age") == [True, True, True, False, False]
    safe = control(_by_hand(shape, [405, 300, 45, 30, 30]), RULES, FAMILIES)
    assert _status(safe, "by_age") == [True, True, False, False, False]


def test_what_nobody_knows_is_withheld_for_the_others() -> None:
    gender = Dimension(("gender",), (("female",), ("male",), ("unknown",)))
    shape = package(table("by_gender", plain(1), gender))
    # Told first, as the largest, the unknown would leave 40 men alone.
    safe = control(_by_hand(shape, [240, 90, 40, 110]), RULES, FAMILIES)
    assert _status(safe, "by_gender") == [True, True, False, False]
    safe = control(_by_hand(shape, [240, 90, 60, 90]), RULES, FAMILIES)
    assert _status(safe, "by_gender") == [True, True, True, True]


def test_a_group_that_is_nearly_everybody_is_withheld() -> None:
    shape = package(table("by_age", plain(1), flat("age", 3)))
    safe = control(_by_hand(shape, [1009, 1000, 5, 4]), RULES, FAMILIES)
    assert _status(safe, "by_age") == [True, False, False, False]


def test_two_names_of_one_cell_have_one_status() -> None:
    shape = package(table("by_area", plain(1), nested("region", "prefecture", (1, 2))))
    safe = control(_by_hand(shape, [300, 90, 210, 90, 100, 110]), RULES, FAMILIES)
    assert _status(safe, "by_area") == [True] * 6
    safe = control(_by_hand(shape, [250, 40, 210, 40, 100, 110]), RULES, FAMILIES)
    assert _status(safe, "by_area") == [True, False, False, False, False, False]


def test_a_family_that_nearly_everybody_is_in_is_withheld() -> None:
    shape = package(table("by_age", plain(1), flat("age", 2)))
    safe = control(_by_hand(shape, [400, 200, 200], [391, 195, 196]), RULES, FAMILIES)
    assert _status(safe, "by_age") == [True] * 3
    assert _status(safe, "by_age", "clicks") == [False] * 3


def test_clicks_need_impressions_and_are_withheld_where_their_people_are_few() -> None:
    shape = package(table("by_age", plain(1), flat("age", 3)))
    cube = _by_hand(shape, [400, 250, 110, 40], [110, 40, 40, 30])
    safe = control(cube, RULES, FAMILIES)
    assert _status(safe, "by_age") == [True, True, False, False]
    assert _status(safe, "by_age", "clicks") == [True, True, False, False]
    assert not any(_status(safe, "by_age", "conversions"))


def test_clicks_of_a_category_stay_open_though_its_people_are_known() -> None:
    """The second has 60 people: if it held all withheld clicks, it had to have 100 people who clicked."""
    shape = package(table("by_age", plain(1), flat("age", 3)))
    people = [5560, 5000, 60, 500]
    safe = control(_by_hand(shape, people, [215, 110, 5, 100]), RULES, FAMILIES)
    assert _status(safe, "by_age", "clicks") == [True, False, False, False]
    safe = control(_by_hand(shape, people, [165, 110, 5, 50]), RULES, FAMILIES)
    assert _status(safe, "by_age", "clicks") == [True, True, False, False]


def test_the_total_of_clicks_comes_before_a_category_with_nearly_everybody() -> None:
    """200 people outside the first category cannot be the 400 who clicked."""
    shape = package(table("by_age", plain(1), flat("age", 3)))
    cube = _by_hand(shape, [40_200, 40_000, 100, 100], [400, 398, 1, 1])
    safe = control(cube, RULES, FAMILIES)
    assert _status(safe, "by_age", "clicks") == [True, False, False, False]
    assert _status(safe, "by_age") == [True, False, True, False]


def test_reach_that_does_not_add_up_needs_one_large_part_in_what_is_left() -> None:
    """Of five placements with 40 to 45 people each, the two left over may be about the same 45."""
    shape = package(table("by_placement", plain(1), flat("placement", 4, partitions=False)))
    events = [710, 300, 240, 90, 80]
    safe = control(_by_hand(shape, [200, 150, 120, 45, 40], events=events), RULES, FAMILIES)
    assert _status(safe, "by_placement") == [True, True, False, False, False]
    assert "people_n" not in safe.tables["by_placement"].column_names


def test_a_total_may_stand_above_parts_that_are_all_small() -> None:
    shape = package(table("by_placement", plain(1), flat("placement", 3, partitions=False)))
    safe = control(_by_hand(shape, [60, 45, 45, 45], events=[270, 90, 90, 90]), RULES, FAMILIES)
    assert _status(safe, "by_placement") == [True, False, False, False]


def test_a_folded_group_is_judged_by_the_people_it_may_have() -> None:
    shape = package(table("by_placement", plain(1), flat("placement", 3, partitions=False)))
    cube = _by_hand(shape, [200, 100, 90, 80], events=[540, 200, 180, 160])
    assert _status(control(cube, RULES, FAMILIES), "by_placement") == [True] * 4
    most = {"by_placement": {"people_n": np.array([200, 100, 90, 195])}}
    folded = PackageCube(cube.shape, cube.tables, most)
    assert _status(control(folded, RULES, FAMILIES), "by_placement") == [True, True, False, False]


def test_campaigns_do_not_see_each_other() -> None:
    both, one = campaign_shape(2, [2, 3]), campaign_shape(1, [2])
    counted = count_people(both, [900, 4_000], np.random.default_rng(3), Habits())
    safe = control(fill(both, counted), RULES, FAMILIES)
    own = {
        name: rows.filter([key == "c000" for key in rows["campaign_id"].to_pylist()]) for name, rows in counted.items()
    }
    alone = control(fill(one, own), RULES, FAMILIES)
    for name, rows in safe.tables.items():
        mine = rows.filter([key == "c000" for key in rows["campaign_id"].to_pylist()])
        assert mine.to_pylist() == alone.tables[name].to_pylist()


def test_a_cell_has_one_status_in_every_table() -> None:
    key, ages = plain(1), flat("age", 3)
    shape = package(table("by_age", key, ages), table("by_age_gender", key, ages, flat("gender", 3)))
    safe = control(_cube(shape, [500]), RULES, FAMILIES)
    rows = {row["age"]: row for row in safe.tables["by_age"].to_pylist()}
    for row in safe.tables["by_age_gender"].to_pylist():
        if row["gender"] == "ALL":
            twin = rows[row["age"]]
            assert all(row[column] == twin[column] for column in twin)


def test_the_policys_reports_are_judged_as_they_stand(policy: Policy) -> None:
    rules = policy.rule_sets["site"]
    views = policy.families["views"]
    measures = (
        Measure("view_n", "views", "count", ("gender", "period")),
        Measure("viewer_n", "views", "heads", ("gender",)),
    )
    key = Dimension(("section_id",), (("news",),), has_margin=False, partitions_people=False)
    shape = replace(package(TableShape("by_gender", "views", (key, flat("gender", 3)), measures)), report="site")
    listed = list(shape.tables[0].coordinates())
    columns = {name: pa.array([c[i] for c in listed]) for i, name in enumerate(("section_id", "gender"))}
    columns |= {"view_n": pa.array([60, 30, 20, 10]), "viewer_n": pa.array([41, 20, 15, 6])}
    columns["viewer_counted_n"] = columns["viewer_n"]
    safe = control(PackageCube(shape, {"by_gender": pa.table(columns)}), rules, [views])
    assert _status(safe, "by_gender", "views") == [True, True, False, False]
    columns["viewer_counted_n"] = pa.array([29, 9, 14, 6])
    few = control(PackageCube(shape, {"by_gender": pa.table(columns)}), rules, [views])
    assert _status(few, "by_gender", "views") == [True, False, True, False], "nine of the twenty count"


def test_digests_tell_rule_sets_and_cubes_apart() -> None:
    shape = package(table("by_age", plain(1), flat("age", 2)))
    first = control(_by_hand(shape, [200, 100, 100]), RULES, FAMILIES)
    same = control(_by_hand(shape, [200, 100, 100]), rule_set(), FAMILIES)
    other = control(_by_hand(shape, [200, 101, 99]), rule_set(heads=51), FAMILIES)
    assert (first.cube_digest, first.rule_set_digest) == (same.cube_digest, same.rule_set_digest)
    assert first.cube_digest != other.cube_digest
    assert first.rule_set_digest == digest_rule_set(RULES) != other.rule_set_digest
    assert len(first.rule_set_digest) == len(first.cube_digest) == 64


def test_an_earlier_release_of_the_same_period_is_refused() -> None:
    shape = package(table("by_age", plain(1), flat("age", 2)))
    cube = _by_hand(shape, [200, 100, 100])
    given = control(cube, RULES, FAMILIES)
    with pytest.raises(ConfigurationError, match=r"disclosure\.earlier"):
        control(cube, RULES, FAMILIES, [given])
    for changed in ({"period": "2026-11-22"}, {"recipient_id": "adv-b"}, {"report": "other"}):
        other = PackageCube(replace(shape, **changed), cube.tables)
        assert control(other, RULES, FAMILIES, [given])


def _reach(t: TableShape) -> TableShape:
    return replace(t, measures=(*t.measures, Measure("people_n", "impressions", "heads", ())))


@pytest.mark.parametrize(
    ("shape", "families", "rule"),
    [
        (package(table("t", plain(1), flat("age", 2))), FAMILIES[1:], "disclosure.family"),
        (package(table("t", plain(1), flat("age", 2))), FAMILIES[:2], "disclosure.family"),
        (package(table("t", plain(1), flat("age", 2))), (FAMILIES[0], FamilySpec("x", "a", "b")), "disclosure.family"),
        (package(_reach(table("t", plain(1), flat("device", 2, False)))), FAMILIES, "disclosure.reach"),
        (package(_reach(table("t", keyed(1, 1)))), FAMILIES, "disclosure.reach"),
        (
            replace(package(table("t", plain(1))), invariants=({"period": "2026-11"},)),
            FAMILIES,
            "disclosure.invariants",
        ),
    ],
    ids=["order", "no-family", "no-rule", "reach-by-device", "reach-by-creative", "invariants"],
)
def test_what_does_not_fit_together_is_refused(shape: PackageShape, families: Sequence[FamilySpec], rule: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        control(_cube(shape, [100]), RULES, families)
    assert refused.value.rule == rule


def test_tables_that_contradict_each_other_are_refused() -> None:
    shape = package(table("by_age", plain(1), flat("age", 2)), table("by_gender", plain(1), flat("gender", 2)))
    ages, genders = (_by_hand(package(t), heads) for t, heads in zip(shape.tables, ([9, 5, 4], [8, 4, 4]), strict=True))
    with pytest.raises(ConfigurationError, match="totals"):
        control(PackageCube(shape, {**ages.tables, **genders.tables}), RULES, FAMILIES)


def test_rows_of_one_cell_that_differ_are_refused() -> None:
    """A loose dimension with one category: heads need not add up, yet margin and category are the same people."""
    shape = package(table("by_device", plain(1), flat("device", 1, partitions=False)))
    with pytest.raises(ConfigurationError, match="same cell"):
        control(_by_hand(shape, [9, 8], events=[20, 20]), RULES, FAMILIES)


def test_a_cube_that_does_not_add_up_is_refused() -> None:
    shape = package(table("by_age", plain(1), flat("age", 2)))
    with pytest.raises(ConfigurationError, match=r"cube\.sums"):
        control(_by_hand(shape, [9, 5, 5]), RULES, FAMILIES)


def test_a_table_without_a_total_is_judged_line_by_line() -> None:
    sites = Dimension(("site",), (("s0",), ("s1",)), has_margin=False)
    shape = package(table("by_site_age", plain(1), sites, flat("age", 3)))
    safe = control(_by_hand(shape, [200, 70, 70, 60, 130, 70, 40, 20]), RULES, FAMILIES)
    assert _status(safe, "by_site_age") == [True] * 6 + [False] * 2
