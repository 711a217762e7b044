"""Equivalence classes: people who agree in every quasi-identifier.

What belongs here: the relation that is measured and its classes as a statement. What does not: the measures
(`quorum.measure.anonymity`).
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from quorum.errors import UsageError


@dataclass(frozen=True)
class Microdata:
    """A relation with rows about people.

    Args:
        connection: an open DuckDB connection that knows the relation. Nothing is written through it.
        relation: name of a table or view.
        quasi_identifiers: columns that an outsider may know of somebody, at least one.
        person: column of the person; a person counts once in a class however many rows they have. None if every row
            is a person. A row without a person counts for nobody.

    Raises:
        UsageError: no quasi-identifier, one that is named twice, or a column or relation that is not there.
    """

    connection: duckdb.DuckDBPyConnection
    relation: str
    quasi_identifiers: tuple[str, ...]
    person: str | None = None

    def __post_init__(self) -> None:
        if not self.quasi_identifiers or len(set(self.quasi_identifiers)) != len(self.quasi_identifiers):
            raise UsageError("measure.quasi_identifiers", "no quasi-identifier, or one twice", "each column once")
        self.check_columns(*self.quasi_identifiers, *([] if self.person is None else [self.person]))

    def check_columns(self, *names: str) -> None:
        """Refuse a column that the relation does not have.

        Raises:
            UsageError: it has no such column, or there is no such relation.
        """
        try:
            known = self.connection.table(self.relation).columns
        except duckdb.Error:
            raise UsageError("measure.relation", f"relation {self.relation}", "a table or view") from None
        for name in names:
            if name not in known:
                raise UsageError("measure.column", f"column {name} of {self.relation}", ", ".join(known))

    @property
    def head_count(self) -> str:
        """The expression that counts people in a group of rows."""
        return "count(*)" if self.person is None else f"count(distinct {quoted(self.person)})"

    @property
    def key(self) -> str:
        """The quasi-identifiers as a list of columns."""
        return ", ".join(map(quoted, self.quasi_identifiers))

    @property
    def rows(self) -> str:
        """The rows that are about somebody, as the source of a statement."""
        condition = "" if self.person is None else f" where {quoted(self.person)} is not null"
        return f"{quoted(self.relation)}{condition}"


def quoted(name: str) -> str:
    """Return a name as an identifier of SQL, whatever characters it holds."""
    return '"' + name.replace('"', '""') + '"'


def class_sizes(data: Microdata, *, missing_matches_anything: bool = False) -> str:
    """Return the statement of the classes: the quasi-identifiers and ``people_n``, a row for each combination.

    Args:
        data: the relation.
        missing_matches_anything: how a missing value is read. False: it is a category of its own, as it stands in a
            published table. True: an outsider cannot tell it from any value, so that a combination is as large as all
            those it agrees with (and people in several of them count once).

    Source: Samarati and Sweeney 1998 (classes); sdcMicro's ``freqCalc`` (missing values that match anything).
    """
    if not missing_matches_anything:
        return f"select {data.key}, {data.head_count} as people_n from {data.rows} group by {data.key}"
    agree = " and ".join(
        f"(one.{name} = other.{name} or one.{name} is null or other.{name} is null)"
        for name in map(quoted, data.quasi_identifiers)
    )
    own = ", ".join(f"one.{quoted(name)}" for name in data.quasi_identifiers)
    if data.person is None:
        others = f"select {data.key}, count(*) as row_n from {data.rows} group by {data.key}"
        heads = "cast(sum(other.row_n) as bigint)"
    else:
        others = f"select distinct {data.key}, {quoted(data.person)} as person from {data.rows}"
        heads = "count(distinct other.person)"
    return (
        f"with others as ({others}), combinations as (select distinct {data.key} from {data.rows}) "
        f"select {own}, {heads} as people_n "
        f"from combinations as one inner join others as other on {agree} group by {own}"
    )
