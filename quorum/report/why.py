"""Why a cell is withheld and what to ask for instead, from a package and its public rules alone.

What belongs here: the status of each family in a cell, and remedies, as a function of what the package publishes, of
its calendar and of the numbers it states. What does not: any number that was not released, the reason of one cell
(analysts read it in the ledger), and words (`quorum.report.why_text`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any

from quorum.audit.descriptor import DESCRIPTOR
from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.rules import Rules, read_rules
from quorum.audit.targeting import Targeted
from quorum.errors import UsageError
from quorum.release.package import CODE_LIST, CODES, PUBLISHED, WITHHELD
from quorum.report.why_cells import Cell, Grid, find_cell, key_columns
from quorum.report.why_periods import following, longer

FAMILY, LEVEL, TABLE, BREAKDOWN, NEXT, LONGER, PLAN = (
    "family",
    "coarser_level",
    "other_table",
    "other_dimension",
    "next_period",
    "longer_period",
    "plan",
)
LATER = (NEXT, LONGER, PLAN)
"""Remedies that are the same for every withheld cell of a package."""


@dataclass(frozen=True)
class Instead:
    """Something to ask for instead of a withheld number.

    Args:
        kind: one of the words above.
        facts: what it is: ``cell`` and ``measures`` that are published, ``table`` and ``columns``, ``periods``, or
            ``heads``, the least number of people; all from public facts.
    """

    kind: str
    facts: Mapping[str, Any]

    def as_record(self) -> dict[str, Any]:
        """Return it as one flat object for ``--json``."""
        return {"kind": self.kind, **self.facts}


@dataclass(frozen=True)
class FamilyStatus:
    """A family in one row of a table.

    Args:
        family: its name.
        count: its measure of events, which names it to a reader.
        status: ``published`` or ``withheld``.
        measures: published numbers; none where withheld.
        instead: what to ask for; nothing where published.
    """

    family: str
    count: str
    status: str
    measures: Mapping[str, int]
    instead: tuple[Instead, ...]

    @property
    def code(self) -> str:
        """The code of the status: the same for every withheld cell, whatever the reason."""
        return CODES[self.status]


@dataclass(frozen=True)
class Answer:
    """What can be said of a cell.

    Args:
        cell: the cell that was asked for, coarser levels filled in.
        tables: table to its families, for every table that lists the cell.
        is_targeted: whether the targeting of the campaign leaves the cell; where it does not, all is 0 beforehand.
    """

    cell: Cell
    tables: Mapping[str, tuple[FamilyStatus, ...]]
    is_targeted: bool = True


@dataclass(frozen=True)
class Level:
    """How much of a level of a table is published.

    Args:
        table: its name.
        columns: the columns that are split up, the key left out; none for the total.
        published: family to number of published cells. Those that are withheld are not counted.
    """

    table: str
    columns: tuple[str, ...]
    published: Mapping[str, int]


class Held:
    """A package that somebody holds, and the rules it states.

    Args:
        package: as parsed.

    Attributes:
        period: of the package.
        rules: that the package states, or None.
        grids: its tables.
        counts: family to its measure of events; of people where it has no other.

    Raises:
        ReleaseError: the package states a rule set with a part missing.
    """

    def __init__(self, package: ParsedPackage) -> None:
        self.package = package
        self.period = package.shape.period
        self.rules = _stated_rules(package)
        self.grids = [Grid(table, _outside_targeting(package, table)) for table in package.tables.values()]
        self._keys = key_columns(package)
        self.counts = {
            measure.family: measure.name
            for kind in ("heads", "count")
            for table in package.tables.values()
            for measure in reversed(table.shape.measures)
            if measure.kind == kind
        }

    def explain(self, asked: Mapping[str, str]) -> Answer:
        """Return the status of a cell in every table that lists it, and what to ask for instead.

        Args:
            asked: column to category.

        Raises:
            UsageError: there is no such cell; the message says what exists.
        """
        cell = find_cell(self.package, asked)
        listing = [grid for grid in self.grids if grid.lists(cell)]
        if not listing:
            crossed = [f"{grid.name} ({', '.join(grid.columns)})" for grid in self.grids]
            raise UsageError("why.table", "dimensions that no table of the package crosses", "; ".join(crossed))
        cell = {column: cell[column] for column in listing[0].columns if column in cell}
        return Answer(
            cell,
            {grid.name: tuple(self._family(grid, cell, family) for family in grid.families) for grid in listing},
            not any(grid.is_outside_targeting(cell) for grid in listing),
        )

    def summarise(self) -> list[Level]:
        """Return, by table and level, how many cells of each family are published; zeros by targeting are left out."""
        levels = []
        for grid in self.grids:
            counts: dict[tuple[str, ...], Counter[str]] = {}
            for cell in grid.cells():
                if grid.is_outside_targeting(cell):
                    continue
                columns = tuple(column for column in grid.columns if column in cell and column not in self._keys)
                shown = [family for family in grid.families if grid.is_published(cell, family)]
                counts.setdefault(columns, Counter()).update(shown)
            ordered = sorted(counts.items(), key=lambda level: len(level[0]))
            levels += [
                Level(grid.name, columns, {family: counted[family] for family in grid.families})
                for columns, counted in ordered
            ]
        return levels

    def finest(self) -> Cell:
        """Return the last cell of the first table: one that names a category of every dimension."""
        return list(self.grids[0].cells())[-1]

    def needs(self) -> dict[str, dict[str, Any]]:
        """Return what every published cell of a family meets: public rules, the same for all; none if not stated."""
        rules = self.rules
        if rules is None:
            return {}
        return {
            name: {
                "heads": rules.threshold(name),
                "outside": rules.outside,
                "requires": family.requires,
                "count": family.count,
            }
            for name, family in rules.families.items()
        }

    def later(self, family: str) -> list[Instead]:
        """Return what any withheld cell may be told by another time: the next and longer periods, another plan."""
        found = []
        upcoming, containing = following(self.period), longer(self.period)
        if upcoming is not None:
            found.append(Instead(NEXT, {"periods": [upcoming]}))
        if containing:
            found.append(Instead(LONGER, {"periods": list(containing)}))
        has_rule = self.rules is not None and family in self.rules.families
        heads = self.rules.threshold(family) if self.rules is not None and has_rule else None
        return [*found, Instead(PLAN, {"heads": heads})]

    def _family(self, grid: Grid, cell: Cell, family: str) -> FamilyStatus:
        count = self.counts[family]
        if grid.is_published(cell, family):
            return FamilyStatus(family, count, PUBLISHED, grid.measures(cell, family), ())
        instead = [
            *self._required(grid, cell, family),
            *self._elsewhere(cell, family),
            *(
                Instead(LEVEL, {"cell": wider, "table": grid.name, "measures": grid.measures(wider, family)})
                for wider in grid.above(cell, family)
            ),
            *self._broken_down(grid, cell, family),
            *self.later(family),
        ]
        return FamilyStatus(family, count, WITHHELD, {}, tuple(instead))

    def _required(self, grid: Grid, cell: Cell, family: str) -> list[Instead]:
        """Return the nearest family that this one requires and that is published in the same cell."""
        rules = self.rules
        required = rules.families[family].requires if rules is not None and family in rules.families else None
        while required is not None and rules is not None:
            if grid.is_published(cell, required):
                facts = {"family": required, "cell": dict(cell), "measures": grid.measures(cell, required)}
                return [Instead(FAMILY, facts)]
            required = rules.families[required].requires
        return []

    def _elsewhere(self, cell: Cell, family: str) -> list[Instead]:
        """Return tables that publish a cell that another withholds; tables of one universe never differ in it."""
        return [
            Instead(TABLE, {"table": other.name, "cell": dict(cell), "measures": other.measures(cell, family)})
            for other in self.grids
            if other.is_published(cell, family)
        ]

    def _broken_down(self, grid: Grid, cell: Cell, family: str) -> list[Instead]:
        """Return the dimensions of other tables by which the cell's campaign or section is published."""
        key = {column: cell[column] for column in self._keys if column in cell}
        if key == dict(cell):
            return []
        found = []
        for other in self.grids:
            new = [column for column in other.columns if column not in grid.columns]
            split = other.splits(key, family) if new and other.universe == grid.universe else set()
            columns = [column for column in new if column in split]
            if columns:
                found.append(Instead(BREAKDOWN, {"table": other.name, "cell": key, "columns": columns}))
        return found


