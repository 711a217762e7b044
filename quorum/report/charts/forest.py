"""Ratios with their intervals, on a logarithmic scale, against a line of no difference.

What belongs here: its geometry. What does not: which ratios are drawn, and words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

from markupsafe import Markup

from quorum.report.charts.svg import ACCENT, INK, MUTED, RULE, drawing, element, rect, text

_WIDTH, _LEFT, _RIGHT, _TOP, _ROW = 760, 250, 620, 30, 30
_TICKS = (5, 10, 20, 33, 50, 67, 100, 150, 200, 300, 500, 1000, 2000)


@dataclass(frozen=True)
class Interval:
    """A line of the chart.

    Args:
        label: what is compared.
        text: the ratio and its ends, as the page writes them.
        low: lower end, in hundredths, as the others.
        middle: the ratio.
        high: upper end.
    """

    label: str
    text: str
    low: int
    middle: int
    high: int


def forest(lines: Sequence[Interval], title: str, same: str, times: str) -> Markup:
    """Draw a mark for each ratio and a line for its interval.

    Args:
        lines: in order.
        title: of the chart.
        same: the word at the line of no difference.
        times: how a ratio is written at the scale, with one place for it.
    """
    low = min([67, *(line.low for line in lines)])
    high = max([150, *(line.high for line in lines)])
    bottom = _TOP + _ROW * len(lines)
    parts = []
    for tick in [tick for tick in _TICKS if low <= tick <= high]:
        x = _place(tick, low, high)
        stroke = {"stroke": INK} if tick == 100 else {"stroke": RULE, "stroke_dasharray": "2 3"}
        parts.append(element("line", x1=x, x2=x, y1=_TOP - 6, y2=bottom, **stroke))
        written = same if tick == 100 else times.format(f"{tick / 100:g}")
        parts.append(text(x, 14, written, 11, text_anchor="middle", fill=INK if tick == 100 else MUTED))
    for n, line in enumerate(lines):
        parts.append(_line(line, _TOP + n * _ROW + _ROW // 2, low, high))
    return drawing(_WIDTH, bottom + 4, title, parts)


def _line(line: Interval, y: int, low: int, high: int) -> Markup:
    first, middle, last = (_place(value, low, high) for value in (line.low, line.middle, line.high))
    bar = element("line", x1=first, x2=last, y1=y, y2=y, stroke=ACCENT, stroke_width=2)
    ends = [element("line", x1=x, x2=x, y1=y - 4, y2=y + 4, stroke=ACCENT, stroke_width=2) for x in (first, last)]
    shape = rect(middle - 5, y - 5, 10, 10, ACCENT if line.middle > 100 else "#fff", stroke=ACCENT, stroke_width=2)
    label = text(_LEFT - 18, y + 4, line.label, 12, text_anchor="end")
    number = text(_WIDTH, y + 4, line.text, 11, text_anchor="end", fill=MUTED)
    return element("g", element("title", f"{line.label}: {line.text}"), label, bar, *ends, shape, number)


def _place(value: int, low: int, high: int) -> int:
    share = log(max(value, 1) / low) / log(high / low)
    return round(_LEFT + share * (_RIGHT - _LEFT))
