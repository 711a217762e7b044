"""From pseudonymous events to cubes on random nights: every cell equals a plain recount, on any number of threads."""

from __future__ import annotations

import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.keys import KeyRing
from quorum.policy import Policy
from quorum.tables import Catalog
from quorum.zones import Home, Zone

NIGHT = date(2026, 11, 21)
MIDNIGHT = datetime(2026, 11, 20, 15)  # noqa: DTZ001 - instants are stored in UTC without zone
KEYS = KeyRing(bytes(range(32)))
Rows = list[dict[str, Any]]


def network_of(cookie: str | None, draw: random.Random) -> str | None:
    """Eight cookies live in one network, travel now and then, and some events come without an address."""
    home_n = 5 if cookie is None else int(cookie[1:]) // 8
    return draw.choice([*[f"203.0.{home_n}.0/24"] * 4, "198.51.100.0/24", None])


def before(seed: int) -> dict[str, Rows]:
    """What the night before left behind: on an even seed a portal of 60 days, on an odd one nothing."""
    draw, first = random.Random(seed), NIGHT - timedelta(days=60)
    if seed % 2:
        return {}
    seen = [
        {
            "person_key": key,
            "person_kind": "member" if key.startswith("m") else "cookie",
            "first_seen_on": NIGHT - timedelta(days=draw.choice([1, 27, 28, 60])),
            "last_seen_on": NIGHT - timedelta(days=1),
            "active_night_n": draw.choice([1, 2, 20, 30]),
        }
        for key in [*(f"c{n}" for n in range(36)), *(f"m{n}" for n in range(12))]
    ]
    return {"seg__first_night": [{"first_night_on": first, "is_bootstrap": False}], "seg__person_seen": seen}


def random_night(seed: int) -> dict[str, Rows]:
    draw = random.Random(seed)
    cookies, members = [f"c{n}" for n in range(40)], [f"m{n}" for n in range(15)]

    def event(hour: int) -> dict[str, Any]:
        at = MIDNIGHT + timedelta(hours=hour, seconds=draw.randrange(3600))
        return {"cookie_key": draw.choice([*cookies, None]), "at": at, "hour": hour}

    events = [event(draw.randrange(24)) for _ in range(1500)]
    heavy = [{**event(n % 24), "cookie_key": "c5"} for n in range(300)]  # one person with more than the bound
    ads = [
        {
            "event_type": draw.choice(["impression"] * 8 + ["click", "conversion"]),
            "campaign_id": draw.choice(["k1", "k2", "k3"]),
            "creative_id": draw.choice(["a", "b", "ALL"]),
            "placement": draw.choice(["top", "mail"]),
            "cookie_key": e["cookie_key"],
            "event_at": e["at"],
            "event_hour": e["hour"],
            "device": draw.choice(["mobile", "desktop"]),
            "is_crawler": e["cookie_key"] == "c7",
            "value_micros": draw.choice([None, draw.randrange(10**12)]),
            "event_key": f"{draw.getrandbits(128):032x}",
            "network": network_of(e["cookie_key"], draw),
        }
        for e in [*events[:1000], *heavy]
    ]
    access = [
        {
            "cookie_key": e["cookie_key"],
            "access_at": e["at"],
            "access_hour": e["hour"],
            "device": draw.choice(["mobile", "desktop"]),
            "section_id": draw.choice(["news", "other"]),
            "is_page_view": draw.random() < 0.7,
            "is_crawler": e["cookie_key"] == "c8",
            "network": network_of(e["cookie_key"], draw),
        }
        for e in events[1000:]
    ]
    logins = [
        {
            "cookie_key": draw.choice(cookies),
            "member_key": draw.choice(members),
            "login_at": MIDNIGHT + timedelta(seconds=n * 700),
        }
        for n in range(60)
    ]
    people = [
        {
            "member_key": key,
            "age_years": draw.choice([17, 25, 33, None]),
            "gender": draw.choice(["female", "male"]),
            "prefecture": draw.choice(["tokyo", "chiba", "osaka", "unknown"]),
            "occupation": draw.choice(["sales", "student"]),
        }
        for key in members[:-1]
    ]
    return {"pseudo__ad_event": ads, "pseudo__access": access, "pseudo__login": logins, "pseudo__member": people}


def build(
    home: Path, catalog: Catalog, policy: Policy, night: Mapping[str, Rows], threads: int, seed: int = 1
) -> Store:
    store = Store(Home(home), catalog, KEYS)
    for day, tables in ((NIGHT, night), (NIGHT - timedelta(days=1), before(seed))):
        for table, rows in tables.items():
            schema = catalog[table].arrow_schema()
            full = [{name: row.get(name) for name in schema.names} for row in rows]
            store.write(table, day, pa.Table.from_pylist(full, schema=schema))
    engine = DuckEngine(store, policy, KEYS, threads=threads)
    for table in catalog.order():
        whole = not any(catalog[read.table].in_memory for read in table.reads)
        if table.query is not None and table.name not in night and not table.zone.is_sealed and whole:
            engine.build(table.name, NIGHT)
    engine.close()
    return store


