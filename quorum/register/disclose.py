"""A disclosure, from order to file: checked, entered in the ledger, recorded for each person, and only then written.

What belongs here: the order of these steps, and what is entered. What does not: any single step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from quorum.desk import Desk
from quorum.errors import PolicyError, UsageError
from quorum.ledger import Ledger
from quorum.policy.grants import check_may_act
from quorum.redaction import describe
from quorum.register.consent import Consent
from quorum.register.decide import ACT, Grant, check_basis, check_order
from quorum.register.files import MANIFEST, bound, check_place, content_digest, deliver, describe_files, files_of
from quorum.register.items import OFFERED
from quorum.register.request import completed
from quorum.register.scope import in_scope, numbered
from quorum.register.take import Taken, take
from quorum.register.types import CONSENT, Order, Rules

RECORD = "vault__disclosure"
_INTERNAL = frozenset({"approver", "is_statute_from_memory", "is_told", "review_by"})
ENTERED, REFUSED, FAILED = "disclosure", "disclosure_refused", "disclosure_failed"


@dataclass(frozen=True)
class Moment:
    """When it happens, and what is drawn for it.

    Args:
        today: civil date in Asia/Tokyo.
        at: instant in UTC, without a zone.
        nonce: 16 random bytes.
    """

    today: date
    at: datetime
    nonce: bytes


@dataclass(frozen=True)
class Disclosure:
    """What was disclosed, as it is told; no value about a person.

    Args:
        facts: as in the ledger's entry.
        entry: hash of the entry.
        out: the folder.
        files: names of the files in it.
    """

    facts: Mapping[str, Any]
    entry: str
    out: Path
    files: tuple[str, ...]

    def as_record(self) -> dict[str, Any]:
        """Return it as JSON-compatible values."""
        return {**self.facts, "ledger": self.entry, "out": str(self.out), "files": list(self.files)}


def disclose(
    desk: Desk, rules: Rules, order: Order, moment: Moment, out: Path | None, request: str | None = None
) -> Disclosure:
    """Give data about persons to somebody else, or refuse; a refusal is entered in the ledger too, by codes alone.

    Args:
        desk: the open home.
        rules: ``disclosures.yaml``.
        order: what is ordered.
        moment: when; contracts, statutes and declarations must hold then.
        out: a folder that is not there yet, outside the home.
        request: identity of a request that landed, for D-04 to D-06.

    Guarantee: the first byte is written after the entry in the ledger and after a row for each person in
    ``vault__disclosure``; the folder appears whole or not at all; after a refusal nothing but the ledger has changed.

    Source: clauses D-01 to D-06, K-03, S-01, S-03; APPI 27, 29 and 31.

    Raises:
        PolicyError: the order is refused.
        UsageError: the folder cannot be used, or none is named.
        ConfigurationError: no night is done.
    """
    try:
        grant, order = _granted(desk, rules, order, moment, request)
        night = desk.latest_night()
        consents = in_scope(desk, grant, order.subjects, night)
        if out is None:
            raise UsageError("disclose.out", "a disclosure to nowhere", "--out DIR", "name a new folder")
        check_place(out, desk.home)
        disclosure_id = _next_id(desk.ledger, moment.today)
        taken = take(desk, grant, numbered(desk, disclosure_id, consents), night)
        _check_taken(grant, order, taken)
    except PolicyError as refused:
        desk.ledger.append(REFUSED, _refusal(desk, rules, order, refused))
        raise
    facts = _facts(desk, grant, order, moment, night, disclosure_id, len(taken.people))
    files = files_of(taken.tables)
    manifest = describe_files(taken.tables, files, desk.catalog, _told(facts), moment.nonce)
    body = {**facts, "who": desk.actor.name, "role": desk.actor.role, "content": content_digest(manifest)}
    entry = desk.ledger.append(ENTERED, body)
    try:
        record = _record(facts, order, taken, consents, moment)
        desk.store.write(RECORD, night, record.select(desk.catalog[RECORD].arrow_schema().names), disclosure_id)
        deliver(out, {**files, MANIFEST: bound(manifest, entry)})
    except BaseException as error:
        desk.store.remove(RECORD, night, disclosure_id)
        desk.ledger.append(FAILED, {"disclosure_id": disclosure_id, "rule": describe(error).rule})
        raise
    return Disclosure(body, entry.hash, out, (*files, MANIFEST))


def answered_cases(ledger: Ledger) -> frozenset[str]:
    """Return the cases that were answered: entered, and not failed."""
    failed = {entry.body["disclosure_id"] for entry in ledger.entries(FAILED)}
    entered = (entry.body for entry in ledger.entries(ENTERED) if entry.body["disclosure_id"] not in failed)
    return frozenset(body["case"] for body in entered if body["case"] is not None)


def _granted(desk: Desk, rules: Rules, order: Order, moment: Moment, request: str | None) -> tuple[Grant, Order]:
    check_may_act(desk.policy, desk.actor, ACT)
    basis = check_basis(order, rules)
    if request is not None:
        order = completed(desk, order, basis, request, desk.latest_night())
    return check_order(order, rules, desk.policy, desk.actor, moment.today, answered_cases(desk.ledger)), order


def _check_taken(grant: Grant, order: Order, taken: Taken) -> None:
    if not taken.people:
        raise PolicyError("disclose.nobody", f"a disclosure on {grant.basis.code} about nobody", "one person or more")
    if order.subjects and len(taken.people) < len(set(order.subjects)):
        missing = len(set(order.subjects)) - len(taken.people)
        raise PolicyError(
            "disclose.subject", f"{missing} named persons of whom none of the items is held", "persons with data"
        )


def _facts(
    desk: Desk, grant: Grant, order: Order, moment: Moment, night: date, disclosure_id: str, people_n: int
) -> dict[str, Any]:
    """Return what is said of the disclosure as a whole: codes, counts and the names of registered receivers."""
    basis, statute = grant.basis, grant.statute
    is_continuous = basis.code == CONSENT and grant.receiver_id is not None
    due = None if basis.review_days is None else moment.today + timedelta(days=basis.review_days)
    return {
        "disclosure_id": disclosure_id,
        "batch_id": f"{grant.receiver_id}-{moment.today:%Y-%m}" if is_continuous else None,
        "basis": basis.code,
        "recipient_id": grant.receiver_id,
        "recipient_name": grant.receiver_name,
        "purpose": grant.purpose,
        "items": list(grant.items),
        "people_n": people_n,
        "case": order.case if basis.one_off else None,
        "statute": None if statute is None else statute.statute_id,
        "is_statute_from_memory": None if statute is None else statute.from_memory,
        "approver": order.approver if basis.one_off else None,
        "is_wider_than_law": basis.wider_than_law,
        "is_personally_referable": grant.is_referable,
        "is_told": order.untold_reason is None,
        "review_by": None if due is None else due.isoformat(),
        "disclosed_on": moment.today.isoformat(),
        "choices_of": night.isoformat(),
        "policy_version": desk.policy.version,
        "policy_digest": desk.policy.digest,
    }


def _told(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the receiver is told: not what is the portal's own business."""
    return {name: value for name, value in facts.items() if name not in _INTERNAL}


