"""Samples for surveys of what is effective (P-03): they stay inside; what leaves is statistics (`quorum.release`).

What belongs here: this purpose's part of `quorum.extract.build`. What does not: drawing (`quorum.extract.draw`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from quorum.extract.draw import Sampled
from quorum.extract.p02 import SAMPLE as SERVICE_SAMPLE
from quorum.extract.result import Check, Make

SAMPLE = Sampled("P-03", "p03__effect_sample", before=(SERVICE_SAMPLE.table,), after=())

MADE: Mapping[str, Make] = MappingProxyType({SAMPLE.table: SAMPLE.draw})
CHECKS: Mapping[str, Check] = MappingProxyType({SAMPLE.table: SAMPLE.check})
AFTER: Mapping[str, tuple[str, ...]] = MappingProxyType({SAMPLE.table: SAMPLE.before})
