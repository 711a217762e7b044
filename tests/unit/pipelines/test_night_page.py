"""The page of a night and the Data Docs: what they tell in both languages, of nights that went well and others."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from assets.checks import judge
from assets.data_docs import docs_page, draw_docs, keep_result
from assets.suites import load_suites
from pipelines import night_facts, night_page
from pipelines.night_facts import load, published_permille, trend
from pipelines.night_page import with_pages, write_night
from pipelines.outcome import Outcome
from quorum.errors import InputError
from quorum.ledger import Ledger
from quorum.policy import Policy
from quorum.release.shares import Share
from quorum.tables import Catalog
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
CANARY = "hanako.canary@example.jp"
ASKABLE = {"reports": {"campaign": {"tables": {"t": ["age_band"]}, "periods": []}}, "categories": {"age_band": ["20s"]}}


class House:
    """Stands in for a workspace: a home, a ledger, shares; nothing that it released lies there."""

    def __init__(self, home: Home, policy: Policy) -> None:
        self.home, self.policy, self.ledger = home, policy, Ledger(home.ledger)
        self.shares = [Share("campaign", "day", "audience_area", "clicks", 25, 75)]
        self.done: set[date] = {NIGHT}

    def is_done(self, night: date) -> bool:
        return night in self.done

    def withheld_shares(self, night: date) -> list[Share]:
        return self.shares


@pytest.fixture
def house(home: Home, policy: Policy, monkeypatch: pytest.MonkeyPatch) -> House:
    monkeypatch.setattr(night_facts, "askable", lambda _: ASKABLE)
    return House(home, policy)


def outcome(night: date = NIGHT, errors: tuple[dict[str, object], ...] = (), status: str = "published") -> Outcome:
    landed = {"source": "access", "file": f"{CANARY}.log", "read": 1400, "loaded": 1300, "duplicate": 1, "late": 2}
    landed |= {"quarantined": {"bad_time": 99}, "waiting": 3}
    release = {"recipient_id": "adv-1", "report": "campaign", "period": str(night), "status": status, "path": None}
    release |= {"published_cells": 1, "withheld_cells": 2}
    stages = [{"name": "access", "seconds": 3.5, "rows": 1300}, {"name": "safe", "seconds": 1.0, "rows": 40}]
    return Outcome(night, "duckdb", 6.0, stages, [landed], [release], errors)


@pytest.mark.parametrize(
    ("name", "expected"), [(f"{NIGHT}.html", "非公表の割合"), (f"{NIGHT}.en.html", "What is withheld")]
)
def test_a_page_tells_the_night_in_counts(house: House, name: str, expected: str) -> None:
    page = write_night(house, outcome())
    assert page.name == f"{NIGHT}.html"
    text = (page.parent / name).read_text(encoding="utf-8")
    for told in (expected, "1,300", "bad_time", "99", "75.0 %", "25.0 %", "adv-1", "state done", "quorum ask"):
        assert told in text
    assert CANARY not in text
    assert not re.search(r"<script|https?://|src=|data_docs", text)
    assert not (house.home.docs / "data_docs").exists()
    index = (page.parent / "index.html").read_text(encoding="utf-8")
    assert f'<a href="{NIGHT}.html">' in index
    assert (house.home.docs / "attacks" / name).is_file()


@pytest.mark.parametrize(
    ("error", "status", "is_done", "state"),
    [
        ({"code": 11, "rule": "landing.required", "message": "no ads"}, "published", False, "failed"),
        ({"code": 12, "rule": "release.blocked", "message": "blocked"}, "blocked", True, "blocked"),
        ({"code": 1, "rule": "bug", "message": "a bug"}, "published", True, "done_with_errors"),
    ],
)
def test_a_page_tells_what_went_wrong(
    house: House, error: dict[str, object], status: str, is_done: bool, state: str
) -> None:
    house.done = {NIGHT} if is_done else set()
    text = write_night(house, outcome(errors=(error,), status=status)).read_text(encoding="utf-8")
    assert f'class="state {state}"' in text
    assert str(error["rule"]) in text


def test_what_waits_for_a_person_is_counted(house: House) -> None:
    package = {"recipient_id": "adv-1", "report": "campaign", "period": str(NIGHT), "night": str(NIGHT)}
    for _ in range(2):
        house.ledger.append("blocked", {**package, "reasons": ["elimination failed"]})
    house.ledger.append("case_open", {"case": "c"})
    assert night_facts.waiting(house.ledger, NIGHT) == {"blocked": 1, "reviews": 0, "cases": 1}
    house.ledger.enter_release("adv-1", "campaign", str(NIGHT), NIGHT, "0" * 64, {})
    house.ledger.append("case_close", {"case": "c"})
    assert night_facts.waiting(house.ledger, NIGHT) == {"blocked": 0, "reviews": 0, "cases": 0}


def test_thirty_nights_are_drawn_and_a_missing_one_is_an_empty_frame(house: House) -> None:
    for back in (0, 1, 3, 40):
        write_night(house, outcome(NIGHT - timedelta(days=back)))
    text = write_night(house, outcome()).read_text(encoding="utf-8")
    drawing = text[text.index("<svg") : text.index("</svg>")]
    assert (drawing.count("<rect"), drawing.count('class="none"')) == (30, 27)
    folder = house.home.docs / "night"
    assert [facts is None for _, facts in trend(folder, NIGHT)][-4:] == [False, True, False, False]
    assert published_permille({"shares": []}) is None


def test_a_second_run_of_a_part_leaves_the_steps_of_the_first(house: House) -> None:
    write_night(house, outcome())
    again = Outcome(NIGHT, "duckdb", 0.5, [{"name": "safe", "seconds": 0.4, "rows": 41}], [], [], ())
    write_night(house, again)
    facts = load(house.home.docs / "night", NIGHT)
    assert [(step["name"], step["rows"]) for step in facts["stages"]] == [("access", 1300), ("safe", 41)]
    assert facts["seconds"] == 3.9


def test_a_page_that_cannot_be_written_is_an_error_of_its_own(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Path:
        raise ValueError(CANARY)

    assert with_pages(house, outcome()).exit_code == 0
    monkeypatch.setattr(night_page, "write_night", fail)
    done = with_pages(house, outcome())
    assert [error["rule"] for error in done.errors] == ["night.page"]
    assert (done.exit_code, CANARY in str(done.errors)) == (1, False)
    refused = outcome(errors=(InputError("landing.folder", "nothing").as_record(),))
    assert with_pages(house, refused).exit_code == 11


def test_broken_facts_of_an_earlier_night_do_not_stop_a_page(house: House) -> None:
    folder = house.home.docs / "night"
    folder.mkdir(parents=True)
    (folder / "2026-11-20.json").write_text("{", encoding="utf-8")
    write_night(house, outcome())
    assert load(folder, date(2026, 11, 20)) is None


def test_data_docs_tell_every_expectation_with_its_count(root: Path, catalog: Catalog, tmp_path: Path) -> None:
    suites = load_suites(root / "expectations", catalog)
    for table, metric, state in (
        ("seg__traffic", "below_n(request_n, 1)", "blocked"),
        ("pseudo__login", "row_n", "warned"),
    ):
        profile = dict.fromkeys(("row_n", *suites[table].metrics), 0) | {"previous_permille": 1000}
        profile |= {"weekday_permille": 1000, metric: 4321 if metric != "row_n" else 0}
        keep_result(tmp_path, NIGHT, judge(suites[table], profile), profile)
        text = draw_docs(tmp_path, NIGHT).read_text(encoding="utf-8")
        assert f'<details id="{table}" open>' in text
        assert f'class="{state}"' in text
        for expectation in suites[table].expectations:
            assert expectation.why in text.replace("&#39;", "'")
    assert "4,321" in text
    assert not re.search(r"<script|https?://|src=", text)
    assert str(NIGHT) in docs_page(tmp_path, NIGHT).with_name("index.html").read_text(encoding="utf-8")


def test_results_older_than_a_month_are_dropped_and_pages_stay(root: Path, catalog: Catalog, tmp_path: Path) -> None:
    suite = load_suites(root / "expectations", catalog)["seg__traffic"]
    profile = dict.fromkeys(("row_n", *suite.metrics), 0)
    for night in (NIGHT - timedelta(days=40), NIGHT):
        keep_result(tmp_path, night, judge(suite, profile), profile)
        draw_docs(tmp_path, night)
    kept = {path.name for path in (tmp_path / "data_docs" / ".results").iterdir()}
    assert kept == {str(NIGHT)}
    assert docs_page(tmp_path, NIGHT - timedelta(days=40)).is_file()
    assert json.loads((tmp_path / "data_docs" / ".results" / str(NIGHT) / "seg__traffic.json").read_text())["rows"] == 0
