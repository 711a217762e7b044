"""A question about released packages, and its answer: a cut of their tables, with no number that is new.

What belongs here: what a question is, which table answers it, and cutting. What does not: deciding on a cell; an answer
has only cells that `quorum.disclosure.control` decided on for a report, each as it was decided.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from quorum.errors import PolicyError
from quorum.ledger.store import canonical
from quorum.release.shapes import ANALYST
from quorum.tables import Dimension, PackageShape, TableShape
from quorum.tables.shape import ALL, EVERYONE, SEASONED
from quorum.tables.targeting import UNKNOWN, Targeting

if TYPE_CHECKING:
    import pyarrow as pa

ANSWER = "ask-"
"""How the report of an answer begins; the digest of its question follows."""

_DIGITS = 12


@dataclass(frozen=True)
class Question:
    """What is asked.

    Args:
        report: the report whose packages are cut, e.g. ``campaign``.
        period: of these packages, e.g. ``2026-11-21``, ``2026-W47``, ``2026-11``.
        table: the table that is cut; the best that has the columns if None.
        dimensions: columns to break down by, e.g. ``("age_band", "gender")``; none for totals.
        where: column to the categories that are wanted of it; all of them without an entry.
        keys: keys of the report (campaigns, sections); all that are released if empty.
    """

    report: str
    period: str
    table: str | None = None
    dimensions: tuple[str, ...] = ()
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wanted = {column: tuple(sorted(set(values))) for column, values in sorted(self.where.items())}
        object.__setattr__(self, "where", wanted)
        object.__setattr__(self, "dimensions", tuple(sorted(set(self.dimensions))))
        object.__setattr__(self, "keys", tuple(sorted(set(self.keys))))

    @property
    def columns(self) -> frozenset[str]:
        """The columns that a table must have to answer."""
        return frozenset({*self.dimensions, *self.where})

    @property
    def name(self) -> str:
        """The report of the answer: the same question about another period has the same name, and is its chain."""
        asked = canonical(
            {
                "report": self.report,
                "table": self.table,
                "dimensions": list(self.dimensions),
                "where": {column: list(values) for column, values in self.where.items()},
                "keys": list(self.keys),
            }
        )
        return ANSWER + hashlib.sha256(asked.encode()).hexdigest()[:_DIGITS]

    def as_record(self) -> dict[str, object]:
        """Return the question as the ledger keeps it: public categories only."""
        return {
            "report": self.report,
            "period": self.period,
            "table": self.table,
            "dimensions": list(self.dimensions),
            "where": {column: list(values) for column, values in self.where.items()},
            "keys": list(self.keys),
        }


Source = tuple[PackageShape, Mapping[str, "pa.Table"]]
"""A released package: its shape, and a table of rows for each of its tables."""


def answering_table(question: Question, shapes: Sequence[PackageShape]) -> str:
    """Return the name of the table that answers a question, the same in all packages.

    Args:
        question: what is asked.
        shapes: of the packages that are cut.

    Returns:
        Of the tables with all columns the one with the most measures (people besides events), then the fewest rows.

    Raises:
        PolicyError: no table has the columns together, or the named one does not.

    Guarantee:
        A function of public shapes.

    Source: docs/decisions/0016-questions.md.
    """
    named = [table for shape in shapes for table in shape.tables if question.table in (None, table.name)]
    fitting = [table for table in named if question.columns <= set(table.columns)]
    if not fitting:
        raise PolicyError(
            "ask.table",
            f"{', '.join(sorted(question.columns)) or 'totals'} of {question.table or 'any table'} together",
            "columns of one table of the report: " + "; ".join(told_tables(shapes)),
            "ask for these; another table has to be added to reports.yaml, so that it is decided with all others",
        )
    return min(fitting, key=lambda table: (-len(table.measures), table.row_n, table.name)).name


def told_tables(shapes: Sequence[PackageShape]) -> list[str]:
    """Return what can be asked of packages: each table with its columns, the report's key left out."""
    columns = {table.name: table.columns[1:] for shape in shapes for table in shape.tables}
    return [f"{name} ({', '.join(own) or 'totals'})" for name, own in columns.items()]


def cut(question: Question, sources: Sequence[Source], name: str) -> tuple[PackageShape, dict[str, pa.Table]]:
    """Return the answer to a question: its shape, and its rows.

    Args:
        question: what is asked.
        sources: released packages of one report and period, each with rows that hold dimension columns and anything
            besides; no key in two of them.
        name: the table that is cut, from `answering_table`.

    Returns:
        The shape, for the recipient `ANALYST`, and the one table: columns of the question with the levels above them,
        then whatever the rows of the sources hold besides. Of a dimension with a filter the margin is left out, and
        there stay: the wanted categories, their siblings where a finer level is wanted, and ``unknown``, where who is
        outside a targeting is counted.

    Raises:
        PolicyError: a key, or a category, that no source lists.

    Guarantee:
        Each row is a row of a source, unchanged: who holds the sources learns nothing from any number of answers.

    Source: disclosure.md, rule 6; docs/decisions/0016-questions.md.
    """
    own = {place[0]: number for number, (shape, _) in enumerate(sources) for place in _places(shape, name)}
    keys = list(question.keys or sorted(own))
    if missing := sorted(set(keys) - set(own)):
        raise PolicyError("ask.key", f"{', '.join(missing)}, not in {name} of the period", "released ones", "leave out")
    table = _cut_shape(question, [shape.table(name) for shape, _ in sources if _has(shape, name)], keys)
    rows = _rows(table, [(shape.table(name), rows[name]) for shape, rows in sources if _has(shape, name)])
    shapes = [shape for shape, _ in sources]
    return (
        PackageShape(
            ANALYST,
            question.name,
            question.period,
            (table,),
            shapes[0].invariants,
            plan={key: plan for shape in shapes for key, plan in sorted(shape.plan.items()) if key in keys},
            targeting=_targeting(table, shapes, keys),
            head_counts=EVERYONE if any(shape.head_counts == EVERYONE for shape in shapes) else SEASONED,
        ),
        {name: rows},
    )


