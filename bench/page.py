"""The measured sections of docs/benchmarks.md, each between two marks.

What belongs here: putting a section into the page, and tables as Markdown. What does not: any figure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bench.night import ROOT

PAGE = ROOT / "docs" / "benchmarks.md"


def write_section(name: str, text: str, page: Path = PAGE) -> None:
    """Replace what stands between the marks of a section.

    Raises:
        ValueError: the page has not exactly one such section.
    """
    mark = re.compile(rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)", re.DOTALL)
    written, found = mark.subn(lambda marks: f"{marks[1]}{text.rstrip()}\n{marks[2]}", page.read_text(encoding="utf-8"))
    if found != 1:
        raise ValueError(f"{found} sections {name} in {page.name}")
    page.write_text(written, encoding="utf-8")


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """Return a table; all columns but the first ones, which hold words, stand to the right."""
    rules = ["---"] * words + ["---:"] * (len(heads) - words)
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, rules, *rows)) + "\n"
