"""A night from landing to cube, as `quorum nightly` runs it, and no further: no control, no attack, no extract.

What belongs here: one night in this process, with the seconds of its stages. What does not: clock and memory
(`bench.clock`), and what it is compared with (`bench.limit`).

    python -m bench.landing LANDING HOME [--date 2026-11-21] [--engine duckdb]
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import dagster as dg

from bench.clock import KEY_ENVIRON, NIGHT
from pipelines import outcome
from pipelines.definitions import draw
from pipelines.instance import enter_instance
from quorum.engine.choose import DUCKDB
from quorum.workspace import ROOT, locked_workspace
from quorum.zones import Home, Zone

ZONES = tuple(zone.value for zone in (Zone.VAULT, Zone.PSEUDO, Zone.SEG, Zone.CUBE))
"""What is made before control."""
_QUIET = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}


def run_night(landing: Path, home: Path, night: date, engine: str = DUCKDB) -> list[Mapping[str, object]]:
    """Run the steps that a cube needs, with their checks, as the job runs them; return the stages.

    Raises:
        RuntimeError: a step did not end well, or an expectation that blocks does not hold.
    """
    with locked_workspace(Home(home), landing, ROOT / "policy", KEY_ENVIRON, engine_name=engine) as workspace:
        enter_instance(workspace.home.dagster)
        workspace.admit(night)
        job = "landing_to_cube"
        definitions = draw(workspace, [night], policy=workspace.policy)
        chosen = dg.AssetSelection.groups(*ZONES)
        definitions = dg.Definitions.merge(
            definitions, dg.Definitions(jobs=[dg.define_asset_job(job, chosen, executor_def=dg.in_process_executor)])
        )
        with dg.DagsterInstance.get() as instance:
            result = definitions.resolve_job_def(job).execute_in_process(
                instance=instance, partition_key=night.isoformat(), raise_on_error=False, run_config=_QUIET
            )
        events = list(result.all_events)
        wrong = outcome.errors(events)
        if wrong:
            raise RuntimeError(str(wrong[0]["message"]))
        return outcome.stages(events)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a night and print its stages as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("landing", type=Path)
    parser.add_argument("home", type=Path)
    parser.add_argument("--date", type=date.fromisoformat, default=NIGHT)
    parser.add_argument("--engine", default=DUCKDB)
    given = parser.parse_args(arguments)
    stages = run_night(given.landing.absolute(), given.home.absolute(), given.date, given.engine)
    sys.stdout.write(json.dumps(list(stages)) + "\n")


if __name__ == "__main__":
    main()
