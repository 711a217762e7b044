"""Reads ``policy.yaml``, ``columns.yaml`` and ``roles.yaml``: purposes, scopes, categories of data, roles.

What belongs here: each file, field by field; an unknown field is refused. What does not: what the files owe each other
(`quorum.policy.load`) and the closed lists (`quorum.policy.closed`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from quorum.errors import ConfigurationError, PolicyError
from quorum.policy import fields
from quorum.policy.decisions import EVERY_USER_OF_ATTR, Decision
from quorum.policy.sensitive import Matter, matter_of
from quorum.policy.types import Contact, DataCategory, Purpose, Registration, Role, Scope, ThirdParty
from quorum.zones import Zone

_POLICY = ("version", "effective_on", "attr", "contact", "cookies", "registration", "purposes", "scopes")
_CLASSES = ("identifier", "pseudonym", "attribute", "restricted", "fact", "statistic", "choice")
_LIST = "ATTR"
_ERASE = ("rewrite", "none")
_OF_PERSONS = (Zone.VAULT, Zone.PSEUDO, Zone.SEG, Zone.EXTRACT)


def check_policy_fields(document: Mapping[str, Any]) -> None:
    """Refuse a ``policy.yaml`` with a field too many or too few.

    Raises:
        ConfigurationError: it has.
    """
    fields.fields("policy.yaml", document, _POLICY, ["purposes_effective_on"])


def purposes(document: Mapping[str, Any], in_force: Sequence[Decision]) -> dict[str, Purpose]:
    """Return the purposes.

    Args:
        document: ``policy.yaml``.
        in_force: the decision records that hold: what one lets in may not have been collected before its day of effect.

    Raises:
        ConfigurationError: the file is not laid out as expected.
    """
    attr = fields.texts("policy.yaml: attr", document["attr"])
    since = document.get("purposes_effective_on", document["effective_on"])
    return {
        code: _purpose(code, spec, attr, since, in_force)
        for code, spec in fields.mapping("policy.yaml: purposes", document["purposes"]).items()
    }


def _purpose(code: str, spec: object, attr: tuple[str, ...], since: object, in_force: Sequence[Decision]) -> Purpose:
    where = f"policy.yaml: {code}"
    body = fields.fields(
        where, spec, ["name_ja", "name_en", "uses", "fideslang"], ["touches", "effective_on", "uses_from"]
    )
    uses = fields.texts(f"{where}: uses", body["uses"])
    touches = fields.texts(f"{where}: touches", body.get("touches", ()))
    uses_from = {
        category: fields.instant(f"{where}: uses_from", on)
        for category, on in fields.mapping(f"{where}: uses_from", body.get("uses_from", {})).items()
    }
    for category, at in _let_in(code, {*uses, *touches}, attr, in_force).items():
        uses_from[category] = max(at, uses_from.get(category, at))
    return Purpose(
        code=code,
        name_ja=fields.text(f"{where}: name_ja", body["name_ja"]),
        name_en=fields.text(f"{where}: name_en", body["name_en"]),
        uses=_expanded(uses, attr),
        touches=_expanded(touches, attr),
        effective_at=fields.instant(f"{where}: effective_on", body.get("effective_on", since)),
        uses_from=MappingProxyType(uses_from),
        fideslang=fields.text(f"{where}: fideslang", body["fideslang"]),
    )


def _let_in(code: str, named: set[str], attr: tuple[str, ...], in_force: Sequence[Decision]) -> dict[str, datetime]:
    """Return the categories that a purpose has by a record alone, and the instant from which."""
    found: dict[str, datetime] = {}
    for decision in in_force:
        by_purpose = decision.purpose == code and decision.category in (*named, *attr)
        by_list = decision.purpose == EVERY_USER_OF_ATTR and _LIST in named and decision.category in attr
        if by_purpose or (by_list and decision.category not in named):
            earlier = found.get(decision.category, decision.effective_at)
            found[decision.category] = min(decision.effective_at, earlier)
    return found


def _expanded(codes: Iterable[str], attr: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(c for code in codes for c in (attr if code == _LIST else (code,))))


def scopes(document: Mapping[str, Any]) -> dict[str, Scope]:
    """Return the scopes of choices.

    Raises:
        ConfigurationError: the file is not laid out as expected.
    """
    found = {}
    for code, spec in fields.mapping("policy.yaml: scopes", document["scopes"]).items():
        where = f"policy.yaml: scope {code}"
        body = fields.fields(where, spec, ["name_ja", "name_en"], ["stops", "provides"])
        found[code] = Scope(
            code=code,
            stops=fields.texts(f"{where}: stops", body.get("stops", ())),
            provides=fields.texts(f"{where}: provides", body.get("provides", ())),
            name_ja=fields.text(f"{where}: name_ja", body["name_ja"]),
            name_en=fields.text(f"{where}: name_en", body["name_en"]),
        )
    return found


def registration(document: Mapping[str, Any]) -> Registration:
    """Return what is asked for at registration (clause C-05).

    Raises:
        ConfigurationError: the file is not laid out as expected.
    """
    where = "policy.yaml: registration"
    body = fields.fields(where, document["registration"], ["named", "extras"])
    return Registration(*(fields.texts(f"{where}: {name}", body[name]) for name in ("named", "extras")))


def third_parties(document: Mapping[str, Any]) -> tuple[ThirdParty, ...]:
    """Return those whose tags may send something from the portal's pages (clause K-02).

    Raises:
        ConfigurationError: the file is not laid out as expected.
    """
    where = "policy.yaml: cookies"
    listed = fields.fields(where, document["cookies"], ["third_parties"])["third_parties"]
    names = ("host", "name_ja", "name_en", "purpose_ja", "purpose_en", "opt_out_url")
    found = []
    for spec in fields.items(where, listed):
        body = fields.fields(where, spec, [*names, "items"])
        said = {name: fields.text(f"{where}: {name}", body[name]) for name in names}
        found.append(ThirdParty(**said, items=fields.texts(f"{where}: items", body["items"])))
    return tuple(found)


def contact(document: Mapping[str, Any]) -> Contact:
    """Return where questions go (clause Q-01).

    Raises:
        ConfigurationError: the file is not laid out as expected.
    """
    names = ("ja", "en", "email", "url")
    body = fields.fields("policy.yaml: contact", document["contact"], names)
    return Contact(*(fields.text(f"policy.yaml: contact: {name}", body[name]) for name in names))


def columns(document: Mapping[str, Any], matters: Sequence[Matter]) -> dict[str, DataCategory]:
    """Return the categories of data.

    Args:
        document: ``columns.yaml``.
        matters: what needs special care; a category whose name is about one is sensitive, whatever it says of itself.

    Raises:
        ConfigurationError: the file is not laid out as expected, or a zone or class does not exist.
    """
    zones = [zone.value for zone in Zone]
    found = {}
    body = fields.fields("columns.yaml", document, ["categories"])
    for code, spec in fields.mapping("columns.yaml: categories", body["categories"]).items():
        where = f"columns.yaml: {code}"
        entry = fields.fields(where, spec, ["class", "ja", "en", "zones", "fideslang"], ["sensitive"])
        klass, ja, en = (fields.text(f"{where}: {name}", entry[name]) for name in ("class", "ja", "en"))
        entered = fields.texts(f"{where}: zones", entry["zones"])
        if not set(entered) <= set(zones):
            raise ConfigurationError("policy.zone", f"category {code} names an unknown zone", ", ".join(zones))
        if klass not in _CLASSES:
            raise ConfigurationError("policy.class", f"category {code} is {klass!r}", ", ".join(_CLASSES))
        says_so = fields.flag(f"{where}: sensitive", entry.get("sensitive", False))
        found[code] = DataCategory(
            code=code,
            klass=klass,
            ja=ja,
            en=en,
            zones=entered,
            fideslang=fields.text(f"{where}: fideslang", entry["fideslang"]),
            is_sensitive=says_so or matter_of(matters, ja, en, str(entry["fideslang"])) is not None,
        )
    return found


def retention_days(document: Mapping[str, Any]) -> dict[str, int]:
    """Return the days that each zone keeps a partition (``retention.yaml``).

    Raises:
        ConfigurationError: the file is not laid out as expected, or an exception is without its days or its reason.
        PolicyError: a zone of persons is not erased from, or keeps longer what was made of the vault than the vault.
    """
    body = fields.fields("retention.yaml", document, ["zones"], ["exceptions"])
    zones = fields.fields("retention.yaml: zones", body["zones"], [zone.value for zone in Zone])
    days: dict[str, int] = {}
    for zone in Zone:
        where = f"retention.yaml: {zone.value}"
        spec = fields.fields(where, zones[zone.value], ["days", "erase"])
        days[zone] = fields.number(f"{where}: days", spec["days"])
        _check_zone(zone, days[zone], days[Zone.VAULT], fields.text(f"{where}: erase", spec["erase"]))
    for table, spec in fields.mapping("retention.yaml: exceptions", body.get("exceptions") or {}).items():
        where = f"retention.yaml: {table}"
        entry = fields.fields(where, spec, ["days", "why"])
        fields.number(f"{where}: days", entry["days"])
        fields.text(f"{where}: why", entry["why"])
    return days


def _check_zone(zone: Zone, days: int, vault_days: int, erase: str) -> None:
    about_persons = zone in _OF_PERSONS
    if erase not in _ERASE or (about_persons and erase != _ERASE[0]):
        allowed = _ERASE[0] if about_persons else ", ".join(_ERASE)
        raise PolicyError("retention.erase", f"zone {zone.value} with erase {erase}", allowed, "put it back")
    if about_persons and days > vault_days:
        raise PolicyError(
            "retention.longer",
            f"zone {zone.value} for {days} days",
            f"the {vault_days} days of the vault: what is made of it goes with it",
            "keep it no longer than the vault",
        )


def roles(document: Mapping[str, Any]) -> tuple[dict[str, Role], dict[str, str], str]:
    """Return roles by name, the role of each listed login, and the role of any other.

    Raises:
        ConfigurationError: the file is not laid out as expected.
    """
    body = fields.fields("roles.yaml", document, ["roles", "actors", "unlisted"])
    found = {}
    for name, spec in fields.mapping("roles.yaml: roles", body["roles"]).items():
        where = f"roles.yaml: {name}"
        entry = fields.fields(where, spec, ["purposes"], ["acts"])
        found[name] = Role(
            name,
            fields.texts(f"{where}: purposes", entry["purposes"]),
            fields.texts(f"{where}: acts", entry.get("acts", ())),
        )
    actors = fields.mapping("roles.yaml: actors", body["actors"])
    return (
        found,
        {login: fields.text(f"roles.yaml: {login}", role) for login, role in actors.items()},
        fields.text("roles.yaml: unlisted", body["unlisted"]),
    )
