"""A home that is open, rows of stored tables put into it by hand, and tables of purposes built from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from quorum.desk import Desk
from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.extract.result import Checked
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.ledger.reads import ReadLog
from quorum.policy import Policy
from quorum.policy.grants import SCHEDULER
from quorum.tables import Catalog
from quorum.zones import Home

NIGHT = date(2026, 11, 21)

Put = Callable[..., None]
Make = Callable[..., Checked]


@pytest.fixture(scope="session")
def engine_store(tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, policy: Policy) -> Iterator[Any]:
    """One engine for all tests; its store's home is changed for each."""
    keys = KeyRing(bytes(range(32)))
    store = Store(Home(tmp_path_factory.mktemp("home")), catalog, keys)
    engine = DuckEngine(store, policy, keys, memory_limit="1GB", threads=1)
    yield engine, store
    engine.close()


@pytest.fixture
def desk(home: Home, policy: Policy, keys: KeyRing, engine_store: Any) -> Iterator[Desk]:
    engine, store = engine_store
    ledger = Ledger(home.ledger)
    store.home, store._on_read = home, ReadLog(ledger, SCHEDULER).note
    yield Desk(home, policy, keys, ledger, store, engine, SCHEDULER)
    ledger.close()


@pytest.fixture
def put(desk: Desk) -> Put:
    """Write rows, given as mappings, as a night of a stored table; columns that are left out are null."""

    def write(table: str, *rows: dict[str, Any], night: date = NIGHT) -> None:
        schema = desk.catalog[table].arrow_schema()
        unknown = {name for row in rows for name in row} - set(schema.names)
        assert not unknown, unknown
        desk.store.write(table, night, pa.Table.from_pylist(list(rows), schema))

    return write


@pytest.fixture
def make(desk: Desk) -> Make:
    """Run a table's statement for a night, then a check; keep what stays, as the night does."""

    def run(table: str, check: Any = None, night: date = NIGHT) -> Checked:
        rows = desk.engine.run(table, night)
        checked = Checked(rows) if check is None else check(desk, night, rows)
        desk.store.write(table, night, checked.rows)
        return checked

    return run
