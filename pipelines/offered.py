"""What the form of questions offers: what the released packages of each night list, read from their descriptors.

What belongs here: the tables, columns, categories and campaigns that can be asked about, by report and period. What
does not: the form (`pipelines.ask_form`), the answer (`quorum.ask`), and any number.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from quorum.ask import reports_to_ask
from quorum.release.package import DESCRIPTOR
from quorum.report.answer import key_set_of
from quorum.tables.shape import ALL

if TYPE_CHECKING:
    from quorum.policy import Policy, ReportSpec
    from quorum.workspace import Workspace

PERIODS = 60
_NAMED_IN = {"campaign_id": "pseudo__campaign", "section_id": "pseudo__section"}
_Tables = dict[str, dict[str, list[str]]]
_Reports = dict[str, dict[str, _Tables]]
_Names = dict[str, dict[str, str]]
_Package = tuple[str, str, str]


def offered(workspace: Workspace, night: date) -> dict[str, Any]:
    """Return what can be asked about the packages that a night released.

    Args:
        workspace: the open home.
        night: the night.

    Returns:
        ``package_n``: how many packages it released; ``reports``: report to period to table to column to what may be
        chosen of it, the report's key first, nothing of a column that is broken down by alone; ``names``: of each key
        (campaign, section) what is called how in which language.
    """
    return _offered(workspace, night, _released(workspace).get(night, []))


def all_offered(workspace: Workspace, kept: Callable[[date], Mapping[str, Any] | None]) -> dict[str, Any]:
    """Return what can be asked about all that was released and lies in its place, the latest nights first.

    Args:
        workspace: the open home.
        kept: returns the facts of a night; where they do not tell all that it released, its packages are read again.

    Returns:
        ``reports`` and ``names`` as `offered` has them; of each report the latest `PERIODS`.
    """
    reports: _Reports = {report.name: {} for report in reports_to_ask(workspace.policy)}
    names: dict[str, _Names] = {}
    for night, released in sorted(_released(workspace).items(), reverse=True):
        if all(len(periods) >= PERIODS for periods in reports.values()):
            break
        lying = {(package[1], package[2]) for package in released if _folder(workspace, package).is_dir()}
        found = (kept(night) or {}).get("offered", {})
        if found.get("package_n") != len(released):
            found = _offered(workspace, night, released)
        for report, period in sorted(lying):
            if tables := found["reports"].get(report, {}).get(period):
                _join(reports[report].setdefault(period, {}), tables)
        for column, named in found["names"].items():
            names[column] = {**named, **names.get(column, {})}
    latest = {name: dict(list(periods.items())[:PERIODS]) for name, periods in reports.items() if periods}
    return {"reports": latest, "names": names}


def _released(workspace: Workspace) -> dict[date, list[_Package]]:
    """Return recipient, report and period of what was released and may be cut, by the night that released it."""
    asked = {report.name for report in reports_to_ask(workspace.policy)}
    found: dict[date, list[_Package]] = {}
    for body in (entry.body for entry in workspace.ledger.entries("release")):
        if body["report"] in asked:
            package = (body["recipient_id"], body["report"], body["period"])
            found.setdefault(date.fromisoformat(body["night"]), []).append(package)
    return found


def _offered(workspace: Workspace, night: date, released: Iterable[_Package]) -> dict[str, Any]:
    packages = list(released)
    reports: _Reports = {}
    for package in packages:
        _, report, period = package
        if tables := _listed(_folder(workspace, package), workspace.policy.reports[report], workspace.policy):
            _join(reports.setdefault(report, {}).setdefault(period, {}), tables)
    return {"package_n": len(packages), "reports": reports, "names": _names(workspace, night, reports)}


def _folder(workspace: Workspace, package: _Package) -> Path:
    return workspace.home.out.joinpath(*package)


def _listed(folder: Path, report: ReportSpec, policy: Policy) -> _Tables:
    """Return the tables of a package that can be cut, each with its columns; none if its descriptor cannot be read."""
    try:
        descriptor = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))
        columns = {resource["name"]: _columns(resource["schema"]["fields"]) for resource in descriptor["resources"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
    listed = {table.name: columns[table.name] for table in report.tables if report.key in columns.get(table.name, ())}
    return {
        name: {
            column: categories if column == report.key or key_set_of(policy, column) in policy.categories else []
            for column, categories in own.items()
        }
        for name, own in listed.items()
    }


def _columns(fields: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    dimensions = [each for each in fields if each.get("quorum:role") == "dimension"]
    return {each["name"]: [key for key in each["constraints"]["enum"] if key != ALL] for each in dimensions}


def _join(into: _Tables, tables: _Tables) -> None:
    """Add what another recipient's package of the same report and period lists."""
    for name, columns in tables.items():
        own = into.setdefault(name, {})
        for column, categories in columns.items():
            own[column] = list(dict.fromkeys([*own.get(column, []), *categories]))


def _names(workspace: Workspace, night: date, reports: _Reports) -> dict[str, _Names]:
    """Return the names of the campaigns and sections that can be asked about, as the reports of the night have them."""
    found: dict[str, _Names] = {}
    for report, periods in reports.items():
        column = workspace.policy.reports[report].key
        keys = {key for tables in periods.values() for own in tables.values() for key in own[column]}
        rows = workspace.store.read(_NAMED_IN[column], night).to_pylist()
        named = [row for row in rows if row[column] in keys]
        found[column] = {row[column]: {"ja": row["name_ja"], "en": row["name_en"]} for row in named}
    return found
