"""Pages in a real browser: axe finds nothing serious, nothing runs over the edge, nothing is fetched.

Run by `make browser-test`, which needs chromium; not collected with the other tests, so that none of them is skipped.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, sync_playwright
from release_night import NIGHT, cube_tables, references, withhold

from quorum.policy import Policy
from quorum.release.shapes import package_shapes
from quorum.report.facts import page_facts
from quorum.report.html import render

PAGES = [(report, language) for report in ("campaign", "sections", "site") for language in ("ja", "en")]
DESKTOP, PHONE = 1280, 390


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
    return found


@pytest.mark.parametrize("width", [DESKTOP, PHONE])
@pytest.mark.parametrize(("report", "language"), PAGES)
def test_a_page_is_accessible_fits_and_fetches_nothing(
    browser: Browser, folder: Path, report: str, language: str, width: int
) -> None:
    page = browser.new_context(viewport={"width": width, "height": 900}, bypass_csp=True).new_page()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto((folder / f"{report}.report.{language}.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") == width
    found = Axe().run(page).response["violations"]
    assert [(one["impact"], one["id"], one["nodes"][0]["html"]) for one in found] == []
    assert len(fetched) == 1


@pytest.mark.parametrize("language", ["ja", "en"])
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
