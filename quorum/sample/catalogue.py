"""The public catalogue: recipients, campaigns with their targeting, creatives, sections and hosts.

What belongs here: what advertisers booked and how the site is divided. What does not: who sees what (`ads`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from quorum.errors import UsageError
from quorum.sample.draw import stream

HOSTS = ("portal.example.jp", "www.portal.example.jp", "m.portal.example.jp", "shopping.portal.example.jp")
PLACEMENTS = ("top", "sidebar", "article", "search", "video", "mail")
PLACEMENT_WEIGHTS = ((30, 20, 25, 15, 6, 4), (10, 10, 60, 10, 5, 5), (15, 10, 20, 10, 40, 5), (15, 25, 15, 40, 2, 3))
SECTIONS = (
    ("/news/", "news", "provider-01", "ニュース", "News"),
    ("/news/local/", "local-news", "provider-01", "地域ニュース", "Local news"),
    ("/weather/", "weather", "provider-01", "天気・災害", "Weather"),
    ("/finance/", "finance", "provider-02", "ファイナンス", "Finance"),
    ("/sports/", "sports", "provider-02", "スポーツ", "Sports"),
    ("/shopping/", "shopping", "site", "ショッピング", "Shopping"),
    ("/auctions/", "auctions", "site", "オークション", "Auctions"),
    ("/mail/", "mail", "site", "メール", "Mail"),
    ("/travel/", "travel", "site", "トラベル", "Travel"),
    ("/recipes/", "recipes", "site", "レシピ", "Recipes"),
    ("/tv/", "tv", "site", "テレビ番組表", "TV guide"),
    ("/transit/", "transit", "site", "乗換案内", "Transit"),
)
_OTHERS = (
    ("provider-01", "information_provider", "あさぎり新聞社", "Asagiri Newspaper"),
    ("provider-02", "information_provider", "しののめ経済情報", "Shinonome Business Information"),
    ("service-01", "service_provider", "はやぶさ決済サービス", "Hayabusa Payment Services"),
    ("site", "site", "みちびきポータル", "Michibiki Portal"),
)
_NAMES = (
    ("青空", "Aozora"),
    ("ひかり", "Hikari"),
    ("つばめ", "Tsubame"),
    ("みどり", "Midori"),
    ("ほしぞら", "Hoshizora"),
)
_TRADES = (
    ("食品", "Foods", ("冬の鍋つゆ", "Winter hotpot")),
    ("自動車", "Motors", ("新型コンパクトカー試乗会", "Compact car test drive")),
    ("化粧品", "Cosmetics", ("保湿美容液", "Moisturising serum")),
    ("旅行", "Travel", ("年末年始の温泉旅行", "New Year hot springs")),
    ("保険", "Insurance", ("医療保険の見直し", "Health insurance review")),
    ("住宅", "Homes", ("住宅展示場フェア", "Model home fair")),
    ("通信", "Mobile", ("乗り換え割引", "Switch and save")),
)
_OFFERS = (
    ("", ""),
    ("・第2弾", ", part two"),
    ("・会員限定", ", members only"),
    ("・秋の大感謝祭", ", autumn sale"),
    ("・早割", ", early bird"),
)
_MODELS = ("cpc", "cpa", "cpc", "cpm", "cpc", "cpm", "cpa", "cpm", "cpm", "cpc")
_PRICES = {"cpm": (400_000, 900_000), "cpc": (30_000_000, 90_000_000), "cpa": (800_000_000, 3_000_000_000)}
_CLICK_FACTORS = {"cpm": 20, "cpc": 130, "cpa": 120}  # hundredths of the mean: who pays by the click gets clicks
_ZIPF_SCALE = 10**12
_TRIAL = 8  # every tenth campaign is a trial, an eighth as large as its rank says
# Targets, as key sets; every third campaign or so is aimed at somebody.
_TARGETS: tuple[tuple[str, str, str, str], ...] = (
    ("20s;30s", "", "", ""),
    ("", "female", "", ""),
    ("", "", "tokyo;kanagawa;saitama;chiba", ""),
    ("40s;50s;60s", "male", "", ""),
    ("", "", "osaka;kyoto;hyogo;nara", ""),
    ("30s;40s", "female", "", ""),
    ("60s;70+", "", "", ""),
    ("", "", "", "professional;management;clerical"),
    ("u20;20s", "", "", ""),
    ("", "", "", "homemaker;other"),
)


@dataclass(frozen=True)
class Campaign:
    """A campaign as booked.

    Args:
        number: from 0, by size: the first is the largest.
        weight: impressions in proportion to it (Zipf, s = 1).
        click_factor: hundredths of the portal's mean click rate.
        targets: age bands, genders, prefectures and occupations, each a list split by ``;`` or empty.
        creatives: ids.
        placements: number of its row in `PLACEMENT_WEIGHTS`.
    """

    number: int
    campaign_id: str
    recipient_id: str
    name_ja: str
    name_en: str
    starts_on: date
    ends_on: date
    price_model: str
    price_micros: int
    weight: int
    click_factor: int
    targets: tuple[str, str, str, str]
    creatives: tuple[str, ...]
    placements: int

    def runs(self, day: date) -> bool:
        """Say whether it is shown on a day."""
        return self.starts_on <= day <= self.ends_on

    def wants(self, what: int, keys: tuple[str, ...]) -> list[bool]:
        """Say for each key of a set whether the targeting takes it; `what` is its place in `targets`."""
        listed = self.targets[what].split(";") if self.targets[what] else keys
        return [key in listed for key in keys]


@dataclass(frozen=True)
class Recipient:
    """Who receives reports."""

    recipient_id: str
    kind: str
    name_ja: str
    name_en: str


def make_recipients(recipients: int) -> list[Recipient]:
    """Return the recipients: two information providers, one service provider, the site itself, and else advertisers.

    Raises:
        UsageError: fewer than five, so that no advertiser would be left.
    """
    advertisers = recipients - len(_OTHERS)
    if advertisers < 1:
        raise UsageError("sample.recipients", f"{recipients} recipients", "5 or more", "raise --recipients")
    made = []
    for number in range(advertisers):
        (name_ja, name_en), (trade_ja, trade_en, _) = _NAMES[number % len(_NAMES)], _TRADES[number % len(_TRADES)]
        turn = number // (len(_NAMES) * len(_TRADES))
        suffix = f" {turn + 1}" if turn else ""
        made.append(
            Recipient(
                f"adv-{number + 1:02}", "advertiser", f"{name_ja}{trade_ja}{suffix}", f"{name_en} {trade_en}{suffix}"
            )
        )
    return made + [Recipient(*other) for other in _OTHERS]


def make_campaigns(campaigns: int, recipients: list[Recipient], first: date, last: date, seed: int) -> list[Campaign]:
    """Return the campaigns, largest first; some begin or end within the days, the three largest run throughout."""
    advertisers = [each for each in recipients if each.kind == "advertiser"]
    rng = stream(seed, "campaigns")
    return [_campaign(number, advertisers, first, last, rng) for number in range(campaigns)]


def _campaign(number: int, advertisers: list[Recipient], first: date, last: date, rng: np.random.Generator) -> Campaign:
    campaign_id = f"c{number + 1:03}"
    owner_number = number % len(advertisers)
    owner = advertisers[owner_number]
    _, _, (product_ja, product_en) = _TRADES[owner_number % len(_TRADES)]
    offer_ja, offer_en = _OFFERS[number // len(advertisers) % len(_OFFERS)]
    model = _MODELS[number % len(_MODELS)]
    low, high = _PRICES[model]
    starts_on, ends_on = _flight(number, first, last, rng)
    aimed = number >= 3 and number % 3 == 1
    return Campaign(
        number=number,
        campaign_id=campaign_id,
        recipient_id=owner.recipient_id,
        name_ja=f"{product_ja}{offer_ja}",
        name_en=f"{product_en}{offer_en}",
        starts_on=starts_on,
        ends_on=ends_on,
        price_model=model,
        price_micros=int(rng.integers(low // 1000, high // 1000)) * 1000,
        weight=_ZIPF_SCALE // (number + 1) // (_TRIAL if number % 10 == 9 else 1),
        click_factor=_CLICK_FACTORS[model] + int(rng.integers(0, 30)),
        targets=_TARGETS[number // 3 % len(_TARGETS)] if aimed else ("", "", "", ""),
        creatives=tuple(f"{campaign_id}-{letter}" for letter in "abcd"[: 2 + number % 3]),
        placements=int(rng.integers(0, len(PLACEMENT_WEIGHTS))),
    )


def _flight(number: int, first: date, last: date, rng: np.random.Generator) -> tuple[date, date]:
    """Most campaigns run before and after the days of the sample; one of eleven begins, one of eleven ends within."""
    days = (last - first).days
    starts_on = first - timedelta(days=int(rng.integers(3, 40)))
    ends_on = last + timedelta(days=int(rng.integers(3, 40)))
    inside = timedelta(days=int(rng.integers(0, days + 1)))
    if number % 11 == 7:
        starts_on = first + inside
    if number % 11 == 9:
        ends_on = first + inside
    return starts_on, ends_on
