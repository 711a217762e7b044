"""Whose consent stands: for one recipient by name, covering every item (clause D-03).

What belongs here: the decision over choices as they stand on a night. What does not: which choice of a person stands
(``sql/pseudo/pseudo__standing_choice``), and reading them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from quorum.policy import Scope

if TYPE_CHECKING:
    import pyarrow as pa

_ALL = "all"
_CONSENT = "consent"
_REFUSALS = ("withdraw", "opt_out")


@dataclass(frozen=True)
class Consent:
    """What a disclosure rests on.

    Args:
        at: instant in UTC, without a zone, of the latest of the consents.
        scopes: their scopes, in order.
    """

    at: datetime
    scopes: tuple[str, ...]


@dataclass(frozen=True)
class _Choice:
    scope: str
    recipient_id: str | None
    choice: str
    at: datetime


def standing_consents(
    choices: pa.Table, recipient_id: str, items: Iterable[str], scopes: Mapping[str, Scope]
) -> dict[str, Consent]:
    """Return who lets a recipient have all of the items, by their key.

    A consent counts if it names the recipient (one for all recipients names none), in a scope that provides the item,
    and if no refusal of the person stands that is as late or later: a withdrawal or an opt-out, about the recipient or
    about all, in the same scope, in scope ``all`` or in one that nobody knows.

    Args:
        choices: columns of ``pseudo__standing_choice``: ``person_key``, ``scope``, ``recipient_id`` (null for all),
            ``choice``, ``chosen_at``.
        recipient_id: the recipient.
        items: categories; every one must be provided.
        scopes: code to scope; what is not in it provides nothing.
    """
    asked = frozenset(items)
    consenting = {}
    for person_key, own in _by_person(choices, recipient_id).items():
        standing = [
            c for c in own if c.choice == _CONSENT and c.recipient_id == recipient_id and _stands(c, own, scopes)
        ]
        useful = [c for c in standing if c.scope in scopes and asked & set(scopes[c.scope].provides)]
        provided = {code for c in useful for code in scopes[c.scope].provides}
        if asked and asked <= provided:
            consenting[person_key] = Consent(max(c.at for c in useful), tuple(sorted({c.scope for c in useful})))
    return consenting


def _by_person(choices: pa.Table, recipient_id: str) -> dict[str, list[_Choice]]:
    """Return the choices about the recipient or about all, of those who consented to the recipient at all."""
    import pyarrow.compute as pc

    is_named = pc.fill_null(pc.equal(choices["recipient_id"], recipient_id), False)
    about = choices.filter(pc.or_(is_named, pc.is_null(choices["recipient_id"])))
    is_consent = pc.and_(pc.equal(choices["choice"], _CONSENT), is_named)
    someone = pc.unique(choices.filter(is_consent)["person_key"])
    own: dict[str, list[_Choice]] = defaultdict(list)
    for row in about.filter(pc.is_in(about["person_key"], someone)).to_pylist():
        own[row["person_key"]].append(_Choice(row["scope"], row["recipient_id"], row["choice"], row["chosen_at"]))
    return own


def _stands(consent: _Choice, own: Iterable[_Choice], scopes: Mapping[str, Scope]) -> bool:
    return not any(
        c.choice in _REFUSALS and c.at >= consent.at and (c.scope in (consent.scope, _ALL) or c.scope not in scopes)
        for c in own
    )
