"""Segments (P-01): what their statements are given, and what is told of what they left out.

What belongs here: this purpose's part of `quorum.extract.build`. What does not: the catalogue
(`quorum.extract.segments`) and who is in a segment (``sql/extract/``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.extract.result import Check, Checked, Make
from quorum.extract.segments import segment_conditions, segment_rules


def rules(desk: Desk, _: date) -> pa.Table:
    """Return the segments of the policy."""
    return segment_rules(desk.policy)


def conditions(desk: Desk, _: date) -> pa.Table:
    """Return the conditions of the segments of the policy."""
    return segment_conditions(desk.policy)


def count_small(_: Desk, __: date, rows: pa.Table) -> Checked:
    """Keep the whole catalogue, and tell how many segments are assigned to nobody because they are too small."""
    small = rows.num_rows - (pc.sum(rows["is_assigned"]).as_py() or 0)
    return Checked(rows, {"segment_too_small": small} if small else {})


GIVEN: Mapping[str, Make] = MappingProxyType({"p01__segment_rule": rules, "p01__segment_condition": conditions})
CHECKS: Mapping[str, Check] = MappingProxyType({"p01__segment": count_small})
