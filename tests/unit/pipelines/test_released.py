"""What plans and forecasts may learn from: packages that were released, to whom they were, before the night."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from test_weeks import SATURDAY, SUNDAY, land, people_of_the_week

from quorum.release.shapes import REFERENCES, package_shapes
from quorum.released import Released
from quorum.tables import PackageShape
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home


class Taught:
    """Takes in what it is given, as a history does."""

    def __init__(self) -> None:
        self.days: list[tuple[str, str]] = []
        self.rows: list[Mapping[str, object]] = []
        self.totals: list[tuple[object, ...]] = []

    def add(self, shape: PackageShape, tables: Mapping[str, pa.Table], *, cells: bool) -> None:
        assert cells
        self.days.append((shape.recipient_id, shape.period))
        self.rows += tables["audience_device"].to_pylist()

    def add_total(self, *row: object) -> None:
        self.totals.append(row)


@pytest.fixture
def workspace(home: Home, tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(home, tmp_path / "landing", ROOT / "policy", {"QUORUM_MASTER_KEY": "5a" * 32}) as workspace:
        for night in (SATURDAY, SUNDAY):
            (tmp_path / "landing" / night.isoformat()).mkdir(parents=True)
            land(workspace, night)
        yield workspace


def taught(workspace: Workspace, day: date, recipient_id: str | None = None) -> Taught:
    def owed(night: date) -> list[PackageShape]:
        references = {name: workspace.store.read(name, night) for name in REFERENCES}
        return package_shapes(workspace.policy, references, night)

    history = Taught()
    report = workspace.policy.reports["campaign"]
    Released(workspace.store, workspace.policy, workspace.ledger, owed, report).teach(history, day, recipient_id)
    return history


def test_what_is_safe_and_not_released_teaches_nothing(workspace: Workspace) -> None:
    workspace.make_safe(SATURDAY)
    assert taught(workspace, SUNDAY).days == []
    workspace.publish(SATURDAY)
    assert taught(workspace, SUNDAY).days == [("adv-1", "2026-11-21")]
    assert taught(workspace, SATURDAY).days == [], "of the night itself and later nights nothing is known"


def test_what_others_were_given_is_left_out(workspace: Workspace) -> None:
    workspace.make_safe(SATURDAY)
    workspace.publish(SATURDAY)
    assert taught(workspace, SUNDAY, "adv-1").days == [("adv-1", "2026-11-21")]
    assert taught(workspace, SUNDAY, "adv-2").days == []


def test_withheld_numbers_are_empty_and_weeks_give_their_totals(workspace: Workspace) -> None:
    people_of_the_week(workspace, 90)
    for night in (SATURDAY, SUNDAY):
        workspace.make_safe(night)
        workspace.publish(night)
    history = taught(workspace, SUNDAY.replace(day=23))
    assert {row["impression_n"] for row in history.rows if row["status_impressions"] == "withheld"} == {None}
    assert ("c1", "2026-W47", "impressions", 280) in history.totals
