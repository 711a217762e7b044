"""Tables with thousands of cells: the attacks find what follows, no more and no less, and they find every mutant."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest
from large_tables import Population, deep, draft, flat, recoverable, table, withhold_small
from package_writer import RULES, Draft

from quorum.audit.elimination import recover_exactly
from quorum.audit.equations import build_system
from quorum.audit.package import parse_files
from quorum.audit.propagation import propagate
from quorum.audit.record import FAILED
from quorum.audit.rules import read_rules
from quorum.audit.run import attack_folders
from quorum.audit.system import reduce
from quorum.audit.truth import Truth

Row = tuple[str, ...]


def _large(kind: str) -> Draft:
    """7,497 cells in two dimensions or three; a hierarchy of three levels."""
    a, b, c = flat("age", 16), flat("job", 20), flat("car", 20)
    if kind == "three":
        return draft(Population.draw((a, b, c), 800_000, 3), table("t", a, b, c))
    if kind == "two":
        wide = (flat("age", 50), flat("job", 146))
        return draft(Population.draw(wide, 800_000, 3), table("t", *wide))
    own = (deep((6, 5, 5)), flat("age", 38))
    return draft(Population.draw(own, 900_000, 3), table("t", *own))


def _rules(least: int) -> dict[str, object]:
    return {**RULES, "heads": {"impressions": least, "clicks": 20}, "outside": 0}


def _claimed(released: Draft, least: int) -> set[tuple[str, Row]]:
    rules = read_rules(_rules(least))
    system = build_system([parse_files(released.files())], rules, Truth({}))
    start = process_time()
    claims = recover_exactly(system).claims
    bounds = propagate(reduce(system)[0], system)
    assert process_time() - start < 5, "seconds of one core; a twentieth of one where nothing else runs"
    assert not bounds.contradictions
    for target in system.targets:
        true = released.cells[target.table][target.coordinates]["impression_n"]
        assert bounds.low[target.variable] <= true <= bounds.high[target.variable]
    for claim in claims:
        assert claim.says == f"is {released.cells[claim.where[0]][claim.where[1:]]['impression_n']}"
    return {(claim.where[0], claim.where[1:]) for claim in claims}


@pytest.mark.parametrize(("kind", "least", "cells"), [("two", 3, 7_497), ("three", 4, 7_497), ("deep", 5, 7_293)])
def test_exactly_what_follows_is_found(kind: str, least: int, cells: int) -> None:
    released = withhold_small(_large(kind), least)
    assert sum(map(len, released.cells.values())) >= cells
    assert len(released.withheld) > 300
    follows = recoverable(released)
    assert follows
    assert _claimed(released, least) == follows


def test_a_large_package_is_attacked_from_its_folder(tmp_path: Path) -> None:
    released = withhold_small(_large("two"), 3)
    records = {record.attack: record for record in attack_folders([released.write(tmp_path / "p")], _rules(3))}
    assert records["elimination"].verdict == records["propagation"].verdict == FAILED
    assert records["elimination"].claims == len(recoverable(released))
    assert records["propagation"].claims >= records["elimination"].claims
    assert records["propagation"].unreached == 0
