"""Pages as files: their templates, and writing one whole or not at all.

What belongs here: what every page of the house does alike. What does not: what a page says.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Template


@cache
def template(
    folder: Path,
    name: str,
    *,
    keep_trailing_newline: bool = True,
    trim_blocks: bool = False,
    lstrip_blocks: bool = False,
) -> Template:
    """Return a template: what it shows is escaped, and a name that it is not given is an error.

    Args:
        folder: of templates.
        name: of the file.
        keep_trailing_newline: as Jinja's.
        trim_blocks: as Jinja's.
        lstrip_blocks: as Jinja's.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        keep_trailing_newline=keep_trailing_newline,
        trim_blocks=trim_blocks,
        lstrip_blocks=lstrip_blocks,
    )
    return environment.get_template(name)


def put_whole(path: Path, text: str) -> None:
    """Write a file, so that nobody ever sees half of it."""
    unfinished = path.with_name(f".{path.name}.tmp")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
