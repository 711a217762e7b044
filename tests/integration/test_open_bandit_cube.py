"""Real impressions through the statements: counts per item in the cube are those of a plain count of the file."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import open_bandit
import pyarrow as pa
import pytest

from quorum.workspace import Workspace, open_workspace
from quorum.zones import Home, Zone

SOURCES = ("reference", "members", "logins", "ads", "access")


@pytest.fixture(scope="module")
def cube(tmp_path_factory: pytest.TempPathFactory, shared: Path, root: Path) -> pa.Table:
    base = tmp_path_factory.mktemp("bandit")
    days = open_bandit.land(shared / "data" / "ads" / "open_bandit_men.csv", base / "landing")
    environ = {"QUORUM_MASTER_KEY": "22" * 32}
    with open_workspace(Home(base / "home"), base / "landing", root / "policy", environ) as workspace:
        return pa.concat_tables(_build(workspace, day) for day in days)


def _build(workspace: Workspace, day: date) -> pa.Table:
    for source in SOURCES:
        workspace.take_in(source, day)
    for table in workspace.catalog.order():
        derived = table.zone in (Zone.SEG, Zone.CUBE) or table.name in ("pseudo__login_link", "pseudo__member")
        if derived and table.query is not None:
            workspace.build(table.name, day)
    return workspace.store.read("cube__campaign_daily", day)


def _told(cube: pa.Table, measure: str, *levels: str) -> Counter[tuple[str, ...]]:
    told: Counter[tuple[str, ...]] = Counter()
    for row in cube.to_pylist():
        is_at = all((row[name] == "ALL") == (name not in levels) for name in ("creative_id", "placement"))
        if is_at and row[measure]:
            told[tuple(row[level] for level in levels)] += row[measure]
    return told


@pytest.mark.parametrize("levels", [("creative_id",), ("placement",), ("creative_id", "placement")])
@pytest.mark.parametrize("measure", ["impression_n", "click_n"])
def test_counts_are_those_of_the_file(cube: pa.Table, shared: Path, levels: tuple[str, ...], measure: str) -> None:
    names = {"creative_id": "item_id", "placement": "position"}
    counted = Counter(
        tuple(row[names[level]] for level in levels)
        for row in open_bandit.rows(shared / "data" / "ads" / "open_bandit_men.csv")
        if measure == "impression_n" or row["click"] == "1"
    )
    assert _told(cube, measure, *levels) == counted


def test_every_row_of_the_file_is_a_person(cube: pa.Table) -> None:
    assert _told(cube, "people_n").total() == _told(cube, "impression_n").total() == 10_000
