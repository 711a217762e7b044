"""The jobs: a whole night, and the removal of what is too old.

What belongs here: the jobs. What does not: when they run (`pipelines.schedules`, `pipelines.sensors`), how the command
runs them (`pipelines.run`).
"""

import dagster as dg

from assets.redaction import redacted
from quorum.workspace import Workspace

NIGHTLY = "nightly"
RETENTION = "retention"
BY = "quorum/by"
"""Tag of a run that the command started."""

nightly = dg.define_asset_job(
    NIGHTLY,
    selection=dg.AssetSelection.all(),
    description="One night, from what landed to what is published. The command `quorum nightly` runs this job.",
    executor_def=dg.in_process_executor,
)


@dg.op(
    out=dg.Out(dg.Nothing),
    description="Removes what is older than its retention; tells how many partitions and packages went",
)
def remove_what_is_old(context: dg.OpExecutionContext, workspace: dg.ResourceParam[Workspace]) -> None:
    """Run retention as the scheduler."""
    report = redacted(lambda: workspace.retain(None, is_dry=False))
    context.log.info(f"{report['removed']} partitions and packages removed")


@dg.job(
    name=RETENTION,
    description="What `quorum retention run` does, as the scheduler; refused while a package of it is missing",
    executor_def=dg.in_process_executor,
)
def retention() -> None:
    """Remove what is older than its retention."""
    remove_what_is_old()
