"""The people of the portal: members, cookies, and persons, who are members that log in or else lone cookies.

What belongs here: who exists, with which attributes, on which browsers and addresses. What does not: names and other
texts of members (`members`), or what people do.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from quorum.sample import society
from quorum.sample.agents import AGENTS, MOBILE
from quorum.sample.draw import Flags, Index, Ints, Small, Wheel, hashed, scramble, slots, spread, stream
from quorum.sample.text import fixed, hexadecimal

UNKNOWN_AGE = len(society.AGE_BANDS) - 1
UNKNOWN_GENDER = len(society.GENDERS) - 1
UNKNOWN_PREFECTURE = len(society.PREFECTURES) - 1
UNKNOWN_OCCUPATION = len(society.OCCUPATIONS) - 1
GENDER_N = len(society.GENDERS)
STRANGER_SEGMENT = UNKNOWN_AGE * GENDER_N + UNKNOWN_GENDER

_LOGIN_PERCENT = 70
_COOKIES_PER_MEMBER = (20, 3)
_OWNED_COOKIES = Wheel([58, 32, 10])  # one, two or three browsers per member who logs in
_DAILY_PERCENT_MEMBERS = np.array([96, 92, 85, 70], dtype=np.uint8)
_DAILY_PERCENT_STRANGERS = np.array([55, 30, 14, 5], dtype=np.uint8)
_HOMES = (0x7E, 0xDB, 0x99, 0x7A, 0xDC, 0x72, 0x3D, 0xB4)  # first octets of large consumer networks
_CARRIERS = (0x01480000, 0x6A800000, 0x7EF00000, 0x31600000)  # mobile networks: the address changes every day


@dataclass(frozen=True)
class People:
    """Everybody, as arrays.

    Args:
        age_band: per member, number in `society.AGE_BANDS`.
        gender: per member, number in `society.GENDERS`.
        prefecture: per member, number in `society.PREFECTURES`.
        occupation: per member, number in `society.OCCUPATIONS`.
        member: per person, number of the member; -1 for a lone cookie.
        first_cookie: per person, number of the first of its cookies; they follow one another.
        cookie_n: per person, how many cookies.
        habit: per person, percent of days on which it comes.
        owner: per cookie, the person.
        agent: per cookie, number in `agents.AGENTS`.
        address: per cookie, IPv4 address at home.
        cookie_id: per cookie, the text.
    """

    age_band: Small
    gender: Small
    prefecture: Small
    occupation: Small
    member: Index
    first_cookie: Index
    cookie_n: Small
    habit: Small
    owner: Index
    agent: Small
    address: npt.NDArray[np.uint32]
    cookie_id: pa.StringArray

    @property
    def login_n(self) -> int:
        """Number of members that log in; they are the first persons."""
        return int(np.count_nonzero(self.member >= 0))

    def attribute(self, values: Small, unknown: int) -> Small:
        """Return an attribute of members per person; lone cookies are unknown."""
        out = np.full(len(self.member), unknown, dtype=np.uint8)
        out[: self.login_n] = values[self.member[: self.login_n]]
        return out

    def present(self, seed: int, ordinal: int) -> Index:
        """Return the persons who come on a day, shuffled."""
        rng = stream(seed, "present", ordinal)
        here = np.flatnonzero(rng.integers(0, 100, len(self.habit), dtype=np.uint8) < self.habit).astype(np.int32)
        rng.shuffle(here)
        return here

    def addresses(self, cookies: npt.NDArray[np.integer], ordinal: int) -> npt.NDArray[np.uint32]:
        """Return IPv4 addresses of cookies on a day; behind a mobile network it is another one every day."""
        daily = hashed(cookies.astype(np.int64), ordinal)
        base = np.array(_CARRIERS, dtype=np.uint32)[cookies % len(_CARRIERS)]
        mobile = base + (daily & np.uint32(0x3FFFF))
        where: npt.NDArray[np.uint32] = np.where(_roams(self, cookies), mobile, self.address[cookies])
        return where


def _roams(people: People, cookies: npt.NDArray[np.integer]) -> Flags:
    """Say which cookies come through a mobile network: half of the telephones."""
    devices = np.array([device for _, device, _ in AGENTS], dtype=np.uint8)
    half: Flags = (devices[people.agent[cookies]] == MOBILE) & (cookies % 2 == 0)
    return half


def make_people(members: int, seed: int) -> People:
    """Make everybody: about 6.7 cookies for each member, and seven members of ten log in.

    Args:
        members: how many members are registered by the last day.
        seed: of the sample.
    """
    rng = stream(seed, "people")
    age_band = Wheel(society.AGE_WEIGHTS).draw(rng, members).astype(np.uint8)
    gender = Wheel(society.GENDER_WEIGHTS).draw(rng, members).astype(np.uint8)
    weights = [*society.PREFECTURE_WEIGHTS.values(), society.UNKNOWN_PREFECTURE_WEIGHT]
    prefecture = Wheel(weights).draw(rng, members).astype(np.uint8)
    occupation = spread(society.OCCUPATION_WEIGHTS)[age_band, slots(rng, members)]

    login_n = members * _LOGIN_PERCENT // 100
    cookies = members * _COOKIES_PER_MEMBER[0] // _COOKIES_PER_MEMBER[1]
    owned = (_OWNED_COOKIES.draw(rng, login_n) + 1).astype(np.uint8)
    stranger_n = cookies - int(owned.sum(dtype=np.int64))
    cookie_n = np.concatenate([owned, np.ones(stranger_n, dtype=np.uint8)])
    member = np.full(len(cookie_n), -1, dtype=np.int32)
    member[:login_n] = rng.permutation(members)[:login_n]
    first_cookie = np.concatenate([[0], np.cumsum(cookie_n, dtype=np.int64)[:-1]]).astype(np.int32)
    owner = np.repeat(np.arange(len(cookie_n), dtype=np.int32), cookie_n)
    age_of_owner = np.full(len(cookie_n), UNKNOWN_AGE, dtype=np.uint8)
    age_of_owner[:login_n] = age_band[member[:login_n]]
    return People(
        age_band=age_band,
        gender=gender,
        prefecture=prefecture,
        occupation=occupation,
        member=member,
        first_cookie=first_cookie,
        cookie_n=cookie_n,
        habit=_habits(rng, login_n, stranger_n),
        owner=owner,
        agent=_agents(rng, age_of_owner[owner]),
        address=_homes(rng, owner),
        cookie_id=cookie_texts(np.arange(cookies), seed),
    )


def cookie_texts(numbers: Ints, seed: int) -> pa.StringArray:
    """Return cookie ids: ten hexadecimal characters, different for different numbers."""
    return fixed(hexadecimal(scramble(numbers, seed), 10))


def _habits(rng: np.random.Generator, login_n: int, stranger_n: int) -> Small:
    return np.concatenate(
        [
            _DAILY_PERCENT_MEMBERS[rng.integers(0, 4, login_n)],
            _DAILY_PERCENT_STRANGERS[rng.integers(0, 4, stranger_n)],
        ]
    )


def _agents(rng: np.random.Generator, age_band: Small) -> Small:
    """Give each cookie a device that fits its owner's age, and one of the browsers of that device."""
    totals = [sum(weight for _, each, weight in AGENTS if each == device) for device in range(len(society.DEVICES[0]))]
    rows = [[10**6 * mix[device] * weight // totals[device] for _, device, weight in AGENTS] for mix in society.DEVICES]
    return spread(rows)[age_band, slots(rng, len(age_band))]


def _homes(rng: np.random.Generator, owner: Index) -> npt.NDArray[np.uint32]:
    """Give each person an address at home, shared by its browsers."""
    persons = int(owner[-1]) + 1 if len(owner) else 0
    head = np.array(_HOMES, dtype=np.uint32)[rng.integers(0, len(_HOMES), persons)] << np.uint32(24)
    tail = rng.integers(0x010000, 0xFF0000, persons, dtype=np.uint32)
    return (head | tail)[owner]
