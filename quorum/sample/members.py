"""The files of `members/`: registrations and changes, with everything that names a person. All of it invented.

What belongs here: texts of members. What does not: their attributes (`people`). Names and towns come from a bounded
pool that Faker fills, cities from a list of made-up ones; telephone numbers are of the unassigned 0000 exchange, e-mail
addresses of example domains, cards of a test range with a valid check digit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from faker import Faker

from quorum.policy.load import load_policy
from quorum.sample import society
from quorum.sample.draw import Index, Ints, Small, hashed, stream
from quorum.sample.files import CHUNK, write_text
from quorum.sample.people import UNKNOWN_PREFECTURE, People
from quorum.sample.text import DAY_MS, as_bytes, digits, fixed, iso, join, pick

FIELDS = (
    *(
        "member_id",
        "name",
        "email",
        "birth_date",
        "gender",
        "postal_code",
        "address",
        "phone",
        "occupation",
        "industry",
    ),
    *("interests", "nickname", "payment_method", "bank_account", "card_number", "updated_at"),
)
_POLICY = Path(__file__).resolve().parents[2] / "policy"
_POOL = 240
_CODES_PER_PREFECTURE = 40
_DOMAINS = ("example.jp", "example.com", "example.net", "mail.example.jp")
_CITIES = ("若葉市", "青葉台市", "桜丘市", "港南市", "泉野市", "朝日台市", "緑が丘市", "日向町", "白鳥町", "川上村")
_NICK_HEADS = ("ねこ", "そら", "さくら", "旅する", "のんびり", "まめ", "ゆず", "くま", "たぬき", "はる", "青い", "週末")
_NICK_TAILS = ("好き", "大将", "さん", "ぱぱ", "まま", "ランナー", "茶屋", "日和", "ちゃん", "鉄道", "")
_NEW_SHARE, _CHANGED_SHARE = 12, 10  # thousandths of the members, on each day after the first


@dataclass(frozen=True)
class Pool:
    """Texts to combine: surnames (written, Latin), given names (female, male; written, Latin), towns, postal codes."""

    surnames: list[tuple[str, str]]
    given: tuple[list[tuple[str, str]], list[tuple[str, str]]]
    towns: list[str]
    postal: list[list[str]]
    prefectures: list[str]


def make_pool(seed: int) -> Pool:
    """Fill the pool: Faker for names and towns, the policy's public list for postal codes."""
    faker = Faker("ja_JP")
    faker.seed_instance(seed)
    surnames = [(pair[0], pair[2]) for pair in (faker.last_name_pair() for _ in range(_POOL))]
    female = [(pair[0], pair[2]) for pair in (faker.first_name_female_pair() for _ in range(_POOL))]
    male = [(pair[0], pair[2]) for pair in (faker.first_name_male_pair() for _ in range(_POOL))]
    towns = [f"{_CITIES[at % len(_CITIES)]}{faker.town()}" for at in range(_POOL)]
    policy = load_policy(_POLICY)
    names = {category.key: category.ja for category in policy.categories["prefectures"]}
    prefectures = [names[key] for key in society.PREFECTURES[:-1]]
    return Pool(surnames, (female, male), towns, _postal_codes(policy.postal_prefixes, seed), prefectures)


def _postal_codes(prefixes: tuple[tuple[str, str], ...], seed: int) -> list[list[str]]:
    """Return codes of seven digits for each prefecture, each checked by the rule that the longest prefix wins."""
    known = dict(prefixes)
    by_prefecture: dict[str, list[str]] = {key: [] for key in society.PREFECTURES[:-1]}
    for prefix, prefecture in sorted(prefixes):
        by_prefecture[prefecture].append(prefix)
    rng = stream(seed, "postal")
    codes = []
    for key, own in by_prefecture.items():
        tails = rng.integers(0, 10_000, _CODES_PER_PREFECTURE * 3)
        made = [(own[at % len(own)] + f"{tail:04}")[:7] for at, tail in enumerate(tails)]
        codes.append([code for code in made if _prefecture_of(code, known) == key][:_CODES_PER_PREFECTURE])
    return codes


def _prefecture_of(code: str, known: dict[str, str]) -> str | None:
    return next((known[code[:length]] for length in range(7, 0, -1) if code[:length] in known), None)


