"""Transactions that partners report, as csv or Parquet: sealed with their amounts, and without them behind the vault.

What belongs here: the fields of a transaction, and that it has a receipt (clause C-03: who supplied it, and when). What
does not: how it is kept (`kept_events`), and bills.
"""

from __future__ import annotations

from datetime import date

from quorum.intake import fields as f
from quorum.intake.accounting import Accounting
from quorum.intake.batches import Declared, Format, RecordReason
from quorum.intake.context import Intake
from quorum.intake.kept_events import Kept, take_in_kept

SOURCE = "partners"
DECLARED = Declared(
    fields=("receipt_id", "partner_id", "member_id", "ts", "item_category", "amount_micros", "billed_micros"),
    formats=frozenset({Format.CSV, Format.PARQUET}),
    required=frozenset({"partner_id", "member_id", "ts"}),
    numbers=frozenset({"amount_micros", "billed_micros"}),
)

_KEY = "left(sha256(partner_id || ' ' || receipt_id), 32)"  # no partner_id has a space
_ITEM = r"[\p{L}\p{M}\p{N}][\p{L}\p{M}\p{N} ・･&＆/／_.,、():（）+-]{0,63}"


def take_in_partners(intake: Intake, night: date) -> list[Accounting]:
    """Take in the night's transactions into ``vault__partner_transaction`` (sealed).

    A record needs every field. Amounts are whole micro-yen from 0. The category of goods goes on as it is, so it must
    look like one.

    Returns:
        The accounting of each file, in order. A record without a receipt is quarantined as ``missing_receipt``. A
        receipt of the same partner that is stored in any night counts as duplicate, whatever its date says now.
    """
    kept = Kept(
        source=SOURCE,
        declared=DECLARED,
        statement=_statement(night),
        table="vault__partner_transaction",
        identity=("partner_id", "receipt_id"),
        key=_KEY,
        day="transaction_date",
        plain=("item_category", "partner_id"),
    )
    return take_in_kept(intake, night, kept)


def _statement(night: date) -> str:
    return f.judging_statement(
        prepared={
            "at_micros": f.micros("ts"),
            "amount": f.count("amount_micros"),
            "billed": f.count("billed_micros"),
        },
        checks=(
            f.Check("coalesce(trim(receipt_id), '') IN ('', '-')", RecordReason.MISSING_RECEIPT),
            f.missing("partner_id", "member_id", "ts", "item_category", "amount_micros", "billed_micros"),
            f.bad_instant("at_micros", night),
            f.bad_identity("receipt_id", "member_id"),
            f.Check("receipt_id <> trim(receipt_id)", RecordReason.BAD_ID),
            f.bad_code("partner_id"),
            f.bad_code("item_category", pattern=_ITEM),
            f.bad_digits("item_category"),
            f.identifying(),
            f.unread("amount_micros", "amount"),
            f.unread("billed_micros", "billed"),
        ),
        columns={
            "event_key": _KEY,
            "receipt_id": "receipt_id",
            "partner_id": "partner_id",
            "member_id": "member_id",
            "transaction_at": f.at("at_micros"),
            "transaction_date": f.tokyo_date("at_micros"),
            "item_category": "item_category",
            "amount_micros": "amount",
            "billed_micros": "billed",
        },
    )
