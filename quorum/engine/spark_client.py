"""The other end of `quorum.engine.spark_worker`: a process of Spark's own environment, spoken to line by line.

What belongs here: starting it, asking, ending it. What does not: statements (`quorum.engine.spark_sql`), tables
(`quorum.engine.spark`).
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quorum.errors import ConfigurationError, QuorumError

_WORKER = Path(__file__).with_name("spark_worker.py")
_SPARK_TYPES = {
    "VARCHAR": "STRING",
    "BIGINT": "BIGINT",
    "INTEGER": "INT",
    "DATE": "DATE",
    "TIMESTAMP": "TIMESTAMP_NTZ",
    "BOOLEAN": "BOOLEAN",
    "BLOB": "BINARY",
}


@dataclass(frozen=True)
class SparkSettings:
    """How Spark is run.

    Args:
        python: the Python of an environment that holds pyspark.
        master: e.g. ``local[*]``, ``spark://host:7077``, ``yarn``.
        memory: of the driver, e.g. ``3g``.
        scratch: where it may spill what is pseudonymous.
    """

    python: Path
    master: str
    memory: str
    scratch: Path

    def conf(self) -> dict[str, str]:
        """Return Spark's settings: no page of its own, loopback for what is local, nothing guessed from values."""
        own = {
            "spark.ui.enabled": "false",
            "spark.driver.memory": self.memory,
            "spark.local.dir": str(self.scratch),
            "spark.sql.warehouse.dir": str(self.scratch / "spark-warehouse"),
            "spark.sql.session.timeZone": "Asia/Tokyo",
            "spark.sql.ansi.enabled": "true",
            "spark.sql.timestampType": "TIMESTAMP_NTZ",
            "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
        }
        if self.master.startswith("local"):
            own |= {
                "spark.driver.host": "127.0.0.1",
                "spark.driver.bindAddress": "127.0.0.1",
                "spark.sql.shuffle.partitions": str(os.cpu_count() or 1),
            }
        return own


@dataclass(frozen=True)
class Parent:
    """A relation that a statement reads.

    Args:
        relation: its name in the statement.
        files: Parquet files.
        columns: name and type as of the catalogue.
        condition: on its rows, in Spark's SQL; None for all rows.
    """

    relation: str
    files: Sequence[Path]
    columns: Sequence[tuple[str, str]]
    condition: str | None = None

    def as_record(self) -> dict[str, object]:
        """Return it as the worker reads it."""
        return {
            "relation": self.relation,
            "files": [str(path.absolute()) for path in self.files],
            "columns": [[name, _SPARK_TYPES[kind]] for name, kind in self.columns],
            "condition": self.condition,
        }


class SparkClient:
    """One Spark session in another process, started when it is first asked.

    Args:
        settings: how it is run.
        relations: policy relations, by name: Parquet files that every statement may read.

    Guarantee:
        What fails is told by table and by class of error; what Spark says of it, which may quote a row, is not read.
    """

    def __init__(self, settings: SparkSettings, relations: Mapping[str, Sequence[Path]]) -> None:
        self._settings, self._relations = settings, relations
        self._process: subprocess.Popen[str] | None = None

    def select(self, what: str, statement: str, parents: Sequence[Parent], target: Path) -> None:
        """Run a statement and write its rows, in order, as Parquet files below a folder.

        Args:
            what: for messages, e.g. the table.
            statement: in Spark's SQL.
            parents: what it reads.
            target: a folder; replaced.

        Raises:
            ConfigurationError: Spark's environment is not there or does not start.
            QuorumError: the statement failed.
        """
        asked = {
            "what": what,
            "statement": statement,
            "parents": [parent.as_record() for parent in parents],
            "target": str(target.absolute()),
        }
        answer = self._ask(asked)
        if "done" not in answer:
            raise QuorumError("engine.failed", f"{what} ({answer.get('failed', 'Spark ended')})")

    def close(self) -> None:
        """End the session; does nothing if there is none."""
        if self._process is not None and self._process.stdin is not None and self._process.stdout is not None:
            self._process.stdin.close()
            self._process.wait()
            self._process.stdout.close()
        self._process = None

    def _ask(self, request: Mapping[str, object]) -> dict[str, object]:
        if self._process is None:
            self._process = self._start()
            first = {
                "master": self._settings.master,
                "conf": self._settings.conf(),
                "relations": {n: [str(path.absolute()) for path in files] for n, files in self._relations.items()},
            }
            if "ready" not in self._exchange(first):
                self.close()
                raise ConfigurationError(
                    "engine.spark", "Spark does not start", "Java 17 and .venv-spark", "make spark-setup"
                )
        return self._exchange(request)

    def _start(self) -> subprocess.Popen[str]:
        self._settings.scratch.mkdir(parents=True, exist_ok=True)
        environment = {k: v for k, v in os.environ.items() if not k.startswith("QUORUM_MASTER_KEY")}
        return subprocess.Popen(  # noqa: S603 - a path of the settings, no shell
            [str(self._settings.python), "-I", str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            text=True,
            encoding="utf-8",
        )

    def _exchange(self, request: Mapping[str, object]) -> dict[str, object]:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return {}
        try:
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
            answer: dict[str, object] = json.loads(process.stdout.readline() or "{}")
        except (BrokenPipeError, ValueError):
            return {}
        return answer
