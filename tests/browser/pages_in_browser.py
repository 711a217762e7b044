"""Pages in a real browser: axe finds nothing serious, nothing runs over the edge, nothing is fetched.

Run by `make browser-test`, which needs chromium; not collected with the other tests, so that none of them is skipped.
"""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest
import yaml
from axe_playwright_python.sync_playwright import Axe
from period_shapes import month, rows_of, week
from playwright.sync_api import Browser, sync_playwright
from release_night import NIGHT, cube_tables, references, withhold

from pipelines.ask_form import form_data
from pipelines.dossier import write_dossier
from pipelines.feasibility_page import feasibility_page
from pipelines.night_page import night_page
from quorum.audit.package import parse_files
from quorum.feasibility import Feasibility
from quorum.ledger import Ledger
from quorum.policy import Policy
from quorum.release.package import table_files
from quorum.release.shapes import package_shapes
from quorum.report.facts import page_facts
from quorum.report.html import render
from quorum.report.why import Held
from quorum.report.why_sheet import cell_page, summary_page
from quorum.workspace import ROOT, open_workspace
from quorum.zones import Home

LANGUAGES = ("ja", "en")
REPORTS = ("campaign", "sections", "site", "week", "month")
SHEETS = ("why", "cell", "feasibility", "dossier")
PAGES = [f"{name}.report.{language}.html" for name in (*REPORTS, *SHEETS) for language in LANGUAGES]
DESKTOP, PHONE = 1280, 390
HOSTILE = "</script><img src=x onerror=alert(1)>'\"; rm -rf $HOME `id` &x=1#\n: [}"
A4_PIXELS = 695
"""184 mm, between the margins, at 96 pixels an inch."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium")
    assert path is not None, "chromium is not there: apt-get install chromium fonts-noto-cjk"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(policy: Policy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("pages")
    for shape in package_shapes(policy, references(2), NIGHT):
        released = withhold(shape, cube_tables(shape, policy, 4_000), policy)
        for name, page in render(page_facts(policy, references(2), shape), released).items():
            (found / f"{shape.report}.{name}").write_bytes(page)
        if shape.report == "campaign":
            _why(found, Held(parse_files(table_files(shape, released, policy))))
    for kind, shape in {"week": week(policy), "month": month(policy)}.items():
        tables = {t.name: rows_of(t, 700 if n % 2 == 0 else None) for n, t in enumerate(shape.tables)}
        for name, page in render(page_facts(policy, references(3), shape), tables).items():
            (found / f"{kind}.{name}").write_bytes(page)
    _feasibility(found, tmp_path_factory.mktemp("forecast"))
    _dossier(found, Home(tmp_path_factory.mktemp("dossier")))
    return found


def _why(found: Path, held: Held) -> None:
    cell = {"campaign_id": "c000", "age_band": "20s", "gender": "female"}
    for language in LANGUAGES:
        (found / f"why.report.{language}.html").write_bytes(summary_page(held, held.summarise(), language))
        (found / f"cell.report.{language}.html").write_bytes(cell_page(held, held.explain(cell), language))


def _feasibility(found: Path, place: Path) -> None:
    """Three campaigns of three sizes, none of which has started."""
    with open_workspace(
        Home(place), place.with_name("landing"), ROOT / "policy", {"QUORUM_MASTER_KEY": "5a" * 32}
    ) as workspace:
        names = references(3)
        for table in ("pseudo__campaign", "pseudo__recipient"):
            schema = workspace.catalog[table].arrow_schema()
            rows = [{name: row.get(name) for name in schema.names} for row in names[table].to_pylist()]
            workspace.store.write(table, NIGHT, pa.Table.from_pylist(rows, schema))
        tomorrow = NIGHT + timedelta(days=1)
        forecast = Feasibility(workspace.store, workspace.policy, workspace.ledger).of(tomorrow)
        assert len(forecast) == 3
        for language in LANGUAGES:
            page = feasibility_page(forecast, workspace.policy, tomorrow, language)
            (found / f"feasibility.report.{language}.html").write_bytes(page)


def _dossier(found: Path, home: Home) -> None:
    ledger = Ledger(home.ledger)
    told = {"attack": "membership", "release": "r", "targets": 1_200, "claims": 0, "unreached": 3}
    told |= {"advantage_high": 0.25, "verdict": "passed", "measured": {"largest_tpr": 0.001}}
    body = {"published_cells": 5, "withheld_cells": 7, "previous": None, "recalls": [], "attacks": [told]}
    ledger.enter_release("adv-a", "campaign", NIGHT.isoformat(), NIGHT, "1" * 64, body)
    refused = {"recipient_id": "adv-b", "report": "campaign", "period": NIGHT.isoformat(), "night": NIGHT.isoformat()}
    ledger.append("blocked", {**refused, "reasons": ["elimination failed"], "sealed": "x"})
    page = write_dossier(home.docs, ledger, NIGHT)
    (found / "dossier.report.ja.html").write_bytes(page.read_bytes())
    (found / "dossier.report.en.html").write_bytes(page.with_name(f"{NIGHT}.en.html").read_bytes())


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_accessible_fits_and_fetches_nothing(browser: Browser, folder: Path, name: str, width: int) -> None:
    page = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True).new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto((folder / name).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = Axe().run(page).response["violations"]
    assert [(one["impact"], one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert len(fetched) == 1
    page.context.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_printed_page_fits_on_a4(browser: Browser, folder: Path, name: str) -> None:
    page = browser.new_page(viewport={"width": A4_PIXELS, "height": 1_000})
    page.emulate_media(media="print")
    page.goto((folder / name).as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == A4_PIXELS
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_printed_page_shows_the_tables_that_are_folded_on_the_screen(
    browser: Browser, folder: Path, language: str
) -> None:
    page = browser.new_page()
    page.goto((folder / f"campaign.report.{language}.html").as_uri())
    folded = page.locator("details:not(.screen) table").first
    assert not folded.is_visible()
    page.emulate_media(media="print")
    assert folded.is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")


@pytest.fixture(scope="module")
def asked(policy: Policy, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A night's page in both languages, whose form offers campaigns that are called as nobody should be."""
    columns = {
        "campaign_id": [HOSTILE, "constructor", "c001"],
        "age_band": ["20s", "30s"],
        "gender": ["female", "male"],
    }
    tables = {
        "audience_age_gender": columns,
        "audience_age": {name: columns[name] for name in ("campaign_id", "age_band")},
    }
    offers = {
        "reports": {"campaign": {"2026-W47": tables, str(NIGHT): tables}},
        "names": {"campaign_id": {"c001": {"ja": HOSTILE, "en": HOSTILE}}},
    }
    lists = {name: [] for name in ("sources", "releases", "shares", "errors", "stages")}
    facts = {"date": str(NIGHT), "is_done": True, "exit_code": 0, "seconds": 0, "reasons": {}, "waiting": {}, **lists}
    facts |= {"askable": {"reports": {}, "categories": {}}}
    found = tmp_path_factory.mktemp("asked")
    for language in ("ja", "en"):
        form = form_data(policy, offers, language)
        (found / f"{language}.html").write_text(
            night_page(facts, [(NIGHT, facts)], language, form=form), encoding="utf-8"
        )
    return found


