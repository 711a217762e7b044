"""Profiles: a handful of counts that say whether one night of a table is sound, and nothing about anybody in it.

A metric is written as an expectation suite writes it, e.g. ``row_n``, ``null_n(person_key)``,
``outside_n(gender, genders)``; the profile of a partition is one number for each metric that was asked for. DuckDB
counts, the suite judges: no validation framework ever sees a row, and no value of a row can end up in what it stores.

What belongs here: what can be counted and how. What does not: which counts are good (``expectations/``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.dataset as ds

from quorum.engine.choose import Engine
from quorum.engine.store import Store
from quorum.errors import ConfigurationError
from quorum.metrics import METRICS, ROWS, SPECIAL, quoted
from quorum.patterns import find_identifiers
from quorum.policy import Policy
from quorum.tables import Table
from quorum.zones import zone_of

_METRIC = re.compile(r"(?P<name>[a-z_]+)(?:\((?P<arguments>[^()]*)\))?")
_PARENT = "parent"
_WEEKS = 4


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
            statement = f"select {', '.join(columns)} from {ROWS}"
            row = self._asked(statement, night, {ROWS: table}).to_pylist()[0]
            counted = {metric.text: int(row[f"m{i}"]) for i, metric in enumerate(plain)}
        for metric in asked:
            if metric.name not in METRICS:
                counted[metric.text] = self._special(metric, contract, night)
        return {metric.text: counted[metric.text] for metric in asked}

    def _special(self, metric: Metric, contract: Table, night: date) -> int:
        if metric.name == "previous_permille":
            return self._previous_permille(contract.name, night)
        if metric.name == "weekday_permille":
            return self._weekday_permille(contract.name, night)
        if metric.name == "late_permille":
            return self._late_permille(contract.name, night, metric.arguments[0])
        if metric.name == "identifier_n":
            return self._identifiers(contract.name, night, metric.arguments[0])
        return self._orphans(contract.name, night, *metric.arguments)

    def _previous_permille(self, table: str, night: date) -> int:
        """Rows tonight for 1,000 rows of the latest earlier night; 1,000 if there is none to compare with."""
        tonight, before = (self._rows(table, night, window).count_rows() for window in ("night", "previous"))
        return 1000 * tonight // before if before else 1000

    def _weekday_permille(self, table: str, night: date) -> int:
        """Rows tonight for 1,000 of the middle one of the four same weekdays before; 1,000 if there is none."""
        counts = [self._rows(table, night - timedelta(weeks=n)).count_rows() for n in range(1, 1 + _WEEKS)]
        before = sorted(count for count in counts if count)
        tonight = self._rows(table, night).count_rows()
        return 1000 * tonight // before[len(before) // 2] if before else 1000

    def _late_permille(self, table: str, night: date, column: str) -> int:
        """Rows of 1,000 that are dated before the night: what was delivered a day or more after it happened."""
        late = f"count(*) filter (where {quoted(column)} < date '{night.isoformat()}')"
        statement = f"select coalesce(1000 * {late} // nullif(count(*), 0), 0) as n from {ROWS}"
        return int(self._asked(statement, night, {ROWS: table}).column("n")[0].as_py())

    def _identifiers(self, table: str, night: date, column: str) -> int:
        """Distinct values of a column that look like what names a person; they are looked at here and go nowhere."""
        statement = f"select distinct {quoted(column)} as v from {ROWS} where {quoted(column)} is not null"
        values = self._asked(statement, night, {ROWS: table}).column("v").to_pylist()
        return sum(bool(find_identifiers(value)) for value in values)

    def _orphans(self, table: str, night: date, column: str, parent: str) -> int:
        """Rows whose value of a column has no row in the parent of the same night."""
        parent_table, _, parent_column = parent.partition(".")
        statement = (
            f"select count(*) as n from {ROWS} where {quoted(column)} is not null and {quoted(column)} not in "
            f"(select {quoted(parent_column)} from {_PARENT} where {quoted(parent_column)} is not null)"
        )
        tables = {ROWS: table, _PARENT: parent_table}
        return int(self._asked(statement, night, tables).column("n")[0].as_py())

    def _asked(self, statement: str, night: date, tables: Mapping[str, str]) -> pa.Table:
        """Ask the stored rows; where one of the tables is sealed, all are opened in memory."""
        if not any(zone_of(table).is_sealed for table in tables.values()):
            return self.engine.query_stored(statement, night, tables)
        return self.engine.query(statement, {name: self._rows(table, night) for name, table in tables.items()})

    def _rows(self, table: str, night: date, window: str = "night") -> ds.Dataset:
        """Return the rows of a window; only the columns asked for are read, sealed ones are opened in memory."""
        contract = self.store.catalog[table]
        if contract.zone.is_sealed:
            return ds.InMemoryDataset(self.store.read(table, night, window))
        return ds.dataset(self.store.files(table, night, window), schema=contract.arrow_schema(), format="parquet")


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
        fits = len(arguments) == SPECIAL.get(name, -1)
        columns = arguments[:1]
    known = {column.name for column in contract.columns}
    if not fits or not set(columns) <= known:
        raise ConfigurationError(
            "profile.metric",
            f"{text!r} about {contract.name}",
            f"one of {', '.join(sorted([*METRICS, *SPECIAL]))}, about columns of the contract",
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
