"""What Dagster loads: assets drawn from the contracts, the nightly job, its schedule, the workspace.

The command (`pipelines.run`) draws the same definitions, with a workspace that it holds itself for several nights.

What belongs here: putting together. What does not: anything that is put together.
"""

from __future__ import annotations

import os
from datetime import date, timedelta

import dagster as dg

from assets import cube, extract, out, pseudo, safe, seg, vault
from assets.blueprint import Blueprint
from assets.suites import load_suites
from pipelines.ask_job import ask_job
from pipelines.delivery import delivery
from pipelines.jobs import nightly, retention
from pipelines.partitions import daily, landed_dates
from pipelines.resources import workspace_resource
from pipelines.schedules import after_the_night, every_night, to_recipients
from pipelines.sensors import SENSORS
from pipelines.settings import CIVIL_ZONE, ROOT, resolve
from quorum.lineage.gate import check_gate
from quorum.policy import Policy, load_policy
from quorum.tables import load_catalog
from quorum.workspace import Workspace

BY_MORNING = dg.FreshnessPolicy.cron(
    deadline_cron="0 8 * * *", lower_bound_delta=timedelta(hours=8), timezone=CIVIL_ZONE
)
"""A table is fresh if it was made between midnight and 08:00 of the last day."""


def draw(
    workspace: dg.ResourceDefinition | Workspace,
    known: list[date],
    loggers: dict[str, dg.LoggerDefinition] | None = None,
    policy: Policy | None = None,
) -> dg.Definitions:
    """Return the definitions, once contracts and statements have passed the gate.

    Args:
        workspace: what the assets work on.
        known: dates that must be partitions.
        loggers: by name; Dagster's own if None.
        policy: the rules; those that the environment names if None.

    Raises:
        PolicyError: a statement does what the policy does not allow; there is nothing to load.
    """
    catalog = load_catalog(ROOT / "sql")
    gate = check_gate(catalog, policy or load_policy(resolve(os.environ).policy))
    plan = Blueprint(catalog, load_suites(ROOT / "expectations", catalog), daily(*known), gate.flows)
    zones = (vault, pseudo, seg, cube, safe, extract, out)
    made = [asset for zone in zones for asset in zone.assets(plan)]
    return dg.Definitions(
        assets=dg.map_asset_specs(lambda spec: spec.replace_attributes(freshness_policy=BY_MORNING), made),
        jobs=[nightly, ask_job, retention, delivery],
        schedules=[every_night, after_the_night, to_recipients],
        sensors=SENSORS,
        resources={"workspace": workspace},
        executor=dg.in_process_executor,
        loggers=loggers,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """Return the definitions for Dagster's own server, with the settings of the environment."""
    settings = resolve(os.environ)
    policy = load_policy(settings.policy)
    return draw(workspace_resource(settings), landed_dates(settings.landing), policy=policy)
