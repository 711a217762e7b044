"""The table of people by how often lists what was decided, in the safe zone and in files, and nothing else."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace

import numpy as np
import pytest
from release_night import NIGHT, cube_tables, references

from quorum.audit.package import parse_files
from quorum.audit.run import run_attacks
from quorum.disclosure import PackageCube, SafeCube, control
from quorum.disclosure.types import SEAL, Seen
from quorum.engine.store import Store
from quorum.errors import ReleaseError
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.release.frequency import bands_of, counted_rows, frequency_rows, read_frequency, with_frequency, with_seen
from quorum.release.package import rule_numbers, table_files
from quorum.release.safe import read_safe, unmake_safe, write_safe
from quorum.release.shapes import package_shapes
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.report.workbook import render_workbook
from quorum.tables import Catalog, KeyPlan
from quorum.zones import Home

TABLE = "audience_frequency"
TOLD = "c000"


@pytest.fixture(scope="module")
def cube(policy: Policy) -> PackageCube:
    shape = next(s for s in package_shapes(policy, references(2), NIGHT) if s.report == "campaign")
    counted = PackageCube(shape, cube_tables(shape, policy, people=2_000))
    seen = {}
    for key in ("c000", "c001"):
        rows = counted.tables["audience_device"].to_pylist()
        total = next(row["people_n"] for row in rows if (row["campaign_id"], row["device"]) == (key, "ALL"))
        people = np.zeros((1, 21), dtype=np.int64)
        people[0, [1, 2, 4]] = total // 4
        people[0, 6] = total - 3 * (total // 4)
        nobody = np.zeros_like(people)
        seen[key] = Seen(("age_band", "gender", "region"), (("20s", "male", "kanto"),), people, people, nobody)
    spec = policy.reports["campaign"].frequency
    assert spec is not None
    return replace(counted, seen=seen, bands=bands_of(policy, spec))


@pytest.fixture
def safe(cube: PackageCube, policy: Policy, monkeypatch: pytest.MonkeyPatch) -> SafeCube:
    """As if one campaign of two had been proven."""
    module = sys.modules["quorum.disclosure.control"]
    monkeypatch.setattr(module, "is_told", lambda blocks, values, decided, cube, key, *rest: key == TOLD)
    families = [policy.families[name] for name in policy.reports["campaign"].families]
    return control(cube, policy.rule_sets["standard"], families)


@pytest.fixture
def store(home: Home, catalog: Catalog, keys: KeyRing) -> Store:
    return Store(home, catalog, keys)


def test_what_is_written_is_read_back_and_lists_what_was_decided(
    store: Store, cube: PackageCube, safe: SafeCube, policy: Policy, keys: KeyRing
) -> None:
    write_safe(store, NIGHT, cube, safe, policy.rule_sets["standard"], policy, keys)
    rows = read_frequency(store, NIGHT, cube.shape, policy)
    assert rows[TABLE].to_pylist() == frequency_rows(safe, policy)[TABLE].to_pylist()
    assert set(rows[TABLE]["campaign_id"].to_pylist()) == {TOLD}
    assert rows[TABLE]["people_n"].to_pylist()[0] == sum(rows[TABLE]["people_n"].to_pylist()[1:])
    assert TABLE not in (read_safe(store, NIGHT, cube.shape) or {})
    assert read_frequency(store, NIGHT, replace(cube.shape, recipient_id="adv-b"), policy) == {}
    unmake_safe(store, NIGHT, cube.shape, policy)
    assert read_frequency(store, NIGHT, cube.shape, policy) == {}


def test_bands_that_the_cube_does_not_give_are_refused(
    store: Store, cube: PackageCube, safe: SafeCube, policy: Policy, keys: KeyRing
) -> None:
    names = ("shape", "tables", "rule_set", "rule_set_digest", "cube_digest")
    people = safe.frequency[TOLD]
    forged = {TOLD: (people[0] + 1, people[1] - 1, *people[2:])}
    wrong = SafeCube(**{name: getattr(safe, name) for name in names}, seal=SEAL, frequency=forged)
    with pytest.raises(ReleaseError, match=r"safe\.frequency"):
        write_safe(store, NIGHT, cube, wrong, policy.rule_sets["standard"], policy, keys)
    assert not list(store.home.warehouse.rglob("*.parquet"))


def test_a_package_carries_it_with_the_bounds_of_its_bands(cube: PackageCube, safe: SafeCube, policy: Policy) -> None:
    files = table_files(cube.shape, {**safe.tables, **frequency_rows(safe, policy)}, policy)
    rows = list(csv.DictReader(io.StringIO(files[f"{TABLE}.csv"].decode())))
    assert [row["frequency"] for row in rows] == ["ALL", "1", "2", "3-5", "6+"]
    assert {row["status_impressions"] for row in rows} == {"published"}
    parsed = parse_files(files)
    assert parsed.tables[TABLE].bands == {"1": (1, 1), "2": (2, 2), "3-5": (3, 5), "6+": (6, 20)}
    assert all(not table.bands for name, table in parsed.tables.items() if name != TABLE)
    numbers = rule_numbers(policy.rule_sets["standard"], policy.reports["campaign"], policy)
    truth = {parsed.release: {**cube.tables, **counted_rows(cube, policy)}}
    reparse = run_attacks([parsed], numbers, truth)[0]
    assert (reparse.attack, reparse.verdict) == ("reparse", "passed")


@pytest.mark.parametrize("ends", ["[0, 1]", "[2, 1]", "[1]", "[1, true]", "1"])
def test_a_band_without_its_ends_is_refused(cube: PackageCube, safe: SafeCube, policy: Policy, ends: str) -> None:
    files = table_files(cube.shape, {**safe.tables, **frequency_rows(safe, policy)}, policy)
    about = json.loads(files["datapackage.json"])
    fields = next(r for r in about["resources"] if r["name"] == TABLE)["schema"]["fields"]
    next(f for f in fields if "quorum:frequency" in f)["quorum:frequency"]["1"] = json.loads(ends)
    with pytest.raises(ReleaseError, match=r"package\.frequency"):
        parse_files({**files, "datapackage.json": json.dumps(about).encode()})


def test_where_nothing_is_listed_there_is_no_table(cube: PackageCube, policy: Policy) -> None:
    families = [policy.families[name] for name in policy.reports["campaign"].families]
    safe = control(replace(cube, seen={}), policy.rule_sets["standard"], families)
    assert frequency_rows(safe, policy) == {}
    assert f"{TABLE}.csv" not in table_files(cube.shape, safe.tables, policy)


def test_a_plan_tells_the_bands_of_listed_campaigns_alone(cube: PackageCube, safe: SafeCube, policy: Policy) -> None:
    plan = {key: KeyPlan({"impressions": "day"}, {}) for key in ("c000", "c001")}
    shape = with_frequency(replace(cube.shape, plan=plan), frequency_rows(safe, policy), policy)
    assert {key: TABLE in of.levels for key, of in shape.plan.items()} == {"c000": True, "c001": False}
    assert with_frequency(shape, frequency_rows(safe, policy), policy) == shape


def test_only_days_are_counted_by_how_often(cube: PackageCube, policy: Policy) -> None:
    week = PackageCube(replace(cube.shape, period="2026-W47"), cube.tables)
    assert with_seen(week, cube.tables["audience_device"], policy) == week


def test_the_page_draws_it(cube: PackageCube, safe: SafeCube, policy: Policy) -> None:
    tables = {**safe.tables, **frequency_rows(safe, policy)}
    shape = with_frequency(cube.shape, tables, policy)
    pages = render(page_facts(policy, references(2), shape), tables)
    assert "1人あたりの表示回数別" in pages["report.ja.html"].decode()
    assert "by impressions seen" in pages["report.en.html"].decode()
    files = {**table_files(shape, tables, policy), **render_workbook(page_facts(policy, references(2), shape), tables)}
    assert TABLE in parse_files(files).tables
    without = render(page_facts(policy, references(2), cube.shape), safe.tables)
    assert "by impressions seen" not in without["report.en.html"].decode()
