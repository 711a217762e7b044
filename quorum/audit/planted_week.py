"""The planted release's week: broken only for who holds it beside its days, so that attacks show power over periods.

What belongs here: its packages, and what each attack must find between them. What does not: what is broken in one
package alone (`quorum.audit.planted`).
"""

from __future__ import annotations

from datetime import date, timedelta

from quorum.audit.package import ParsedPackage, ParsedTable
from quorum.audit.planted_tables import planted_table
from quorum.tables.shape import Dimension, KeyPlan, Measure, PackageShape, TableShape

_MONDAY = date(2000, 1, 3)
_WEEK = "2000-W01"
_KEY = Dimension(("campaign_id",), (("planted",),), has_margin=False, partitions_people=False)
_PLAN = {
    "planted": KeyPlan(
        {"impressions": "day", "clicks": "week"},
        {"shown": {"impressions": 0}, "crowd": {"impressions": 0}, "clicked": {"clicks": 0}},
    )
}
_HIDDEN = None

FINDINGS = {
    "reparse": frozenset(
        {(("shown", "planted"), "plan"), (("clicked", "planted"), "requires"), (("crowd", "planted"), "reach")}
    ),
    "elimination": frozenset({(("shown", "planted"), "impression_n")}),
    "propagation": frozenset(
        {
            (("shown", "planted"), "impression_n"),
            (("clicked", "planted"), "click_n"),
            (("crowd", "planted"), "people_n"),
        }
    ),
}
"""Attack to (place, what) of the claims that it must make."""


def planted_week() -> tuple[ParsedPackage, ...]:
    """Return a week and its seven days.

    Impressions of one day are withheld; six days and the week tell them. The week tells impressions at all, though they
    are planned by day, and clicks, though one of its days withholds the impressions there. The clicks of six days are
    published, planned by week as they are, and leave 9 for the seventh. People are told for the week beside six of its
    days, and are so many that some of them came on the seventh.

    Guarantee:
        The same packages each time; none of it is data.

    Source: disclosure.md, attack 6; docs/decisions/0007-periods-and-plans.md.
    """
    days = [
        _package((_MONDAY + timedelta(days=n)).isoformat(), *((100, 30, 60) if n else (_HIDDEN, _HIDDEN, _HIDDEN)))
        for n in range(7)
    ]
    return (_package(_WEEK, 700, 189, 500), *days)


def _package(period: str, impressions: int | None, clicks: int | None, people: int | None) -> ParsedPackage:
    tables = [
        _table("shown", "impressions", "impression_n", impressions),
        _table("crowd", "impressions", "people_n", people),
        _table("clicked", "clicks", "click_n", clicks),
    ]
    shape = PackageShape("planted", "planted", period, tuple(table.shape for table in tables), plan=_PLAN)
    return ParsedPackage(shape, {table.shape.name: table for table in tables}, {})


def _table(name: str, family: str, measure: str, value: int | None) -> ParsedTable:
    of = Measure(measure, family, "heads", ()) if name == "crowd" else Measure(measure, family, "count", ("period",))
    shape = TableShape(name, "planted week", (_KEY,), (of,))
    return planted_table(shape, {measure: (value,)})
