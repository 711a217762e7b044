"""Whom a campaign can reach: targeting, likings, and how far each campaign gets among those who are there.

What belongs here: who may be shown what. What does not: the events that follow (`ads`). Campaign sizes follow
Zipf's law until everybody who can be reached has been.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from quorum.sample import society
from quorum.sample.catalogue import Campaign
from quorum.sample.draw import Flags, Index, Ints, Small, stream
from quorum.sample.people import (
    GENDER_N,
    STRANGER_SEGMENT,
    UNKNOWN_AGE,
    UNKNOWN_GENDER,
    UNKNOWN_OCCUPATION,
    UNKNOWN_PREFECTURE,
    People,
)

CERTAIN = 1 << 32
"""Of 2^32 impressions all are clicked."""
_ONE = 1 << 16
_STRANGER = _ONE // 8  # who has not logged in is seldom taken to be of the audience,
_STRANGER_AIMED = _ONE // 24  # all the more seldom where an audience was ordered
_LIFTS = (40, 70, 90, 100, 120, 180)  # hundredths: some groups like an advertisement, others do not
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
        clicks[row] = lifts[row] * int(ctr * campaign.click_factor / mean * CERTAIN) // 100
    for row, segment in certain:
        clicks[row, segment] = CERTAIN
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


def reached(audience: Audience, day: date, present: Index, pairs: int, rng: np.random.Generator) -> tuple[Index, Index]:
    """Choose who is shown which campaign on a day, each person at most once per campaign.

    Args:
        audience: from `make_audience`.
        day: civil date in Asia/Tokyo; campaigns that do not run then are left out.
        present: the persons of the day, shuffled.
        pairs: how many persons times campaigns are wanted; fewer where there are not people enough.
        rng: where the luck comes from.

    Returns:
        Persons and campaigns, int32, of one length.
    """
    running = [campaign.number for campaign in audience.campaigns if campaign.runs(day)]
    rates, wanted = _plan(audience, running, present, pairs)
    persons, campaigns = [], []
    for number in running:
        chosen = _walk(audience, number, present, wanted[number], rates[number], rng)
        persons.append(chosen)
        campaigns.append(np.full(len(chosen), number, dtype=np.int32))
    return np.concatenate(persons), np.concatenate(campaigns)


def expected_impressions(audience: Audience, present: Index, events: int, ctr: float) -> list[int]:
    """Return about how many impressions a day each campaign has while it runs: what its booking follows from.

    Args:
        audience: from `make_audience`.
        present: the persons of some day, shuffled.
        events: as for `make_ad_day`.
        ctr: likewise.
    """
    numbers = [campaign.number for campaign in audience.campaigns]
    _, wanted = _plan(audience, numbers, present, impressions_in(events, ctr) // 2)
    return [2 * wanted[number] for number in numbers]


def impressions_in(events: int, ctr: float) -> int:
    """Return how many impressions leave room for their clicks and conversions among so many events."""
    return int(events / (1 + ctr * 1.05))


def _plan(
    audience: Audience, numbers: list[int], present: Index, pairs: int
) -> tuple[dict[int, float], dict[int, int]]:
    """Return for each campaign the share of the present whom it can reach, and how many it shall reach."""
    probe = present[:_PROBE]
    rates = {
        number: _chances(audience, number, probe).sum(dtype=np.int64) / (_ONE * max(1, len(probe)))
        for number in numbers
    }
    reachable = {number: int(rate * len(present) * 0.96) for number, rate in rates.items()}
    return rates, _sizes(audience, numbers, reachable, pairs)


def _sizes(audience: Audience, running: list[int], reachable: dict[int, int], pairs: int) -> dict[int, int]:
    """Share `pairs` out by weight; what a campaign cannot place among those it can reach goes to the others."""
    sizes: dict[int, int] = {}
    left = list(running)
    while left:
        whole = sum(audience.campaigns[number].weight for number in left)
        room = pairs - sum(sizes.values())
        full = [n for n in left if room * audience.campaigns[n].weight // whole >= reachable[n]]
        for number in full or left:
            sizes[number] = reachable[number] if full else room * audience.campaigns[number].weight // whole
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
