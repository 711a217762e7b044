"""The night of a Sunday makes the packages of the week, after those of its days, and never without them."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date, timedelta
from importlib import import_module
from pathlib import Path

import pyarrow as pa
import pytest

from quorum import making as module
from quorum.errors import ReleaseError
from quorum.release.certificate import export_public_key, load_public_key
from quorum.release.verify import verify_packages
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home

SATURDAY, SUNDAY = date(2026, 11, 21), date(2026, 11, 22)
CUBES = {
    "cube__campaign_daily": ("creative_id", "placement"),
    "cube__audience_age_gender": ("age_band", "gender"),
    "cube__audience_area": ("region", "prefecture"),
    "cube__audience_occupation": ("occupation",),
    "cube__audience_device": ("device",),
    "cube__audience_hour": ("hour_band",),
}
HALVES = {"device": ("desktop", "mobile"), "gender": ("female", "male")}


@pytest.fixture
def workspace(home: Home, tmp_path: Path) -> Iterator[Workspace]:
    """A weekend on which a small campaign runs: it is told by week."""
    with open_workspace(home, tmp_path / "landing", ROOT / "policy", {"QUORUM_MASTER_KEY": "5a" * 32}) as workspace:
        for night in (SATURDAY, SUNDAY):
            (tmp_path / "landing" / night.isoformat()).mkdir(parents=True)
            land(workspace, night)
        yield workspace


def land(workspace: Workspace, night: date) -> None:
    write(workspace, night, "pseudo__recipient", [{"recipient_id": "adv-1", "kind": "advertiser"}])
    started = SATURDAY - timedelta(days=1)  # before the home was there, so that nothing is planned by month
    campaign = {"campaign_id": "c1", "recipient_id": "adv-1", "starts_on": started, "ends_on": SUNDAY}
    price = {"booked_impressions": 200, "price_model": "cpm", "price_micros": 500_000}
    write(workspace, night, "pseudo__campaign", [{**campaign, **price}])
    count(workspace, night, 70, 2)


def count(workspace: Workspace, night: date, people: int, each: int) -> None:
    """Everybody is one of two women, on two devices: cells of half of the people each, and their margins."""
    for table, columns in CUBES.items():
        write(workspace, night, table, _rows(columns, people, people // 2, each))


def _rows(columns: tuple[str, ...], people: int, half_n: int, each: int, new_n: int = 0) -> list[dict[str, object]]:
    """Every cell that is not empty: in the last column two halves, or one category; unknown in the others.

    So many people in every cell, always the same, do not count.
    """
    first, last = columns[0], columns[-1]
    rows: list[dict[str, object]] = []
    for name in ("ALL", *HALVES.get(last, ("unknown",))):
        number = half_n if last in HALVES and name != "ALL" else people
        for other in ("ALL", "unknown") if len(columns) > 1 else ("",):
            if first == "region" and (other, name) == ("ALL", "unknown"):
                continue
            cell = {last: name} if len(columns) == 1 else {first: other, last: name}
            heads = {"people_n": number, "people_counted_n": number - new_n}
            rows.append({"campaign_id": "c1", **cell, **heads, "impression_n": number * each})
    return rows


def write(workspace: Workspace, night: date, table: str, given: list[dict[str, object]]) -> None:
    schema = workspace.catalog[table].arrow_schema()
    zero = {field.name: 0 for field in schema if field.type == pa.int64() and table.startswith("cube__")}
    rows = [{name: {**zero, **row}.get(name) for name in schema.names} for row in given]
    workspace.store.write(table, night, pa.Table.from_pylist(rows, schema))


def people_of_the_week(workspace: Workspace, people: int, new_n: int = 0) -> None:
    schema = workspace.catalog["cube__campaign_week"].arrow_schema()
    every = {field.name: "ALL" for field in schema if field.type == pa.string()}
    cells = [row for columns in CUBES.values() for row in _rows(columns, people, people // 2 + 5, 0, new_n)]
    rows = [{**every, **{name: value for name, value in cell.items() if name in schema.names}} for cell in cells]
    distinct = {tuple(row[name] for name in every): row for row in rows}
    write(workspace, SUNDAY, "cube__campaign_week", list(distinct.values()))


def run(workspace: Workspace, night: date) -> dict[tuple[str, str], str]:
    workspace.make_safe(night)
    return {(r.recipient_id, r.period): r.status for r in workspace.publish(night)}


def reach_of(workspace: Workspace) -> tuple[str, str]:
    path = workspace.home.out / "adv-1" / "campaign" / "2026-W47" / "reach.csv"
    (row,) = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
    return row["people_n"], row["status_impressions"]


def test_the_week_is_the_sum_of_its_days_with_people_counted_once(workspace: Workspace) -> None:
    people_of_the_week(workspace, 90)
    assert set(run(workspace, SATURDAY)) == {("adv-1", "2026-11-21"), ("site", "2026-11-21")}
    statuses = run(workspace, SUNDAY)
    assert statuses == {
        ("adv-1", "2026-11-22"): "published",
        ("adv-1", "2026-W47"): "published",
        ("site", "2026-11-22"): "published",
    }
    (entry,) = workspace.ledger.entries("plan")
    assert set(entry.body["periods"].values()) == {"week"}
    folder = workspace.home.out / "adv-1" / "campaign"
    device = (folder / "2026-W47" / "audience_device.csv").read_text(encoding="utf-8")
    assert device.splitlines()[0].startswith("campaign_id,device,impression_n,click_n")
    assert "c1,ALL,280," in device
    for day in (SATURDAY, SUNDAY):
        rows = (folder / day.isoformat() / "audience_device.csv").read_text(encoding="utf-8").splitlines()
        assert all("published" not in row for row in rows)
    assert reach_of(workspace) == ("90", "published")
    assert "Mon 16 Nov 2026 – Sun 22 Nov 2026" in (folder / "2026-W47" / "report.en.html").read_text(encoding="utf-8")
    assert run(workspace, SUNDAY) == dict.fromkeys(statuses, "unchanged")
    assert len(workspace.stored(SUNDAY)) == 3


def test_too_few_people_in_the_week_are_withheld_whatever_the_days_sum_to(workspace: Workspace) -> None:
    people_of_the_week(workspace, 40)
    for night in (SATURDAY, SUNDAY):
        run(workspace, night)
    device = workspace.home.out / "adv-1" / "campaign" / "2026-W47" / "audience_device.csv"
    assert "published" not in device.read_text(encoding="utf-8")
    assert reach_of(workspace) == ("", "withheld")


def test_a_week_is_told_by_the_people_of_it_who_count(workspace: Workspace) -> None:
    people_of_the_week(workspace, 90, new_n=41)
    run(workspace, SATURDAY)
    assert run(workspace, SUNDAY)["adv-1", "2026-W47"] == "published"
    folder = workspace.home.out / "adv-1" / "campaign" / "2026-W47"
    assert "published" not in (folder / "audience_device.csv").read_text(encoding="utf-8"), "49 of 90 count"
    assert reach_of(workspace) == ("", "withheld")


def test_people_reached_in_a_week_are_told_for_none_of_its_days(workspace: Workspace) -> None:
    people_of_the_week(workspace, 90)
    for night in (SATURDAY, SUNDAY):
        run(workspace, night)
    folder = workspace.home.out / "adv-1" / "campaign"
    for day in (SATURDAY, SUNDAY):
        for path in (folder / day.isoformat()).glob("*.csv"):
            rows = csv.DictReader(path.read_text(encoding="utf-8").splitlines())
            assert not any(told.get("people_n") for told in rows), "people of the week, so none of its days"
    described = json.loads((folder / "2026-W47" / "datapackage.json").read_text(encoding="utf-8"))
    (reach,) = [resource for resource in described["resources"] if resource["name"] == "reach"]
    (field,) = [f for f in reach["schema"]["fields"] if f["quorum:role"] == "measure"]
    assert (field["quorum:unit"], field["quorum:additive_over"]) == ("people", [])
    key = load_public_key(export_public_key(workspace.home, workspace.keys))
    assert all(verdict.is_valid for verdict in verify_packages(sorted(folder.iterdir()), key))
    for language, said in (("en", "People reached"), ("ja", "到達人数")):
        page = (folder / "2026-W47" / f"report.{language}.html").read_text(encoding="utf-8")
        assert said in page
        assert ">90<" in page


def test_a_week_says_that_everybody_counted_if_they_did_on_one_of_its_days(workspace: Workspace) -> None:
    people_of_the_week(workspace, 90)
    portal = {"first_night_on": date(2026, 10, 25)}
    write(workspace, SATURDAY, "seg__first_night", [{**portal, "is_bootstrap": True}])
    write(workspace, SUNDAY, "seg__first_night", [{**portal, "is_bootstrap": False}])
    run(workspace, SATURDAY)
    run(workspace, SUNDAY)
    said = {}
    for folder in (workspace.home.out / "adv-1" / "campaign").iterdir():
        certificate = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
        descriptor = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
        assert certificate["rule_set"]["who_counts"] == descriptor["quorum:rule_set"]["who_counts"]
        assert certificate["rule_set"]["who_counts"] == {"seasoned_days": 28, "active_nights": 3, "network_people": 5}
        assert certificate["head_counts"] == descriptor["quorum:head_counts"]
        said[folder.name] = certificate["head_counts"]
    assert said == {"2026-11-21": "everyone", "2026-11-22": "seasoned", "2026-W47": "everyone"}


def test_a_week_waits_for_its_days(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    people_of_the_week(workspace, 90)
    run(workspace, SATURDAY)
    control = module.control

    def refuse(cube, *arguments, **named):
        if cube.shape.period == SUNDAY.isoformat() and cube.shape.recipient_id == "adv-1":
            raise ReleaseError("safe.planted", "a planted refusal")
        return control(cube, *arguments, **named)

    with monkeypatch.context() as patched:
        patched.setattr(module, "control", refuse)
        statuses = run(workspace, SUNDAY)
    assert statuses["adv-1", "2026-11-22"] == statuses["adv-1", "2026-W47"] == "blocked"
    reasons = [e.body["reasons"] for e in workspace.ledger.entries("blocked") if e.body["period"] == "2026-W47"]
    assert reasons
    assert all("release.days" in reason for (reason,) in reasons)
    assert not (workspace.home.out / "adv-1" / "campaign" / "2026-W47").exists()
    again = run(workspace, SUNDAY)
    assert again["adv-1", "2026-11-22"] == again["adv-1", "2026-W47"] == "published"


def test_writer_and_door_judge_the_week_beside_its_days(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    people_of_the_week(workspace, 90)
    seen: dict[str, set[frozenset[str]]] = {}

    def spy(where: str, name: str) -> None:
        of = import_module(f"quorum.release.{where}")
        attack = getattr(of, name)

        def noted(packages, *rest, held=()):
            seen.setdefault(where, set()).add(frozenset(package.shape.period for package in (*packages, *held)))
            return attack(packages, *rest, **({"held": held} if where == "gate" else {}))

        monkeypatch.setattr(of, name, noted)

    spy("gate", "run_attacks")
    spy("safe", "read_again")
    for night in (SATURDAY, SUNDAY):
        run(workspace, night)
    together = frozenset({"2026-W47", "2026-11-21", "2026-11-22"})
    for where in ("gate", "safe"):
        assert seen[where] == {together, frozenset({"2026-11-21"}), frozenset({"2026-11-22"})}


def test_a_week_under_two_policies_has_no_package(workspace: Workspace) -> None:
    people_of_the_week(workspace, 90)
    workspace.ledger.finish_night(SATURDAY, "0" * 64, {"policy": {"version": 0, "digest": "other"}})
    assert ("adv-1", "2026-W47") not in run(workspace, SUNDAY)


def test_a_night_that_never_ran_is_not_in_its_week(workspace: Workspace) -> None:
    people_of_the_week(workspace, 90)
    assert ("adv-1", "2026-W47") not in run(workspace, SUNDAY), "one day is no week"


def test_only_a_sunday_ends_a_week(workspace: Workspace) -> None:
    monday = SUNDAY + timedelta(days=1)
    for night in (SATURDAY, SUNDAY):
        run(workspace, night)
    land(workspace, monday)
    (workspace.landing / monday.isoformat()).mkdir()
    assert {period for _, period in run(workspace, monday)} == {monday.isoformat()}


def test_a_campaign_that_changes_hands_within_a_week_is_in_no_week(workspace: Workspace) -> None:
    """People of the week would be counted on days whose events are another recipient's."""
    friday = SATURDAY - timedelta(days=1)
    people_of_the_week(workspace, 90)
    for night, recipient in ((friday, "adv-2"), (SATURDAY, "adv-1"), (SUNDAY, "adv-1")):
        write(
            workspace,
            night,
            "pseudo__recipient",
            [{"recipient_id": r, "kind": "advertiser"} for r in ("adv-1", "adv-2")],
        )
        campaign = {"campaign_id": "c1", "recipient_id": recipient, "starts_on": friday, "ends_on": SUNDAY}
        price = {"booked_impressions": 200, "price_model": "cpm", "price_micros": 500_000}
        write(workspace, night, "pseudo__campaign", [{**campaign, **price}])
        count(workspace, night, 70, 2)
        (workspace.landing / night.isoformat()).mkdir(exist_ok=True)
    for night in (friday, SATURDAY, SUNDAY):
        statuses = run(workspace, night)
    assert ("adv-1", "2026-11-22") in statuses
    assert not [period for _, period in statuses if "W" in period]