@pytest.fixture(scope="module", params=[1, 2])
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, catalog: Catalog, policy: Policy
) -> Iterator[tuple[dict[str, Rows], Store]]:
    night = random_night(request.param)
    yield night, build(tmp_path_factory.mktemp("night"), catalog, policy, night, threads=2, seed=request.param)


def person_of(night: Mapping[str, Rows], cookie: str | None, at: datetime) -> str | None:
    """The member of the last login at or before the instant, else the cookie."""
    logins = [row for row in night["pseudo__login"] if row["cookie_key"] == cookie and row["login_at"] <= at]
    return max(logins, key=lambda row: row["login_at"])["member_key"] if logins else cookie


def bots(night: Mapping[str, Rows]) -> set[str | None]:
    seen = [(row["cookie_key"], row["event_at"], row["is_crawler"]) for row in night["pseudo__ad_event"]]
    seen += [(row["cookie_key"], row["access_at"], row["is_crawler"]) for row in night["pseudo__access"]]
    return {person_of(night, cookie, at) for cookie, at, is_crawler in seen if is_crawler} - {None}


def attributes(night: Mapping[str, Rows], policy: Policy, person: str | None) -> dict[str, str]:
    found = next((row for row in night["pseudo__member"] if row["member_key"] == person), None)
    if found is None:
        return dict.fromkeys(("age_band", "gender", "region", "prefecture", "occupation"), "unknown")
    bands = [c.key for c in policy.categories["age_bands"] if c.first is not None and c.last is not None
             and found["age_years"] is not None and c.first <= found["age_years"] <= c.last]  # fmt: skip
    region = next(c.parent for c in policy.categories["prefectures"] if c.key == found["prefecture"])
    kept = {name: found[name] for name in ("gender", "prefecture", "occupation")}
    return {**kept, "age_band": bands[0] if bands else "unknown", "region": str(region)}


def ad_facts(night: Mapping[str, Rows], policy: Policy) -> Rows:
    facts, excluded = [], bots(night)
    bands = {hour: c.key for c in policy.categories["hour_bands"] if c.first is not None and c.last is not None
             for hour in range(c.first, c.last + 1)}  # fmt: skip
    mine: dict[tuple[str, ...], int] = defaultdict(int)
    for row in sorted(night["pseudo__ad_event"], key=lambda row: str(row["event_key"])):
        person = person_of(night, row["cookie_key"], row["event_at"])
        person = None if person in excluded else person
        own_n = str(person), row["campaign_id"], row["event_type"]
        mine[own_n] += person is not None
        is_clipped = mine[own_n] > policy.contribution[row["event_type"]]
        person = None if is_clipped else person
        own = {
            "creative_id": "unknown" if row["creative_id"] == "ALL" else row["creative_id"],
            "placement": row["placement"],
            "device": row["device"],
            "hour_band": bands[row["event_hour"]],
        }
        own = own if person is not None else dict.fromkeys(own, "unknown")
        facts.append(
            {
                **attributes(night, policy, person),
                **own,
                "campaign_id": row["campaign_id"],
                "type": row["event_type"],
                "person": person,
                "value": row["value_micros"] or 0,
                "is_clipped": is_clipped,
            }
        )
    return facts


def who_counts(night: Mapping[str, Rows], store: Store, key: str) -> dict[str, set[str]]:
    """Campaign or section to the people who count: seasoned, and five of a network, drawn by hash."""
    networks: dict[str, Counter[str]] = defaultdict(Counter)
    people: dict[str, set[str]] = defaultdict(set)
    for table, at in (("pseudo__ad_event", "event_at"), ("pseudo__access", "access_at")):
        for row in night[table]:
            person = person_of(night, row["cookie_key"], row[at])
            if person is None or person in bots(night):
                continue
            networks[person].update([row["network"]] if row["network"] else [])
            if key in row and row.get("is_page_view", True):
                people[row[key]].add(person)
    history = NIGHT - timedelta(days=1)
    seen = {row["person_key"]: row for row in store.read("seg__person_seen", history).to_pylist()}
    ripe = {k for k, row in seen.items() if row["first_seen_on"] <= NIGHT - timedelta(days=28)}
    seasoned = {k for k in ripe if seen[k]["active_night_n"] >= 2}
    found: dict[str, set[str]] = {}
    for about, everyone in people.items():
        at_home: dict[str | None, list[str]] = defaultdict(list)
        for person in everyone & seasoned if seen else everyone:
            most = sorted(networks[person].items(), key=lambda one: (-one[1], one[0]))
            at_home[most[0][0] if most else None].append(person)
        found[about] = set(at_home.pop(None, []))
        for own in at_home.values():
            found[about] |= set(sorted(own, key=lambda p: hashlib.sha256(f"{about}|{p}".encode()).hexdigest())[:5])
    return found


