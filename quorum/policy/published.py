"""Frozen types for what is published: rule sets with the floors that no file can go below, key sets, reports.

What belongs here: what a rule set, a report or a category of a report is. What does not: reading files
(`quorum.policy.load`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from quorum.errors import ConfigurationError

FLOOR_HEADS = 10
FLOOR_OUTSIDE = 10
FLOOR_P_PERCENT = 5
CEILING_DOMINANCE_PERCENT = 95
CEILING_SINGLE_SHARE_PERCENT = 60
CEILING_CONTRIBUTION: Mapping[str, int] = MappingProxyType({"impression": 100, "click": 50, "conversion": 20})
"""Kinds of events with the highest bound on those of one person, campaign and day (rule 4)."""

FLOOR_SEASONED_DAYS = 14
FLOOR_ACTIVE_NIGHTS = 2
CEILING_NETWORK_PEOPLE = 10

MOST_CLIPPED_CLASSES = 3
"""Boundaries between classes of the clipped share: more of them would come near to the share itself."""


@dataclass(frozen=True)
class RuleSet:
    """The numbers of a rule set; construction refuses what is below the floors in code.

    Args:
        name: e.g. ``standard``.
        heads: family to the smallest publishable head count (rule 1).
        outside: people that must be outside a published family of a cell, and outside a published group of its parent
            (rule 2).
        p_percent: p of the p % rule, in percent (rule 3).
        dominance_n: n of the (n, k) rule.
        dominance_percent: k of the (n, k) rule, in percent.
        single_share_percent: the largest share of one person in a published sum, in percent.

    Raises:
        ConfigurationError: a number is below its floor or above its ceiling.
    """

    name: str
    heads: Mapping[str, int]
    outside: int
    p_percent: int
    dominance_n: int
    dominance_percent: int
    single_share_percent: int

    def __post_init__(self) -> None:
        for family, heads in self.heads.items():
            self._floor(f"heads.{family}", heads, FLOOR_HEADS)
        self._floor("outside", self.outside, FLOOR_OUTSIDE)
        self._floor("p_percent", self.p_percent, FLOOR_P_PERCENT)
        self._ceiling("dominance.share_percent", self.dominance_percent, CEILING_DOMINANCE_PERCENT)
        self._ceiling("single_share_percent", self.single_share_percent, CEILING_SINGLE_SHARE_PERCENT)

    def _floor(self, what: str, value: int, floor: int) -> None:
        if value < floor:
            raise ConfigurationError("disclosure.floor", f"{self.name}.{what} is {value}", f"{floor} or more")

    def _ceiling(self, what: str, value: int, ceiling: int) -> None:
        if value > ceiling:
            raise ConfigurationError("disclosure.ceiling", f"{self.name}.{what} is {value}", f"{ceiling} or less")


@dataclass(frozen=True)
class WhoCounts:
    """Who counts in head counts (rule 5); construction refuses what is laxer than the floors in code.

    Args:
        seasoned_days: days since a person was first seen.
        active_nights: nights on which the person was seen and was no bot.
        network_people: people of one truncated network who count for one campaign or section.

    Raises:
        ConfigurationError: a number is below its floor or above its ceiling.
    """

    seasoned_days: int
    active_nights: int
    network_people: int

    def __post_init__(self) -> None:
        for name, floor in (("seasoned_days", FLOOR_SEASONED_DAYS), ("active_nights", FLOOR_ACTIVE_NIGHTS)):
            if getattr(self, name) < floor:
                raise ConfigurationError(
                    "disclosure.floor", f"who_counts.{name} is {getattr(self, name)}", f"{floor} or more"
                )
        if not 1 <= self.network_people <= CEILING_NETWORK_PEOPLE:
            raise ConfigurationError(
                "disclosure.ceiling",
                f"who_counts.network_people is {self.network_people}",
                f"1 to {CEILING_NETWORK_PEOPLE}",
            )


@dataclass(frozen=True)
class Category:
    """One category of a public key set.

    Args:
        key: as it stands in cubes and files.
        ja: label in Japanese.
        en: label in English.
        first: lowest value of a band; None where the set is not of bands.
        last: highest value of a band.
        terms: raw values that mean it, lower case.
        parent: the category of the next coarser level, e.g. a prefecture's region.
    """

    key: str
    ja: str
    en: str
    first: int | None = None
    last: int | None = None
    terms: tuple[str, ...] = ()
    parent: str | None = None


@dataclass(frozen=True)
class DimensionSpec:
    """A dimension of ``reports.yaml``.

    Args:
        name: e.g. ``area``.
        levels: columns, coarse to fine.
        keys: the key set: a list of ``categories.yaml``, or ``creatives`` of the reference data.
        partitions_people: whether a person is in exactly one category.
        below: the report key below which its categories nest, or None.
    """

    name: str
    levels: tuple[str, ...]
    keys: str
    partitions_people: bool
    below: str | None = None


@dataclass(frozen=True)
class FamilySpec:
    """A metric family.

    Args:
        name: e.g. ``clicks``.
        count: the column of events, e.g. ``click_n``.
        heads: the column of people, e.g. ``clicker_n``.
        rest: the cube's column of people who count and are in the cell outside the family, or None.
        requires: the family that must be published in the same cell, or None.
        counted: the cube's column of those of ``heads`` who count (rule 5); None where all heads do, which no file of
            the policy can say.
    """

    name: str
    count: str
    heads: str
    rest: str | None = None
    requires: str | None = None
    counted: str | None = None

    @property
    def judged(self) -> str:
        """The column by which rules 1, 2 and 6 judge whether there are enough people."""
        return self.counted or self.heads

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a cube, each once, in order."""
        named = (self.count, self.heads, self.counted, self.rest)
        return tuple(dict.fromkeys(column for column in named if column is not None))


