"""The files of `logins/`: which cookie belongs to which member, from when on.

What belongs here: logins. What does not: what cookies do before and after.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa

from quorum.sample import society
from quorum.sample.draw import Index, Ints, Small, slots, spread, stream
from quorum.sample.files import CHUNK, write_text
from quorum.sample.members import member_ids
from quorum.sample.people import People
from quorum.sample.text import DAY_MS, as_bytes, digits, fixed, iso, join, pick

_HOUR_MS = 3_600_000
_HOUR_OF = spread(society.HOURS)
_STANDING, _FIRST_DAY = 76, 90  # percent of cookies that were logged in before the first day, and by its end
_SHARED, _AGAIN = 12, 25  # thousandths of the cookies that another member of the house uses; logins again, a day


@dataclass(frozen=True)
class Logins:
    """All logins of the days, one element each.

    Args:
        day: number of the day on which it lands.
        ms: since the midnight (Asia/Tokyo) that begins that day; standing logins lie before it.
        cookie: number of the cookie.
        person: number of the person, whose member logs in.
    """

    day: Small
    ms: Ints
    cookie: Index
    person: Index


def make_logins(people: People, days: int, seed: int) -> Logins:
    """Return all logins: most stand on the first day, some follow, some cookies change hands.

    Args:
        people: everybody; the first persons are the members that log in.
        days: of the sample.
        seed: of the sample.
    """
    rng = stream(seed, "logins")
    owned = int(people.cookie_n[: people.login_n].sum(dtype=np.int64))
    cookie = np.arange(owned, dtype=np.int32)
    person = people.owner[:owned]
    luck = rng.integers(0, 100, owned)
    day = np.where(luck < _FIRST_DAY, 0, rng.integers(0, days, owned)).astype(np.uint8)
    standing = luck < _STANDING
    ms = np.where(standing, -1 - rng.integers(0, 20 * DAY_MS, owned), _moments(people, person, rng))
    parts = [Logins(day, ms, cookie, person)]

    shared = np.flatnonzero(rng.integers(0, 1000, owned) < _SHARED).astype(np.int32)
    other = ((people.owner[shared].astype(np.int64) * 31 + 7) % max(1, people.login_n)).astype(np.int32)
    parts.append(Logins(_later(rng, days, len(shared)), _moments(people, other, rng), shared, other))
    for number in range(days):
        again = np.flatnonzero(standing & (rng.integers(0, 1000, owned) < _AGAIN)).astype(np.int32)
        same_day = np.full(len(again), number, dtype=np.uint8)
        parts.append(Logins(same_day, _moments(people, person[again], rng), again, person[again]))
    return Logins(*(np.concatenate([getattr(part, name) for part in parts]) for name in Logins.__dataclass_fields__))


def _later(rng: np.random.Generator, days: int, n: int) -> Small:
    return rng.integers(min(1, days - 1), days, n).astype(np.uint8)


def _moments(people: People, person: Index, rng: np.random.Generator) -> Ints:
    age_band = people.age_band[people.member[person]]
    hours = _HOUR_OF[age_band, slots(rng, len(person))].astype(np.int64)
    return hours * _HOUR_MS + rng.integers(0, _HOUR_MS, len(person), dtype=np.int64)


def write_logins(folder: Path, people: People, logins: Logins, number: int, day: date) -> None:
    """Write the logins that land on a day.

    Args:
        folder: ``landing/<date>/logins``.
        people: for cookies and members.
        logins: from `make_logins`.
        number: of the day, from 0.
        day: the date of the folder.
    """
    rows = np.flatnonzero(logins.day == number)
    rows = rows[np.argsort(logins.ms[rows], kind="stable")]
    chunks = [
        as_bytes(_json(people, logins, rows[start : start + CHUNK], day, start)) for start in range(0, len(rows), CHUNK)
    ]
    write_text(folder / "logins.json.zst", chunks, rows=len(rows))


def _json(people: People, logins: Logins, rows: Ints, day: date, first: int) -> pa.Array:
    return join(
        f'{{"event_id":"l{day:%y%m%d}',
        fixed(digits(np.arange(first, first + len(rows)), 8)),
        '","ts":"',
        iso(day, logins.ms[rows]),
        '","cookie_id":"',
        pick(people.cookie_id, logins.cookie[rows]),
        '","member_id":"',
        member_ids(people.member[logins.person[rows]]),
        '"}\n',
    )
