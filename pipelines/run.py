"""Runs nights: Dagster's job, in this process, on a workspace that is locked for all nights of a command.

What belongs here: starting the job and telling what it did. What does not: any step of a night; the command and
Dagster's own server run the same job.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING

from pipelines import outcome
from pipelines.instance import enter_instance
from pipelines.night_page import with_pages
from pipelines.outcome import Outcome
from pipelines.profiling import profiled
from pipelines.progress import LOGGER, NightProgress, listening
from pipelines.settings import Settings
from quorum.errors import EXIT_INPUT, QuorumError
from quorum.workspace import Workspace, locked_workspace
from quorum.zones import Home

if TYPE_CHECKING:
    import dagster as dg


@dataclass(frozen=True)
class Nights:
    """Nights of one home, while its lock is held.

    Args:
        workspace: the open home.
        engine: name of the engine.
        days: the nights that this command is for; they are partitions even if the clock is behind them.
        progress: the line that is shown.
    """

    workspace: Workspace
    engine: str
    days: Sequence[date]
    progress: NightProgress

    def run(self, night: date) -> Outcome:
        """Run a night, or serve it as stored if it is done.

        Args:
            night: one of `days`.

        Returns:
            What it did; never raises for what went wrong inside the job.
        """
        began = monotonic()
        workspace = self.workspace
        stages: list[dict[str, object]] = []
        releases: list[dict[str, object]] = []
        errors, is_served = _refused(workspace, night), False
        if not errors and workspace.is_settled(night):
            releases, errors = _stored(workspace, night)
            is_served = True
        elif not errors:
            events = self._execute(night)
            stages, releases, errors = outcome.stages(events), outcome.releases(events), outcome.errors(events)
            errors += _gaps(workspace, night)
        accounting = workspace.ledger.accounting(night)
        done = Outcome(night, self.engine, monotonic() - began, stages, accounting, releases, errors)
        return done if is_served else with_pages(workspace, done)

    def _execute(self, night: date) -> list[dg.DagsterEvent]:
        import dagster as dg

        from pipelines.jobs import BY

        self.progress.begin(night, len(self._job.nodes))
        with dg.DagsterInstance.get() as instance:
            result = self._job.execute_in_process(
                instance=instance,
                partition_key=night.isoformat(),
                raise_on_error=False,
                tags={BY: "command"},
                run_config={"loggers": {LOGGER: {"config": {}}}},
            )
        self.progress.close()
        return list(result.all_events)

    @cached_property
    def _job(self) -> dg.JobDefinition:
        from pipelines.definitions import draw
        from pipelines.jobs import NIGHTLY

        loggers = {LOGGER: listening(self.progress)}
        return draw(self.workspace, list(self.days), loggers, self.workspace.policy).resolve_job_def(NIGHTLY)


def _refused(workspace: Workspace, night: date) -> list[dict[str, object]]:
    """Return why a night may not run, before any step asks: said once, not once a step."""
    try:
        workspace.admit(night)
    except QuorumError as error:
        return [error.as_record()]
    return []


def _gaps(workspace: Workspace, night: date) -> list[dict[str, object]]:
    """Return, of a night that has just been done, what it owes and is not there."""
    gaps = workspace.gaps([night]) if workspace.is_done(night) else []
    if not gaps:
        return []
    message = f"{len(gaps)} of what night {night} owes are not there, the first: {gaps[0]}"
    return [{"code": EXIT_INPUT, "rule": "completeness.gap", "message": message}]


def _stored(workspace: Workspace, night: date) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """Return the releases of a settled night as they are stored, and what is wrong with them."""
    try:
        return [release.as_record() for release in workspace.stored(night)], []
    except QuorumError as error:
        return [], [error.as_record()]


@contextmanager
def open_nights(
    settings: Settings, days: Sequence[date], progress: NightProgress, *, is_profiled: bool = False
) -> Iterator[Nights]:
    """Open and lock a home for some nights.

    Args:
        settings: where things are.
        days: the nights.
        progress: the line that is shown.
        is_profiled: whether profiles of the slowest stages are written at the end.

    Raises:
        QuorumError: configuration, key, or another night that holds the lock.
    """
    with locked_workspace(
        Home(settings.home), settings.required_landing(), settings.policy, os.environ, engine_name=settings.engine
    ) as workspace:
        enter_instance(workspace.home.dagster)
        with profiled(workspace) if is_profiled else nullcontext(workspace) as opened:
            yield Nights(opened, settings.engine, days, progress)
