"""Frozen types for ``policy/disclosures.yaml``, and the order that somebody gives.

What belongs here: what a basis, a statute, a processor, a recipient and an order are. What does not: reading the file
(`quorum.register.rules`) and deciding (`quorum.register.decide`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

CONSENT = "D-03"
STATUTORY = "D-04"
PROCESSOR = "processor"
STATISTICS = "statistics"


@dataclass(frozen=True)
class Basis:
    """A case in which data may be given to somebody else.

    Args:
        code: ``D-03`` to ``D-06``, ``statistics`` or ``processor``.
        name_ja: name in Japanese.
        name_en: name in English.
        requires: fields of an `Order` that must be stated.
        one_off: a case is answered once, for named persons, with the approval of somebody else.
        wider_than_law: the policy allows more than APPI 27(1) does.
        may_be_untold: the officer may decide that the person is not shown it.
        packages_only: rows about persons are refused.
        review_days: days within which somebody else must look at it again, or None.
    """

    code: str
    name_ja: str
    name_en: str
    requires: tuple[str, ...]
    one_off: bool
    wider_than_law: bool
    may_be_untold: bool
    packages_only: bool
    review_days: int | None


@dataclass(frozen=True)
class Statute:
    """A statute under one of its names.

    Args:
        statute_id: e.g. ``ccp-197-2``.
        name_ja: name in Japanese.
        name_en: name in English.
        valid_from: first day of the name.
        valid_to: last day of the name, or None.
        from_memory: not compared with the text of the law.
        renamed_to: the statute under its next name, or None.
    """

    statute_id: str
    name_ja: str
    name_en: str
    valid_from: date
    valid_to: date | None
    from_memory: bool
    renamed_to: str | None

    def stands_on(self, day: date) -> bool:
        """Say whether the statute has this name on a day."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)


@dataclass(frozen=True)
class Processor:
    """Somebody who handles data for the portal under contract.

    Args:
        processor_id: e.g. ``mailing-house``.
        name: their name.
        contract_id: the contract.
        signed_on: its first day.
        expires_on: its last day.
        purposes: purposes of use that it covers.
        items: categories that it covers.
    """

    processor_id: str
    name: str
    contract_id: str
    signed_on: date
    expires_on: date
    purposes: tuple[str, ...]
    items: tuple[str, ...]

    def is_bound_on(self, day: date) -> bool:
        """Say whether the contract holds on a day."""
        return self.signed_on <= day <= self.expires_on


@dataclass(frozen=True)
class Recipient:
    """A third party that may get data of those who consented.

    Args:
        recipient_id: as in choices and reference data, e.g. ``adv-01``.
        name: their name.
        items: categories that they may get at most.
        links_to_persons: whether they declare to link what they get to persons they know; None: they have not said.
        declared_on: day of that declaration; None without one.
    """

    recipient_id: str
    name: str
    items: tuple[str, ...]
    links_to_persons: bool | None
    declared_on: date | None

    def has_declared_on(self, day: date) -> bool:
        """Say whether their declaration (APPI 31) is there on a day."""
        return self.links_to_persons is not None and self.declared_on is not None and self.declared_on <= day


@dataclass(frozen=True)
class Rules:
    """Everything in ``disclosures.yaml``, by code or id.

    Args:
        bases: code to basis.
        statutes: id to statute.
        processors: id to processor.
        recipients: id to recipient.
        external_transmission: host of a third party that the policy declares, to the names of the cookies by which the
            door sees it; one may end in ``*``.
    """

    bases: Mapping[str, Basis]
    statutes: Mapping[str, Statute]
    processors: Mapping[str, Processor]
    recipients: Mapping[str, Recipient]
    external_transmission: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Order:
    """What somebody orders to be disclosed; nothing of it is believed before it is checked.

    Args:
        basis: code of a basis; None if none was stated.
        items: categories, in the order in which they were asked for.
        recipient: id of a registered recipient.
        processor: id of a registered processor.
        purpose: the purpose of use that a processor is given data for; its only one if None.
        subjects: member numbers; for a consent or a processor, all who qualify if empty.
        authority: who asks, for D-04 to D-06.
        case: their case.
        statute: id or name of a statute.
        necessity: why it is necessary.
        why_consent_is_hard: why consent is hard to get.
        approver: login of somebody else who approves.
        untold_reason: why the persons are not shown it; None: they are.
        is_paid: whether something is given in return.
    """

    basis: str | None
    items: tuple[str, ...] = ()
    recipient: str | None = None
    processor: str | None = None
    purpose: str | None = None
    subjects: tuple[str, ...] = ()
    authority: str | None = None
    case: str | None = None
    statute: str | None = None
    necessity: str | None = None
    why_consent_is_hard: str | None = None
    approver: str | None = None
    untold_reason: str | None = None
    is_paid: bool = False
