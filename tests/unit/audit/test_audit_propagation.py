"""Intervals are as wide as they are, published answers included; the gate sees 0 and the threshold."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from audit_systems import Equation, enumerate_solutions, relations_of, system_of, table_system
from hypothesis import given, settings
from hypothesis import strategies as st

from quorum.audit import intervals, propagation
from quorum.audit.intervals import Budget, Component, Examiner
from quorum.audit.propagation import known_totals, pin_down, propagate
from quorum.audit.record import Findings
from quorum.audit.system import PUBLISHED, System, reduce
from quorum.audit.twins import representatives


@pytest.fixture(scope="module")
def oracles(shared: Path) -> dict[str, dict[str, Any]]:
    entries = json.loads((shared / "data" / "oracles.json").read_text())["suppression"]
    return {entry["id"]: entry for entry in entries}


def _component(system: System, low: float = 0.0) -> Component:
    size = len(system.state)
    return Component(system.relations, np.full(size, low), np.full(size, 1e9), Budget())


def _propagated(system: System, variable: int) -> list[float]:
    bounds = propagate(reduce(system)[0], system)
    return [float(bounds.low[variable]), float(bounds.high[variable])]


def _claims(findings: Findings) -> dict[int, str]:
    return {int(claim.where[1]): claim.says for claim in findings.claims}


def _withheld(oracle: dict[str, Any], *more: str) -> tuple[System, dict[str, int]]:
    places = sorted((oracle["rows"].index(c[0]), oracle["columns"].index(c[2])) for c in (*oracle["withheld"], *more))
    withheld = np.zeros((4, 4), dtype=bool)
    for place in places:
        withheld[place] = True
    number = {f"{oracle['rows'][row]}.{oracle['columns'][column]}": n for n, (row, column) in enumerate(places)}
    return table_system(np.array(oracle["values"]), withheld), number


def test_programs_see_what_propagation_does_not(oracles: dict[str, dict[str, Any]]) -> None:
    oracle = oracles["two-per-line-is-not-enough"]
    system, number = _withheld(oracle)
    assert _propagated(system, number["w.b"]) == [0, 116]  # disclosure.md
    assert list(_component(system).extremes(number["w.b"])) == oracle["expect"]["w.b"]
    assert _claims(pin_down(system, Budget()))[number["w.b"]] == "is within [47, 47]"
    for more, expected in oracle["expect_with_also_withheld"].items():
        system, number = _withheld(oracle, more)
        assert list(_component(system).extremes(number["w.b"])) == expected["w.b"]
        assert number["w.b"] not in _claims(pin_down(system, Budget()))


def test_interval_3_6(oracles: dict[str, dict[str, Any]]) -> None:
    oracle = oracles["interval-3-6"]
    number = {"x11": 0, "x12": 1, "x21": 2, "x22": 3}
    equations = [({number[k]: v for k, v in e.items() if k != "="}, e["="]) for e in oracle["equations"]]
    system = system_of(4, equations, threshold=5)
    assert list(_component(system).extremes(0)) == oracle["expect"]["x11"]
    assert _claims(pin_down(system, Budget()))[0] == "is within [3, 6]"


def test_singletons(oracles: dict[str, dict[str, Any]]) -> None:
    oracle = oracles["singletons"]
    system = system_of(3, [({0: 1, 1: 1, 2: 1}, oracle["equations"][0]["="])])
    assert list(_component(system).extremes(0)) == oracle["expect"]["lp_nonnegative"]
    assert list(_component(system, low=1).extremes(0)) == oracle["expect"]["lp_with_prior_at_least_1"]
    assert _propagated(system, 0) == oracle["expect"]["lp_nonnegative"]


def test_linked_tables_jointly(oracles: dict[str, dict[str, Any]]) -> None:
    oracle = oracles["linked-tables"]
    number = {name: index for index, name in enumerate(oracle["unknown"])}
    equations = [
        ({number[k]: v for k, v in e.items() if k != "="}, e["="])
        for e in (*oracle["county_equations"], *oracle["group_equations"])
    ]
    expected = oracle["expect"]["jointly"]["K"]
    assert _component(system_of(5, equations)).extremes(number["K"]) == (expected, expected)


def test_a_residual_under_the_threshold_is_found_by_propagation_alone() -> None:
    findings = pin_down(system_of(2, [({0: 1, 1: 1}, 5)], threshold=20, truth=[2, 3]), Budget(programs=0))
    assert _claims(findings) == {0: "is within [0, 5]", 1: "is within [0, 5]"}
    assert [claim.correct for claim in findings.claims] == [True, True]
    assert pin_down(system_of(2, [({0: 1, 1: 1}, 20)], threshold=20), Budget(programs=0)).claims == ()


def test_the_threshold_itself_is_enough() -> None:
    for total, claims in ((49, 2), (50, 0)):
        assert len(pin_down(system_of(2, [({0: 1, 1: 1}, total)]), Budget()).claims) == claims


def test_claims_are_scored_against_the_truth() -> None:
    findings = pin_down(system_of(2, [({0: 1, 1: 1}, 5)], truth=[2, 30]), Budget())
    assert [claim.correct for claim in findings.claims] == [True, False]


def test_an_end_that_is_missing_is_said() -> None:
    findings = pin_down(system_of(2, [], [({0: 1}, 7), ({1: 1, 0: -1}, 0)]), Budget())
    assert _claims(findings) == {0: "is 7 or more", 1: "is 7 or more"}


def _with_total(total: int, parts: Sequence[int], *, published: bool) -> System:
    """Variable 0 is the total of the others."""
    size = len(parts) + 1
    system = system_of(size, [({0: 1, **dict.fromkeys(range(1, size), -1)}, 0)], truth=[total, *parts])
    if published:
        system.state[0], system.value[0] = PUBLISHED, total
        return replace(system, targets=system.targets[1:])
    return system


def test_a_published_total_of_zero_makes_its_cells_zero() -> None:
    system = _with_total(0, [0, 0], published=True)
    assert _propagated(system, 1) == [0, 0]
    assert known_totals(system).tolist() == [np.inf, 0, 0]
    assert pin_down(system, Budget()).claims == ()


def test_the_known_total_limits_what_a_cell_must_reach() -> None:
    assert pin_down(_with_total(30, [10, 20], published=True), Budget()).claims == ()
    assert known_totals(_with_total(30, [10, 20], published=False)).tolist() == [np.inf] * 3


def test_known_totals_reach_through_withheld_margins() -> None:
    system = system_of(4, [({0: 1, 1: -1, 2: -1}, 0), ({1: 1, 3: -1}, 0)])
    system.state[0], system.value[0] = PUBLISHED, 40
    assert known_totals(system).tolist() == [np.inf, 40, 40, 40]


def test_a_cell_published_elsewhere_is_a_claim() -> None:
    system = _with_total(60, [20, 40], published=False)
    system.state[0], system.value[0] = PUBLISHED, 60
    assert _claims(pin_down(system, Budget())) == {0: "is within [60, 60]"}


def test_events_are_at_least_people() -> None:
    system = system_of(4, [({0: 1, 1: 1}, 100), ({2: 1, 3: 1}, 60)], [({0: 1, 2: -1}, 0), ({1: 1, 3: -1}, 0)])
    assert pin_down(system, Budget()).claims == ()
    people = enumerate_solutions(
        system_of(4, [({0: 1, 1: 1}, 5), ({2: 1, 3: 1}, 4)], [({0: 1, 2: -1}, 0), ({1: 1, 3: -1}, 0)]), 5
    )
    assert people[:, 0].max() == 5
    tight = system_of(2, [({0: 1}, 30)], [({0: 1, 1: -1}, 0)])
    assert _claims(pin_down(tight, Budget())) == {0: "is within [30, 30]", 1: "is within [0, 30]"}


def test_a_program_that_is_not_solved_is_not_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "milp", lambda *_, **__: SimpleNamespace(status=1, x=None))
    findings = pin_down(_square(100), Budget())
    assert (findings.claims, findings.unreached) == ((), 9)


def test_propagation_that_was_cut_short_is_not_taken_for_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = system_of(3, [({0: 1, 1: 1}, 100), ({1: 1, 2: 1}, 100)])
    assert pin_down(tree, Budget(programs=0)).unreached == 0
    monkeypatch.setattr(propagation, "_ROUNDS", 1)
    assert pin_down(tree, Budget(programs=0)).unreached == 3
    assert pin_down(tree, Budget()).unreached == 0


def test_contradictions_are_not_clean() -> None:
    for equations in ([({0: 1, 1: 1}, 5), ({0: 1}, 6)], [({0: 1, 1: 1}, 5), ({0: 1, 1: 1}, 6)]):
        findings = pin_down(system_of(2, equations), Budget())
        assert findings.contradictions > 0
        assert not any("-" in claim.says for claim in findings.claims), "an empty interval says nothing"
    odd = [({0: 1, 1: 1}, 101), ({1: 1, 2: 1}, 101), ({0: 1, 2: 1}, 101)]  # no whole solution, by a cycle
    assert pin_down(system_of(3, odd, threshold=20), Budget()).contradictions == 1


def _square(total: int, size: int = 3) -> System:
    return table_system(np.full((size, size), total), np.ones((size, size), dtype=bool))


def test_what_the_budget_does_not_reach_is_stated() -> None:
    assert pin_down(_square(100), Budget()).unreached == 0
    assert pin_down(_square(100), Budget(programs=0)).unreached == 9
    assert pin_down(_square(100), Budget(unknowns=8)).unreached == 9
    assert 0 < pin_down(_square(100), Budget(programs=1)).unreached <= 9


def test_a_goal_that_failed_before_the_budget_ended_is_a_claim(oracles: dict[str, dict[str, Any]]) -> None:
    system, number = _withheld(oracles["two-per-line-is-not-enough"])
    for programs in range(1, 40):
        findings = pin_down(system, Budget(programs=programs))
        if number["w.b"] in _claims(findings):
            break
    assert _claims(findings)[number["w.b"]] == "is within [0, 116]", "the interval that propagation gave"
    assert findings.unreached > 0


def test_equal_components_are_examined_once() -> None:
    budget = Budget()
    examiner = Examiner(budget)
    system = _square(100)
    low, high = np.zeros(18), np.full(18, np.inf)
    examiner.examine(system.relations, low, high, dict.fromkeys(range(9), 50.0))
    spent = budget.programs
    shifted = relations_of([])
    shifted = type(shifted)(
        system.relations.start,
        system.relations.variable + 9,
        system.relations.coefficient,
        system.relations.constant,
        system.relations.exact,
    )
    outcome = examiner.examine(shifted, low, high, dict.fromkeys(range(9, 18), 50.0))
    assert budget.programs == spent
    assert outcome.missed == {}


def test_whole_numbers_are_asked_for_where_the_corner_is_not_whole() -> None:
    triangle: list[Equation] = [({0: 1, 1: 1}, 3), ({1: 1, 2: 1}, 3), ({0: 1, 2: 1}, 3)]
    loose = [({**row, 3 + n: 1}, right) for n, (row, right) in enumerate(triangle)]
    system = system_of(6, loose)
    solutions = enumerate_solutions(system, 3)
    for variable in range(6):
        ends = (solutions[:, variable].min(), solutions[:, variable].max())
        assert _component(system).extremes(variable) == ends


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_the_gate_is_what_enumeration_says(data: st.DataObject) -> None:
    size, top, threshold = data.draw(st.integers(2, 5)), 4, data.draw(st.integers(1, 4))
    truth = data.draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    row = st.dictionaries(st.integers(0, size - 1), st.just(1), min_size=1)
    equations = [(r, sum(truth[v] for v in r)) for r in data.draw(st.lists(row, min_size=1, max_size=4))]
    equations.append((dict.fromkeys(range(size), 1), sum(truth)))  # bounded, so that it can be enumerated
    pairs = data.draw(st.lists(st.permutations(range(size)).map(lambda p: (p[0], p[1])), max_size=2))
    inequalities = [({a: 1, b: -1}, 0) for a, b in pairs if truth[a] >= truth[b]]
    system = system_of(size, equations, inequalities, threshold=threshold, truth=truth)
    solutions = enumerate_solutions(system, top)
    missed = {v for v in range(size) if solutions[:, v].min() > 0 or solutions[:, v].max() < threshold}
    findings = pin_down(system, Budget())
    assert set(_claims(findings)) == missed
    assert all(claim.correct for claim in findings.claims)
    assert findings.unreached == 0


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_twins_share_their_fate(data: st.DataObject) -> None:
    """One line of cells with people and events, and a second line through some of them."""
    size = data.draw(st.integers(2, 5))
    events = data.draw(st.lists(st.integers(0, 6), min_size=size, max_size=size))
    people = [data.draw(st.integers(0, n)) for n in events]
    crossing = data.draw(st.sets(st.integers(0, size - 1), min_size=1))
    clickers = [data.draw(st.integers(0, n)) for n in people]
    clicks = [n + data.draw(st.integers(0, 3)) for n in clickers]
    layers = [events, people, clickers, clicks]
    equations = [(dict.fromkeys(range(at * size, (at + 1) * size), 1), sum(layer)) for at, layer in enumerate(layers)]
    equations.append((dict.fromkeys(sorted(crossing), 1), sum(events[v] for v in crossing)))
    ties = [(0, 1), (1, 2), (3, 2)]
    pairs = [({more * size + v: 1, less * size + v: -1}, 0) for v in range(size) for more, less in ties]
    system = system_of(4 * size, equations, pairs, threshold=data.draw(st.integers(1, 6)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(intervals, "representatives", lambda _, marks: np.arange(len(marks)))
        one_by_one = pin_down(system, Budget())
    together = pin_down(system, Budget())
    assert _claims(together) == _claims(one_by_one)


def test_cells_of_a_line_are_twins_and_others_are_not() -> None:
    line = relations_of([({0: 1, 1: 1, 2: 1}, 9), ({3: 1, 4: 1, 5: 1}, 6)], [({v: 1, v + 3: -1}, 0) for v in range(3)])
    assert representatives(line, np.zeros((6, 1))).tolist() == [0, 0, 0, 3, 3, 3]
    marks = np.array([[0], [0], [1], [0], [0], [0]])
    assert representatives(line, marks).tolist() == [0, 0, 2, 3, 3, 5]
    chained = relations_of([({0: 1, 1: 1, 2: 1}, 9)], [({0: 1, 1: -1}, 0), ({1: 1, 2: -1}, 0)])
    assert representatives(chained, np.zeros((3, 1))).tolist() == [0, 1, 2]
    cycle = relations_of([], [({0: 1, 1: -1}, 0), ({1: 1, 2: -1}, 0), ({0: 1, 2: -1}, 0)])
    assert representatives(cycle, np.zeros((3, 1))).tolist() == [0, 1, 2]
    offset = relations_of([({0: 1, 1: 1}, 9)], [({0: 1, 1: -1}, 3)])
    assert representatives(offset, np.zeros((2, 1))).tolist() == [0, 1]
