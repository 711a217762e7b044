"""The one job: a whole night.

What belongs here: the job. What does not: when it runs (`pipelines.schedules`), how the command runs it
(`pipelines.run`).
"""

from __future__ import annotations

import dagster as dg

NIGHTLY = "nightly"

nightly = dg.define_asset_job(
    NIGHTLY,
    selection=dg.AssetSelection.all(),
    description="One night, from what landed to what is published. The command `quorum nightly` runs this job.",
    executor_def=dg.in_process_executor,
)
