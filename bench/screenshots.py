"""Pictures of report pages for the documentation: the packages of a home, opened in headless chromium.

    python -m bench.screenshots HOME docs

What belongs here: choosing pages and taking pictures. What does not: making the packages (`make screenshots`).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

LARGEST = 400_000
"""Bytes of a picture."""

PICTURES = (
    ("report.png", "campaign", "ja", 1280, 1560, ""),
    ("report_audience.png", "campaign", "en", 1280, 1560, "figure"),
    ("report_phone.png", "site", "ja", 390, 1560, ""),
)
"""File, report, language, width, height, and the element at which it begins."""


def largest(home: Path, report: str) -> Path:
    """Return the package of a report with the most bytes of tables, of its latest day."""
    found = [path.parent for path in (home / "out").glob(f"*/{report}/*/datapackage.json")]
    if not found:
        sys.exit(f"no package of {report} in {home}: run `make screenshots`")
    latest = max(folder.name for folder in found if folder.name.count("-") == 2)
    return max(
        (folder for folder in found if folder.name == latest),
        key=lambda folder: (sum(path.stat().st_size for path in folder.glob("*.csv")), folder.as_posix()),
    )


def main(home: Path, docs: Path) -> None:
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("chromium is not there: apt-get install chromium fonts-noto-cjk")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name, report, language, width, height, start in PICTURES:
            page = browser.new_page(viewport={"width": width, "height": height})
            page.goto((largest(home, report) / f"report.{language}.html").resolve().as_uri())
            if start:
                page.locator(start).first.evaluate("element => window.scrollTo(0, element.offsetTop - 24)")
            page.screenshot(path=docs / name)
            size = (docs / name).stat().st_size
            if size > LARGEST:
                sys.exit(f"{name} has {size} bytes, allowed are {LARGEST}")
        browser.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