@pytest.mark.parametrize("language", ["ja", "en"])
def test_a_name_from_outside_is_text_in_the_form_the_command_and_the_configuration(
    browser: Browser, asked: Path, language: str
) -> None:
    page = browser.new_context(viewport={"width": PHONE, "height": 900}).new_page()
    fetched, said = [], []
    page.on("request", lambda request: fetched.append(request.url))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto((asked / f"{language}.html").as_uri())
    assert page.locator("#ask").evaluate("form => form.getBoundingClientRect().right") <= PHONE
    assert page.locator("#ask *").evaluate_all(
        "all => all.every((each) => each.getBoundingClientRect().right <= innerWidth)"
    )
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE
    assert page.input_value("#ask-period") == str(NIGHT)
    assert page.locator("#ask-keys label").all_text_contents()[1] == " constructor"
    page.locator("#ask-keys summary").click()
    page.locator("#ask-keys input").first.check()
    page.select_option("#ask-table", "audience_age")
    assert page.locator("#ask-keys input").first.is_checked()
    config = yaml.safe_load(page.input_value("[name=config]"))["ops"]["answer"]["config"]
    assert (config["campaigns"], config["table"]) == ([HOSTILE], "audience_age")
    assert shlex.split(page.input_value("#ask-command"))[-2:] == ["--key", HOSTILE]
    assert page.locator("img").count() == 0
    assert (len(fetched), said) == (1, [])


def test_no_other_script_runs_and_no_other_address_is_opened(browser: Browser, asked: Path) -> None:
    page = browser.new_page()
    page.goto((asked / "en.html").as_uri())
    page.evaluate(
        "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
    )
    assert page.evaluate("window.ran") is None
    for address, is_valid in (("javascript:alert(1)", False), ("", False), ("https://quorum.example.jp/", True)):
        page.fill("#ask-address", address)
        assert page.locator("#ask-address").evaluate("field => field.checkValidity()") is is_valid
