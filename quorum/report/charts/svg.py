"""What all charts share: colours, a point, and elements whose every text is escaped.

What belongs here: `element` and `drawing`, the only places where markup is made. What does not: geometry.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from markupsafe import Markup, escape

ACCENT, PALE, INK, MUTED, RULE = "#14507d", "#7ba7c9", "#1a1f24", "#59636e", "#c8ced4"
RAMP = ("#dfeaf3", "#b5d0e4", "#7ba7c9", "#3f7cab", "#14507d")
"""Light to dark: steps that stay apart in grey print and for every kind of colour vision."""
HATCH = "url(#withheld)"


@dataclass(frozen=True)
class Point:
    """A value of a chart.

    Args:
        key: the category.
        label: what it is called.
        value: None where withheld.
        text: the value as the page writes it, or the word for withheld.
        short: the value in few characters; the text if empty.
    """

    key: str
    label: str
    value: int | None
    text: str
    short: str = ""


def element(name: str, *inside: Markup | str, **attributes: object) -> Markup:
    """Return an element; texts and attributes are escaped, ``text_anchor`` is written ``text-anchor``."""
    written = "".join(
        [f' {_written(key)}="{value if type(value) is int else escape(value)}"' for key, value in attributes.items()]
    )
    body = "".join([escape(part) for part in inside])  # what is markup already stays as it is
    made = f"<{name}{written}>{body}</{name}>" if inside else f"<{name}{written}/>"
    return Markup(made)  # noqa: S704 - every text and attribute is escaped above; names are literals of this package


@cache
def _written(key: str) -> str:
    return key.rstrip("_").replace("_", "-")


def rect(x: int, y: int, width: int, height: int, fill: str, **more: object) -> Markup:
    """Return a rectangle; a withheld one has an outline, for its hatching is light."""
    if fill == HATCH:
        more = {"stroke": "#8b96a1", "stroke_width": "0.75", **more}
    return element("rect", x=x, y=y, width=width, height=height, fill=fill, **more)


def text(x: int, y: int, content: str, size: int = 11, **more: object) -> Markup:
    """Return a line of text."""
    return element("text", content, x=x, y=y, font_size=size, **{"fill": INK, **more})


def named(point: Point, *inside: Markup) -> Markup:
    """Return elements as one mark with a tooltip."""
    return element("g", element("title", f"{point.label}: {point.text}"), *inside)


def drawing(width: int, height: int, title: str, parts: Iterable[Markup]) -> Markup:
    """Return a drawing that scales with its place; readers that do not see it are told its title and find the table."""
    marks = element("g", *parts, aria_hidden="true")
    return element("svg", element("title", title), marks, viewBox=f"0 0 {width} {height}", role="img", aria_label=title)


def length(value: int, largest: int, most: int) -> int:
    """Return the length of a bar in whole units; 1 for what is more than 0, however little."""
    return 0 if value <= 0 else max(1, most * value // max(1, largest))
