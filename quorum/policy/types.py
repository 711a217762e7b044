"""Frozen types for the files of ``policy/``.

What belongs here: what a rule set, a report or a category is, with the floors that no file can go below. What does not:
reading files (`quorum.policy.load`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from quorum.errors import ConfigurationError

FLOOR_HEADS = 10
FLOOR_OUTSIDE = 10
FLOOR_P_PERCENT = 5
CEILING_DOMINANCE_PERCENT = 95
CEILING_SINGLE_SHARE_PERCENT = 60


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
class Purpose:
    """One of the purposes of use, or INFRA.

    Args:
        code: e.g. ``P-03``.
        name_ja: name in Japanese.
        name_en: name in English.
        uses: categories that its output may hold and that may decide about rows (ATTR expanded).
        touches: categories that may decide about rows (join, filter, order) but never get into its output.
        effective_at: instant in UTC, without a zone; what was collected before is not used for it.
        uses_from: category to the instant from which it may be used, where it was added to the purpose later.
    """

    code: str
    name_ja: str
    name_en: str
    uses: tuple[str, ...]
    touches: tuple[str, ...]
    effective_at: datetime
    uses_from: Mapping[str, datetime]

    def collected_from(self, categories: Iterable[str]) -> datetime:
        """Return the instant from which rows may have been collected, to be read for this purpose.

        Args:
            categories: the categories that are read of the row.
        """
        return max([self.effective_at, *(self.uses_from[c] for c in categories if c in self.uses_from)])


@dataclass(frozen=True)
class Scope:
    """What a choice of a person can be about.

    Args:
        code: as it lands, e.g. ``ads``.
        stops: purposes for which an opt-out or a withdrawal takes the person out.
        provides: categories that a consent lets the named recipient have (clause D-03).
    """

    code: str
    stops: tuple[str, ...]
    provides: tuple[str, ...]


@dataclass(frozen=True)
class Role:
    """What somebody may read personal data for (clause S-01).

    Args:
        name: e.g. ``desk``.
        purposes: the purposes granted; INFRA is the pipeline itself.
        acts: other acts granted: ``erase``, ``correct``, ``disclose``, ``retention``, ``case``, ``keys``.
    """

    name: str
    purposes: tuple[str, ...]
    acts: tuple[str, ...]


@dataclass(frozen=True)
class Actor:
    """Who does something, in which role.

    Args:
        name: the login, or ``scheduler``.
        role: name of a role.
    """

    name: str
    role: str


@dataclass(frozen=True)
class DataCategory:
    """A data category of ``columns.yaml``.

    Args:
        code: e.g. ``ZIP``.
        klass: identifier, pseudonym, restricted, choice, attribute, fact or statistic.
        ja: name in Japanese.
        en: name in English.
        zones: names of the zones it may enter.
    """

    code: str
    klass: str
    ja: str
    en: str
    zones: tuple[str, ...]


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
        rest: the cube's column of people of the cell outside the family, or None.
        requires: the family that must be published in the same cell, or None.
    """

    name: str
    count: str
    heads: str
    rest: str | None = None
    requires: str | None = None


@dataclass(frozen=True)
class TableSpec:
    """A table of a report.

    Args:
        name: the resource's name in the package.
        cube: the cube it comes from.
        dimensions: names of dimensions, in order.
    """

    name: str
    cube: str
    dimensions: tuple[str, ...]


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


@dataclass(frozen=True)
class Policy:
    """Everything in ``policy/``, frozen.

    Args:
        version: of the privacy policy.
        digest: SHA-256, hex, over all files of the folder.
        effective_at: instant in UTC, without a zone, from which this version holds.
        purposes: code to purpose.
        scopes: code to scope of choices.
        roles: name to role.
        actors: login to the name of its role.
        unlisted_role: role of a login that is not listed.
        columns: code to data category.
        rule_sets: name to rule set.
        dimensions: name to dimension.
        families: name to family.
        reports: name to report.
        categories: key set to its categories, in order.
        postal_prefixes: (prefix, prefecture); the longest prefix wins.
        limits: name to number, of ``categories.yaml``.
        retention_days: zone to days.
        recipients: recipient to delivery settings.
        folder: where it was read from; files that one area alone reads (segments, surveys) lie there too, and are in
            the digest.
    """

    version: int
    digest: str
    effective_at: datetime
    purposes: Mapping[str, Purpose]
    scopes: Mapping[str, Scope]
    roles: Mapping[str, Role]
    actors: Mapping[str, str]
    unlisted_role: str
    columns: Mapping[str, DataCategory]
    rule_sets: Mapping[str, RuleSet]
    dimensions: Mapping[str, DimensionSpec]
    families: Mapping[str, FamilySpec]
    reports: Mapping[str, ReportSpec]
    categories: Mapping[str, tuple[Category, ...]]
    postal_prefixes: tuple[tuple[str, str], ...]
    limits: Mapping[str, int]
    retention_days: Mapping[str, int]
    recipients: Mapping[str, Mapping[str, object]]
    folder: Path

    def label(self, key_set: str, key: str, language: str) -> str:
        """Return the label of a category in ``ja`` or ``en``; the key itself if the set does not list it."""
        for category in self.categories.get(key_set, ()):
            if category.key == key:
                return category.ja if language == "ja" else category.en
        return key
