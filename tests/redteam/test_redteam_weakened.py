"""Every rule of a release, weakened in the code itself: the attack that is named for it sees what then comes out."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mutants import MUTANTS, Mutant

from quorum.disclosure import equations


@pytest.fixture(autouse=True)
def _no_memory() -> Iterator[None]:
    """What the weakened code worked out once is not kept for the code as it stands."""
    yield
    equations._shared_axis.cache_clear()


@pytest.mark.clause("P-03n")
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_weakened_rule_is_seen(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    assert mutant.scene().caught(mutant.attacks) == set(), "nothing is seen of the code as it stands"
    mutant.weaken(monkeypatch)
    assert set(mutant.attacks) <= mutant.scene().caught(mutant.attacks), mutant.weakened


def test_each_mutant_weakens_something_else() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 40
    assert len({mutant.weakened for mutant in MUTANTS}) == len(MUTANTS)
