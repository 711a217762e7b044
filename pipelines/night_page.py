"""The page of a night, for those who do not open Dagster: two static files, an index, and thirty nights in a drawing.

What belongs here: layout and drawing. What does not: the facts (`pipelines.night_facts`), the form of questions
(`pipelines.ask_form`). The pages stay inside; they hold counts, load nothing, and run no script but that of the form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from markupsafe import Markup

from assets.data_docs import draw_docs
from pipelines.ask_form import DAGSTER, form_data, script, script_source
from pipelines.dossier import write_dossier
from pipelines.night_facts import Facts, collect, keep, load, published_permille, trend
from pipelines.offered import all_offered
from pipelines.settings import ROOT
from quorum.pages import put_whole, template
from quorum.redaction import describe

if TYPE_CHECKING:
    from pipelines.outcome import Outcome
    from quorum.workspace import Workspace

FOLDER = "night"
LANGUAGES = ("ja", "en")
_TEMPLATES = ROOT / "pipelines" / "templates"
_BAR, _HEIGHT = 20, 60
_LATEST = 120


def write_night(workspace: Workspace, done: Outcome) -> Path:
    """Write the pages of a night and the index, in both languages; each appears whole or not at all.

    Args:
        workspace: the open home.
        done: what the run of the night did, however it ended.

    Returns:
        The Japanese page, ``docs/night/<date>.html``; the English one is ``<date>.en.html`` beside it.
    """
    folder = workspace.home.docs / FOLDER
    night = done.date or date.min
    if done.date is not None:
        write_dossier(workspace.home.docs, workspace.ledger, night)
    has_docs = draw_docs(workspace.home.docs, night) is not None
    facts = collect(workspace, done, load(folder, night))
    keep(folder, facts)
    nights = sorted((path.stem for path in folder.glob("????-??-??.json")), reverse=True)
    listed = [found for name in nights[:_LATEST] if (found := load(folder, date.fromisoformat(name))) is not None]
    past = trend(folder, night)
    offers = all_offered(workspace, lambda day: load(folder, day))
    for language in LANGUAGES:
        form = form_data(workspace.policy, offers, language) if offers["reports"] else None
        page = night_page(facts, past, language, has_docs=has_docs, form=form)
        put_whole(folder / page_name(night.isoformat(), language), page)
        put_whole(folder / page_name("index", language), index_page(listed, language))
    return folder / page_name(night.isoformat(), "ja")


def with_pages(workspace: Workspace, done: Outcome) -> Outcome:
    """Write the pages of a night, however it ended; if that fails, say so: the night itself stands as it is."""
    try:
        write_night(workspace, done)
    except Exception as error:
        told = describe(error)
    else:
        return done
    return replace(done, errors=[*done.errors, {**told.as_record(), "rule": "night.page"}])


def page_name(stem: str, language: str) -> str:
    """Return the name of a page: Japanese is the house's own language."""
    return f"{stem}.html" if language == "ja" else f"{stem}.{language}.html"


