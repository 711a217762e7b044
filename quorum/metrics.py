"""What a profile can count in one pass over the rows of a night, as SQL; every one is a count or a share of counts.

What belongs here: the metrics by name. What does not: running them, and those that look beyond one night
(`quorum.profile`); which counts are good (``expectations/``). No metric gives a value of a row back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from quorum.policy import Policy
from quorum.tables import Table
from quorum.tables.shape import ALL

ROWS = "profiled"
"""How the rows of the night are called in a statement."""


@dataclass(frozen=True)
class Counted:
    """A metric that is one scalar expression over the rows.

    Args:
        columns: how many of its first arguments are columns; None for all.
        least: fewest arguments.
        most: most arguments; None for any number.
        sql: from arguments, contract and policy to the expression.
    """

    columns: int | None
    least: int
    most: int | None
    sql: Callable[[Sequence[str], Table, Policy], str]


def quoted(column: str) -> str:
    """Return a column as SQL names it."""
    return '"' + column.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _where(condition: str) -> str:
    return f"count(*) filter (where {condition})"


def _any(columns: Sequence[str], condition: str) -> str:
    return " or ".join(f"{quoted(column)} {condition}" for column in columns)


def _permille(condition: str) -> str:
    """Rows of 1,000 for which a condition holds, rounded down; 0 if there are none."""
    return f"coalesce(1000 * {_where(condition)} // nullif(count(*), 0), 0)"


def _below(arguments: Sequence[str], _: Table, __: Policy) -> str:
    """Rows whose value is below a number; a third argument names a value that may be."""
    column, least, *allowed = arguments
    excused = f" and {quoted(column)} <> {int(allowed[0])}" if allowed else ""
    return _where(f"{quoted(column)} < {int(least)}{excused}")


def _mismatches(arguments: Sequence[str], _: Table, __: Policy) -> str:
    """Rows where a measure is there though its status is not ``published``, or is not though it is."""
    measure, status = arguments
    return _where(f"({quoted(status)} = 'published') <> ({quoted(measure)} is not null)")


def _outside(arguments: Sequence[str], _: Table, policy: Policy) -> str:
    """Rows whose value is in none of the given key sets and is none of the given words; a null is not a value."""
    column, *allowed = arguments
    words = [
        word
        for name in allowed
        for word in ([c.key for c in policy.categories[name]] if name in policy.categories else [name])
    ]
    return _where(f"{quoted(column)} not in ({', '.join(_literal(word) for word in words)})")


def _duplicates(arguments: Sequence[str], _: Table, __: Policy) -> str:
    """Rows beyond the first with the same key; nulls are equal here.

    Equal keys have equal hashes, so that only rows whose hash is there twice can be duplicates; they alone are compared
    by their keys. Hashes of eight bytes take a fraction of the memory and time that keys of many texts do.
    """
    key = ", ".join(quoted(column) for column in arguments)
    hashes = f"select hash({key}) as h from {ROWS}"
    twice = f"select h from ({hashes}) group by h having count(*) > 1"
    grouped = f"select count(*) as n from {ROWS} where hash({key}) in ({twice}) group by {key}"
    return f"coalesce((select sum(n - 1) from ({grouped})), 0)"


def _gaps(arguments: Sequence[str], contract: Table, _: Policy) -> str:
    """Margins that are not the sum of their parts: the column whose ALL is the margin, then measures."""
    column, *measures = arguments
    others = [c.name for c in contract.columns if c.type == "VARCHAR" and c.name != column]
    is_margin = f"{quoted(column)} = {_literal(ALL)}"
    gap = " or ".join(
        f"sum({quoted(m)}) filter (where {is_margin}) <> sum({quoted(m)}) filter (where not {is_margin})"
        for m in measures
    )
    grouped = f"select {gap} as is_gap from {ROWS} group by {', '.join(quoted(c) for c in others)}"
    return f"(select count(*) from ({grouped}) where is_gap)"


def _under_k(arguments: Sequence[str], contract: Table, policy: Policy) -> str:
    """Published rows whose measure is below the head count of their report's rule set; 0 by targeting is a public fact.

    A count of events is at least the people behind it, so that it must hold of counts and heads alike.
    """
    measure, family = arguments
    cases = " ".join(
        f"when {_literal(report.name)} then {policy.rule_sets[report.rule_set].heads[family]}"
        for report in policy.reports.values()
        if family in report.families
    )
    least = f"case {quoted('report')} {cases} end"
    return _where(f"{quoted(measure)} <> 0 and {quoted(measure)} < coalesce({least}, 9223372036854775807)")


def _without(arguments: Sequence[str], _: Table, __: Policy) -> str:
    """Rows where one status is ``published`` and the one that it requires is not."""
    status, required = arguments
    return _where(f"{quoted(status)} = 'published' and {quoted(required)} is distinct from 'published'")


def _silent_hours(arguments: Sequence[str], _: Table, __: Policy) -> str:
    """Hours of 24 in which nothing is dated; 0 if there is no row at all, which is another matter."""
    column = quoted(arguments[0])
    return f"case when count(*) = 0 then 0 else 24 - count(distinct {column}) end"


METRICS: Mapping[str, Counted] = MappingProxyType(
    {
        "row_n": Counted(0, 0, 0, lambda *_: "count(*)"),
        "null_n": Counted(None, 1, None, lambda a, *_: _where(_any(a, "is null"))),
        "negative_n": Counted(None, 1, None, lambda a, *_: _where(_any(a, "< 0"))),
        "above_n": Counted(1, 2, 2, lambda a, *_: _where(f"{quoted(a[0])} > {int(a[1])}")),
        "below_n": Counted(1, 2, 3, _below),
        "exceeds_n": Counted(2, 2, 2, lambda a, *_: _where(f"{quoted(a[0])} > {quoted(a[1])}")),
        "outside_n": Counted(1, 2, None, _outside),
        "duplicate_n": Counted(None, 1, None, _duplicates),
        "gap_n": Counted(None, 2, None, _gaps),
        "mismatch_n": Counted(2, 2, 2, _mismatches),
        "under_k_n": Counted(1, 2, 2, _under_k),
        "without_n": Counted(2, 2, 2, _without),
        "silent_hour_n": Counted(1, 1, 1, _silent_hours),
        "distinct_n": Counted(1, 1, 1, lambda a, *_: f"count(distinct {quoted(a[0])})"),
        "null_permille": Counted(1, 1, 1, lambda a, *_: _permille(f"{quoted(a[0])} is null")),
        "share_permille": Counted(
            1, 2, 2, lambda a, *_: _permille(f"cast({quoted(a[0])} as varchar) = {_literal(a[1])}")
        ),
    }
)
"""Metrics that one pass over the rows gives: name to how."""

SPECIAL = MappingProxyType(
    {"previous_permille": 0, "weekday_permille": 0, "late_permille": 1, "identifier_n": 1, "orphan_n": 2}
)
"""Metrics that look beyond the rows of one night, with their number of arguments."""
