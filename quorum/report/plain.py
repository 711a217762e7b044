"""A page of statements and plain tables, in the look of the reports: what `quorum why` and `quorum feasibility` draw.

What belongs here: the parts of such a page, and laying them out. What does not: what they say.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from quorum.errors import UsageError
from quorum.pages import template
from quorum.report.labels import TEMPLATES, fixed_texts
from quorum.report.model import Grid, Tile


@dataclass(frozen=True)
class Part:
    """A part of a page: a title, and what of the following there is, in this order.

    Args:
        title: its heading; of the first part the largest on the page.
        lead: a sentence below it.
        tiles: numbers in large figures.
        grid: a table.
        lines: a list.
        code: a command to type.
        notes: lines below everything.
        words: columns of the table, from 0, that hold sentences and not numbers.
    """

    title: str
    lead: str = ""
    tiles: tuple[Tile, ...] = ()
    grid: Grid | None = None
    lines: tuple[str, ...] = ()
    code: str = ""
    notes: tuple[str, ...] = ()
    words: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Plain:
    """A page.

    Args:
        language: ``ja`` or ``en``.
        kind: what the page is, above its name.
        name: whose or what it is about.
        when: the period or day.
        facts: short lines below the name.
        parts: what it says.
        footer: the last line.
    """

    language: str
    kind: str
    name: str
    when: str
    facts: tuple[str, ...]
    parts: tuple[Part, ...]
    footer: str


def plain_page(page: Plain) -> bytes:
    """Return a page as UTF-8: one self-contained file without scripts. The same page gives the same bytes."""
    return (
        template(TEMPLATES, "plain.html.j2")
        .render(
            page=page,
            language=page.language,
            skip=fixed_texts(page.language)["skip"],
            css=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),  # noqa: S704 - our own file
        )
        .encode()
    )


def write_page(file: Path, page: bytes, rule: str) -> None:
    """Write a page to the file that somebody named.

    Args:
        file: where.
        page: its bytes.
        rule: of the message, if it cannot be written.

    Raises:
        UsageError: the file cannot be written.
    """
    try:
        file.write_bytes(page)
    except OSError:
        raise UsageError(rule, "a page that cannot be written", "--page FILE in a folder that is there") from None
