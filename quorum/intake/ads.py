"""Advertisement events: impressions, clicks and conversions, as JSON lines or Parquet.

What belongs here: the fields of an event and the way of a chunk from text to ``pseudo__ad_event``. What does not: where
an event counts (`quorum.intake.counting`) and what its pseudonyms are (``sql/``). The page is declared but never kept:
its query string may hold anything.
"""

from __future__ import annotations

from contextlib import ExitStack
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from quorum.intake import fields as f
from quorum.intake.access_fields import forwarded_address
from quorum.intake.accounting import Accounting
from quorum.intake.addresses import CLOSED_IPV4, IPV4
from quorum.intake.agents import parse_agents
from quorum.intake.ahead import ahead
from quorum.intake.batches import Declared, Format, Tally, sliced
from quorum.intake.context import Intake
from quorum.intake.counting import CountingNights
from quorum.intake.files import landed_files, record
from quorum.intake.records import read_records, without_cookies
from quorum.intake.sealed import sealed_lines

SOURCE = "ads"
DECLARED = Declared(
    fields=(
        *("event_id", "ts", "type", "campaign_id", "creative_id", "placement"),
        *("cookie_id", "value_micros", "ip", "user_agent"),
    ),
    dropped=("page_url",),
    formats=frozenset({Format.JSON, Format.PARQUET}),
    numbers=frozenset({"value_micros"}),
)
EVENT_TYPES = ("impression", "click", "conversion")


def take_in_ads(intake: Intake, night: date) -> list[Accounting]:
    """Take in the night's advertisement events into ``pseudo__ad_event``.

    A record needs all fields but ``cookie_id``, ``value_micros``, ``ip``, ``user_agent`` and ``page_url``. Campaign,
    creative and placement go on as they are, so they must look like codes. Of several addresses the first public one is
    the client's. A value is kept for conversions only.

    Args:
        intake: the surroundings.
        night: the night; running it again gives the same partitions.

    Returns:
        The accounting of each file, in order. An ``event_id`` that was there before, tonight or in a partition that
        could hold it, counts as duplicate.
    """
    tallies = []
    statement = _statement(night)
    with sealed_lines(intake, SOURCE, night) as sealed, ExitStack() as open_files:
        counting = CountingNights(intake.store, "pseudo__ad_event", night, open_files)
        for landed in landed_files(intake, SOURCE, night):
            tally = Tally(landed)
            tallies.append(tally)
            judged = (
                f.judge(intake.engine, statement, batch, tally, sealed)
                for batch in read_records(intake, tally, DECLARED, sealed)
            )
            for events in ahead(judged):
                if events.num_rows:
                    events = _pseudonymous(intake, night, landed.file_n, events)
                    counting.add(tally, without_cookies(intake.erased, events, "event_at", tally, sealed))
        counting.finish()
    return [record(intake, tally.landed, tally.accounting()) for tally in tallies]


def _pseudonymous(intake: Intake, night: date, file_n: int, events: pa.Table) -> pa.Table:
    """Return events under keyed pseudonyms, in order of lines."""
    events = events.append_column("file_n", pa.repeat(pa.scalar(file_n, pa.int32()), events.num_rows))
    events = events.append_column("ip", _clients(events)).drop_columns(["plain_ip", "other_ip"])
    agents = parse_agents(pc.unique(events["user_agent"]).to_pylist(), intake.policy)
    given = {"vault__ad_event": sliced(events), "vault__agent": agents}
    return intake.engine.run("pseudo__ad_event", night, given).sort_by("line_n")


def _clients(events: pa.Table) -> pa.Array:
    """Return the client's address of each event: as it stands where it is plain, else the first public one in it."""
    texts = events["other_ip"].combine_chunks().dictionary_encode()
    found = [None if text is None else forwarded_address(text) for text in texts.dictionary.to_pylist()]
    return pc.coalesce(events["plain_ip"].combine_chunks(), pa.array(found, pa.string()).take(texts.indices))


def _statement(night: date) -> str:
    return f.judging_statement(
        prepared={
            "at_micros": f.micros("ts"),
            "value": f.count("value_micros"),
            "cookie": f.present("cookie_id"),
            "is_plain": f"regexp_full_match(ip, '{IPV4}') AND NOT regexp_full_match(ip, '{CLOSED_IPV4}')",
        },
        checks=(
            f.missing("event_id", "ts", "type", "campaign_id", "creative_id", "placement"),
            f.bad_instant("at_micros", night),
            f.bad_identity("event_id", "cookie"),
            f.bad_code("campaign_id", "creative_id", "placement"),
            f.not_among("type", *EVENT_TYPES),
            f.unread("value_micros", "value"),
        ),
        columns={
            "event_id": "event_id",
            "event_at": f.at("at_micros"),
            "event_date": f.tokyo_date("at_micros"),
            "event_hour": f.tokyo_hour("at_micros"),
            "event_type": "type",
            "campaign_id": "campaign_id",
            "creative_id": "creative_id",
            "placement": "placement",
            "cookie_id": "cookie",
            "plain_ip": "CASE WHEN is_plain THEN ip END",
            "other_ip": f"CASE WHEN NOT is_plain THEN {f.present('ip')} END",
            "user_agent": f.present("user_agent"),
            "value_micros": "CASE WHEN type = 'conversion' THEN value END",
        },
    )
