"""Dagster's ways into ``out``: the asset alone, on what is missing, stale or broken; a rerun; a backfill."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from pipelines import definitions
from pipelines.jobs import NIGHTLY
from pipelines.progress import NightProgress
from pipelines.resources import workspace_resource
from pipelines.run import open_nights
from pipelines.settings import Settings, resolve
from quorum.sample import write_sample
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home

pytestmark = pytest.mark.slow

NIGHT = date(2026, 11, 21)
KEY = "b3" * 32
PACKAGES = dg.AssetKey("out__package")
BROKEN = ("safe__audience_area", "adv-01.campaign")


@dataclass(frozen=True)
class Portal:
    """A landing folder, and a home in which everything but packages was made."""

    landing: Path
    home: Path

    def settings(self, home: Path) -> Settings:
        return resolve({}, home=str(home), landing=str(self.landing))

    def copy(self, home: Path) -> Path:
        shutil.copytree(self.home, home)
        return home

    @contextmanager
    def opened(self, home: Path) -> Iterator[Workspace]:
        with open_workspace(Home(home), self.landing, ROOT / "policy", {"QUORUM_MASTER_KEY": KEY}) as workspace:
            yield workspace

    def run(self, home: Path, *assets: dg.AssetKey) -> dg.ExecuteInProcessResult:
        job = definitions.draw(workspace_resource(self.settings(home)), [NIGHT]).resolve_job_def(NIGHTLY)
        with dg.DagsterInstance.ephemeral() as instance:
            return job.execute_in_process(
                instance=instance,
                partition_key=NIGHT.isoformat(),
                asset_selection=list(assets) or None,
                raise_on_error=False,
            )


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    base = tmp_path_factory.mktemp("door")
    write_sample(
        base / "landing", last=NIGHT, days=1, members=300, events=5000, campaigns=2, recipients=5, ctr=0.2, seed=5
    )
    portal = Portal(base / "landing", base / "home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QUORUM_MASTER_KEY", KEY)
        patch.setenv("DAGSTER_HOME", "")
        job = definitions.draw(workspace_resource(portal.settings(portal.home)), [NIGHT]).resolve_job_def(NIGHTLY)
        everything = set(job.asset_layer.executable_asset_keys)
        assert portal.run(portal.home, *(everything - {PACKAGES})).success
        yield portal


def told(home: Path) -> set[str]:
    """Recipients with a package of the night."""
    return {path.parents[2].name for path in home.glob(f"out/*/*/{NIGHT}/datapackage.json")}


def spoil(workspace: Workspace) -> tuple[str, ...]:
    """Tell the largest withheld number of impressions of a campaign in its safe table; return the place."""
    table, part = BROKEN
    rows = workspace.store.read(table, NIGHT)
    own = rows.filter(pc.equal(rows["recipient_id"], "adv-01"))
    cube = workspace.store.read("cube__audience_area", NIGHT).to_pylist()
    counted = {(row["campaign_id"], row["region"], row["prefecture"]): row for row in cube}
    listed = own.to_pylist()
    hidden = [
        row
        for row in listed
        if row["status_impressions"] == "withheld" and (row["campaign_id"], row["region"], row["prefecture"]) in counted
    ]
    row = max(hidden, key=lambda one: counted[one["campaign_id"], one["region"], one["prefecture"]]["impression_n"])
    place = (row["campaign_id"], row["region"], row["prefecture"])
    row["status_impressions"] = "published"
    row["impression_n"], row["people_n"] = counted[place]["impression_n"], counted[place]["people_n"]
    workspace.store.write(table, NIGHT, pa.Table.from_pylist(listed, own.schema), part)
    return place


def is_told(home: Path, place: tuple[str, ...]) -> bool:
    with (home / f"out/adv-01/campaign/{NIGHT}/audience_area.csv").open(newline="") as lines:
        rows = {(r["campaign_id"], r["region"], r["prefecture"]): r for r in csv.DictReader(lines)}
    return rows[place]["status_impressions"] == "published"


@pytest.mark.clause("P-03n")
def test_the_asset_alone_on_what_was_never_made_safe(portal: Portal, tmp_path: Path) -> None:
    home = portal.copy(tmp_path / "home")
    for folder in (home / "warehouse" / "safe").iterdir():
        shutil.rmtree(folder)
    portal.run(home, PACKAGES)
    assert told(home) == set()


@pytest.mark.clause("P-03n")
@pytest.mark.parametrize("way", ["asset", "call"])
def test_a_stale_or_broken_materialisation_is_blocked(portal: Portal, tmp_path: Path, way: str) -> None:
    """What lies in the safe zone says more than control let out: by an earlier run, another program, or a hand."""
    home = portal.copy(tmp_path / "home")
    with portal.opened(home) as workspace:
        spoil(workspace)
        if way == "call":
            statuses = {r.recipient_id: r.status for r in workspace.publish(NIGHT) if r.report == "campaign"}
            assert statuses["adv-01"] == "blocked"
    if way == "asset":
        portal.run(home, PACKAGES)
    assert not list(home.glob("out/adv-01/campaign/*"))
    assert told(home), "the others are out"


def _rerun(portal: Portal, home: Path) -> None:
    safe = [dg.AssetKey(path.name) for path in (ROOT / "sql" / "safe").iterdir()]
    assert portal.run(home, *safe, PACKAGES).success


def _backfill(portal: Portal, home: Path) -> None:
    with open_nights(portal.settings(home), [NIGHT], NightProgress(None)) as nights:
        assert nights.run(NIGHT).exit_code == 0


@pytest.mark.clause("P-03n")
@pytest.mark.parametrize("way", [_rerun, _backfill])
def test_a_rerun_and_a_backfill_decide_anew(
    portal: Portal, tmp_path: Path, way: Callable[[Portal, Path], None]
) -> None:
    """What lay there is not believed: the night is controlled again, and tells what control lets out."""
    home = portal.copy(tmp_path / "home")
    with portal.opened(home) as workspace:
        place = spoil(workspace)
    way(portal, home)
    assert "adv-01" in told(home)
    assert not is_told(home, place)
