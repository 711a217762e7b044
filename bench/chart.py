"""A line chart and a bar chart as SVG, for a page of the documentation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import log

_WIDTH, _HEIGHT, _LEFT, _TOP, _BOTTOM, _RIGHT = 720, 360, 50, 36, 46, 230
_COLOURS = ("#1f5f99", "#1f5f99", "#c2571a", "#c2571a")
_INK, _MUTED = "#1b2733", "#5b6875"


@dataclass(frozen=True)
class Series:
    """A line.

    Args:
        name: in the legend.
        points: (x, share); x is shown on a logarithmic scale.
        dashed: how it is drawn.
    """

    name: str
    points: Sequence[tuple[int, float]]
    dashed: bool = False


def line_chart(series: Sequence[Series], title: str, x_label: str) -> str:
    """Return the chart; shares run from 0 to 1.

    Args:
        series: in the order of the legend.
        title: above it, and for readers that do not see it.
        x_label: below it.
    """
    xs = sorted({x for line in series for x, _ in line.points})
    spread = log(xs[-1] / xs[0]) or 1.0

    def place(x: int, share: float) -> tuple[float, float]:
        across = _LEFT + (_WIDTH - _LEFT - _RIGHT) * log(x / xs[0]) / spread
        return across, _TOP + (_HEIGHT - _TOP - _BOTTOM) * (1 - share)

    body = [_text(_LEFT, 20, title, _INK, weight=600), _text(_LEFT, _HEIGHT - 8, x_label, _MUTED)]
    for tenth in range(0, 11, 2):
        _, y = place(xs[0], tenth / 10)
        body.append(f'<line x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#dde3e8"/>')
        body.append(_text(_LEFT - 8, y + 4, f"{tenth / 10:.1f}", _MUTED, anchor="end"))
    for x in xs:
        body.append(_text(place(x, 0)[0], _HEIGHT - _BOTTOM + 18, str(x), _MUTED, anchor="middle"))
    for number, line in enumerate(series):
        colour, dash = _COLOURS[number % len(_COLOURS)], ' stroke-dasharray="6 4"' if line.dashed else ""
        places = [place(x, share) for x, share in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>')
        body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places]
        y = _TOP + 14 + 22 * number
        x = _WIDTH - _RIGHT + 16
        body.append(f'<line x1="{x}" x2="{x + 26}" y1="{y}" y2="{y}" stroke="{colour}" stroke-width="2"{dash}/>')
        body.append(_text(x + 34, y + 4, line.name, _INK))
    return _document(body, title, _HEIGHT)


@dataclass(frozen=True)
class Bar:
    """A bar.

    Args:
        group: what stands above the bars of a group; they follow each other.
        name: at its left.
        value: above 0; its length is logarithmic.
    """

    group: str
    name: str
    value: float


def bar_chart(bars: Sequence[Bar], title: str) -> str:
    """Return bars that lie, by groups; the shortest stands for a third of the least value.

    Args:
        bars: in order.
        title: above it, and for readers that do not see it.
    """
    least = min(bar.value for bar in bars) / 3
    spread = log(max(bar.value for bar in bars) / least)
    left, width, y, group = 250, 360, 40, ""
    body = [_text(16, 20, title, _INK, weight=600)]
    for bar in bars:
        if bar.group != group:
            group, y = bar.group, y + 10
            body.append(_text(16, y + 6, group, _MUTED))
            y += 18
        length = width * log(bar.value / least) / spread
        body.append(_text(left - 8, y + 8, bar.name, _INK, anchor="end"))
        body.append(f'<rect x="{left}" y="{y - 4}" width="{length:.1f}" height="14" fill="{_COLOURS[0]}"/>')
        body.append(_text(left + length + 8, y + 8, f"{bar.value:.2f}", _INK))
        y += 22
    return _document(body, title, y + 8)


def _document(body: Sequence[str], title: str, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}" font-family="sans-serif"><rect width="100%" height="100%" fill="#fff"/>'
        + "".join(body)
        + "</svg>\n"
    )


def _text(x: float, y: float, text: str, colour: str, *, anchor: str = "start", weight: int = 400) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" font-weight="{weight}" text-anchor="{anchor}" '
        f'fill="{colour}">{escape(text)}</text>'
    )
