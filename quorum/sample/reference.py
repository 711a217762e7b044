"""The files of `reference/`: the catalogue as csv, landed on the first day and once more when it has changed.

What belongs here: the landing format of the catalogue. What does not: what it says (`catalogue`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from quorum.sample.catalogue import HOSTS, SECTIONS, Campaign, Recipient
from quorum.sample.files import write_csv

_CAMPAIGN_FIELDS = (
    *("campaign_id", "recipient_id", "name_ja", "name_en", "starts_on", "ends_on", "booked_impressions"),
    *("price_model", "price_micros", "target_age_bands", "target_genders", "target_prefectures", "target_occupations"),
)


def write_reference(
    folder: Path, recipients: Sequence[Recipient], campaigns: Sequence[Campaign], impressions: Sequence[int]
) -> None:
    """Write the whole catalogue.

    Args:
        folder: ``landing/<date>/reference``.
        recipients: all.
        campaigns: those booked by then.
        impressions: expected a day, by number of the campaign; bookings are up to a fifth higher or lower.
    """
    write_csv(
        folder / "recipients.csv",
        ("recipient_id", "kind", "name_ja", "name_en"),
        [(each.recipient_id, each.kind, each.name_ja, each.name_en) for each in recipients],
    )
    write_csv(
        folder / "campaigns.csv",
        _CAMPAIGN_FIELDS,
        [_campaign_row(each, impressions[each.number]) for each in campaigns],
    )
    write_csv(
        folder / "creatives.csv",
        ("creative_id", "campaign_id", "name"),
        [
            (creative, each.campaign_id, f"{each.name_ja} {creative[-1].upper()}案")
            for each in campaigns
            for creative in each.creatives
        ],
    )
    write_csv(folder / "first_party_hosts.csv", ("host",), [(host,) for host in HOSTS])
    write_csv(folder / "sections.csv", ("path_prefix", "section_id", "recipient_id", "name_ja", "name_en"), SECTIONS)


def _campaign_row(each: Campaign, per_day: int) -> tuple[str | int | date, ...]:
    days = (each.ends_on - each.starts_on).days + 1
    booked = max(1000, per_day * days * (80 + each.number * 17 % 41) // 100 // 1000 * 1000)
    head = (each.campaign_id, each.recipient_id, each.name_ja, each.name_en, each.starts_on, each.ends_on)
    return (*head, booked, each.price_model, each.price_micros, *each.targets)
