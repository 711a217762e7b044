"""The workspace as Dagster's resource: opened and locked for a run, closed after it.

What belongs here: the resource of a run that Dagster starts itself. What does not: what a workspace does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date

import dagster as dg

from assets.redaction import redacted
from pipelines import outcome
from pipelines.instance import spare_the_disk
from pipelines.night_page import write_night
from pipelines.outcome import Outcome
from pipelines.settings import Settings
from quorum.workspace import Workspace, locked_workspace
from quorum.zones import Home

_PARTITION = "dagster/partition"


def workspace_resource(settings: Settings) -> dg.ResourceDefinition:
    """Return the resource.

    Args:
        settings: where things are.
    """

    @dg.resource(description="The home, open and locked for one run")
    @contextmanager
    def workspace(context: dg.InitResourceContext) -> Iterator[Workspace]:
        spare_the_disk()
        with ExitStack() as stack:
            opened = redacted(
                lambda: stack.enter_context(
                    locked_workspace(
                        Home(settings.home),
                        settings.required_landing(),
                        settings.policy,
                        os.environ,
                        engine_name=settings.engine,
                    )
                )
            )
            try:
                yield opened
            finally:
                redacted(lambda: _write_pages(context, opened, settings.engine))

    return workspace


def _write_pages(context: dg.InitResourceContext, workspace: Workspace, engine: str) -> None:
    """Write the pages of the night that a run was about, however it ended; a question is about no night."""
    run = context.run
    night = None if run is None else run.tags.get(_PARTITION)
    if run is None or night is None or context.instance is None:
        return
    logged = context.instance.all_logs(run.run_id)
    events = [entry.dagster_event for entry in logged if entry.dagster_event is not None]
    seconds = logged[-1].timestamp - logged[0].timestamp if logged else 0.0
    day = date.fromisoformat(night)
    told = (outcome.stages(events), workspace.ledger.accounting(day), outcome.releases(events), outcome.errors(events))
    write_night(workspace, Outcome(day, engine, seconds, *told))
