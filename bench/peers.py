"""Quorum beside what people would use instead: in one run, on the same files, equal results, medians.

What belongs here: inputs, which contenders do which task, comparison, the page. What does not: how a task is done
(`bench.own`, `bench.peer`, `bench.peer_logs`).

    python -m bench.peers FOLDER [--events 10000000] [--runs 5]

FOLDER is that of `bench.limit`, with a night of that size. A contender is a process from its start to its answer on
disk. Contenders take turns, so that a busy machine slows all of them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bench.chart import Bar, bar_chart
from bench.clock import NIGHT, Use, run
from bench.limit import check_equal
from bench.night import ROOT
from bench.page import table, write_section
from bench.peer_logs import (
    goaccess_command,
    goaccess_counts,
    matomo_command,
    matomo_recorded,
    one_site,
    write_combined,
)

OTHERS = ROOT / ".venv-bench" / "bin" / "python"
CHART = ROOT / "docs" / "benchmarks_peers.svg"
PEOPLE = 1_000_000
_MB = 1_000_000
_OWN = "Quorum"

Answer = Mapping[str, Any]


@dataclass(frozen=True)
class Contender:
    """A program that does a task.

    Args:
        name: as the page says it.
        command: empty if it is not installed.
        answer: what it counted, from what it printed.
        own: of Quorum's answer what must equal that; all of it if None.
    """

    name: str
    command: Sequence[str | Path]
    answer: Callable[[str], Answer]
    own: Callable[[Answer], Answer] | None = None


@dataclass(frozen=True)
class Task:
    """A task and who does it; Quorum is the first.

    Args:
        name: as the page says it.
        contenders: in the order of their turns.
    """

    name: str
    contenders: Sequence[Contender]


@dataclass(frozen=True)
class Measured:
    """What a contender used in each run; nothing if it is not installed."""

    task: str
    name: str
    uses: Sequence[Use]

    def middle(self, what: str) -> float:
        """Return the median of ``wall``, ``cpu`` or ``peak``."""
        return float(median(getattr(use, what) for use in self.uses))


def compete(task: Task, runs: int) -> list[Measured]:
    """Run all contenders of a task in turns and check each answer against Quorum's own.

    Raises:
        ValueError: two answers differ.
    """
    there = [contender for contender in task.contenders if contender.command]
    uses: dict[str, list[Use]] = {contender.name: [] for contender in task.contenders}
    for _ in range(runs):
        own: Answer = {}
        for contender in there:
            use, told = run(contender.command)
            answer = contender.answer(told)
            own = own or answer
            check_equal(contender.own(own) if contender.own else own, answer)
            uses[contender.name].append(use)
    return [Measured(task.name, name, found) for name, found in uses.items()]


def log_task(folder: Path, landing: Path, port: int) -> Task:
    """Return the task of reading an access log and counting its requests by status."""
    log, answer = folder / "combined.log", folder / "goaccess.json"
    lines = write_combined(landing / NIGHT.isoformat(), log)
    own: list[str | Path] = [sys.executable, "-m", "bench.own", "log", log]
    return Task(
        f"parse {lines:,} lines of an access log and count them",
        (
            Contender(f"{_OWN} (`quorum.intake.access`)", own, _object),
            Contender(
                "GoAccess",
                goaccess_command(log, answer),
                lambda _: {"failed": 0} | goaccess_counts(answer.read_text(encoding="utf-8")),
            ),
            Contender(
                "Matomo's import_logs.py, dry",
                matomo_command(log, port),
                lambda told: {"recorded": matomo_recorded(told)},
                own=lambda counts: {"recorded": sum(n for status, n in counts.items() if status != "failed")},
            ),
        ),
    )


def cube_task(home: Path) -> Task:
    """Return the task of a cube with exact distinct people and its margins."""
    events, people = (_only(home, name) for name in ("seg__ad_event", "seg__person_day"))
    rows = pq.ParquetFile(events).metadata.num_rows
    others = [
        Contender(name, _other(task, events, people), _cells)
        for name, task in (("pandas", "pandas"), ("Polars", "polars"), ("chDB", "chdb"))
    ]
    own: list[str | Path] = [sys.executable, "-m", "bench.own", "cube", events, people]
    statement = Contender(f"{_OWN} (`cube__audience_age_gender`)", own, _cells)
    return Task(f"campaign by age and gender, exact people, {rows:,} events", (statement, *others))


def measure_task(folder: Path, people: int) -> Task:
    """Return the task of k, l and t."""
    microdata = folder / "microdata.parquet"
    pq.write_table(make_microdata(people), microdata)
    own: list[str | Path] = [sys.executable, "-m", "bench.own", "measures", microdata]
    return Task(
        f"k, l and t of {people:,} people",
        (
            Contender(f"{_OWN} (`quorum.measure`)", own, _numbers),
            Contender("pycanon", _other("pycanon", microdata), _numbers),
        ),
    )


def make_microdata(people: int, seed: int = 1) -> pa.Table:
    """Return people with three quasi-identifiers and an occupation, drawn at random, not all alike."""
    draw = np.random.default_rng(seed)

    def texts(name: str, n: int) -> pa.Array:
        weights = 1 / np.arange(3, n + 3)
        return pa.array([f"{name}{i:02}" for i in range(n)]).take(
            pa.array(draw.choice(n, people, p=weights / weights.sum()))
        )

    kinds = {"age_band": 8, "gender": 3, "prefecture": 47, "occupation": 10}
    return pa.table({name: texts(name, n) for name, n in kinds.items()})


def section(found: Sequence[Measured]) -> str:
    """Return the section of the page: ratios are of medians, and above 1 where Quorum needs less."""
    own = {each.task: each for each in reversed(found) if each.name.startswith(_OWN)}
    lines = []
    for each in found:
        if not each.uses:
            lines.append([each.task, each.name, "not installed", *[""] * 4])
            continue
        ratios = [f"{each.middle(what) / own[each.task].middle(what):.1f}" for what in ("cpu", "wall")]
        numbers = [f"{each.middle('cpu'):.2f}", f"{each.middle('wall'):.2f}", f"{each.middle('peak') / _MB:,.0f}"]
        lines.append([each.task, each.name, *numbers, *ratios])
    heads = ["task", "with", "CPU s", "wall s", "MB", "CPU, times Quorum's", "wall, times"]
    return table(heads, lines, words=2) + f"\n![CPU seconds by task and program]({CHART.name})\n"


def chart(found: Sequence[Measured]) -> str:
    """Return the chart of CPU seconds."""
    bars = [Bar(each.task, each.name.replace("`", ""), each.middle("cpu")) for each in found if each.uses]
    return bar_chart(bars, "CPU seconds, logarithmic, medians")


def _only(home: Path, name: str) -> Path:
    return home / "warehouse" / "seg" / name / f"date={NIGHT.isoformat()}" / "part.parquet"


def _other(*arguments: str | Path) -> list[str | Path]:
    return [OTHERS, "-m", "bench.peer", *arguments] if OTHERS.is_file() else []


def _object(told: str) -> Answer:
    return dict(json.loads(told))


def _cells(told: str) -> Answer:
    """Return cells by their coordinates; a cell of conversions alone is none here."""
    return {" ".join(row[:3]): row[3:] for row in json.loads(told) if any(row[3:])}


def _numbers(told: str) -> Answer:
    return dict(zip(("k", "l", "t"), json.loads(told)[0], strict=True))


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and write section and chart."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--events", type=int, default=10_000_000)
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--runs", type=int, default=5)
    given = parser.parse_args(arguments)
    folder = given.folder.absolute() / str(given.events)
    found = []
    with one_site() as port:
        tasks = (log_task(folder, folder / "landing", port), cube_task(folder / "home"))
        for task in (*tasks, measure_task(folder, given.people)):
            found += compete(task, given.runs)
    write_section("peers", section(found))
    CHART.write_text(chart(found), encoding="utf-8")


if __name__ == "__main__":
    main()