def member_ids(members: Index | Ints) -> pa.StringArray:
    """Return member numbers: `m` and eight digits that skip about, all different."""
    return join("m", fixed(digits((members.astype(np.int64) * 7_654_321 + 1_234_567) % 99_999_989, 8)))


def arrivals(people: People, days: int, seed: int) -> list[Index]:
    """Return, per day, the members whose record lands: most on the first day, then a few new and changed ones."""
    total = len(people.age_band)
    order = stream(seed, "arrivals").permutation(total).astype(np.int32)
    new, changed = total * _NEW_SHARE // 1000, total * _CHANGED_SHARE // 1000
    first = total - new * (days - 1)
    landed = [order[:first]]
    for day in range(1, days):
        fresh = order[first + new * (day - 1) : first + new * day]
        again = stream(seed, "changes", day).permutation(first)[:changed]
        landed.append(np.concatenate([fresh, order[again]]))
    return landed


def member_columns(
    people: People, pool: Pool, members: Index, day: date, version: int, seed: int
) -> dict[str, pa.Array]:
    """Return the texts of some members by field, in the order of `FIELDS`.

    Args:
        people: for attributes.
        pool: from `make_pool`.
        members: numbers.
        day: the day on which the record lands.
        version: number of the day, from 0; later versions change town, occupation and nickname.
        seed: of the sample.
    """
    now = hashed(members.astype(np.int64), seed * 100 + version)
    bits = [hashed(members.astype(np.int64), seed * 100 + 50 + each) for each in range(10)]
    surname = pick([written for written, _ in pool.surnames], bits[0] % _POOL)
    male = pa.array(people.gender[members] == 1)
    given = [pick([written for written, _ in names], bits[1] % _POOL) for names in pool.given]
    latin = [pick([text.lower() for _, text in names], bits[1] % _POOL) for names in pool.given]
    number = fixed(digits(bits[2] % 10_000, 4))
    last_name = pick([text.lower() for _, text in pool.surnames], bits[0] % _POOL)
    email = join(
        pc.if_else(male, latin[1], latin[0]), ".", last_name, number, "@", pick(_DOMAINS, bits[3] % len(_DOMAINS))
    )
    prefecture = people.prefecture[members]
    nickname = join(
        pick(_NICK_HEADS, now % 12), pick(_NICK_TAILS, (now >> 8) % 11), fixed(digits((now >> 16) % 1000, 3))
    )
    ms = (now % 86_000_000).astype(np.int64) - (DAY_MS * (bits[4] % 900).astype(np.int64) if version == 0 else 0)
    return {
        "member_id": member_ids(members),
        "name": join(surname, " ", pc.if_else(male, given[1], given[0])),
        "email": email,
        "birth_date": _birth_dates(people.age_band[members], bits[5], day - timedelta(days=version)),
        "gender": _ragged(society.GENDER_TERMS, people.gender[members], bits[6]),
        "postal_code": _postal(pool, prefecture, bits[7]),
        "address": _address(pool, prefecture, now),
        "phone": join(pick(["090-0000-", "080-0000-", "070-0000-"], bits[8] % 3), fixed(digits(bits[8] >> 8, 4))),
        "occupation": _ragged(tuple(society.OCCUPATION_TERMS.values()), people.occupation[members], now >> 4),
        "industry": pick(society.INDUSTRIES, bits[9] % len(society.INDUSTRIES)),
        "interests": join(
            pick(society.INTERESTS[:7], (bits[9] >> 8) % 7), ";", pick(society.INTERESTS[7:], (bits[9] >> 16) % 7)
        ),
        "nickname": nickname,
        "payment_method": pick(society.PAYMENTS, bits[4] >> 12 & 3),
        "bank_account": join("0000-001-", fixed(digits(bits[6] % 10_000_000, 7))),
        "card_number": fixed(_cards(bits[2])),
        "updated_at": iso(day, ms),
    }


