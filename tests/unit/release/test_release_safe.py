"""The safe zone's only writer refuses whatever may not be released, whoever says that it may."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from release_night import NIGHT, cube_tables, references

from quorum.disclosure import PackageCube, SafeCube, control
from quorum.disclosure.types import SEAL
from quorum.engine.store import Store
from quorum.errors import ReleaseError
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.release.package import table_files
from quorum.release.safe import count_cells, read_safe, write_safe
from quorum.release.shapes import package_shapes
from quorum.tables import Catalog, PackageShape
from quorum.zones import Home

Tables = dict[str, pa.Table]
Write = Callable[[SafeCube], None]


@pytest.fixture(scope="module")
def shape(policy: Policy) -> PackageShape:
    return next(s for s in package_shapes(policy, references(1), NIGHT) if s.report == "campaign")


@pytest.fixture(scope="module")
def cube(shape: PackageShape, policy: Policy) -> PackageCube:
    return PackageCube(shape, cube_tables(shape, policy, people=2_000))


@pytest.fixture(scope="module")
def safe(cube: PackageCube, policy: Policy) -> SafeCube:
    return control(cube, policy.rule_sets["standard"], list(_families(policy)))


@pytest.fixture
def store(home: Home, catalog: Catalog, keys: KeyRing) -> Store:
    return Store(home, catalog, keys)


@pytest.fixture
def write(store: Store, cube: PackageCube, policy: Policy, keys: KeyRing) -> Write:
    return lambda safe: write_safe(store, NIGHT, cube, safe, policy.rule_sets["standard"], policy, keys)


def _families(policy: Policy) -> list[object]:
    return [policy.families[name] for name in policy.reports["campaign"].families]


def _forge(safe: SafeCube, tables: Tables | None = None, **changes: object) -> SafeCube:
    fields = {name: getattr(safe, name) for name in ("shape", "rule_set", "rule_set_digest", "cube_digest")}
    return SafeCube(**{**fields, "tables": {**safe.tables, **(tables or {})}, "seal": SEAL, **changes})


def _put(table: pa.Table, column: str, row: int, value: object) -> pa.Table:
    values = table[column].to_pylist()
    values[row] = value
    return table.set_column(table.column_names.index(column), column, pa.array(values, table[column].type))


def _publish(cube: PackageCube, safe: SafeCube, table: str, row: int, *families: str) -> SafeCube:
    """Publish what control withheld, as a mistake in it would."""
    released = safe.tables[table]
    for family in families:
        released = _put(released, f"status_{family}", row, "published")
        for measure in cube.shape.table(table).measures:
            if measure.family == family:
                released = _put(released, measure.name, row, cube.tables[table][measure.name][row].as_py())
    return _forge(safe, {table: released})


def _rows(cube: PackageCube, safe: SafeCube, table: str, family: str, status: str) -> np.ndarray:
    return np.flatnonzero(np.array(safe.tables[table][f"status_{family}"].to_pylist()) == status)


def _refused(write: Write, store: Store, safe: SafeCube, rule: str) -> ReleaseError:
    with pytest.raises(ReleaseError, match=rf"safe\.{rule}") as error:
        write(safe)
    assert not list(store.home.warehouse.rglob("*.parquet")), "nothing is written"
    return error.value


def test_what_control_releases_is_written_and_read_back(
    write: Write, store: Store, safe: SafeCube, shape: PackageShape
) -> None:
    write(safe)
    tables = read_safe(store, NIGHT, shape)
    assert tables is not None
    assert {name: table.to_pylist() for name, table in tables.items()} == {
        name: table.to_pylist() for name, table in safe.tables.items()
    }
    assert {p.name for p in store.home.partition("safe__performance", NIGHT).iterdir()} == {"adv-a.campaign.parquet"}


def test_files_made_from_what_is_read_are_files_made_from_what_was_released(
    write: Write, store: Store, safe: SafeCube, shape: PackageShape, policy: Policy
) -> None:
    write(safe)
    assert table_files(shape, read_safe(store, NIGHT, shape), policy) == table_files(shape, safe.tables, policy)


def test_the_release_row_says_by_which_rules_and_from_what(
    write: Write, store: Store, safe: SafeCube, policy: Policy
) -> None:
    write(safe)
    (row,) = store.read("safe__release", NIGHT).to_pylist()
    published, withheld = count_cells(safe.tables)
    cells = sum(table.num_rows * len(safe.shape.table(name).families) for name, table in safe.tables.items())
    assert published + withheld == cells
    assert 0 < published < cells
    assert (row["published_cell_n"], row["withheld_cell_n"]) == (published, withheld)
    assert (row["recipient_id"], row["report"], row["period"]) == ("adv-a", "campaign", "2026-11-21")
    assert (row["policy_digest"], row["rule_set"]) == (policy.digest, "standard")
    assert row["inputs_digest"] not in (safe.cube_digest, None), "the digest of the inputs is keyed"


def test_another_key_gives_another_digest_of_the_same_inputs(
    store: Store, cube: PackageCube, safe: SafeCube, policy: Policy, keys: KeyRing
) -> None:
    digests = set()
    for ring in (keys, KeyRing(bytes(32)), keys):
        write_safe(store, NIGHT, cube, safe, policy.rule_sets["standard"], policy, ring)
        digests.add(store.read("safe__release", NIGHT)["inputs_digest"][0].as_py())
    assert len(digests) == 2


def test_a_night_without_a_package_has_none(write: Write, store: Store, safe: SafeCube, shape: PackageShape) -> None:
    assert read_safe(store, NIGHT, shape) is None
    write(safe)
    assert read_safe(store, NIGHT + timedelta(days=1), shape) is None
    assert read_safe(store, NIGHT, replace(shape, recipient_id="adv-b")) is None
    assert read_safe(store, NIGHT, replace(shape, report="other")) is None


def test_two_recipients_share_tables_and_nothing_else(
    write: Write, store: Store, safe: SafeCube, shape: PackageShape
) -> None:
    write(safe)
    stranger = store.read("safe__audience_device", NIGHT)
    stranger = stranger.set_column(0, "recipient_id", pa.array(["adv-b"] * stranger.num_rows))
    store.write("safe__audience_device", NIGHT, stranger, "adv-b.campaign")
    tables = read_safe(store, NIGHT, shape)
    assert tables is not None
    assert tables["audience_device"].num_rows == stranger.num_rows


def test_tables_of_another_shape_are_not_read(write: Write, store: Store, safe: SafeCube, policy: Policy) -> None:
    write(safe)
    other = next(s for s in package_shapes(policy, references(2), NIGHT) if s.report == "campaign")
    with pytest.raises(ReleaseError, match=r"safe\.rows"):
        read_safe(store, NIGHT, other)


def test_a_cell_under_its_threshold_is_refused(write: Write, store: Store, cube: PackageCube, safe: SafeCube) -> None:
    heads = np.array(cube.tables["audience_area"]["people_n"])
    row = next(int(r) for r in _rows(cube, safe, "audience_area", "impressions", "withheld") if 0 < heads[r] < 50)
    error = _refused(write, store, _publish(cube, safe, "audience_area", row, "impressions"), "rules")
    assert "threshold" in str(error)
    assert str(heads[row]) not in str(error).replace("rule_", ""), "the count is not repeated"


def test_heads_that_are_in_no_file_count_too(write: Write, store: Store, cube: PackageCube, safe: SafeCube) -> None:
    counted = cube.tables["performance"]
    small = [
        int(row)
        for row in _rows(cube, safe, "performance", "clicks", "withheld")
        if counted["clicker_n"][int(row)].as_py() < 20 <= counted["click_n"][int(row)].as_py()
        and safe.tables["performance"]["status_impressions"][int(row)].as_py() == "published"
    ]
    assert small, "events reach the threshold, people do not"
    _refused(write, store, _publish(cube, safe, "performance", small[0], "clicks"), "rules")


def test_a_cell_all_of_whose_people_clicked_is_refused(
    store: Store, cube: PackageCube, safe: SafeCube, policy: Policy, keys: KeyRing
) -> None:
    row = int(_rows(cube, safe, "audience_device", "clicks", "published")[0])
    table = _put(cube.tables["audience_device"], "clicker_rest_n", row, 9)
    certain = PackageCube(cube.shape, {**cube.tables, "audience_device": table})
    with pytest.raises(ReleaseError, match="outside family"):
        write_safe(store, NIGHT, certain, safe, policy.rule_sets["standard"], policy, keys)


def test_a_cell_with_too_few_people_who_count_is_refused(
    store: Store, cube: PackageCube, safe: SafeCube, policy: Policy, keys: KeyRing
) -> None:
    row = int(_rows(cube, safe, "audience_device", "impressions", "published")[-1])
    table = _put(cube.tables["audience_device"], "people_counted_n", row, 49)
    fresh = PackageCube(cube.shape, {**cube.tables, "audience_device": table})
    with pytest.raises(ReleaseError, match="threshold"):
        write_safe(store, NIGHT, fresh, safe, policy.rule_sets["standard"], policy, keys)


def test_a_cube_that_does_not_say_who_counts_is_refused(
    store: Store, cube: PackageCube, safe: SafeCube, policy: Policy, keys: KeyRing
) -> None:
    table = cube.tables["audience_device"].drop_columns(["clicker_counted_n"])
    silent = PackageCube(cube.shape, {**cube.tables, "audience_device": table})
    with pytest.raises(ReleaseError, match=r"safe\.counted"):
        write_safe(store, NIGHT, silent, safe, policy.rule_sets["standard"], policy, keys)


def test_clicks_without_impressions_are_refused(write: Write, store: Store, cube: PackageCube, safe: SafeCube) -> None:
    released = safe.tables["audience_hour"]
    row = int(_rows(cube, safe, "audience_hour", "clicks", "published")[-1])
    released = _put(_put(released, "status_impressions", row, "withheld"), "impression_n", row, None)
    error = _refused(write, store, _forge(safe, {"audience_hour": released}), "rules")
    assert "requires" in str(error) or "agreement" in str(error)


def test_a_cell_that_follows_from_others_is_refused(
    write: Write, store: Store, cube: PackageCube, safe: SafeCube
) -> None:
    """Publish a large cell that control withheld only to hide another."""
    counted = cube.tables["audience_area"]
    for row in _rows(cube, safe, "audience_area", "impressions", "withheld"):
        if counted["people_n"][int(row)].as_py() >= 60 and counted["region"][int(row)].as_py() != "ALL":
            forged = _publish(cube, safe, "audience_area", int(row), "impressions")
            with pytest.raises(ReleaseError, match=r"safe\.(recovery|rules)"):
                write(forged)
            return
    raise AssertionError("the night has no cell withheld to hide another")


def test_a_value_that_was_not_counted_is_refused(write: Write, store: Store, cube: PackageCube, safe: SafeCube) -> None:
    released = safe.tables["audience_hour"]
    value = released["impression_n"][0].as_py()
    _refused(write, store, _forge(safe, {"audience_hour": _put(released, "impression_n", 0, value + 1)}), "values")


def test_a_value_behind_withheld_and_a_gap_behind_published_are_refused(
    write: Write, store: Store, cube: PackageCube, safe: SafeCube
) -> None:
    released = safe.tables["audience_area"]
    hidden = int(_rows(cube, safe, "audience_area", "clicks", "withheld")[0])
    shown = int(_rows(cube, safe, "audience_area", "clicks", "published")[0])
    for forged in (_put(released, "click_n", hidden, 3), _put(released, "click_n", shown, None)):
        _refused(write, store, _forge(safe, {"audience_area": forged}), "values")
    _refused(write, store, _forge(safe, {"audience_area": _put(released, "status_clicks", shown, "secret")}), "status")


def test_other_columns_rows_and_tables_are_refused(write: Write, store: Store, safe: SafeCube) -> None:
    hours = safe.tables["audience_hour"]
    ids = hours.append_column("cookie_id", pa.array(["x"] * hours.num_rows))
    _refused(write, store, _forge(safe, {"audience_hour": ids}), "columns")
    _refused(write, store, _forge(safe, {"audience_hour": hours.drop_columns(["click_n"])}), "columns")
    _refused(write, store, _forge(safe, {"audience_hour": hours.slice(0, 5)}), "rows")
    _refused(write, store, _forge(safe, {"audience_hour": hours.take(list(range(hours.num_rows))[::-1])}), "rows")
    _refused(write, store, _forge(safe, {"more": hours}), "tables")


def test_a_release_of_another_cube_or_rule_set_is_refused(
    write: Write, store: Store, cube: PackageCube, safe: SafeCube, policy: Policy, keys: KeyRing
) -> None:
    _refused(write, store, _forge(safe, shape=replace(safe.shape, period="2026-11-22")), "shape")
    _refused(write, store, _forge(safe, rule_set_digest="0" * 64), "rule_set")
    _refused(write, store, _forge(safe, rule_set="site"), "rule_set")
    lower = replace(policy.rule_sets["standard"], outside=11)
    with pytest.raises(ReleaseError, match=r"safe\.rule_set"):
        write_safe(store, NIGHT, cube, safe, lower, policy, keys)


def test_a_shape_beyond_the_reports_is_refused(
    store: Store, cube: PackageCube, safe: SafeCube, policy: Policy, keys: KeyRing
) -> None:
    """Head counts by hour: a measure that reports.yaml does not give."""
    hours = cube.shape.table("audience_hour")
    reach = replace(hours.measures[0], name="people_n", kind="heads", additive_over=("hour_band",))
    wider = replace(hours, measures=(*hours.measures, reach))
    shape = replace(cube.shape, tables=tuple(wider if t.name == hours.name else t for t in cube.shape.tables))
    forged = _forge(safe, shape=shape)
    with pytest.raises(ReleaseError, match=r"safe\.columns"):
        write_safe(store, NIGHT, PackageCube(shape, cube.tables), forged, policy.rule_sets["standard"], policy, keys)


def test_a_key_that_looks_like_an_identifier_is_refused_and_not_repeated(
    store: Store, policy: Policy, keys: KeyRing
) -> None:
    tables = references(1)
    renamed = pa.array(["090-1234-5678", *tables["pseudo__campaign"]["campaign_id"].to_pylist()[1:]])
    tables["pseudo__campaign"] = tables["pseudo__campaign"].set_column(0, "campaign_id", renamed)
    shape = next(s for s in package_shapes(policy, tables, NIGHT) if s.report == "campaign")
    cube = PackageCube(shape, cube_tables(shape, policy, people=500))
    safe = control(cube, policy.rule_sets["standard"], list(_families(policy)))
    with pytest.raises(ReleaseError, match="telephone") as error:
        write_safe(store, NIGHT, cube, safe, policy.rule_sets["standard"], policy, keys)
    assert "1234" not in str(error.value)
