"""Real impressions and clicks as what lands: the Open Bandit Data, men's campaign, one cookie a row.

An impression is a row, a click a second event of that row; the item is the creative, the position the placement. What
belongs here: the conversion. What does not: what is expected of it.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

CAMPAIGN, RECIPIENT = "men", "store"

_TOKYO = ZoneInfo("Asia/Tokyo")
_CAMPAIGN_FIELDS = (
    *("campaign_id", "recipient_id", "name_ja", "name_en", "starts_on", "ends_on", "booked_impressions"),
    *("price_model", "price_micros"),
    *("target_age_bands", "target_genders", "target_prefectures", "target_occupations"),
)


def rows(source: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of the file as they are."""
    with source.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def events(source: Path) -> Iterator[dict[str, str]]:
    """Yield the events of ``ads/``: for each row an impression, and a click if it has one."""
    for n, row in enumerate(rows(source)):
        kinds = ("impression", "click") if row["click"] == "1" else ("impression",)
        for kind in kinds:
            yield {
                "event_id": f"{kind}-{n}",
                "ts": row["timestamp"],
                "type": kind,
                "campaign_id": CAMPAIGN,
                "creative_id": row["item_id"],
                "placement": row["position"],
                "cookie_id": f"row-{n}",
            }


def land(source: Path, landing: Path) -> list[date]:
    """Write ``ads/`` by civil date in Asia/Tokyo, and ``reference/`` for the first; return the dates in order."""
    by_date: dict[date, list[str]] = {}
    creatives = dict.fromkeys(row["item_id"] for row in rows(source))
    for event in events(source):
        day = datetime.fromisoformat(event["ts"]).astimezone(_TOKYO).date()
        by_date.setdefault(day, []).append(json.dumps(event))
    for day, lines in by_date.items():
        _write(landing / day.isoformat() / "ads" / "open_bandit.jsonl", lines)
    days = sorted(by_date)
    reference = landing / days[0].isoformat() / "reference"
    booked = sum(len(lines) for lines in by_date.values())
    campaign = (CAMPAIGN, RECIPIENT, "メンズ", "Men", days[0], days[-1], booked, "cpm", 500_000_000, "", "", "", "")
    names = [f"{creative},{CAMPAIGN},item {creative}" for creative in creatives]
    _write(reference / "campaigns.csv", [",".join(_CAMPAIGN_FIELDS), ",".join(map(str, campaign))])
    _write(reference / "creatives.csv", ["creative_id,campaign_id,name", *names])
    _write(reference / "recipients.csv", ["recipient_id,kind,name_ja,name_en", f"{RECIPIENT},advertiser,店,Store"])
    return days


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
