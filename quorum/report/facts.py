"""Public facts that a page shows beside released numbers: names, flights, prices, and the order in which things stand.

What belongs here: what reference data and policy say of a package. What does not: any number that was counted.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

from quorum.disclosure.clipping import ClippedShare
from quorum.policy import Policy, ReportSpec, RuleSet
from quorum.release.shapes import KEYS_OF_POLICY
from quorum.report.earlier import Earlier
from quorum.tables import PackageShape

if TYPE_CHECKING:
    import pyarrow as pa

LANGUAGES = ("ja", "en")
_TARGETS = (
    ("target_age_bands", "age_bands"),
    ("target_genders", "genders"),
    ("target_prefectures", "prefectures"),
    ("target_occupations", "occupations"),
)


@dataclass(frozen=True)
class Booking:
    """What was booked for a campaign.

    Args:
        starts_on: first day.
        ends_on: last day.
        booked_impressions: impressions.
        price_model: ``cpm``, ``cpc`` or ``cpa``.
        price_micros: micro-yen for each event that the model counts.
        targets: key set and its categories, only those that are targeted.
    """

    starts_on: date
    ends_on: date
    booked_impressions: int
    price_model: str
    price_micros: int
    targets: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class KeyFacts:
    """A key of a report: a campaign, or a section.

    Args:
        key: its id.
        names: language to name.
        booking: of a campaign; None for a section.
    """

    key: str
    names: Mapping[str, str]
    booking: Booking | None = None


@dataclass(frozen=True)
class PageFacts:
    """All that a page says besides released numbers.

    Args:
        shape: of the package.
        policy: labels of categories.
        report: title and families.
        rule_set: numbers that the notes name.
        recipient: language to name.
        keys: in the order of the page: booked impressions, largest first, then id.
        creatives: creative to name.
        clipped: what the recipient is told of the last whole month; None if there is none, or nothing to tell.
        breaks: campaigns whose plan is another one than the month before.
        before: what the package of the period before says of whole campaigns; None if there is none.
    """

    shape: PackageShape
    policy: Policy
    report: ReportSpec
    rule_set: RuleSet
    recipient: Mapping[str, str]
    keys: tuple[KeyFacts, ...]
    creatives: Mapping[str, str] = field(default_factory=dict)
    clipped: ClippedShare | None = None
    breaks: Collection[str] = ()
    before: Earlier | None = None


def page_facts(
    policy: Policy,
    references: Mapping[str, pa.Table],
    shape: PackageShape,
    clipped: ClippedShare | None = None,
    breaks: Collection[str] = (),
    before: Earlier | None = None,
) -> PageFacts:
    """Return the public facts of a package.

    Args:
        policy: reports, rule sets, labels.
        references: ``pseudo__campaign``, ``pseudo__creative``, ``pseudo__recipient``, ``pseudo__section``.
        shape: the package.
        clipped: what its recipient is told of the last whole month; None if no month is over yet.
        breaks: campaigns whose plan is another one than the month before.
        before: what the recipient's package of the period before says, from `quorum.report.earlier.read_earlier`.

    Returns:
        The facts; a name that is missing in the reference data is the id.
    """
    report = policy.reports[shape.report]
    recipients = {row["recipient_id"]: row for row in references["pseudo__recipient"].to_pylist()}
    rows = {row[report.key]: row for row in reversed(_named(policy, references, report))}
    own = dict.fromkeys(path[0] for table in shape.tables for path in table.dimensions[0].keys)
    keys = [_key_facts(key, rows.get(key, {}), report) for key in own]
    return PageFacts(
        shape=shape,
        policy=policy,
        report=report,
        rule_set=policy.rule_sets[report.rule_set],
        recipient=_names(recipients.get(shape.recipient_id, {}), shape.recipient_id),
        keys=tuple(sorted(keys, key=lambda key: (-key.booking.booked_impressions if key.booking else 0, key.key))),
        creatives={
            row["creative_id"]: row["name"]
            for row in references["pseudo__creative"].to_pylist()
            if row["campaign_id"] in own and row["name"]
        },
        clipped=clipped,
        breaks=breaks,
        before=before,
    )


def _named(policy: Policy, references: Mapping[str, pa.Table], report: ReportSpec) -> list[dict[str, Any]]:
    """Return the keys of a report with their names: of the reference data, or of the policy's list."""
    if report.key in KEYS_OF_POLICY:
        listed = policy.categories[KEYS_OF_POLICY[report.key]]
        return [{report.key: each.key, "name_ja": each.ja, "name_en": each.en} for each in listed]
    rows: list[dict[str, Any]] = references[
        "pseudo__campaign" if report.key == "campaign_id" else "pseudo__section"
    ].to_pylist()
    return rows


def _key_facts(key: str, row: Mapping[str, Any], report: ReportSpec) -> KeyFacts:
    booking = None
    if report.key == "campaign_id" and row:
        booking = Booking(
            row["starts_on"],
            row["ends_on"],
            row["booked_impressions"] or 0,
            row["price_model"],
            row["price_micros"],
            tuple((name, tuple(row[column].split(";"))) for column, name in _TARGETS if row[column]),
        )
    return KeyFacts(key, _names(row, key), booking)


def _names(row: Mapping[str, Any], fallback: str) -> dict[str, str]:
    return {language: row.get(f"name_{language}") or fallback for language in LANGUAGES}
