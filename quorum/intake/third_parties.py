"""Third parties that were seen at the door: counted by name, nothing that they set or read is kept (clause K-02).

What belongs here: counts for the list ``pseudo__third_party``. What does not: telling a third party (`access_fields`
for cookies, `hosts` for pages).
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from quorum.intake.access_fields import UNLISTED

if TYPE_CHECKING:
    from quorum.engine.store import Store

TABLE = "pseudo__third_party"
_LONGEST_LIST = 10_000  # whoever sends requests makes up names; the rest of them is counted as one


class ThirdParties:
    """Counts third parties of one kind.

    Args:
        kind: what names them, ``cookie`` or ``host``.
    """

    def __init__(self, kind: Literal["cookie", "host"]) -> None:
        self._kind, self._counts = kind, Counter[str]()

    def add(self, seen: pa.ChunkedArray) -> None:
        """Count texts, each the names of a request or beacon split by spaces, or null; a name counts once in each."""
        counted = seen.drop_null().value_counts().to_pylist()
        for entry in sorted(counted, key=lambda entry: str(entry["values"])):
            for name in entry["values"].split(" "):
                is_listed = name in self._counts or len(self._counts) < _LONGEST_LIST
                self._counts[name if is_listed else UNLISTED] += entry["counts"]

    def write(self, store: Store, night: date, part: str) -> None:
        """Write the part of a night, by name; an empty one if no third party was seen."""
        names = sorted(self._counts)
        rows = {
            "party_kind": pa.repeat(pa.scalar(self._kind), len(names)),
            "party_name": pa.array(names, pa.string()),
            "seen_n": pa.array([self._counts[name] for name in names], pa.int64()),
        }
        store.write(TABLE, night, pa.table(rows), part)