def night_page(
    facts: Facts,
    past: Sequence[tuple[date, Facts | None]],
    language: str,
    *,
    has_docs: bool = False,
    form: Markup | None = None,
) -> str:
    """Return the page of a night.

    Args:
        facts: of the night.
        past: thirty nights that end on it, in order; None where a night left nothing.
        language: ``ja`` or ``en``.
        has_docs: whether there are Data Docs of the night.
        form: what the form of questions offers, from `pipelines.ask_form.form_data`; None if there is nothing to ask.
    """
    t = _words()[language]
    slowest = sorted(facts["stages"], key=lambda step: -step["seconds"])[:12]
    most = max((step["seconds"] for step in slowest), default=0) or 1
    drawings = [
        (t["trend_lines"], _drawn(past, lambda f: sum(s["loaded"] for s in f["sources"]), t["trend_lines"])),
        (t["trend_quarantined"], _drawn(past, lambda f: sum(f["reasons"].values()), t["trend_quarantined"])),
        (t["trend_published"], _drawn(past, lambda f: _percent(published_permille(f)), t["trend_published"])),
        (t["trend_seconds"], _drawn(past, lambda f: f["seconds"], t["trend_seconds"])),
    ]
    page = template(_TEMPLATES, "night.html.j2", keep_trailing_newline=False)
    return page.render(
        t=t,
        language=language,
        other=page_name(facts["date"], "en" if language == "ja" else "ja"),
        index=page_name("index", language),
        facts=facts,
        has_docs=has_docs,
        state=_state(facts),
        slowest=[(step, round(100 * step["seconds"] / most)) for step in slowest],
        published=_percent(published_permille(facts)),
        shares=[(share, _bar(share)) for share in facts["shares"]],
        blocked=[release for release in facts["releases"] if release["status"] in ("blocked", "held")],
        missing=[error for error in facts["errors"] if error["code"] == 11],
        other_errors=[error for error in facts["errors"] if error["code"] != 11],
        statuses=_counted(facts["releases"]),
        drawings=drawings,
        first=past[0][0],
        form=form,
        dagster=DAGSTER,
        script=script(),
        script_source=script_source(),
    )


def index_page(nights: Sequence[Facts], language: str) -> str:
    """Return the index: a line a night, the latest first."""
    lines = [
        {
            "facts": facts,
            "page": page_name(facts["date"], language),
            "state": _state(facts),
            "loaded": sum(source["loaded"] for source in facts["sources"]),
            "quarantined": sum(facts["reasons"].values()),
            "published": _percent(published_permille(facts)),
            "statuses": _counted(facts["releases"]),
        }
        for facts in nights
    ]
    other = page_name("index", "en" if language == "ja" else "ja")
    page = template(_TEMPLATES, "nights.html.j2", keep_trailing_newline=False)
    return page.render(t=_words()[language], language=language, lines=lines, other=other)


def _state(facts: Facts) -> str:
    """Return in a word how a night stands."""
    if any(release["status"] == "blocked" for release in facts["releases"]):
        return "blocked"
    if not facts["is_done"]:
        return "failed"
    return "done" if facts["exit_code"] == 0 else "done_with_errors"


def _counted(releases: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for release in releases:
        found[release["status"]] = found.get(release["status"], 0) + 1
    return dict(sorted(found.items()))


def _percent(permille: int | None) -> float | None:
    return None if permille is None else permille / 10


def _bar(share: Mapping[str, Any]) -> float:
    return float(round(100 * share["withheld"] / (share["published"] + share["withheld"]), 1))


def _drawn(past: Sequence[tuple[date, Facts | None]], count: Any, title: str) -> Markup:
    """Return a bar a night; a night that left nothing is an empty frame."""
    values = [None if facts is None else count(facts) for _, facts in past]
    most = max((value for value in values if value is not None), default=0) or 1
    parts = []
    for n, ((day, _), value) in enumerate(zip(past, values, strict=True)):
        left = n * _BAR + 2
        if value is None:
            parts.append(f'<rect x="{left}" y="{_HEIGHT - 4}" width="{_BAR - 4}" height="4" class="none"/>')
            continue
        height = max(1.0, round(_HEIGHT * value / most, 1))
        last = ' class="last"' if n == len(past) - 1 else ""
        box = f'x="{left}" y="{_HEIGHT - height:.1f}" width="{_BAR - 4}" height="{height:.1f}"'
        parts.append(f"<rect {box}{last}><title>{day}: {value:,}</title></rect>")
    size = f'viewBox="0 0 {len(past) * _BAR} {_HEIGHT}" role="img" preserveAspectRatio="none"'
    label = Markup.escape(title)
    return Markup(f'<svg {size} aria-label="{label}">{"".join(parts)}</svg>')  # noqa: S704 - dates and numbers


@cache
def _words() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load((_TEMPLATES / "night_words.yaml").read_text(encoding="utf-8"))
    return found
