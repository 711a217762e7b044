"""The engine reads what it may, writes what the contract says, and its errors say nothing about anyone."""

from __future__ import annotations

import dataclasses
import traceback
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.errors import ConfigurationError, QuorumError
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
MARKER = "taro@portal.example"


@pytest.fixture
def store(home: Home, catalog: Catalog, keys: KeyRing) -> Store:
    return Store(home, catalog, keys)


@pytest.fixture
def engine(store: Store, policy: Policy, keys: KeyRing) -> Iterator[DuckEngine]:
    engine = DuckEngine(store, policy, keys, memory_limit="300MB", threads=1)
    yield engine
    engine.close()


def rows(catalog: Catalog, table: str, *given: dict[str, Any]) -> pa.Table:
    schema = catalog[table].arrow_schema()
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in given], schema=schema)


def login(member: str, hour: int) -> dict[str, Any]:
    at = datetime(2026, 11, 21, hour)  # noqa: DTZ001 - instants are stored in UTC without zone
    return {"cookie_key": "c1", "member_key": member, "login_at": at, "login_date": NIGHT}


def saying(catalog: Catalog, table: str, statement: str) -> Catalog:
    """The catalogue with another statement for a table."""
    changed = dataclasses.replace(catalog[table], query=statement)
    return Catalog(MappingProxyType({**catalog.tables, table: changed}))


def another(store: Store, policy: Policy, keys: KeyRing, table: str, statement: str) -> DuckEngine:
    return DuckEngine(Store(store.home, saying(store.catalog, table, statement), keys), policy, keys, threads=1)


def test_a_night_builds_on_the_one_before(engine: DuckEngine, store: Store, catalog: Catalog) -> None:
    yesterday = date(2026, 11, 19)
    store.write("pseudo__login", yesterday, rows(catalog, "pseudo__login", login("m1", 1)))
    store.write("pseudo__login", NIGHT, rows(catalog, "pseudo__login", login("m2", 2)))
    assert engine.build("pseudo__login_link", yesterday) == 1
    assert engine.build("pseudo__login_link", NIGHT) == 2
    assert store.read("pseudo__login_link", NIGHT)["member_key"].to_pylist() == ["m1", "m2"]


def test_the_same_night_twice_is_the_same_bytes(engine: DuckEngine, store: Store, catalog: Catalog) -> None:
    store.write("pseudo__login", NIGHT, rows(catalog, "pseudo__login", login("m1", 1), login("m2", 2)))
    engine.build("pseudo__login_link", NIGHT)
    (file,) = store.files("pseudo__login_link", NIGHT)
    first = file.read_bytes()
    engine.build("pseudo__login_link", NIGHT)
    assert file.read_bytes() == first


def test_several_files_of_a_partition_are_read_and_a_missing_one_is_empty(
    engine: DuckEngine, store: Store, catalog: Catalog
) -> None:
    assert engine.build("pseudo__login_link", NIGHT) == 0
    store.write("pseudo__login", NIGHT, rows(catalog, "pseudo__login", login("m1", 1)), part="landed-2026-11-20")
    store.write("pseudo__login", NIGHT, rows(catalog, "pseudo__login", login("m2", 2)), part="landed-2026-11-21")
    assert engine.run("pseudo__login_link", NIGHT).num_rows == 2


def test_sealed_parents_are_read(engine: DuckEngine, store: Store, catalog: Catalog) -> None:
    member = {"file_n": 1, "line_n": 1, "member_id": "m-1", "gender": "female", "birth_date": date(1990, 3, 15)}
    store.write("vault__member", date(2026, 11, 20), rows(catalog, "vault__member", member))
    assert engine.build("pseudo__member", NIGHT) == 1
    (found,) = store.read("pseudo__member", NIGHT).to_pylist()
    assert (found["gender"], found["age_years"]) == ("female", 36)


def test_stored_rows_are_asked_from_their_files_and_sealed_ones_are_not(
    engine: DuckEngine, store: Store, catalog: Catalog
) -> None:
    statement = "select count(*) as n, max(cookie_key) as c from asked"
    assert engine.query_stored(statement, NIGHT, {"asked": "pseudo__login"}).to_pylist() == [{"n": 0, "c": None}]
    store.write("pseudo__login", NIGHT, rows(catalog, "pseudo__login", login("m1", 1), login("m2", 2)))
    assert engine.query_stored(statement, NIGHT, {"asked": "pseudo__login"}).to_pylist() == [{"n": 2, "c": "c1"}]
    store.write("vault__login", NIGHT, rows(catalog, "vault__login", {"line_n": 1}))
    with pytest.raises(ConfigurationError, match=r"engine\.sealed"):
        engine.query_stored("select count(*) from asked", NIGHT, {"asked": "vault__login"})
    with pytest.raises(QuorumError) as caught:
        engine.query_stored(f"select cast('{MARKER}' as integer) from asked", NIGHT, {"asked": "pseudo__login"})
    assert MARKER not in str(caught.value)


def test_a_chunk_in_memory_is_joined_to_stored_sections(engine: DuckEngine, store: Store, catalog: Catalog) -> None:
    section = {"path_prefix": "/news", "section_id": "news", "recipient_id": "site"}
    store.write("pseudo__section", NIGHT, rows(catalog, "pseudo__section", section))
    chunk = {
        "vault__access": rows(catalog, "vault__access", {"line_n": 1, "path": "/news/1", "ip": "203.0.113.77"}),
        "vault__agent": rows(catalog, "vault__agent"),
    }
    (found,) = engine.run("pseudo__access", NIGHT, chunk).to_pylist()
    assert (found["section_id"], found["network"]) == ("news", "203.0.113.0/24")


