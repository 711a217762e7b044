r"""Judging fields: texts become typed columns, or the record gets the first reason that fits.

A source states its columns and its checks as expressions over texts; one statement then judges a whole batch. The
statements run on rows in memory, in the database that may see the vault. They are not in ``sql/``: they make no table.

What belongs here: what an instant, an identity, a code or a count looks like, in SQL. What does not: which fields a
source has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from quorum.intake.accounting import Reason
from quorum.intake.batches import Batch, RecordReason, Tally, sliced
from quorum.intake.records import reject
from quorum.intake.sealed import SealedLines

WAITING_DAYS = 366
"""An event may be dated so many days after the night; beyond that its clock is wrong, and a partition for each date
that a sender makes up would fill the disk."""

_TOKYO_MICROS = 9 * 3600 * 1_000_000  # no summer time since 1951
_TEXT_LIMIT = 1024
_INSTANT = (
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]+)?)?"
    r"(Z|[+-]([01][0-9]|2[0-3])(:?[0-5][0-9])?)"
)


class _Engine(Protocol):
    def query(self, sql: str, relations: Mapping[str, pa.Table], /) -> pa.Table: ...


class Check(NamedTuple):
    """When a record is bad.

    Args:
        is_bad: an expression over fields and prepared columns; null counts as false.
        reason: the code it then gets.
    """

    is_bad: str
    reason: str


def judging_statement(
    columns: Mapping[str, str], checks: Sequence[Check], prepared: Mapping[str, str] | None = None
) -> str:
    """Return the statement that judges ``record``.

    Args:
        columns: name of a typed column to its expression over fields and prepared columns.
        checks: in order; the first that fits gives the reason.
        prepared: name to expression over fields, for what several expressions need.
    """
    ready = "".join(f", {expression} AS {name}" for name, expression in (prepared or {}).items())
    typed = "".join(f", {expression} AS {name}" for name, expression in columns.items())
    reason = " ".join(f"WHEN {check.is_bad} THEN '{check.reason}'" for check in checks)
    return f"SELECT line_n{typed}, CASE {reason} END AS reason FROM (SELECT *{ready} FROM record)"


def judge(engine: _Engine, statement: str, batch: Batch, tally: Tally, sealed: SealedLines) -> pa.Table:
    """Judge a batch: the bad records are counted and sealed, the typed columns of the good ones returned in order."""
    judged = engine.query(statement, {"record": sliced(batch.rows)})
    is_good = pc.is_null(judged["reason"])
    bad = judged.filter(pc.invert(is_good)).select(["line_n", "reason"])
    if bad.num_rows:
        lines = batch.line_of(bad["line_n"].combine_chunks())
        reject(tally, sealed, bad.append_column("line", lines))
    return judged.filter(is_good).drop_columns(["reason"])


# -- expressions over texts


def missing(*fields: str) -> Check:
    """One of the fields is absent, null or empty."""
    return Check(" OR ".join(f"coalesce({field}, '') = ''" for field in fields), Reason.MISSING_FIELD)


def text(field: str) -> str:
    """The text, or null if it is empty; NUL, which not every engine can hold, becomes U+FFFD."""
    return f"nullif(replace({field}, chr(0), chr(65533)), '')"


def present(field: str) -> str:
    """The text, or null where a sender writes that there is none: empty or ``-``."""
    return f"nullif({text(field)}, '-')"


def micros(field: str) -> str:
    """Microseconds since 1970 of an instant in ISO 8601 with offset, 1970 to 2199; null for any other text."""
    spelt = f"replace(upper({field}), ',', '.')"
    instant = f"epoch_us(try_cast({spelt} AS TIMESTAMPTZ))"
    is_in_range = f"{spelt} BETWEEN '1970-01-02' AND '2199-12-31'"
    return f"CASE WHEN {is_in_range} AND regexp_full_match({spelt}, '{_INSTANT}') THEN {instant} END"


def at(instant: str) -> str:
    """The instant of microseconds, as a timestamp in UTC."""
    return f"make_timestamp({instant})"


def tokyo_date(instant: str) -> str:
    """The civil date in Asia/Tokyo of microseconds."""
    return f"CAST(make_timestamp({instant} + {_TOKYO_MICROS}) AS DATE)"


def tokyo_hour(instant: str) -> str:
    """The civil hour in Asia/Tokyo of microseconds."""
    return f"CAST((({instant} + {_TOKYO_MICROS}) // 3600000000) % 24 AS INTEGER)"


def bad_instant(instant: str, night: date) -> Check:
    """There is no instant, or it lies more than `WAITING_DAYS` after the night."""
    limit = f"DATE '{(night + timedelta(days=WAITING_DAYS)).isoformat()}'"
    return Check(f"{instant} IS NULL OR {tokyo_date(instant)} > {limit}", Reason.BAD_TIME)


def bad_identity(*fields: str) -> Check:
    """A text that is to be hashed is over-long, or holds a control character or one that was lost in decoding."""
    lost = r"[\x00-\x1f\x7f\x{FFFD}]"
    return Check(
        " OR ".join(f"length({f}) > {_TEXT_LIMIT} OR regexp_matches({f}, '{lost}')" for f in fields),
        RecordReason.BAD_ID,
    )


def bad_code(*fields: str, pattern: str = "[A-Za-z0-9_.:-]{1,64}") -> Check:
    """A text that goes on as it is does not look like a code: free text could carry a person."""
    return Check(" OR ".join(f"NOT regexp_full_match({f}, '{pattern}')" for f in fields), RecordReason.BAD_ID)


def bad_digits(*fields: str) -> Check:
    """A text that goes on as it is has five digits or more, together or apart: it could be a number of a person."""
    return Check(" OR ".join(rf"regexp_matches({f}, '(\p{{N}}.*){{5}}')" for f in fields), RecordReason.BAD_ID)


def identifying() -> Check:
    """A text that goes on as it is looks like what names a person; see `quorum.intake.kept_events.Kept`."""
    return Check("is_identifying", RecordReason.BAD_ID)


def count(field: str) -> str:
    """A whole number from 0 to 2^63 - 1, which may be written as ``5.0``; null for any other text."""
    digits = f"try_cast(split_part({field}, '.', 1) AS BIGINT)"
    return f"CASE WHEN regexp_full_match({field}, '[0-9]{{1,19}}([.]0+)?') THEN {digits} END"


def civil_date(field: str) -> str:
    """A date in ISO 8601; null for any other text."""
    return (
        f"CASE WHEN regexp_full_match({field}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') THEN try_cast({field} AS DATE) END"
    )


def unread(field: str, value: str) -> Check:
    """There is a text, but it gave no value."""
    return Check(f"nullif({field}, '') IS NOT NULL AND {value} IS NULL", Reason.BAD_VALUE)


def not_among(field: str, *allowed: str) -> Check:
    """A text outside a closed set."""
    terms = ", ".join(f"'{term}'" for term in allowed)
    return Check(f"{field} NOT IN ({terms})", Reason.BAD_VALUE)
