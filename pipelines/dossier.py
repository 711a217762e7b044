"""The dossier of a night's attacks, for analysts and the officer: what was tried, what it found, how near the gates.

What belongs here: from the ledger to counts by attack, and their page. What does not: the attacks (`quorum.audit`), the
worst case of one, which is sealed, and anything about a person or a single cell. The page stays inside.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from pipelines.settings import ROOT
from quorum.audit.membership import MOST_TPR
from quorum.ledger import Ledger
from quorum.pages import put_whole, template
from quorum.report.charts import Point, columns

FOLDER = "attacks"
NIGHTS = 14
_TEMPLATES = ROOT / "pipelines" / "templates"
_VERDICTS = ("passed", "failed", "inconclusive")
_LANGUAGES = ("ja", "en")
_THOUSANDS = 10_000
_LIMITS = {"membership.tpr_active": MOST_TPR, "membership.tpr_random": MOST_TPR}
"""Gates of what is measured; whatever else is measured is not judged by its number."""


@dataclass
class Tried:
    """What one attack did on the packages that a night released.

    Args:
        name: of the attack.
        verdicts: verdict to packages.
        counts: what it tried to find, claimed, claimed over its gate, and did not come to.
        nearest: advantage over the best guess, the largest upper end; None where it guesses nothing.
        measured: the largest of what else it measured, by name.
    """

    name: str
    verdicts: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    nearest: float | None = None
    measured: dict[str, float] = field(default_factory=dict)

    def add(self, record: Mapping[str, Any]) -> None:
        """Add the record of one package."""
        self.verdicts[str(record["verdict"])] += 1
        for name in ("targets", "claims", "violations", "unreached"):
            self.counts[name] += int(record.get(name) or 0)
        high = record.get("advantage_high")
        if high is not None:
            self.nearest = high if self.nearest is None else max(self.nearest, high)
        for name, value in (record.get("measured") or {}).items():
            self.measured[name] = max(float(value), self.measured.get(name, float("-inf")))


@dataclass
class Night:
    """A night as the ledger has it.

    Args:
        packages: how many were released.
        attacks: what each attack did, in the order in which they ran.
        blocked: recipient, report, period and the attacks or checks that refused it.
    """

    packages: int = 0
    attacks: dict[str, Tried] = field(default_factory=dict)
    blocked: list[tuple[str, str, str, str]] = field(default_factory=list)

    def total(self, name: str) -> int:
        """Return a count over all attacks."""
        return sum(tried.counts[name] for tried in self.attacks.values())


def read_nights(ledger: Ledger, until: date) -> dict[str, Night]:
    """Return the nights that end on one, as the ledger has them; a night without an entry is empty.

    Args:
        ledger: releases with the records of their attacks, and refusals.
        until: the last night.
    """
    days = [(until - timedelta(days=n)).isoformat() for n in reversed(range(NIGHTS))]
    found = {day: Night() for day in days}
    for entry in ledger.entries("release"):
        if (own := found.get(str(entry.body["night"]))) is not None:
            own.packages += 1
            for record in entry.body.get("attacks", ()):
                own.attacks.setdefault(str(record["attack"]), Tried(str(record["attack"]))).add(record)
    for entry in ledger.entries("blocked"):
        if (own := found.get(str(entry.body["night"]))) is not None:
            reasons = ", ".join(str(reason).partition(":")[0] for reason in entry.body["reasons"])
            recipient, report, period = (str(entry.body[name]) for name in ("recipient_id", "report", "period"))
            own.blocked.append((recipient, report, period, reasons))
    return found


def write_dossier(docs: Path, ledger: Ledger, night: date) -> Path:
    """Write the dossier of a night in both languages; each appears whole or not at all.

    Args:
        docs: ``QUORUM_HOME/docs``.
        ledger: the ledger.
        night: the night.

    Returns:
        The Japanese page.
    """
    nights = read_nights(ledger, night)
    path = dossier_page(docs, night)
    path.parent.mkdir(parents=True, exist_ok=True)
    for language in _LANGUAGES:
        put_whole(path.with_name(_name(night, language)), render(nights, night, language))
    return path


def dossier_page(docs: Path, night: date) -> Path:
    """Return where the dossier of a night lies."""
    return docs / FOLDER / _name(night, "ja")


def render(nights: Mapping[str, Night], night: date, language: str) -> str:
    """Return the page of a night.

    Args:
        nights: from `read_nights`.
        night: one of them.
        language: ``ja`` or ``en``.
    """
    t, own = _words()[language], nights[night.isoformat()]
    ran = {day: one for day, one in nights.items() if one.packages or one.blocked}
    trends = [
        (t["trend_packages"], [one.packages for one in ran.values()]),
        (t["trend_blocked"], [len(one.blocked) for one in ran.values()]),
        (t["trend_targets"], [one.total("targets") for one in ran.values()]),
        (t["trend_unreached"], [one.total("unreached") for one in ran.values()]),
    ]
    return template(_TEMPLATES, "dossier.html.j2", keep_trailing_newline=False).render(
        t=t,
        language=language,
        other=_name(night, "en" if language == "ja" else "ja"),
        night_page=f"../night/{_name(night, language)}",
        date=night.isoformat(),
        night=own,
        verdicts=_VERDICTS,
        state=_state(own),
        charts=[(title, columns(_points(ran, values), title)) for title, values in trends],
        short=_short,
        limits=_LIMITS,
    )


def _name(night: date, language: str) -> str:
    return f"{night.isoformat()}.html" if language == "ja" else f"{night.isoformat()}.{language}.html"


def _state(night: Night) -> str:
    if night.blocked:
        return "blocked"
    return "done" if night.packages else "nothing"


def _points(days: Iterable[str], values: Sequence[int]) -> list[Point]:
    return [
        Point(day[8:], day, value, f"{day}: {value:,}", _short(value)) for day, value in zip(days, values, strict=True)
    ]


def _short(value: float) -> str:
    """Return a number of a few characters: a count whole or in thousands, a share with its first digits."""
    if value >= _THOUSANDS:
        return f"{value / 1000:,.0f}k"
    return f"{value:,.0f}" if value == int(value) else f"{value:.3g}"


@cache
def _words() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = yaml.safe_load((_TEMPLATES / "dossier_words.yaml").read_text(encoding="utf-8"))
    return found
