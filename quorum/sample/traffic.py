"""Who asks the portal for what: the requests of a day as arrays, people and programs.

What belongs here: visits, their pages, crawlers. What does not: log formats (`access_files`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from quorum.sample import society
from quorum.sample.agents import AGENTS, CRAWLERS
from quorum.sample.draw import Index, Ints, Small, Wheel, slots, spread, stream
from quorum.sample.pages import (
    ASSET,
    FORM,
    GONE,
    KIND_WEIGHTS,
    MOVED,
    OTHER_SECTION,
    OUTSIDE_N,
    PAGES_PER_SECTION,
    Request,
    make_others,
    make_pages,
    taste_table,
)
from quorum.sample.people import UNKNOWN_AGE, People

QUID, QUID_GZ, FORWARDED, PLAIN_COMBINED, AS_JSON, COMMON = 0, 1, 2, 3, 4, 5
FORMAT_WEIGHTS = (620, 130, 80, 90, 60, 20)
_HOUR_MS = 3_600_000
_HOUR_OF = spread(society.HOURS)
_VISIT_LENGTHS = spread([[22, 20, 16, 12, 9, 7, 5, 4, 3, 2]])[0]
_POPULARITY = Wheel([10**6 // (rank + 2) for rank in range(PAGES_PER_SECTION)])
_CRAWLER_SHARE, _RATE_SHARE = 30, 12  # thousandths of the requests
_RATE_LEAST, _RATE_MOST, _RATE_PER_SECOND = 130, 50_000, 3
_RATE_ADDRESS, _CRAWLER_ADDRESSES = 0x2D4F1E07, (0x42F94207, 0x28FF5C11, 0x33DEFD03, 0x11F14B09)


@dataclass(frozen=True)
class TrafficDay:
    """The requests of a day, one element each, in order of time.

    Args:
        cookie: number of the cookie; -1 for programs, which have none.
        address: IPv4.
        agent: number in `agents.AGENTS`, then in `CRAWLERS`, then the rate bot.
        ms: since the midnight (Asia/Tokyo) that begins the day.
        request: number in the list of `make_requests`.
        referrer: number in `pages.make_referrers`.
        form: the format of the log that this front end writes.
    """

    cookie: Index
    address: np.ndarray[tuple[int], np.dtype[np.uint32]]
    agent: Small
    ms: Ints
    request: Index
    referrer: Small
    form: Small

    def __len__(self) -> int:
        return len(self.ms)

    def take(self, rows: np.ndarray[tuple[int], np.dtype[np.bool_ | np.int64]]) -> TrafficDay:
        """Return some of the requests."""
        return TrafficDay(*(getattr(self, name)[rows] for name in TrafficDay.__dataclass_fields__))


def make_requests() -> list[Request]:
    """Return everything that can be asked for: pages by section, then the other kinds."""
    return [*make_pages(), *(request for kind in (ASSET, FORM, GONE, MOVED) for request in make_others()[kind])]


def make_traffic_day(people: People, day: date, present: Index, lines: int, seed: int) -> TrafficDay:
    """Return exactly `lines` requests of a day.

    Args:
        people: everybody.
        day: civil date in Asia/Tokyo.
        present: the persons of the day.
        lines: how many requests.
        seed: of the sample.
    """
    rng = stream(seed, "traffic", day.toordinal())
    rate = min(_RATE_MOST, max(_RATE_LEAST, lines * _RATE_SHARE // 1000))
    crawled = lines * _CRAWLER_SHARE // 1000
    if lines < rate + crawled + 100:
        rate = crawled = 0
    parts = [
        _visits(people, day, present, lines - rate - crawled, rng),
        _crawlers(crawled, rng),
        _rate_bot(rate, rng),
    ]
    whole = TrafficDay(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in TrafficDay.__dataclass_fields__)
    )
    return whole.take(np.argsort(whole.ms, kind="stable"))


def _visits(people: People, day: date, present: Index, lines: int, rng: np.random.Generator) -> TrafficDay:
    """People come in visits: one browser, one taste, one front end, a page every minute or so."""
    visits = lines // 3 + 16
    lengths = _VISIT_LENGTHS[slots(rng, visits)].astype(np.int64) + 1
    while int(lengths.sum()) < lines:
        lengths = np.concatenate([lengths, lengths])
    visits = int(np.searchsorted(np.cumsum(lengths), lines)) + 1
    lengths = lengths[:visits]
    lengths[-1] -= int(lengths.sum()) - lines
    person = _visitors(people, present, visits, rng)
    cookie = people.first_cookie[person] + rng.integers(0, 12, visits, dtype=np.int32) % people.cookie_n[person]
    age_band = people.attribute(people.age_band, UNKNOWN_AGE)[person]
    start = _HOUR_OF[age_band, slots(rng, visits)].astype(np.int64) * _HOUR_MS + rng.integers(0, _HOUR_MS, visits)
    section = taste_table()[age_band, slots(rng, visits)]
    form = Wheel(FORMAT_WEIGHTS).draw(rng, visits).astype(np.uint8)

    visit = np.repeat(np.arange(visits), lengths)
    place = np.arange(lines) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    own = rng.integers(0, 10, lines, dtype=np.uint8) < 8
    where = np.where(own, section[visit], taste_table()[age_band[visit], slots(rng, lines)])
    inside = (OUTSIDE_N + where).astype(np.uint8)
    outside = rng.integers(0, OUTSIDE_N, lines, dtype=np.uint8)
    return TrafficDay(
        cookie=cookie[visit].astype(np.int32),
        address=people.addresses(cookie, day.toordinal())[visit],
        agent=people.agent[cookie][visit],
        ms=np.minimum(start[visit] + place * rng.integers(15_000, 90_000, lines), 24 * _HOUR_MS - 1),
        request=_requests(where, rng),
        referrer=np.where(place == 0, outside, inside).astype(np.uint8),
        form=form[visit],
    )


def _visitors(people: People, present: Index, visits: int, rng: np.random.Generator) -> Index:
    """Choose who comes: every second visit is by a member who logs in, though they are fewer."""
    regulars = present[present < people.login_n]
    anybody = present[rng.integers(0, len(present), visits)]
    regular = regulars[rng.integers(0, len(regulars), visits)] if len(regulars) else anybody
    return np.where(rng.integers(0, 2, visits, dtype=np.uint8) == 0, regular, anybody)


def _requests(section: Small, rng: np.random.Generator) -> Index:
    """Choose what is asked for: mostly pages of the section, else an asset, a form, something gone or moved."""
    others = make_others()
    first = (OTHER_SECTION + 1) * PAGES_PER_SECTION
    out = (section.astype(np.int64) * PAGES_PER_SECTION + _POPULARITY.draw(rng, len(section))).astype(np.int32)
    kind = Wheel(KIND_WEIGHTS).draw(rng, len(section))
    luck = rng.integers(0, 1 << 16, len(section), dtype=np.int32)
    for each in (ASSET, FORM, GONE, MOVED):
        out = np.where(kind == each, first + luck % len(others[each]), out)
        first += len(others[each])
    return out.astype(np.int32)


def _crawlers(lines: int, rng: np.random.Generator) -> TrafficDay:
    """Programs that say what they are, from their own addresses, all day long."""
    which = rng.integers(0, len(CRAWLERS), lines)
    section = rng.integers(0, OTHER_SECTION, lines)
    last_octet = rng.integers(0, 60, lines, dtype=np.uint32)
    return TrafficDay(
        cookie=np.full(lines, -1, dtype=np.int32),
        address=np.array(_CRAWLER_ADDRESSES, dtype=np.uint32)[which] + last_octet,
        agent=(len(AGENTS) + which).astype(np.uint8),
        ms=rng.integers(0, 24 * _HOUR_MS, lines),
        request=(section * PAGES_PER_SECTION + rng.integers(0, PAGES_PER_SECTION, lines)).astype(np.int32),
        referrer=np.zeros(lines, dtype=np.uint8),
        form=np.full(lines, PLAIN_COMBINED, dtype=np.uint8),
    )


def _rate_bot(lines: int, rng: np.random.Generator) -> TrafficDay:
    """A program with a browser's name that asks three times a second, from three in the morning on."""
    start = 3 * _HOUR_MS + int(rng.integers(0, _HOUR_MS))
    return TrafficDay(
        cookie=np.full(lines, -1, dtype=np.int32),
        address=np.full(lines, _RATE_ADDRESS, dtype=np.uint32),
        agent=np.full(lines, len(AGENTS) + len(CRAWLERS), dtype=np.uint8),
        ms=start + np.arange(lines, dtype=np.int64) * 1000 // _RATE_PER_SECOND,
        request=(np.arange(lines) % ((OTHER_SECTION + 1) * PAGES_PER_SECTION)).astype(np.int32),
        referrer=np.zeros(lines, dtype=np.uint8),
        form=np.full(lines, PLAIN_COMBINED, dtype=np.uint8),
    )
