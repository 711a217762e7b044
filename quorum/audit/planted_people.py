"""The planted release's people: broken for insiders, over several releases, and for who rebuilds, decodes or counts.

What belongs here: packages that are broken for attacks 4 to 11, and what each must find there. What does not: what is
broken in one cell or line (`quorum.audit.planted`), and between a week and its days (`quorum.audit.planted_week`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.planted_tables import planted_table
from quorum.tables.shape import ALL, Dimension, Measure, PackageShape, TableShape

_KEY = Dimension(("campaign_id",), (("planted",),), has_margin=False, partitions_people=False)
_PERIOD = ("2000-02-01", "2000-02-02", "2000-02-03", "2000-02-04", "2000-02-05", "2000-02-05.r2")
_CROWD, _TABLES, _GROUPS = 24, 20, 6

Values = Sequence[int | None]

FINDINGS = {
    "insider": frozenset({(("square", "planted", "x", "q"), "people_n")}),
    "residuals": frozenset({(("rest", "planted", "b"), "impression_n")}),
    "temporal": frozenset({(("moved", "planted"), "impression_n"), (("clicked", "planted"), "click_n")}),
    "composition": frozenset({(("homes", "planted", ALL), "region")}),
    "planted": frozenset({(("rest", "planted", "a"), "impressions")}),
    "reconstruction": frozenset({(("areas", "planted"), "with ages")}),
    "decoding": frozenset({(("crowd00", "planted"), "clicks"), (("copy0", "planted"), "impression_n")}),
    "membership": frozenset({(("crowd00", "planted"), "random"), (("crowd00", "planted"), "active")}),
}
"""Attack to (place, what) of the claims that it must make."""


def planted_people() -> tuple[tuple[ParsedPackage, ...], Mapping[str, Mapping[str, pa.Table]]]:
    """Return packages that are broken for whom the names of their tables say, and the truth of the first.

    ``rest``: two withheld cells hold 60 impressions, of 12 people; 40 of the 150 people of the told one count.
    ``square``: four withheld cells, of which opposite ones are always equal. ``homes``: a day without region c and one
    without a, of the same people. ``ages`` and ``areas``: five people, all of one age. ``crowd``: 24 people counted in
    20 tables of six groups. ``copy``: one number, told with noise. ``moved``: a restatement takes 3 impressions away.

    Guarantee:
        The same packages each time; none of it is data.

    Source: disclosure.md, attacks 4 to 11.
    """
    first = _package(_PERIOD[0], [_rest(), _square()])
    days = [_package(_PERIOD[1], [_homes(60, 70, 0)]), _package(_PERIOD[2], [_homes(0, 80, 90)])]
    few = _package(_PERIOD[3], [_people("ages", "age", (5, 0)), _people("areas", "area", (3, 2))])
    moved = [_package(period, [_total("moved", n)]) for period, n in zip(_PERIOD[4:], (103, 100), strict=True)]
    crowd = _package("2000-02-06", [*_crowd(), _total("copy0", 100), _total("copy1", 103, "copy0")])
    truth = pa.table(
        {
            "campaign_id": ["planted"] * 4,
            "band": [ALL, "a", "b", "c"],
            "people_n": [162, 150, 5, 7],
            "people_counted_n": [52, 40, 5, 7],
        }
    )
    return (first, *days, few, *moved, crowd), {first.release: {"rest": truth}}


def _rest() -> ParsedTable:
    shape = TableShape("rest", "planted rest", (_KEY, _dimension("band", "abc")), (_count("band"),))
    return planted_table(shape, {"impression_n": (360, 300, None, None)})


def _square() -> ParsedTable:
    heads = Measure("people_n", "impressions", "heads", ("row", "column"))
    dimensions = (_KEY, _dimension("row", "wx"), _dimension("column", "pq"))
    shape = TableShape("square", "planted square", dimensions, (_count("row", "column"), heads))
    people = (120, 60, 60, 60, None, None, 60, None, None)
    return planted_table(shape, {"impression_n": [n and 2 * n for n in people], "people_n": people})


def _homes(*people: int) -> ParsedTable:
    return _people("homes", "region", people)


def _people(name: str, column: str, people: Sequence[int]) -> ParsedTable:
    """Return a table of people by categories a, b, ..., all of it told."""
    heads = Measure("people_n", "impressions", "heads", (column,))
    categories = "abcdefgh"[: len(people)]
    shape = TableShape(name, f"planted {name}", (_KEY, _dimension(column, categories)), (_count(column), heads))
    told = (sum(people), *people)
    return planted_table(shape, {"impression_n": [2 * n for n in told], "people_n": told})


def _total(name: str, value: int, universe: str = "") -> ParsedTable:
    shape = TableShape(name, f"planted {universe or name}", (_KEY,), (_count(),))
    return planted_table(shape, {"impression_n": (value,)})


def _crowd() -> list[ParsedTable]:
    """Return tables that put the same people into groups anew, each in another order."""
    rng = np.random.default_rng(_CROWD)
    tables = []
    for number in range(_TABLES):
        column = f"group{number:02}"
        who = rng.permutation(_CROWD).tolist()
        seen, clicked = [0] * _GROUPS, [0] * _GROUPS
        for person, at in enumerate(who):
            seen[at % _GROUPS] += 1
            clicked[at % _GROUPS] += person < _CROWD // 2
        measures = (
            _count(column),
            Measure("people_n", "impressions", "heads", (column,)),
            Measure("click_n", "clicks", "count", (column, "period")),
            Measure("clicker_n", "clicks", "heads", (column,)),
        )
        shape = TableShape(f"crowd{number:02}", "planted crowd", (_KEY, _dimension(column, "abcdef")), measures)
        heads, more = (_CROWD, *seen), (_CROWD // 2, *clicked)
        columns = {"impression_n": [2 * n for n in heads], "people_n": heads, "click_n": more, "clicker_n": more}
        tables.append(planted_table(shape, columns))
    return tables


def _dimension(column: str, categories: str) -> Dimension:
    return Dimension((column,), tuple((category,) for category in categories))


def _count(*columns: str) -> Measure:
    return Measure("impression_n", "impressions", "count", (*columns, "period"))


def _package(period: str, tables: Sequence[ParsedTable]) -> ParsedPackage:
    shape = PackageShape("planted", "planted", period, tuple(table.shape for table in tables))
    return ParsedPackage(shape, {table.shape.name: table for table in tables}, {})
