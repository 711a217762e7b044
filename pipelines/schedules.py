"""When nights run: 02:30 Asia/Tokyo, for the day before.

What belongs here: the schedule. What does not: the job.
"""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from pipelines.jobs import nightly
from pipelines.settings import CIVIL_ZONE


@dg.schedule(
    job=nightly,
    cron_schedule="30 2 * * *",
    execution_timezone=CIVIL_ZONE,
    description="At 02:30 Asia/Tokyo, the night of the day before",
)
def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Ask for the night of the day before the scheduled time, whatever else has landed by then."""
    night = context.scheduled_execution_time.astimezone(ZoneInfo(CIVIL_ZONE)).date() - timedelta(days=1)
    return dg.RunRequest(run_key=night.isoformat(), partition_key=night.isoformat())
