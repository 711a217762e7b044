"""Whom a disclosure is about: those who consented, those whom a case names, or those whom a processor works on.

What belongs here: from a grant to member keys, each with a number. What does not: whether the grant is right
(`quorum.register.decide`), and what is taken about them (`quorum.register.take`).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.errors import PolicyError
from quorum.register.consent import Consent, standing_consents
from quorum.register.decide import Grant
from quorum.register.types import CONSENT, PROCESSOR

CHOICES = "pseudo__standing_choice"
STOPS = "pseudo__stop"
MEMBERS = "pseudo__member"
SCOPE = "vault__disclosure_scope"


def in_scope(desk: Desk, grant: Grant, subjects: Sequence[str], night: date) -> dict[str, Consent | None]:
    """Return the member keys that a disclosure is about, with the consent it rests on (D-03).

    Args:
        desk: the open home.
        grant: the checked order.
        subjects: member numbers; for a consent or a processor, all who qualify if empty.
        night: the night whose choices stand.

    Raises:
        PolicyError: somebody who was named has not consented, or is out of the purpose; or nobody is left.
    """
    named = member_keys(desk, subjects)
    if grant.basis.code == CONSENT:
        choices = desk.store.read(CHOICES, night)
        consents = standing_consents(choices, str(grant.receiver_id), grant.items, desk.policy.scopes)
        chosen: dict[str, Consent | None] = dict(_chosen(named, consents, "disclose.consent", "a valid consent"))
    elif grant.basis.code == PROCESSOR:
        chosen = _chosen(
            named, dict.fromkeys(_reachable(desk, str(grant.purpose), night)), "disclose.stop", "no refusal"
        )
    else:
        chosen = dict.fromkeys(named)
    if not chosen:
        raise PolicyError("disclose.nobody", f"a disclosure on {grant.basis.code} about nobody", "one person or more")
    return chosen


def member_keys(desk: Desk, members: Iterable[str]) -> list[str]:
    """Return the keyed pseudonyms of member numbers, each once, in order."""
    given = pa.table({"member_id": pa.array(list(dict.fromkeys(members)), pa.string())})
    keyed = desk.engine.query("SELECT pseudonym_member(member_id) AS member_key FROM given", {"given": given})
    return [str(key) for key in keyed["member_key"].to_pylist()]


def numbered(desk: Desk, disclosure_id: str, keys: Collection[str]) -> pa.Table:
    """Return the relation ``vault__disclosure_scope``: for each person a number of this disclosure alone.

    The order is that of a digest under a key of the home and the disclosure's own identity: the numbers of two
    disclosures do not belong together.
    """
    secret = desk.keys.derive(f"disclosure/{disclosure_id}")
    ordered = sorted(keys, key=lambda key: hmac.new(secret, key.encode(), hashlib.sha256).digest())
    return pa.table(
        {
            "member_key": pa.array(ordered, pa.string()),
            "person_n": pa.array(range(1, len(ordered) + 1), pa.int32()),
        }
    )


def _reachable(desk: Desk, purpose: str, night: date) -> list[str]:
    """Return the members who have not taken themselves out of a purpose."""
    members = desk.store.read(MEMBERS, night, columns=["member_key"])["member_key"]
    stops = desk.store.read(STOPS, night)
    out = stops.filter(pc.equal(stops["purpose"], purpose))["person_key"]
    kept = members.filter(pc.invert(pc.is_in(members, value_set=out.combine_chunks())))
    return [str(key) for key in kept.to_pylist()]


def _chosen(
    named: Sequence[str], eligible: Mapping[str, Consent | None], rule: str, allowed: str
) -> dict[str, Consent | None]:
    if not named:
        return dict(eligible)
    without = sum(key not in eligible for key in named)
    if without:
        raise PolicyError(rule, f"{without} of {len(named)} named persons", f"{allowed} of each", "leave them out")
    return {key: eligible[key] for key in named}
