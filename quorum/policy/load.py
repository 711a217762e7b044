"""Reads ``policy/`` into `Policy`; an unknown field, a missing file or a dangling name is refused.

What belongs here: the files together, and what they owe each other. What does not: each file
(`quorum.policy.law`, `quorum.policy.reports`), and defaults that a file forgot to state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from zoneinfo import ZoneInfo

from quorum.errors import ConfigurationError, PolicyError
from quorum.policy import closed, law, reports
from quorum.policy.clauses import clauses
from quorum.policy.decisions import check_decisions, read_decisions
from quorum.policy.fields import day, fields, instant, number, read, texts
from quorum.policy.sensitive import Matter, matter_of, matters
from quorum.policy.targets import targets
from quorum.policy.types import Policy

_WHERE = "recipients.yaml"
_ITS_OWN = ("COOKIE", "MEMBER", "KEY")
"""What names a person to the portal; nobody else can read it."""


def load_policy(folder: Path, today: date | None = None) -> Policy:
    """Load and check the policy.

    Args:
        folder: the ``policy`` folder.
        today: civil date in Asia/Tokyo on which decision records are judged: an expired one widens nothing; the clock's
            if None.

    Raises:
        ConfigurationError: a file is missing, malformed, below a floor, or names something that is not declared.
        PolicyError: the policy is wider than the closed lists and the decision records in force; see
            `quorum.policy.closed`.
    """
    on = today or datetime.now(ZoneInfo("Asia/Tokyo")).date()
    document = read(folder, "policy.yaml")
    law.check_policy_fields(document)
    sensitive = matters(read(folder, "sensitive.yaml"))
    columns = law.columns(read(folder, "columns.yaml"), sensitive)
    decisions = read_decisions(folder)
    in_force = tuple(decision for decision in decisions if decision.holds(on))
    purposes = law.purposes(document, in_force)
    attr = texts("policy.yaml: attr", document["attr"])
    names = {category.code: (category.ja, category.en) for category in columns.values()}
    about = {category.code for category in columns.values() if category.is_sensitive}
    closed.check_closed(attr, purposes, columns, about, in_force)
    check_decisions(decisions, sensitive, names, about, closed.ATTR_ONLY)
    roles, actors, unlisted_role = law.roles(read(folder, "roles.yaml"))
    published = fields("reports.yaml", read(folder, "reports.yaml"), ["families", "dimensions", "reports"])
    key_sets = fields("categories.yaml", read(folder, "categories.yaml"), ["limits", *reports.KEY_SETS])
    disclosure = read(folder, "disclosure.yaml")
    policy = Policy(
        version=number("policy.yaml: version", document["version"]),
        digest=_digest(folder),
        effective_on=day("policy.yaml: effective_on", document["effective_on"]),
        effective_at=instant("policy.yaml: effective_on", document["effective_on"]),
        attr=attr,
        purposes=MappingProxyType(purposes),
        scopes=MappingProxyType(law.scopes(document)),
        roles=MappingProxyType(roles),
        actors=MappingProxyType(actors),
        unlisted_role=unlisted_role,
        columns=MappingProxyType(columns),
        rule_sets=MappingProxyType(reports.rule_sets(disclosure)),
        contribution=MappingProxyType(reports.contribution(disclosure)),
        clipped_classes=reports.clipped_classes(disclosure),
        who_counts=reports.who_counts(disclosure),
        dimensions=MappingProxyType(reports.dimensions(published)),
        families=MappingProxyType(reports.families(published)),
        reports=MappingProxyType(reports.reports(published)),
        categories=MappingProxyType(reports.categories(key_sets)),
        postal_prefixes=reports.postal_prefixes(folder / "postal_prefectures.csv"),
        limits=MappingProxyType(dict(key_sets["limits"])),
        retention_days=MappingProxyType(law.retention_days(read(folder, "retention.yaml"))),
        recipients=MappingProxyType(targets(read(folder, _WHERE))),
        folder=folder,
        clauses=MappingProxyType(clauses(read(folder, "clauses.yaml"))),
        decisions=decisions,
        matters=sensitive,
        registration=law.registration(document),
        third_parties=law.third_parties(document),
        contact=law.contact(document),
    )
    _check(policy)
    _check_key_sets(policy, sensitive)
    return policy


def _digest(folder: Path) -> str:
    """Return the digest of what reports are made by. Where they go changes nothing in them, and splits no week."""
    digest = hashlib.sha256()
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p != folder / _WHERE):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


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
    for use in (*policy.registration.named, *policy.registration.extras):
        _known("category of the registration", use, set(policy.columns))
    for item in (item for party in policy.third_parties for item in party.items):
        _known("category of a third party", item, set(policy.columns))
        if item in _ITS_OWN:
            raise PolicyError(
                "policy.cookies", f"{item} is sent to a third party", "nothing of the portal's own (K-03)"
            )
    for decision in policy.decisions:
        _known(f"clause of {decision.id}", decision.clause, set(policy.clauses))
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
    seen_days, seasoned_days = policy.limits["seen_days"], policy.who_counts.seasoned_days
    if seen_days <= seasoned_days:
        raise ConfigurationError(
            "disclosure.history",
            f"limits.seen_days is {seen_days}, who_counts.seasoned_days {seasoned_days}",
            "a history that is kept longer than the days since a person was first seen",
        )
    _check_overlaps(policy)
    for report in policy.reports.values():
        _known("rule set", report.rule_set, set(policy.rule_sets))
        for family in report.families:
            _known("family", family, set(policy.families))
            _known("head count of family", family, set(policy.rule_sets[report.rule_set].heads))
        if ("week" in report.periods) != (report.week_cube is not None):
            raise ConfigurationError(
                "policy.week", f"{report.name}: periods and week_cube", "both with a week, or neither"
            )
        if ("month" in report.periods) != (report.month_cube is not None):
            raise ConfigurationError(
                "policy.month", f"{report.name}: periods and month_cube", "both with a month, or neither"
            )
        if report.frequency is not None:
            _known("dimension", report.frequency.dimension, set(policy.dimensions))
            _check_bands(policy, policy.dimensions[report.frequency.dimension].keys)
        for table in report.tables:
            for dimension in table.dimensions:
                _known("dimension", dimension, set(policy.dimensions))
            for family in table.families:
                _known(f"family of {table.name}", family, set(report.families))
            for period in table.periods:
                _known(f"period of {table.name}", period, set(report.periods))


def _check_bands(policy: Policy, name: str) -> None:
    """Refuse bands that do not hold each number of impressions of one person once, up to the bound."""
    held = [n for band in policy.categories[name] for n in range(band.first or 0, (band.last or 0) + 1)]
    most = policy.contribution["impression"]
    if held != list(range(1, most + 1)):
        raise ConfigurationError("policy.frequency", f"{name} do not hold 1 to {most} once, in order", "every number")


def _check_overlaps(policy: Policy) -> None:
    """Refuse two reports of one kind of recipient about the same events: what one withholds, the other could tell."""
    told: dict[tuple[str, str], str] = {}
    for report in policy.reports.values():
        for kind in report.recipient_kinds:
            other = told.setdefault((kind, report.universe), report.name)
            if other != report.name:
                raise ConfigurationError(
                    "policy.overlap",
                    f"{other} and {report.name} tell {kind} of the same events ({report.universe})",
                    "one report a kind of recipient and universe: its tables are decided together",
                    "make the tables of one a part of the other",
                )


def _check_key_sets(policy: Policy, sensitive: Sequence[Matter]) -> None:
    """Refuse a published category about a matter that needs special care: ATTR would carry it in under another name."""
    for key_set, categories in policy.categories.items():
        for category in categories:
            about = matter_of(sensitive, category.ja, category.en, *category.terms)
            if about is not None:
                raise PolicyError(
                    "policy.sensitive",
                    f"the category {category.key} of {key_set} is about {about.code} ({about.ja})",
                    "no matter that needs special care (要配慮個人情報)",
                    "take the category out of categories.yaml",
                )


def _known(what: str, name: str, known: set[str]) -> None:
    if name not in known:
        raise ConfigurationError(
            "policy.unknown", f"{what} {name!r}", "a declared one", "declare it or correct the name"
        )
