"""Plans are made before the first night of a campaign, kept in the ledger, and never changed within their month."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from quorum.packages import Packages
from quorum.plans import PLAN, Plans
from quorum.release.shapes import REFERENCES, package_shapes
from quorum.tables import PackageShape
from quorum.tables.periods import plan_month
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home

MONDAY = date(2026, 11, 16)


@pytest.fixture
def workspace(home: Home, tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(home, tmp_path / "landing", ROOT / "policy", {"QUORUM_MASTER_KEY": "5a" * 32}) as workspace:
        yield workspace


def land(workspace: Workspace, night: date, booked: int = 50_000, starts_on: date = MONDAY, **targets: str) -> None:
    campaign = {
        **targets,
        "campaign_id": "c1",
        "recipient_id": "adv-1",
        "starts_on": starts_on,
        "ends_on": MONDAY + timedelta(days=60),
        "booked_impressions": booked,
        "price_model": "cpm",
        "price_micros": 500_000,
    }
    given = {"pseudo__campaign": [campaign], "pseudo__recipient": [{"recipient_id": "adv-1", "kind": "advertiser"}]}
    for table, listed in given.items():
        schema = workspace.catalog[table].arrow_schema()
        rows = [{name: row.get(name) for name in schema.names} for row in listed]
        workspace.store.write(table, night, pa.Table.from_pylist(rows, schema))


def owed(workspace: Workspace, night: date) -> list[PackageShape]:
    references = {name: workspace.store.read(name, night) for name in REFERENCES}
    return [s for s in package_shapes(workspace.policy, references, night) if s.report == "campaign"]


def plans(workspace: Workspace) -> Plans:
    return Plans(workspace.store, workspace.policy, workspace.ledger, lambda day: owed(workspace, day))


def entered(workspace: Workspace) -> list[dict[str, object]]:
    return [dict(entry.body) for entry in workspace.ledger.entries(PLAN)]


def test_a_plan_is_entered_before_the_cubes_and_stated_in_the_package(workspace: Workspace) -> None:
    land(workspace, MONDAY)
    (workspace.landing / MONDAY.isoformat()).mkdir(parents=True)
    workspace.make_safe(MONDAY)
    (entry,) = entered(workspace)
    assert (entry["key"], entry["month"], entry["booked"]["impressions"]) == ("c1", "2026-11", 50_000)
    released = {release.recipient_id: release for release in workspace.publish(MONDAY)}
    described = (released["adv-1"].path / "datapackage.json").read_text(encoding="utf-8")
    assert '"quorum:plan"' in described
    assert str(entry["periods"]["impressions"]) in described
    kinds = [e.kind for e in workspace.ledger.entries()]
    assert kinds.index(PLAN) < kinds.index("release")


def test_a_plan_is_not_made_again_in_its_month_whatever_lands(workspace: Workspace) -> None:
    land(workspace, MONDAY)
    plans(workspace).fix(owed(workspace, MONDAY), MONDAY)
    first = entered(workspace)
    tuesday = MONDAY + timedelta(days=1)
    land(workspace, tuesday, booked=5_000_000)
    plans(workspace).fix(owed(workspace, tuesday), tuesday)
    assert entered(workspace) == first
    (before,), (after,) = owed(workspace, MONDAY), owed(workspace, tuesday)
    stated = plans(workspace).with_plan(after, tuesday).plan
    assert stated == plans(workspace).with_plan(before, MONDAY).plan
    assert set(stated) == {"c1"}


def test_a_month_begins_with_a_week(workspace: Workspace) -> None:
    last, first = date(2026, 11, 29), date(2026, 11, 30)
    for night in (last, first):
        land(workspace, night, booked=5_000_000 if night == first else 50_000)
        plans(workspace).fix(owed(workspace, night), night)
    november, december = entered(workspace)
    assert (november["month"], december["month"]) == ("2026-11", "2026-12")
    assert november["levels"] != december["levels"]
    (before,), (after,) = owed(workspace, last), owed(workspace, first)
    assert plans(workspace).breaks(before, last) == set()
    assert plans(workspace).breaks(after, first) == {"c1"}


def test_a_plan_that_is_the_same_next_month_breaks_nothing(workspace: Workspace) -> None:
    for night in (date(2026, 11, 29), date(2026, 11, 30)):
        land(workspace, night)
        plans(workspace).fix(owed(workspace, night), night)
    (shape,) = owed(workspace, night)
    assert len(entered(workspace)) == 2
    assert plans(workspace).breaks(shape, night) == set()


@pytest.mark.parametrize(
    ("day", "month"),
    [
        (date(2026, 11, 1), "2026-10"),
        (date(2026, 11, 2), "2026-11"),
        (date(2027, 1, 3), "2026-12"),
        (date(2024, 12, 30), "2025-01"),
    ],
)
def test_a_day_belongs_to_the_month_of_its_weeks_thursday(day: date, month: str) -> None:
    assert plan_month(day) == month


def test_a_campaign_that_was_told_by_day_before_plans_stays_so(workspace: Workspace) -> None:
    tuesday, friday = MONDAY + timedelta(days=1), MONDAY + timedelta(days=4)
    land(workspace, tuesday, booked=10)
    workspace.ledger.enter_release("adv-1", "campaign", tuesday.isoformat(), tuesday, "0" * 64, {})
    land(workspace, friday, booked=10)
    plans(workspace).fix(owed(workspace, friday), friday)
    (entry,) = entered(workspace)
    assert set(entry["periods"].values()) == {"day"}
    assert entry["levels"]["audience_area"]["clicks"] == 2


@pytest.mark.parametrize(("earlier", "longest"), [(0, "month"), (1, "week")])
def test_by_month_is_only_what_the_home_was_there_for(workspace: Workspace, earlier: int, longest: str) -> None:
    land(workspace, MONDAY, booked=3_000, starts_on=MONDAY - timedelta(days=earlier))
    plans(workspace).fix(owed(workspace, MONDAY), MONDAY)
    (entry,) = entered(workspace)
    assert set(entry["periods"].values()) == {longest}


def test_a_campaign_that_starts_later_has_a_plan_of_its_own(workspace: Workspace) -> None:
    friday = MONDAY + timedelta(days=4)
    workspace.ledger.enter_release("adv-1", "campaign", MONDAY.isoformat(), MONDAY, "0" * 64, {})
    land(workspace, friday, booked=10, starts_on=friday)
    plans(workspace).fix(owed(workspace, friday), friday)
    (entry,) = entered(workspace)
    assert entry["levels"]["audience_area"]["clicks"] == 0


def test_a_plan_reads_no_cube(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    land(workspace, MONDAY)
    read = workspace.store.read
    seen = []
    monkeypatch.setattr(workspace.store, "read", lambda table, *rest: seen.append(table) or read(table, *rest))
    plans(workspace).fix(owed(workspace, MONDAY), MONDAY)
    assert not [table for table in seen if table.startswith(("cube__", "seg__"))]


def test_sections_have_no_plan(workspace: Workspace) -> None:
    land(workspace, MONDAY)
    packages = Packages(workspace.store, workspace.policy, workspace.keys, workspace.ledger)
    owed_then = [owed.shape for batch in packages.calendar.batches(MONDAY, packages.calendar.plans) for owed in batch]
    shapes = [replace(shape, plan={}) for shape in owed_then if shape.report == "site"]
    assert shapes
    assert [plans(workspace).with_plan(shape, MONDAY) for shape in shapes] == shapes


def test_the_targeting_of_a_month_is_that_of_its_first_night(workspace: Workspace) -> None:
    land(workspace, MONDAY, target_genders="female;x", target_prefectures="osaka;tokyo", target_occupations="")
    first = plans(workspace)
    first.fix(owed(workspace, MONDAY), MONDAY)
    (entry,) = entered(workspace)
    expected = {"gender": ["female"], "prefecture": ["tokyo", "osaka"]}
    assert entry["targeting"] == expected
    told = {"c1": {column: tuple(listed) for column, listed in expected.items()}}
    (shape,) = owed(workspace, MONDAY)
    assert shape.targeting == {}
    assert first.with_plan(shape, MONDAY).targeting == told
    assert plans(workspace).with_plan(shape, MONDAY).targeting == told
    tuesday = MONDAY + timedelta(days=1)
    land(workspace, tuesday, target_genders="male")
    later = plans(workspace)
    later.fix(owed(workspace, tuesday), tuesday)
    assert later.with_plan(*owed(workspace, tuesday), tuesday).targeting == told


def test_a_plan_from_before_targeting_was_kept_has_none(workspace: Workspace) -> None:
    land(workspace, MONDAY, target_genders="female")
    body = {"report": "campaign", "key": "c1", "month": plan_month(MONDAY), "periods": {}, "levels": {}}
    workspace.ledger.append(PLAN, body)
    (shape,) = owed(workspace, MONDAY)
    assert plans(workspace).with_plan(shape, MONDAY).targeting == {}
