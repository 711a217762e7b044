"""An analyst asks in the browser: the form of a night's page, Dagster's launchpad, a run, a package that verifies.

What belongs here: what `check_ui` does with the form. What does not: servers, and the night before it.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from datetime import date
from pathlib import Path

import yaml
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from quorum.release.certificate import load_public_key
from quorum.release.shapes import ANALYST
from quorum.release.verify import verify_packages

PATIENCE = 300_000
TABLE = "audience_age_gender"


def ask_in_browser(
    browser: Browser, address: str, home: Path, night: date, shots: Path, ended: Callable[[], str]
) -> list[tuple[bool, str]]:
    """Fill the form with the keyboard, launch what it opens, and look at what was released.

    Args:
        browser: that opens the page as a file.
        address: of Dagster.
        home: whose page and packages they are.
        night: of the page.
        shots: folder of pictures.
        ended: waits for the end of the run and returns its status.

    Returns:
        What was looked at, each with whether it is so.
    """
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    page, troubles = context.new_page(), []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.goto((home / "docs" / "night" / f"{night}.en.html").as_uri())
    fill(page, address)
    page.locator("#ask").screenshot(path=shots / "11-form.png")
    asked = yaml.safe_load(page.input_value("[name=config]"))["ops"]["answer"]["config"]
    seen = [
        (troubles == [], f"the form works under its Content-Security-Policy {troubles}"),
        (asked["dimensions"] == ["age_band"] and asked["where"] == ["gender=female"], "the keyboard fills the form"),
        (from_command(page.input_value("#ask-command")) == asked, "the command asks the same"),
    ]
    with context.expect_page() as opened:
        page.keyboard.press("Enter")
    launchpad = opened.value
    button = launchpad.get_by_role("button", name="Launch Run")
    button.wait_for(timeout=PATIENCE)
    launchpad.get_by_text("gender=female").first.wait_for(timeout=PATIENCE)
    launchpad.wait_for_timeout(3000)
    launchpad.screenshot(path=shots / "12-launchpad.png")
    button.click(timeout=PATIENCE)
    seen.append((ended() == "SUCCESS", "the question was answered by a run of the job ask"))
    launchpad.wait_for_timeout(3000)
    launchpad.screenshot(path=shots / "13-run.png")
    packages = sorted((home / "out" / ANALYST).glob("*/*"))
    key = load_public_key(home / "keys" / "signing.pub")
    seen.append((len(packages) == 1 and packages[0].name == night.isoformat(), "one answer lies among the packages"))
    seen.append((all(one.is_valid for one in verify_packages(packages, key)) and bool(packages), "it verifies"))
    answer = context.new_page()
    answer.goto((packages[0] / "report.en.html").as_uri())
    answer.screenshot(path=shots / "14-answer.png", full_page=True)
    found = [violations(browser, home, night, language) for language in ("ja", "en")]
    seen.append((not any(found), f"axe finds nothing in the form {found}"))
    context.close()
    return seen


def fill(page: Page, address: str) -> None:
    """Fill the form with the keyboard alone: ages of women; the focus ends on what opens Dagster."""
    keys = page.keyboard
    page.locator("#ask-report").focus()
    press(page, "Tab", "Tab")  # past the period to the table
    keys.type(TABLE)
    press(page, "Tab", "Space")  # broken down by age
    press(page, "Tab", "Tab", "Tab", "Tab", "Enter")  # past gender, campaigns and ages, to unfold the genders
    press(page, "Tab", "Space")  # the first of them
    while page.evaluate("document.activeElement.id") != "ask-address":
        press(page, "Tab")
    press(page, "Control+A")
    keys.type(f"{address}/")
    press(page, "Tab")


def press(page: Page, *keys: str) -> None:
    """Press keys, one after the other."""
    for key in keys:
        page.keyboard.press(key)


def from_command(command: str) -> dict[str, object]:
    """Return the question that a command line asks."""
    words = shlex.split(command)[2:]
    told = list(zip(words[::2], words[1::2], strict=True))
    one = dict(told)
    return {
        "report": one["--report"],
        "period": one["--period"],
        "table": one["--table"],
        "dimensions": one["--dimensions"].split(",") if "--dimensions" in one else [],
        "where": [value for name, value in told if name == "--where"],
        "campaigns": [value for name, value in told if name == "--key"],
    }


def violations(browser: Browser, home: Path, night: date, language: str) -> str:
    """Return what axe finds in the form, with its lists unfolded."""
    page = browser.new_context(bypass_csp=True).new_page()
    name = f"{night}.html" if language == "ja" else f"{night}.{language}.html"
    page.goto((home / "docs" / "night" / name).as_uri())
    page.locator("#ask details").evaluate_all("folds => folds.forEach((fold) => { fold.open = true; })")
    found = Axe().run(page, "#ask").response["violations"]
    page.close()
    return json.dumps([(each["id"], each["nodes"][0]["html"]) for each in found]) if found else ""