def _birth_dates(age_band: Small, bits: npt.NDArray[np.integer], day: date) -> pa.Array:
    """Return dates of birth within each age band; empty where the band is unknown."""
    spans = np.array([*society.AGE_SPANS, (40, 40)], dtype=np.int64)
    years = spans[:, 0][age_band] + bits % (spans[:, 1] - spans[:, 0] + 1)[age_band]
    days = years * 36525 // 100 + 1 + (bits >> 16) % 360
    epoch = np.datetime64(day).astype("datetime64[D]").astype(np.int64) - days
    text = pa.array(epoch.astype("datetime64[D]")).cast(pa.string())
    return pc.if_else(pa.array(age_band == len(society.AGE_SPANS)), "", text)


def _ragged(terms: tuple[tuple[str, ...], ...], which: Small, bits: npt.NDArray[np.integer]) -> pa.Array:
    """Choose one of the terms of each row's category; the first ones are the more frequent."""
    flat = [term for group in terms for term in group]
    sizes = np.array([len(group) for group in terms], dtype=np.int64)
    luck = np.minimum(bits % sizes[which], (bits >> 8) % sizes[which])
    return pick(flat, (np.cumsum(sizes) - sizes)[which] + luck)


def _postal(pool: Pool, prefecture: Small, bits: npt.NDArray[np.integer]) -> pa.Array:
    """Return postal codes, two of three written with a hyphen; empty where the prefecture is unknown."""
    groups = (*(tuple(f"{code[:3]}-{code[3:]}" for code in codes) for codes in pool.postal), ("",))
    plain = (*(tuple(codes) for codes in pool.postal), ("",))
    return pc.if_else(pa.array(bits >> 28 < 11), _ragged(groups, prefecture, bits), _ragged(plain, prefecture, bits))


def _address(pool: Pool, prefecture: Small, bits: npt.NDArray[np.integer]) -> pa.Array:
    house = join(
        fixed(digits(bits >> 3 & 7, 1)), "-", fixed(digits(bits >> 6 & 31, 2)), "-", fixed(digits(bits >> 11 & 15, 2))
    )
    text = join(pick([*pool.prefectures, ""], prefecture), pick(pool.towns, bits % _POOL), house)
    return pc.if_else(pa.array(prefecture == UNKNOWN_PREFECTURE), "", text)


def _cards(bits: npt.NDArray[np.integer]) -> Small:
    """Return card numbers of a test range: 400000, nine digits, and the check digit (Luhn, ISO/IEC 7812-1)."""
    body = np.hstack([np.full((len(bits), 6), 48, dtype=np.uint8), digits(bits % 1_000_000_000, 9)])
    body[:, 0] = 52
    value = body.astype(np.int64) - 48
    doubled = value[:, 0::2] * 2
    total = (doubled - 9 * (doubled > 9)).sum(axis=1) + value[:, 1::2].sum(axis=1)
    return np.hstack([body, digits((10 - total % 10) % 10, 1)])


def write_members(folder: Path, people: People, pool: Pool, members: Index, day: date, version: int, seed: int) -> None:
    """Write the records of a day, four of five as JSON, the rest as csv.

    Args:
        folder: ``landing/<date>/members``.
        people: for attributes.
        pool: from `make_pool`.
        members: numbers.
        day: the date of the folder.
        version: number of the day, from 0.
        seed: of the sample.
    """
    cut = len(members) * 4 // 5
    whole = (as_bytes(_json(member_columns(people, pool, some, day, version, seed))) for some in _pieces(members[:cut]))
    write_text(folder / "members.json.zst", whole, rows=cut)
    head = [(",".join(FIELDS) + "\n").encode()]
    rows = [as_bytes(_csv(member_columns(people, pool, some, day, version, seed))) for some in _pieces(members[cut:])]
    write_text(folder / "branches.csv.gz", [b"".join([*head, *rows])], rows=len(members) - cut)


def _pieces(members: Index) -> list[Index]:
    return [members[start : start + CHUNK] for start in range(0, len(members), CHUNK)]


def _json(columns: dict[str, pa.Array]) -> pa.Array:
    pieces: list[pa.Array | str] = []
    for number, field in enumerate(FIELDS):
        pieces += [f'{{"{field}":"' if number == 0 else f'","{field}":"', columns[field]]
    return join(*pieces, '"}\n')


def _csv(columns: dict[str, pa.Array]) -> pa.Array:
    pieces: list[pa.Array | str] = []
    for number, field in enumerate(FIELDS):
        pieces += ["," if number else "", columns[field]]
    return join(*pieces, "\n")
