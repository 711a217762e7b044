"""The night in which an event counts, over several nights, against a plain retelling."""

from __future__ import annotations

import hashlib
from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorum.engine.store import Store
from quorum.intake import counting
from quorum.intake.batches import Tally
from quorum.intake.counting import CountingNights
from quorum.intake.files import Landed
from quorum.keys import KeyRing
from quorum.tables import Catalog
from quorum.zones import Home

TABLE = "pseudo__ad_event"
NIGHT = date(2026, 11, 21)
DAYS = [NIGHT + timedelta(days=n) for n in range(-3, 4)]

Events = list[tuple[str, date]]


def new_tally() -> Tally:
    return Tally(Landed("ads", "ads/a", Path("a"), 1, 0, is_duplicate=False, is_truncated=False))


def rows(store: Store, events: Events) -> pa.Table:
    schema = store.catalog[TABLE].arrow_schema()
    columns = {name: pa.nulls(len(events), schema.field(name).type) for name in schema.names}
    keys = [hashlib.sha256(identity.encode()).hexdigest()[:32] for identity, _ in events]
    columns["event_key"] = pa.array(keys, pa.string())
    columns["event_date"] = pa.array([day for _, day in events], pa.date32())
    columns["campaign_id"] = pa.array([identity for identity, _ in events], pa.string())
    return pa.table(columns, schema=schema)


def take_in(store: Store, night: date, chunks: list[Events]) -> Tally:
    tally = new_tally()
    with ExitStack() as open_files:
        nights = CountingNights(store, TABLE, night, open_files)
        for chunk in chunks:
            nights.add(tally, rows(store, chunk))
        nights.finish()
    return tally


def identities(store: Store, day: date) -> list[str]:
    found: list[str] = store.read(TABLE, day)["campaign_id"].to_pylist()
    return sorted(found)


@settings(max_examples=40, deadline=None)
@given(
    nights=st.lists(
        st.lists(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(DAYS)), max_size=6), max_size=3),
        min_size=1,
        max_size=4,
    ),
    held=st.integers(1, 4),
)
def test_each_identity_stands_once_in_the_night_in_which_it_counts(
    tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, nights: list[list[Events]], held: int
) -> None:
    """An event has its date whenever it is sent, so a first sight fixes it here."""
    store = Store(Home(tmp_path_factory.mktemp("home")), catalog, KeyRing(bytes(32)))
    date_of: dict[str, date] = {}
    expected: dict[date, list[str]] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_HELD_ROWS", held)
        for night, chunks in zip(DAYS[2:], nights, strict=False):
            fresh = []
            for name, day in (event for chunk in chunks for event in chunk):
                if name not in date_of:
                    date_of[name] = day
                    fresh.append(day)
                    expected.setdefault(max(night, day), []).append(name)
            told = [[(name, date_of[name]) for name, _ in chunk] for chunk in chunks]
            tally = take_in(store, night, told)
            assert tally.loaded == len(fresh)
            assert tally.duplicate == sum(map(len, chunks)) - len(fresh)
            assert tally.waiting == sum(day > night for day in fresh)
            assert tally.late == sum(day < night for day in fresh)
            if night == DAYS[2 + len(nights) - 1]:
                repeated = take_in(store, night, told)
                assert repeated == tally
    assert {day: identities(store, day) for day in store.nights(TABLE) if identities(store, day)} == {
        day: sorted(names) for day, names in expected.items()
    }


def test_a_failure_leaves_the_parts_as_they_were(home: Home, catalog: Catalog) -> None:
    store = Store(home, catalog, KeyRing(bytes(32)))
    take_in(store, NIGHT, [[("a", NIGHT)]])
    with pytest.raises(ZeroDivisionError), ExitStack() as open_files:
        CountingNights(store, TABLE, NIGHT, open_files).add(new_tally(), rows(store, [("b", NIGHT), ("c", DAYS[-1])]))
        raise ZeroDivisionError
    assert identities(store, NIGHT) == ["a"]
    assert store.nights(TABLE) == [NIGHT]


def test_a_date_with_duplicates_only_gets_no_part(home: Home, catalog: Catalog) -> None:
    store = Store(home, catalog, KeyRing(bytes(32)))
    take_in(store, NIGHT, [[("a", NIGHT)], [("a", DAYS[-1])]])
    assert store.nights(TABLE) == [NIGHT]
