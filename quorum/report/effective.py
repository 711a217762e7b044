"""What performs better or worse: click rates of parts of a campaign against the rest of it, from released cells.

What belongs here: which parts are compared, and the comparisons. What does not: the formulas (`intervals`), and
sentences (`findings`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from quorum.report.intervals import Ratio, critical, dispersion, ratio_interval
from quorum.report.released import Released
from quorum.tables import TableShape
from quorum.tables.periods import DAY, MONTH, kind_of
from quorum.tables.shape import ALL

SHOWN, CLICKED = "impressions", "clicks"
FEWEST_CLICKS = 20
"""A part and its rest need so many clicks each: below that the interval is not good."""

_NO_SEGMENT = {"unknown", "other"}
_MOST_CROSSED = 2
_DAYS, _WEEK_DAYS = {DAY: 1, MONTH: 31}, 7


@dataclass(frozen=True)
class Part:
    """A part of a campaign and the rest of it: released clicks and impressions.

    Args:
        table: name of the table.
        at: column to category, of the columns that are not ALL.
        clicks: of the part.
        shown: its impressions.
        rest_clicks: of the campaign without the part.
        rest_shown: its impressions.
    """

    table: str
    at: Mapping[str, str]
    clicks: int
    shown: int
    rest_clicks: int
    rest_shown: int


@dataclass(frozen=True)
class Comparison:
    """A part, and the ratio of its click rate to that of the rest."""

    part: Part
    ratio: Ratio


@dataclass(frozen=True)
class Comparisons:
    """Every comparison of a campaign.

    Args:
        all: in the order of the tables.
        dispersion: by which variances were widened.
    """

    all: tuple[Comparison, ...] = ()
    dispersion: float = 0.0

    @property
    def told(self) -> tuple[Comparison, ...]:
        """Those whose interval does not span no difference: the farthest from it first."""
        told = [comparison for comparison in self.all if comparison.ratio.differs]
        return tuple(sorted(told, key=closeness))

    def verdict(self, at: Mapping[str, str]) -> int:
        """Return 1, -1 or 0 for a cell: its interval lies above no difference, below, or spans it, or has none."""
        return next((one.ratio.differs for one in self.all if one.part.at == at), 0)


def compare(released: Released, keys: Sequence[str], most_clicks: int) -> dict[str, Comparisons]:
    """Compare every part of campaigns of which clicks and impressions are released with the rest of its campaign.

    Args:
        released: the released tables.
        keys: the campaigns.
        most_clicks: the bound on the clicks of one person, campaign and day.

    Returns:
        The comparisons of each campaign: intervals that hold at 95 % for all of them together. None where a report has
        no clicks or a total is withheld.
    """
    families = {family.name: family for family in released.families}
    if not {SHOWN, CLICKED} <= set(families):
        return {key: Comparisons() for key in keys}
    shown, clicked = families[SHOWN], families[CLICKED]
    of_keys = {key: _all_parts(released, key, shown.count, clicked.count) for key in keys}
    z = critical(max(1, sum(map(len, of_keys.values()))))
    most = most_clicks * _DAYS.get(kind_of(released.shape.period), _WEEK_DAYS)
    found = {}
    for key, parts in of_keys.items():
        clicks, seen = released.total(key, clicked.count), released.total(key, shown.count)
        if not parts or not clicks or not seen:
            found[key] = Comparisons()
            continue
        factor = dispersion(clicks, released.total(key, clicked.heads), seen, released.total(key, shown.heads), most)
        ratios = [ratio_interval(p.clicks, p.shown, p.rest_clicks, p.rest_shown, z, factor) for p in parts]
        found[key] = Comparisons(tuple(Comparison(p, r) for p, r in zip(parts, ratios, strict=True)), factor)
    return found


def _all_parts(released: Released, key: str, shown: str, clicked: str) -> list[Part]:
    """Return the parts of all tables; a cell that two tables list is one part."""
    found: dict[tuple[tuple[str, str], ...], Part] = {}
    for table in released.shape.tables:
        if released.lists(table, key):
            for part in _parts(released, table, key, shown, clicked):
                found.setdefault(tuple(part.at.items()), part)
    return list(found.values())


def _parts(released: Released, table: TableShape, key: str, shown: str, clicked: str) -> Iterator[Part]:
    """Yield the parts of a table: cells of one dimension, or of two for ages and genders, with enough clicks."""
    if not {shown, clicked} <= {measure.name for measure in table.measures}:
        return
    total = tuple(key if n == 0 else ALL for n in range(len(table.columns)))
    whole = released.rows(table, key)[total]
    all_clicks, all_shown = whole[clicked], whole[shown]
    if not isinstance(all_clicks, int) or not isinstance(all_shown, int):
        return
    for coordinate, row in released.rows(table, key).items():
        named = {column: place for column, place in zip(table.columns[1:], coordinate[1:], strict=True) if place != ALL}
        x, n = row[clicked], row[shown]
        if not isinstance(x, int) or not isinstance(n, int) or not _is_segment(table, named):
            continue
        if released.is_outside_targeting(table, coordinate):
            continue
        if min(x, all_clicks - x) >= FEWEST_CLICKS and n >= x and all_shown - n >= all_clicks - x:
            yield Part(table.name, named, x, n, all_clicks - x, all_shown - n)


def _is_segment(table: TableShape, named: Mapping[str, str]) -> bool:
    """Say whether a cell is a part that an advertiser can book or change: named, and of at most two dimensions."""
    crossed = [d for d in table.dimensions if any(level in named for level in d.levels)]
    nested = table.dimensions[0] in crossed and len(crossed) > 1  # a creative in a placement: not a part of its own
    return bool(named) and len(crossed) <= _MOST_CROSSED and not nested and not set(named.values()) & _NO_SEGMENT


def closeness(comparison: Comparison) -> float:
    """Return how near the nearer end of an interval is to no difference, as a ratio: smaller is farther."""
    ratio = comparison.ratio
    return 100 / ratio.low if ratio.differs > 0 else ratio.high / 100
