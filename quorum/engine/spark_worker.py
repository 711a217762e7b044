"""Runs statements on Spark for another process; `quorum.engine.spark_client` starts it, with Spark's own Python.

What belongs here: the session, and one loop over standard input and output. It imports pyspark and the standard library
alone, for Spark has an environment of its own. What does not: where tables lie, what statements say, and any value of
a row: errors go back as the name of their class.

A request is a line of JSON: ``{"what", "statement", "parents": [{"relation", "files", "columns": [[name, type], ...],
"condition"}], "target"}``; types are Spark's. The answer is a line: ``{"done": true}`` or ``{"failed": error class}``.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def main() -> None:
    """Answer requests until the input ends."""
    settings = json.loads(sys.stdin.readline())
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")  # whatever Spark prints must not look like an answer
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    session = _session(settings)
    for relation, files in settings["relations"].items():
        session.read.parquet(*files).createOrReplaceTempView(relation)
    print(json.dumps({"ready": session.version}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            answer = _answer(session, json.loads(line))
        except Exception as error:  # whatever it is, its text may quote a row
            answer = {"failed": type(error).__name__}
        print(json.dumps(answer), file=answers, flush=True)
    session.stop()


def _session(settings: dict[str, Any]) -> SparkSession:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("quorum").master(settings["master"])
    for name, value in settings["conf"].items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    return session


def _answer(session: SparkSession, request: dict[str, Any]) -> dict[str, Any]:
    from pyspark.sql.types import StructType

    views = []
    session.sparkContext.setJobGroup(request["what"], request["what"])  # Spark's own log tells stages by it
    try:
        for parent in request["parents"]:
            schema = StructType.fromDDL(", ".join(f"`{name}` {kind}" for name, kind in parent["columns"]))
            reader = session.read.schema(schema)
            rows = reader.parquet(*parent["files"]) if parent["files"] else session.createDataFrame([], schema)
            if parent["condition"] is not None:
                rows = rows.where(parent["condition"])
            rows.createOrReplaceTempView(parent["relation"])
            views.append(parent["relation"])
        session.sql(request["statement"]).write.mode("overwrite").option("compression", "zstd").parquet(
            request["target"]
        )
        return {"done": True}
    finally:
        for view in views:
            session.catalog.dropTempView(view)


if __name__ == "__main__":
    main()
