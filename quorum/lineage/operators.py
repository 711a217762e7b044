"""The operators of a bound plan that are understood.

What belongs here: which they are. What does not: how each is read.
"""

from __future__ import annotations

from quorum.lineage import joins, named, rows, scans
from quorum.lineage.walk import Rule

_NONE = frozenset[str]()

OPERATORS: dict[str, Rule] = {
    "LOGICAL_GET": (scans.get, _NONE),
    "LOGICAL_EXPRESSION_GET": (scans.values, frozenset({"expressions"})),
    "LOGICAL_DUMMY_SCAN": (scans.one_row, _NONE),
    "LOGICAL_CHUNK_GET": (scans.constants, _NONE),
    "LOGICAL_EMPTY_RESULT": (scans.no_rows, _NONE),
    "LOGICAL_PROJECTION": (rows.projection, frozenset({"expressions"})),
    "LOGICAL_FILTER": (rows.filtered, frozenset({"expressions"})),
    "LOGICAL_ORDER_BY": (rows.ordered, frozenset({"orders"})),
    "LOGICAL_LIMIT": (rows.limited, frozenset({"limit_val", "offset_val"})),
    "LOGICAL_DISTINCT": (rows.distinct, frozenset({"distinct_targets", "order_by"})),
    "LOGICAL_AGGREGATE_AND_GROUP_BY": (rows.aggregated, frozenset({"groups", "expressions"})),
    "LOGICAL_WINDOW": (rows.windowed, frozenset({"expressions"})),
    "LOGICAL_UNNEST": (rows.unnested, frozenset({"expressions"})),
    "LOGICAL_SAMPLE": (rows.same, _NONE),
    "LOGICAL_COMPARISON_JOIN": (joins.compared, frozenset({"conditions"})),
    "LOGICAL_ASOF_JOIN": (joins.compared, frozenset({"conditions"})),
    "LOGICAL_ANY_JOIN": (joins.any_join, frozenset({"condition"})),
    "LOGICAL_CROSS_PRODUCT": (joins.side_by_side, _NONE),
    "LOGICAL_POSITIONAL_JOIN": (joins.side_by_side, _NONE),
    "LOGICAL_UNION": (joins.union, _NONE),
    "LOGICAL_EXCEPT": (joins.compared_rows, _NONE),
    "LOGICAL_INTERSECT": (joins.compared_rows, _NONE),
    "LOGICAL_MATERIALIZED_CTE": (named.materialized, _NONE),
    "LOGICAL_RECURSIVE_CTE": (named.recursive, _NONE),
    "LOGICAL_CTE_REF": (named.reference, _NONE),
}