def recount(facts: Rows, key: str, dimensions: tuple[str, ...], nested: bool) -> dict[tuple[str, ...], Rows]:
    """Facts by cell, margins included."""
    cells = defaultdict(list)
    for fact in facts:
        values = [fact[name] for name in dimensions]
        for mask in range(2 ** len(dimensions)):
            shown = tuple(v if mask >> n & 1 else "ALL" for n, v in enumerate(values))
            if not (nested and shown[0] == "ALL" and shown[-1] != "ALL"):
                cells[fact[key], *shown].append(fact)
    return cells


AUDIENCES = [
    ("cube__campaign_daily", ("creative_id", "placement"), False),
    ("cube__audience_age_gender", ("age_band", "gender"), False),
    ("cube__audience_area", ("region", "prefecture"), True),
    ("cube__audience_occupation", ("occupation",), False),
    ("cube__audience_device", ("device",), False),
    ("cube__audience_hour", ("hour_band",), False),
]


@pytest.mark.parametrize(("cube", "dimensions", "nested"), AUDIENCES)
def test_every_cell_of_a_campaign_equals_a_plain_recount(
    built: tuple[dict[str, Rows], Store], policy: Policy, cube: str, dimensions: tuple[str, ...], nested: bool
) -> None:
    night, store = built
    wanted = []
    counting = who_counts(night, store, "campaign_id")
    for cell, facts in recount(ad_facts(night, policy), "campaign_id", dimensions, nested).items():
        of = {kind: [f for f in facts if f["type"] == kind] for kind in ("impression", "click", "conversion")}
        heads = {kind: {f["person"] for f in chosen} - {None} for kind, chosen in of.items()}
        counted = {kind: mine & counting[cell[0]] for kind, mine in heads.items()}
        wanted.append(
            {
                **dict(zip(("campaign_id", *dimensions), cell, strict=True)),
                "impression_n": len(of["impression"]),
                "people_n": len(heads["impression"]),
                "people_counted_n": len(counted["impression"]),
                "click_n": len(of["click"]),
                "clicker_n": len(heads["click"]),
                "clicker_counted_n": len(counted["click"]),
                "clicker_rest_n": len(counted["impression"] - counted["click"]),
                "conversion_n": len(of["conversion"]),
                "converter_n": len(heads["conversion"]),
                "converter_counted_n": len(counted["conversion"]),
                "converter_rest_n": len(counted["impression"] - counted["conversion"]),
                "value_micros": sum(f["value"] for f in of["conversion"]),
            }
        )
    wanted.sort(key=lambda row: tuple(row[name] for name in ("campaign_id", *dimensions)))
    assert len(wanted) > 3
    assert all(row["people_counted_n"] < row["people_n"] for row in wanted if set(list(row.values())[1:3]) == {"ALL"})
    assert store.read(cube, NIGHT).to_pylist() == wanted


def test_what_is_beyond_the_bound_is_counted_by_campaign(built: tuple[dict[str, Rows], Store], policy: Policy) -> None:
    night, store = built
    facts = ad_facts(night, policy)
    wanted = [
        {
            "campaign_id": campaign,
            "event_n": sum(fact["campaign_id"] == campaign for fact in facts),
            "clipped_n": sum(fact["campaign_id"] == campaign and fact["is_clipped"] for fact in facts),
        }
        for campaign in ("k1", "k2", "k3")
    ]
    assert all(row["clipped_n"] > 0 for row in wanted)
    assert store.read("cube__clipping", NIGHT).to_pylist() == wanted


def test_section_views_are_counted_once_in_each_table(built: tuple[dict[str, Rows], Store]) -> None:
    night, store = built
    excluded = bots(night)
    views: dict[str, int] = defaultdict(int)
    viewers: dict[str, set[str]] = defaultdict(set)
    for row in night["pseudo__access"]:
        person = person_of(night, row["cookie_key"], row["access_at"])
        if row["is_page_view"] and person not in excluded and not (person is None and row["is_crawler"]):
            views[row["section_id"]] += 1
            viewers[row["section_id"]] |= {person} - {None}  # type: ignore[operator]
    counting = who_counts(night, store, "section_id")
    wanted = {section: (views[section], len(viewers[section]), len(counting[section])) for section in views}
    assert all(viewer_n > counted_n > 0 for _, viewer_n, counted_n in wanted.values())
    for cube in ("section_age_gender", "section_area", "section_device", "section_hour"):
        rows = store.read(f"cube__{cube}", NIGHT).to_pylist()
        total = [row for row in rows if set(list(row.values())[1:-3]) == {"ALL"}]
        found = {row["section_id"]: (row["view_n"], row["viewer_n"], row["viewer_counted_n"]) for row in total}
        assert found == wanted


def test_bytes_do_not_depend_on_threads(tmp_path: Path, catalog: Catalog, policy: Policy) -> None:
    night = random_night(3)
    one = build(tmp_path / "one", catalog, policy, night, threads=1)
    four = build(tmp_path / "four", catalog, policy, night, threads=4)
    for table in catalog.in_zone(Zone.CUBE):
        (first,), (second,) = one.files(table.name, NIGHT), four.files(table.name, NIGHT)
        assert first.read_bytes() == second.read_bytes(), table.name
