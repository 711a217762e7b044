"""Two inputs with the same published cells and the same pattern: everything that leaves is the same, to the byte.

Withheld numbers are changed by people who move between withheld cells, so that no published number changes; kept are
the changes after which control gives the same statuses. Both go the whole way: control, the safe zone, the pages, the
door with its checks and attacks, certificate and signature.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from release_night import NIGHT, cube_tables, references

from quorum.disclosure import PackageCube, SafeCube, control
from quorum.engine.store import Store
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.policy import Policy
from quorum.release import gate
from quorum.release.gate import Door, Draft, publish
from quorum.release.safe import read_safe, write_safe
from quorum.release.shapes import package_shapes, planned_shape
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.report.workbook import render_workbook
from quorum.tables import Catalog, PackageShape, TableShape
from quorum.tables.shape import ALL
from quorum.zones import Home

FILES_OF_A_PACKAGE = {
    "certificate.json",
    "certificate.sig",
    "datapackage.json",
    "report.en.html",
    "report.ja.html",
    "report.xlsx",
}
SIZES = {"campaign": (500, 2_500), "sections": (900,), "site": (120, 500)}
CASES = [(report, people, seed) for report, sizes in SIZES.items() for people in sizes for seed in (1, 2)]

Row = tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """People who move: by how much each column of each row changes for one of them, and which stays above which."""

    table: str
    rows: np.ndarray
    columns: Mapping[str, int]
    above: Mapping[str, str]

    def most(self, cubes: Mapping[str, pa.Table]) -> int:
        """How many can move before a cell has fewer than none."""
        table = cubes[self.table]
        least = []
        for column, by in self.columns.items():
            spare = table[column].to_numpy()
            if column in self.above:
                spare = spare - table[self.above[column]].to_numpy()
            least.append(int(spare[self.rows * by < 0].min()))
        return min(least)

    def apply(self, cubes: Mapping[str, pa.Table], times: int) -> dict[str, pa.Table]:
        table = cubes[self.table]
        for column, by in self.columns.items():
            values = table[column].to_numpy() + self.rows * by * times
            table = table.set_column(table.column_names.index(column), column, pa.array(values, pa.int64()))
        return {**cubes, self.table: table}


@dataclass(frozen=True)
class Pair:
    """What was counted, twice; and what control released of it."""

    shape: PackageShape
    one: PackageCube
    other: PackageCube


def _families(shape: PackageShape, policy: Policy) -> list:
    return [policy.families[name] for name in policy.reports[shape.report].families]


def _controlled(cube: PackageCube, policy: Policy) -> SafeCube:
    report = policy.reports[cube.shape.report]
    return control(cube, policy.rule_sets[report.rule_set], _families(cube.shape, policy))


def _leaves(table: TableShape) -> list[Row]:
    return [row for row in table.coordinates() if ALL not in row]


def _moved(table: TableShape, *moves: tuple[Row, Row]) -> np.ndarray:
    """Rows that lose or win one when somebody moves from one finest cell to another, for each such move."""
    rows = list(table.coordinates())
    delta = np.zeros(len(rows), dtype=np.int64)
    for source, target in moves:
        for sign, leaf in ((-1, source), (1, target)):
            delta += sign * np.array([all(a in (b, ALL) for a, b in zip(row, leaf, strict=True)) for row in rows])
    return delta


def _kinds(shape: PackageShape, policy: Policy) -> Iterator[tuple[str, dict[str, int], dict[str, str]]]:
    """A family and what one who moves takes along: a person without clicks, who counts or not; a click exchanged."""
    families = _families(shape, policy)
    base = families[0]
    rests = {family.rest: 1 for family in families if family.rest}
    yield base.name, {base.count: 1, base.heads: 1, base.counted: 1, **rests}, {}
    yield base.name, {base.count: 1, base.heads: 1}, {base.heads: base.counted}
    for family in families[1:]:
        yield family.name, {family.count: 1, family.heads: 1, family.counted: 1, family.rest: -1}, {}


def _changes(shape: PackageShape, safe: SafeCube, policy: Policy, rng: np.random.Generator) -> Iterator[Change]:
    """Changes that leave every published number as it is, in random order."""
    kinds = list(_kinds(shape, policy))
    for _ in range(600):
        table = shape.tables[rng.integers(len(shape.tables))]
        leaves = _leaves(table)
        source, target = (leaves[n] for n in rng.choice(len(leaves), 2, replace=False))
        if source[0] != target[0]:
            continue
        moves = [(source, target)]
        if len(table.dimensions) > 2 or (len(table.dimensions) == 2 and len(table.dimensions[0].levels) > 1):
            at = len(table.columns) - 1
            moves = [(source, (*source[:at], target[at])), (target, (*target[:at], source[at]))]
        delta = _moved(table, *moves)
        family, columns, above = kinds[rng.integers(len(kinds))]
        words = np.array(safe.tables[table.name][f"status_{family}"].to_pylist())
        if delta.any() and set(words[delta != 0]) == {"withheld"}:
            yield Change(table.name, delta, columns, above)


def _pattern(safe: SafeCube) -> list[list[str]]:
    return [
        table[name].to_pylist()
        for _, table in sorted(safe.tables.items())
        for name in table.column_names
        if name.startswith("status_")
    ]


def _pair(report: str, people: int, seed: int, policy: Policy) -> Pair:
    """A night, and the same night with as many changes as the pattern lets pass."""
    whole = next(s for s in package_shapes(policy, references(2), NIGHT) if s.report == report)
    shape = planned_shape(policy, whole)  # without linked tables: a change in one must not be one in another
    one = PackageCube(shape, cube_tables(shape, policy, people, seed))
    safe = _controlled(one, policy)
    rng = np.random.default_rng(seed)
    other, passed, tried = one, 0, 0
    for change in _changes(shape, safe, policy, rng):
        most = change.most(other.tables)
        if most < 1:
            continue
        tried += 1
        changed = PackageCube(shape, change.apply(other.tables, int(rng.integers(1, most + 1))))
        again = _controlled(changed, policy)
        if _pattern(again) == _pattern(safe):
            other, passed = changed, passed + 1
        if passed == 4 or tried == 12:
            break
    return Pair(shape, one, other)


def _released(cube: PackageCube, home: Home, policy: Policy, catalog: Catalog, keys: KeyRing) -> dict[str, bytes]:
    """The package of a cube, as the door lets it out."""
    shape, tables = cube.shape, references(2)
    store = Store(home, catalog, keys)
    rule_set = policy.rule_sets[policy.reports[shape.report].rule_set]
    write_safe(store, NIGHT, cube, _controlled(cube, policy), rule_set, policy, keys)

    def draft() -> Draft:
        safe = read_safe(store, NIGHT, shape)
        assert safe is not None
        facts = page_facts(policy, tables, shape)
        return Draft(safe, {**render(facts, safe), **render_workbook(facts, safe)}, cube.tables)

    release = publish(Door(home, Ledger(home.ledger), keys, policy, "0.1.0"), NIGHT, shape, draft)
    assert release.status == "published", release.reasons
    assert release.path is not None
    return {path.name: path.read_bytes() for path in sorted(release.path.iterdir())}


@pytest.fixture
def released(tmp_path: Path, policy: Policy, catalog: Catalog, keys: KeyRing) -> Callable[[PackageCube], dict]:
    homes = iter(range(9))
    return lambda cube: _released(cube, Home(tmp_path / f"home-{next(homes)}"), policy, catalog, keys)


def _differ(one: PackageCube, other: PackageCube) -> int:
    """How many numbers differ."""
    return sum(
        int(np.sum(one.values(name, column) != other.values(name, column)))
        for name, table in one.tables.items()
        for column in table.column_names
        if table[column].type == pa.int64()
    )


@pytest.mark.clause("P-03n")
@pytest.mark.parametrize(("report", "people", "seed"), CASES)
def test_everything_that_leaves_is_the_same(
    report: str, people: int, seed: int, policy: Policy, released: Callable[[PackageCube], dict[str, bytes]]
) -> None:
    pair = _pair(report, people, seed, policy)
    assert _differ(pair.one, pair.other) > 0, "no withheld number could be changed"
    one, other = released(pair.one), released(pair.other)
    assert set(one) >= FILES_OF_A_PACKAGE
    assert set(one) == set(other)
    assert [name for name in one if one[name] != other[name]] == []


def test_a_certificate_that_knows_its_input_is_seen(
    policy: Policy, released: Callable[[PackageCube], dict[str, bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The comparison can fail: a digest of what was counted, unkeyed, is in the certificate."""
    pair = _pair("sections", 900, 1, policy)
    certify, counted = gate.certify, [pair.one, pair.other]

    def telling(*given: object, **more: object) -> dict[str, object]:
        values = [table[c] for table in counted.pop(0).tables.values() for c in table.column_names]
        return {**certify(*given, **more), "input": hashlib.sha256(repr(values).encode()).hexdigest()}

    monkeypatch.setattr(gate, "certify", telling)
    one, other = released(pair.one), released(pair.other)
    assert {name for name in one if one[name] != other[name]} == {"certificate.json", "certificate.sig"}


def test_the_pairs_are_not_idle(policy: Policy) -> None:
    """Among the changes are cells that were empty and are not, and cells that were too small and are not."""
    filled = exchanged = 0
    for report, people, seed in (("sections", 900, 1), ("site", 500, 2), ("site", 120, 2)):
        pair = _pair(report, people, seed, policy)
        rule_set = policy.rule_sets[policy.reports[report].rule_set]
        for family in _families(pair.shape, policy):
            for table in pair.shape.tables:
                one, other = (cube.values(table.name, family.heads) for cube in (pair.one, pair.other))
                filled += int(np.sum((one == 0) != (other == 0)))
                least = rule_set.heads[family.name]
                exchanged += int(np.sum((one < least) != (other < least)))
    assert filled > 0
    assert exchanged > 0