def record_cell(held: Held, answer: Answer) -> dict[str, Any]:
    """Return an answer as ``--json`` prints it."""
    return {
        **_package_record(held),
        "cell": dict(answer.cell),
        "targeted": answer.is_targeted,
        "tables": [
            {
                "table": name,
                "families": [
                    {
                        "family": status.family,
                        "status": status.status,
                        "code": status.code,
                        "measures": dict(status.measures),
                        "instead": [instead.as_record() for instead in status.instead],
                    }
                    for status in families
                ],
            }
            for name, families in answer.tables.items()
        ],
    }


def record_summary(held: Held, levels: Sequence[Level]) -> dict[str, Any]:
    """Return a summary as ``--json`` prints it."""
    return {
        **_package_record(held),
        "levels": [
            {"table": level.table, "columns": list(level.columns), "published_cells": dict(level.published)}
            for level in levels
        ],
    }


def _package_record(held: Held) -> dict[str, Any]:
    shape = held.package.shape
    return {
        "recipient": shape.recipient_id,
        "report": shape.report,
        "period": shape.period,
        "code_list": CODE_LIST,
        "codes": dict(CODES),
        "rules": held.needs(),
    }


def _outside_targeting(package: ParsedPackage, table: ParsedTable) -> frozenset[tuple[str, ...]]:
    """Return the coordinates of the rows outside the targeting of their campaign."""
    return frozenset(compress(table.coordinates, Targeted(package, table).zero.tolist()))


def _stated_rules(package: ParsedPackage) -> Rules | None:
    """Return the rules that a package states, or None where it states none."""
    stated = json.loads(package.files[DESCRIPTOR]).get("quorum:rule_set")
    return None if stated is None else read_rules(stated).default
