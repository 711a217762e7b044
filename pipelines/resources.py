"""The workspace as Dagster's resource: opened and locked for a run, closed after it.

What belongs here: the resource of a run that Dagster starts itself. What does not: what a workspace does.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import dagster as dg

from assets.redaction import redacted
from pipelines.instance import spare_the_disk
from pipelines.settings import Settings
from quorum.workspace import Workspace, locked_workspace
from quorum.zones import Home


def workspace_resource(settings: Settings) -> dg.ResourceDefinition:
    """Return the resource.

    Args:
        settings: where things are.
    """

    @dg.resource(description="The home, open and locked for one run")
    @contextmanager
    def workspace(_: dg.InitResourceContext) -> Iterator[Workspace]:
        spare_the_disk()
        with ExitStack() as stack:
            yield redacted(
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

    return workspace
