from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pytest

from quorum.engine.store import Store
from quorum.errors import ConfigurationError, LedgerError
from quorum.keys import KeyRing
from quorum.tables import Catalog
from quorum.zones import Home

NIGHT, NEXT = date(2026, 11, 21), date(2026, 11, 22)
MARKER = "cookie-0123456789-marker"


@pytest.fixture
def store(home: Home, catalog: Catalog, keys: KeyRing) -> Store:
    return Store(home, catalog, keys)


def _logins(count: int = 1) -> pa.Table:
    return pa.table(
        {
            "file_n": [1] * count,
            "line_n": list(range(1, count + 1)),
            "event_id": [f"e{n}" for n in range(count)],
            "login_at": [datetime(2026, 11, 21)] * count,  # noqa: DTZ001 (UTC without zone is the contract)
            "login_date": [NIGHT] * count,
            "cookie_id": [MARKER] * count,
            "member_id": ["m1"] * count,
        }
    )


def _links(key: str) -> pa.Table:
    instant = datetime(2026, 11, 21)  # noqa: DTZ001
    return pa.table(
        {
            "cookie_key": [key],
            "member_key": ["m"],
            "valid_from": [instant],
            "last_login_at": [instant],
            "valid_to": pa.array([None], pa.timestamp("us")),
        }
    )


@pytest.mark.clause("S-02")
def test_the_vault_is_sealed_and_reads_back(store: Store) -> None:
    store.write("vault__login", NIGHT, _logins())
    (path,) = store.files("vault__login", NIGHT)
    assert MARKER.encode() not in path.read_bytes()
    assert path.read_bytes()[:4] == b"PARE"  # an encrypted footer: not even the schema is readable
    assert store.read("vault__login", NIGHT)["cookie_id"].to_pylist() == [MARKER]


@pytest.mark.clause("S-02")
def test_another_key_cannot_read_the_vault(store: Store, home: Home, catalog: Catalog) -> None:
    store.write("vault__login", NIGHT, _logins())
    with pytest.raises(LedgerError, match=r"vault\.key"):
        Store(home, catalog, KeyRing(bytes(32))).read("vault__login", NIGHT)


def test_behind_the_vault_files_are_plain_and_the_same_every_time(store: Store) -> None:
    store.write("pseudo__login_link", NIGHT, _links("c"))
    (path,) = store.files("pseudo__login_link", NIGHT)
    before = path.read_bytes()
    store.write("pseudo__login_link", NIGHT, _links("c"))
    assert path.read_bytes() == before


def test_windows(store: Store) -> None:
    store.write("pseudo__login_link", NIGHT, _links("a"))
    store.write("pseudo__login_link", NEXT, _links("b"))
    third = date(2026, 11, 23)
    assert store.read("pseudo__login_link", third).num_rows == 0
    assert store.read("pseudo__login_link", third, "previous")["cookie_key"].to_pylist() == ["b"]
    assert store.read("pseudo__login_link", NEXT, "previous")["cookie_key"].to_pylist() == ["a"]
    assert store.read("pseudo__login_link", NEXT, "history")["cookie_key"].to_pylist() == ["a", "b"]
    assert store.nights("pseudo__login_link") == [NIGHT, NEXT]


def test_an_interrupted_write_leaves_what_was_there(store: Store) -> None:
    store.write("vault__login", NIGHT, _logins(1))
    with pytest.raises(RuntimeError), store.writer("vault__login", NIGHT) as writer:
        writer.write(_logins(5))
        raise RuntimeError
    assert store.read("vault__login", NIGHT).num_rows == 1
    assert [p.name for p in store.home.partition("vault__login", NIGHT).iterdir()] == ["part.parquet"]


def test_a_table_that_breaks_its_contract_is_refused_without_a_value(store: Store) -> None:
    with pytest.raises(ConfigurationError, match="member_id"):
        store.write("vault__login", NIGHT, _logins().drop_columns(["member_id"]))
    wrong = _logins().set_column(0, "file_n", pa.array([MARKER]))
    with pytest.raises(ConfigurationError) as caught:
        store.write("vault__login", NIGHT, wrong)
    assert MARKER not in str(caught.value)


def test_tables_kept_in_memory_are_never_written(store: Store) -> None:
    with pytest.raises(ConfigurationError, match=r"store\.in_memory"):
        store.write("vault__agent", NIGHT, pa.table({}))
