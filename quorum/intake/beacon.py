"""Beacons, as JSON lines: page views that the portal's own pages report, taken from the portal's own hosts only.

They do not count as views: the same page is most often in the access log too, and nothing tells the two apart.

What belongs here: the fields of a beacon and the way of a chunk to ``pseudo__beacon``. What does not: whose a host is
(`hosts`), where an event counts (`counting`), its pseudonyms (``sql/``). Of the page's address only the path goes on.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from quorum.intake import fields as f
from quorum.intake.access_fields import forwarded_address
from quorum.intake.accounting import Accounting, Reason
from quorum.intake.agents import parse_agents
from quorum.intake.batches import Batch, Declared, Format, RecordReason, Tally, sliced
from quorum.intake.context import Intake
from quorum.intake.counting import CountingNights
from quorum.intake.files import landed_files, record
from quorum.intake.hosts import canonical_host, is_first_party, page_host, third_party_of
from quorum.intake.records import read_records, without_cookies
from quorum.intake.sealed import sealed_lines
from quorum.intake.third_parties import ThirdParties

SOURCE = "beacon"
DECLARED = Declared(
    fields=("event_id", "ts", "ip", "user_agent", "cookie_id", "page_url"), formats=frozenset({Format.JSON})
)

_HOSTS = "pseudo__first_party_host"
_PATH = r"^[A-Za-z]+://[^/?#]*(/[^?#]*)"


def take_in_beacon(intake: Intake, night: date) -> list[Accounting]:
    """Take in the night's beacons into ``pseudo__beacon``, and count the third parties among them.

    A record needs ``event_id``, ``ts`` and ``page_url``, an address with http or https. A page whose host is not the
    portal's (``pseudo__first_party_host`` of the night; without a list, every page) is quarantined as
    ``third_party_host``, before anything else is looked at.

    Args:
        intake: the surroundings.
        night: the night; running it again gives the same partitions.

    Returns:
        The accounting of each file, in order. An ``event_id`` that was there before, tonight or in a partition that
        could hold it, counts as duplicate.
    """
    tallies = []
    statement, third_parties = _statement(night), ThirdParties("host")
    declared_hosts = [canonical_host(host) for host in intake.store.read(_HOSTS, night)["host"].to_pylist()]
    first_party = tuple(host for host in declared_hosts if host)
    with sealed_lines(intake, SOURCE, night) as sealed, ExitStack() as open_files:
        counting = CountingNights(intake.store, "pseudo__beacon", night, open_files)
        for landed in landed_files(intake, SOURCE, night):
            tally = Tally(landed)
            tallies.append(tally)
            for received in read_records(intake, tally, DECLARED, sealed):
                batch = _with_hosts(received, first_party)
                third_parties.add(batch.rows["third_party"])
                beacons = f.judge(intake.engine, statement, batch, tally, sealed)
                if beacons.num_rows:
                    beacons = _pseudonymous(intake, night, landed.file_n, beacons)
                    counting.add(tally, without_cookies(intake.erased, beacons, "event_at", tally, sealed))
        counting.finish()
    third_parties.write(intake.store, night, SOURCE)
    return [record(intake, tally.landed, tally.accounting()) for tally in tallies]


def _with_hosts(batch: Batch, first_party: tuple[str, ...]) -> Batch:
    """Add the host of each page, and its owner's name if that is a third party."""
    pages = batch.rows["page_url"].combine_chunks().dictionary_encode()
    hosts = pa.array([page_host(url) for url in pages.dictionary.to_pylist()], pa.string()).take(pages.indices)
    distinct = hosts.dictionary_encode()
    owners = [None if is_first_party(h, first_party) else third_party_of(h) for h in distinct.dictionary.to_pylist()]
    third = pa.array(owners, pa.string()).take(distinct.indices)
    return replace(batch, rows=batch.rows.append_column("page_host", hosts).append_column("third_party", third))


def _pseudonymous(intake: Intake, night: date, file_n: int, beacons: pa.Table) -> pa.Table:
    """Return beacons under keyed pseudonyms, in order of lines."""
    addresses = beacons["ip"].combine_chunks().dictionary_encode()
    clients = [forwarded_address(text) for text in addresses.dictionary.to_pylist()]
    beacons = beacons.drop_columns(["ip"])
    beacons = beacons.append_column("ip", pa.array(clients, pa.string()).take(addresses.indices))
    beacons = beacons.append_column("file_n", pa.repeat(pa.scalar(file_n, pa.int32()), beacons.num_rows))
    agents = parse_agents(pc.unique(beacons["user_agent"]).to_pylist(), intake.policy)
    given = {"vault__beacon": sliced(beacons), "vault__agent": agents}
    return intake.engine.run("pseudo__beacon", night, given).sort_by("line_n")


def _statement(night: date) -> str:
    path = f"regexp_extract(page_url, '{_PATH}', 1)"
    return f.judging_statement(
        prepared={"at_micros": f.micros("ts"), "cookie": f.present("cookie_id")},
        checks=(
            f.Check("third_party IS NOT NULL", RecordReason.THIRD_PARTY_HOST),
            f.missing("event_id", "ts", "page_url"),
            f.Check("page_host IS NULL", Reason.BAD_VALUE),
            f.bad_instant("at_micros", night),
            f.bad_identity("event_id", "cookie"),
        ),
        columns={
            "event_id": "event_id",
            "event_at": f.at("at_micros"),
            "event_date": f.tokyo_date("at_micros"),
            "event_hour": f.tokyo_hour("at_micros"),
            "ip": f.present("ip"),
            "cookie_id": "cookie",
            "page_host": "page_host",
            "path": f"coalesce(nullif({path}, ''), '/')",
            "user_agent": f.present("user_agent"),
        },
    )
