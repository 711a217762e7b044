"""When things run, in Asia/Tokyo: nights, what removes old data, deliveries.

What belongs here: the schedules. What does not: the jobs, and running when everything has landed (`pipelines.sensors`).
"""

from __future__ import annotations

import os
from datetime import timedelta
from zoneinfo import ZoneInfo

import dagster as dg

from pipelines.delivery import delivery
from pipelines.jobs import nightly, retention
from pipelines.settings import CIVIL_ZONE, resolve
from pipelines.waiting import waiting_nights


@dg.schedule(
    job=nightly,
    cron_schedule="30 2 * * *",
    execution_timezone=CIVIL_ZONE,
    description="At 02:30 Asia/Tokyo, the night of the day before, or the first that still waits",
)
def every_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Ask for the night of the day before the scheduled time, whatever else has landed by then.

    An earlier night that still waits goes first, for one that is passed over can never be released; the sensor goes on
    from there. A night that is done is served as stored.
    """
    night = context.scheduled_execution_time.astimezone(ZoneInfo(CIVIL_ZONE)).date() - timedelta(days=1)
    first = next(iter(waiting_nights(resolve(os.environ), night)), night)
    key = night.isoformat() if first == night else f"{first} at {night}"
    return dg.RunRequest(run_key=key, partition_key=first.isoformat())


@dg.schedule(
    job=retention,
    cron_schedule="30 4 * * *",
    execution_timezone=CIVIL_ZONE,
    description="At 04:30 Asia/Tokyo: removes what is too old, once no package of it is missing",
)
def after_the_night(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Ask for retention, two hours after the night; a night that still runs holds the lock and refuses it."""
    return dg.RunRequest(run_key=f"retention {context.scheduled_execution_time.date()}")


@dg.schedule(
    job=delivery,
    cron_schedule="0 5,8 * * *",
    execution_timezone=CIVIL_ZONE,
    description="At 05:00 and 08:00 Asia/Tokyo: brings to recipients what was published and has not arrived",
)
def to_recipients(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Ask for a delivery; what arrived at five is not sent again at eight."""
    return dg.RunRequest(run_key=f"delivery {context.scheduled_execution_time.isoformat()}")
