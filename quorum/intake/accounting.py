"""Every line is accounted for: read = loaded + duplicate + quarantined, per file, to the line.

What belongs here: the equation and the closed list of reasons. What does not: lines; an accounting carries counts only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Reason(StrEnum):
    """Why a line is not loaded. A reader may add codes of its own kind of record, never a value."""

    EMPTY = "empty"
    TRUNCATED = "truncated"
    UNCLOSED_QUOTE = "unclosed_quote"
    BAD_TIME = "bad_time"
    NOT_A_LOG_LINE = "not_a_log_line"
    OTHER_FORMAT = "other_format"
    TOO_LONG = "too_long"
    MISSING_FIELD = "missing_field"
    BAD_VALUE = "bad_value"
    UNDECLARED = "undeclared"
    ERASED = "erased"


@dataclass(frozen=True)
class Accounting:
    """What became of one landed file.

    Args:
        source: folder it landed in.
        file: path below the night's landing folder, e.g. ``access/part-0.log.gz``; a late file begins with ``../``.
        read: lines, or rows of a Parquet file.
        loaded: lines that became rows.
        duplicate: lines of a file that was delivered before, or records that were.
        quarantined: reason code to lines; all of them are sealed.
        waiting: of the loaded, those dated after the night.
        late: of the loaded, those dated before it.

    Raises:
        ValueError: the counts do not add up. That is a bug: a line was lost or counted twice.
    """

    source: str
    file: str
    read: int
    loaded: int = 0
    duplicate: int = 0
    quarantined: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0
    late: int = 0

    def __post_init__(self) -> None:
        counts = (self.read, self.loaded, self.duplicate, self.waiting, self.late, *self.quarantined.values())
        if min(counts) < 0:
            raise ValueError(f"{self.file}: a negative count")
        if self.read != self.loaded + self.duplicate + sum(self.quarantined.values()):
            raise ValueError(f"{self.file}: read {self.read} is not loaded + duplicate + quarantined")
        if self.waiting + self.late > self.loaded:
            raise ValueError(f"{self.file}: waiting and late exceed loaded")

    def as_record(self) -> dict[str, object]:
        """Return the accounting as ``nightly --json`` prints it; reasons in alphabetical order, none with 0 lines."""
        return {
            "source": self.source,
            "file": self.file,
            "read": self.read,
            "loaded": self.loaded,
            "duplicate": self.duplicate,
            "quarantined": {str(reason): count for reason, count in sorted(self.quarantined.items()) if count},
            "waiting": self.waiting,
            "late": self.late,
        }
