"""Who sees, clicks and buys: the advertisement events of a day as arrays.

What belongs here: reach, frequency and response. What does not: files (`ad_files`). Campaign sizes follow Zipf's law
until everybody who can be reached has been; a person who is reached sees about two impressions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from quorum.sample import society
from quorum.sample.agents import AGENTS
from quorum.sample.catalogue import PLACEMENT_WEIGHTS, Campaign
from quorum.sample.draw import Flags, Index, Ints, Small, slots, spread, stream
from quorum.sample.people import (
    GENDER_N,
    STRANGER_SEGMENT,
    UNKNOWN_AGE,
    UNKNOWN_GENDER,
    UNKNOWN_OCCUPATION,
    UNKNOWN_PREFECTURE,
    People,
)
from quorum.sample.text import DAY_MS

IMPRESSION, CLICK, CONVERSION = 0, 1, 2
VALUES_YEN = (980, 1480, 1980, 2480, 2980, 3980, 4980, 5980, 7980, 9800, 12800, 15800, 19800, 29800, 49800)
NO_VALUE = len(VALUES_YEN)

_HOUR_MS = 3_600_000
_ONE = 1 << 16
_CERTAIN = 1 << 32
_STRANGER = _ONE // 8  # who has not logged in is seldom taken to be of the audience,
_STRANGER_AIMED = _ONE // 24  # all the more seldom where an audience was ordered
_FREQUENCY = spread([[46, 28, 13, 7, 4, 2]])[0]
_HOUR_OF = spread(society.HOURS)
_PLACEMENT_OF = spread(PLACEMENT_WEIGHTS)
_LIFTS = (40, 70, 90, 100, 120, 180)  # hundredths: some groups like an advertisement, others do not
_DEVICE_LIFT = np.array([80, 108, 125], dtype=np.int64)
_HOUR_LIFT = np.array([70] * 6 + [90] * 6 + [100] * 6 + [115] * 6, dtype=np.int64)
_CONVERSION_PERCENT = {"cpm": 2, "cpc": 5, "cpa": 11}
_PROBE = 8192


@dataclass(frozen=True)
class Audience:
    """What is the same on every day: who may be shown what, and how likely a click is.

    Args:
        segment: per person, age band and gender in one number.
        prefecture: per person.
        occupation: per person.
        accepts: per campaign and segment, of 65,536 how many are shown it.
        areas: per campaign and prefecture, whether it is aimed there.
        trades: per campaign and occupation, likewise.
        clicks: per campaign and segment, of 2^32 impressions how many are clicked; 2^32 itself is certain.
    """

    people: People
    campaigns: tuple[Campaign, ...]
    segment: Small
    prefecture: Small
    occupation: Small
    accepts: npt.NDArray[np.int32]
    areas: Flags
    trades: Flags
    clicks: Ints


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


def make_audience(
    people: People, campaigns: list[Campaign], ctr: float, seed: int, certain: tuple[tuple[int, int], ...] = ()
) -> Audience:
    """Prepare what is the same on every day.

    Args:
        people: everybody.
        campaigns: all campaigns, largest first.
        ctr: the portal's clicks per impression.
        seed: of the sample.
        certain: pairs of campaign number and segment in which everybody clicks (a trap).
    """
    rng = stream(seed, "lifts")
    segments = (UNKNOWN_AGE + 1) * GENDER_N
    accepts = np.zeros((len(campaigns), segments), dtype=np.int32)
    lifts = np.array(_LIFTS)[rng.integers(0, len(_LIFTS), (len(campaigns), segments))]
    mean = sum(c.weight * c.click_factor for c in campaigns) // sum(c.weight for c in campaigns)
    clicks = np.zeros((len(campaigns), segments), dtype=np.int64)
    for row, campaign in enumerate(campaigns):
        wanted = np.outer(campaign.wants(0, society.AGE_BANDS), campaign.wants(1, society.GENDERS)).ravel()
        accepts[row] = wanted * _ONE
        accepts[row, STRANGER_SEGMENT] = _STRANGER_AIMED if any(campaign.targets) else _STRANGER
        clicks[row] = lifts[row] * int(ctr * campaign.click_factor / mean * _CERTAIN) // 100
    for row, segment in certain:
        clicks[row, segment] = _CERTAIN
    return Audience(
        people=people,
        campaigns=tuple(campaigns),
        segment=(
            people.attribute(people.age_band, UNKNOWN_AGE) * GENDER_N + people.attribute(people.gender, UNKNOWN_GENDER)
        ).astype(np.uint8),
        prefecture=people.attribute(people.prefecture, UNKNOWN_PREFECTURE),
        occupation=people.attribute(people.occupation, UNKNOWN_OCCUPATION),
        accepts=accepts,
        areas=_masks(campaigns, 2, society.PREFECTURES),
        trades=_masks(campaigns, 3, society.OCCUPATIONS),
        clicks=clicks,
    )


def _masks(campaigns: list[Campaign], what: int, keys: tuple[str, ...]) -> Flags:
    """Say per campaign and key whether it is wanted; `unknown` always passes, the segment decides about strangers."""
    return np.array([[*each.wants(what, keys)[:-1], True] for each in campaigns], dtype=np.bool_)


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
    impressions = int(events / (1 + ctr * 1.05))
    person, campaign = _reached(audience, day, present, impressions // 2, rng)
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


def _reached(
    audience: Audience, day: date, present: Index, pairs: int, rng: np.random.Generator
) -> tuple[Index, Index]:
    """Choose who is shown which campaign: each person at most once per campaign."""
    running = [campaign.number for campaign in audience.campaigns if campaign.runs(day)]
    probe = present[:_PROBE]
    rates = {
        number: _chances(audience, number, probe).sum(dtype=np.int64) / (_ONE * max(1, len(probe)))
        for number in running
    }
    wanted = _sizes(audience, running, {n: int(rates[n] * len(present) * 0.96) for n in running}, pairs)
    persons, campaigns = [], []
    for number in running:
        chosen = _walk(audience, number, present, wanted[number], rates[number], rng)
        persons.append(chosen)
        campaigns.append(np.full(len(chosen), number, dtype=np.int32))
    return np.concatenate(persons), np.concatenate(campaigns)


def _sizes(audience: Audience, running: list[int], reachable: dict[int, int], pairs: int) -> dict[int, int]:
    """Share `pairs` out by weight; what a campaign cannot place among those it can reach goes to the others."""
    sizes: dict[int, int] = {}
    left = list(running)
    while left:
        whole = sum(audience.campaigns[number].weight for number in left)
        room = pairs - sum(sizes.values())
        full = [n for n in left if room * audience.campaigns[n].weight // whole >= reachable[n]]
        for number in full or left:
            sizes[number] = reachable[number] if full else max(1, room * audience.campaigns[number].weight // whole)
        left = [number for number in left if number not in sizes]
    return sizes


def _chances(audience: Audience, number: int, persons: Index) -> npt.NDArray[np.int32]:
    """Of 65,536, how often each person is shown a campaign when it comes to them."""
    wanted = (
        audience.areas[number][audience.prefecture[persons]] & audience.trades[number][audience.occupation[persons]]
    )
    chances: npt.NDArray[np.int32] = audience.accepts[number][audience.segment[persons]] * wanted
    return chances


def _walk(audience: Audience, number: int, present: Index, wanted: int, rate: float, rng: np.random.Generator) -> Index:
    """Go through the persons of the day from a place and with a step of the campaign's own until enough are found."""
    size = len(present)
    start, step = int(rng.integers(0, size)), _coprime(int(rng.integers(1, size + 1)), size)
    found: list[Index] = []
    done = have = 0
    while have < wanted and done < size:
        block = min(size - done, int((wanted - have) / max(rate, 0.001) * 1.1) + 64)
        candidates = present[(start + step * np.arange(done, done + block, dtype=np.int64)) % size]
        luck = rng.integers(0, _ONE, block, dtype=np.int32)
        accepted = candidates[luck < _chances(audience, number, candidates)]
        found.append(accepted)
        have += len(accepted)
        done += block
    return np.concatenate(found)[:wanted] if found else np.empty(0, dtype=np.int32)


def _coprime(step: int, size: int) -> int:
    while np.gcd(step, size) != 1:
        step += 1
    return step


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
    chance = np.where(base == _CERTAIN, _CERTAIN, base * lift // 10_000)
    clicked = shown.take(rng.integers(0, _CERTAIN, len(shown), dtype=np.int64) < chance)
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
