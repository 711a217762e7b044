"""The page of ``quorum feasibility``: what it prints, laid out as the reports are.

What belongs here: the parts of the page. What does not: the forecast (`quorum.feasibility`), and markup.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache
from pathlib import Path

import yaml

from quorum.disclosure.feasibility import Share
from quorum.feasibility import Feasible, remedy, told_of_all
from quorum.policy import Policy
from quorum.report.labels import Words
from quorum.report.model import NOTHING, Cell, Grid, Row, Tile
from quorum.report.plain import Part, Plain, plain_page

_TEXTS = Path(__file__).with_name("templates") / "feasibility_words.yaml"
_SENTENCES = frozenset({1, 3, 6, 7})
_PERCENT = 100


def feasibility_page(found: Sequence[Feasible], policy: Policy, day: date, language: str) -> bytes:
    """Return the page of forecasts.

    Args:
        found: from `Feasibility.of`.
        policy: names of families, and what is enough.
        day: the first day that was looked at.
        language: ``ja`` or ``en``.

    Returns:
        UTF-8, self-contained, without scripts. It is a function of the forecasts: bookings, the catalogue, earlier
        releases. The same forecasts give the same bytes.
    """
    drawn = _Drawn(policy, language)
    t, words = drawn.texts, drawn.words
    parts = (
        Part(t["together"], t["lead"], tiles=tuple(drawn.tiles(found))),
        Part(t["table"], grid=drawn.table(found), words=_SENTENCES),
        Part(t["bookings"], lines=tuple(dict.fromkeys(drawn.booking(one) for one in found))),
        Part(t["reading"], lines=tuple(t[f"reading_{name}"] for name in ("share", "assumed", "plan", "cell"))),
    )
    when, facts = t["from"].format(words.day(day)), (t["n_campaigns"].format(len(found)),)
    return plain_page(Plain(language, t["kind"], t["name"], when, facts, parts, t["footer"]))


class _Drawn:
    """The parts of a page in one language."""

    def __init__(self, policy: Policy, language: str) -> None:
        self._policy = policy
        self.words = Words(language, policy, {})
        self.texts = _texts(language)

    def tiles(self, found: Sequence[Feasible]) -> list[Tile]:
        """Return the share of all events that is expected to be told, a tile a family."""
        names = dict.fromkeys(name for one in found for name in self._policy.reports[one.report].families)
        tiles = []
        for name in names:
            share = told_of_all(found, name)
            label = self.words[self._policy.families[name].count]
            if share is None:
                tiles.append(Tile(label, Cell(self.texts["nothing_expected"], NOTHING)))
            else:
                tiles.append(Tile(label, Cell(f"{share:.0%}"), note=self.texts["tile_note"]))
        return tiles

    def table(self, found: Sequence[Feasible]) -> Grid:
        """Return a row a campaign and family."""
        t = self.texts
        names = ("campaign", "family", "a_day", "plan", "told", "range", "best", "instead")
        rows = [
            Row(one.campaign_id, self._cells(one, family))
            for one in found
            for family in self._policy.reports[one.report].families
        ]
        return Grid(t["table"], tuple(t[name] for name in names), tuple(rows))

    def booking(self, one: Feasible) -> str:
        """Return a line about what was booked."""
        booking = one.fact.booking
        return self.texts["booking"].format(
            name=one.campaign_id,
            recipient=one.fact.recipient_id,
            first=self.words.day(booking.starts_on),
            last=self.words.day(booking.ends_on),
            booked=f"{booking.impressions:,}",
            each=f"{one.outlook.impressions_per_person:.2f}",
        )

    def _cells(self, one: Feasible, family: str) -> tuple[Cell, ...]:
        best, outlook = one.planned.best(family), one.outlook
        mark = "*" if outlook.basis.get(family) == "assumed" else ""
        period = self.texts[one.plan.periods[family]] + ("" if one.is_fixed else "?")
        return (
            Cell(self.words[self._policy.families[family].count]),
            Cell(f"{outlook.events(family):,.0f}{mark}"),
            Cell(period),
            *_told(best),
            Cell("–", NOTHING) if best is None else Cell(best[0]),
            Cell(self._instead(one, family)),
        )

    def _instead(self, one: Feasible, family: str) -> str:
        instead, t = remedy(one, family, self._policy.limits["plan_period_percent"]), self.texts
        if instead is None:
            return ""
        if instead.expected is None:
            return t["instead_total"].format(t[instead.period])
        share = f"{instead.expected:.0%}"
        return t["instead_table"].format(period=t[instead.period], table=instead.table, share=share)


def _told(best: tuple[str, Share] | None) -> tuple[Cell, Cell]:
    """Return the share that is expected to be told, with its bar, and its range."""
    if best is None:
        return Cell("–", NOTHING), Cell("–", NOTHING)
    share = best[1]
    bar = round(share.expected * _PERCENT)
    return Cell(f"{share.expected:.0%}", bar=bar), Cell(f"{share.low:.0%}–{share.high:.0%}")


@cache
def _texts(language: str) -> Mapping[str, str]:
    document = yaml.safe_load(_TEXTS.read_text(encoding="utf-8"))
    return {name: entry[language] for name, entry in document.items()}
