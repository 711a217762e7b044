"""Elimination recovers exactly what follows, published answers included, and nothing else."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audit_systems import determined_by_null_space, system_of, table_system
from hypothesis import given, settings
from hypothesis import strategies as st

from quorum.audit.elimination import PRIME, recover_exactly, solve


@pytest.fixture(scope="module")
def oracles(shared: Path) -> dict[str, dict[str, Any]]:
    entries = json.loads((shared / "data" / "oracles.json").read_text())["suppression"]
    return {entry["id"]: entry for entry in entries}


def _claims(findings: Any) -> dict[int, str]:
    return {int(claim.where[1]): claim.says for claim in findings.claims}


def test_two_per_line_is_not_enough(oracles: dict[str, dict[str, Any]]) -> None:
    oracle = oracles["two-per-line-is-not-enough"]
    values, withheld = np.array(oracle["values"]), np.zeros((4, 4), dtype=bool)
    cells = [(oracle["rows"].index(c[0]), oracle["columns"].index(c[2])) for c in oracle["withheld"]]
    for cell in cells:
        withheld[cell] = True
    findings = recover_exactly(table_system(values, withheld))
    place = sorted(cells).index((oracle["rows"].index("w"), oracle["columns"].index("b")))
    assert _claims(findings) == {place: f"is {oracle['expect']['w.b'][0]}"}
    assert [claim.correct for claim in findings.claims] == [True]
    withheld[oracle["rows"].index("x"), oracle["columns"].index("d")] = True
    assert recover_exactly(table_system(values, withheld)).claims == ()


def test_linked_tables_give_what_each_alone_does_not(oracles: dict[str, dict[str, Any]]) -> None:
    oracle = oracles["linked-tables"]
    number = {name: index for index, name in enumerate(oracle["unknown"])}

    def equations(name: str) -> list[tuple[dict[int, int], int]]:
        return [({number[k]: v for k, v in e.items() if k != "="}, e["="]) for e in oracle[name]]

    for name in ("county_equations", "group_equations"):
        assert recover_exactly(system_of(5, equations(name))).claims == ()
    jointly = recover_exactly(system_of(5, equations("county_equations") + equations("group_equations")))
    assert _claims(jointly) == {number[name]: f"is {value}" for name, value in oracle["expect"]["jointly"].items()}


def test_singletons_are_not_recovered(oracles: dict[str, dict[str, Any]]) -> None:
    [equation] = oracles["singletons"]["equations"]
    assert oracles["singletons"]["expect"]["elimination"] == "nothing"
    assert recover_exactly(system_of(3, [({0: 1, 1: 1, 2: 1}, equation["="])])).claims == ()


def test_intervals_are_not_recoveries(oracles: dict[str, dict[str, Any]]) -> None:
    number = {"x11": 0, "x12": 1, "x21": 2, "x22": 3}
    equations = [
        ({number[k]: v for k, v in e.items() if k != "="}, e["="]) for e in oracles["interval-3-6"]["equations"]
    ]
    assert recover_exactly(system_of(4, equations)).claims == ()


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_exactly_the_determined_unknowns_are_claimed(data: st.DataObject) -> None:
    rows, columns = data.draw(st.integers(2, 5)), data.draw(st.integers(2, 5))
    values = np.array(data.draw(st.lists(st.integers(0, 10**7), min_size=rows * columns, max_size=rows * columns)))
    withheld = np.array(data.draw(st.lists(st.booleans(), min_size=rows * columns, max_size=rows * columns)))
    system = table_system(values.reshape(rows, columns), withheld.reshape(rows, columns))
    findings = recover_exactly(system)
    expected = determined_by_null_space(system) if len(system.state) else set()
    assert set(_claims(findings)) == expected
    assert all(claim.correct for claim in findings.claims)
    assert findings.contradictions == 0


@settings(deadline=None, max_examples=80)
@given(st.data())
def test_any_small_system_is_solved_as_by_singular_values(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 7))
    truth = data.draw(st.lists(st.integers(0, 100), min_size=size, max_size=size))
    rows = data.draw(
        st.lists(
            st.dictionaries(st.integers(0, size - 1), st.sampled_from([-1, 1]), min_size=1), min_size=1, max_size=7
        )
    )
    equations = [(row, sum(c * truth[v] for v, c in row.items())) for row in rows]
    system = system_of(size, equations, truth=truth)
    findings = recover_exactly(system)
    assert set(_claims(findings)) == determined_by_null_space(system)
    assert all(claim.correct for claim in findings.claims)


def test_large_and_negative_values_are_exact() -> None:
    assert solve([{0: 1}], [10**17], set()).values == {0: 10**17}
    assert solve([{0: 1, 1: 1}, {1: 1}], [3, 5], set()).values == {1: 5, 0: -2}


def test_declared_totals_determine_without_a_value() -> None:
    solved = solve([{0: 1, 1: PRIME - 1, 2: PRIME - 1}, {1: 1}], [0, 7], {0})
    assert solved.values == {1: 7, 2: None}


def test_contradictions_are_counted() -> None:
    findings = recover_exactly(system_of(2, [({0: 1, 1: 1}, 5), ({0: 1, 1: 1}, 6)]))
    assert findings.contradictions == 1
    assert findings.claims == ()


def test_wrong_claims_are_scored_as_wrong() -> None:
    findings = recover_exactly(system_of(1, [({0: 1}, 5)], truth=[6]))
    assert [claim.correct for claim in findings.claims] == [False]
    assert findings.baseline == 1.0


def test_three_hundred_campaigns_take_seconds() -> None:
    rng = np.random.default_rng(0)
    equations, size = [], 0
    for _ in range(300):
        values, withheld = rng.integers(0, 500, (20, 20)), rng.random((20, 20)) < 0.5
        system = table_system(values, withheld)
        relations = system.relations
        for row in range(len(relations.exact)):
            entries = slice(relations.start[row], relations.start[row + 1])
            equations.append(({int(v) + size: 1 for v in relations.variable[entries]}, -int(relations.constant[row])))
        size += len(system.state)
    system = system_of(size, equations)
    start = time.perf_counter()
    findings = recover_exactly(system)
    assert time.perf_counter() - start < 20
    assert findings.targets == size
    assert findings.claims == ()