def _record(
    facts: Mapping[str, Any], order: Order, taken: Taken, consents: Mapping[str, Consent | None], moment: Moment
) -> pa.Table:
    """Return a row for each person: what APPI 29 wants kept, and what the person is shown (P-04)."""
    keys = list(taken.people)
    rests = [consents[key] for key in keys]
    same = {
        **{name: facts[name] for name in ("disclosure_id", "batch_id", "basis", "recipient_id", "recipient_name")},
        **{"items": ";".join(facts["items"]), "source": taken.source, "case_id": facts["case"]},
        **{"statute": facts["statute"], "necessity": order.necessity, "why_consent_is_hard": order.why_consent_is_hard},
        **{"untold_reason": order.untold_reason},
    }
    columns = {name: pa.array([value] * len(keys), pa.string()) for name, value in same.items()}
    return pa.table(
        {
            **columns,
            "member_key": pa.array(keys, pa.string()),
            "consented_at": pa.array([None if c is None else c.at for c in rests], pa.timestamp("us")),
            "consent_scopes": pa.array([None if c is None else ";".join(c.scopes) for c in rests], pa.string()),
            "is_told": pa.array([facts["is_told"]] * len(keys), pa.bool_()),
            "disclosed_on": pa.array([moment.today] * len(keys), pa.date32()),
            "disclosed_at": pa.array([moment.at] * len(keys), pa.timestamp("us")),
        }
    )


def _next_id(ledger: Ledger, today: date) -> str:
    return f"d-{today:%Y%m%d}-{len(ledger.entries(ENTERED)) + 1:04}"


def _refusal(desk: Desk, rules: Rules, order: Order, refused: PolicyError) -> dict[str, Any]:
    """Return what is entered about a refusal: codes that are declared; what was typed beside them is not kept."""
    return {
        "rule": refused.rule,
        "basis": order.basis if order.basis in rules.bases else None,
        "recipient_id": order.recipient if order.recipient in rules.recipients else None,
        "processor_id": order.processor if order.processor in rules.processors else None,
        "items": [code for code in OFFERED if code in order.items],
        "who": desk.actor.name,
        "role": desk.actor.role,
    }
