"""The form of questions: it offers what released packages answer and no more, and names in it are text."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace

import dagster as dg
import pyarrow as pa
import pytest
from release_night import cube_tables, references

from pipelines.ask_form import LAUNCHPAD, form_data, script_source
from pipelines.ask_job import AskConfig, ask_job
from pipelines.night_page import night_page
from pipelines.offered import PERIODS, all_offered, offered
from quorum.disclosure import PackageCube, control
from quorum.ledger import Ledger
from quorum.policy import Policy
from quorum.release.answers import Question, cut
from quorum.release.package import DESCRIPTOR, describe, package_path
from quorum.release.shapes import package_shapes
from quorum.tables import PackageShape
from quorum.tables.shape import ALL
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
PERIOD = NIGHT.isoformat()
NO_FIELDS = '{"resources": [{"name": "performance"}]}'
NO_KEY = '{"resources": [{"name": "performance", "schema": {"fields": [{"name": "placement"}]}}]}'
HOSTILE = "</script><img src=x onerror=alert(1)>'\"&{{ 7 * 7 }}"


class House:
    """Stands in for a workspace: released packages of a night, the names of its campaigns and sections."""

    def __init__(self, home: Home, policy: Policy) -> None:
        self.home, self.policy, self.ledger = home, policy, Ledger(home.ledger)
        self.names = {table: rows.to_pylist() for table, rows in references().items()}
        self.store = SimpleNamespace(read=lambda table, _: pa.Table.from_pylist(self.names[table]))

    def release(self, shape: PackageShape, night: date = NIGHT) -> Path:
        folder = self.home.out / package_path(shape)
        folder.mkdir(parents=True)
        digests = {table.name: "0" * 64 for table in shape.tables}
        (folder / DESCRIPTOR).write_text(json.dumps(describe(shape, self.policy, digests)), encoding="utf-8")
        self.ledger.enter_release(shape.recipient_id, shape.report, shape.period, night, "0" * 64, {})
        return folder


@pytest.fixture(scope="module")
def shapes(policy: Policy) -> list[PackageShape]:
    """Packages of two advertisers, the site and others, as a night owes them."""
    shapes = package_shapes(policy, references(), NIGHT)
    return [*shapes, other(next(shape for shape in shapes if shape.report == "campaign"))]


def other(shape: PackageShape) -> PackageShape:
    """Return the package of another advertiser, whose campaigns are called d000 and so on."""
    tables = []
    for table in shape.tables:
        key, *free = table.dimensions
        keys = tuple(tuple(part.replace("c", "d", 1) for part in path) for path in key.keys)
        tables.append(replace(table, dimensions=(replace(key, keys=keys), *free)))
    plan = {key.replace("c", "d", 1): own for key, own in shape.plan.items()}
    return replace(shape, recipient_id="adv-b", tables=tuple(tables), plan=plan)


@pytest.fixture
def house(home: Home, policy: Policy, shapes: list[PackageShape]) -> House:
    house = House(home, policy)
    for shape in shapes:
        house.release(shape)
    return house


def form_of(house: House, language: str = "ja") -> str:
    """Return the page of a night that did nothing but offer what there is."""
    offers = all_offered(house, lambda _: None)
    nothing = {name: [] for name in ("sources", "releases", "shares", "errors", "stages")}
    counts = {"date": PERIOD, "is_done": True, "exit_code": 0, "seconds": 0, "reasons": {}, "waiting": {}}
    facts = {**nothing, **counts, "askable": {"reports": {}, "categories": {}}}
    form = form_data(house.policy, offers, language) if offers["reports"] else None
    return night_page(facts, [(NIGHT, facts)], language, form=form)


def data_of(page: str) -> dict[str, object]:
    """Return the form's data as a browser reads it."""
    (text,) = re.findall(r'<script type="application/json" id="ask-data">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def test_what_is_offered_is_what_the_packages_list(house: House, shapes: list[PackageShape], policy: Policy) -> None:
    found = all_offered(house, lambda _: None)["reports"]
    assert list(found) == ["campaign", "site"]
    for report, periods in found.items():
        own = [shape for shape in shapes if shape.report == report]
        assert list(periods) == [PERIOD]
        assert list(periods[PERIOD]) == list(dict.fromkeys(table.name for shape in own for table in shape.tables))
        for name, columns in periods[PERIOD].items():
            tables = [table for shape in own for table in shape.tables if table.name == name]
            assert list(columns) == list(tables[0].columns)
            key = policy.reports[report].key
            assert set(columns[key]) == {path[0] for table in tables for path in table.dimensions[0].keys}
            for dimension in tables[0].dimensions[1:]:
                for level, column in enumerate(dimension.levels):
                    assert set(columns[column]) == {path[level] for path in dimension.keys}
    assert found["campaign"][PERIOD]["performance"]["creative_id"] == []
    assert not any(ALL in own for of in found["campaign"][PERIOD].values() for own in of.values())


def test_the_page_offers_each_table_column_category_and_campaign(house: House, policy: Policy) -> None:
    found = all_offered(house, lambda _: None)["reports"]
    for language in ("ja", "en"):
        data = data_of(form_of(house, language))
        shown = {
            report: {
                period: {
                    table: {column: data["lists"][place] for column, place in columns.items()}
                    for table, columns in tables.items()
                }
                for period, tables in of["periods"]
            }
            for report, of in data["reports"].items()
        }
        assert shown == found
        columns = {
            column for of in found.values() for tables in of.values() for own in tables.values() for column in own
        }
        assert set(data["columns"]) == columns
        assert data["labels"]["gender"]["female"] == policy.label("genders", "female", language)
        assert data["labels"]["campaign_id"]["c000"] == house.names["pseudo__campaign"][0][f"name_{language}"]


def test_everything_that_is_offered_is_answered(house: House, shapes: list[PackageShape], policy: Policy) -> None:
    for report, periods in all_offered(house, lambda _: None)["reports"].items():
        sources = []
        for shape in (shape for shape in shapes if shape.report == report):
            families = [policy.families[name] for name in policy.reports[report].families]
            rules = policy.rule_sets[policy.reports[report].rule_set]
            sources.append((shape, control(PackageCube(shape, cube_tables(shape, policy)), rules, families).tables))
        for name, columns in periods[PERIOD].items():
            (key, *free) = columns
            cut(Question(report, PERIOD, name, tuple(free), {}, tuple(columns[key])), sources, name)
            for column in free:
                for category in columns[column]:
                    cut(Question(report, PERIOD, name, (), {column: (category,)}), sources, name)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_name_from_outside_is_text(house: House, language: str) -> None:
    house.names["pseudo__campaign"][0] |= {"name_ja": HOSTILE, "name_en": HOSTILE}
    path = house.home.out / "adv-a" / "campaign" / PERIOD / DESCRIPTOR
    path.write_text(path.read_text(encoding="utf-8").replace('"c001"', json.dumps(HOSTILE)), encoding="utf-8")
    page = form_of(house, language)
    data = data_of(page)
    assert data["labels"]["campaign_id"]["c000"] == HOSTILE
    assert any(HOSTILE in listed for listed in data["lists"])
    assert "<img" not in page
    assert page.count("<script") == page.count("</script>") == 2


def test_no_script_runs_but_that_of_the_form(house: House, root: Path) -> None:
    page = form_of(house)
    (inline,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(inline.encode()).digest()).decode()
    (allowed,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    directives = dict(each.strip().split(" ", 1) for each in html.unescape(allowed).split(";"))
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == script_source() == f"'sha256-{digest}'"
    assert f"script-src {script_source()}" in (root / "docs" / "access.md").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval|fetch\(|\son\w+=|src=", page)


def test_what_no_longer_lies_there_is_not_offered(house: House) -> None:
    kept = {"offered": offered(house, NIGHT)}
    for package in (house.home.out / "site" / "site" / PERIOD, house.home.out / "adv-a" / "campaign" / PERIOD):
        (package / DESCRIPTOR).unlink()
        package.rmdir()
    left = all_offered(house, lambda _: None)["reports"]
    assert list(left) == ["campaign"]
    assert {key[0] for key in left["campaign"][PERIOD]["performance"]["campaign_id"]} == {"d"}
    (house.home.out / "adv-b" / "campaign" / PERIOD).rename(house.home.out / "gone")
    assert all_offered(house, lambda _: kept)["reports"] == {}
    assert "<form" not in form_of(house)
    assert "<script" not in form_of(house)
    assert "quorum ask" in form_of(house)


def test_a_descriptor_that_cannot_be_read_stops_no_page(house: House) -> None:
    for package, broken in (("adv-a", "{"), ("adv-b", NO_FIELDS), ("adv-a", NO_KEY)):
        (house.home.out / package / "campaign" / PERIOD / DESCRIPTOR).write_text(broken, encoding="utf-8")
        assert PERIOD in all_offered(house, lambda _: None)["reports"]["site"]
    assert list(all_offered(house, lambda _: None)["reports"]) == ["site"]


def test_what_a_night_kept_is_read_again_only_if_it_released_more_since(
    house: House, shapes: list[PackageShape]
) -> None:
    kept = offered(house, NIGHT)
    told = json.loads(json.dumps(kept)) | {"names": {"campaign_id": {"c000": {"ja": "kept", "en": "kept"}}}}
    assert all_offered(house, lambda _: {"offered": told})["names"]["campaign_id"]["c000"]["ja"] == "kept"
    week = replace(shapes[-1], period="2026-W47")
    house.release(week)
    found = all_offered(house, lambda _: {"offered": told})
    assert list(found["reports"]["campaign"]) == [PERIOD, "2026-W47"]
    assert found["names"]["campaign_id"]["c000"]["ja"] != "kept"


def test_the_latest_sixty_periods_are_offered(house: House, shapes: list[PackageShape]) -> None:
    site = next(shape for shape in shapes if shape.report == "site")
    nights = [NIGHT - timedelta(days=back) for back in range(1, PERIODS + 5)]
    for night in nights:
        house.release(replace(site, period=night.isoformat()), night)
    found = list(all_offered(house, lambda _: None)["reports"]["site"])
    assert found == [PERIOD, *(night.isoformat() for night in nights[: PERIODS - 1])]


def test_what_the_form_fills_in_is_what_the_job_takes(house: House) -> None:
    data = data_of(form_of(house))
    asked = {
        "report": "campaign",
        "period": PERIOD,
        "table": "performance",
        "dimensions": [],
        "where": [],
        "campaigns": [],
    }
    assert set(asked) == set(AskConfig.model_fields)
    assert dg.validate_run_config(ask_job, {"ops": {data["op"]: {"config": asked}}})
    assert data["path"] == LAUNCHPAD == f"/locations/pipelines.definitions/jobs/{ask_job.name}/playground/setup"
