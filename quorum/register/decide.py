"""May this be disclosed? Decisions on an order, before anything is read: default deny, one refusal at a time.

What belongs here: pure functions of the order, the rules, the policy, who acts and the day. What does not: reading
choices of persons (`quorum.register.scope`), and entering what was decided (`quorum.register.disclose`). A refusal
quotes nothing that was typed: it could name a person.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from quorum.errors import PolicyError
from quorum.patterns import find_identifiers
from quorum.policy import Actor, Policy
from quorum.policy.grants import actor_of, check_may_act
from quorum.register.items import OFFERED, is_referable
from quorum.register.types import (
    CONSENT,
    PROCESSOR,
    STATUTORY,
    Basis,
    Order,
    Processor,
    Recipient,
    Rules,
    Statute,
)

ACT = "disclose"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST = {"case": 64, "authority": 120, "necessity": 2000, "why_consent_is_hard": 2000, "untold_reason": 2000}
_ENTERED = ("case", "authority")  # these go into the ledger: codes and names of offices, nothing about a person


@dataclass(frozen=True)
class Grant:
    """What was granted: the checked part of an order.

    Args:
        basis: the case.
        items: categories, in the order of the closed list.
        receiver_id: id of who receives it; None for somebody in no register.
        receiver_name: their name.
        purpose: the purpose that a processor is given data for, else None.
        statute: of D-04, else None.
        is_referable: the items name nobody by themselves (APPI 31).
    """

    basis: Basis
    items: tuple[str, ...]
    receiver_id: str | None
    receiver_name: str
    purpose: str | None
    statute: Statute | None
    is_referable: bool


def check_order(
    order: Order, rules: Rules, policy: Policy, actor: Actor, today: date, answered: Collection[str]
) -> Grant:
    """Grant an order, or refuse it.

    Args:
        order: what is ordered, completed by the request that it answers.
        rules: bases, statutes, processors, recipients.
        policy: roles, scopes of consent, what purposes use.
        actor: who orders.
        today: civil date in Asia/Tokyo; contracts, statutes and declarations must hold on it.
        answered: cases that were answered before.

    Raises:
        PolicyError: any of clauses D-01 to D-06, S-01 and S-03 does not hold.
    """
    check_may_act(policy, actor, ACT)
    basis = check_basis(order, rules)
    for field in basis.requires:
        _check_stated(basis, field, getattr(order, field))
    _check_texts(order)
    items = _check_items(order)
    statute = _check_statute(order, rules, today) if basis.code == STATUTORY else None
    if basis.one_off:
        _check_one_off(order, policy, actor, answered)
    if order.untold_reason is not None and not basis.may_be_untold:
        raise PolicyError("disclose.untold", f"a disclosure on {basis.code} that the person is not shown", "D-04 alone")
    if basis.code == CONSENT:
        recipient = check_recipient(order, rules, policy, items, today)
        return Grant(basis, items, recipient.recipient_id, recipient.name, None, None, is_referable(items))
    if basis.code == PROCESSOR:
        processor, purpose = check_processor(order, rules, policy, items, today)
        return Grant(basis, items, processor.processor_id, processor.name, purpose, None, is_referable(items))
    return Grant(basis, items, order.recipient, str(order.authority), None, statute, is_referable(items))


def check_basis(order: Order, rules: Rules) -> Basis:
    """Refuse a sale, an order without a declared basis, and rows as statistics.

    Raises:
        PolicyError: clause D-01 or D-02.
    """
    allowed = ", ".join(rules.bases)
    if order.is_paid or order.basis == "sale":
        raise PolicyError("disclose.sale", "data about persons for something in return", "none is sold or rented")
    if order.basis is None:
        raise PolicyError("disclose.basis", "a disclosure without a basis", allowed, "state --basis")
    if order.basis not in rules.bases:
        raise PolicyError("disclose.basis", "a basis that is not declared", allowed, "state a declared one")
    basis = rules.bases[order.basis]
    if basis.packages_only:
        raise PolicyError(
            "disclose.rows", "rows about persons as statistics", "report packages", "take the packages under out/"
        )
    return basis


def check_recipient(order: Order, rules: Rules, policy: Policy, items: tuple[str, ...], today: date) -> Recipient:
    """Return the recipient of D-03, or refuse them.

    Raises:
        PolicyError: they are not registered, may not get an item, no consent can cover an item, or they have not
            declared whether they link items that name nobody to persons (APPI 31).
    """
    if order.recipient is None or order.recipient not in rules.recipients:
        raise PolicyError(
            "disclose.recipient", "a recipient that is not registered", ", ".join(rules.recipients), "register them"
        )
    recipient = rules.recipients[order.recipient]
    _within(f"for {recipient.recipient_id}", items, recipient.items)
    provided = {code for scope in policy.scopes.values() for code in scope.provides}
    _within("by consent", items, tuple(sorted(provided)))
    if is_referable(items) and not recipient.has_declared_on(today):
        raise PolicyError(
            "disclose.declaration",
            f"personally referable information for {recipient.recipient_id}",
            "a recipient who has declared whether it links it to persons",
            "enter their declaration in disclosures.yaml",
        )
    return recipient


def check_processor(
    order: Order, rules: Rules, policy: Policy, items: tuple[str, ...], today: date
) -> tuple[Processor, str]:
    """Return the processor and the purpose that they work for, or refuse them.

    Raises:
        PolicyError: they are not registered, their contract is not there today, or it does not cover the purpose or an
            item.
    """
    if order.processor is None or order.processor not in rules.processors:
        raise PolicyError(
            "disclose.processor", "a processor that is not registered", ", ".join(rules.processors), "register them"
        )
    processor = rules.processors[order.processor]
    who = processor.processor_id
    if not processor.is_bound_on(today):
        raise PolicyError(
            "disclose.contract",
            f"{who}, whose contract {processor.contract_id} holds from {processor.signed_on} to {processor.expires_on}",
            f"a contract that holds on {today}",
            "renew it and enter it in disclosures.yaml",
        )
    purpose = order.purpose
    if purpose is None and len(processor.purposes) == 1:
        purpose = processor.purposes[0]
    if purpose not in processor.purposes:
        raise PolicyError("disclose.purpose", f"{who} for another purpose or none", ", ".join(processor.purposes))
    uses = policy.purposes[purpose].uses
    _within(f"for {who} and {purpose}", items, tuple(item for item in processor.items if item in uses))
    return processor, purpose


def _check_stated(basis: Basis, field: str, value: object) -> None:
    if value is None or not str(value).strip():
        option = f"--{field.replace('_', '-')}"
        raise PolicyError("disclose.field", f"{basis.code} without {option}", ", ".join(basis.requires), "state it")


def _check_texts(order: Order) -> None:
    for field, longest in _LONGEST.items():
        text = getattr(order, field)
        if text is None:
            continue
        if len(text) > longest or not text.strip() or not text.isprintable():
            raise PolicyError(
                "disclose.text", f"--{field.replace('_', '-')}", f"one line, {longest} characters at most"
            )
        if field in _ENTERED and find_identifiers(text):
            raise PolicyError("disclose.text", f"--{field} that looks like what names a person", "a code or an office")
    if order.recipient is not None and (not _CODE.fullmatch(order.recipient) or find_identifiers(order.recipient)):
        raise PolicyError("disclose.recipient", "a recipient that is no code", "an id as in disclosures.yaml")


def _check_items(order: Order) -> tuple[str, ...]:
    if not order.items or not set(order.items) <= set(OFFERED):
        raise PolicyError(
            "disclose.items", "no item, or one that is never disclosed", ", ".join(OFFERED), "state --items"
        )
    return tuple(code for code in OFFERED if code in order.items)


def _within(what: str, items: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    beyond = [item for item in items if item not in allowed]
    if beyond:
        raise PolicyError(
            "disclose.items", f"{', '.join(beyond)} {what}", ", ".join(allowed) or "nothing", "leave it out"
        )


def _check_statute(order: Order, rules: Rules, today: date) -> Statute:
    found = [s for s in rules.statutes.values() if order.statute in (s.statute_id, s.name_ja, s.name_en)]
    standing = [s.statute_id for s in rules.statutes.values() if s.stands_on(today)]
    if not found:
        raise PolicyError("disclose.statute", "a statute that is not listed", ", ".join(standing), "enter it, dated")
    statute = found[0]
    if not statute.stands_on(today):
        raise PolicyError(
            "disclose.statute",
            f"{statute.statute_id}, which has this name from {statute.valid_from} to {statute.valid_to or 'today'}",
            ", ".join(standing),
            f"cite it as {statute.renamed_to}" if statute.renamed_to in standing else "cite what stands today",
        )
    return statute


def _check_one_off(order: Order, policy: Policy, actor: Actor, answered: Collection[str]) -> None:
    if not order.subjects:
        raise PolicyError("disclose.subject", "a case about nobody in particular", "named persons", "state --subject")
    if order.case in answered:
        raise PolicyError("disclose.case", "a case that was answered before", "each case once", "state the new case")
    approver = str(order.approver)
    if not _CODE.fullmatch(approver) or approver.casefold() == actor.name.casefold():
        raise PolicyError("disclose.approver", "an approver who acts", "somebody else", "let a second person approve")
    check_may_act(policy, actor_of(policy, approver), ACT)
