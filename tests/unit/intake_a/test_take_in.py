"""The sources of a night, in order, through one door."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from quorum.errors import UsageError
from quorum.intake import SOURCES, take_in
from quorum.intake.context import Intake
from quorum.intake.rest import READ_SOURCES

Land = Callable[..., Path]


def test_reference_comes_before_what_it_explains() -> None:
    order = list(SOURCES)
    assert order.index("reference") < min(order.index("access"), order.index("beacon"))
    assert order[-1] == "rest"
    assert set(order) == READ_SOURCES | {"rest"}


def test_every_source_of_a_night_is_taken_in(loading: Intake, land: Land, night: date) -> None:
    for source in (*SOURCES, "elsewhere"):
        land(f"{source}/broken.gz", b"\x1f\x8b\x08\0")
    taken = {each.file: each for source in SOURCES for each in take_in(source, loading, night)}
    assert set(taken) == {f"{source}/broken.gz" for source in (*SOURCES, "elsewhere")}
    for each in taken.values():
        assert each.read == sum(each.quarantined.values()) == 1
    assert loading.store.read("vault__rejected_line", night).num_rows == len(taken)
    assert len(loading.ledger.accounting(night)) == len(taken)


def test_an_unknown_source_is_refused(intake: Intake, night: date) -> None:
    with pytest.raises(UsageError) as refused:
        take_in("weather", intake, night)
    assert refused.value.exit_code == 2
