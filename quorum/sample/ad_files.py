"""The files of `ads/`: Parquet on one day, JSON lines on the next; events without a cookie apart.

What belongs here: the landing format of advertisement events. What does not: the events (`ads`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quorum.sample.ads import NO_VALUE, VALUES_YEN, AdDay
from quorum.sample.agents import AGENTS
from quorum.sample.catalogue import PLACEMENTS, Campaign
from quorum.sample.draw import stream
from quorum.sample.files import CHUNK, write_parquet, write_text
from quorum.sample.people import People
from quorum.sample.text import as_bytes, digits, fixed, ipv4, iso, join, pick

KINDS = ("impression", "click", "conversion")
_JST = timezone(timedelta(hours=9))
_FILE_ROWS = 1_000_000
_AGENT_TEXTS = tuple(text for text, _, _ in AGENTS)


@dataclass(frozen=True)
class AdTexts:
    """The texts that events point to.

    Args:
        people: for cookies, user agents and addresses.
        campaigns: all, in order of their numbers.
        offset: per campaign, number of its first creative among all.
        creatives: ids of all creatives.
        owners: per creative, id of its campaign.
    """

    people: People
    campaigns: tuple[Campaign, ...]
    offset: np.ndarray[tuple[int], np.dtype[np.int32]]
    creatives: tuple[str, ...]
    owners: tuple[str, ...]


def make_texts(people: People, campaigns: tuple[Campaign, ...]) -> AdTexts:
    """Prepare the texts of all campaigns."""
    sizes = [len(each.creatives) for each in campaigns]
    return AdTexts(
        people=people,
        campaigns=campaigns,
        offset=np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int32),
        creatives=tuple(creative for each in campaigns for creative in each.creatives),
        owners=tuple(each.campaign_id for each in campaigns for _ in each.creatives),
    )


def write_ads(folder: Path, texts: AdTexts, day: date, events: AdDay, *, parquet: bool, seed: int) -> None:
    """Write a day's events.

    Args:
        folder: ``landing/<date>/ads``.
        texts: from `make_texts`.
        day: the date of the folder.
        events: in order of time.
        parquet: whether the main files are Parquet, else JSON.
        seed: of the sample.
    """
    rng = stream(seed, "bare", day.toordinal())
    bare = (rng.integers(0, 1000, len(events), dtype=np.int16) < 12) & (events.kind == 0)
    named, nameless = events.take(~bare), events.take(bare)
    for part, start in enumerate(range(0, len(named), _FILE_ROWS)):
        rows = np.arange(start, min(start + _FILE_ROWS, len(named)))
        some = named.take(rows)
        if parquet:
            tables = (_table(texts, day, start + at, piece) for at, piece in _pieces(some))
            write_parquet(folder / f"part-{part:03}.parquet", tables, rows=len(events))
        else:
            chunks = (as_bytes(_json(texts, day, start + at, piece)) for at, piece in _pieces(some))
            write_text(folder / f"part-{part:03}.json.zst", chunks, rows=len(events))
    server = (as_bytes(_bare_json(texts, day, at, piece)) for at, piece in _pieces(nameless))
    write_text(folder / "server.json.gz", server, rows=len(nameless))


def _pieces(events: AdDay) -> Iterator[tuple[int, AdDay]]:
    for start in range(0, len(events), CHUNK):
        yield start, events.take(np.arange(start, min(start + CHUNK, len(events))))


def _ids(day: date, letter: str, first: int, rows: int) -> pa.Array:
    return join(f"{letter}{day:%y%m%d}", fixed(digits(np.arange(first, first + rows), 8)))


def _table(texts: AdTexts, day: date, first: int, events: AdDay) -> pa.Table:
    midnight = datetime(day.year, day.month, day.day, tzinfo=_JST).astimezone(UTC)
    epoch = int(midnight.timestamp()) * 1000
    creative = texts.offset[events.campaign] + events.creative
    yen = np.array([*VALUES_YEN, 0], dtype=np.int64)[events.value] * 1_000_000
    return pa.table(
        {
            "event_id": _ids(day, "a", first, len(events)),
            "ts": pa.array(events.ms + epoch, pa.timestamp("ms", tz="UTC")),
            "type": pick(KINDS, events.kind),
            "campaign_id": pick(texts.owners, creative),
            "creative_id": pick(texts.creatives, creative),
            "placement": pick(PLACEMENTS, events.placement),
            "cookie_id": pick(texts.people.cookie_id, events.cookie),
            "value_micros": pa.array(yen, mask=events.value == NO_VALUE),
            "user_agent": pick(_AGENT_TEXTS, texts.people.agent[events.cookie]),
        }
    )


def _facts(texts: AdTexts, day: date, letter: str, first: int, events: AdDay) -> list[pa.Array | str]:
    """The fields that every event has, as pieces of a JSON line without its end."""
    pairs = [
        f'","campaign_id":"{owner}","creative_id":"{creative}'
        for owner, creative in zip(texts.owners, texts.creatives, strict=True)
    ]
    return [
        '{"event_id":"',
        _ids(day, letter, first, len(events)),
        '","ts":"',
        iso(day, events.ms),
        pick([f'","type":"{kind}' for kind in KINDS], events.kind),
        pick(pairs, texts.offset[events.campaign] + events.creative),
        pick([f'","placement":"{placement}' for placement in PLACEMENTS], events.placement),
    ]


def _json(texts: AdTexts, day: date, first: int, events: AdDay) -> pa.Array:
    ends = [*(f'","value_micros":{yen * 1_000_000}}}\n' for yen in VALUES_YEN), '"}\n']
    return join(
        *_facts(texts, day, "a", first, events),
        '","cookie_id":"',
        pick(texts.people.cookie_id, events.cookie),
        pick([f'","user_agent":"{text}' for text in _AGENT_TEXTS], texts.people.agent[events.cookie]),
        pick(ends, events.value),
    )


def _bare_json(texts: AdTexts, day: date, first: int, events: AdDay) -> pa.Array:
    """Events without a cookie: five of six have an address and a user agent, the sixth is nobody's."""
    facts = _facts(texts, day, "s", first, events)
    agents = pick([f'","user_agent":"{text}"}}\n' for text in _AGENT_TEXTS], texts.people.agent[events.cookie])
    seen = join(*facts, '","ip":"', ipv4(texts.people.addresses(events.cookie, day.toordinal())), agents)
    unseen = join(*facts, '"}\n')
    nobody = pa.array(np.arange(len(events)) % 6 == 5)
    return pc.if_else(nobody, unseen, seen)
