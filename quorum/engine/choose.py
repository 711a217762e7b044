"""Which engine runs the statements, and what every engine can do.

What belongs here: the interface that callers hold, and making the engine that was asked for. What does not: engines.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.errors import ConfigurationError
from quorum.keys import KeyRing
from quorum.policy import Policy

DUCKDB, SPARK = ENGINES = ("duckdb", "spark")
_CHECKOUT = Path(__file__).resolve().parents[2]


class Engine(Protocol):
    """Runs the statements of ``sql/``: the same rows on any engine, in the same order where a statement orders them."""

    def build(self, table: str, night: date) -> int:
        """Run a table's statement for a night and write its partition; return its rows."""

    def run(self, table: str, night: date, relations: Mapping[str, pa.Table] = ...) -> pa.Table:
        """Run a table's statement for a night on given or stored parents and return its rows."""

    def query(self, sql: str, relations: Mapping[str, pa.Table]) -> pa.Table:
        """Run a statement of the library's own on given rows, in memory."""

    def query_stored(self, sql: str, night: date, tables: Mapping[str, str]) -> pa.Table:
        """Run a statement of the library's own on stored rows of a night, of tables that are not sealed."""

    def close(self) -> None:
        """Give back what it holds."""


def open_engine(name: str, store: Store, policy: Policy, keys: KeyRing, environ: Mapping[str, str]) -> Engine:
    """Return the engine of a name.

    Args:
        name: ``duckdb`` or ``spark``.
        store: partitions, and the contracts.
        policy: key sets.
        keys: for pseudonyms.
        environ: the process environment: ``QUORUM_SPARK_PYTHON`` (default ``.venv-spark/bin/python`` of the checkout),
            ``QUORUM_SPARK_MASTER`` (``local[*]``), ``QUORUM_SPARK_MEMORY`` (``3g``).

    Raises:
        ConfigurationError: there is no engine of that name, or no environment for it.
    """
    if name == DUCKDB:
        return DuckEngine(store, policy, keys)
    if name != SPARK:
        raise ConfigurationError("engine.name", f"engine {name}", " or ".join(ENGINES), "choose one of them")
    from quorum.engine.spark import SparkEngine
    from quorum.engine.spark_client import SparkSettings

    python = Path(environ.get("QUORUM_SPARK_PYTHON") or _CHECKOUT / ".venv-spark" / "bin" / "python").expanduser()
    if not python.exists():
        raise ConfigurationError("engine.spark", "no environment of Spark", "its Python", "make spark-setup")
    settings = SparkSettings(
        python,
        environ.get("QUORUM_SPARK_MASTER") or "local[*]",
        environ.get("QUORUM_SPARK_MEMORY") or "3g",
        store.home.tmp,
    )
    return SparkEngine(store, policy, keys, settings)
