"""Writes a sample: landing folders, one a day, all sources, the same bytes for the same arguments.

What belongs here: the order of things. What does not: how any of them is made.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from quorum.errors import UsageError
from quorum.sample import traps as planted
from quorum.sample.access_files import write_access
from quorum.sample.ad_files import make_texts, write_ads
from quorum.sample.ads import make_ad_day
from quorum.sample.audience import expected_impressions, make_audience
from quorum.sample.catalogue import make_campaigns, make_recipients
from quorum.sample.desk import make_clients, write_desk
from quorum.sample.logins import make_logins, write_logins
from quorum.sample.members import arrivals, make_pool, write_members
from quorum.sample.others import write_others
from quorum.sample.people import make_people
from quorum.sample.reference import write_reference
from quorum.sample.traffic import make_traffic_day

_AD_SHARE = (3, 4)  # of the events of a day; the rest are requests
_CATALOGUE_CHANGES_ON = 3
_LEAST_MEMBERS, _LEAST_EVENTS = 100, 1000


def write_sample(
    out: Path,
    *,
    last: date,
    days: int,
    members: int,
    events: int,
    campaigns: int,
    recipients: int,
    ctr: float,
    seed: int,
    traps: bool = False,
) -> None:
    """Write the landing folders of a synthetic portal.

    Args:
        out: the landing folder; gets one folder a day, ``<date>/<source>/...``.
        last: the last day.
        days: how many days, 1 or more.
        members: registered members; there are 6.7 cookies for each, and seven of ten log in.
        events: a day, exactly: three quarters advertisement events (fewer where there are not people enough to see
            them), the rest lines of access logs. Traps come on top.
        campaigns: sizes follow Zipf's law (s = 1).
        recipients: 5 or more: two information providers, a service provider, the site, the others advertisers.
        ctr: clicks per impression, 0 to 0.5.
        seed: the same arguments give the same bytes.
        traps: whether to plant what `quorum.sample.traps` lists.

    Raises:
        UsageError: a number is out of range, or a folder of one of the days exists already: real logs may lie there.
    """
    dates = [last - timedelta(days=back) for back in range(days - 1, -1, -1)]
    _check(out, dates, members, events, campaigns, ctr)
    people = make_people(members, seed)
    receivers = make_recipients(recipients)
    booked = make_campaigns(campaigns, receivers, dates[0], last, seed)
    if traps:
        planted.check_room(days, campaigns)
        booked = planted.with_formula(booked)
    texts = make_texts(people, tuple(booked))
    audience = make_audience(people, booked, ctr, seed, planted.CERTAIN if traps else ())
    pool = make_pool(seed)
    landed = arrivals(people, days, seed)
    clients = make_clients(people, pool, landed, dates[0], days, seed)
    logins = make_logins(people, days, seed)
    advertisers = [each.recipient_id for each in receivers if each.kind == "advertiser"]
    ad_events = events * _AD_SHARE[0] // _AD_SHARE[1]
    expected = expected_impressions(audience, people.present(seed, dates[0].toordinal()), ad_events, ctr)

    for number, day in enumerate(dates):
        landing = out / day.isoformat()
        if number in (0, _CATALOGUE_CHANGES_ON):
            known = booked if number else [each for each in booked if each.starts_on <= dates[0] + timedelta(days=2)]
            write_reference(landing / "reference", receivers, known, expected)
        write_members(landing / "members", people, pool, landed[number], day, number, seed)
        write_logins(landing / "logins", people, logins, number, day)
        present = people.present(seed, day.toordinal())
        shown = make_ad_day(audience, day, present, ad_events, ctr, seed)
        write_ads(landing / "ads", texts, day, shown, parquet=number % 3 != 1, seed=seed)
        traffic = make_traffic_day(people, day, present, max(0, events - len(shown)), seed)
        del shown
        write_access(landing / "access", people, day, traffic)
        write_others(landing, people, day, present, seed)
        write_desk(landing, clients, people, number, day, advertisers[0], seed)
    if traps:
        planted.plant(out, dates, people, booked, seed)


def _check(out: Path, dates: list[date], members: int, events: int, campaigns: int, ctr: float) -> None:
    if not dates:
        raise UsageError("sample.days", "no days", "1 or more")
    if members < _LEAST_MEMBERS:
        raise UsageError("sample.members", f"{members} members", f"{_LEAST_MEMBERS} or more")
    if events < _LEAST_EVENTS:
        raise UsageError("sample.events", f"{events} events a day", f"{_LEAST_EVENTS} or more")
    if campaigns < 1:
        raise UsageError("sample.campaigns", f"{campaigns} campaigns", "1 or more")
    if not 0 <= ctr <= 0.5:
        raise UsageError("sample.ctr", f"{ctr} clicks per impression", "0 to 0.5")
    taken = [day for day in dates if (out / day.isoformat()).exists()]
    if taken:
        raise UsageError("sample.out", f"{len(taken)} of the days have a folder there already", "an empty place")
