"""What may be told about an exception: rule and message of our own, else its type and the place in our code.

What belongs here: the one description of an error for logs, databases, screens. What does not: raising it again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from traceback import walk_tb

from quorum.errors import EXIT_BUG, QuorumError

_ROOT = Path(__file__).resolve().parents[1]
_FOREIGN = "site-packages"


@dataclass(frozen=True)
class Told:
    """What is told about an exception.

    Args:
        code: exit code.
        rule: the rule's short name, ``bug`` for an exception that is not one of ours.
        message: no value about a person.
        place: innermost line of our own code that it went through, e.g. ``quorum/engine/duck.py:96``.
    """

    code: int
    rule: str
    message: str
    place: str

    def as_record(self) -> dict[str, object]:
        """Return code, rule and message, as ``nightly --json`` prints an error."""
        return {"code": self.code, "rule": self.rule, "message": self.message}


def describe(error: BaseException) -> Told:
    """Describe an exception without quoting what it may quote.

    A `QuorumError` keeps its rule and message, which by their contract name no person. Of any other exception only type
    and place are told: the text of an exception of an engine or a parser may be a line about a person.
    """
    place = _place(error)
    if isinstance(error, QuorumError):
        return Told(error.exit_code, error.rule, str(error), place)
    message = f"{type(error).__name__} at {place}; its text is withheld, it may quote a value"
    return Told(EXIT_BUG, "bug", message, place)


def _place(error: BaseException) -> str:
    place = "unknown"
    for frame, line in walk_tb(error.__traceback__):
        path = Path(frame.f_code.co_filename)
        if path.is_relative_to(_ROOT) and _FOREIGN not in path.parts:
            place = f"{path.relative_to(_ROOT).as_posix()}:{line}"
    return place
