"""How long anything is kept: partitions and packages beyond their days go, and what is left is looked through again.

State that still stands when its partition goes (the last version of a member, a choice, a decision) is carried first
into the oldest partition that stays, as the contract of the table says. Then the ledger tells what goes, then it goes.

What belongs here: limits, what goes, and the proof. What does not: which rows are carried (`quorum.rights.carry`).
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from quorum.desk import Desk
from quorum.errors import ConfigurationError, LedgerError
from quorum.policy import Policy
from quorum.policy.grants import check_may_act
from quorum.rights.carry import carry
from quorum.tables import Table
from quorum.zones import Home, Zone

ACT = "retention"
_FILE = "retention.yaml"
_PERIOD = re.compile(r"(\d{4})-(?:W(\d{2})|(\d{2})(?:-(\d{2}))?)(?:\.r\d+)?")


@dataclass(frozen=True)
class Kept:
    """What is kept of a table, or of the packages.

    Args:
        name: the table, or ``out``.
        zone: its zone.
        days: how many days are kept.
        first: the first day that is kept.
        gone: partitions, or periods of packages, that are older.
        oldest: the oldest one that is there; None if there is none.
    """

    name: str
    zone: Zone
    days: int
    first: date
    gone: tuple[str, ...]
    oldest: str | None

    @property
    def is_kept(self) -> bool:
        """Whether nothing older than the limit is there."""
        return not self.gone


def run_retention(desk: Desk, as_of: date | None, *, is_dry: bool) -> dict[str, Any]:
    """Remove what is older than its retention, and prove that nothing older is left.

    Args:
        desk: who acts, and where; the lock of the home must be held.
        as_of: the day that counts as the last one; the latest night that is done if None.
        is_dry: only tell what would go.

    Returns:
        For each table and the packages: days, what went, what was carried, the oldest that is left. JSON-compatible.

    Raises:
        PolicyError: the role may not.
        ConfigurationError: a contract keeps more than its zone may; or a date after the latest night that is done.
        LedgerError: something older than its limit is still there afterwards.
    """
    check_may_act(desk.policy, desk.actor, ACT)
    latest = desk.latest_night()
    day = as_of or latest
    if day > latest:
        raise ConfigurationError("retention.date", f"retention as of {day}", f"{latest}, the latest night, or earlier")
    before = survey(desk, day)
    if is_dry:
        return _report(day, before, before, {}, is_dry=True)
    going = [kept for kept in before if kept.gone]
    carried = {
        kept.name: carry(desk, kept.name, kept.gone, kept.first, day) for kept in going if kept.zone is not Zone.OUT
    }
    carried = {name: rows for name, rows in carried.items() if rows}
    if going:
        removed = {kept.name: {"n": len(kept.gone), "first": kept.gone[0], "last": kept.gone[-1]} for kept in going}
        packages = [period for kept in going if kept.zone is Zone.OUT for period in kept.gone]
        body = {"as_of": day.isoformat(), "removed": removed, "carried": carried, "packages": packages}
        desk.ledger.append(ACT, {**body, "policy_version": desk.policy.version})
    for kept in going:
        _remove(desk.store.home, kept)
    after = survey(desk, day)
    left = [kept.name for kept in after if not kept.is_kept]
    if left:
        raise LedgerError("retention.left", f"{', '.join(left)} still hold what is older", "", "remove it by hand")
    return _report(day, before, after, carried, is_dry=False)


def nights_going(desk: Desk, as_of: date | None) -> list[date]:
    """Return the nights of which retention would remove what packages are made from; arguments as `run_retention`."""
    day = as_of or desk.latest_night()
    gone = {name for kept in survey(desk, day) if kept.zone is not Zone.OUT for name in kept.gone}
    return sorted(map(date.fromisoformat, gone))


def survey(desk: Desk, day: date) -> list[Kept]:
    """Return what is kept of every table and of the packages, and what of it is older than its limit."""
    limits = limits_of(desk.policy, desk.catalog.tables)
    found = []
    for name, days in limits.items():
        nights = [night.isoformat() for night in _partitions(desk.store.home, name)]
        found.append(_kept(name, desk.catalog[name].zone, days, day, nights, nights))
    days = desk.policy.retention_days[Zone.OUT]
    packages = sorted(_packages(desk.store.home), key=_last_day)
    last_days = [_last_day(package).isoformat() for package in packages]
    return [*found, _kept("out", Zone.OUT, days, day, packages, last_days)]


def limits_of(policy: Policy, tables: Mapping[str, Table]) -> dict[str, int]:
    """Return the days that each kept table keeps a partition, by name.

    Raises:
        ConfigurationError: a contract keeps more than its zone, without an exception in ``retention.yaml``; or an
            exception is about no table or says no reason.
    """
    exceptions = _exceptions(policy.folder)
    unknown = set(exceptions) - set(tables)
    if unknown:
        raise ConfigurationError("retention.exception", f"an exception for {sorted(unknown)[0]}", "a table of sql/")
    limits = {}
    for name, table in sorted(tables.items()):
        if table.in_memory:
            continue
        zone_days = policy.retention_days[Zone(table.retention) if table.retention in set(Zone) else table.zone]
        own = int(table.retention) if table.retention.isdigit() else zone_days
        if own > policy.retention_days[table.zone]:
            raise ConfigurationError(
                "retention.more",
                f"{name} for {own} days",
                f"the {policy.retention_days[table.zone]} days of its zone, or an exception in {_FILE} with its reason",
            )
        limits[name] = exceptions.get(name, own)
    return limits


def _exceptions(folder: Path) -> dict[str, int]:
    document = yaml.safe_load((folder / _FILE).read_text(encoding="utf-8"))
    stated = document.get("exceptions") or {}
    for name, spec in stated.items():
        is_whole = isinstance(spec, dict) and set(spec) == {"days", "why"} and isinstance(spec["days"], int)
        if not is_whole or not str(spec["why"]).strip():
            raise ConfigurationError("retention.exception", f"the exception for {name}", "days, and why")
    return {name: spec["days"] for name, spec in stated.items()}


def _kept(name: str, zone: Zone, days: int, day: date, names: list[str], last_days: list[str]) -> Kept:
    first = day - timedelta(days=days - 1)
    gone = tuple(each for each, last in zip(names, last_days, strict=True) if last < first.isoformat())
    return Kept(name, zone, days, first, gone, last_days[0] if last_days else None)


def _partitions(home: Home, table: str) -> list[date]:
    """Return every partition that has a folder, also an empty one."""
    return sorted(date.fromisoformat(path.name.removeprefix("date=")) for path in home.table(table).glob("date=*"))


def _packages(home: Home) -> list[str]:
    return [
        path.relative_to(home.out).as_posix()
        for path in home.out.glob("*/*/*")
        if path.is_dir() and _PERIOD.fullmatch(path.name) and not path.relative_to(home.out).parts[0].startswith(".")
    ]


def _last_day(package: str) -> date:
    """Return the last day of a package's period: a day, a week or a month."""
    match = _PERIOD.fullmatch(package.rsplit("/", 1)[-1])
    if match is None:
        raise ValueError("not a period")
    year, week, month, day = match.groups()
    if week:
        return date.fromisocalendar(int(year), int(week), 7)
    if day:
        return date(int(year), int(month), int(day))
    following = date(int(year) + int(month) // 12, int(month) % 12 + 1, 1)
    return following - timedelta(days=1)


def _remove(home: Home, kept: Kept) -> None:
    folders = [
        home.out / each if kept.zone is Zone.OUT else home.table(kept.name) / f"date={each}" for each in kept.gone
    ]
    for folder in folders:
        shutil.rmtree(folder)


def _report(
    day: date, before: list[Kept], after: list[Kept], carried: Mapping[str, int], *, is_dry: bool
) -> dict[str, Any]:
    lines = [
        {
            "table": old.name,
            "zone": old.zone.value,
            "days": old.days,
            "first_kept": old.first.isoformat(),
            "removed": len(old.gone),
            "carried": carried.get(old.name, 0),
            "oldest_left": new.oldest,
        }
        for old, new in zip(before, after, strict=True)
    ]
    return {"as_of": day.isoformat(), "dry_run": is_dry, "removed": sum(len(k.gone) for k in before), "tables": lines}
