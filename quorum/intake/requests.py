"""Requests of people to the portal's desk, as JSON lines: sealed with whatever they say; nothing goes behind the vault.

What belongs here: the fields of a request. What does not: how it is kept (`kept_events`), and answering it.
"""

from __future__ import annotations

from datetime import date

from quorum.intake import fields as f
from quorum.intake.accounting import Accounting, Reason
from quorum.intake.batches import Declared, Format
from quorum.intake.context import Intake
from quorum.intake.kept_events import Kept, take_in_kept
from quorum.intake.request_details import type_details

SOURCE = "requests"
DECLARED = Declared(
    fields=("request_id", "ts", "kind", "member_id", "details"),
    formats=frozenset({Format.JSON}),
    objects=frozenset({"details"}),
)
KINDS = ("access", "correct", "erase", "enquiry", "disclosure", "notice", "verification", "prefill", "refusal")
"""What may be asked for: a closed list."""

_WITHOUT_MEMBER = ("enquiry", "disclosure", "notice")
_KEY = "left(sha256(request_id), 32)"


def take_in_requests(intake: Intake, night: date) -> list[Accounting]:
    """Take in the night's requests into ``vault__request`` (sealed), and what they say into the typed tables beside it.

    A record needs ``request_id``, ``ts`` and ``kind``, and ``member_id`` unless anybody may ask so (an enquiry) or it
    need not be about one member (a disclosure, a notice). ``details`` is an object, kept as canonical JSON: keys in
    order, no spaces, numbers as they were written; without it there are none.

    Returns:
        The accounting of each file, in order. A ``request_id`` that is stored in any night counts as duplicate.
    """
    kept = Kept(
        source=SOURCE,
        declared=DECLARED,
        statement=_statement(night),
        table="vault__request",
        identity=("request_id",),
        key=_KEY,
        day="request_date",
    )
    accounting = take_in_kept(intake, night, kept)
    type_details(intake.store, night)
    return accounting


def _statement(night: date) -> str:
    anybody = ", ".join(f"'{kind}'" for kind in _WITHOUT_MEMBER)
    return f.judging_statement(
        prepared={"at_micros": f.micros("ts"), "member": f.present("member_id")},
        checks=(
            f.missing("request_id", "ts", "kind"),
            f.bad_instant("at_micros", night),
            f.not_among("kind", *KINDS),
            f.Check(f"member IS NULL AND kind NOT IN ({anybody})", Reason.MISSING_FIELD),
            f.bad_identity("request_id", "member"),
        ),
        columns={
            "event_key": _KEY,
            "request_id": "request_id",
            "request_at": f.at("at_micros"),
            "request_date": f.tokyo_date("at_micros"),
            "kind": "kind",
            "member_id": "member",
            "details": "coalesce(details, '{}')",
        },
    )
