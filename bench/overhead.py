"""What Dagster costs a night: the same steps in the same order, with it and without it, in CPU seconds of one process.

Usage: python -m bench.overhead LANDING NIGHT [REPEATS]. Every run has a home of its own in a temporary folder; medians.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from time import process_time
from typing import Any

from assets import cube, extract, pseudo, safe, seg, vault
from assets.blueprint import EXPECTATIONS, Blueprint
from assets.checks import judge
from assets.data_docs import keep_result
from assets.suites import load_suites
from assets.told import people_metric
from pipelines.night_page import with_pages
from pipelines.outcome import Outcome
from pipelines.partitions import daily
from pipelines.progress import NightProgress
from pipelines.run import open_nights
from pipelines.settings import ROOT, Settings
from quorum.workspace import Workspace, locked_workspace
from quorum.zones import Home


@dataclass(frozen=True)
class Plain(Blueprint):
    """Keeps the work of each step instead of drawing assets of it."""

    steps: dict[str, tuple[Sequence[str], Any]] = field(default_factory=dict)

    def step(self, name: str, tables: Sequence[str], work: Any, **_: Any) -> Any:
        """Keep the work of a step."""
        self.steps[name] = (tables, work)


def with_dagster(settings: Settings, night: date) -> tuple[float, list[str]]:
    with open_nights(settings, [night], NightProgress(None)) as nights:
        vars(nights)["_job"] = nights._job  # drawing the job is the start, not the night
        began = process_time()
        done = nights.run(night)
        spent = process_time() - began
    if done.exit_code:
        sys.exit(f"the night failed: {done.errors}")
    return spent, [str(stage["name"]) for stage in done.stages]


def without(settings: Settings, night: date, order: Sequence[str]) -> float:
    with locked_workspace(Home(settings.home), settings.required_landing(), settings.policy, os.environ) as workspace:
        suites = load_suites(ROOT / EXPECTATIONS, workspace.catalog)
        plan = Plain(workspace.catalog, suites, daily(night), workspace.gate.flows)
        for zone in (vault, pseudo, seg, cube, safe, extract):
            zone.assets(plan)
        judge(suites["seg__traffic"], dict.fromkeys(suites["seg__traffic"].metrics, 0))  # the framework's import
        began = process_time()
        for name in order:
            if name in plan.steps:
                _step(workspace, night, plan, name)
        releases = [release.as_record() for release in workspace.publish(night)]
        with_pages(workspace, Outcome(night, "duckdb", 0.0, [], workspace.ledger.accounting(night), releases))
        return process_time() - began


def _step(workspace: Workspace, night: date, plan: Plain, name: str) -> None:
    tables, work = plan.steps[name]
    work(workspace, night)
    for table in tables:
        suite, people = plan.suites[table], people_metric(plan.catalog[table])
        profile = workspace.profile(table, night, ("row_n", *suite.metrics, *([people] if people else [])))
        keep_result(workspace.home.docs, night, judge(suite, profile), profile)


def main(landing: Path, night: date, repeats: int) -> None:
    os.environ.setdefault("QUORUM_MASTER_KEY", "a7" * 32)
    spent: dict[str, list[float]] = {"with": [], "without": []}
    step_n = 0
    for _ in range(repeats + 1):
        with tempfile.TemporaryDirectory(prefix="quorum-overhead-") as folder:
            one, other = (
                Settings(Path(folder, name), landing.absolute(), ROOT / "policy", "duckdb") for name in ("one", "other")
            )
            seconds, order = with_dagster(one, night)
            spent["with"].append(seconds)
            spent["without"].append(without(other, night, order))
            step_n = len(order)
    slow, plain = (statistics.median(spent[name][1:]) for name in ("with", "without"))  # the first run warms up
    print(f"{step_n} steps, CPU: with Dagster {slow:.1f} s, without {plain:.1f} s, ratio {slow / plain:.2f}, ", end="")
    print(f"{(slow - plain) / step_n:.3f} s a step; allowed: {1.3 * plain + 0.3 * step_n:.1f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]), date.fromisoformat(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 3)
