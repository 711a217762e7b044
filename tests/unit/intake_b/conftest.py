"""A landing folder, an empty home, and what readers of landed files need."""

from __future__ import annotations

import json
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


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, policy: Policy) -> Iterator[DuckEngine]:
    """One engine for all tests: intake gives it every row it reads, so it keeps nothing from one to the next."""
    keys = KeyRing(bytes(32))
    store = Store(Home(tmp_path_factory.mktemp("home")), catalog, keys)
    engine = DuckEngine(store, policy, keys, memory_limit="1GB", threads=2)
    yield engine
    engine.close()


@pytest.fixture
def intake(
    tmp_path: Path, home: Home, catalog: Catalog, policy: Policy, keys: KeyRing, engine: DuckEngine
) -> Iterator[Intake]:
    ledger = Ledger(home.ledger)
    yield Intake(tmp_path / "landing", Store(home, catalog, keys), engine, policy, ledger)
    ledger.close()


@pytest.fixture
def land(intake: Intake) -> Land:
    """Put a file into the landing folder: bytes as they are, records as lines of JSON."""

    def put(source: str, name: str, content: bytes | list[object], night: date = NIGHT) -> Path:
        path = intake.folder(night) / source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, list):
            content = b"".join(json.dumps(record, ensure_ascii=False).encode() + b"\n" for record in content)
        path.write_bytes(content)
        return path

    return put
