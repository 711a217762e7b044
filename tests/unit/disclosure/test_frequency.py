"""People by how often: told with all bands where nothing withheld is narrowed, or not at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
from disclosure_portal import COUNTED, Habits, campaign_shape, count_people, fill, rule_set
from frequency_crowds import AGES, BANDS, DEVICES, GENDERS, cube_of, even, leaking

from quorum.audit.frequency import judge_bands
from quorum.audit.package import parse_files
from quorum.audit.rules import read_rules
from quorum.disclosure import PackageCube, SafeCube, control, frequency
from quorum.errors import ConfigurationError
from quorum.policy import Policy
from quorum.release.frequency import frequency_rows
from quorum.release.package import rule_numbers, table_files

RULES = rule_set()


def hidden(safe: SafeCube) -> int:
    return sum(of["people_n"].null_count for name, of in safe.tables.items() if "people_n" in of.column_names)


def told(cube: PackageCube) -> SafeCube:
    return control(cube, RULES, COUNTED)


def test_all_bands_are_told_where_everything_is() -> None:
    safe = told(cube_of(even()))
    assert dict(safe.frequency) == {"c000": (720, 480, 360, 144)}
    assert hidden(safe) == 0


def test_nothing_else_changes() -> None:
    crowd = {**even(), (0, 0): [(1, 20), (2, 10)], (1, 1): [(1, 20), (2, 10)]}
    cube = cube_of(crowd)
    with_bands, without = told(cube), told(replace(cube, seen={}, bands={}))
    assert hidden(with_bands)
    assert with_bands.frequency
    assert all(of.equals(without.tables[name]) for name, of in with_bands.tables.items())


@pytest.mark.parametrize("small", [1, 2, 4, 8])
def test_a_small_band_leaves_the_campaign_out(small: int) -> None:
    crowd = {
        place: [(times, 3 if times == small else number) for times, number in saw] for place, saw in even().items()
    }
    assert not told(cube_of(crowd)).frequency


@pytest.mark.parametrize(("outside", "is_told"), [(984, True), (985, False)])
def test_enough_people_are_outside_the_largest_band(outside: int, is_told: bool) -> None:
    """Rule 2. With four bands over the floor it follows from rule 1; with a larger number outside it does not."""
    safe = control(cube_of(even()), replace(RULES, outside=outside), COUNTED)
    assert bool(safe.frequency) == is_told


def test_people_who_do_not_count_make_no_band_large_enough() -> None:
    """Rule 5: of the people of one band 49 count."""
    cube = cube_of(even())
    seen = cube.seen["c000"]
    counted = seen.people.copy()
    counted[:, 2] = 0
    counted[0, 2] = 49
    assert not told(replace(cube, seen={"c000": replace(seen, counted=counted)})).frequency
    counted[0, 2] = 50
    assert told(replace(cube, seen={"c000": replace(seen, counted=counted)})).frequency


def test_bands_that_give_a_cell_away_are_not_told() -> None:
    safe = told(leaking())
    assert safe.tables["audience_age_gender"]["people_n"].to_pylist()[GENDERS + 2] is None
    assert not safe.frequency


def claims_of(safe: SafeCube, policy: Policy) -> list[str]:
    files = table_files(safe.shape, {**safe.tables, **frequency_rows(safe, policy)}, policy)
    rules = read_rules(rule_numbers(RULES, policy.reports["campaign"], policy))
    return [claim.what for claim in judge_bands([parse_files(files)], rules).claims]


def test_the_attack_finds_what_they_give_away(policy: Policy, monkeypatch: pytest.MonkeyPatch) -> None:
    assert claims_of(told(cube_of(even())), policy) == []
    monkeypatch.setattr(frequency, "is_open", lambda crowd: True)
    safe = told(leaking())
    assert safe.frequency
    assert {"people_n", "impression_n"} <= set(claims_of(safe, policy))


def test_a_withheld_unknown_must_be_able_to_be_empty() -> None:
    """Ten impressions of nobody lie in a device that is withheld: people who are unknown may have seen them."""
    crowd = even()
    devices = [4000, 0, 10]
    total = sum(times * number for saw in crowd.values() for times, number in saw)
    devices[1] = total + 10 - 4010

    def named(**given: object) -> PackageCube:
        cube = cube_of(crowd, nobody=10, devices=devices, **given)
        return _renamed(cube)

    assert told(named(unnamed=True)).frequency
    assert not told(named(unnamed=False)).frequency


def _renamed(cube: PackageCube) -> PackageCube:
    """Call the last category of each dimension unknown."""
    last = {"age_band": f"age_band{AGES - 1}", "gender": f"gender{GENDERS - 1}", "device": f"device{DEVICES - 1}"}
    names = dict.fromkeys(last.values(), "unknown")
    tables = []
    for t in cube.shape.tables:
        dimensions = [
            replace(d, keys=tuple(tuple(names.get(x, x) for x in path) for path in d.keys)) for d in t.dimensions
        ]
        tables.append(replace(t, dimensions=tuple(dimensions)))
    rows = {}
    for name, of in cube.tables.items():
        columns = {
            c: pa.array([names.get(x, x) for x in of[c].to_pylist()], pa.string())
            if c in (*last, "campaign_id")
            else of[c]
            for c in of.column_names
        }
        rows[name] = pa.table(columns)
    seen = cube.seen["c000"]
    places = tuple(tuple(names.get(x, x) for x in place) for place in seen.places)
    shape = replace(cube.shape, tables=tuple(tables))
    return PackageCube(shape, rows, seen={"c000": replace(seen, places=places)}, bands=cube.bands)


def test_people_who_do_not_add_up_are_refused() -> None:
    cube = cube_of(even())
    seen = cube.seen["c000"]
    wrong = replace(cube, seen={"c000": replace(seen, people=seen.people * 2, counted=seen.people)})
    with pytest.raises(ConfigurationError, match="bands"):
        told(wrong)


def test_a_campaign_without_a_count_is_left_out() -> None:
    assert not told(replace(cube_of(even()), seen={})).frequency


def test_people_in_other_cells_than_the_tables_say_prove_nothing() -> None:
    crowd = {**even(), (0, 0): [(1, 20), (2, 10)], (1, 1): [(1, 20), (2, 10)]}
    cube = cube_of(crowd)
    seen = cube.seen["c000"]
    moved = replace(seen, people=np.roll(seen.people, 1, axis=0), counted=np.roll(seen.people, 1, axis=0))
    assert told(cube).frequency
    assert not told(replace(cube, seen={"c000": moved})).frequency


def test_other_people_with_as_many_impressions_prove_nothing() -> None:
    """Two cells with forty impressions each, of 30 and of 25 people: exchanged, every sum is as it was."""
    cube = cube_of({**even(), (0, 0): [(1, 20), (2, 10)], (1, 1): [(1, 10), (2, 15)]})
    seen = cube.seen["c000"]
    one, other = (seen.places.index((f"age_band{n}", f"gender{n}")) for n in (0, 1))
    people = seen.people.copy()
    people[[one, other]] = people[[other, one]]
    assert told(cube).frequency
    assert not told(replace(cube, seen={"c000": replace(seen, people=people, counted=people)})).frequency


@pytest.mark.slow
def test_tables_of_three_dimensions_are_proven_layer_by_layer() -> None:
    shape, seen = campaign_shape(1, with_pairs=True), {}
    counted = count_people(shape, [50_000], np.random.default_rng(1), Habits(events=2.2), seen)
    safe = told(replace(fill(shape, counted), seen=seen, bands=BANDS))
    assert safe.tables["audience_age_gender_region"]["people_n"].null_count
    assert list(safe.frequency) == ["c000"]
