"""Linked tables: cells and margins of one universe shared by 3 to 13 tables over five attributes.

What follows, and what is narrowed, is found a second time by other equations and other programs, and must be the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from large_tables import Cell, Population, cell_of, draft, equations_of, flat, recoverable, table, withhold_small
from package_writer import RULES, Draft
from scipy.optimize import Bounds, LinearConstraint, milp

from quorum.audit.elimination import recover_exactly
from quorum.audit.equations import build_system
from quorum.audit.intervals import Budget
from quorum.audit.package import parse_files
from quorum.audit.propagation import pin_down, propagate
from quorum.audit.record import PASSED, Findings
from quorum.audit.reparse import read_again
from quorum.audit.rules import read_rules
from quorum.audit.run import attack_folders
from quorum.audit.system import System, reduce
from quorum.audit.truth import Truth
from quorum.tables.shape import ALL, Dimension, TableShape

Row = tuple[str, ...]
Known = set[tuple[str, Row]]
_ENDLESS = 10**7


def _attributes(sizes: Sequence[int]) -> list[Dimension]:
    age, gender, job, edu, *areas = sizes
    area = tuple((f"r{n}", f"p{n}.{m}") for n, below in enumerate(areas) for m in range(below))
    named = [
        flat(name, size) for name, size in zip(("age", "gender", "job", "edu"), (age, gender, job, edu), strict=True)
    ]
    return [*named, Dimension(("region", "prefecture"), area)]


def _linked(number: int, seed: int, sizes: Sequence[int], total: int) -> Draft:
    """Tables over one, two or three attributes; of 13, all pairs and three triples."""
    own = _attributes(sizes)
    pairs = list(combinations(range(5), 2))
    triples = list(combinations(range(5), 3))
    chosen = [*pairs, *triples[:3]]
    if number < len(chosen):
        rng = np.random.default_rng(seed)
        every = [(n,) for n in range(5)] + pairs + triples
        chosen = [every[n] for n in sorted(rng.choice(len(every), number, replace=False))]
    tables = [table("t" + "".join(map(str, of)), *(own[n] for n in of)) for of in chosen]
    return draft(Population.draw(own, total, seed), *tables)


def _rows(released: Draft) -> dict[Cell, list[tuple[str, Row]]]:
    listed: dict[Cell, list[tuple[str, Row]]] = {}
    for shape in released.shape.tables:
        for place in shape.coordinates():
            listed.setdefault(cell_of(shape, place), []).append((shape.name, place))
    return listed


def _value(released: Draft, rows: Sequence[tuple[str, Row]]) -> int:
    name, place = rows[0]
    return released.cells[name][place]["impression_n"]


def _hidden(released: Draft) -> set[Cell]:
    return {cell_of(released.shape.table(name), place) for name, place, _ in released.withheld}


def _lines(released: Draft) -> list[list[Cell]]:
    return sorted((line for shape in released.shape.tables for line in equations_of(shape)), key=_order)


def _order(line: Iterable[Cell]) -> list[list[tuple[str, str]]]:
    return [sorted(cell) for cell in line]


def _closed(released: Draft) -> Draft:
    """Withhold more, wherever it is listed, until nothing follows: beside each such cell the least of its line."""
    listed, lines = _rows(released), _lines(released)
    while follows := recoverable(released):
        alone = {cell_of(released.shape.table(name), place) for name, place in follows}
        hidden = _hidden(released)
        for line in lines:
            shown = [cell for cell in line if cell not in hidden]
            if alone & set(line) and shown:
                more = min(shown, key=lambda cell: (_value(released, listed[cell]), sorted(cell)))
                released = _withhold(released, listed[more])
                hidden.add(more)
                alone -= set(line)
    return released


def _withhold(released: Draft, rows: Iterable[tuple[str, Row]]) -> Draft:
    return replace(released, withheld=released.withheld | {(*row, "impressions") for row in rows})


def _publish(released: Draft, rows: Iterable[tuple[str, Row]]) -> Draft:
    return replace(released, withheld=released.withheld - {(*row, "impressions") for row in rows})


def _rules(least: int) -> dict[str, object]:
    return {**RULES, "heads": {"impressions": least, "clicks": 20}, "outside": 0}


def _system(released: Draft, least: int) -> System:
    return build_system([parse_files(released.files())], read_rules(_rules(least)), Truth({}))


def _claimed(released: Draft, least: int) -> Known:
    """What elimination claims, after its values and all propagated intervals were held against the truth."""
    system = _system(released, least)
    findings, bounds = recover_exactly(system), propagate(reduce(system)[0], system)
    assert findings.contradictions == bounds.contradictions == 0
    for target in system.targets:
        true = released.cells[target.table][target.coordinates]["impression_n"]
        assert bounds.low[target.variable] <= true <= bounds.high[target.variable]
    for claim in findings.claims:
        assert claim.says == f"is {released.cells[claim.where[0]][claim.where[1:]]['impression_n']}"
    return _places(findings)


def _places(findings: Findings) -> Known:
    return {(claim.where[0], claim.where[1:]) for claim in findings.claims}


def _large(number: int, seed: int) -> tuple[Draft, int]:
    """With 13 tables 959 cells; half of them are unsafe."""
    whole = _linked(number, seed, (6, 3, 7, 5, 1, 3, 3, 3), 20_000)
    values = sorted(_value(whole, rows) for rows in _rows(whole).values())
    least = values[len(values) // 2] + 1
    return withhold_small(whole, least), least


@pytest.mark.parametrize(("number", "seed"), [(n, seed) for n in (3, 5, 8, 13) for seed in (1, 2, 3)])
def test_exactly_what_follows_from_linked_tables_is_found(number: int, seed: int) -> None:
    small, least = _large(number, seed)
    assert _claimed(small, least) == recoverable(small)
    closed = _closed(small)
    assert _claimed(closed, least) == set()


def test_the_largest_of_them_has_many_unsafe_cells() -> None:
    small, _ = _large(13, 1)
    assert len(_rows(small)) > 900
    assert len(_hidden(small)) > 400
    assert recoverable(small)


@pytest.mark.parametrize("seed", range(6))
def test_cells_withheld_at_random_even_in_one_table_only(seed: int) -> None:
    """No order of size helps the attack: any cells, and some of them withheld in one table and published in another."""
    rng = np.random.default_rng(seed)
    whole = _linked(3 + 2 * seed, seed, (6, 3, 7, 5, 1, 3, 3, 3), 5_000)
    random = whole
    for _, rows in sorted(_rows(whole).items(), key=lambda item: sorted(item[0])):
        if rng.random() < 0.5:
            random = _withhold(random, [row for row in rows if rng.random() < 0.97])
    follows = recoverable(random)
    assert follows
    assert _claimed(random, 50) == follows


def test_each_complementary_cell_that_is_released_is_used() -> None:
    small, least = _large(8, 2)
    closed, listed = _closed(small), _rows(small)
    complementary = sorted(_hidden(closed) - _hidden(small), key=sorted)
    assert complementary
    caught = 0
    for cell in complementary[:10]:
        mutant = _publish(closed, listed[cell])
        follows = recoverable(mutant)
        assert _claimed(mutant, least) == follows
        caught += bool(follows)
    assert caught
    shared = next(cell for cell in sorted(_hidden(closed), key=sorted) if len(listed[cell]) > 1)
    mutant = _publish(closed, listed[shared][:1])
    assert set(listed[shared][1:]) <= _claimed(mutant, least) == recoverable(mutant)


def test_a_margin_that_is_off_by_one_is_no_longer_believed(tmp_path: Path) -> None:
    small, least = _large(13, 1)
    shared = _rows(small)[frozenset({("campaign_id", "c1")})]
    assert len(shared) == 13
    assert "agreement" not in _broken(small)
    assert "agreement" in _broken(_changed(small, shared[:1]))
    everywhere = _changed(small, shared)
    assert "agreement" not in _broken(everywhere)
    assert recover_exactly(_system(small, least)).contradictions == 0
    assert recover_exactly(_system(everywhere, least)).contradictions
    records = {r.attack: r for r in attack_folders([everywhere.write(tmp_path / "off")], _rules(least))}
    assert PASSED not in {records[name].verdict for name in ("elimination", "propagation")}


def _broken(released: Draft) -> set[str]:
    found = read_again([parse_files(released.files())], read_rules(_rules(0)), Truth({}))
    return {claim.what for claim in found.claims}


def _changed(released: Draft, rows: Iterable[tuple[str, Row]]) -> Draft:
    for name, place in rows:
        released = released.with_value(name, place, impression_n=released.cells[name][place]["impression_n"] + 1)
    return released


def test_one_more_table_and_its_equations_are_used() -> None:
    """Ages by gender are protected in their table; a finer table, published whole, gives them away."""
    own = _attributes((6, 3, 7, 5, 1, 3, 3, 3))
    people = Population.draw(own, 20_000, 4)
    whole = draft(people, table("pair", own[0], own[1]), table("other", own[0], own[4]))
    least = sorted(_value(whole, rows) for rows in _rows(whole).values())[10]
    closed = _closed(withhold_small(whole, least))
    assert _claimed(closed, least) == set()
    both = draft(people, *closed.shape.tables, _finer(own))
    inner = [place for place in both.shape.table("finer").coordinates() if ALL in place]
    told = replace(both, withheld=closed.withheld)
    hidden = _hidden(closed)
    margins = [("finer", p) for p in inner if cell_of(told.shape.table("finer"), p) in hidden]
    told = _withhold(told, margins)
    follows = recoverable(told)
    assert {(name, place) for name, place, _ in closed.withheld if name == "pair"} <= follows
    assert _claimed(told, least) == follows


def _finer(own: Sequence[Dimension]) -> TableShape:
    return table("finer", own[0], own[1], own[2])


@pytest.mark.parametrize("seed", range(4))
def test_exactly_what_is_narrowed_is_claimed(seed: int) -> None:
    """HiGHS on the second way of writing the equations: can each withheld cell be 0, and as large as it must?"""
    whole = _linked(3 + seed, seed + 20, (3, 2, 3, 2, 1, 2), 900)
    values = sorted(_value(whole, rows) for rows in _rows(whole).values())
    least = values[len(values) // 3] + 1
    small = withhold_small(whole, least)
    for released in (small, _closed(small)):
        found = pin_down(_system(released, least), Budget())
        assert found.unreached == found.contradictions == 0
        assert _places(found) == _narrowed(released, least)


def _narrowed(released: Draft, least: int) -> Known:
    listed, lines, hidden = _rows(released), _lines(released), sorted(_hidden(released), key=sorted)
    number = {cell: place for place, cell in enumerate(hidden)}
    most = dict.fromkeys(hidden, _ENDLESS)
    before = None
    while before != most:
        before = dict(most)
        for whole, *parts in lines:
            total = most[whole] if whole in most else _value(released, listed[whole])
            most |= {part: min(most[part], total) for part in parts if part in most}
    matrix, right = np.zeros((len(lines), len(hidden))), np.zeros(len(lines))
    for row, (whole, *parts) in enumerate(lines):
        for sign, cell in [(-1, whole), *((1, part) for part in parts)]:
            if cell in number:
                matrix[row, number[cell]] += sign
            else:
                right[row] -= sign * _value(released, listed[cell])
    narrow = set()
    for cell, place in number.items():
        one = np.zeros(len(hidden))
        one[place] = 1
        ends = []
        for cost in (one, -one):
            solved = milp(
                cost,
                constraints=LinearConstraint(matrix, right, right),
                bounds=Bounds(0, _ENDLESS),
                integrality=np.ones(len(hidden)),
            )
            assert solved.status == 0
            ends.append(round(float(cost @ solved.x)))
        if ends[0] > 0 or -ends[1] < min(least, most[cell]):
            narrow |= set(listed[cell])
    return narrow
