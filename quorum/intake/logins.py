"""Logins, as JSON lines: from the instant of a login a cookie belongs to a member.

What belongs here: the fields of a login, sealed as they landed and under pseudonyms. What does not: the spans that
follow from logins (``pseudo__login_link``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from quorum.intake import fields as f
from quorum.intake.accounting import Accounting
from quorum.intake.batches import Declared, Format, Tally, sliced
from quorum.intake.context import Intake
from quorum.intake.files import landed_files, record
from quorum.intake.records import read_records
from quorum.intake.sealed import sealed_lines
from quorum.intake.seen import SeenKeys, keys_of

SOURCE = "logins"
DECLARED = Declared(fields=("event_id", "ts", "cookie_id", "member_id"), formats=frozenset({Format.JSON}))

_EARLY_DAYS = 1
_KEY = "left(sha256(event_id), 32)"  # of an identity that stays in memory: it need not be keyed


def take_in_logins(intake: Intake, night: date) -> list[Accounting]:
    """Take in the night's logins into ``vault__login`` (sealed) and ``pseudo__login``.

    A login has its instant, so it lies in the night it lands in whatever its date; waiting and late are only counted.

    Args:
        intake: the surroundings.
        night: the night; running it again gives the same partitions.

    Returns:
        The accounting of each file, in order. An ``event_id`` that was there before, tonight or in a night since the
        day before its date, counts as duplicate. One that escapes so does no harm: the same login twice is one link.
    """
    tallies = []
    seen = _Seen(intake, night)
    statement = _statement(night)
    with (
        sealed_lines(intake, SOURCE, night) as sealed,
        intake.store.writer("vault__login", night) as vault,
        intake.store.writer("pseudo__login", night) as pseudo,
    ):
        for landed in landed_files(intake, SOURCE, night):
            tally = Tally(landed)
            tallies.append(tally)
            for batch in read_records(intake, tally, DECLARED, sealed):
                logins = seen.drop_duplicates(f.judge(intake.engine, statement, batch, tally, sealed), tally)
                if logins.num_rows:
                    logins = logins.append_column(
                        "file_n", pa.repeat(pa.scalar(landed.file_n, pa.int32()), len(logins))
                    )
                    vault.write(logins)
                    pseudo.write(intake.engine.run("pseudo__login", night, {"vault__login": sliced(logins)}))
                    tally.loaded += logins.num_rows
                    tally.waiting += _count(pc.greater(logins["login_date"], night))
                    tally.late += _count(pc.less(logins["login_date"], night))
    return [record(intake, tally.landed, tally.accounting()) for tally in tallies]


class _Seen:
    """The identities of logins that are stored where a login could be, and of those that were taken in tonight."""

    def __init__(self, intake: Intake, night: date) -> None:
        self._intake, self._night, self._first = intake, night, night
        self._keys = SeenKeys()

    def drop_duplicates(self, logins: pa.Table, tally: Tally) -> pa.Table:
        if not logins.num_rows:
            return logins.drop_columns(["event_key"])
        first = min(pc.min(logins["login_date"]).as_py(), self._night) - timedelta(days=_EARLY_DAYS)
        self._know(day for day in self._intake.store.nights("vault__login") if first <= day < self._first)
        self._first = min(first, self._first)
        is_new = self._keys.add_new(keys_of(logins["event_key"]))
        tally.duplicate += int(len(is_new) - is_new.sum())
        return logins.filter(pa.array(is_new)).drop_columns(["event_key"])

    def _know(self, days: Iterable[date]) -> None:
        for day in days:
            stored = self._intake.store.read("vault__login", day).select(["event_id"])
            keys = self._intake.engine.query(f"SELECT {_KEY} AS event_key FROM stored", {"stored": sliced(stored)})
            self._keys.add(keys_of(keys["event_key"]))


def _count(flags: pa.ChunkedArray) -> int:
    return int(pc.sum(flags).as_py() or 0)


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
