"""Who sees, clicks and buys: the advertisement events of a day as arrays.

What belongs here: frequency and response. What does not: whom a campaign reaches (`audience`), and files (`ad_files`).
A person who is reached sees about two impressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from quorum.sample import society
from quorum.sample.agents import AGENTS
from quorum.sample.audience import CERTAIN, Audience, impressions_in, reached
from quorum.sample.catalogue import PLACEMENT_WEIGHTS
from quorum.sample.draw import Flags, Index, Ints, Small, slots, spread, stream
from quorum.sample.people import GENDER_N
from quorum.sample.text import DAY_MS

IMPRESSION, CLICK, CONVERSION = 0, 1, 2
VALUES_YEN = (980, 1480, 1980, 2480, 2980, 3980, 4980, 5980, 7980, 9800, 12800, 15800, 19800, 29800, 49800)
NO_VALUE = len(VALUES_YEN)

_HOUR_MS = 3_600_000
_FREQUENCY = spread([[46, 28, 13, 7, 4, 2]])[0]
_HOUR_OF = spread(society.HOURS)
_PLACEMENT_OF = spread(PLACEMENT_WEIGHTS)
_DEVICE_LIFT = np.array([80, 108, 125], dtype=np.int64)
_HOUR_LIFT = np.array([70] * 6 + [90] * 6 + [100] * 6 + [115] * 6, dtype=np.int64)
_CONVERSION_PERCENT = {"cpm": 2, "cpc": 5, "cpa": 11}


@dataclass(frozen=True)
class AdDay:
    """The events of a day, one element each, in order of time.

    Args:
        campaign: number of the campaign.
        creative: number of the creative within the campaign.
        placement: number in `catalogue.PLACEMENTS`.
        cookie: number of the cookie.
        ms: since the midnight (Asia/Tokyo) that begins the day; a few lie outside it.
        kind: impression, click or conversion.
        value: number in `VALUES_YEN`, or `NO_VALUE`.
    """

    campaign: Index
    creative: Small
    placement: Small
    cookie: Index
    ms: Ints
    kind: Small
    value: Small

    def __len__(self) -> int:
        return len(self.ms)

    def take(self, rows: npt.NDArray[np.integer] | Flags) -> AdDay:
        """Return some of the events."""
        return AdDay(*(getattr(self, name)[rows] for name in AdDay.__dataclass_fields__))


def make_ad_day(audience: Audience, day: date, present: Index, events: int, ctr: float, seed: int) -> AdDay:
    """Return about `events` events of a day.

    Args:
        audience: from `make_audience`.
        day: civil date in Asia/Tokyo.
        present: the persons of the day, shuffled.
        events: impressions, clicks and conversions wanted.
        ctr: clicks per impression.
        seed: of the sample.
    """
    rng = stream(seed, "ads", day.toordinal())
    person, campaign = reached(audience, day, present, impressions_in(events, ctr) // 2, rng)
    repeats = _FREQUENCY[slots(rng, len(person))].astype(np.int64) + 1
    shown = _shown(audience, np.repeat(person, repeats), np.repeat(campaign, repeats), rng)
    clicked = _clicked(audience, shown, rng)
    bought = _bought(audience, clicked, rng)
    whole = AdDay(
        *(
            np.concatenate([getattr(part, name) for part in (shown, clicked, bought)])
            for name in AdDay.__dataclass_fields__
        )
    )
    return whole.take(np.argsort(whole.ms, kind="stable"))


def _shown(audience: Audience, person: Index, campaign: Index, rng: np.random.Generator) -> AdDay:
    people, n = audience.people, len(person)
    cookie = people.first_cookie[person] + rng.integers(0, 12, n, dtype=np.int32) % people.cookie_n[person]
    age_band = audience.segment[person] // GENDER_N
    hour = _HOUR_OF[age_band, slots(rng, n)].astype(np.int64)
    ms = hour * _HOUR_MS + rng.integers(0, _HOUR_MS, n, dtype=np.int64)
    luck = rng.integers(0, 1000, n, dtype=np.int16)
    ms = np.where(luck < 3, -(ms % 1_200_000) - 1, ms)  # handed in after midnight
    ms = np.where(luck == 3, DAY_MS + ms % 600_000, ms)  # a clock that is fast
    rows = np.array([each.placements for each in audience.campaigns])[campaign]
    creative_n = np.array([len(each.creatives) for each in audience.campaigns], dtype=np.uint8)[campaign]
    return AdDay(
        campaign=campaign,
        creative=(rng.integers(0, 12, n, dtype=np.uint8) % creative_n).astype(np.uint8),
        placement=_PLACEMENT_OF[rows, slots(rng, n)],
        cookie=cookie.astype(np.int32),
        ms=ms,
        kind=np.full(n, IMPRESSION, dtype=np.uint8),
        value=np.full(n, NO_VALUE, dtype=np.uint8),
    )


def _clicked(audience: Audience, shown: AdDay, rng: np.random.Generator) -> AdDay:
    devices = np.array([device for _, device, _ in AGENTS], dtype=np.uint8)
    base = audience.clicks[shown.campaign, audience.segment[audience.people.owner[shown.cookie]]]
    lift = _DEVICE_LIFT[devices[audience.people.agent[shown.cookie]]] * _HOUR_LIFT[shown.ms // _HOUR_MS % 24]
    chance = np.where(base == CERTAIN, CERTAIN, base * lift // 10_000)
    clicked = shown.take(rng.integers(0, CERTAIN, len(shown), dtype=np.int64) < chance)
    return _later(clicked, CLICK, rng.integers(800, 90_000, len(clicked), dtype=np.int64), clicked.value)


def _bought(audience: Audience, clicked: AdDay, rng: np.random.Generator) -> AdDay:
    percent = np.array([_CONVERSION_PERCENT[each.price_model] for each in audience.campaigns], dtype=np.uint8)
    bought = clicked.take(rng.integers(0, 100, len(clicked), dtype=np.uint8) < percent[clicked.campaign])
    value = ((bought.campaign + rng.integers(0, 4, len(bought))) % NO_VALUE).astype(np.uint8)
    return _later(bought, CONVERSION, rng.integers(60_000, 2_400_000, len(bought), dtype=np.int64), value)


def _later(events: AdDay, kind: int, delay: Ints, value: Small) -> AdDay:
    return AdDay(
        campaign=events.campaign,
        creative=events.creative,
        placement=events.placement,
        cookie=events.cookie,
        ms=events.ms + delay,
        kind=np.full(len(events), kind, dtype=np.uint8),
        value=value,
    )
