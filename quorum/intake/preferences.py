"""Choices of people, as JSON lines: opting out and in, consent and its withdrawal, for a scope and maybe a recipient.

What belongs here: the fields of a choice. What does not: how it is kept (`kept_events`), and which choice stands.
"""

from __future__ import annotations

from datetime import date

from quorum.intake import fields as f
from quorum.intake.accounting import Accounting, Reason
from quorum.intake.batches import Declared, Format
from quorum.intake.context import Intake
from quorum.intake.kept_events import Kept, take_in_kept

SOURCE = "preferences"
DECLARED = Declared(
    fields=("event_id", "ts", "member_id", "cookie_id", "choice", "scope", "recipient_id"),
    formats=frozenset({Format.JSON}),
)
CHOICES = ("opt_out", "opt_in", "consent", "withdraw")

_KEY = "left(sha256(event_id), 32)"


def take_in_preferences(intake: Intake, night: date) -> list[Accounting]:
    """Take in the night's choices into ``vault__preference`` (sealed).

    A record needs ``event_id``, ``ts``, ``choice``, ``scope`` and exactly one of ``member_id`` and ``cookie_id``: with
    both it is a bad value, for it would have to be known whose choice it is. Without ``recipient_id`` a choice is about
    every recipient.

    Returns:
        The accounting of each file, in order. An ``event_id`` that is stored in any night counts as duplicate.
    """
    kept = Kept(
        source=SOURCE,
        declared=DECLARED,
        statement=_statement(night),
        table="vault__preference",
        identity=("event_id",),
        key=_KEY,
        day="preference_date",
        plain=("scope", "recipient_id"),
    )
    return take_in_kept(intake, night, kept)


def _statement(night: date) -> str:
    return f.judging_statement(
        prepared={
            "at_micros": f.micros("ts"),
            "member": f.present("member_id"),
            "cookie": f.present("cookie_id"),
            "recipient": f.present("recipient_id"),
        },
        checks=(
            f.missing("event_id", "ts", "choice", "scope"),
            f.Check("member IS NULL AND cookie IS NULL", Reason.MISSING_FIELD),
            f.Check("member IS NOT NULL AND cookie IS NOT NULL", Reason.BAD_VALUE),
            f.bad_instant("at_micros", night),
            f.bad_identity("event_id", "member", "cookie"),
            f.not_among("choice", *CHOICES),
            f.bad_code("scope", "recipient"),
            f.bad_digits("scope"),
            f.identifying(),
        ),
        columns={
            "event_key": _KEY,
            "event_id": "event_id",
            "preference_at": f.at("at_micros"),
            "preference_date": f.tokyo_date("at_micros"),
            "member_id": "member",
            "cookie_id": "cookie",
            "choice": "choice",
            "scope": "scope",
            "recipient_id": "recipient",
        },
    )
