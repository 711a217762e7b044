"""The command's reference, generated from the command itself.

What belongs here: turning options into a page. What does not: prose that ``--help`` does not hold.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import click

from pipelines.cli import cli

_HEAD = """# The command

Generated from `quorum --help` by `python -m pipelines.reference docs/cli.md`; a test fails when it is stale.
"""


def render() -> str:
    """Return the reference as Markdown: every command with its help, as the command prints it."""
    parts = [_HEAD]
    for path, command in _commands(["quorum"], cli):
        context = click.Context(command, info_name=" ".join(path), terminal_width=100, max_content_width=100)
        level = "#" * (len(path) + 1)
        parts.append(f"\n{level} {' '.join(path)}\n\n```text\n{command.get_help(context)}\n```\n")
    return "".join(parts)


def _commands(path: list[str], command: click.Command) -> Iterator[tuple[list[str], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from _commands([*path, name], command.commands[name])


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(), encoding="utf-8")
