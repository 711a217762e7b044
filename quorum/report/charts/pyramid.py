"""The pyramid: ages from young to old, women to the left and men to the right.

What belongs here: its geometry. What does not: values and words.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from quorum.report.charts.svg import ACCENT, HATCH, MUTED, PALE, Point, drawing, length, named, rect, text

_WIDTH, _MIDDLE, _GAP, _MOST, _ROW, _TOP = 520, 260, 42, 150, 30, 30
_UNTOLD = 34


def pyramid(bands: Sequence[tuple[str, Point | None, Point | None]], title: str) -> Markup:
    """Draw two bars for each band, female to the left and male to the right.

    Args:
        bands: label, female, male; None where a campaign does not target them, which leaves the side empty.
        title: of the chart.
    """
    largest = max((p.value or 0 for _, *pair in bands for p in pair if p is not None), default=0)
    parts = []
    for n, (label, female, male) in enumerate(bands):
        y = _TOP + n * _ROW
        parts.append(text(_MIDDLE, y + 16, label, 12, text_anchor="middle"))
        parts += [_side(point, y, largest, side) for point, side in ((female, -1), (male, 1)) if point is not None]
    for point, side in ((_first(bands, 1), -1), (_first(bands, 2), 1)):
        if point is not None:
            anchor = "end" if side < 0 else "start"
            parts.append(text(_MIDDLE + side * _GAP, 18, point.label, 12, text_anchor=anchor, font_weight=600))
    return drawing(_WIDTH, _TOP + _ROW * len(bands) + 4, title, parts)


def _first(bands: Sequence[tuple[str, Point | None, Point | None]], side: int) -> Point | None:
    found = [band[side] for band in bands]
    return next((point for point in found if isinstance(point, Point)), None)


def _side(point: Point, y: int, largest: int, side: int) -> Markup:
    width = _UNTOLD if point.value is None else length(point.value, largest, _MOST)
    edge = _MIDDLE + side * _GAP
    x = edge if side > 0 else edge - width
    fill = HATCH if point.value is None else ACCENT if side > 0 else PALE
    anchor, beyond = ("start", edge + width + 6) if side > 0 else ("end", edge - width - 6)
    number = text(beyond, y + 16, point.text, 11, text_anchor=anchor, fill=MUTED)
    return named(point, rect(x, y, width, 22, fill), number)
