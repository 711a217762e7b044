"""Data Docs: what every suite asked of a night and what came of it, as one static page a night; counts, never a value.

Great Expectations judges (`assets.checks`); its own pages would load scripts and fonts from nine hosts outside and have
no place for our counts and reasons, so that these are drawn here.

What belongs here: keeping results, drawing them. What does not: judging, and the page of the night.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assets.checks import Verdict
from assets.suites import BLOCKING
from quorum.pages import put_whole, template

if TYPE_CHECKING:
    from jinja2 import Template

FOLDER = "data_docs"
_RESULTS = ".results"
_KEPT = timedelta(days=31)
_TEMPLATES = Path(__file__).with_name("templates")


def docs_page(docs: Path, night: date) -> Path:
    """Return where the page of a night is, or will be when it has ended."""
    return docs / FOLDER / f"{night.isoformat()}.html"


def keep_result(docs: Path, night: date, verdict: Verdict, profile: Mapping[str, int]) -> None:
    """Keep what a suite said about a table, until the page is drawn.

    Args:
        docs: ``QUORUM_HOME/docs``.
        night: the night.
        verdict: of the suite.
        profile: the counts that were judged.
    """
    suite = verdict.suite
    asked = zip(suite.expectations, suite.document["expectations"], strict=True)
    result = {
        "table": suite.table,
        "rows": profile["row_n"],
        "expectations": [
            {
                "type": one.type,
                "metric": one.metric,
                "severity": one.severity,
                "why": one.why,
                "limits": _limits(written["kwargs"]),
                "count": profile[one.metric],
                "holds": one not in verdict.failed,
            }
            for one, written in asked
        ],
    }
    folder = docs / FOLDER / _RESULTS / night.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    put_whole(folder / f"{suite.table}.json", json.dumps(result, ensure_ascii=False))


def draw_docs(docs: Path, night: date) -> Path | None:
    """Draw the page of a night and the index, and drop results that are older than a month.

    Args:
        docs: ``QUORUM_HOME/docs``.
        night: the night; a table that was not judged is not on the page.

    Returns:
        The page; None if nothing of the night was judged.
    """
    results = docs / FOLDER / _RESULTS
    found = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted((results / night.isoformat()).glob("*.json"))
    ]
    if not found:
        return None
    page = docs_page(docs, night)
    page.parent.mkdir(parents=True, exist_ok=True)
    put_whole(
        page,
        _template("data_docs.html.j2").render(night=night, tables=[_table(one) for one in found]),
    )
    nights = sorted((path.stem for path in page.parent.glob("????-??-??.html")), reverse=True)
    put_whole(
        page.with_name("index.html"),
        _template("data_docs_index.html.j2").render(nights=nights),
    )
    for old in results.iterdir():
        if date.fromisoformat(old.name) < night - _KEPT:
            shutil.rmtree(old)
    return page


def _table(result: Mapping[str, Any]) -> dict[str, Any]:
    failed: Sequence[Mapping[str, Any]] = [one for one in result["expectations"] if not one["holds"]]
    state = "blocked" if any(one["severity"] == BLOCKING for one in failed) else "warned" if failed else "sound"
    return {**result, "failed_n": len(failed), "state": state}


def _limits(kwargs: Mapping[str, Any]) -> str:
    """Return the limits of an expectation as they stand in the suite."""
    return ", ".join(f"{name} {value}" for name, value in kwargs.items() if name != "column")


def _template(name: str) -> Template:
    return template(_TEMPLATES, name, keep_trailing_newline=False)
