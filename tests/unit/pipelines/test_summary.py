"""What a person reads after a night."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipelines.outcome import Outcome
from pipelines.summary import show

NIGHT = date(2026, 11, 21)
LINES = {"source": "access", "file": "access/a.log", "read": 1500, "loaded": 1400, "duplicate": 0}
FILE = {**LINES, "quarantined": {"bad_time": 99, "empty": 1}, "waiting": 3, "late": 2}
RELEASE = {"recipient_id": "adv-1", "report": "campaign", "period": "2026-11-21", "path": None}
CELLS = {"published_cells": 1234, "withheld_cells": 56}


def told(outcome: Outcome, capsys: pytest.CaptureFixture[str]) -> str:
    show(outcome, Path("/srv/home"))
    return capsys.readouterr().out


def test_a_night_tells_lines_reasons_releases_and_where_the_reports_are(capsys: pytest.CaptureFixture[str]) -> None:
    releases = [{**RELEASE, **CELLS, "status": "published"}]
    stages = [
        {"name": "access", "seconds": 0.1, "rows": 1400},
        {"name": "p05__mailing_list", "seconds": 0.1, "rows": 1012},
        {"name": "p01__segment", "seconds": 0.1, "rows": 6},
    ]
    text = told(Outcome(NIGHT, "duckdb", 12.34, stages, [FILE, FILE], releases), capsys)
    rows = [line.split() for line in text.splitlines()]
    assert rows[0] == ["Night", "2026-11-21:", "done", "in", "12.3", "s"]
    assert ["access", "2", "3,000", "2,800", "0", "200", "6", "4"] in rows
    assert "Quarantined and sealed: bad_time 198, empty 2" in text
    assert ["adv-1", "campaign", "2026-11-21", "published", "1,234", "56"] in rows
    assert "Sealed for their purposes: p01__segment 6, p05__mailing_list 1,012" in text
    assert "Reports: /srv/home/out  (1 published)" in text


def test_a_stored_night_is_one_line_and_the_place_of_its_reports(capsys: pytest.CaptureFixture[str]) -> None:
    text = told(Outcome(NIGHT, "duckdb", 0.04, [], [FILE], [{**RELEASE, **CELLS, "status": "unchanged"}]), capsys)
    assert text.splitlines() == [
        "Night 2026-11-21: done in 0.0 s, served as stored",
        "Reports: /srv/home/out  (1 unchanged)",
    ]


def test_the_code_that_wins_and_every_error_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    errors = [
        {"code": 11, "rule": "landing.required", "message": "night without [ads]"},
        {"code": 12, "rule": "release.blocked", "message": "campaign is blocked"},
    ]
    text = told(Outcome(NIGHT, "duckdb", 1.0, errors=errors), capsys)
    assert "exit 12" in text
    assert "11 night without [ads]" in text
    assert "12 campaign is blocked" in text