@dataclass(frozen=True)
class TableSpec:
    """A table of a report.

    Args:
        name: the resource's name in the package.
        cube: the cube it comes from.
        dimensions: names of dimensions, in order.
        families: those that it tells, of the report's; empty for all of them.
        periods: kinds of period that have it, of the report's; empty for all of them.
        is_planned: whether it lists only campaigns whose plan tells its finest cells: a cell that is listed has to stay
            open, and takes from others where it is too small to be told itself.
        alone: dimension to the name of a table with its cells alone, which the package carries beside this one.
    """

    name: str
    cube: str
    dimensions: tuple[str, ...]
    families: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    is_planned: bool = False
    alone: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FrequencySpec:
    """The table of a report of people by how often they saw a key, in packages of a day.

    Args:
        name: the resource's name in the package.
        cube: people by category and number of impressions.
        dimension: name of the dimension whose key set says which numbers of impressions a band holds.
    """

    name: str
    cube: str
    dimension: str


@dataclass(frozen=True)
class ReportSpec:
    """A report of ``reports.yaml``.

    Args:
        name: e.g. ``campaign``.
        name_ja: title in Japanese.
        name_en: title in English.
        recipient_kinds: kinds of recipients that get it.
        rule_set: name of the rule set.
        periods: ``day``, ``week``, ``month``.
        universe: the universe its tables share.
        key: the dimension without a margin.
        families: names of families, in order.
        tables: in order.
        week_cube: the cube of the people of a week; None where the report has no weeks.
        month_cube: the same of a calendar month.
        frequency: the table of people by how often they saw a key; None where the report has none.
        has_reach: whether its weeks and months tell how many people were reached.
    """

    name: str
    name_ja: str
    name_en: str
    recipient_kinds: tuple[str, ...]
    rule_set: str
    periods: tuple[str, ...]
    universe: str
    key: str
    families: tuple[str, ...]
    tables: tuple[TableSpec, ...]
    week_cube: str | None = None
    month_cube: str | None = None
    frequency: FrequencySpec | None = None
    has_reach: bool = False
