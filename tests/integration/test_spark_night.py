"""A night on Spark has the cubes, safe tables and packages of the embedded engine, to the byte; errors say nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from quorum.engine.choose import open_engine
from quorum.engine.spark import SparkEngine
from quorum.engine.spark_client import SparkSettings
from quorum.engine.store import Store
from quorum.errors import ConfigurationError, QuorumError
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.sample import write_sample
from quorum.tables import Catalog
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
ROOT = Path(__file__).resolve().parents[2]
PYTHON = Path(os.environ.get("QUORUM_SPARK_PYTHON") or ROOT / ".venv-spark" / "bin" / "python")
MARKER = "taro@portal.example"


def _night(engine: str, landing: Path, home: Path) -> dict[str, bytes]:
    environ = {**os.environ, "QUORUM_MASTER_KEY": "5a" * 32, "QUORUM_SPARK_MASTER": "local[2]"}
    command = [str(Path(sys.executable).with_name("quorum")), "nightly", "--date", NIGHT.isoformat(), "--json"]
    given = ["--landing", str(landing), "--home", str(home), "--engine", engine]
    done = subprocess.run([*command, *given], cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)
    assert (done.returncode, told["engine"], told["errors"]) == (0, engine, [])
    assert {release["status"] for release in told["releases"]} == {"published"}
    zones = (home / "warehouse" / "cube", home / "warehouse" / "safe", home / "out")
    return {
        str(path.relative_to(home)): path.read_bytes()
        for zone in zones
        for path in sorted(zone.rglob("*"))
        if path.is_file()
    }


@pytest.mark.slow
@pytest.mark.spark
def test_a_night_on_spark_is_the_same_to_the_byte(tmp_path: Path) -> None:
    landing = tmp_path / "landing"
    write_sample(landing, last=NIGHT, days=1, members=400, events=4000, campaigns=3, recipients=5, ctr=0.05, seed=11)
    embedded, spark = (_night(engine, landing, tmp_path / engine) for engine in ("duckdb", "spark"))
    assert len(embedded) > 20
    assert embedded == spark


@pytest.fixture
def store(home: Home, catalog: Catalog, keys: KeyRing) -> Store:
    return Store(home, catalog, keys)


@pytest.mark.slow
@pytest.mark.spark
def test_what_spark_says_of_a_failure_is_not_told(store: Store, policy: Policy, keys: KeyRing) -> None:
    query = "select campaign_id, cast(campaign_id as bigint) as n from pseudo__campaign"
    broken = replace(store.catalog["seg__first_night"], query=query)
    tables = {**store.catalog.tables, "seg__first_night": broken}
    engine = SparkEngine(
        Store(store.home, Catalog(tables), keys), policy, keys, SparkSettings(PYTHON, "local[1]", "1g", store.home.tmp)
    )
    try:
        schema = store.catalog["pseudo__campaign"].arrow_schema()
        row = pa.Table.from_pylist([{"campaign_id": MARKER}], schema=schema)
        with pytest.raises(QuorumError, match="seg__first_night") as failed:
            engine.run("seg__first_night", NIGHT, {"pseudo__campaign": row})
        assert MARKER not in str(failed.value)
    finally:
        engine.close()


def test_an_environment_without_spark_is_refused(store: Store, policy: Policy, keys: KeyRing) -> None:
    python = Path(sys.executable)
    engine = SparkEngine(store, policy, keys, SparkSettings(python, "local[1]", "1g", store.home.tmp))
    try:
        with pytest.raises(ConfigurationError, match="make spark-setup"):
            engine.run("seg__first_night", NIGHT, {})
    finally:
        engine.close()


def test_without_an_environment_there_is_no_such_engine(store: Store, policy: Policy, keys: KeyRing) -> None:
    with pytest.raises(ConfigurationError, match="make spark-setup"):
        open_engine("spark", store, policy, keys, {"QUORUM_SPARK_PYTHON": "nowhere"})
    with pytest.raises(ConfigurationError, match="duckdb or spark"):
        open_engine("abacus", store, policy, keys, {})
