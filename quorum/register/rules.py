"""Reads ``policy/disclosures.yaml`` into `Rules`; an unknown field, a wrong type or a dangling name is refused.

What belongs here: parsing and cross-checks with the policy. What does not: defaults that would allow something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from quorum.errors import ConfigurationError
from quorum.policy import Policy
from quorum.policy.fields import read
from quorum.register.items import OFFERED
from quorum.register.types import (
    CONSENT,
    PROCESSOR,
    STATISTICS,
    STATUTORY,
    Basis,
    Order,
    Processor,
    Recipient,
    Rules,
    Statute,
)

FILE = "disclosures.yaml"
BASES = (CONSENT, STATUTORY, "D-05", "D-06", STATISTICS, PROCESSOR)
"""The cases of clause D-02: a closed list. A file may leave one out; it cannot add one."""

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_STATABLE = frozenset(field.name for field in fields(Order)) - {"basis", "is_paid"}
_REQUIRED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        CONSENT: frozenset({"recipient"}),
        STATUTORY: frozenset({"authority", "case", "statute", "approver"}),
        "D-05": frozenset({"authority", "case", "necessity", "why_consent_is_hard", "approver"}),
        "D-06": frozenset({"authority", "case", "necessity", "why_consent_is_hard", "approver"}),
        STATISTICS: frozenset(),
        PROCESSOR: frozenset({"processor"}),
    }
)
"""What the clauses themselves require: a file may ask for more, not for less."""

_ONE_OFF = (STATUTORY, "D-05", "D-06")
Spec = Mapping[str, Any]
Made = TypeVar("Made")


def load_rules(folder: Path, policy: Policy) -> Rules:
    """Load and check the rules of disclosure.

    Args:
        folder: the ``policy`` folder.
        policy: its categories and purposes, and the scopes of consent.

    Raises:
        ConfigurationError: the file is missing or malformed, asks for less than the clauses do, or names something
            that is not declared.
    """
    document = read(folder, FILE)
    try:
        rules = Rules(
            bases=_each(document, "bases", _basis),
            statutes=_each(document, "statutes", _statute),
            processors=_each(document, "processors", _processor),
            recipients=_each(document, "recipients", _recipient),
            external_transmission=_each(document, "external_transmission", _cookies),
        )
    except (KeyError, TypeError, AttributeError):
        raise _wrong("a part that is not laid out as expected") from None
    if set(document) != {field.name for field in fields(Rules)}:
        raise _wrong("a part that does not belong here, or one that is missing")
    for basis in rules.bases.values():
        _check_basis(basis)
    for statute in rules.statutes.values():
        _check_statute(statute, rules)
    for processor in rules.processors.values():
        _check_processor(processor, policy)
    for recipient in rules.recipients.values():
        _check_recipient(recipient)
    unknown = sorted(set(rules.external_transmission) - {party.host for party in policy.third_parties})
    if unknown:
        raise _wrong(f"external_transmission.{unknown[0]}", "a host of cookies.third_parties in policy.yaml")
    return rules


def _each(document: Spec, part: str, make: Callable[[str, dict[str, Any]], Made]) -> Mapping[str, Made]:
    """Make every entry of a part; what an entry holds beyond its fields is refused."""
    made = {}
    for code, spec in document[part].items():
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            raise _wrong(f"a key of {part} that is no code")
        rest = dict(spec)
        made[code] = make(code, rest)
        if rest:
            raise _wrong(f"{part}.{code}.{sorted(rest)[0]}, which is no field")
    return MappingProxyType(made)


def _basis(code: str, spec: dict[str, Any]) -> Basis:
    return Basis(
        code=code,
        name_ja=_text(spec, "name_ja"),
        name_en=_text(spec, "name_en"),
        requires=_list(spec, "requires") if "requires" in spec else (),
        one_off=_flag(spec, "one_off"),
        wider_than_law=_flag(spec, "wider_than_law"),
        may_be_untold=_flag(spec, "may_be_untold"),
        packages_only=_flag(spec, "packages_only"),
        review_days=_typed(spec.pop("review_days"), int) if "review_days" in spec else None,
    )


def _statute(code: str, spec: dict[str, Any]) -> Statute:
    return Statute(
        statute_id=code,
        name_ja=_text(spec, "name_ja"),
        name_en=_text(spec, "name_en"),
        valid_from=_day(spec.pop("valid_from")),
        valid_to=_day(spec.pop("valid_to")) if "valid_to" in spec else None,
        from_memory=_flag(spec, "from_memory"),
        renamed_to=_text(spec, "renamed_to") if "renamed_to" in spec else None,
    )


def _processor(code: str, spec: dict[str, Any]) -> Processor:
    return Processor(
        processor_id=code,
        name=_text(spec, "name"),
        contract_id=_text(spec, "contract_id"),
        signed_on=_day(spec.pop("signed_on")),
        expires_on=_day(spec.pop("expires_on")),
        purposes=_list(spec, "purposes"),
        items=_list(spec, "items"),
    )


def _recipient(code: str, spec: dict[str, Any]) -> Recipient:
    links, declared_on = spec.pop("links_to_persons"), spec.pop("declared_on")
    return Recipient(
        recipient_id=code,
        name=_text(spec, "name"),
        items=_list(spec, "items"),
        links_to_persons=None if links is None else _typed(links, bool),
        declared_on=None if declared_on is None else _day(declared_on),
    )


def _cookies(_: str, spec: dict[str, Any]) -> tuple[str, ...]:
    return _list(spec, "cookies")


def _text(spec: dict[str, Any], name: str) -> str:
    text = _typed(spec.pop(name), str)
    if not text.strip():
        raise TypeError
    return text


def _list(spec: dict[str, Any], name: str) -> tuple[str, ...]:
    listed = tuple(_typed(each, str) for each in _typed(spec.pop(name), list))
    if len(set(listed)) != len(listed):
        raise TypeError
    return listed


def _flag(spec: dict[str, Any], name: str) -> bool:
    return _typed(spec.pop(name, False), bool)


def _day(value: object) -> date:
    if isinstance(value, datetime):
        raise TypeError
    return _typed(value, date)


def _typed(value: object, kind: type[Made]) -> Made:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise TypeError
    return value


def _check_basis(basis: Basis) -> None:
    if basis.code not in BASES:
        raise _wrong(f"a basis {basis.code}", ", ".join(BASES))
    unknown = sorted(set(basis.requires) - _STATABLE)
    if unknown:
        raise _wrong(f"{basis.code} requires {unknown[0]}, which cannot be stated", ", ".join(sorted(_STATABLE)))
    missing = sorted(_REQUIRED[basis.code] - set(basis.requires))
    if missing:
        raise _wrong(f"{basis.code} without {missing[0]}", "what its clause requires")
    if basis.one_off != (basis.code in _ONE_OFF):
        raise _wrong(f"{basis.code} with one_off {basis.one_off}", f"true for {', '.join(_ONE_OFF)}")
    if basis.packages_only != (basis.code == STATISTICS):
        raise _wrong(f"{basis.code} with packages_only {basis.packages_only}", f"true for {STATISTICS} alone")
    if basis.code == "D-05" and not basis.wider_than_law:
        raise _wrong("D-05 without wider_than_law", "true: APPI 27(1) does not go as far")
    if basis.code == "D-06" and (basis.review_days is None or basis.review_days < 1):
        raise _wrong("D-06 without review_days", "days until somebody else has looked at it again")


def _check_statute(statute: Statute, rules: Rules) -> None:
    if statute.valid_to is not None and statute.valid_to < statute.valid_from:
        raise _wrong(f"the statute {statute.statute_id} ends before it begins")
    if statute.renamed_to is not None and statute.renamed_to not in rules.statutes:
        raise _wrong(f"the statute {statute.statute_id} is renamed to one that is not listed")


def _check_processor(processor: Processor, policy: Policy) -> None:
    if processor.expires_on < processor.signed_on:
        raise _wrong(f"the contract of {processor.processor_id} ends before it begins")
    unknown = sorted(set(processor.purposes) - set(policy.purposes))
    if unknown or not processor.purposes:
        raise _wrong(f"{processor.processor_id} without a declared purpose", ", ".join(policy.purposes))
    _check_items(processor.processor_id, processor.items)
    used = {use for purpose in processor.purposes for use in policy.purposes[purpose].uses}
    beyond = sorted(set(processor.items) - used)
    if beyond:
        raise _wrong(f"{processor.processor_id} gets {beyond[0]}", "what its purposes use")


def _check_recipient(recipient: Recipient) -> None:
    _check_items(recipient.recipient_id, recipient.items)
    if (recipient.links_to_persons is None) != (recipient.declared_on is None):
        raise _wrong(f"{recipient.recipient_id} with half a declaration", "links_to_persons and declared_on, or null")


def _check_items(who: str, items: tuple[str, ...]) -> None:
    beyond = sorted(set(items) - set(OFFERED))
    if beyond or not items:
        raise _wrong(f"{who} gets {beyond[0] if beyond else 'nothing'}", ", ".join(OFFERED))


def _wrong(what: str, allowed: str = "the fields that the file's own entries show") -> ConfigurationError:
    return ConfigurationError("policy.disclosures", f"{FILE}: {what}", allowed, "correct it")
