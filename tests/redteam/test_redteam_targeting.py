"""Targeting is known to the reader: what an attacker makes of it, and what leaves when people outside it are served."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from disclosure_attacker import Reader
from release_night import NIGHT, cube_tables, references

from quorum.audit.package import ParsedPackage, parse_files
from quorum.audit.record import FAILED, PASSED
from quorum.audit.run import run_attacks
from quorum.disclosure import PackageCube, SafeCube, control, project
from quorum.engine.store import Store
from quorum.errors import ReleaseError
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.policy import FamilySpec, Policy
from quorum.release.gate import Door, Draft, publish
from quorum.release.package import DESCRIPTOR, rule_numbers, table_files
from quorum.release.safe import read_safe, write_safe
from quorum.release.shapes import package_shapes, planned_shape
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.report.workbook import render_workbook
from quorum.tables import Catalog, KeyPlan, PackageShape
from quorum.tables.shape import ALL
from quorum.zones import Home

TARGETING = {
    "c000": {"gender": ("female",), "prefecture": ("tokyo", "osaka", "kyoto")},
    "c001": {"age_band": ("20s", "30s"), "prefecture": ("tokyo",)},
}
KEYS = tuple(TARGETING)


def _families(policy: Policy) -> list[FamilySpec]:
    return [policy.families[name] for name in policy.reports["campaign"].families]


def _shape(policy: Policy, targeting: Mapping = TARGETING) -> PackageShape:
    shape = next(s for s in package_shapes(policy, references(2), NIGHT) if s.report == "campaign")
    levels = {table.name: dict.fromkeys(table.families, max(table.named())) for table in shape.tables}
    finest = KeyPlan(dict.fromkeys(policy.reports["campaign"].families, "day"), levels)
    whole = replace(shape, plan=dict.fromkeys(KEYS, finest), targeting=targeting)
    return replace(planned_shape(policy, whole), plan={})


def _cube(policy: Policy, people: int, seed: int, targeting: Mapping = TARGETING) -> PackageCube:
    """A night in which half of everybody is outside the targeting."""
    shape, report = _shape(policy, targeting), policy.reports["campaign"]
    tables = cube_tables(shape, policy, people, seed)
    return project(
        shape, {spec.cube: tables[spec.name] for spec in report.tables if spec.name in tables}, report, policy
    )


def _control(cube: PackageCube, policy: Policy) -> SafeCube:
    return control(cube, policy.rule_sets["standard"], _families(policy))


def _package(cube: PackageCube, tables: Mapping[str, pa.Table], policy: Policy) -> ParsedPackage:
    return parse_files(table_files(cube.shape, tables, policy))


def _verdicts(cube: PackageCube, tables: Mapping[str, pa.Table], policy: Policy) -> dict[str, str]:
    package = _package(cube, tables, policy)
    numbers = rule_numbers(policy.rule_sets["standard"], policy.reports["campaign"], policy)
    records = run_attacks([package], numbers, {package.release: cube.tables})
    return {record.attack: record.verdict for record in records}


def _changed(
    tables: Mapping[str, pa.Table], table: str, at: tuple[str, ...], family: FamilySpec, value: int | None
) -> dict[str, pa.Table]:
    """The tables with another number, or none, in one cell."""
    rows = tables[table].to_pylist()
    columns = [field.name for field in tables[table].schema if field.type == pa.string()][: len(at)]
    (row,) = [row for row in rows if tuple(row[c] for c in columns) == at]
    row[family.count] = value
    if family.heads in row:
        row[family.heads] = value
    row[f"status_{family.name}"] = "withheld" if value is None else "published"
    return {**tables, table: pa.Table.from_pylist(rows, tables[table].schema)}


@pytest.mark.parametrize(("people", "seed"), [(3_000, 1), (20_000, 2)])
def test_a_reader_of_pairs_who_knows_the_targeting_learns_nothing(people: int, seed: int, policy: Policy) -> None:
    cube = _cube(policy, people, seed, {"c000": {"occupation": ("clerical",)}, "c001": {"age_band": ("20s", "30s")}})
    pairs = cube.shape.table("audience_age_gender_region")
    assert {path[0] for path in pairs.dimensions[0].keys} == {"c000"}
    safe, heads = _control(cube, policy), policy.rule_sets["standard"].heads
    assert set(_verdicts(cube, safe.tables, policy).values()) == {PASSED}
    for key in KEYS:
        reader = Reader(safe.shape, safe.tables, key, _families(policy))
        assert not reader.contradictions()
        assert not reader.narrowed(heads)


@pytest.mark.clause("P-03n")
@pytest.mark.parametrize(("people", "seed"), [(400, 1), (1_200, 2), (3_000, 3), (9_000, 4)])
def test_a_reader_who_knows_the_targeting_learns_nothing(people: int, seed: int, policy: Policy) -> None:
    cube = _cube(policy, people, seed)
    safe, heads = _control(cube, policy), policy.rule_sets["standard"].heads
    assert set(_verdicts(cube, safe.tables, policy).values()) == {PASSED}
    for key in KEYS:
        reader = Reader(safe.shape, safe.tables, key, _families(policy))
        assert not reader.contradictions()
        assert not reader.narrowed(heads)
        for family in _families(policy)[1:]:
            nested = Reader(safe.shape, safe.tables, key, (_families(policy)[0], family), nested=True)
            assert not nested.narrowed(heads)


def test_categories_nobody_is_in_were_no_camouflage(policy: Policy) -> None:
    """Where control does not know the targeting, the reader who does knows more than it thinks."""
    for seed in range(12):
        cube = _cube(policy, 900, seed)
        blind = replace(cube, shape=replace(cube.shape, targeting={}))
        told = dict(_control(blind, policy).tables)
        for t in cube.shape.tables:
            zero = np.array(cube.shape.zeros(t))
            rows = told[t.name].to_pylist()
            for row, is_zero in zip(rows, zero, strict=True):
                if is_zero:
                    row |= {m.name: 0 for m in t.measures} | {f"status_{f}": "published" for f in t.families}
            told[t.name] = pa.Table.from_pylist(rows, told[t.name].schema)
        if FAILED in _verdicts(cube, told, policy).values():
            return
    pytest.fail("the test above cannot fail")


def test_the_descriptor_says_what_is_targeted(policy: Policy) -> None:
    cube = _cube(policy, 900, 1)
    package = _package(cube, _control(cube, policy).tables, policy)
    stated = json.loads(package.files[DESCRIPTOR])["quorum:targeting"]
    assert stated == {key: {c: list(t) for c, t in targets.items()} for key, targets in TARGETING.items()}
    assert package.shape.targeting == TARGETING


@pytest.mark.parametrize(
    "targeting", [{"c000": {"gender": []}}, {"c000": {"gender": "female"}}, {"c000": ["gender"]}, []]
)
def test_a_targeting_of_nothing_is_malformed(targeting: object, policy: Policy) -> None:
    cube = _cube(policy, 900, 1)
    files = table_files(cube.shape, _control(cube, policy).tables, policy)
    document = {**json.loads(files[DESCRIPTOR]), "quorum:targeting": targeting}
    with pytest.raises(ReleaseError, match="package"):
        parse_files({**files, DESCRIPTOR: json.dumps(document).encode()})


@pytest.mark.parametrize(
    ("table", "at", "value"),
    [
        ("audience_age_gender", ("c000", "20s", "male"), None),
        ("audience_age_gender", ("c000", "20s", "male"), 80),
        ("audience_area", ("c000", "hokkaido", ALL), None),
        ("audience_area", ("c001", "kanto", "chiba"), 60),
    ],
)
def test_an_excluded_cell_that_is_not_told_as_0_is_caught(
    table: str, at: tuple[str, ...], value: int | None, policy: Policy
) -> None:
    cube = _cube(policy, 3_000, 3)
    safe = _control(cube, policy)
    mutant = _changed(safe.tables, table, at, _families(policy)[0], value)
    assert _verdicts(cube, mutant, policy)["reparse"] == FAILED
    if value is None:
        assert _verdicts(cube, mutant, policy)["elimination"] == FAILED


def test_an_empty_cell_within_the_targeting_is_not_0(policy: Policy) -> None:
    """A 0 is told by targeting alone: another one, true or not, breaks rule 1."""
    cube = _cube(policy, 300, 5)
    safe = _control(cube, policy)
    rows = safe.tables["audience_age_gender"].to_pylist()
    withheld = [row for row in rows if row["status_impressions"] == "withheld" and row["gender"] == "female"]
    assert withheld
    at = tuple(withheld[0][c] for c in ("campaign_id", "age_band", "gender"))
    mutant = _changed(safe.tables, "audience_age_gender", at, _families(policy)[0], 0)
    assert _verdicts(cube, mutant, policy)["reparse"] == FAILED


def test_the_same_tables_without_the_targeting_break_the_rules(policy: Policy) -> None:
    cube = _cube(policy, 3_000, 3)
    tables = _control(cube, policy).tables
    blind = replace(cube, shape=replace(cube.shape, targeting={}))
    assert _verdicts(blind, tables, policy)["reparse"] == FAILED


def _moved(tables: Mapping[str, pa.Table], policy: Policy, rng: np.random.Generator) -> dict[str, pa.Table]:
    """The cubes with everybody who is outside a targeting in some other category outside it, person by person."""
    found = dict(tables)
    for name, column, targets in (("audience_age_gender", "gender", "c000"), ("audience_area", "prefecture", "c001")):
        rows = tables[name].to_pylist()
        listed = TARGETING[targets][column]
        outside = [r for r in rows if r["campaign_id"] == targets and r[column] not in (ALL, "unknown", *listed)]
        names = [n for n in tables[name].column_names if tables[name][n].type == pa.int64()]
        for row in outside:
            fixed = [c for c in ("age_band",) if c in row]
            group = [r for r in outside if all(r[c] == row[c] for c in fixed)]
            other = group[rng.integers(len(group))]
            if other is row:
                continue
            for measure in names:
                other[measure], row[measure] = other[measure] + row[measure], 0
        found[name] = pa.Table.from_pylist(rows, tables[name].schema)
    return found


@pytest.mark.clause("P-03n")
def test_where_somebody_outside_the_targeting_is_changes_no_byte(
    tmp_path: Path, policy: Policy, catalog: Catalog, keys: KeyRing
) -> None:
    shape, report = _shape(policy), policy.reports["campaign"]
    tables = cube_tables(shape, policy, 2_000, 6)
    nights = [tables, _moved(tables, policy, np.random.default_rng(8))]
    assert not nights[0]["audience_area"].equals(nights[1]["audience_area"])
    released = []
    for number, counted in enumerate(nights):
        cube = project(
            shape, {spec.cube: counted[spec.name] for spec in report.tables if spec.name in counted}, report, policy
        )
        home = Home(tmp_path / f"home-{number}")
        store = Store(home, catalog, keys)
        write_safe(store, NIGHT, cube, _control(cube, policy), policy.rule_sets["standard"], policy, keys)

        def draft(store: Store = store, cube: PackageCube = cube) -> Draft:
            safe = read_safe(store, NIGHT, shape)
            assert safe is not None
            facts = page_facts(policy, references(2), shape)
            return Draft(safe, {**render(facts, safe), **render_workbook(facts, safe)}, cube.tables)

        release = publish(Door(home, Ledger(home.ledger), keys, policy, "0.1.0"), NIGHT, shape, draft)
        assert release.status == "published", release.reasons
        released.append({path.name: path.read_bytes() for path in sorted(release.path.iterdir())})
    assert released[0] == released[1]
