"""Samples of surveys and figures of use (P-02): what is added to their statements.

What belongs here: this purpose's part of `quorum.extract.build`. What does not: drawing (`quorum.extract.draw`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.extract.draw import Sampled
from quorum.extract.result import Check, Checked, Make

SAMPLE = Sampled("P-02", "p02__survey_sample", before=(), after=("p03__effect_sample",))


def withhold_small(_: Desk, __: date, rows: pa.Table) -> Checked:
    """Leave out the cells that are too small to be told, so that they look like those where nobody was."""
    kept = rows.filter(pc.is_valid(rows["viewer_n"]))
    small = rows.num_rows - kept.num_rows
    return Checked(kept, {"cell_too_small": small} if small else {})


MADE: Mapping[str, Make] = MappingProxyType({SAMPLE.table: SAMPLE.draw})
CHECKS: Mapping[str, Check] = MappingProxyType({SAMPLE.table: SAMPLE.check, "p02__usage": withhold_small})
