"""One broken release, small, for the power check: an attack that does not break it in the same run has proved nothing.

What belongs here: the planted release, its rules and canary, and what each attack must find in it. What does not: any
number of a real rule set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.planted_frequency import FINDINGS as FREQUENCY
from quorum.audit.planted_frequency import planted_frequency
from quorum.audit.planted_people import FINDINGS as OF_PEOPLE
from quorum.audit.planted_people import planted_people
from quorum.audit.planted_tables import planted_table
from quorum.audit.planted_week import FINDINGS, planted_week
from quorum.audit.record import Findings
from quorum.tables.shape import Dimension, Measure, PackageShape, TableShape

_KEY = Dimension(("campaign_id",), (("planted",),), has_margin=False, partitions_people=False)
_HIDDEN = None

Finding = tuple[tuple[str, ...], str]
"""Where a claim must be, and what it must be about."""


@dataclass(frozen=True)
class Planted:
    """A broken release with what is to be found in it.

    Args:
        package: the release.
        rules: its rule set, a plain mapping.
        canaries: texts planted in its source data.
        findings: attack to (place, what) of the claims that it must make.
        beside: other packages of the same recipient, held together with it.
        truth: of some of them, as `quorum.audit.truth.Truth` takes it.
    """

    package: ParsedPackage
    rules: Mapping[str, Any]
    canaries: tuple[str, ...]
    findings: Mapping[str, frozenset[Finding]]
    beside: tuple[ParsedPackage, ...] = ()
    truth: Mapping[str, Mapping[str, pa.Table]] = field(default_factory=dict)

    def is_broken_by(self, attack: str, findings: Findings) -> bool:
        """Say whether an attack found everything that it must find.

        Guarantee:
            False for an attack that has nothing to find here: it has not shown any power.

        Source: disclosure.md, "The red team" (power check).
        """
        expected = self.findings.get(attack, frozenset())
        return bool(expected) and expected <= {(claim.where, claim.what) for claim in findings.claims}


def planted_release() -> Planted:
    """Return the planted release.

    In table ``audience``, one cell alone is withheld in its line; one is published with 49 people; two withheld cells
    of clicks sum to 5, so that neither can be 20. In table ``grid``, nine cells are withheld, two or more in each line,
    and one of them is exactly 47, which propagation alone does not see. A page carries an e-mail address. Beside it
    lie a week with its days (`planted_week`), a day of which bands are told (`planted_frequency`), and packages of few
    people (`planted_people`).

    Guarantee:
        The same release each time; none of it is data.

    Source: the grid is sdcTable's test-simpleheuristic (shared/data/oracles.json); the rest is ours.
    """
    canary = "planted.person@example.invalid"
    shape = PackageShape("planted", "planted", "2000-01-01", (_audience_shape(), _grid_shape()))
    page = f"<html><body><p>{canary}</p></body></html>".encode()
    tables = {"audience": _audience(shape.tables[0]), "grid": _grid(shape.tables[1])}
    alone = {
        "reparse": frozenset({(("audience", "planted", "a"), "threshold")}),
        "elimination": frozenset(
            {(("audience", "planted", "d"), "people_n"), (("grid", "planted", "w", "b"), "impression_n")}
        ),
        "propagation": frozenset(
            {(("audience", "planted", "c"), "clicker_n"), (("grid", "planted", "w", "b"), "impression_n")}
        ),
        "frequency": FREQUENCY,
        "identifiers": frozenset({(("report.en.html",), "email"), (("report.en.html",), "canary plain")}),
    }
    people, truth = planted_people()
    return Planted(
        ParsedPackage(shape, tables, {"report.en.html": page}),
        {
            "heads": {"impressions": 50, "clicks": 20},
            "outside": 10,
            "families": {
                "impressions": {"count": "impression_n", "heads": "people_n", "counted": "people_counted_n"},
                "clicks": {"count": "click_n", "heads": "clicker_n", "requires": "impressions"},
            },
            "contribution": {"impression": 5},
        },
        (canary,),
        {**OF_PEOPLE, **{attack: found | FINDINGS.get(attack, frozenset()) for attack, found in alone.items()}},
        (*planted_week(), planted_frequency(), *people),
        truth,
    )


def _audience_shape() -> TableShape:
    band = Dimension(("age_band",), (("a",), ("b",), ("c",), ("d",)))
    measures = [Measure(count, family, "count", ("age_band", "period")) for family, count, _ in _FAMILIES]
    measures += [Measure(heads, family, "heads", ("age_band",)) for family, _, heads in _FAMILIES]
    return TableShape("audience", "planted", (_KEY, band), tuple(measures))


_FAMILIES = (("impressions", "impression_n", "people_n"), ("clicks", "click_n", "clicker_n"))


def _audience(shape: TableShape) -> ParsedTable:
    """Rows: ALL, a, b, c, d."""
    return planted_table(
        shape,
        {
            "impression_n": (450, 60, 150, 120, _HIDDEN),
            "people_n": (330, 49, 120, 100, _HIDDEN),
            "click_n": (100, 45, 50, _HIDDEN, _HIDDEN),
            "clicker_n": (65, 30, 31, _HIDDEN, _HIDDEN),
        },
    )


def _grid_shape() -> TableShape:
    row = Dimension(("row",), (("w",), ("x",), ("y",), ("z",)), partitions_people=False)
    column = Dimension(("column",), (("a",), ("b",), ("c",), ("d",)), partitions_people=False)
    measure = Measure("impression_n", "impressions", "count", ("row", "column", "period"))
    return TableShape("grid", "planted grid", (_KEY, row, column), (measure,))


def _grid(shape: TableShape) -> ParsedTable:
    """Rows: for ALL, w, x, y, z each ALL, a, b, c, d."""
    lines = (
        (3943, 1012, 1262, 779, 890),
        (230, _HIDDEN, _HIDDEN, _HIDDEN, 89),
        (250, _HIDDEN, 124, _HIDDEN, 31),
        (336, 92, _HIDDEN, 59, _HIDDEN),
        (3127, 800, _HIDDEN, 651, _HIDDEN),
    )
    return planted_table(shape, {"impression_n": tuple(value for line in lines for value in line)})
