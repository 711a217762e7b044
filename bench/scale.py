"""What a night moves on Spark, by table and size: shuffled bytes, and seconds of the executors' own accounting.

What belongs here: nights of growing portals on Spark, and sums over Spark's event log. What does not: reading the
figures (`docs/scale.md`).

    python -m bench.scale FOLDER [--events 30000 100000 300000]

Runs ``quorum nightly --engine spark`` on a generated portal of each size, one night each, with Spark's event log on;
prints a line of JSON for each size and table. Seconds are CPU seconds of tasks, and hold on one machine only.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from quorum.sample import write_sample

NIGHT = date(2026, 11, 21)
ROOT = Path(__file__).resolve().parents[1]
_EVENTS_A_MEMBER = 10
_NANO = 1_000_000_000


@dataclass
class Moved:
    """What the stages of one table's statement did.

    Args:
        shuffled: bytes that were written for other tasks.
        spilled: bytes that did not fit into memory.
        read: bytes of Parquet.
        seconds: CPU seconds of tasks.
        largest: the most bytes that one task shuffled.
        stages: how many.
    """

    shuffled: int = 0
    spilled: int = 0
    read: int = 0
    seconds: float = 0.0
    largest: int = 0
    stages: int = 0


def run_night(folder: Path, events: int) -> Path:
    """Run one night on Spark and return the folder of Spark's event log."""
    landing, home, logs, conf = (folder / name for name in ("landing", "home", "events", "conf"))
    members = max(200, events // _EVENTS_A_MEMBER)
    write_sample(
        landing, last=NIGHT, days=1, members=members, events=events, campaigns=20, recipients=6, ctr=0.01, seed=1
    )
    logs.mkdir(parents=True), conf.mkdir()
    lines = ("spark.eventLog.enabled true", f"spark.eventLog.dir {logs.as_uri()}", "spark.eventLog.compress false")
    (conf / "spark-defaults.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    environ = {
        **os.environ,
        "SPARK_CONF_DIR": str(conf),
        "QUORUM_MASTER_KEY": "5a" * 32,
        "QUORUM_SPARK_MASTER": "local[2]",
    }
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", "nightly", "--date", NIGHT.isoformat()]
    given = ["--landing", str(landing), "--home", str(home), "--engine", "spark"]
    subprocess.run([*command, *given], cwd=ROOT, env=environ, check=True, stdout=subprocess.DEVNULL)
    return logs


def moved(logs: Path) -> dict[str, Moved]:
    """Return what was moved by table, from an event log."""
    found: dict[str, Moved] = {}
    whose: dict[int, str] = {}
    for event in _events(logs):
        if event["Event"] == "SparkListenerStageSubmitted":
            whose[event["Stage Info"]["Stage ID"]] = event.get("Properties", {}).get("spark.jobGroup.id", "")
        elif event["Event"] == "SparkListenerTaskEnd" and event.get("Task Metrics"):
            table = whose.get(event["Stage ID"], "")
            _add(found.setdefault(table, Moved()), event["Task Metrics"])
        elif event["Event"] == "SparkListenerStageCompleted":
            found.setdefault(whose.get(event["Stage Info"]["Stage ID"], ""), Moved()).stages += 1
    return found


def _add(sums: Moved, metrics: dict[str, object]) -> None:
    shuffle, read = _numbers(metrics["Shuffle Write Metrics"]), _numbers(metrics["Input Metrics"])
    own = _numbers(metrics)
    sums.shuffled += shuffle["Shuffle Bytes Written"]
    sums.largest = max(sums.largest, shuffle["Shuffle Bytes Written"])
    sums.spilled += own["Disk Bytes Spilled"]
    sums.read += read["Bytes Read"]
    sums.seconds += own["Executor CPU Time"] / _NANO


def _numbers(metrics: object) -> dict[str, int]:
    return {name: value for name, value in dict(metrics).items() if isinstance(value, int)}  # type: ignore[call-overload]


def _events(logs: Path) -> Iterator[dict[str, object]]:
    for path in sorted(path for path in logs.rglob("*") if path.is_file()):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("{"):
                yield json.loads(line)


def main() -> None:
    """Run and tell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, nargs="+", default=[30_000, 100_000, 300_000])
    given = parser.parse_args()
    for events in given.events:
        logs = run_night((given.folder / str(events)).absolute(), events)
        for table, sums in sorted(moved(logs).items()):
            sys.stdout.write(json.dumps({"events": events, "table": table, **vars(sums)}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
