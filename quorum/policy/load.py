"""Reads ``policy/`` into `Policy`; an unknown field, a missing file or a dangling name is refused.

What belongs here: parsing and cross-checks. What does not: defaults that a file forgot to state.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from quorum.errors import ConfigurationError
from quorum.policy.types import (
    Category,
    DataCategory,
    DimensionSpec,
    FamilySpec,
    Policy,
    Purpose,
    ReportSpec,
    Role,
    RuleSet,
    Scope,
    TableSpec,
)
from quorum.zones import Zone

_TOKYO = timedelta(hours=9)  # Asia/Tokyo has had no summer time since 1951
KEY_SETS = (
    "age_bands",
    "genders",
    "devices",
    "systems",
    "hour_bands",
    "placements",
    "occupations",
    "regions",
    "prefectures",
)


def load_policy(folder: Path) -> Policy:
    """Load and check the policy.

    Args:
        folder: the ``policy`` folder.

    Raises:
        ConfigurationError: a file is missing, malformed, below a floor, or names something that is not declared.
    """
    document = _read(folder, "policy.yaml")
    columns = _columns(_read(folder, "columns.yaml"))
    reports = _read(folder, "reports.yaml")
    roles = _read(folder, "roles.yaml")
    policy = Policy(
        version=document["version"],
        digest=_digest(folder),
        effective_at=_instant(document["effective_on"]),
        purposes=MappingProxyType(_purposes(document)),
        scopes=MappingProxyType(
            {
                code: Scope(code, tuple(spec.get("stops", ())), tuple(spec.get("provides", ())))
                for code, spec in document["scopes"].items()
            }
        ),
        roles=MappingProxyType(
            {
                name: Role(name, tuple(spec["purposes"]), tuple(spec.get("acts", ())))
                for name, spec in roles["roles"].items()
            }
        ),
        actors=MappingProxyType(dict(roles["actors"])),
        unlisted_role=roles["unlisted"],
        columns=MappingProxyType(columns),
        rule_sets=MappingProxyType(_rule_sets(_read(folder, "disclosure.yaml"))),
        dimensions=MappingProxyType(_dimensions(reports)),
        families=MappingProxyType({name: FamilySpec(name, **spec) for name, spec in reports["families"].items()}),
        reports=MappingProxyType(_reports(reports)),
        categories=MappingProxyType(_categories(_read(folder, "categories.yaml"))),
        postal_prefixes=_postal(folder / "postal_prefectures.csv"),
        limits=MappingProxyType(dict(_read(folder, "categories.yaml")["limits"])),
        retention_days=MappingProxyType(
            {zone: spec["days"] for zone, spec in _read(folder, "retention.yaml")["zones"].items()}
        ),
        recipients=MappingProxyType(dict(_read(folder, "recipients.yaml")["recipients"])),
        folder=folder,
    )
    _check(policy)
    return policy


def _read(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not path.is_file():
        raise ConfigurationError("policy.missing", f"no {name} in the policy folder", "all files of policy/")
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError:
        raise ConfigurationError("policy.syntax", f"{name} is not YAML") from None
    if not isinstance(content, dict):
        raise ConfigurationError("policy.syntax", f"{name} is not a mapping")
    return content


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _purposes(document: Mapping[str, Any]) -> dict[str, Purpose]:
    attr = tuple(document["attr"])
    return {
        code: Purpose(
            code=code,
            name_ja=spec["name_ja"],
            name_en=spec["name_en"],
            uses=_expanded(spec["uses"], attr),
            touches=_expanded(spec.get("touches", ()), attr),
            effective_at=_instant(spec.get("effective_on", document["effective_on"])),
            uses_from=MappingProxyType({c: _instant(on) for c, on in spec.get("uses_from", {}).items()}),
        )
        for code, spec in document["purposes"].items()
    }


def _expanded(codes: Iterable[str], attr: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(c for code in codes for c in (attr if code == "ATTR" else (code,))))


def _instant(on: object) -> datetime:
    """Return the instant, in UTC without a zone, at which a civil date in Asia/Tokyo begins."""
    if not isinstance(on, date) or isinstance(on, datetime):
        raise ConfigurationError("policy.date", "a date of effect that is none", "YYYY-MM-DD, a date in Asia/Tokyo")
    return datetime.combine(on, time()) - _TOKYO


def _columns(document: Mapping[str, Any]) -> dict[str, DataCategory]:
    zones = {zone.value for zone in Zone}
    columns = {}
    for code, spec in document["categories"].items():
        if not set(spec["zones"]) <= zones:
            raise ConfigurationError("policy.zone", f"category {code} names an unknown zone", ", ".join(sorted(zones)))
        columns[code] = DataCategory(code, spec["class"], spec["ja"], spec["en"], tuple(spec["zones"]))
    return columns


def _rule_sets(document: Mapping[str, Any]) -> dict[str, RuleSet]:
    return {
        name: RuleSet(
            name=name,
            heads=MappingProxyType(dict(spec["heads"])),
            outside=spec["outside"],
            p_percent=spec["p_percent"],
            dominance_n=spec["dominance"]["n"],
            dominance_percent=spec["dominance"]["share_percent"],
            single_share_percent=spec["single_share_percent"],
        )
        for name, spec in document["rule_sets"].items()
    }


def _dimensions(document: Mapping[str, Any]) -> dict[str, DimensionSpec]:
    return {
        name: DimensionSpec(
            name, tuple(spec["levels"]), spec["keys"], bool(spec["partitions_people"]), spec.get("below")
        )
        for name, spec in document["dimensions"].items()
    }


def _reports(document: Mapping[str, Any]) -> dict[str, ReportSpec]:
    return {
        name: ReportSpec(
            name=name,
            name_ja=spec["name_ja"],
            name_en=spec["name_en"],
            recipient_kinds=tuple(spec["recipient_kinds"]),
            rule_set=spec["rule_set"],
            periods=tuple(spec["periods"]),
            universe=spec["universe"],
            key=spec["key"],
            families=tuple(spec["families"]),
            tables=tuple(
                TableSpec(table, body["cube"], tuple(body["dimensions"])) for table, body in spec["tables"].items()
            ),
        )
        for name, spec in document["reports"].items()
    }


def _categories(document: Mapping[str, Any]) -> dict[str, tuple[Category, ...]]:
    missing = set(KEY_SETS) - set(document)
    if missing:
        raise ConfigurationError("policy.categories", f"no key set {sorted(missing)[0]} in categories.yaml")
    return {
        key_set: tuple(
            Category(
                key=str(entry["key"]),
                ja=entry["ja"],
                en=entry["en"],
                first=entry.get("from"),
                last=entry.get("to"),
                terms=tuple(str(term).lower() for term in entry.get("terms", ())),
                parent=entry.get("region"),
            )
            for entry in document[key_set]
        )
        for key_set in KEY_SETS
    }


def _postal(path: Path) -> tuple[tuple[str, str], ...]:
    if not path.is_file():
        raise ConfigurationError("policy.missing", f"no {path.name} in the policy folder")
    with path.open(encoding="utf-8", newline="") as lines:
        return tuple((row["prefix"], row["prefecture"]) for row in csv.DictReader(lines))


def _check(policy: Policy) -> None:
    """Refuse dangling names, so that nothing is skipped in silence later."""
    regions = {category.key for category in policy.categories["regions"]}
    for prefecture in policy.categories["prefectures"]:
        _known("prefecture's region", prefecture.parent or "", regions)
    prefectures = {category.key for category in policy.categories["prefectures"]}
    for _, prefecture_key in policy.postal_prefixes:
        _known("postal prefix's prefecture", prefecture_key, prefectures)
    for code, purpose in policy.purposes.items():
        for use in (*purpose.uses, *purpose.touches, *purpose.uses_from):
            _known(f"category of {code}", use, set(policy.columns))
    for code, scope in policy.scopes.items():
        for stopped in scope.stops:
            _known(f"purpose of scope {code}", stopped, set(policy.purposes))
        for provided in scope.provides:
            _known(f"category of scope {code}", provided, set(policy.columns))
    for name, role in policy.roles.items():
        for granted in role.purposes:
            _known(f"purpose of role {name}", granted, set(policy.purposes))
    for role_name in (*policy.actors.values(), policy.unlisted_role):
        _known("role of an actor", role_name, set(policy.roles))
    for report in policy.reports.values():
        _known("rule set", report.rule_set, set(policy.rule_sets))
        for family in report.families:
            _known("family", family, set(policy.families))
            _known("head count of family", family, set(policy.rule_sets[report.rule_set].heads))
        for table in report.tables:
            for dimension in table.dimensions:
                _known("dimension", dimension, set(policy.dimensions))
    for zone in Zone:
        _known("retention of zone", zone.value, set(policy.retention_days))


def _known(what: str, name: str, known: set[str]) -> None:
    if name not in known:
        raise ConfigurationError(
            "policy.unknown", f"{what} {name!r}", "a declared one", "declare it or correct the name"
        )
