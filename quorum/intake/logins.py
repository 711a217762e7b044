"""Logins, as JSON lines: from the instant of a login a cookie belongs to a member.

What belongs here: the fields of a login. What does not: how it is kept (`kept_events`), and the spans that follow from
logins (``pseudo__login_link``).
"""

from __future__ import annotations

from datetime import date

from quorum.intake import fields as f
from quorum.intake.accounting import Accounting
from quorum.intake.batches import Declared, Format
from quorum.intake.context import Intake
from quorum.intake.kept_events import Kept, take_in_kept

SOURCE = "logins"
DECLARED = Declared(fields=("event_id", "ts", "cookie_id", "member_id"), formats=frozenset({Format.JSON}))

_EARLY_DAYS = 1
_KEY = "left(sha256(event_id), 32)"


def take_in_logins(intake: Intake, night: date) -> list[Accounting]:
    """Take in the night's logins into ``vault__login`` (sealed).

    Returns:
        The accounting of each file, in order. An ``event_id`` that was there before, tonight or in a night since the
        day before its date, counts as duplicate. One that escapes so does no harm: the same login twice is one link.
    """
    kept = Kept(
        source=SOURCE,
        declared=DECLARED,
        statement=_statement(night),
        table="vault__login",
        identity=("event_id",),
        key=_KEY,
        day="login_date",
        early_days=_EARLY_DAYS,
    )
    return take_in_kept(intake, night, kept)


def _statement(night: date) -> str:
    return f.judging_statement(
        prepared={"at_micros": f.micros("ts")},
        checks=(
            f.missing("event_id", "ts", "cookie_id", "member_id"),
            f.bad_instant("at_micros", night),
            f.bad_identity("event_id", "cookie_id", "member_id"),
        ),
        columns={
            "event_key": _KEY,
            "event_id": "event_id",
            "login_at": f.at("at_micros"),
            "login_date": f.tokyo_date("at_micros"),
            "cookie_id": "cookie_id",
            "member_id": "member_id",
        },
    )
