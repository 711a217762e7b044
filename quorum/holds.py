"""Nights that are held: what is missing of a night stands in the ledger and on a page, until it comes or is explained.

A night that was held keeps later nights waiting: one that is passed over can never be released. An operator's dated
note (`quorum note`) excuses a source of a night, or gives a whole night up.

What belongs here: asking `quorum.completeness` about a home, and what follows. What does not: the judgement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from html import escape
from pathlib import Path, PurePosixPath

from quorum.completeness import FEW, HALF, MANY, MISSING, Arrived, Finding, judge_arrival, judge_volume, load_expected
from quorum.errors import InputError, UsageError
from quorum.intake import Intake
from quorum.intake.context import COMPLETE_MARKER, required_sources
from quorum.intake.survey import state_of, survey
from quorum.ledger import Ledger
from quorum.patterns import find_identifiers
from quorum.zones import Home

HELD, NOTE = "held", "note"
WHOLE_NIGHT = "night"
PAGE = "missing.html"
_RULES = {MISSING: "landing.required", HALF: "landing.half", FEW: "landing.volume", MANY: "landing.volume"}
_WHY_LENGTH = 200
_REGULAR_DAYS = 28


@dataclass(frozen=True)
class Holds:
    """Judges nights of a home before they are released.

    Args:
        intake: landing, policy, ledger.
        home: where the page goes.
    """

    intake: Intake
    home: Home
    _passed: dict[date, str] = field(default_factory=dict, repr=False, compare=False)

    def check_landed(self, night: date) -> None:
        """Refuse a night of which something is missing, before a line of it is read.

        Raises:
            InputError: an earlier night is held; a source is half there; or a required one is missing, or has
                lines far from the usual.
        """
        waiting = [held for held in held_nights(self.intake.ledger) if held < night]
        if waiting:
            raise InputError(
                "night.held",
                f"night {night} while night {waiting[0]} is held",
                "nights in order",
                f"deliver what is missing of {waiting[0]} and run it, or give it up: quorum note --date {waiting[0]} "
                f"--source {WHOLE_NIGHT} --why ...",
            )
        state = state_of(self.intake.landing, night)
        if self._passed.get(night) == state:
            return
        required = required_sources(self.intake.landing)
        arrived = survey(self.intake, night, required)
        found = judge_arrival(arrived, required, self._regular(night))
        lacking = {finding.source for finding in found}
        lines = {source: there.lines for source, there in arrived.items()}
        volume = [finding for finding in self._volume(night, lines) if finding.source not in lacking]
        self._hold(night, [*found, *volume], arrived)
        self._passed[night] = state

    def check_loaded(self, night: date) -> None:
        """Refuse to release a night of which far fewer or more lines were loaded than usual, whatever was landed.

        Raises:
            InputError: a required source whose loaded lines are far from the usual.
        """
        self._hold(night, self._volume(night, _loaded(self.intake.ledger, night)), {})

    def _volume(self, night: date, lines: Mapping[str, int]) -> list[Finding]:
        """Judge the lines of the sources that must arrive; of any other, what is there is all there is."""
        required = required_sources(self.intake.landing)
        expected = load_expected(self.intake.policy.folder)
        found = judge_volume(night, lines, self._earlier(night), expected)
        return [finding for finding in found if finding.source in required]

    def hold_absent(self, night: date) -> None:
        """Note that nothing landed for a night; later ones wait, if something must land and a night was done."""
        if self.intake.ledger.nights() and required_sources(self.intake.landing):
            self._enter(night, [Finding("landing", MISSING)])

    def _hold(self, night: date, found: Sequence[Finding], arrived: Mapping[str, Arrived]) -> None:
        excused = {source for source, _ in notes_of(self.intake.ledger, night)}
        left = [finding for finding in found if finding.source not in excused]
        if not left:
            return
        self._enter(night, left)
        told = "; ".join(map(str, left))
        raise InputError(
            _RULES[left[0].kind],
            f"night {night}: {told}",
            f"every required source with its {COMPLETE_MARKER} marker, whole files, lines near those of earlier nights",
            f"deliver it and run the night again, or explain it: quorum note --date {night} --source "
            f"{left[0].source} --why ...",
        )

    def _enter(self, night: date, found: Sequence[Finding]) -> None:
        missing = [{"source": f.source, "kind": f.kind, "count": f.count, "expected": f.expected} for f in found]
        body = {"night": night.isoformat(), "missing": missing}
        last = [entry.body for entry in self.intake.ledger.entries(HELD) if entry.body["night"] == night.isoformat()]
        if not last or dict(last[-1]) != body:
            self.intake.ledger.append(HELD, body)
        write_page(self.intake.ledger, self.home)

    def _earlier(self, night: date) -> dict[str, dict[date, int]]:
        """Return the lines that earlier nights loaded by source, without those that somebody had to explain."""
        ledger, found = self.intake.ledger, dict[str, dict[date, int]]()
        weeks = load_expected(self.intake.policy.folder).weeks
        explained = {(body["night"], body["source"]) for body in (entry.body for entry in ledger.entries(NOTE))}
        for done in ledger.nights():
            if night - timedelta(days=7 * weeks) <= done < night:
                for source, lines in _loaded(ledger, done).items():
                    if (done.isoformat(), source) not in explained:
                        found.setdefault(source, {})[done] = lines
        return found

    def _regular(self, night: date) -> dict[str, set[str]]:
        """Return the names of the files that nights of the last weeks took whole, by source."""
        found: dict[str, set[str]] = {}
        first = night - timedelta(days=_REGULAR_DAYS)
        for done in (done for done in self.intake.ledger.nights() if first <= done < night):
            for landed in self.intake.ledger.accounting(done):
                source = str(landed["source"])
                if landed["loaded"] and str(landed["file"]).startswith(f"{source}/"):
                    found.setdefault(source, set()).add(PurePosixPath(landed["file"]).relative_to(source).as_posix())
        return found


def _loaded(ledger: Ledger, night: date) -> dict[str, int]:
    """Return the lines that a night loaded by source, without those of files that came late."""
    found: dict[str, int] = {}
    for landed in ledger.accounting(night):
        if not str(landed["file"]).startswith("../"):
            found[str(landed["source"])] = found.get(str(landed["source"]), 0) + int(landed["loaded"])
    return found


def held_nights(ledger: Ledger) -> dict[date, list[Finding]]:
    """Return the nights that were held, are not done, and were not given up, each with what was missing last."""
    done = ledger.nights()
    found = {
        date.fromisoformat(entry.body["night"]): [Finding(**missing) for missing in entry.body["missing"]]
        for entry in ledger.entries(HELD)
    }
    return {
        night: missing
        for night, missing in sorted(found.items())
        if night not in set(done)
        and (not done or night > done[-1])
        and WHOLE_NIGHT not in {source for source, _ in notes_of(ledger, night)}
    }


def open_nights(ledger: Ledger, landed: Sequence[date], until: date) -> list[date]:
    """Return the nights that are to be run, in order: after the latest that is done, else from the first that landed.

    Args:
        ledger: the ledger.
        landed: dates of landing folders, in order.
        until: the last night that may be run.
    """
    done = ledger.nights()
    first = done[-1] + timedelta(days=1) if done else min([*landed[:1], until])
    given_up = {entry.body["night"] for entry in ledger.entries(NOTE) if entry.body["source"] == WHOLE_NIGHT}
    days = map(date.fromordinal, range(first.toordinal(), until.toordinal() + 1))
    return [day for day in days if day.isoformat() not in given_up]


def notes_of(ledger: Ledger, night: date) -> list[tuple[str, str]]:
    """Return the sources of a night that somebody explained, each with the words."""
    bodies = [entry.body for entry in ledger.entries(NOTE)]
    return [(body["source"], body["why"]) for body in bodies if body["night"] == night.isoformat()]


def add_note(ledger: Ledger, night: date, source: str, why: str, actor: str) -> None:
    """Enter an operator's explanation in the ledger.

    Args:
        ledger: the ledger; the lock of the home must be held.
        night: the night that it is about.
        source: the source that it excuses, or ``night``: the night is given up and later ones need not wait.
        why: in words, about no person.
        actor: who says so.

    Raises:
        UsageError: no words, too many, or words that look like what names a person.
    """
    told = why.strip()
    if not told or len(told) > _WHY_LENGTH or not told.isprintable() or find_identifiers(told):
        raise UsageError(
            "note.why", "words that are missing, too long or look like an identifier", f"1 to {_WHY_LENGTH} characters"
        )
    ledger.append(NOTE, {"night": night.isoformat(), "source": source, "why": told, "actor": actor})


def write_page(ledger: Ledger, home: Home) -> Path:
    """Write the page that says what is missing of which night; it stays inside. Return its path."""
    rows = [
        f"<tr><td>{night}</td><td>{escape(str(finding))}</td></tr>"
        for night, missing in held_nights(ledger).items()
        for finding in missing
    ]
    table = f"<table><tr><th>night</th><th>missing</th></tr>{''.join(rows)}</table>" if rows else "<p>Nothing.</p>"
    page = home.docs / PAGE
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>What is missing</title>'
        "<style>body{font:16px sans-serif;margin:2em}td,th{padding:.3em 1em;text-align:left}</style>"
        f"<h1>What is missing</h1>{table}"
        "<p>A held night is released when it is run again with what is missing; see docs/runbook.md.</p></html>\n",
        encoding="utf-8",
    )
    return page
