"""Attack 8 on the statements: cookies that one reader owns, through the night's SQL, the cubes and control.

The reader wants a cell of one victim told, so as to know the victim by subtraction: 49 own cookies keep the victim
company in an hour in which nobody else is there. Each defence is also switched off in a copy of the statements, where
the same attack must succeed.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from release_night import references

from quorum.disclosure import PackageCube, control, project
from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.errors import ConfigurationError
from quorum.keys import KeyRing
from quorum.policy import Policy, WhoCounts
from quorum.release.shapes import package_shapes
from quorum.tables import load_catalog
from quorum.zones import Home, Zone

NIGHT = date(2026, 11, 21)
BEFORE = NIGHT - timedelta(days=1)
KEYS = KeyRing(bytes(range(32)))
CAMPAIGN, QUIET = "c000", "03-05"
OWN, REAL = 49, 120
_FIRST_SEEN = "seen.first_seen_on + cast(rule.seasoned_days as integer) <= cast($night as date)"
OFF = {
    "seasoning": ("seg__seasoned", _FIRST_SEEN, "true"),
    "nights": ("seg__seasoned", "seen.active_night_n >= rule.active_nights", "true"),
    "network": ("seg__campaign_person", "where place_n > most_n", "where false"),
}
"""Defence to the statement that holds it, its text there, and what stands there when it is switched off."""


@dataclass(frozen=True)
class Cookie:
    """A cookie with impressions at one hour: since when and on how many nights it was seen, and from where."""

    key: str
    hour: int
    days: int | None
    nights: int = 9
    network: str | None = None
    events: int = 2


def real() -> list[Cookie]:
    """People of long standing in networks of their own; those of one hour keep empty hours company when withheld."""
    busy = [Cookie(f"real{n}-{hour}", hour, 60, network=f"192.0.{n}.0/24") for hour in (9, 13, 20) for n in range(REAL)]
    return [*busy, *(Cookie(f"real{n}-22", 22, 60, network=f"192.1.{n}.0/24", events=1) for n in range(60))]


def attack(days: int | None, nights: int = 9, network: str | None = None) -> list[Cookie]:
    """The victim, of long standing, and the reader's own cookies, in an hour in which nobody else is there."""
    own = [Cookie(f"own{n}", 3, days, nights, network or f"198.51.{n}.0/24") for n in range(OWN)]
    return [*real(), Cookie("victim", 3, 60, network="203.0.113.0/24"), *own]


def _rows(cookies: Sequence[Cookie]) -> list[dict[str, Any]]:
    midnight = datetime(2026, 11, 20, 15)  # noqa: DTZ001 - instants are stored in UTC without zone
    return [
        {
            "event_key": f"{cookie.key}-{n}",
            "event_at": midnight + timedelta(hours=cookie.hour, minutes=n),
            "event_date": NIGHT,
            "event_hour": cookie.hour,
            "event_type": "impression",
            "campaign_id": CAMPAIGN,
            "creative_id": "cr0a",
            "placement": "top",
            "cookie_key": cookie.key,
            "network": cookie.network,
            "device": "mobile",
            "is_crawler": False,
        }
        for cookie in cookies
        for n in range(cookie.events)
    ]


def _history(cookies: Sequence[Cookie], portal_days: int) -> dict[str, list[dict[str, Any]]]:
    """What the night before left behind; a portal of no days has no night before."""
    if not portal_days:
        return {}
    seen = [
        {
            "person_key": cookie.key,
            "person_kind": "cookie",
            "first_seen_on": NIGHT - timedelta(days=cookie.days),
            "last_seen_on": BEFORE,
            "active_night_n": cookie.nights - 1,
        }
        for cookie in cookies
        if cookie.days
    ]
    first = {"first_night_on": NIGHT - timedelta(days=portal_days), "is_bootstrap": portal_days < 28}
    return {"seg__person_seen": seen, "seg__first_night": [first]}


