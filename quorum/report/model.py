"""What a page is made of: cells, rows, tables with their charts, sections. Texts and widths, ready to be laid out.

What belongs here: frozen types without a word or number of their own. What does not: choosing what is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

NUMBER, WITHHELD, ELSEWHERE, NOTHING = "number", "withheld", "elsewhere", "nothing"
"""A cell has a number; it is withheld; another package tells it; there is nothing to tell (a ratio of 0)."""

_HEAD_ROWS, _CHART_ROWS = 4, 7


@dataclass(frozen=True)
class Cell:
    """A number on the page.

    Args:
        text: as it is written; of a number that another package tells, which one; empty where it is withheld.
        state: `NUMBER`, `WITHHELD`, `ELSEWHERE` or `NOTHING`.
        bar: width of its bar in percent, None without one.
        verdict: 1 or -1 where the number is certainly above or below the rest, else 0.
    """

    text: str
    state: str = NUMBER
    bar: int | None = None
    verdict: int = 0


@dataclass(frozen=True)
class Row:
    """A row: its label, its cells, and its kind: ``total``, ``rest`` (withheld parts together) or empty."""

    label: str
    cells: tuple[Cell, ...]
    kind: str = ""


@dataclass(frozen=True)
class Grid:
    """A table.

    Args:
        caption: what it shows, for readers that do not see it.
        header: titles of the columns; the first is of the labels.
        rows: in order.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]

    @property
    def halves(self) -> tuple[Grid, ...]:
        """The table in two, for two columns side by side; the total stays in the first."""
        middle = (len(self.rows) + 1) // 2
        return (
            Grid(self.caption, self.header, self.rows[:middle]),
            Grid(self.caption, self.header, self.rows[middle:]),
        )


@dataclass(frozen=True)
class Panel:
    """A table of the page with its chart.

    Args:
        title: what it shows.
        grid: the numbers.
        chart: inline SVG, or None.
        notes: lines below.
        is_wide: whether it takes the full width.
        is_folded: whether the table opens on demand: it is long, or nothing of it is published.
        summary: of a folded table.
        untold: names of numbers that the plan does not let it tell, and its notes do not say; None of a table that has
            one number alone.
    """

    title: str
    grid: Grid
    chart: Markup | None = None
    notes: tuple[str, ...] = ()
    is_wide: bool = False
    is_folded: bool = False
    summary: str = ""
    untold: tuple[str, ...] | None = None

    @property
    def height(self) -> int:
        """About how high it is, in rows of a table."""
        table = 1 if self.is_folded else len(self.grid.rows)
        return table + _HEAD_ROWS + (_CHART_ROWS if self.chart is not None else 0)


Block = tuple[tuple[Panel, ...], ...]
"""Panels that stand beside each other: one wide panel, or two stacks."""


def blocks(panels: Sequence[Panel]) -> tuple[Block, ...]:
    """Arrange panels: a wide one by itself, the others in two stacks of about the same height, in order."""
    found: list[Block] = []
    stacks: tuple[list[Panel], list[Panel]] = ([], [])
    for panel in [*panels, None]:
        if panel is not None and not panel.is_wide:
            heights = [sum(one.height for one in stack) for stack in stacks]
            stacks[heights[0] > heights[1]].append(panel)
            continue
        if stacks[0]:
            found.append(tuple(tuple(stack) for stack in stacks))
            stacks = ([], [])
        if panel is not None:
            found.append(((panel,),))
    return tuple(found)


@dataclass(frozen=True)
class Tile:
    """A number of the first screen.

    Args:
        label: what it is.
        cell: the number.
        change: against the period before, in words; empty where nothing is said of it.
        trend: 1, -1 or 0: more, less, or neither.
        note: a line below; empty without one.
    """

    label: str
    cell: Cell
    change: str = ""
    trend: int = 0
    note: str = ""


@dataclass(frozen=True)
class Finding:
    """A sentence about what performs better or worse; `verdict` is 1 or -1."""

    text: str
    verdict: int


@dataclass(frozen=True)
class Findings:
    """What is effective in a campaign.

    Args:
        lines: sentences, the surest first.
        chart: ratios with their intervals, or None.
        grid: all comparisons, or None.
        notes: how they were made, or that there are none.
    """

    lines: tuple[Finding, ...]
    chart: Markup | None
    grid: Grid | None
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Section:
    """A campaign or a section of the site.

    Args:
        name: what it is called.
        key: its id.
        facts: label and text of what was booked.
        tiles: its headline.
        groups: title and blocks of panels.
        findings: what is effective; None in a report without clicks.
        elsewhere: sentences: what other packages tell.
        withheld: a line for each family of which something is withheld: where it has numbers.
    """

    name: str
    key: str
    facts: tuple[tuple[str, str], ...]
    tiles: tuple[Tile, ...]
    groups: tuple[tuple[str, tuple[Block, ...]], ...] = ()
    findings: Findings | None = None
    elsewhere: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()
