"""A landing folder and what a reader needs, for one night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import cast

import pytest

from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.intake.context import Intake
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
Land = Callable[..., Path]


@pytest.fixture
def night() -> date:
    return NIGHT


@pytest.fixture
def intake(tmp_path: Path, home: Home, catalog: Catalog, policy: Policy, keys: KeyRing) -> Iterator[Intake]:
    """For what needs no engine; `loading` has one."""
    ledger = Ledger(home.ledger)
    yield Intake(tmp_path / "landing", Store(home, catalog, keys), cast("DuckEngine", None), policy, ledger)
    ledger.close()


@pytest.fixture
def loading(intake: Intake, keys: KeyRing) -> Iterator[Intake]:
    engine = DuckEngine(intake.store, intake.policy, keys, threads=1)
    yield replace(intake, engine=engine)
    engine.close()


@pytest.fixture
def land(intake: Intake) -> Land:
    """Put a file below a night's landing folder."""

    def put(name: str, content: bytes, night: date = NIGHT) -> Path:
        path = intake.folder(night) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return put
