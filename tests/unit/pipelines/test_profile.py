"""Profiles: each metric against a table small enough to count by hand."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from quorum.engine.duck import DuckEngine
from quorum.engine.store import Store
from quorum.errors import ConfigurationError
from quorum.keys import KeyRing
from quorum.metrics import METRICS, SPECIAL
from quorum.policy import Policy
from quorum.profile import Profiler
from quorum.tables import Catalog
from quorum.zones import Home

NIGHT = date(2026, 11, 21)


@pytest.fixture
def store(home: Home, catalog: Catalog, keys: KeyRing) -> Store:
    return Store(home, catalog, keys)


@pytest.fixture
def profiler(store: Store, policy: Policy, keys: KeyRing) -> Iterator[Profiler]:
    engine = DuckEngine(store, policy, keys, memory_limit="1GB", threads=1)
    yield Profiler(store, engine, policy)
    engine.close()


def rows(catalog: Catalog, table: str, *given: dict[str, object]) -> pa.Table:
    schema = catalog[table].arrow_schema()
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in given], schema)


def person(**changes: object) -> dict[str, object]:
    base = {
        "person_n": 1,
        "person_key": "a",
        "gender": "female",
        "request_n": 3,
        "is_bot": False,
        "prefecture": "tokyo",
    }
    return {**base, **changes}


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("row_n", 4),
        ("null_n(person_key)", 1),
        ("null_n(person_key, gender)", 2),
        ("null_permille(gender)", 250),
        ("negative_n(request_n)", 1),
        ("above_n(request_n, 3)", 1),
        ("below_n(request_n, 3)", 1),
        ("exceeds_n(person_n, request_n)", 2),
        ("outside_n(gender, genders)", 1),
        ("outside_n(gender, genders, robot)", 0),
        ("outside_n(prefecture, tokyo)", 0),
        ("duplicate_n(person_key)", 1),
        ("duplicate_n(person_key, person_n)", 0),
        ("share_permille(is_bot, true)", 500),
        ("share_permille(gender, female)", 500),
        ("previous_permille", 1000),
        ("identifier_n(person_key)", 1),
    ],
)
def test_a_metric_is_a_count(profiler: Profiler, store: Store, catalog: Catalog, metric: str, expected: int) -> None:
    people = rows(
        catalog,
        "seg__person_day",
        person(),
        person(person_n=2, person_key="a", is_bot=True, request_n=9),
        person(person_n=3, person_key=None, gender="robot", request_n=-1, is_bot=True),
        person(person_n=4, person_key="hanako@example.jp", gender=None),
    )
    store.write("seg__person_day", NIGHT, people)
    assert profiler.profile("seg__person_day", NIGHT, [metric]) == {metric: expected}


def test_keys_that_repeat_are_counted_as_often_as_they_do_and_nulls_are_equal(
    profiler: Profiler, store: Store, catalog: Catalog
) -> None:
    keys = [
        ("a", "x"),
        ("a", "x"),
        ("a", "x"),
        ("a", None),
        ("a", None),
        (None, None),
        (None, None),
        ("b", "x"),
        ("c", "a"),
    ]
    people = rows(catalog, "seg__person_day", *(person(person_key=key, gender=gender) for key, gender in keys))
    store.write("seg__person_day", NIGHT, people)
    assert profiler.profile("seg__person_day", NIGHT, ["duplicate_n(person_key, gender)"]) == {
        "duplicate_n(person_key, gender)": 4
    }
    store.write("vault__login", NIGHT, rows(catalog, "vault__login", *({"line_n": n} for n in (1, 2, 2))))
    assert profiler.profile("vault__login", NIGHT, ["duplicate_n(line_n)"]) == {"duplicate_n(line_n)": 1}


def test_a_margin_that_is_not_the_sum_of_its_cells_is_a_gap(profiler: Profiler, store: Store, catalog: Catalog) -> None:
    def cell(region: str, prefecture: str, views: int) -> dict[str, object]:
        return {"section_id": "s", "region": region, "prefecture": prefecture, "view_n": views, "viewer_n": 1}

    def gaps(*cells: dict[str, object]) -> dict[str, int]:
        store.write("cube__section_area", NIGHT, rows(catalog, "cube__section_area", *cells))
        return profiler.profile("cube__section_area", NIGHT, ["gap_n(region, view_n)", "gap_n(prefecture, view_n)"])

    whole = (cell("ALL", "ALL", 7), cell("kanto", "ALL", 5), cell("kinki", "ALL", 2), cell("kanto", "tokyo", 5))
    assert list(gaps(*whole, cell("kinki", "osaka", 2)).values()) == [0, 0]
    assert list(gaps(*whole, cell("kinki", "osaka", 3)).values()) == [0, 1]
    assert list(gaps(cell("ALL", "ALL", 8), *whole[1:], cell("kinki", "osaka", 2)).values()) == [1, 0]


def test_a_measure_where_none_may_be_is_a_mismatch(profiler: Profiler, store: Store, catalog: Catalog) -> None:
    def cell(views: int | None, status: str) -> dict[str, object]:
        return {"section_id": "s", "hour_band": "ALL", "view_n": views, "status_views": status}

    metric = "mismatch_n(view_n, status_views)"
    released = [cell(3, "published"), cell(None, "withheld"), cell(3, "withheld"), cell(None, "published")]
    store.write("safe__section_hour", NIGHT, rows(catalog, "safe__section_hour", *released))
    assert profiler.profile("safe__section_hour", NIGHT, [metric]) == {metric: 2}


def test_a_reference_without_its_row_is_an_orphan(profiler: Profiler, store: Store, catalog: Catalog) -> None:
    store.write("pseudo__recipient", NIGHT, rows(catalog, "pseudo__recipient", {"recipient_id": "r1"}))
    campaigns = [{"campaign_id": c, "recipient_id": r} for c, r in (("c1", "r1"), ("c2", "r2"), ("c3", None))]
    store.write("pseudo__campaign", NIGHT, rows(catalog, "pseudo__campaign", *campaigns))
    metric = "orphan_n(recipient_id, pseudo__recipient.recipient_id)"
    assert profiler.profile("pseudo__campaign", NIGHT, [metric]) == {metric: 1}


def test_rows_are_compared_with_the_night_before(profiler: Profiler, store: Store, catalog: Catalog) -> None:
    def logins(n: int) -> pa.Table:
        return rows(catalog, "vault__login", *({"line_n": i, "login_date": NIGHT} for i in range(n)))

    assert profiler.profile("vault__login", NIGHT, ["previous_permille"]) == {"previous_permille": 1000}
    store.write("vault__login", date(2026, 11, 19), logins(4))
    store.write("vault__login", NIGHT, logins(3))
    assert profiler.profile("vault__login", NIGHT, ["previous_permille"]) == {"previous_permille": 750}


def test_a_missing_partition_has_no_rows(profiler: Profiler) -> None:
    asked = ["row_n", "null_n(gender)", "share_permille(is_bot, true)", "duplicate_n(person_key)"]
    assert set(profiler.profile("seg__person_day", NIGHT, asked).values()) == {0}


@pytest.mark.parametrize(
    "metric",
    ["rows_n", "null_n", "null_n(nobody)", "row_n(gender)", "above_n(request_n)", "orphan_n(gender)", "null_n(a", ""],
)
def test_what_cannot_be_counted_is_refused(profiler: Profiler, metric: str) -> None:
    with pytest.raises(ConfigurationError, match=r"profile\.metric"):
        profiler.profile("seg__person_day", NIGHT, [metric])


def test_every_metric_is_used_by_a_suite(root: Path) -> None:
    written = "".join(path.read_text(encoding="utf-8") for path in (root / "expectations").glob("*.json"))
    told = {"distinct_n"}  # the metadata of an asset asks for it
    assert [name for name in {*METRICS, *SPECIAL} - told if f'"{name}' not in written] == []


def test_rows_are_compared_with_the_middle_one_of_the_same_weekdays(
    profiler: Profiler, store: Store, catalog: Catalog
) -> None:
    def logins(n: int) -> pa.Table:
        return rows(catalog, "vault__login", *({"line_n": i, "login_date": NIGHT} for i in range(n)))

    assert profiler.profile("vault__login", NIGHT, ["weekday_permille"]) == {"weekday_permille": 1000}
    store.write("vault__login", NIGHT - timedelta(days=1), logins(100))
    for weeks, count in ((1, 10), (2, 40), (3, 20), (5, 1000)):
        store.write("vault__login", NIGHT - timedelta(weeks=weeks), logins(count))
    store.write("vault__login", NIGHT, logins(5))
    assert profiler.profile("vault__login", NIGHT, ["weekday_permille"]) == {"weekday_permille": 250}


def test_old_rows_and_silent_hours_are_counted(profiler: Profiler, store: Store, catalog: Catalog) -> None:
    asked = ["late_permille(access_date)", "silent_hour_n(access_hour)"]
    assert set(profiler.profile("pseudo__access", NIGHT, asked).values()) == {0}
    given = [{"access_date": NIGHT - timedelta(days=n == 0), "access_hour": n % 2} for n in range(4)]
    store.write("pseudo__access", NIGHT, rows(catalog, "pseudo__access", *given))
    assert list(profiler.profile("pseudo__access", NIGHT, asked).values()) == [250, 22]


def test_what_is_published_is_held_against_the_number_of_its_report(
    profiler: Profiler, store: Store, catalog: Catalog, policy: Policy
) -> None:
    def cell(report: str, viewers: int | None) -> dict[str, object]:
        return {"report": report, "section_id": "s", "viewer_n": viewers, "status_views": "published"}

    metric = "under_k_n(viewer_n, views)"
    site, sections = (policy.rule_sets[name].heads["views"] for name in ("site", "standard"))
    sound = [cell("site", site), cell("sections", sections), cell("sections", 0), cell("sections", None)]
    broken = [cell("site", site - 1), cell("sections", site), cell("unheard_of", 10**6)]
    store.write("safe__section_area", NIGHT, rows(catalog, "safe__section_area", *sound, *broken))
    assert profiler.profile("safe__section_area", NIGHT, [metric]) == {metric: len(broken)}


def test_a_family_without_the_one_that_it_requires_is_counted(
    profiler: Profiler, store: Store, catalog: Catalog
) -> None:
    def cell(clicks: str, impressions: str | None) -> dict[str, object]:
        return {"status_clicks": clicks, "status_impressions": impressions}

    metric = "without_n(status_clicks, status_impressions)"
    given = [cell("published", "published"), cell("withheld", "withheld"), cell("published", "withheld")]
    given += [cell("published", None)]
    store.write("safe__audience_area", NIGHT, rows(catalog, "safe__audience_area", *given))
    assert profiler.profile("safe__audience_area", NIGHT, [metric]) == {metric: 2}
