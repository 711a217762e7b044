"""What runs and tells by itself: a night as soon as all that is required has landed; alerts about what Dagster ran.

What belongs here: the sensors. What does not: whether a night is whole (the night itself asks), and sending
(`pipelines.alerts`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
from dagster import DagsterRunStatus as Status

from pipelines import outcome
from pipelines.alerts import Alert
from pipelines.delivery import DELIVERY, delivery
from pipelines.doctor_looks import is_locked
from pipelines.jobs import BY, NIGHTLY, RETENTION, nightly, retention
from pipelines.settings import resolve, yesterday
from pipelines.telling import DELIVERY as NOT_DELIVERED
from pipelines.telling import RETENTION as REFUSED_RETENTION
from pipelines.telling import alert_of, tell
from pipelines.waiting import waiting_nights
from quorum.errors import EXIT_BUG, QuorumError
from quorum.intake.context import COMPLETE_MARKER, required_sources
from quorum.intake.survey import state_of
from quorum.zones import Home

_PARTITION = "dagster/partition"
KILLED = "quorum/killed"
"""Tag of a run whose process was gone."""
_KINDS = {RETENTION: REFUSED_RETENTION, DELIVERY: NOT_DELIVERED}
"""The kind of alert of each job that is no night."""
_PENDING = [Status.QUEUED, Status.NOT_STARTED, Status.STARTING]


@dg.sensor(
    job=nightly,
    minimum_interval_seconds=60,
    description="Runs the first night that waits, once the _COMPLETE markers of all its required sources are there",
)
def when_complete(context: dg.SensorEvaluationContext) -> Iterator[dg.RunRequest | dg.SkipReason]:
    """Ask for the first night that waits, one at a time, and again only when something about it has changed.

    A run that is started and whose home nobody holds is dead: it is reported as failed, and its night asked for again.
    """
    settings = resolve(os.environ)
    required = required_sources(settings.landing) if settings.landing is not None else ()
    if settings.landing is None or not required:
        yield dg.SkipReason("landing/sources.yaml requires nothing: nights run by the schedule")
        return
    if is_locked(Home(settings.home)) or context.instance.get_runs(_of(NIGHTLY, _PENDING), limit=1):
        yield dg.SkipReason("a night is running")
        return
    if _bury(context):
        yield dg.SkipReason("a night is said to run and nobody holds the lock: it is looked at again")
        return
    waiting = waiting_nights(settings, yesterday())
    if not waiting:
        yield dg.SkipReason("no night waits")
        return
    night = waiting[0]
    lacking = [source for source in required if not _marker(settings.landing, night, source).is_file()]
    if lacking:
        yield dg.SkipReason(f"{night} waits for {', '.join(lacking)}")
        return
    state = state_of(settings.landing, night)[:16]
    tags = {"quorum/state": state, _PARTITION: night.isoformat()}
    failed = context.instance.get_runs(_of(NIGHTLY, [Status.FAILURE, Status.CANCELED], tags), limit=1)
    if failed and KILLED not in failed[0].tags:
        yield dg.SkipReason(f"{night} failed with what is there now; it is asked for again when something changes")
        return
    key = f"{night} {state} {failed[0].run_id if failed else ''}".strip()
    yield dg.RunRequest(run_key=key, partition_key=night.isoformat(), tags={"quorum/state": state})


def _bury(context: dg.SensorEvaluationContext) -> bool:
    """Report nights that are said to run as failed, if nobody held the lock at the last look either.

    One look is not enough: a run that begins or ends is said to run for a moment without the lock.

    Returns:
        Whether one was seen for the first time.
    """
    instance, seen = context.instance, (context.cursor or "").split()
    left = []
    for run in instance.get_runs(_of(NIGHTLY, [Status.STARTED])):
        if run.run_id in seen:
            instance.add_run_tags(run.run_id, {KILLED: "true"})
            instance.report_run_failed(run, message="its process is gone: nobody holds the lock of the home")
        else:
            left.append(run.run_id)
    context.update_cursor(" ".join(left))
    return bool(left)


def _of(job: str, statuses: list[Status], tags: dict[str, str] | None = None) -> dg.RunsFilter:
    return dg.RunsFilter(job_name=job, statuses=statuses, tags=tags or {})


def _marker(landing: Path, night: date, source: str) -> Path:
    return landing / night.isoformat() / source / COMPLETE_MARKER


def _tell_run(context: dg.RunStatusSensorContext) -> dg.SkipReason:
    """Tell what a run did, unless the command ran it: the command tells itself."""
    run = context.dagster_run
    if run.tags.get(BY):
        return dg.SkipReason("the command tells itself")
    events = [entry.dagster_event for entry in context.instance.all_logs(run.run_id) if entry.dagster_event]
    alert = alert_of(run.tags.get(_PARTITION, ""), outcome.errors(events), _KINDS.get(run.job_name, ""))
    if alert is None and run.status is Status.FAILURE:
        alert = Alert("bug", run.tags.get(_PARTITION, ""), EXIT_BUG, {"bug": 1})
    try:
        failed = tell(alert, resolve(os.environ).home, os.environ)
    except QuorumError:
        failed = 1
    return dg.SkipReason(f"{failed} channel(s) failed" if failed else "told" if alert else "nothing to tell")


@dg.run_status_sensor(
    run_status=Status.SUCCESS,
    monitored_jobs=[nightly, retention],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells what a night blocked; a night with a blocked release is a run that succeeds",
)
def tell_success(context: dg.RunStatusSensorContext) -> dg.SkipReason:
    """Tell of releases that were blocked."""
    return _tell_run(context)


@dg.run_status_sensor(
    run_status=Status.FAILURE,
    monitored_jobs=[nightly, retention, delivery],
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Tells why a night did not get done, or a package did not arrive",
)
def tell_failure(context: dg.RunStatusSensorContext) -> dg.SkipReason:
    """Tell of a night that was held, refused or killed, and of packages that did not arrive."""
    return _tell_run(context)


SENSORS = [when_complete, tell_success, tell_failure]
