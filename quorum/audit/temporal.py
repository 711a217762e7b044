"""Attack 6: days against weeks and months, and a restatement against what it restates.

What belongs here: differences of equal cells of several periods. What does not: what follows from more than two
packages' cells together (`quorum.audit.equations` writes those equations down for attacks 2, 3 and 5).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from quorum.audit.package import ParsedPackage
from quorum.audit.periods import parts_of
from quorum.audit.places import Place, place_of
from quorum.audit.record import Claim, Findings
from quorum.audit.rules import RuleBook

Cell = tuple[str, Place]
"""Universe and place."""


@dataclass(frozen=True)
class _Told:
    """A published number: where it stands, and what it is."""

    release: str
    where: tuple[str, ...]
    value: int


def compare_periods(packages: Sequence[ParsedPackage], rules: RuleBook) -> Findings:
    """Claim every difference of periods that is about one person to one short of the threshold.

    Args:
        packages: of any recipients, periods and restatements.
        rules: thresholds.

    Returns:
        One claim for each cell of a longer period of which published parts leave so few events, for each number of
        people of a longer period that is so much larger than that of a part of it, and for each cell that a restatement
        changes by so few. Targets are the differences.

    Guarantee:
        Without a claim: no week or month less the published days and weeks within it, whichever of the two, and no
        restatement less what it restates, is 1 to threshold - 1 events or people; first and last days of a campaign,
        moves between nights and erasures too, whatever made the difference. That the parts cover the longer period is
        not
        asked: what is left is left of the days that are not in hand.

    Source: disclosure.md, rule 8 and attack 6.
    """
    claims: list[Claim] = []
    targets = 0
    for measure, family, kind, threshold, told in _series(packages, rules):
        for period, cells in told.items():
            for cell, whole in cells.items():
                for difference in _differences(period, cell, whole, told, is_heads=kind == "heads"):
                    targets += 1
                    if 0 < difference < threshold:
                        says = f"{difference} of {family} are left"
                        claims.append(Claim(whole.release, whole.where, measure, says, None))
    return Findings(targets, tuple(dict.fromkeys(claims)), None)


def _series(
    packages: Sequence[ParsedPackage], rules: RuleBook
) -> Iterator[tuple[str, str, str, int, Mapping[str, Mapping[Cell, _Told]]]]:
    """Yield each measure with its family, kind and threshold, and what is published of it, period by period."""
    measures = {
        m.name: (m, rules.of(p.shape.report))
        for p in packages
        for t in p.shape.tables
        for m in t.measures
        if m.family in rules.of(p.shape.report).families and m.name.endswith("_n")
    }
    for name, (measure, own) in measures.items():
        told: dict[str, dict[Cell, _Told]] = {}
        for package in packages:
            cells = told.setdefault(package.shape.period, {})
            for table in package.tables.values():
                if name in table.values:
                    columns = table.shape.columns
                    for row in np.flatnonzero(table.published[measure.family]).tolist():
                        place = table.coordinates[row]
                        found = _Told(package.release, (table.shape.name, *place), int(table.values[name][row]))
                        cells.setdefault((table.shape.universe, place_of(columns, place)), found)
        yield name, measure.family, measure.kind, own.threshold(measure.family), told


def _differences(
    period: str, cell: Cell, whole: _Told, told: Mapping[str, Mapping[Cell, _Told]], *, is_heads: bool
) -> Iterator[int]:
    """Yield by how much a published cell differs from what it restates, and from what is published of its parts."""
    restated = period.rpartition(".r")[0]
    for original in [other for other in told if restated and other.split(".r")[0] == restated and other != period]:
        if cell in told[original]:
            yield abs(whole.value - told[original][cell].value)
    for parts, _ in parts_of(period, told):
        values = [told[part][cell].value for part in parts if cell in told[part]]
        if is_heads:
            yield from (whole.value - value for value in values if whole.value > value)
        elif values:
            yield whole.value - sum(values)
