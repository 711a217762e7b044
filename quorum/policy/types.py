"""Frozen types for the officer's files: purposes, categories of data, roles, and the policy as a whole.

What belongs here: what the law of the house consists of. What does not: what is published (`quorum.policy.published`),
reading files (`quorum.policy.load`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from quorum.policy.clauses import Clause
from quorum.policy.decisions import Decision
from quorum.policy.published import (
    Category,
    DimensionSpec,
    FamilySpec,
    FrequencySpec,
    ReportSpec,
    RuleSet,
    TableSpec,
    WhoCounts,
)
from quorum.policy.sensitive import Matter
from quorum.policy.targets import Target

__all__ = [
    "Actor",
    "Category",
    "Contact",
    "DataCategory",
    "DimensionSpec",
    "FamilySpec",
    "FrequencySpec",
    "Policy",
    "Purpose",
    "Registration",
    "ReportSpec",
    "Role",
    "RuleSet",
    "Scope",
    "TableSpec",
    "ThirdParty",
    "WhoCounts",
]


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
        fideslang: the data use in the fideslang taxonomy, or our own under one of its keys.
    """

    code: str
    name_ja: str
    name_en: str
    uses: tuple[str, ...]
    touches: tuple[str, ...]
    effective_at: datetime
    uses_from: Mapping[str, datetime]
    fideslang: str

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
        name_ja: name in Japanese, as a notice says it.
        name_en: name in English.
    """

    code: str
    stops: tuple[str, ...]
    provides: tuple[str, ...]
    name_ja: str
    name_en: str


@dataclass(frozen=True)
class Role:
    """What somebody may read personal data for (clause S-01).

    Args:
        name: e.g. ``desk``.
        purposes: the purposes granted; INFRA is the pipeline itself.
        acts: other acts granted: ``erase``, ``correct``, ``disclose``, ``retention``,
            ``recall``, ``case``, ``keys``, ``worst``.
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
        fideslang: the data category in the fideslang taxonomy, or our own under one of its keys.
        is_sensitive: whether it is about a matter that needs special care.
    """

    code: str
    klass: str
    ja: str
    en: str
    zones: tuple[str, ...]
    fideslang: str
    is_sensitive: bool


@dataclass(frozen=True)
class Registration:
    """What is asked for at registration (clause C-05).

    Args:
        named: categories that the policy names as collected.
        extras: categories that are collected and used, and that the policy does not name as collected.
    """

    named: tuple[str, ...]
    extras: tuple[str, ...]


@dataclass(frozen=True)
class ThirdParty:
    """Whose tag may send something from the portal's pages (clause K-02).

    Args:
        host: where it sends it.
        name_ja: who it is, in Japanese.
        name_en: who it is, in English.
        purpose_ja: what for, in Japanese.
        purpose_en: what for, in English.
        items: categories that are sent.
        opt_out_url: where a person can stop it.
    """

    host: str
    name_ja: str
    name_en: str
    purpose_ja: str
    purpose_en: str
    items: tuple[str, ...]
    opt_out_url: str


@dataclass(frozen=True)
class Contact:
    """Where questions go (clause Q-01).

    Args:
        ja: the office, in Japanese.
        en: the office, in English.
        email: an address.
        url: a page.
    """

    ja: str
    en: str
    email: str
    url: str


@dataclass(frozen=True)
class Policy:
    """Everything in ``policy/``, frozen.

    Args:
        version: of the privacy policy.
        digest: SHA-256, hex, over all files of the folder but ``recipients.yaml``: where a package goes is not in it.
        effective_on: civil date in Asia/Tokyo from which this version holds.
        effective_at: the instant at which that day begins, in UTC without a zone.
        attr: the list ATTR, as the policy has it.
        purposes: code to purpose.
        scopes: code to scope of choices.
        roles: name to role.
        actors: login to the name of its role.
        unlisted_role: role of a login that is not listed.
        columns: code to data category.
        rule_sets: name to rule set.
        contribution: kind of event to the most of one person, campaign and day that count as theirs (rule 4).
        clipped_classes: boundaries between the classes in which the clipped share is told, in percent.
        who_counts: who counts in head counts (rule 5).
        dimensions: name to dimension.
        families: name to family.
        reports: name to report.
        categories: key set to its categories, in order.
        postal_prefixes: (prefix, prefecture); the longest prefix wins.
        limits: name to number, of ``categories.yaml``.
        retention_days: zone to days.
        recipients: recipient to the target of its packages; those with a folder alone are not in it.
        folder: where it was read from; files that one area alone reads (segments, surveys) lie there too, and are in
            the digest.
    """

    version: int
    digest: str
    effective_on: date
    effective_at: datetime
    attr: tuple[str, ...]
    purposes: Mapping[str, Purpose]
    scopes: Mapping[str, Scope]
    roles: Mapping[str, Role]
    actors: Mapping[str, str]
    unlisted_role: str
    columns: Mapping[str, DataCategory]
    rule_sets: Mapping[str, RuleSet]
    contribution: Mapping[str, int]
    clipped_classes: tuple[int, ...]
    who_counts: WhoCounts
    dimensions: Mapping[str, DimensionSpec]
    families: Mapping[str, FamilySpec]
    reports: Mapping[str, ReportSpec]
    categories: Mapping[str, tuple[Category, ...]]
    postal_prefixes: tuple[tuple[str, str], ...]
    limits: Mapping[str, int]
    retention_days: Mapping[str, int]
    recipients: Mapping[str, Target]
    clauses: Mapping[str, Clause]
    decisions: tuple[Decision, ...]
    matters: tuple[Matter, ...]
    registration: Registration
    third_parties: tuple[ThirdParty, ...]
    contact: Contact
    folder: Path

    def label(self, key_set: str, key: str, language: str) -> str:
        """Return the label of a category in ``ja`` or ``en``; the key itself if the set does not list it."""
        for category in self.categories.get(key_set, ()):
            if category.key == key:
                return category.ja if language == "ja" else category.en
        return key
