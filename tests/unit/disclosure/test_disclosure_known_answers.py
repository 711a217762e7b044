"""The checkers on plain systems of equations, against published answers (shared/data/oracles.json)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from quorum.disclosure.elimination import determined
from quorum.disclosure.linear import interval
from quorum.errors import ConfigurationError


@pytest.fixture(scope="module")
def answers(shared: Path) -> Mapping[str, Any]:
    listed = json.loads((shared / "data" / "oracles.json").read_text(encoding="utf-8"))["suppression"]
    return {answer["id"]: answer for answer in listed}


def _system(equations: Sequence[Mapping[str, int]]) -> tuple[list[str], np.ndarray, np.ndarray]:
    names = list(dict.fromkeys(name for equation in equations for name in equation if name != "="))
    matrix = np.array([[equation.get(name, 0) for name in names] for equation in equations])
    return names, matrix, np.array([equation["="] for equation in equations])


def _table(answer: Mapping[str, Any], withheld: Sequence[str]) -> tuple[list[str], np.ndarray, np.ndarray]:
    rows, columns, values = answer["rows"], answer["columns"], answer["values"]
    true = {f"{r}.{c}": values[i][j] for i, r in enumerate(rows) for j, c in enumerate(columns)}
    lines = [[f"{r}.{c}" for c in columns] for r in rows] + [[f"{r}.{c}" for r in rows] for c in columns]
    equations = [{cell: 1 for cell in line if cell in withheld} for line in lines]
    totals = [sum(true[cell] for cell in line if cell in withheld) for line in lines]
    names, matrix, _ = _system([{**e, "=": 0} for e in equations])
    return names, matrix, np.array(totals)


def test_two_withheld_cells_a_line_are_not_enough(answers: Mapping[str, Any]) -> None:
    answer = answers["two-per-line-is-not-enough"]
    names, matrix, totals = _table(answer, answer["withheld"])
    assert {name for name, is_known in zip(names, determined(matrix), strict=True) if is_known} == {"w.b"}
    assert interval(matrix, totals, names.index("w.b")) == pytest.approx(answer["expect"]["w.b"])


def test_one_more_withheld_cell_opens_the_line(answers: Mapping[str, Any]) -> None:
    answer = answers["two-per-line-is-not-enough"]
    for also, expected in answer["expect_with_also_withheld"].items():
        names, matrix, totals = _table(answer, [*answer["withheld"], also])
        assert not determined(matrix).any()
        for cell, ends in expected.items():
            assert interval(matrix, totals, names.index(cell)) == pytest.approx(ends)


def test_tables_that_are_safe_alone_are_not_together(answers: Mapping[str, Any]) -> None:
    answer = answers["linked-tables"]
    for alone in ("county_equations", "group_equations"):
        assert not determined(_system(answer[alone])[1]).any()
    names, matrix, totals = _system([*answer["county_equations"], *answer["group_equations"]])
    known = {name for name, is_known in zip(names, determined(matrix), strict=True) if is_known}
    assert known == set(answer["expect"]["jointly"])
    for cell, value in answer["expect"]["jointly"].items():
        assert interval(matrix, totals, names.index(cell)) == pytest.approx((value, value))


def test_intervals_of_a_two_by_two_table(answers: Mapping[str, Any]) -> None:
    answer = answers["interval-3-6"]
    names, matrix, totals = _system(answer["equations"])
    for cell, ends in answer["expect"].items():
        assert interval(matrix, totals, names.index(cell)) == pytest.approx(ends)
    assert not determined(matrix).any()


def test_a_prior_of_one_gives_away_singletons(answers: Mapping[str, Any]) -> None:
    answer = answers["singletons"]
    names, matrix, totals = _system(answer["equations"])
    assert not determined(matrix).any()
    for column in range(len(names)):
        assert interval(matrix, totals, column) == pytest.approx(answer["expect"]["lp_nonnegative"])
        known = interval(matrix, totals, column, at_least=1)
        assert known == pytest.approx(answer["expect"]["lp_with_prior_at_least_1"])


def test_elimination_leaves_nothing_over() -> None:
    assert not determined(np.zeros((2, 3), dtype=int)).any()
    assert determined([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 0, 5]]).tolist() == [False, False, False, True]
    # The sum of the first two less the third is twice the first unknown.
    assert determined([[1, 1, 0], [1, 0, 1], [0, 1, 1]]).all()


def test_an_unknown_without_an_equation_has_no_end() -> None:
    assert interval([[1, 0]], [3], 1) == (0.0, np.inf)


def test_a_system_without_a_solution_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"disclosure\.system"):
        interval([[1, 1], [1, 1]], [1, 2], 0)
