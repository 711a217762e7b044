"""A desk over a small home that is written by hand, and rows for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from quorum.desk import Desk
from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.ledger.reads import ReadLog
from quorum.ledger.tombstones import pseudonyms
from quorum.policy import Actor, Policy
from quorum.tables import Catalog
from quorum.zones import Home

Put = Callable[..., None]
Key = Callable[[str, str], str]


@pytest.fixture(scope="session")
def engine(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, policy: Policy) -> Iterator[DuckEngine]:
    """One engine for all tests: what acts on people's rows gives it every row."""
    store = Store(Home(tmp_path_factory.mktemp("engine")), catalog, KeyRing(bytes(range(32))))
    engine = DuckEngine(store, policy, KeyRing(bytes(range(32))), memory_limit="500MB", threads=1)
    yield engine
    engine.close()


@pytest.fixture
def desk(home: Home, catalog: Catalog, policy: Policy, keys: KeyRing, engine: DuckEngine) -> Iterator[Desk]:
    ledger = Ledger(home.ledger)
    actor = Actor("hana", "officer")
    store = Store(home, catalog, keys, ReadLog(ledger, actor).note)
    yield Desk(home, policy, keys, ledger, store, engine, actor)
    ledger.close()


@pytest.fixture
def put(desk: Desk) -> Put:
    """Write rows of a table, columns that are left out null, as a partition or a part of one."""

    def write(table: str, night: date, *rows: Mapping[str, Any], part: str = "part") -> None:
        schema = desk.catalog[table].arrow_schema()
        assert all(set(row) <= set(schema.names) for row in rows)
        desk.store.write(table, night, pa.Table.from_pylist([dict(row) for row in rows], schema), part)

    return write


@pytest.fixture
def key(keys: KeyRing) -> Key:
    """Return the pseudonym of an identifier."""
    return lambda kind, identifier: next(iter(pseudonyms(keys, kind, [identifier])))
