"""``quorum feasibility``: from the catalogue, the ledger and released cells alone, beside the plan that is fixed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from click.testing import CliRunner

from assets.safe import plans_page
from pipelines.cli import cli
from pipelines.feasibility_page import feasibility_page
from quorum.disclosure.feasibility import Forecast, Share
from quorum.errors import InputError
from quorum.feasibility import Feasibility, remedies, told_of_all
from quorum.plans import Plans, fixed_on
from quorum.release.shapes import REFERENCES, package_shapes
from quorum.tables import KeyPlan, PackageShape
from quorum.workspace import ROOT, Workspace, open_workspace
from quorum.zones import Home

SUNDAY = date(2026, 11, 15)
MONDAY = SUNDAY + timedelta(days=1)
KEY = "5a" * 32
BOOKED = {"c1": 3_000_000, "c2": 60_000, "c3": 2_000}


@pytest.fixture
def workspace(home: Home, tmp_path: Path) -> Iterator[Workspace]:
    with open_workspace(home, tmp_path / "landing", ROOT / "policy", {"QUORUM_MASTER_KEY": KEY}) as workspace:
        yield workspace


def land(workspace: Workspace, night: date, **changes: object) -> None:
    rows = [
        {
            "campaign_id": key,
            "recipient_id": "adv-1" if key == "c1" else "adv-2",
            "starts_on": MONDAY,
            "ends_on": MONDAY + timedelta(days=27),
            "booked_impressions": booked,
            "price_model": "cpm",
            "price_micros": 500_000,
            **changes,
        }
        for key, booked in BOOKED.items()
    ]
    recipients = [{"recipient_id": f"adv-{n}", "kind": "advertiser"} for n in (1, 2)]
    for table, listed in {"pseudo__campaign": rows, "pseudo__recipient": recipients}.items():
        schema = workspace.catalog[table].arrow_schema()
        given = [{name: row.get(name) for name in schema.names} for row in listed]
        workspace.store.write(table, night, pa.Table.from_pylist(given, schema))


def shapes(workspace: Workspace, night: date) -> list[PackageShape]:
    references = {name: workspace.store.read(name, night) for name in REFERENCES}
    return [s for s in package_shapes(workspace.policy, references, night) if s.report == "campaign"]


def fix(workspace: Workspace, night: date) -> None:
    plans = Plans(workspace.store, workspace.policy, workspace.ledger, lambda day: shapes(workspace, day))
    plans.fix(shapes(workspace, night), night)


def forecasts(workspace: Workspace) -> Feasibility:
    return Feasibility(workspace.store, workspace.policy, workspace.ledger)


def test_a_campaign_that_has_not_started_is_forecast_beside_the_plan_that_it_would_get(workspace: Workspace) -> None:
    land(workspace, SUNDAY)
    found = {one.campaign_id: one for one in forecasts(workspace).of(MONDAY)}
    assert set(found) == set(BOOKED)
    assert not any(one.is_fixed for one in found.values())
    fix_as = {one.campaign_id: one.plan for one in found.values()}
    land(workspace, MONDAY)
    fix(workspace, MONDAY)
    after = {one.campaign_id: one for one in forecasts(workspace).of(MONDAY + timedelta(days=1))}
    assert {key: one.plan for key, one in after.items()} == fix_as
    assert all(one.is_fixed for one in after.values())
    large, small = found["c1"], found["c3"]
    assert large.planned.told["impressions"]["audience_area"].expected > 0.95
    assert small.planned.best("clicks") is None
    assert large.outlook.basis["impressions"] == "assumed"


def test_a_fixed_plan_stays_whatever_is_booked_later(workspace: Workspace) -> None:
    land(workspace, MONDAY)
    fix(workspace, MONDAY)
    (before,) = forecasts(workspace).of(MONDAY + timedelta(days=1), campaign_id="c2")
    land(workspace, MONDAY + timedelta(days=1), booked_impressions=90_000_000)
    (after,) = forecasts(workspace).of(MONDAY + timedelta(days=2), campaign_id="c2")
    assert before.plan == after.plan
    assert after.recommended != before.recommended


def test_what_to_ask_for_instead(workspace: Workspace) -> None:
    land(workspace, SUNDAY)
    found = {one.campaign_id: one for one in forecasts(workspace).of(MONDAY)}
    assert remedies(found["c1"], "impressions", 80) == ""
    assert remedies(found["c3"], "conversions", 80) == "the month's total"
    middle = remedies(found["c2"], "clicks", 80)
    assert middle.startswith(("the total by week", "audience_", "performance", "by week"))
    shares = [told_of_all(list(found.values()), family) for family in ("impressions", "clicks", "conversions")]
    assert shares == sorted(shares, reverse=True)
    assert told_of_all([], "clicks") is None


def _forecast(period: str, share: float, total: float = 0.0) -> Forecast:
    told = {"clicks": {"audience_area": Share(share, share, share)}}
    return Forecast(KeyPlan({"clicks": period}, {}), told, {}, {"clicks": total}, {"clicks": 10.0})


@pytest.mark.parametrize(
    ("total", "by_day", "by_week", "remedy"),
    [
        (0.0, 0.5, 0.9, "audience_area with every level: 50%"),
        (0.0, 0.2, 0.9, "by week, audience_area with every level: 90%"),
        (0.9, 0.2, 0.22, "the total by day"),
        (0.1, 0.2, 0.22, "the month's total"),
    ],
)
def test_a_remedy_is_the_first_that_tells_enough_or_clearly_more(
    workspace: Workspace, total: float, by_day: float, by_week: float, remedy: str
) -> None:
    land(workspace, SUNDAY)
    (one,) = forecasts(workspace).of(MONDAY, "c2")
    planned = _forecast("day", 0.2, total)
    one = replace(
        one, plan=planned.plan, planned=planned, by_day=_forecast("day", by_day), longer=_forecast("week", by_week)
    )
    assert remedies(one, "clicks", 80) == remedy


def test_nothing_that_was_counted_is_read(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    land(workspace, SUNDAY)
    read, seen = workspace.store.read, []
    monkeypatch.setattr(workspace.store, "read", lambda table, *rest: seen.append(table) or read(table, *rest))
    forecasts(workspace).of(MONDAY, campaign_id="c1")
    assert seen
    assert not [
        table
        for table in seen
        if not table.startswith(("pseudo__campaign", "pseudo__recipient", "safe__")) and table not in REFERENCES
    ]


def test_a_campaign_that_nobody_knows_is_refused(workspace: Workspace) -> None:
    with pytest.raises(InputError, match=r"feasibility\.reference"):
        forecasts(workspace).next_day()
    land(workspace, SUNDAY)
    assert forecasts(workspace).next_day() == MONDAY
    for given in ({"campaign_id": "c9"}, {"recipient_id": "adv-9"}):
        with pytest.raises(InputError, match=r"feasibility\.campaign"):
            forecasts(workspace).of(MONDAY, **given)
    with pytest.raises(InputError, match=r"feasibility\.campaign"):
        forecasts(workspace).of(MONDAY + timedelta(days=60))


def test_the_command_tells_people_and_programs(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    land(workspace, SUNDAY)
    monkeypatch.setenv("QUORUM_MASTER_KEY", KEY)
    arguments = ["feasibility", "--home", str(workspace.home.root), "--date", MONDAY.isoformat()]
    page = CliRunner().invoke(cli, [*arguments, "--recipient", "adv-1"], catch_exceptions=False)
    assert page.exit_code == 0
    assert "c1" in page.stdout
    assert "c2" not in page.stdout
    told = CliRunner().invoke(cli, [*arguments, "--campaign", "c1", "--json"], catch_exceptions=False)
    record = json.loads(told.stdout)
    (campaign,) = record["campaigns"]
    assert campaign["plan"]["is_fixed"] is False
    assert set(campaign["forecast"]) == {"impressions", "clicks", "conversions"}
    best = campaign["forecast"]["impressions"]["best"]
    assert 0 <= best["low"] <= best["expected"] <= best["high"] <= 1
    assert record["all"]["impressions"] == best["expected"]
    assert record["recipients"][0]["recipient_id"] == "adv-1"


def test_the_analyst_sees_the_plans_that_a_night_fixed(workspace: Workspace) -> None:
    land(workspace, MONDAY)
    fix(workspace, MONDAY)
    plans = fixed_on(workspace.ledger, MONDAY)
    assert [plan["key"] for plan in plans] == list(BOOKED)
    assert workspace.plans(MONDAY) == plans
    assert fixed_on(workspace.ledger, SUNDAY) == []
    page = plans_page(plans)
    assert "| campaign | recipient | month | booked impressions | clicks | conversions | impressions |" in page
    assert "| c1 | adv-1 | 2026-11 | 3,000,000 | day: audience_age_gender 2, audience_age_gender_region" in page
    assert "the total" in page
    assert "more: quorum ledger show --kind plan" not in page
    assert "50 more" in plans_page(plans * 50)


@pytest.mark.parametrize(("language", "instead"), [("ja", "月ごとの合計"), ("en", "the total by month")])
def test_the_page_says_what_is_printed(workspace: Workspace, language: str, instead: str) -> None:
    land(workspace, SUNDAY)
    found = forecasts(workspace).of(MONDAY)
    page = feasibility_page(found, workspace.policy, MONDAY, language).decode()
    assert page == feasibility_page(forecasts(workspace).of(MONDAY), workspace.policy, MONDAY, language).decode()
    for one in found:
        for family in ("impressions", "clicks", "conversions"):
            best = one.planned.best(family)
            assert best is None or f">{best[1].expected:.0%}</td>" in page
            assert f">{one.outlook.events(family):,.0f}*</td>" in page
    assert instead in page
    assert f'<html lang="{language}">' in page
    assert "<script" not in page
    assert "http" not in page.replace("http-equiv", "")


def test_the_command_writes_a_page(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    land(workspace, SUNDAY)
    monkeypatch.setenv("QUORUM_MASTER_KEY", KEY)
    arguments = ["feasibility", "--home", str(workspace.home.root), "--date", MONDAY.isoformat(), "--campaign", "c1"]
    told = CliRunner().invoke(cli, [*arguments, "--page", str(tmp_path / "f.html"), "--lang", "ja"])
    assert (told.exit_code, told.stdout) == (0, "")
    assert "配信前の見込み".encode() in (tmp_path / "f.html").read_bytes()
    assert CliRunner().invoke(cli, [*arguments, "--page", str(tmp_path / "none" / "f.html")]).exit_code != 0
