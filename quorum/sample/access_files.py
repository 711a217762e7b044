"""The files of `access/`: combined with a cookie, with forwarded addresses, without a cookie, common, JSON.

What belongs here: log formats. What does not: the requests (`traffic`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from quorum.sample.agents import AGENTS, CRAWLERS, RATE_BOT
from quorum.sample.draw import hashed
from quorum.sample.files import CHUNK, write_text
from quorum.sample.pages import make_referrers
from quorum.sample.people import People
from quorum.sample.text import as_bytes, clf, fixed, hexadecimal, ipv4, iso, join, pick
from quorum.sample.traffic import (
    AS_JSON,
    COMMON,
    FORWARDED,
    PLAIN_COMBINED,
    QUID,
    QUID_GZ,
    TrafficDay,
    make_requests,
)

AGENT_TEXTS = (*(text for text, _, _ in AGENTS), *CRAWLERS, RATE_BOT)
FILES = {
    QUID: "web-1.log.zst",
    QUID_GZ: "web-2.log.gz",
    FORWARDED: "edge.log.zst",
    PLAIN_COMBINED: "cdn.log.gz",
    AS_JSON: "app.json.zst",
    COMMON: "legacy.log",
}


def write_access(folder: Path, people: People, day: date, traffic: TrafficDay) -> None:
    """Write a day's requests, one file per front end, each in its own format.

    Args:
        folder: ``landing/<date>/access``.
        people: for cookies.
        day: the date of the folder.
        traffic: in order of time.
    """
    for form, name in FILES.items():
        rows = np.flatnonzero(traffic.form == form)
        if len(rows):
            write_text(folder / name, _chunks(people, day, traffic, rows, _WRITERS[form]), rows=len(rows))


def _chunks(
    people: People, day: date, traffic: TrafficDay, rows: np.ndarray[tuple[int], np.dtype[np.int64]], write: _Writer
) -> Iterator[pa.Buffer]:
    for start in range(0, len(rows), CHUNK):
        yield as_bytes(write(people, day, traffic.take(rows[start : start + CHUNK])))


def _head(address: pa.Array, day: date, some: TrafficDay) -> list[pa.Array | str]:
    """The common part, up to the size."""
    requests = [f'] "{each.line}" {each.status} {each.size or "-"}' for each in make_requests()]
    return [address, " - - [", clf(day, some.ms), pick(requests, some.request)]


def _tail(some: TrafficDay) -> list[pa.Array | str]:
    """Referrer and user agent, up to the last quote."""
    return [pick([f' "{each}" "' for each in make_referrers()], some.referrer), pick(AGENT_TEXTS, some.agent)]


def _addresses(some: TrafficDay) -> pa.Array:
    """One browser in eight comes by IPv6, within 240b::/16."""
    numbers = (some.cookie.astype(np.int64) << 8) ^ 0x5A5A
    groups = hashed(numbers, 6)
    six = join(
        "240b:",
        fixed(hexadecimal((groups >> np.uint32(16)).astype(np.uint64) | np.uint64(0x1000), 4)),
        ":",
        fixed(hexadecimal((groups & np.uint32(0xFFFF)).astype(np.uint64) | np.uint64(0x1000), 4)),
        "::1",
    )
    return pc.if_else(pa.array((some.cookie >= 0) & (some.cookie % 8 == 5)), six, ipv4(some.address))


def _quid(people: People, day: date, some: TrafficDay) -> pa.Array:
    return join(
        *_head(_addresses(some), day, some), *_tail(some), '" "quid=', pick(people.cookie_id, some.cookie), '"\n'
    )


def _forwarded(people: People, day: date, some: TrafficDay) -> pa.Array:
    """A load balancer's own address in front, the client's in the last field, at times behind an inner one."""
    inner = pick(['" "', '" "10.20.4.7, '], (some.cookie % 5 == 0).astype(np.int32))
    balancer = pick(["10.0.0.11", "10.0.0.12"], some.cookie % 2)
    quid = ['" "quid=', pick(people.cookie_id, some.cookie), inner, _addresses(some), ', 10.0.0.5"\n']
    return join(*_head(balancer, day, some), *_tail(some), *quid)


def _combined(people: People, day: date, some: TrafficDay) -> pa.Array:
    return join(*_head(_addresses(some), day, some), *_tail(some), '"\n')


def _common(people: People, day: date, some: TrafficDay) -> pa.Array:
    return join(*_head(_addresses(some), day, some), "\n")


def _json(people: People, day: date, some: TrafficDay) -> pa.Array:
    requests = [f'","request":"{each.line}","status":{each.status},"bytes":{each.size}' for each in make_requests()]
    return join(
        '{"ip":"',
        _addresses(some),
        '","time":"',
        iso(day, some.ms),
        pick(requests, some.request),
        pick([f',"referrer":"{each}","user_agent":"' for each in make_referrers()], some.referrer),
        pick(AGENT_TEXTS, some.agent),
        '","cookie":"quid=',
        pick(people.cookie_id, some.cookie),
        '"}\n',
    )


_Writer = Callable[[People, date, TrafficDay], pa.Array]
_WRITERS: dict[int, _Writer] = {
    QUID: _quid,
    QUID_GZ: _quid,
    FORWARDED: _forwarded,
    PLAIN_COMBINED: _combined,
    AS_JSON: _json,
    COMMON: _common,
}
