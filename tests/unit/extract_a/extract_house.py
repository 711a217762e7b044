"""A small house for tests of extracts: an empty home, members and views by hand, rules of the test's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from quorum.desk import Desk
from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.keys import KeyRing
from quorum.ledger import Ledger
from quorum.ledger.reads import ReadLog
from quorum.policy import Actor, Policy
from quorum.tables import Catalog
from quorum.zones import Home

NIGHT = date(2026, 11, 21)
SCHEDULER = Actor("scheduler", "scheduler")
MEMBER = {
    "age_band": "30s",
    "gender": "female",
    "region": "kanto",
    "prefecture": "tokyo",
    "occupation": "sales",
    "is_seen": True,
    "is_bot": False,
    "collected_at": datetime(2026, 1, 1),  # noqa: DTZ001 - instants are kept in UTC without a zone
}
VIEW = {"person_kind": "member", "section_id": "news", "device": "mobile", "hour_band": "12-14"}


def segment(*conditions: Mapping[str, Any], name: str = "Segment") -> dict[str, Any]:
    return {"name_ja": "区分", "name_en": name, "all": [dict(condition) for condition in conditions]}


WOMEN = segment({"attribute": "gender", "any": ["female"]})


def survey(**changes: Any) -> dict[str, Any]:
    plain = {
        "purpose": "P-02",
        "name_ja": "調査",
        "name_en": "Survey",
        "seed": "s",
        "strata": ["gender"],
        "per_stratum": 5,
        "from": NIGHT,
        "until": date(2026, 12, 31),
    }
    return {**plain, **changes}


def with_rules(
    policy: Policy,
    folder: Path,
    *,
    segments: Mapping[str, Any] | None = None,
    surveys: Mapping[str, Any] | None = None,
    people: int = 10,
    rest_days: int = 30,
) -> Policy:
    """The policy with segments and surveys of the test's own."""
    folder.mkdir(exist_ok=True, parents=True)
    catalogue = {"people": people, "segments": dict(segments or {"women": WOMEN})}
    listed = {"people": people, "rest_days": rest_days, "surveys": dict(surveys or {})}
    for name, content in (("segments.yaml", catalogue), ("surveys.yaml", listed)):
        (folder / name).write_text(yaml.safe_dump(content, allow_unicode=True), encoding="utf-8")
    return replace(policy, folder=folder)


@dataclass(frozen=True)
class House:
    """An open home.

    Args:
        desk: the scheduler's.
    """

    desk: Desk

    def rows(self, table: str, rows: Sequence[Mapping[str, Any]], night: date = NIGHT) -> None:
        schema = self.desk.catalog[table].arrow_schema()
        self.desk.store.write(table, night, pa.Table.from_pylist([dict(row) for row in rows], schema))

    def members(self, count: int, night: date = NIGHT, **changes: Any) -> None:
        self.rows("seg__member", [{**MEMBER, "person_key": f"m{n:04}", **changes} for n in range(count)], night)

    def stop(self, *keys: str, purpose: str, night: date = NIGHT) -> None:
        self.rows("pseudo__stop", [{"person_key": key, "purpose": purpose} for key in keys], night)

    def finish(self, night: date = NIGHT) -> None:
        self.desk.ledger.finish_night(night, "0" * 64, {})

    def acting(self, role: str) -> Desk:
        return replace(self.desk, actor=Actor("somebody", role))

    def kept(self, table: str, night: date = NIGHT) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self.desk.store.read(table, night).to_pylist()
        return rows


@contextmanager
def open_house(home: Home, catalog: Catalog, policy: Policy) -> Iterator[House]:
    keys = KeyRing(bytes(range(32)))
    ledger = Ledger(home.ledger)
    store = Store(home, catalog, keys, ReadLog(ledger, SCHEDULER).note)
    engine = DuckEngine(store, policy, keys, memory_limit="500MB", threads=1)
    try:
        yield House(Desk(home, policy, keys, ledger, store, engine, SCHEDULER))
    finally:
        engine.close()
        ledger.close()
