"""Profiles: a handful of counts that say whether one night of a table is sound, and nothing about anybody in it.

A metric is written as an expectation suite writes it, e.g. ``row_n``, ``null_n(person_key)``,
``outside_n(gender, genders)``; the profile of a partition is one number for each metric that was asked for. DuckDB
counts, the suite judges: no validation framework ever sees a row, and no value of a row can end up in what it stores.

What belongs here: what can be counted and how. What does not: which counts are good (``expectations/``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import pyarrow.dataset as ds

from quorum.engine.choose import Engine
from quorum.engine.store import Store
from quorum.errors import ConfigurationError
from quorum.patterns import find_identifiers
from quorum.policy import Policy
from quorum.tables import Table
from quorum.tables.shape import ALL

_METRIC = re.compile(r"(?P<name>[a-z_]+)(?:\((?P<arguments>[^()]*)\))?")
_ROWS = "profiled"
_PARENT = "parent"


@dataclass(frozen=True)
class Metric:
    """A metric as a suite writes it.

    Args:
        text: the whole, e.g. ``outside_n(gender, genders)``.
        name: e.g. ``outside_n``.
        arguments: e.g. ``("gender", "genders")``.
    """

    text: str
    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Profiler:
    """Counts what suites ask for.

    Args:
        store: where the partitions lie.
        engine: what counts.
        policy: its key sets are what ``outside_n`` compares with.
    """

    store: Store
    engine: Engine
    policy: Policy

    def profile(self, table: str, night: date, metrics: Sequence[str]) -> dict[str, int]:
        """Return one count for each metric, over the rows of one night of a table.

        Args:
            table: a table that is kept.
            night: the partition; a missing one has no rows.
            metrics: as suites write them; see `METRICS` for what there is.

        Raises:
            ConfigurationError: a metric that does not exist, or one about a column that the contract does not have.
        """
        contract = self.store.catalog[table]
        asked = [parse_metric(text, contract) for text in dict.fromkeys(metrics)]
        plain = [metric for metric in asked if metric.name in METRICS]
        columns = [f"{METRICS[m.name].sql(m.arguments, contract, self.policy)} as m{i}" for i, m in enumerate(plain)]
        counted: dict[str, int] = {}
        if columns:
            statement = f"select {', '.join(columns)} from {_ROWS}"
            row = self.engine.query(statement, {_ROWS: self._rows(table, night)}).to_pylist()[0]
            counted = {metric.text: int(row[f"m{i}"]) for i, metric in enumerate(plain)}
        for metric in asked:
            if metric.name not in METRICS:
                counted[metric.text] = self._special(metric, contract, night)
        return {metric.text: counted[metric.text] for metric in asked}

    def _special(self, metric: Metric, contract: Table, night: date) -> int:
        if metric.name == "previous_permille":
            return self._previous_permille(contract.name, night)
        if metric.name == "identifier_n":
            return self._identifiers(contract.name, night, metric.arguments[0])
        return self._orphans(contract.name, night, *metric.arguments)

    def _previous_permille(self, table: str, night: date) -> int:
        """Rows tonight for 1,000 rows of the latest earlier night; 1,000 if there is none to compare with."""
        tonight, before = (self._rows(table, night, window).count_rows() for window in ("night", "previous"))
        return 1000 * tonight // before if before else 1000

    def _identifiers(self, table: str, night: date, column: str) -> int:
        """Distinct values of a column that look like what names a person; they are looked at here and go nowhere."""
        statement = f"select distinct {_quoted(column)} as v from {_ROWS} where {_quoted(column)} is not null"
        values = self.engine.query(statement, {_ROWS: self._rows(table, night)}).column("v").to_pylist()
        return sum(bool(find_identifiers(value)) for value in values)

    def _orphans(self, table: str, night: date, column: str, parent: str) -> int:
        """Rows whose value of a column has no row in the parent of the same night."""
        parent_table, _, parent_column = parent.partition(".")
        statement = (
            f"select count(*) as n from {_ROWS} where {_quoted(column)} is not null and {_quoted(column)} not in "
            f"(select {_quoted(parent_column)} from {_PARENT} where {_quoted(parent_column)} is not null)"
        )
        relations = {_ROWS: self._rows(table, night), _PARENT: self._rows(parent_table, night)}
        return int(self.engine.query(statement, relations).column("n")[0].as_py())

    def _rows(self, table: str, night: date, window: str = "night") -> ds.Dataset:
        """Return the rows of a window; only the columns asked for are read, sealed ones are opened in memory."""
        contract = self.store.catalog[table]
        if contract.zone.is_sealed:
            return ds.InMemoryDataset(self.store.read(table, night, window))
        return ds.dataset(self.store.files(table, night, window), schema=contract.arrow_schema(), format="parquet")


@dataclass(frozen=True)
class _Counted:
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


def parse_metric(text: str, contract: Table) -> Metric:
    """Read a metric and check it against the contract of its table.

    Raises:
        ConfigurationError: no such metric, a wrong number of arguments, or an unknown column.
    """
    match = _METRIC.fullmatch(text)
    name = match["name"] if match else ""
    arguments = tuple(part.strip() for part in (match["arguments"] or "").split(",") if part.strip()) if match else ()
    if name in METRICS:
        counted = METRICS[name]
        fits = counted.least <= len(arguments) <= (len(arguments) if counted.most is None else counted.most)
        columns = arguments[: counted.columns]
    else:
        fits = len(arguments) == _SPECIAL.get(name, -1)
        columns = arguments[:1]
    known = {column.name for column in contract.columns}
    if not fits or not set(columns) <= known:
        raise ConfigurationError(
            "profile.metric",
            f"{text!r} about {contract.name}",
            f"one of {', '.join(sorted([*METRICS, *_SPECIAL]))}, about columns of the contract",
            "correct the suite or the contract",
        )
    return Metric(text, name, arguments)


def other_tables(text: str) -> tuple[str, ...]:
    """Return the tables that a metric looks into besides its own; they must be there before it is counted.

    Example:
        >>> other_tables("orphan_n(recipient_id, pseudo__recipient.recipient_id)")
        ('pseudo__recipient',)
    """
    return tuple(re.findall(r"([a-z][a-z0-9_]*)\.[a-z_]+", text))


def _quoted(column: str) -> str:
    return '"' + column.replace('"', '""') + '"'


def _literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _where(condition: str) -> str:
    return f"count(*) filter (where {condition})"


def _any(columns: Sequence[str], condition: str) -> str:
    return " or ".join(f"{_quoted(column)} {condition}" for column in columns)


def _permille(condition: str) -> str:
    """Rows of 1,000 for which a condition holds, rounded down; 0 if there are none."""
    return f"coalesce(1000 * {_where(condition)} // nullif(count(*), 0), 0)"


def _below(arguments: Sequence[str], _: Table, __: Policy) -> str:
    """Rows whose value is below a number; a third argument names a value that may be."""
    column, least, *allowed = arguments
    excused = f" and {_quoted(column)} <> {int(allowed[0])}" if allowed else ""
    return _where(f"{_quoted(column)} < {int(least)}{excused}")


def _mismatches(arguments: Sequence[str], _: Table, __: Policy) -> str:
    """Rows where a measure is there though its status is not ``published``, or is not though it is."""
    measure, status = arguments
    return _where(f"({_quoted(status)} = 'published') <> ({_quoted(measure)} is not null)")


def _outside(arguments: Sequence[str], _: Table, policy: Policy) -> str:
    """Rows whose value is in none of the given key sets and is none of the given words; a null is not a value."""
    column, *allowed = arguments
    words = [
        word
        for name in allowed
        for word in ([c.key for c in policy.categories[name]] if name in policy.categories else [name])
    ]
    return _where(f"{_quoted(column)} not in ({', '.join(_literal(word) for word in words)})")


def _duplicates(arguments: Sequence[str], _: Table, __: Policy) -> str:
    """Rows beyond the first with the same key; nulls are equal here."""
    return (
        f"coalesce((select sum(n - 1) from (select count(*) as n from {_ROWS} "
        f"group by {', '.join(_quoted(column) for column in arguments)})), 0)"
    )


def _gaps(arguments: Sequence[str], contract: Table, _: Policy) -> str:
    """Margins that are not the sum of their parts: the column whose ALL is the margin, then measures."""
    column, *measures = arguments
    others = [c.name for c in contract.columns if c.type == "VARCHAR" and c.name != column]
    is_margin = f"{_quoted(column)} = {_literal(ALL)}"
    gap = " or ".join(
        f"sum({_quoted(m)}) filter (where {is_margin}) <> sum({_quoted(m)}) filter (where not {is_margin})"
        for m in measures
    )
    grouped = f"select {gap} as is_gap from {_ROWS} group by {', '.join(_quoted(c) for c in others)}"
    return f"(select count(*) from ({grouped}) where is_gap)"


METRICS: Mapping[str, _Counted] = MappingProxyType(
    {
        "row_n": _Counted(0, 0, 0, lambda *_: "count(*)"),
        "null_n": _Counted(None, 1, None, lambda a, *_: _where(_any(a, "is null"))),
        "negative_n": _Counted(None, 1, None, lambda a, *_: _where(_any(a, "< 0"))),
        "above_n": _Counted(1, 2, 2, lambda a, *_: _where(f"{_quoted(a[0])} > {int(a[1])}")),
        "below_n": _Counted(1, 2, 3, _below),
        "exceeds_n": _Counted(2, 2, 2, lambda a, *_: _where(f"{_quoted(a[0])} > {_quoted(a[1])}")),
        "outside_n": _Counted(1, 2, None, _outside),
        "duplicate_n": _Counted(None, 1, None, _duplicates),
        "gap_n": _Counted(None, 2, None, _gaps),
        "mismatch_n": _Counted(2, 2, 2, _mismatches),
        "null_permille": _Counted(1, 1, 1, lambda a, *_: _permille(f"{_quoted(a[0])} is null")),
        "share_permille": _Counted(
            1, 2, 2, lambda a, *_: _permille(f"cast({_quoted(a[0])} as varchar) = {_literal(a[1])}")
        ),
    }
)
"""Metrics that one pass over the rows gives: name to how."""

_SPECIAL = MappingProxyType({"previous_permille": 0, "identifier_n": 1, "orphan_n": 2})
"""Metrics that look beyond one pass, with their number of arguments."""
