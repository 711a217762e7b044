"""A week of a large portal as cubes, in minutes: the people and events of `quorum sample`, without its files.

What belongs here: drawing events and running the cubes' own statements on them. What does not: measuring.

Events become rows of ``seg__ad_event`` as the pipeline would make them once everybody's logins have landed, and the
statements of ``sql/`` make every cube of them. Campaigns share no row of any cube, so that they are counted some at a
time. Landing files, intake, linking and bots are left out; `bench.cross_check` holds the result against a night that
went through all of them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.keys import KeyRing
from quorum.policy import Policy, load_policy
from quorum.sample import society
from quorum.sample.ad_files import KINDS
from quorum.sample.ads import AdDay, make_ad_day
from quorum.sample.agents import AGENTS
from quorum.sample.audience import Audience, expected_impressions, make_audience
from quorum.sample.catalogue import PLACEMENTS, Campaign, Recipient, make_campaigns, make_recipients
from quorum.sample.draw import Ints, Small, stream
from quorum.sample.people import People, make_people
from quorum.sample.reference import write_reference
from quorum.tables import load_catalog
from quorum.tables.periods import ends_week
from quorum.zones import Home

ROOT = Path(__file__).resolve().parents[1]
KEYS = KeyRing(bytes(range(32)))
"""The key of a bench: what is measured is invented."""

_SHARD_EVENTS = 6_000_000
_HOUR_MS = 3_600_000
_DEVICES = ("desktop", "mobile", "tablet")
_UNKNOWN = "unknown"
_REFERENCES = {
    "pseudo__recipient": "recipients.csv",
    "pseudo__campaign": "campaigns.csv",
    "pseudo__creative": "creatives.csv",
    "pseudo__section": "sections.csv",
}
_BARE, _NOBODY = 12, 6  # thousandths of impressions that come without a cookie, and which of them without an address


@dataclass(frozen=True)
class Size:
    """How large a portal is; see `quorum.sample.write_sample`.

    Args:
        impressions: a night.
        campaigns: Zipf's law, s = 1.
        recipients: with the four that are no advertisers.
        members: registered.
        ctr: clicks per impression.
        seed: of everything.
    """

    impressions: int = 10_000_000
    campaigns: int = 1000
    recipients: int = 34
    members: int = 1_000_000
    ctr: float = 0.01
    seed: int = 1

    @property
    def ad_events(self) -> int:
        """Events that hold so many impressions."""
        return round(self.impressions * (1 + self.ctr * 1.05))


@dataclass(frozen=True)
class Portal:
    """Everything that is the same on every day."""

    people: People
    recipients: list[Recipient]
    campaigns: list[Campaign]
    audience: Audience


def make_portal(size: Size, days: Sequence[date]) -> Portal:
    """Draw people and campaigns exactly as `quorum sample` does.

    Args:
        size: of the portal.
        days: in order.
    """
    people = make_people(size.members, size.seed)
    recipients = make_recipients(size.recipients)
    campaigns = make_campaigns(size.campaigns, recipients, days[0], days[-1], size.seed)
    return Portal(people, recipients, campaigns, make_audience(people, campaigns, size.ctr, size.seed))


def write_cubes(home: Home, size: Size, days: Sequence[date], policy: Policy) -> None:
    """Write the reference data and all cubes of some nights into a home.

    Args:
        home: empty.
        size: of the portal.
        days: in order; a Sunday gets the people of its week, of those days of it that are made.
        policy: key sets.
    """
    store = Store(home, load_catalog(ROOT / "sql"), KEYS)
    engine = DuckEngine(store, policy, KEYS, memory_limit="4GB")
    portal = make_portal(size, days)
    _write_references(store, size, portal, days)
    drawn = {day: _Drawn(portal, size, day, policy) for day in days}
    for table in _cubes(policy):
        for day in days:
            store.write(table, day, store.catalog[table].arrow_schema().empty_table(), "none")
    for number, chosen in enumerate(_shards(portal, size, len(days))):
        contacts = []
        for day in days:
            events, persons = drawn[day].rows(chosen)
            given = {"seg__ad_event": events, "seg__person_day": persons}
            for table in (*_cubes(policy), "cube__clipping", "seg__ad_contact"):
                reads = {read.relation for read in store.catalog[table].reads}
                rows = engine.run(table, day, {name: part for name, part in given.items() if name in reads})
                if table == "seg__ad_contact":
                    contacts.append(rows)
                elif rows.num_rows:
                    store.write(table, day, rows, f"shard-{number:03}")
        if ends_week(days[-1]):
            history = {"seg__ad_contact__history": pa.concat_tables(contacts)}
            store.write(
                "cube__campaign_week",
                days[-1],
                engine.run("cube__campaign_week", days[-1], history),
                f"shard-{number:03}",
            )
    engine.close()


class _Drawn:
    """The advertisement events of a day, by campaign."""

    def __init__(self, portal: Portal, size: Size, day: date, policy: Policy) -> None:
        self._portal, self._day = portal, day
        self._bands = _hour_bands(policy)
        self._regions = {each.key: str(each.parent) for each in policy.categories["prefectures"]}
        present = portal.people.present(size.seed, day.toordinal())
        events = make_ad_day(portal.audience, day, present, size.ad_events, size.ctr, size.seed)
        rng = stream(size.seed, "bare", day.toordinal())
        bare = (rng.integers(0, 1000, len(events), dtype=np.int16) < _BARE) & (events.kind == 0)
        order = np.argsort(events.campaign, kind="stable")
        self._events, self._bare = events.take(order), bare[order]

    def rows(self, campaigns: range) -> tuple[pa.Table, pa.Table]:
        """Return the rows of ``seg__ad_event`` and ``seg__person_day`` of some campaigns."""
        first, last = np.searchsorted(self._events.campaign, [campaigns.start, campaigns.stop])
        some = np.arange(first, last)
        events, bare = self._events.take(some), self._bare[some]
        people = self._portal.people
        nobody = bare & (np.cumsum(bare) % _NOBODY == _NOBODY - 1)
        person = np.where(bare, len(people.member) + events.cookie, people.owner[events.cookie]).astype(np.int64)
        return self._event_rows(events, person, nobody), self._person_rows(np.unique(person[~nobody]))

    def _event_rows(self, events: AdDay, person: Ints, nobody: npt.NDArray[np.bool_]) -> pa.Table:
        portal = self._portal
        sizes = [len(each.creatives) for each in portal.campaigns]
        creatives = [creative for each in portal.campaigns for creative in each.creatives]
        creative = (np.cumsum(sizes) - sizes)[events.campaign] + events.creative
        devices = np.array([device for _, device, _ in AGENTS], dtype=np.uint8)[portal.people.agent[events.cookie]]
        hour = self._bands[events.ms // _HOUR_MS % 24]
        known = {
            "creative_id": _pick([*creatives, _UNKNOWN], np.where(nobody, len(creatives), creative)),
            "placement": _pick([*PLACEMENTS, _UNKNOWN], np.where(nobody, len(PLACEMENTS), events.placement)),
            "device": _pick([*_DEVICES, _UNKNOWN], np.where(nobody, len(_DEVICES), devices)),
            "hour_band": pc.if_else(pa.array(nobody), _UNKNOWN, pa.array(hour)),
        }
        return pa.table(
            {
                "person_n": pa.array(person, mask=nobody),
                "event_type": _pick(list(KINDS), events.kind),
                "campaign_id": _pick([each.campaign_id for each in portal.campaigns], events.campaign),
                **known,
                "value_micros": pa.array(np.zeros(len(events), dtype=np.int64)),
                "is_clipped": pa.array(np.zeros(len(events), dtype=np.bool_)),
                "is_counted": pa.array(~nobody),
            }
        )

    def _person_rows(self, persons: Ints) -> pa.Table:
        people = self._portal.people
        is_member = persons < people.login_n
        member = people.member[np.where(is_member, persons, 0)]

        def attribute(keys: Sequence[str], values: Small) -> pa.Array:
            return _pick([*keys, _UNKNOWN], np.where(is_member, values[member], len(keys)))

        prefectures = list(society.PREFECTURES)
        regions = [self._regions[key] for key in prefectures]
        genders = [key if key != "other" else _UNKNOWN for key in society.GENDERS]
        return pa.table(
            {
                "person_n": persons,
                "person_key": pc.cast(pa.array(persons), pa.string()),
                "person_kind": _pick(["cookie", "member"], is_member.astype(np.int64)),
                "age_band": attribute(society.AGE_BANDS, people.age_band),
                "gender": attribute(genders, people.gender),
                "region": attribute(regions, people.prefecture),
                "prefecture": attribute(prefectures, people.prefecture),
                "occupation": attribute(society.OCCUPATIONS, people.occupation),
                "request_n": np.zeros(len(persons), dtype=np.int64),
                "is_bot": np.zeros(len(persons), dtype=np.bool_),
                "collected_at": pa.nulls(len(persons), pa.timestamp("us")),
            }
        )


def _pick(texts: Sequence[str], which: npt.NDArray[np.integer]) -> pa.Array:
    return pa.array(list(texts), pa.string()).take(pa.array(which))


def _hour_bands(policy: Policy) -> npt.NDArray[np.str_]:
    bands = [""] * 24
    for each in policy.categories["hour_bands"]:
        if each.first is not None and each.last is not None:
            bands[each.first : each.last + 1] = [each.key] * (each.last + 1 - each.first)
    return np.array(bands)


def _cubes(policy: Policy) -> list[str]:
    return [table.cube for table in policy.reports["campaign"].tables]


def _shards(portal: Portal, size: Size, days: int) -> Iterator[range]:
    """Yield campaigns in runs whose events of all days fit into memory."""
    weights = np.array([each.weight for each in portal.campaigns], dtype=np.float64)
    expected = np.cumsum(weights / weights.sum()) * size.ad_events * days
    start = 0
    while start < len(weights):
        before = expected[start - 1] if start else 0.0
        stop = max(int(np.searchsorted(expected, before + _SHARD_EVENTS)), start + 1)
        yield range(start, stop)
        start = stop


def _write_references(store: Store, size: Size, portal: Portal, days: Sequence[date]) -> None:
    """Write the catalogue of the last day under every night, as if all of it had been booked before the first."""
    present = portal.people.present(size.seed, days[0].toordinal())
    expected = expected_impressions(portal.audience, present, size.ad_events, size.ctr)
    with TemporaryDirectory() as folder:
        write_reference(Path(folder), portal.recipients, portal.campaigns, expected)
        for table, file in _REFERENCES.items():
            schema = store.catalog[table].arrow_schema()
            options = pcsv.ConvertOptions(column_types=schema, strings_can_be_null=False)
            rows = pcsv.read_csv(Path(folder) / file, convert_options=options)
            for day in days:
                store.write(table, day, rows)


def days_up_to(last: date, count: int) -> list[date]:
    """Return the days that end on one, in order."""
    return [last - timedelta(days=back) for back in range(count - 1, -1, -1)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("home", type=Path)
    parser.add_argument("--last", type=date.fromisoformat, default=date(2026, 11, 22))
    parser.add_argument("--days", type=int, default=7)
    for name, value in Size().__dict__.items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    given = vars(parser.parse_args())
    size = Size(**{name: given[name] for name in Size.__dataclass_fields__})
    write_cubes(Home(given["home"]), size, days_up_to(given["last"], given["days"]), load_policy(ROOT / "policy"))


if __name__ == "__main__":
    main()
