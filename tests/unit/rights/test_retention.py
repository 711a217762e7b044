"""Retention: what goes, what is carried, what is proved, and that no contract keeps more than it may."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
from conftest_rights import everything

from quorum.desk import Desk
from quorum.errors import ConfigurationError, LedgerError, PolicyError, ReleaseError
from quorum.packages import Packages
from quorum.policy import Actor, Policy
from quorum.rights import retention
from quorum.rights.retention import limits_of, run_retention, survey
from quorum.tables import Catalog
from quorum.zones import Zone

TODAY = date(2026, 11, 21)
OLD, LAST, FIRST = (TODAY - timedelta(days=days) for days in (500, 400, 399))
"""Gone for long, just gone, and the first day that a vault of 400 days keeps."""


def at(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time())


@pytest.fixture
def full(desk: Desk, put: Any) -> Desk:
    desk.ledger.finish_night(TODAY, "inputs", {})
    put(
        "vault__member",
        OLD,
        {"member_id": "m-1", "updated_at": at(OLD), "nickname": "old"},
        {"member_id": "m-2", "updated_at": at(OLD), "nickname": "old"},
        {"member_id": "m-3", "updated_at": at(FIRST), "nickname": "clock"},
    )
    put("vault__member", LAST, {"member_id": "m-1", "updated_at": at(LAST), "nickname": "newer"})
    put("vault__member", FIRST, {"member_id": "m-2", "updated_at": at(FIRST), "nickname": "newest"})
    put("vault__member", TODAY, {"member_id": "m-3", "updated_at": at(OLD), "nickname": "late"})
    choice = {"scope": "ads", "member_id": "m-1"}
    put(
        "vault__preference",
        OLD,
        {**choice, "event_id": "a", "choice": "opt_out", "preference_at": at(OLD)},
        {**choice, "event_id": "b", "choice": "opt_out", "preference_at": at(LAST)},
        {**choice, "event_id": "c", "choice": "opt_in", "preference_at": at(OLD)},
        {**choice, "event_id": "d", "choice": "opt_out", "preference_at": at(OLD), "recipient_id": "adv-1"},
    )
    put("vault__refusal", OLD, {"request_id": "q-1", "review_on": TODAY}, {"request_id": "q-2", "review_on": OLD})
    put("vault__refusal", OLD, {"request_id": "q-3"}, part="more")
    put("vault__request", OLD, {"request_id": "q-4", "kind": "erase"}, {"request_id": "q-5", "kind": "access"})
    put("vault__disclosure", OLD, {"disclosure_id": "d-1"})
    three_years = limits_of(desk.policy, desk.catalog.tables)["vault__disclosure"]
    assert three_years >= 3 * 365 + 1
    put("vault__disclosure", TODAY - timedelta(days=three_years), {"disclosure_id": "d-2"})
    put("vault__login", OLD, {"event_id": "l-1"})
    put("vault__login", FIRST, {"event_id": "l-2"})
    put("seg__event", TODAY - timedelta(days=7), {"event_type": "request"})
    put("seg__event", TODAY - timedelta(days=6), {"event_type": "request"})
    put("cube__campaign_daily", OLD, {"campaign_id": "c"})
    put("pseudo__access", TODAY + timedelta(days=30), {"line_n": 1})
    for period in ("2016-11-20", "2016-11-24", "2016-W47", "2016-11", "2026-11-21.r2"):
        (desk.home.out / "adv-1" / "campaign" / period).mkdir(parents=True)
    (desk.home.out / ".staging" / "a" / "2010-01-01").mkdir(parents=True)
    return desk


def names(desk: Desk, table: str, column: str) -> list[Any]:
    return [row[column] for row in everything(desk)[table]]


def test_what_is_older_goes_and_what_stands_is_carried(full: Desk) -> None:
    report = run_retention(full, None, is_dry=False)
    assert sorted(names(full, "vault__member", "nickname")) == ["clock", "late", "newer", "newest"]
    assert sorted(names(full, "vault__preference", "event_id")) == ["b", "c", "d"]
    assert names(full, "vault__refusal", "request_id") == ["q-1"]
    assert names(full, "vault__request", "request_id") == ["q-4"]
    assert names(full, "vault__disclosure", "disclosure_id") == ["d-1"]
    assert names(full, "vault__login", "event_id") == ["l-2"]
    assert len(names(full, "seg__event", "event_type")) == 1
    assert len(names(full, "cube__campaign_daily", "campaign_id")) == len(names(full, "pseudo__access", "line_n")) == 1
    assert sorted(path.name for path in full.home.out.glob("adv-1/*/*")) == [
        "2016-11",
        "2016-11-24",
        "2016-W47",
        "2026-11-21.r2",
    ]
    lines = {line["table"]: line for line in report["tables"]}
    assert lines["vault__member"] == {
        "table": "vault__member",
        "zone": "vault",
        "days": 400,
        "first_kept": str(FIRST),
        "removed": 2,
        "carried": 2,
        "oldest_left": str(FIRST),
    }
    assert (lines["vault__disclosure"]["removed"], lines["seg__event"]["days"]) == (1, 7)
    assert lines["out"]["removed"] == 1
    entry = full.ledger.entries("retention")[-1].body
    assert entry["removed"]["vault__member"] == {"n": 2, "first": str(OLD), "last": str(LAST)}
    assert entry["packages"] == ["adv-1/campaign/2016-11-20"]


def test_run_again_it_changes_nothing_and_a_later_day_carries_on(full: Desk) -> None:
    run_retention(full, None, is_dry=False)
    before = everything(full)
    assert run_retention(full, None, is_dry=False)["removed"] == 0
    assert everything(full) == before
    assert len(full.ledger.entries("retention")) == 1
    full.ledger.finish_night(TODAY + timedelta(days=30), "inputs", {})
    run_retention(full, None, is_dry=False)
    assert sorted(names(full, "vault__member", "nickname")) == ["clock", "late", "newer", "newest"]
    assert sorted(names(full, "vault__preference", "event_id")) == ["b", "c", "d"]
    assert names(full, "vault__refusal", "request_id") == []


def test_a_package_whose_days_are_over_is_not_missed_and_another_one_is(full: Desk) -> None:
    night = date(2016, 11, 20)
    full.ledger.enter_release("adv-1", "campaign", str(night), night, "digest", {})
    packages = Packages(full.store, full.policy, full.keys, full.ledger)
    run_retention(full, None, is_dry=False)
    assert packages.stored(night) == []
    full.ledger.enter_release("adv-2", "campaign", str(night), night, "digest", {})
    with pytest.raises(ReleaseError):
        packages.stored(night)


def test_a_dry_run_tells_the_same_and_does_nothing(full: Desk) -> None:
    before = everything(full)
    told = run_retention(full, None, is_dry=True)
    assert everything(full) == before
    assert not full.ledger.entries("retention")
    done = run_retention(full, None, is_dry=False)
    assert [line["removed"] for line in told["tables"]] == [line["removed"] for line in done["tables"]]


def test_killed_between_carrying_and_removing_it_goes_on(full: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(retention, "_remove", killed)
        with pytest.raises(KeyboardInterrupt):
            run_retention(full, None, is_dry=False)
    run_retention(full, None, is_dry=False)
    assert sorted(names(full, "vault__member", "nickname")) == ["clock", "late", "newer", "newest"]
    assert sorted(names(full, "vault__preference", "event_id")) == ["b", "c", "d"]


def test_what_could_not_be_removed_is_said(full: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention.shutil, "rmtree", lambda *_: None)
    with pytest.raises(LedgerError, match=r"vault__member"):
        run_retention(full, None, is_dry=False)
    assert not all(kept.is_kept for kept in survey(full, TODAY))


def test_only_who_may_and_not_beyond_the_latest_night(full: Desk) -> None:
    analyst = Desk(full.home, full.policy, full.keys, full.ledger, full.store, full.engine, Actor("x", "analyst"))
    with pytest.raises(PolicyError):
        run_retention(analyst, None, is_dry=True)
    with pytest.raises(ConfigurationError):
        run_retention(full, TODAY + timedelta(days=1), is_dry=True)


def test_an_open_case_keeps_its_enquiry(full: Desk, put: Any, key: Any) -> None:
    put("vault__enquiry", OLD, {"request_id": "e-1"}, {"request_id": "e-2"}, {"request_id": "e-3"})
    for request in ("e-1", "e-2"):
        full.ledger.append("case_open", {"case": f"c-{key('event', request)[:12]}"})
    full.ledger.append("case_close", {"case": f"c-{key('event', 'e-2')[:12]}"})
    run_retention(full, None, is_dry=False)
    assert names(full, "vault__enquiry", "request_id") == ["e-1"]


def test_no_contract_keeps_more_than_its_zone(catalog: Catalog, policy: Policy, tmp_path: Path) -> None:
    limits = limits_of(policy, catalog.tables)
    for name, days in limits.items():
        assert days <= policy.retention_days[catalog[name].zone] or name == "vault__disclosure"
    greedy = replace(catalog["seg__event"], retention="401")
    with pytest.raises(ConfigurationError, match=r"retention\.more"):
        limits_of(policy, {**catalog.tables, "seg__event": greedy})


@pytest.mark.parametrize(
    "text",
    [
        "exceptions: {vault__nobody: {days: 9, why: law}}",
        "exceptions: {seg__event: {days: 9}}",
        "exceptions: {seg__event: {days: 9, why: ''}}",
    ],
)
def test_an_exception_without_table_or_reason_is_refused(
    catalog: Catalog, policy: Policy, tmp_path: Path, text: str
) -> None:
    (tmp_path / "retention.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError):
        limits_of(replace(policy, folder=tmp_path), catalog.tables)


def test_a_shorter_policy_removes_more(full: Desk) -> None:
    short = MappingProxyType(
        {**full.policy.retention_days, Zone.VAULT: 1, Zone.PSEUDO: 1, Zone.SEG: 1, Zone.EXTRACT: 1}
    )
    desk = Desk(
        full.home,
        replace(full.policy, retention_days=short),
        full.keys,
        full.ledger,
        full.store,
        full.engine,
        full.actor,
    )
    with pytest.raises(ConfigurationError):
        run_retention(desk, None, is_dry=True)  # seg__event keeps 7 days: more than its zone now
