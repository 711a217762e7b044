"""Where a night spends its time: profiles of its slowest stages, for those who make it faster.

What belongs here: a workspace whose stages are profiled, and the files. What does not: what an operator costs
(`quorum.engine.operators`). Dagster's own time lies between stages and is not in them.
"""

from __future__ import annotations

import cProfile
import io
import json
import pstats
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import TypeVar

from quorum.engine.duck import DuckEngine
from quorum.engine.operators import Operators
from quorum.intake import Accounting
from quorum.release.gate import Release
from quorum.workspace import Workspace

FOLDER = "profile"
SLOWEST = 5
_FUNCTIONS = 40

Made = TypeVar("Made")


@dataclass(frozen=True)
class Stage:
    """A stage that was done.

    Args:
        name: the work and what it was about, e.g. ``build-seg__event``.
        night: the night.
        profile: Python's.
        seconds: of all its functions.
        table: the table that was built; empty for other stages.
    """

    name: str
    night: date
    profile: pstats.Stats
    seconds: float
    table: str = ""


@dataclass(frozen=True)
class ProfiledWorkspace(Workspace):
    """A workspace that remembers what its stages cost.

    Args:
        stages: what was done so far.
    """

    stages: list[Stage] = field(default_factory=list)

    def take_in(self, source: str, night: date) -> list[Accounting]:
        """As `Workspace.take_in`, profiled."""
        return self._profiled(f"take_in-{source}", night, lambda: Workspace.take_in(self, source, night))

    def build(self, table: str, night: date) -> None:
        """As `Workspace.build`, profiled."""
        self._profiled(f"build-{table}", night, lambda: Workspace.build(self, table, night), table)

    def make_safe(self, night: date) -> list[Release]:
        """As `Workspace.make_safe`, profiled."""
        return self._profiled("make_safe", night, lambda: Workspace.make_safe(self, night))

    def publish(self, night: date) -> list[Release]:
        """As `Workspace.publish`, profiled."""
        return self._profiled("publish", night, lambda: Workspace.publish(self, night))

    def _profiled(self, name: str, night: date, work: Callable[[], Made], table: str = "") -> Made:
        profile = cProfile.Profile()
        try:
            return profile.runcall(work)
        finally:
            stats = pstats.Stats(profile)
            self.stages.append(Stage(name, night, stats, stats.total_tt, table))  # type: ignore[attr-defined]


@contextmanager
def profiled(workspace: Workspace) -> Iterator[Workspace]:
    """Give a workspace whose stages are profiled; write the profiles of the slowest at the end.

    Statements that Spark runs have no profile here; Spark keeps an event log of its own.
    """
    operators: dict[str, Operators] = {}
    given = {each.name: getattr(workspace, each.name) for each in fields(workspace)}
    engine = None
    if isinstance(workspace.engine, DuckEngine):
        engine = given["engine"] = DuckEngine(workspace.store, workspace.policy, workspace.keys, profiles=operators)
    opened = ProfiledWorkspace(**given)
    try:
        yield opened
    finally:
        if engine is not None:
            engine.close()
        write_profiles(workspace.home.docs / FOLDER, opened.stages, operators)


def write_profiles(folder: Path, stages: Sequence[Stage], operators: dict[str, Operators]) -> None:
    """Write the profiles of each night's slowest stages, the slowest first.

    Args:
        folder: one folder a night is written below it.
        stages: of one or several nights.
        operators: table to what its statement's operators cost.
    """
    for night in sorted({stage.night for stage in stages}):
        below = folder / night.isoformat()
        below.mkdir(parents=True, exist_ok=True)
        own = sorted((stage for stage in stages if stage.night == night), key=lambda stage: -stage.seconds)
        lines = [f"{stage.seconds:9.3f} s  {stage.name}" for stage in own]
        (below / "stages.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for place, stage in enumerate(own[:SLOWEST], 1):
            (below / f"{place}-{stage.name}.txt").write_text(_told(stage), encoding="utf-8")
            if stage.table in operators:
                told = json.dumps(operators[stage.table], indent=1)
                (below / f"{place}-{stage.name}.duckdb.json").write_text(told + "\n", encoding="utf-8")


def _told(stage: Stage) -> str:
    """Return the functions that a stage spent most in; without folders, which are this machine's."""
    out = io.StringIO()
    stage.profile.stream = out  # type: ignore[attr-defined]
    stage.profile.strip_dirs().sort_stats("cumulative").print_stats(_FUNCTIONS)
    return out.getvalue().lstrip()
