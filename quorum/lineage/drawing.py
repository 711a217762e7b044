"""Where tables and the lines between them stand on the page of lineage: a column a zone, a line a read.

What belongs here: coordinates. What does not: what is drawn (`quorum.lineage.page`) and how it looks (the template).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

_WIDTH, _GAP, _ROW, _TOP = 176, 64, 17, 34


@dataclass(frozen=True)
class Node:
    """A table: its name, and the left end and the middle of its label."""

    name: str
    label: str
    x: int
    y: int


@dataclass(frozen=True)
class Line:
    """A read, from parent to child, as the path of an SVG."""

    parent: str
    child: str
    path: str


@dataclass(frozen=True)
class Drawing:
    """Everything that stands somewhere.

    Args:
        width: of the whole, in units of the SVG.
        height: of the whole.
        zones: name and left end of each column.
        nodes: tables.
        lines: reads.
        node_width: of a label.
    """

    width: int
    height: int
    zones: tuple[tuple[str, int], ...]
    nodes: tuple[Node, ...]
    lines: tuple[Line, ...]
    node_width: int = _WIDTH


def drawn(zones: Mapping[str, Sequence[str]], edges: Sequence[tuple[str, str]]) -> Drawing:
    """Return where tables and lines stand.

    Args:
        zones: names of tables by zone, in the order of the flow.
        edges: (parent, child).
    """
    columns = {zone: 8 + place * (_WIDTH + _GAP) for place, zone in enumerate(zones)}
    nodes = {
        name: Node(name, name.partition("__")[2] if zone != "extract" else name, columns[zone], _TOP + row * _ROW)
        for zone, names in zones.items()
        for row, name in enumerate(names)
    }
    lines = tuple(Line(parent, child, _path(nodes[parent], nodes[child])) for parent, child in edges)
    longest = max((len(names) for names in zones.values()), default=0)
    return Drawing(
        width=8 + len(zones) * (_WIDTH + _GAP),
        height=_TOP + longest * _ROW + 8,
        zones=tuple(columns.items()),
        nodes=tuple(nodes.values()),
        lines=lines,
    )


def _path(parent: Node, child: Node) -> str:
    """Return a curve from a parent's right end to a child's left end; within a column, a bow on the right."""
    start = parent.x + _WIDTH
    if child.x <= parent.x:
        end, bend = child.x + _WIDTH, start + _GAP // 2
        return f"M{start} {parent.y}C{bend} {parent.y} {bend} {child.y} {end} {child.y}"
    half = (start + child.x) // 2
    return f"M{start} {parent.y}C{half} {parent.y} {half} {child.y} {child.x} {child.y}"
