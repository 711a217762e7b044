"""What an analyst does in the browser, done by Playwright against the real server and daemon, on loopback.

Opens the asset graph, materialises a night with a bad file planted in it, sees a blocking check fail and nothing made
downstream, takes the file away, runs again, reads the metadata, asks a question with the form on the night's page.
Screenshots lie in the folder that is named, to be looked at. Run by ``make test-browser``; it is no test of
``make test``, because it needs Chromium, and fails without.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from ask_in_browser import ask_in_browser
from dagster import DagsterInstance
from playwright.sync_api import Page, sync_playwright

from pipelines.instance import prepare_dagster_home
from pipelines.settings import yesterday
from quorum.sample import write_sample
from quorum.tables import load_catalog
from quorum.workspace import ROOT
from quorum.zones import Home

PORT = 3917
URL = f"http://127.0.0.1:{PORT}"
ZONES = ("vault", "pseudo", "seg", "cube", "safe", "extract", "out")
PATIENCE = 900
_MODULE = ("-m", "pipelines.definitions")
BAD = "pseudo__access"


def chromium() -> str:
    """Return the browser's path; without one there is nothing to say, and that is a failure."""
    named = os.environ.get("CHROMIUM", "")
    found = next(
        (path for name in (named, "chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
    )
    if not found:
        sys.exit("no chromium: install it, or name it in CHROMIUM; nothing was checked")
    return found


@contextmanager
def serving(home: Path, landing: Path) -> Iterator[None]:
    """Run web server and daemon while the context is open."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("QUORUM_", "DAGSTER_"))}
    environ |= {"QUORUM_HOME": str(home), "QUORUM_LANDING": str(landing), "QUORUM_MASTER_KEY": "a7" * 32}
    environ |= {"DAGSTER_HOME": str(prepare_dagster_home(home / "dagster")), "DAGSTER_DISABLE_TELEMETRY": "1"}
    programs = [
        ("dagster-webserver", "-h", "127.0.0.1", "-p", str(PORT), *_MODULE),
        ("dagster-daemon", "run", *_MODULE),
    ]
    with DagsterInstance.from_config(environ["DAGSTER_HOME"]):
        pass  # makes its databases: two programs that make them at the same time are in each other's way
    started = []
    try:
        for name, *arguments in programs:
            program = Path(sys.executable).with_name(name)
            log = (home / f"{name}.log").open("wb")
            started.append(subprocess.Popen([program, *arguments], env=environ, stdout=log, stderr=log, cwd=ROOT))
        wait_for(_is_up, "the server")
        yield
    finally:
        for process in started:
            process.terminate()
        for process in started:
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


def asked(query: str) -> dict[str, Any]:
    """Ask the server, in GraphQL."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"{URL}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: dict[str, Any] = json.load(answer)["data"]
    return found


def wait_for(is_so: Any, what: str) -> Any:
    """Wait until something is so, and return it."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        with suppress(OSError, KeyError, TypeError):
            if found := is_so():
                return found
        time.sleep(2)
    sys.exit(f"{what} did not come in {PATIENCE} s")


def _is_up() -> bool:
    return bool(
        asked("{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }")["repositoriesOrError"][
            "nodes"
        ]
    )


def ended(count: int) -> str:
    """Wait until so many runs have ended, and return the status of the last."""

    def last() -> str:
        runs = asked("{ runsOrError(limit: 9) { ... on Runs { results { status } } } }")["runsOrError"]["results"]
        over = [run["status"] for run in runs if run["status"] in ("SUCCESS", "FAILURE", "CANCELED")]
        return str(over[0]) if len(over) == count == len(runs) else ""

    return str(wait_for(last, f"the end of run {count}"))


def made(table: str) -> list[dict[str, Any]]:
    """Return the materialisations of a table, the latest first."""
    query = '{ assetOrError(assetKey: {path: ["%s"]}) { ... on Asset { assetMaterializations { partition runId } } } }'
    return list(asked(query % table)["assetOrError"].get("assetMaterializations", []))


def launch(page: Page, night: date, shots: Path, name: str) -> None:
    """Materialise all assets of a night on the job's page."""
    page.goto(f"{URL}/locations/pipelines.definitions/jobs/nightly", wait_until="domcontentloaded")
    page.get_by_role("button", name="Materialize all").click(timeout=PATIENCE * 1000)
    dialog = page.locator("[role=dialog]")
    dialog.get_by_role("button", name="Custom").wait_for(timeout=PATIENCE * 1000)
    partitions = dialog.locator("input[type=text]").first
    partitions.wait_for(timeout=PATIENCE * 1000)
    partitions.fill(night.isoformat())
    partitions.press("Enter")
    dialog.get_by_text("1 partition", exact=True).wait_for(timeout=PATIENCE * 1000)
    page.screenshot(path=shots / f"{name}.png")
    dialog.get_by_role("button", name="Launch 1 run").click(timeout=PATIENCE * 1000)


def look(page: Page, path: str, shots: Path, name: str, *expected: str) -> None:
    """Open a page of the UI, wait for what it must tell, keep a picture."""
    page.goto(f"{URL}{path}", wait_until="domcontentloaded")
    for text in expected:
        page.get_by_text(text).first.wait_for(timeout=PATIENCE * 1000)
    page.wait_for_timeout(3000)
    page.screenshot(path=shots / f"{name}.png")


def plant(home: Path, night: date) -> Path:
    """Put a file into a partition that no program of ours would write: a device that the policy does not list."""
    schema = load_catalog(ROOT / "sql")[BAD].arrow_schema()
    filler = {"string": "x", "int32": 0, "int64": 0, "bool": False}
    values = {field.name: filler.get(str(field.type)) for field in schema}
    path = Home(home).partition(BAD, night) / f"landed-{night - timedelta(days=1)}.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(schema.empty_table().from_pylist([{**values, "device": "toaster"}], schema), path)
    return path


def check(is_so: bool, what: str) -> None:
    """Say what was seen, or end."""
    if not is_so:
        sys.exit(f"NOT SO: {what}")
    sys.stdout.write(f"seen: {what}\n")
    sys.stdout.flush()


def main(shots: Path) -> None:
    """Do all of it."""
    shots.mkdir(parents=True, exist_ok=True)
    night = yesterday()
    with tempfile.TemporaryDirectory(prefix="quorum-browser-") as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        landing, home = Path(folder, "landing"), Path(folder, "home")
        write_sample(landing, last=night, days=1, members=300, events=4000, campaigns=3, recipients=5, ctr=0.2, seed=11)
        planted = plant(home, night)
        with serving(home, landing):
            page = browser.new_page(viewport={"width": 1600, "height": 1000})
            look(page, "/asset-groups", shots, "1-graph", *ZONES)
            check(True, "the asset graph, a group for each zone")

            launch(page, night, shots, "2-launch")
            check(ended(1) == "FAILURE", "the night with the bad file failed")
            look(page, f"/assets/{BAD}?view=checks", shots, "3-check", "expectations")
            look(page, "/runs", shots, "4-runs", "Failure")
            check(len(made(BAD)) == 1, f"{BAD} was made")
            downstream = [name for name in ("seg__event", "safe__performance", "out__package") if made(name)]
            check(not downstream, "nothing downstream of the blocking check was made")
            text = (home / "docs" / "night" / f"{night}.html").read_text(encoding="utf-8")
            check(
                f"expectations.{BAD}" in text and "toaster" not in text,
                "the page of the night tells it, without a value",
            )

            planted.unlink()
            launch(page, night, shots, "5-launch-again")
            check(ended(2) == "SUCCESS", "the mended night is done")
            check(len(made("out__package")) == 1, "packages were made")
            look(
                page, "/assets/safe__audience_area?view=events", shots, "6-metadata", "withheld", "data_docs", "plan_n"
            )
            look(page, f"/assets/{BAD}?view=events", shots, "7-intake", "quarantined_n", "loaded_n")
            look(page, "/assets/seg__person_day?view=events", shots, "8-people", "people_n", "lineage_page")
            look(page, "/assets/out__package?view=events", shots, "9-packages", "packages", "published_n")
            check(True, "metadata of a materialisation: counts, shares withheld, pages to open")
            page.goto((home / "docs" / "night" / f"{night}.html").as_uri())
            page.screenshot(path=shots / "10-night.png", full_page=True)
            for is_so, what in ask_in_browser(browser, URL, home, night, shots, lambda: ended(3)):
                check(is_so, what)
        browser.close()
    sys.stdout.write(f"screenshots: {shots}\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