@dataclass(frozen=True)
class House:
    """The statements, as they stand or with defences switched off, and the policy."""

    root: Path
    policy: Policy
    tmp: Path

    def without(self, *defences: str) -> House:
        """Return a copy in which defences are switched off."""
        copy = self.tmp / "-".join(("sql", *defences))
        shutil.copytree(self.root, copy)
        for defence in defences:
            table, text, instead = OFF[defence]
            statement = copy / "seg" / table / "query.sql"
            assert text in statement.read_text(encoding="utf-8"), f"{defence} is elsewhere now"
            statement.write_text(statement.read_text(encoding="utf-8").replace(text, instead), encoding="utf-8")
        return replace(self, root=copy)

    def count(self, cookies: Sequence[Cookie], portal_days: int = 400) -> PackageCube:
        """Run the night and return what the campaign's package by hour is made from."""
        catalog = load_catalog(self.root)
        store = Store(Home(self.tmp / f"home-{len(list(self.tmp.iterdir()))}"), catalog, KEYS)
        given = {**references(1), "pseudo__ad_event": _rows(cookies)}
        for night, tables in ((NIGHT, given), (BEFORE, _history(cookies, portal_days))):
            for table, rows in tables.items():
                store.write(table, night, self._table(catalog[table].arrow_schema(), rows))
        engine = DuckEngine(store, self.policy, KEYS, memory_limit="500MB", threads=1)
        for table in catalog.order():
            is_of_people = table.zone is Zone.SEG and table.query is not None
            if is_of_people or table.name == "cube__audience_hour":
                engine.build(table.name, NIGHT)
        engine.close()
        report = self.policy.reports["campaign"]
        report = replace(report, tables=tuple(spec for spec in report.tables if spec.name == "audience_hour"))
        (shape,) = [s for s in package_shapes(self.policy, references(1), NIGHT) if s.report == "campaign"]
        shape = replace(shape, tables=(shape.table("audience_hour"),))
        return project(shape, {"cube__audience_hour": store.read("cube__audience_hour", NIGHT)}, report, self.policy)

    def told(self, cookies: Sequence[Cookie], portal_days: int = 400) -> Mapping[str, int | None]:
        """Return hour band to its impressions as released; None where they are withheld."""
        families = [self.policy.families[name] for name in self.policy.reports["campaign"].families]
        safe = control(self.count(cookies, portal_days), self.policy.rule_sets["standard"], families)
        rows = safe.tables["audience_hour"]
        return dict(zip(rows["hour_band"].to_pylist(), rows["impression_n"].to_pylist(), strict=True))

    @staticmethod
    def _table(schema: pa.Schema, rows: pa.Table | list[dict[str, Any]]) -> pa.Table:
        listed = rows if isinstance(rows, list) else rows.to_pylist()
        return pa.Table.from_pylist([{n: row.get(n) for n in schema.names} for row in listed], schema=schema)


@pytest.fixture
def house(root: Path, policy: Policy, tmp_path: Path) -> House:
    return House(root / "sql", policy, tmp_path)


def test_seasoned_people_are_told(house: House) -> None:
    told = house.told(attack(days=28, nights=3))
    assert told[QUIET] == 2 * (OWN + 1), "cookies of four weeks and three nights are people: mitigation, no proof"
    assert told["ALL"] == 2 * (3 * REAL + OWN + 1) + 60


@pytest.mark.clause("P-03n")
@pytest.mark.parametrize(
    ("defences", "days", "nights"),
    [(("seasoning",), 27, 28), (("nights",), 60, 2), (("seasoning", "nights"), None, 1)],
)
def test_fresh_cookies_tell_nothing_about_a_victim(
    house: House, defences: tuple[str, ...], days: int | None, nights: int
) -> None:
    cookies = attack(days, nights)
    assert house.told(cookies)[QUIET] is None
    assert house.without(*defences).told(cookies)[QUIET] == 2 * (OWN + 1), "or the attack has no power"


def test_what_else_is_told_is_the_same_without_them(house: House) -> None:
    planted, alone = house.told(attack(days=5)), house.told([*real(), Cookie("victim", 3, 60)])
    assert planted["ALL"] == (alone["ALL"] or 0) + 2 * OWN
    assert {**planted, "ALL": None} == {**alone, "ALL": None}


@pytest.mark.clause("P-03n")
@pytest.mark.parametrize("portal_days", [0, 27, 400])
def test_cookies_of_one_network_are_five_people(house: House, portal_days: int) -> None:
    cookies = attack(days=60, network="198.51.100.0/24")
    cube = house.count(cookies, portal_days)
    row = next(row for row in cube.tables["audience_hour"].to_pylist() if row["hour_band"] == QUIET)
    assert (row["people_n"], row["people_counted_n"]) == (OWN + 1, 6)
    assert house.told(cookies, portal_days)[QUIET] is None
    assert house.without("network").told(cookies, portal_days)[QUIET] == 2 * (OWN + 1)


@pytest.mark.parametrize(("portal_days", "told"), [(0, True), (27, True), (28, False), (400, False)])
def test_in_the_portals_first_days_everybody_counts(house: House, portal_days: int, told: bool) -> None:
    assert (house.told(attack(days=None), portal_days)[QUIET] is not None) == told


@pytest.mark.parametrize("numbers", [(13, 3, 5), (28, 1, 5), (28, 3, 11), (28, 3, 0)])
def test_the_policy_cannot_switch_it_off(numbers: tuple[int, int, int]) -> None:
    with pytest.raises(ConfigurationError, match="who_counts"):
        WhoCounts(*numbers)
