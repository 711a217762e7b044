"""A purpose that takes effect on a day counts what was collected from that day on: from events to cubes (R-02)."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.keys import KeyRing
from quorum.policy import Policy, load_policy
from quorum.tables import Catalog
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
MIDNIGHT = datetime(2026, 11, 20, 15)  # noqa: DTZ001 - the night's first instant in Asia/Tokyo, in UTC without a zone
SECOND = timedelta(seconds=1)
BUILT = ("pseudo__member", "seg__event", "seg__person_day", "seg__ad_event", "cube__campaign_daily")


@pytest.fixture
def from_the_night_on(tmp_path: Path, root: Path) -> Policy:
    """The policy, with P-03 in effect from the night on."""
    folder = tmp_path / "policy"
    shutil.copytree(root / "policy", folder)
    text = (folder / "policy.yaml").read_text(encoding="utf-8")
    old = "name_en: Statistics for advertisers and providers,"
    assert old in text
    (folder / "policy.yaml").write_text(text.replace(old, f"{old} effective_on: {NIGHT},", 1), encoding="utf-8")
    return load_policy(folder)


@pytest.fixture
def store(home: Home, catalog: Catalog, keys: KeyRing) -> Iterator[Store]:
    """A night with events and registrations one second before it begins, and at the instant."""
    store = Store(home, catalog, keys)

    def write(table: str, *rows: dict[str, Any]) -> None:
        schema = catalog[table].arrow_schema()
        data = [{name: row.get(name) for name in schema.names} for row in rows]
        store.write(table, NIGHT, pa.Table.from_pylist(data, schema=schema))

    at = {"before": MIDNIGHT - SECOND, "at": MIDNIGHT}
    write(
        "pseudo__ad_event",
        *(
            {
                "event_type": "impression",
                "campaign_id": when,
                "creative_id": "a",
                "placement": "top",
                "cookie_key": f"c-{who}",
                "event_at": at[when],
                "event_hour": 0,
                "device": "mobile",
                "is_crawler": False,
            }
            for when in at
            for who in ("before", "at", "nobody")
        ),
    )
    members = {"before": "m-1", "at": "m-2"}
    write(
        "vault__member",
        *(
            {"member_id": members[who], "gender": "female", "birth_date": date(1990, 1, 1), "updated_at": at[who]}
            for who in at
        ),
    )
    write(
        "vault__login",
        *(
            {"member_id": members[who], "cookie_id": f"c-{who}", "login_at": MIDNIGHT - 9 * SECOND, "login_date": NIGHT}
            for who in at
        ),
    )
    yield store


def built(store: Store, policy: Policy, keys: KeyRing) -> dict[str, list[dict[str, Any]]]:
    engine = DuckEngine(store, policy, keys, memory_limit="300MB", threads=1)
    try:
        links = engine.run("pseudo__login", NIGHT).to_pylist()
        schema = store.catalog["pseudo__login_link"].arrow_schema()
        spans = [
            {
                "cookie_key": cookie,
                "member_key": link["member_key"],
                "valid_from": MIDNIGHT - 9 * SECOND,
                "valid_to": None,
                "last_login_at": MIDNIGHT,
            }
            for link, cookie in zip(links, ("c-before", "c-at"), strict=True)
        ]
        store.write("pseudo__login_link", NIGHT, pa.Table.from_pylist(spans, schema=schema))
        for table in (*BUILT, "cube__audience_age_gender"):
            engine.build(table, NIGHT)
        return {table: store.read(table, NIGHT).to_pylist() for table in (*BUILT, "cube__audience_age_gender")}
    finally:
        engine.close()


def counted(cube: list[dict[str, Any]], measure: str, **cell: str) -> dict[str, int]:
    return {row["campaign_id"]: row[measure] for row in cube if all(row[name] == key for name, key in cell.items())}


def test_cubes_count_only_what_was_collected_from_the_day_on(
    store: Store, keys: KeyRing, policy: Policy, from_the_night_on: Policy
) -> None:
    whole = {"creative_id": "ALL", "placement": "ALL"}
    earlier = built(store, policy, keys)
    assert counted(earlier["cube__campaign_daily"], "impression_n", **whole) == {"before": 3, "at": 3}
    later = built(store, from_the_night_on, keys)
    assert counted(later["cube__campaign_daily"], "impression_n", **whole) == {"at": 3}
    assert len(later["seg__event"]) == len(earlier["seg__event"]) == 6  # the infrastructure keeps what it had


def test_attributes_registered_before_the_day_are_not_counted_with(
    store: Store, keys: KeyRing, policy: Policy, from_the_night_on: Policy
) -> None:
    women = {"age_band": "ALL", "gender": "female"}
    earlier = counted(built(store, policy, keys)["cube__audience_age_gender"], "people_n", **women)
    assert earlier == {"before": 2, "at": 2}
    later = counted(built(store, from_the_night_on, keys)["cube__audience_age_gender"], "people_n", **women)
    assert later == {"at": 1}
