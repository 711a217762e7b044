"""Lineage: which base columns each output column of a statement takes its value from, and which ones it uses.

What belongs here: reading DuckDB's bound plan. What does not: what a purpose may output or touch; and statements of
pandas or Spark, which have no such plan.
"""

from quorum.lineage.derive import Lineage, LineageError, derive

__all__ = ["Lineage", "LineageError", "derive"]
