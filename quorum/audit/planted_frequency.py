"""The planted release's table of people by how often: told whole, it gives away four cells that no equation gives away.

What belongs here: its package, and what the attack must find in it. What does not: what is broken elsewhere
(`quorum.audit.planted`).
"""

from __future__ import annotations

from quorum.audit.package import ParsedPackage
from quorum.audit.planted_tables import planted_table
from quorum.tables.shape import Dimension, Measure, PackageShape, TableShape

_KEY = Dimension(("campaign_id",), (("planted",),), has_margin=False, partitions_people=False)
_HIDDEN = None
_PEOPLE = (250, 100, 150, 100, _HIDDEN, _HIDDEN, 150, _HIDDEN, _HIDDEN)
_EVENTS = (800, 100, 700, 100, _HIDDEN, _HIDDEN, 700, _HIDDEN, _HIDDEN)
"""Rows: for ALL, a1 and a2 each ALL, g1, g2."""

FINDINGS = frozenset(
    ((("crowd", "planted", age, gender), measure))
    for age, gender in (("a1", "g1"), ("a1", "g2"), ("a2", "g1"))
    for measure in ("people_n", "impression_n")
)
"""(place, what) of the claims that the attack must make; of a2 and g2 the totals alone say that they are not 0."""


def planted_frequency() -> ParsedPackage:
    """Return a package of two ages by two genders, of which the margins and the bands are told.

    Everybody of a1 saw one impression, and so did everybody of g1: 100 people each. Let x be those in both. Every x
    from 0 to 100 is a table. But 100 people saw one at all, so that those of a1 are those of g1.

    Guarantee:
        The same package each time; none of it is data.

    Source: docs/decisions/0003-complementary-suppression.md, "Frequency tables".
    """
    measures = (
        Measure("impression_n", "impressions", "count", ("age_band", "gender", "period")),
        Measure("people_n", "impressions", "heads", ("age_band", "gender")),
    )
    ages, genders = (Dimension((n,), tuple((f"{n[0]}{k}",) for k in (1, 2))) for n in ("age_band", "gender"))
    crowd = TableShape("crowd", "planted frequency", (_KEY, ages, genders), measures)
    often = Dimension(("frequency",), (("1",), ("2",), ("3-5",), ("6+",)))
    heads = (Measure("people_n", "impressions", "heads", ("frequency",)),)
    banded = TableShape("often", "planted frequency", (_KEY, often), heads)
    tables = {
        "crowd": planted_table(crowd, {"impression_n": _EVENTS, "people_n": _PEOPLE}),
        "often": planted_table(
            banded, {"people_n": (250, 100, 50, 50, 50)}, {"1": (1, 1), "2": (2, 2), "3-5": (3, 5), "6+": (6, 20)}
        ),
    }
    return ParsedPackage(PackageShape("planted", "planted", "2000-03-01", (crowd, banded)), tables, {})
