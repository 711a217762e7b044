"""Columns: one for each category, in order, as for the hours of a day.

What belongs here: their geometry. What does not: values and words.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from quorum.report.charts.svg import ACCENT, HATCH, INK, MUTED, RULE, Point, drawing, element, length, named, rect, text

_WIDTH, _BASE, _MOST, _UNTOLD = 520, 156, 118, 26


def columns(points: Sequence[Point], title: str) -> Markup:
    """Draw one column for each category, in order.

    Args:
        points: the key of each stands below its column.
        title: of the chart.
    """
    largest = max((point.value or 0 for point in points), default=0)
    step = _WIDTH // max(1, len(points))
    parts = [element("line", x1=0, x2=_WIDTH, y1=f"{_BASE}.5", y2=f"{_BASE}.5", stroke=RULE)]
    for n, point in enumerate(points):
        height = _UNTOLD if point.value is None else length(point.value, largest, _MOST)
        x, middle = n * step + step // 7, n * step + step // 2
        bar = rect(x, _BASE - height, step - 2 * (step // 7), height, HATCH if point.value is None else ACCENT)
        above = text(middle, _BASE - height - 6, point.short or point.text, 11, text_anchor="middle", fill=INK)
        parts += [named(point, bar, above), text(middle, _BASE + 18, point.key, 11, text_anchor="middle", fill=MUTED)]
    return drawing(_WIDTH, _BASE + 26, title, parts)
