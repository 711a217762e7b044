"""A landing folder and what a reader needs, for one night."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

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
    store = Store(home, catalog, keys)
    engine = DuckEngine(store, policy, keys, threads=1)
    ledger = Ledger(home.ledger)
    yield Intake(tmp_path / "landing", store, engine, policy, ledger)
    engine.close()
    ledger.close()


@pytest.fixture
def land(intake: Intake) -> Land:
    """Put a file below a night's landing folder."""

    def put(name: str, content: bytes, night: date = NIGHT) -> Path:
        path = intake.folder(night) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return put