def is_wanted(question: Question, place: Mapping[str, str]) -> bool:
    """Say whether a row of an answer is one that was asked for, or stays beside it for the sake of the reader.

    Args:
        question: what was asked.
        place: column to category of the row.
    """
    return all(place[column] in values for column, values in question.where.items())


def _has(shape: PackageShape, name: str) -> bool:
    return any(table.name == name for table in shape.tables)


def _places(shape: PackageShape, name: str) -> Sequence[tuple[str, ...]]:
    return shape.table(name).dimensions[0].keys if _has(shape, name) else ()


def _cut_shape(question: Question, tables: Sequence[TableShape], keys: Sequence[str]) -> TableShape:
    first = tables[0]
    paths = sorted({path for table in tables for path in table.dimensions[0].keys if path[0] in keys})
    key = replace(first.dimensions[0], keys=tuple(paths))
    wanted = set(question.columns)
    depth = max((n + 1 for n, level in enumerate(key.levels) if level in wanted), default=1)
    dimensions = [_shortened(_filtered(key, question), depth)]
    for dimension in first.dimensions[1:]:
        if depths := [n + 1 for n, level in enumerate(dimension.levels) if level in wanted]:
            dimensions.append(_shortened(_filtered(dimension, question), max(depths)))
    columns = {level for dimension in dimensions for level in dimension.levels} | {"period"}
    measures = tuple(
        replace(measure, additive_over=tuple(column for column in measure.additive_over if column in columns))
        for measure in first.measures
    )
    return TableShape(first.name, first.universe, tuple(dimensions), measures)


def _filtered(dimension: Dimension, question: Question) -> Dimension:
    """Return a dimension with whole branches only, so that no margin has fewer parts than it sums."""
    filters = {n: question.where[level] for n, level in enumerate(dimension.levels) if level in question.where}
    if not filters:
        return dimension
    for n, values in filters.items():
        known = {path[n] for path in dimension.keys}
        if unknown := [value for value in values if value not in known]:
            level = dimension.levels[n]
            raise PolicyError("ask.category", f"{level}={unknown[0]}", f"{level}: {', '.join(sorted(known))}")
    branches = {path[0] for path in dimension.keys if all(path[n] in values for n, values in filters.items())}
    if not branches:
        raise PolicyError("ask.category", "categories that no row has together", "a finer one within the coarser one")
    kept = tuple(path for path in dimension.keys if path[0] in branches or path[-1] == UNKNOWN)
    return replace(dimension, keys=kept, has_margin=False)


def _shortened(dimension: Dimension, depth: int) -> Dimension:
    keys = tuple(dict.fromkeys(path[:depth] for path in dimension.keys))
    return replace(dimension, levels=dimension.levels[:depth], keys=keys)


def _rows(table: TableShape, sources: Sequence[tuple[TableShape, pa.Table]]) -> pa.Table:
    """Return the rows of the sources that the table lists, in its order, with its columns."""
    import pyarrow as pa

    stacked = pa.concat_tables([rows for _, rows in sources])
    full = sources[0][0].columns
    listed = zip(*(stacked[column].to_pylist() for column in full), strict=True)
    position = {place: row for row, place in enumerate(listed)}
    at = {column: n for n, column in enumerate(table.columns)}
    wanted = [
        position[tuple(place[at[column]] if column in at else ALL for column in full)] for place in table.coordinates()
    ]
    besides = [column for column in stacked.column_names if column not in full]
    return stacked.select([*table.columns, *besides]).take(pa.array(wanted, pa.int64())).combine_chunks()


def _targeting(table: TableShape, shapes: Sequence[PackageShape], keys: Sequence[str]) -> Targeting:
    """Return what the sources say of targeting, and of a column that is cut off what it says of the one above it."""
    above = {
        (full.levels[-1], own.levels[-1]): {path[-1]: path[len(own.levels) - 1] for path in full.keys}
        for shape in shapes
        if _has(shape, table.name)
        for full in shape.table(table.name).dimensions[1:]
        for own in table.dimensions[1:]
        if own.levels == full.levels[: len(own.levels)] and own.levels != full.levels
    }
    found: dict[str, dict[str, tuple[str, ...]]] = {}
    for shape in shapes:
        for key in sorted(set(shape.targeting) & set(keys)):
            targets = dict(shape.targeting[key])
            for (finer, coarser), parents in above.items():
                if finer in targets:
                    targets[coarser] = tuple(dict.fromkeys(parents[each] for each in targets[finer]))
            found[key] = targets
    return found
