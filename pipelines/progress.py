"""What a person sees while a night runs: one line on stderr, from Dagster's own events.

What belongs here: showing steps. What does not: what a step did (`pipelines.outcome`), and any text of an error.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

    import dagster as dg
    from rich.progress import Progress, TaskID

LOGGER = "progress"


class NightProgress:
    """The line of the night that is running. Does nothing if stderr is no terminal."""

    def __init__(self, display: Progress | None) -> None:
        self._display = display
        self._task: TaskID | None = None

    def begin(self, night: date, step_n: int) -> None:
        """Begin the line of a night.

        Args:
            night: the night.
            step_n: how many steps it has.
        """
        if self._display is not None:
            self._task = self._display.add_task(night.isoformat(), total=step_n, step="")

    def start(self, step: str) -> None:
        """Show the step that is running."""
        if self._display is not None and self._task is not None:
            self._display.update(self._task, step=step)

    def end(self) -> None:
        """Count a step that has ended, well or not."""
        if self._display is not None and self._task is not None:
            self._display.advance(self._task)

    def close(self) -> None:
        """Take the line away."""
        if self._display is not None and self._task is not None:
            self._display.remove_task(self._task)
            self._task = None


@contextmanager
def shown(is_wanted: bool) -> Iterator[NightProgress]:
    """Show progress while the context is open.

    Args:
        is_wanted: False where stderr is no terminal.
    """
    if not is_wanted:
        yield NightProgress(None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.fields[step]}"), console=Console(stderr=True), transient=True) as display:
        yield NightProgress(display)


def listening(progress: NightProgress) -> dg.LoggerDefinition:
    """Return a logger that prints nothing: it hears the events of steps and hands them to the line.

    Args:
        progress: the line.
    """
    import dagster as dg

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            event: dg.DagsterEvent | None = getattr(record, "dagster_event", None)
            kind = event.event_type_value if event is not None else ""
            if event is not None and kind == "STEP_START":
                progress.start(str(event.step_key))
            elif kind in ("STEP_SUCCESS", "STEP_FAILURE", "STEP_SKIPPED"):
                progress.end()

    def logger(_: dg.InitLoggerContext) -> logging.Logger:
        heard = logging.Logger("quorum.progress", logging.DEBUG)
        heard.addHandler(Handler())
        return heard

    return dg.LoggerDefinition(logger, description="Hears steps begin and end")