def test_a_chunk_must_be_given_must_be_read_and_must_fit(engine: DuckEngine, catalog: Catalog) -> None:
    with pytest.raises(ConfigurationError, match=r"engine\.in_memory"):
        engine.run("pseudo__access", NIGHT)
    with pytest.raises(ConfigurationError, match=r"engine\.relation"):
        engine.run("pseudo__login", NIGHT, {"vault__access": rows(catalog, "vault__access")})
    with pytest.raises(ConfigurationError, match=r"tables\.contract"):
        engine.run("pseudo__login", NIGHT, {"vault__login": pa.table({"cookie_id": ["a"]})})


def test_a_table_without_a_statement_is_refused(engine: DuckEngine) -> None:
    with pytest.raises(ConfigurationError, match=r"engine\.no_query"):
        engine.build("pseudo__section", NIGHT)


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("select cookie_key, member_key, login_at from pseudo__login", "login_date"),
        ("select member_key, cookie_key, login_at, login_date from pseudo__login", "another order"),
        ("select cookie_key, member_key, login_at, 1 as login_date from pseudo__login", "login_date"),
    ],
)
def test_a_result_that_is_not_the_contract_is_refused(
    store: Store, policy: Policy, keys: KeyRing, statement: str, says: str
) -> None:
    engine = another(store, policy, keys, "pseudo__login", statement)
    with pytest.raises(ConfigurationError, match=rf"engine\.contract.*{says}"):
        engine.build("pseudo__login", NIGHT)
    assert not store.files("pseudo__login", NIGHT)


def everything_told(error: BaseException) -> str:
    told = "".join(traceback.format_exception(error))
    while error.__context__ is not None:
        error = error.__context__
        told += repr(error)
    return told


def test_errors_name_the_table_and_quote_no_value(
    store: Store, policy: Policy, keys: KeyRing, catalog: Catalog
) -> None:
    statement = "select cookie_key, member_key, login_at, cast(member_key as date) as login_date from pseudo__login"
    store.write("pseudo__login", NIGHT, rows(catalog, "pseudo__login", login(MARKER, 1)))
    engine = another(store, policy, keys, "pseudo__login", statement)
    with pytest.raises(QuorumError, match="pseudo__login") as caught:
        engine.build("pseudo__login", NIGHT)
    assert MARKER not in everything_told(caught.value)
    assert caught.value.__context__ is None


def test_errors_of_statements_in_memory_quote_no_value(engine: DuckEngine) -> None:
    given = {"given": pa.table({"line": [MARKER]})}
    for statement in (
        "SELECT CAST(line AS INTEGER) FROM given",
        f"SELECT '{MARKER}' FROM nowhere",
        f"SELEC '{MARKER}'",
    ):
        with pytest.raises(QuorumError) as caught:
            engine.query(statement, given)
        assert MARKER not in everything_told(caught.value)


def test_names_given_to_one_statement_are_gone_in_the_next(engine: DuckEngine) -> None:
    assert engine.query("SELECT a FROM given", {"given": pa.table({"a": [1]})}).num_rows == 1
    with pytest.raises(ConfigurationError):
        engine.query("SELECT a FROM given", {})


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM read_text('{inside}')",
        "COPY (SELECT 1) TO '{outside}'",
        "SET enable_external_access = true",
        "SET temp_directory = '/tmp'",
        "INSTALL httpfs",
        "ATTACH '{outside}' AS other",
    ],
)
def test_the_database_that_reads_the_vault_opens_no_file(engine: DuckEngine, home: Home, statement: str) -> None:
    inside = home.warehouse / "note.txt"
    inside.parent.mkdir(parents=True, exist_ok=True)
    inside.write_text("x", encoding="utf-8")
    outside = home.tmp / "outside.csv"
    with pytest.raises(QuorumError):
        engine.query(statement.format(inside=inside, outside=outside), {})
    assert not outside.exists()


def test_the_other_database_opens_the_warehouse_only_and_holds_no_key(
    store: Store, policy: Policy, keys: KeyRing, tmp_path: Path
) -> None:
    outside = tmp_path / "outside.parquet"
    duckdb.execute(f"COPY (SELECT 1 AS a) TO '{outside}'")
    columns = (
        "'a' as cookie_key, 'b' as member_key, cast(null as timestamp) as login_at, cast(null as date) as login_date"
    )
    keyed = columns.replace("'a' as", "pseudonym_cookie('a') as")
    for statement, rule in (
        (f"select {columns} from read_parquet('{outside}')", "PermissionException"),
        (f"select {keyed} from pseudo__login", "engine.statement"),
    ):
        engine = another(store, policy, keys, "pseudo__login", statement)
        with pytest.raises(QuorumError, match=rule):
            engine.run("pseudo__login", NIGHT)


def test_sealed_work_never_spills(store: Store, policy: Policy, keys: KeyRing, home: Home) -> None:
    engine = DuckEngine(store, policy, keys, memory_limit="60MB", threads=1)
    with pytest.raises(ConfigurationError, match=r"engine\.memory"):
        engine.query(
            "SELECT max(n) FROM (SELECT row_number() OVER (ORDER BY sha256(CAST(r AS VARCHAR))) AS n "
            "FROM (SELECT unnest(range(1000000)) AS r))",
            {},
        )
    engine.close()
    assert not list(home.tmp.iterdir())
