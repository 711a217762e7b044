"""The job ``delivery``: what ``quorum deliver`` does, for the schedule.

What belongs here: counts for Dagster. What does not: the work (`quorum.deliver`), when it runs (`pipelines.schedules`).
"""

import os
from collections import Counter

import dagster as dg

from assets.redaction import redacted
from pipelines.settings import existing_home, resolve
from quorum.deliver.open import open_delivery
from quorum.deliver.run import Outcome, deliver

DELIVERY = "delivery"


@dg.op(
    out=dg.Out(dg.Nothing),
    description="Brings every published package that has not arrived to its recipient's target; receipts in the ledger",
)
def bring_to_recipients(context: dg.OpExecutionContext) -> None:
    """Deliver; counts are told, and the first package that failed fails the run once all others were tried."""
    outcomes = redacted(_delivered)
    context.add_output_metadata(dict(Counter(each.status for each in outcomes)))
    failed = next((outcome.error for outcome in outcomes if outcome.error is not None), None)
    if failed is not None:
        redacted(lambda: _fail(failed))


def _delivered() -> list[Outcome]:
    settings = resolve(os.environ)
    with open_delivery(existing_home(settings.home), settings.policy, os.environ) as work:
        return list(deliver(work))


def _fail(error: Exception) -> None:
    raise error


@dg.job(
    name=DELIVERY,
    description="What `quorum deliver` does: each published package to its own recipient, once",
    executor_def=dg.in_process_executor,
)
def delivery() -> None:
    """Deliver what has not arrived."""
    bring_to_recipients()
