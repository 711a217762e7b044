"""The night that ends a month repeats what the invoice tells; its days leave room, so that it tells no more."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import pyarrow as pa
import pytest
from test_weeks import CUBES, HALVES, _rows, write

from quorum.audit.package import parse_package
from quorum.packages import Packages
from quorum.release.certificate import export_public_key, load_public_key
from quorum.release.verify import verify_packages
from quorum.report.why import Held
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home

FIRST, LAST = date(2026, 12, 27), date(2026, 12, 31)  # under one plan, which a Thursday makes
NIGHTS = [FIRST + timedelta(days=n) for n in range(5)]
PRICE = 500_000
CROSSED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "cube__audience_device_hour": {"device": HALVES["device"], "hour_band": ("unknown",)},
    "cube__audience_age_gender_region": {"age_band": ("unknown",), "gender": HALVES["gender"], "region": ("unknown",)},
}
"""Tables of pairs and of people by how often: their axes, with the categories that people are in."""


@pytest.fixture
def workspace(home: Home, tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(home, tmp_path / "landing", ROOT / "policy", {"QUORUM_MASTER_KEY": "5a" * 32}) as workspace:
        yield workspace


def land(
    workspace: Workspace, night: date, people: Mapping[str, int], booked: int = 5_000_000, model: str = "cpm"
) -> None:
    """A night on which each campaign has people with two impressions each."""
    (workspace.landing / night.isoformat()).mkdir(parents=True)
    write(workspace, night, "pseudo__recipient", [{"recipient_id": "adv-1", "kind": "advertiser"}])
    campaigns = [
        {
            "campaign_id": key,
            "recipient_id": "adv-1",
            "starts_on": FIRST,
            "ends_on": LAST,
            "booked_impressions": booked,
            "price_model": model,
            "price_micros": PRICE,
        }
        for key in people
    ]
    write(workspace, night, "pseudo__campaign", campaigns)
    for table, columns in CUBES.items():
        rows = [{**row, "campaign_id": key} for key, n in people.items() for row in _rows(columns, n, n // 2, 2)]
        write(workspace, night, table, rows)
    for table, axes in CROSSED.items():
        write(workspace, night, table, [row for key, n in people.items() for row in _crossed(key, n, axes)])


def _crossed(key: str, people: int, axes: Mapping[str, tuple[str, ...]]) -> list[dict[str, object]]:
    """Every cell of crossed categories that is not empty: halves along an axis of two, everybody along others."""
    rows: list[dict[str, object]] = []
    for names in product(*(("ALL", *categories) for categories in axes.values())):
        halved = any(
            name in categories and len(categories) > 1 for name, categories in zip(names, axes.values(), strict=True)
        )
        n = people // 2 if halved else people
        counts = {"people_n": n, "people_counted_n": n, "impression_n": 2 * n}
        rows.append({"campaign_id": key, **dict(zip(axes, names, strict=True)), **counts})
    return rows


def people_of_the_month(workspace: Workspace, people: Mapping[str, int], new_n: int = 0) -> None:
    schema = workspace.catalog["cube__campaign_month"].arrow_schema()
    every = {field.name: "ALL" for field in schema if field.type == pa.string()}
    rows = {}
    for key, n in people.items():
        for columns in CUBES.values():
            for cell in _rows(columns, n, n // 2, 0, new_n):
                row = {**every, **{name: v for name, v in cell.items() if name in schema.names}, "campaign_id": key}
                rows[tuple(row[name] for name in every)] = row
    write(workspace, LAST, "cube__campaign_month", list(rows.values()))


def run(workspace: Workspace, of_night: Callable[[int], Mapping[str, int]], booked: int = 5_000_000) -> dict[str, str]:
    """Run the nights of the month; return what became of the packages of the last one."""
    statuses: dict[str, str] = {}
    for n, night in enumerate(NIGHTS):
        land(workspace, night, of_night(n), booked)
        if night == LAST:
            people_of_the_month(workspace, {key: 3 * count for key, count in of_night(0).items()})
        workspace.make_safe(night)
        releases = [r for r in workspace.publish(night) if r.recipient_id == "adv-1"]
        assert not [r.reasons for r in releases if r.reasons]
        statuses = {r.period: r.status for r in releases}
    return statuses


def rows_of(workspace: Workspace, period: str, table: str) -> list[dict[str, str]]:
    path = workspace.home.out / "adv-1" / "campaign" / period / f"{table}.csv"
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def told_days(workspace: Workspace) -> str:
    """One letter a night: whether the total of impressions of c1 is told."""
    totals = [rows_of(workspace, night.isoformat(), "audience_device")[0] for night in NIGHTS]
    return "".join("p" if row["status_impressions"] == "published" else "w" for row in totals)


def test_a_month_repeats_the_totals_of_the_invoice(workspace: Workspace) -> None:
    statuses = run(workspace, lambda n: {"c1": 120 + 2 * n})
    assert statuses == {"2026-12-31": "published", "2026-12": "published"}
    assert told_days(workspace) == "ppppp"
    (row,) = rows_of(workspace, "2026-12", "totals")
    total = 2 * sum(120 + 2 * n for n in range(5))
    assert (row["impression_n"], row["click_n"], row["cost_micros"]) == (str(total), "0", str(total * PRICE))
    folder = workspace.home.out / "adv-1" / "campaign" / "2026-12"
    described = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    measures = ["impression_n", "click_n", "cost_micros"]
    assert described["quorum:invariants"] == [
        {"period": "2026-12", "dimensions": ["campaign_id"], "measures": measures}
    ]
    page = (folder / "report.en.html").read_text(encoding="utf-8")
    assert "Dec 2026" in page
    assert "known from your invoice" in page
    assert f"¥{total * PRICE // 1_000_000:,}" in page
    assert "ご請求書" in (folder / "report.ja.html").read_text(encoding="utf-8")
    key = load_public_key(export_public_key(workspace.home, workspace.keys))
    folders = [folder.parent / night.isoformat() for night in NIGHTS] + [folder]
    assert all(verdict.is_valid for verdict in verify_packages(folders, key))
    assert Held(parse_package(folder)).explain({"campaign_id": "c1"}).tables["totals"][0].status == "published"


def test_a_day_that_is_withheld_takes_another_with_it(workspace: Workspace) -> None:
    run(workspace, lambda n: {"c1": 40 if n == 1 else 120})
    assert told_days(workspace) == "pwwpp"
    (row,) = rows_of(workspace, "2026-12", "totals")
    assert row["impression_n"] == str(2 * (4 * 120 + 40))


def test_a_total_that_would_tell_the_last_day_is_not_repeated(workspace: Workspace) -> None:
    statuses = run(workspace, lambda n: {"c1": 40 if n == 4 else 120, "c2": 130})
    assert statuses["2026-12"] == "published"
    (other,) = rows_of(workspace, "2026-12", "totals")
    assert (other["campaign_id"], other["impression_n"]) == ("c2", str(2 * 5 * 130))


def test_a_month_of_which_nothing_can_be_repeated_has_no_package(workspace: Workspace) -> None:
    assert set(run(workspace, lambda n: {"c1": 40 if n > 2 else 120})) == {"2026-12-31"}


def test_a_small_campaign_is_told_by_month(workspace: Workspace) -> None:
    run(workspace, lambda n: {"c1": 30}, booked=100)
    assert told_days(workspace) == "wwwww"
    device = {row["device"]: row for row in rows_of(workspace, "2026-12", "audience_device")}
    assert device["ALL"]["impression_n"] == str(2 * 5 * 30)
    (row,) = rows_of(workspace, "2026-12", "totals")
    assert row["impression_n"] == device["ALL"]["impression_n"]
    (reach,) = rows_of(workspace, "2026-12", "reach")
    assert reach == {"campaign_id": "c1", "people_n": "90", "status_impressions": "published"}


def test_a_campaign_that_is_told_by_day_has_no_reach_in_its_month(workspace: Workspace) -> None:
    statuses = run(workspace, lambda n: {"c1": 120})
    assert statuses["2026-12"] == "published"
    assert not (workspace.home.out / "adv-1" / "campaign" / "2026-12" / "reach.csv").exists()


def test_under_the_threshold_the_totals_stand_alone(workspace: Workspace) -> None:
    run(workspace, lambda n: {"c1": 10}, booked=100)
    device = rows_of(workspace, "2026-12", "audience_device")
    assert [row["device"] for row in device if row["status_impressions"] == "published"] == ["ALL"]
    assert rows_of(workspace, "2026-12", "totals")[0]["impression_n"] == str(2 * 5 * 10)
    (reach,) = rows_of(workspace, "2026-12", "reach")
    assert (reach["people_n"], reach["status_impressions"]) == ("", "withheld"), "no invoice tells people"


def test_a_home_that_came_later_has_no_month_and_keeps_no_room(workspace: Workspace) -> None:
    for n, night in enumerate(NIGHTS[1:]):
        land(workspace, night, {"c1": 40 if n == 1 else 120})
        workspace.make_safe(night)
        statuses = {r.period: r.status for r in workspace.publish(night) if r.recipient_id == "adv-1"}
    assert set(statuses) == {"2026-12-31"}
    shown = [rows_of(workspace, night.isoformat(), "audience_device")[0]["status_impressions"] for night in NIGHTS[1:]]
    assert shown == ["published", "withheld", "published", "published"]


def test_a_month_in_which_a_night_never_ran_declares_nothing(workspace: Workspace) -> None:
    for night in (NIGHTS[0], NIGHTS[1], NIGHTS[3], NIGHTS[4]):
        land(workspace, night, {"c1": 120})
        people_of_the_month(workspace, {"c1": 300})
        workspace.make_safe(night)
        statuses = {r.period: r.status for r in workspace.publish(night) if r.recipient_id == "adv-1"}
    assert set(statuses) == {"2026-12-31"}


def test_a_month_is_judged_beside_the_weeks_within_it(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    saturday = FIRST - timedelta(days=1)
    monkeypatch.setattr("test_month_packages.FIRST", saturday)
    for night in (saturday, *NIGHTS):
        land(workspace, night, {"c1": 120}, booked=12_000)
        workspace.make_safe(night)
        workspace.publish(night)
    packages = Packages(workspace.store, workspace.policy, workspace.keys, workspace.ledger)
    owed = [each for batch in packages.calendar.batches(LAST, packages.calendar.plans) for each in batch]
    (month,) = [each for each in owed if each.shape.period == "2026-12"]
    assert {night: shape.period for night, shape in month.weeks.items()} == {NIGHTS[0]: "2026-W52"}


def test_a_campaign_that_ended_and_left_the_catalogue_is_in_its_month(workspace: Workspace) -> None:
    schema = workspace.catalog["pseudo__campaign"].arrow_schema()

    def land_less(n: int) -> Mapping[str, int]:
        return {"c1": 120, "c2": 140} if n < 3 else {"c1": 120}

    for n, night in enumerate(NIGHTS):
        land(workspace, night, land_less(n))
        if n < 3:
            rows = workspace.store.read("pseudo__campaign", night).to_pylist()
            ended = [{**row, "ends_on": NIGHTS[2] if row["campaign_id"] == "c2" else LAST} for row in rows]
            workspace.store.write("pseudo__campaign", night, pa.Table.from_pylist(ended, schema))
        people_of_the_month(workspace, {"c1": 300, "c2": 300})
        workspace.make_safe(night)
        statuses = {r.period: r.status for r in workspace.publish(night) if r.recipient_id == "adv-1"}
    assert statuses["2026-12"] == "published"
    assert [row["impression_n"] for row in rows_of(workspace, "2026-12", "totals")] == ["1200", "840"]


def test_a_campaign_that_changes_hands_within_a_month_is_in_none_and_each_keeps_its_own_room(
    workspace: Workspace,
) -> None:
    """Two days were withheld of the first recipient's: they are no room for the second one's invoice."""
    for n, night in enumerate(NIGHTS):
        land(workspace, night, {"c1": 40 if n in (0, 3) else 120, "c2": 130})
        recipients = [{"recipient_id": r, "kind": "advertiser"} for r in ("adv-1", "adv-2")]
        write(workspace, night, "pseudo__recipient", recipients)
        rows = workspace.store.read("pseudo__campaign", night).to_pylist()
        owners = {"c1": "adv-1" if n < 2 else "adv-2", "c2": "adv-1"}
        moved = [{**row, "recipient_id": owners[row["campaign_id"]]} for row in rows]
        schema = workspace.catalog["pseudo__campaign"].arrow_schema()
        workspace.store.write("pseudo__campaign", night, pa.Table.from_pylist(moved, schema))
        people_of_the_month(workspace, {"c1": 300, "c2": 300})
        assert workspace.make_safe(night) == []
        releases = workspace.publish(night)
    periods = {(r.recipient_id, r.period) for r in releases}
    assert ("adv-1", "2026-12") in periods
    assert ("adv-2", "2026-12") not in periods
    assert [row["campaign_id"] for row in rows_of(workspace, "2026-12", "totals")] == ["c2"]
    folder = workspace.home.out / "adv-2" / "campaign"
    shown = [
        next(csv.DictReader((folder / night.isoformat() / "audience_device.csv").open(encoding="utf-8")))
        for night in NIGHTS[2:]
    ]
    assert [row["status_impressions"] for row in shown] == ["published", "withheld", "withheld"]


def test_a_month_says_who_counts_and_is_judged_by_them(workspace: Workspace) -> None:
    for n, night in enumerate(NIGHTS):
        land(workspace, night, {"c1": 30}, booked=100)
        is_new = {"first_night_on": date(2026, 12, 1), "is_bootstrap": n == 0}
        write(workspace, night, "seg__first_night", [is_new])
        people_of_the_month(workspace, {"c1": 90}, new_n=41)
        workspace.make_safe(night)
        workspace.publish(night)
    device = rows_of(workspace, "2026-12", "audience_device")
    assert [row["device"] for row in device if row["status_impressions"] == "published"] == ["ALL"], "49 of 90 count"
    assert rows_of(workspace, "2026-12", "reach")[0]["status_impressions"] == "withheld"
    folder = workspace.home.out / "adv-1" / "campaign"
    said = {
        path.name: json.loads((path / "datapackage.json").read_text(encoding="utf-8"))["quorum:head_counts"]
        for path in folder.iterdir()
    }
    assert (said["2026-12-27"], said["2026-12-28"], said["2026-12"]) == ("everyone", "seasoned", "everyone")
