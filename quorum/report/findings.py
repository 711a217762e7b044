"""What is effective, in sentences: comparisons whose intervals do not span no difference.

What belongs here: how a comparison is said, drawn and listed. What does not: the comparisons (`effective`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from markupsafe import Markup

from quorum.report.charts import Interval, forest
from quorum.report.effective import Comparison, Comparisons, closeness
from quorum.report.intervals import Ratio
from quorum.report.labels import Words, percent
from quorum.report.model import Cell, Finding, Findings, Grid, Row

LISTED = 8
_FIRST = 3


@dataclass(frozen=True)
class Teller:
    """Tells comparisons in one language.

    Args:
        words: of the page's language.
    """

    words: Words

    def tell(self, comparisons: Comparisons) -> Findings:
        """Return the sentences of a campaign, the surest first, with the chart and the table of all comparisons."""
        words, told = self.words, comparisons.told
        if not comparisons.all:
            return Findings((), None, None, (words["effective_none"],))
        notes = [words["effective_how"].format(n=len(comparisons.all), factor=f"{comparisons.dispersion:.1f}")]
        if not told:
            notes.insert(0, words["effective_alike"].format(len(comparisons.all)))
        lines = tuple(Finding(self._sentence(one), one.ratio.differs) for one in told[:LISTED])
        if len(told) > LISTED:
            notes.insert(0, words["effective_more"].format(len(told) - LISTED))
        return Findings(lines, self._chart(told[:LISTED]), self._grid(comparisons), tuple(notes))

    def first(self, of_keys: Sequence[tuple[str, Comparisons]]) -> tuple[Finding, ...]:
        """Return the surest sentences with the campaign's name: first one a campaign, then what is left."""
        ranked = [
            (rank > 0, closeness(one), n, name, one)
            for n, (name, comparisons) in enumerate(of_keys)
            for rank, one in enumerate(comparisons.told)
        ]
        surest = sorted(ranked, key=itemgetter(0, 1, 2))[:_FIRST]
        is_one = len(of_keys) == 1
        return tuple(
            Finding(("" if is_one else self.words["of_campaign"].format(name)) + self._sentence(one), one.ratio.differs)
            for *_, name, one in surest
        )

    def _sentence(self, comparison: Comparison) -> str:
        part, ratio = comparison.part, comparison.ratio
        return self.words["finding"].format(
            label=self._label(part.at, is_full=True),
            rate=percent(part.clicks, part.shown),
            rest=percent(part.rest_clicks, part.rest_shown),
            ratio=_times(ratio.middle),
            low=_times(ratio.low),
            high=_times(ratio.high),
        )

    def _label(self, at: Mapping[str, str], *, is_full: bool = False) -> str:
        """Return the name of a part: of levels that nest, the finest; with the names of its dimensions if wanted."""
        shown = {level: place for level, place in at.items() if not (level == "region" and "prefecture" in at)}
        names = [self.words.category(level, place) for level, place in shown.items()]
        if not is_full:
            return " × ".join(names)
        levels = " × ".join(self.words[level] for level in shown)
        return self.words["part"].format(level=levels, name=" × ".join(names))

    def _interval(self, ratio: Ratio) -> str:
        return self.words["interval"].format(_times(ratio.middle), _times(ratio.low), _times(ratio.high))

    def _chart(self, told: Sequence[Comparison]) -> Markup | None:
        if not told:
            return None
        lines = [
            Interval(self._label(o.part.at), self._interval(o.ratio), o.ratio.low, o.ratio.middle, o.ratio.high)
            for o in told
        ]
        words = self.words
        return forest(lines, words["forest_title"], words["forest_same"], words["times"])

    def _grid(self, comparisons: Comparisons) -> Grid:
        words = self.words
        rows = []
        for one in comparisons.all:
            part, ratio = one.part, one.ratio
            cells = (
                Cell(f"{part.clicks:,}"),
                Cell(percent(part.clicks, part.shown)),
                Cell(percent(part.rest_clicks, part.rest_shown)),
                Cell(_times(ratio.middle), verdict=ratio.differs),
                Cell(f"{_times(ratio.low)} – {_times(ratio.high)}"),
            )
            levels = words["comma"].join(words[level] for level in part.at if level != "region" or len(part.at) == 1)
            rows.append(Row(f"{self._label(part.at)} ({levels})", cells))
        header = ("segment", "click_n", "click_rate", "rest_rate", "ratio", "interval_title")
        return Grid(words["all_comparisons"], tuple(words[name] for name in header), tuple(rows))


def _times(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02}"
