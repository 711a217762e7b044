"""Real impressions and clicks through intake: every one is there, and counts per item are those of the file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import open_bandit
import pytest

from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.intake.ads import take_in_ads
from quorum.intake.context import Intake
from quorum.intake.reference import take_in_reference
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Home

COLUMNS = ["event_type", "creative_id", "placement", "cookie_key", "event_key"]


@pytest.fixture
def source(shared: Path) -> Path:
    return shared / "data" / "ads" / "open_bandit_men.csv"


@pytest.fixture
def intake(tmp_path: Path, home: Home, catalog: Catalog, policy: Policy, keys: KeyRing) -> Iterator[Intake]:
    store = Store(home, catalog, keys)
    engine, ledger = DuckEngine(store, policy, keys, threads=2), Ledger(home.ledger)
    yield Intake(tmp_path / "landing", store, engine, policy, ledger)
    ledger.close()
    engine.close()


def test_every_real_event_is_there_and_items_count_as_in_the_file(intake: Intake, source: Path) -> None:
    days = open_bandit.land(source, intake.landing)
    accountings = [accounting for day in days for accounting in take_in_ads(intake, day)]
    clicks = Counter(row["item_id"] for row in open_bandit.rows(source) if row["click"] == "1")
    items = Counter((row["item_id"], row["position"]) for row in open_bandit.rows(source))
    assert sum(accounting.loaded for accounting in accountings) == 10_000 + clicks.total()
    assert all(accounting.read == accounting.loaded for accounting in accountings)
    assert not any(accounting.waiting or accounting.late for accounting in accountings)
    events = [event for day in days for event in intake.store.read("pseudo__ad_event", day).select(COLUMNS).to_pylist()]
    told = Counter((e["creative_id"], e["placement"]) for e in events if e["event_type"] == "impression")
    assert told == items
    assert Counter(e["creative_id"] for e in events if e["event_type"] == "click") == clicks
    assert len({event["cookie_key"] for event in events}) == 10_000
    assert len({event["event_key"] for event in events}) == len(events)


def test_delivered_again_in_one_late_file_nothing_counts_twice(intake: Intake, source: Path) -> None:
    days = open_bandit.land(source, intake.landing)
    for day in days:
        take_in_ads(intake, day)
    later = date.fromordinal(days[-1].toordinal() + 1)
    lines = [(intake.folder(day) / "ads" / "open_bandit.jsonl").read_bytes() for day in days]
    fresh = {**next(open_bandit.events(source)), "event_id": "fresh"}
    everything = b"".join([*lines, json.dumps(fresh).encode()])
    late = intake.folder(later) / "ads" / "everything.jsonl"
    late.parent.mkdir(parents=True)
    late.write_bytes(everything)
    (accounting,) = take_in_ads(intake, later)
    assert (accounting.loaded, accounting.late) == (1, 1)
    assert accounting.duplicate == accounting.read - 1


def test_its_reference_is_complete(intake: Intake, source: Path) -> None:
    days = open_bandit.land(source, intake.landing)
    assert all(accounting.read == accounting.loaded for accounting in take_in_reference(intake, days[0]))
    items = {row["item_id"] for row in open_bandit.rows(source)}
    creatives = intake.store.read("pseudo__creative", days[0])
    assert set(creatives["creative_id"].to_pylist()) == items
    assert intake.store.read("pseudo__campaign", days[0])["ends_on"].to_pylist() == [days[-1]]
