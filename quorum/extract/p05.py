"""Addresses of notices (P-05): who is addressed, without the stop list, each person once for a message.

What belongs here: the one crossing from segments, entered in the ledger; judging addresses; counting who is not
reached. What does not: who is in a segment (`quorum.extract.p01`), sending.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from quorum.desk import Desk
from quorum.errors import PolicyError
from quorum.extract.result import Check, Checked, Make

PURPOSE = "P-05"
CROSSING = "crossing"
"""Kind of the ledger's entries of what one purpose takes from another."""

_ADDRESSED = "addressed"
_PART = r"[^\s@,;:<>()\[\]\"\\]"
_EMAIL = re.compile(rf"{_PART}{{1,64}}@{_PART}{{1,253}}[.]{_PART}{{2,}}")
_UNPRINTED = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


def addressees(desk: Desk, night: date) -> pa.Table:
    """Return whom the notices of a night address; what comes from segments is entered in the ledger first.

    Args:
        desk: who acts.
        night: the night.

    Raises:
        PolicyError: the night has no stop list: nobody may be taken for somebody who wants notices.
    """
    _check_stop_list(desk, night)
    found = desk.engine.run("p05__addressee", night)
    crossed = Counter(
        segment
        for segment, person in zip(*(found[name].to_pylist() for name in ("segment_id", "person_key")), strict=True)
        if segment is not None and person is not None
    )
    if crossed:
        desk.ledger.append(
            CROSSING,
            {
                "who": desk.actor.name,
                "role": desk.actor.role,
                "night": night.isoformat(),
                "purpose": PURPOSE,
                "from": "p01__segment_assignment",
                "by": "segment_id",
                "people_n": dict(sorted(crossed.items())),
            },
        )
    return found


def mailing_list(desk: Desk, night: date, rows: pa.Table) -> Checked:
    """Keep the rows with an e-mail address, and tell who is not reached.

    Args:
        desk: stop list and notices are read through it.
        night: the night.
        rows: ``p05__mailing_list``.

    Returns:
        The rows with an address that is one; and how many notices or people are left out: ``bad_address``,
        ``no_address`` (of people whom e-mail was to reach), ``stopped``, ``no_message``, ``no_channel``,
        ``not_in_segment``, ``no_addressee``.

    Raises:
        PolicyError: the night has no stop list, somebody of it is among them, or one person twice for a message.

    Guarantee: nobody who wants no notices, nobody twice for a message, no attribute.
    Source: clause P-05.
    """
    _check_people(desk, night, rows)
    judged = desk.engine.run("p05__addressee", night)
    refused = Counter(judged["outcome"].to_pylist())
    del refused[_ADDRESSED]
    is_email = pa.array([_EMAIL.fullmatch(address) is not None for address in rows["address"].to_pylist()], pa.bool_())
    refused["bad_address"] = rows.num_rows - int(pc.sum(is_email).as_py() or 0)
    refused["no_address"] = len(_wanted(judged, "email") - _reached(desk, night, "p05__mailing_list") - _people(rows))
    return Checked(rows.filter(is_email), +refused)


def postal_list(desk: Desk, night: date, rows: pa.Table) -> Checked:
    """Keep the rows with a postal address, and tell who is not reached.

    Args:
        desk: stop list, notices and who gets e-mail are read through it.
        night: the night.
        rows: ``p05__postal_list``.

    Returns:
        The rows with an address that can be printed; and how many people are left out: ``bad_address``, ``no_address``.

    Raises:
        PolicyError: as for `mailing_list`.
    """
    _check_people(desk, night, rows)
    judged = desk.engine.run("p05__addressee", night)
    reached = _reached(desk, night, "p05__postal_list") | _people(
        desk.store.read("p05__mailing_list", night, "history", purpose=PURPOSE)
    )
    is_printed = pa.array([not _UNPRINTED.search(address) for address in rows["address"].to_pylist()], pa.bool_())
    refused = Counter(bad_address=rows.num_rows - int(pc.sum(is_printed).as_py() or 0))
    refused["no_address"] = len(_wanted(judged, "post") - reached - _people(rows))
    return Checked(rows.filter(is_printed), +refused)


def _check_stop_list(desk: Desk, night: date) -> None:
    if not desk.store.files("pseudo__stop", night):
        raise PolicyError("mail.stop_list", f"notices of {night} without a stop list", "after pseudo__stop is made")


def _check_people(desk: Desk, night: date, rows: pa.Table) -> None:
    _check_stop_list(desk, night)
    stops = desk.store.read("pseudo__stop", night)
    stopped = {*stops.filter(pc.equal(stops["purpose"], PURPOSE))["person_key"].to_pylist()}
    if stopped & {*rows["person_key"].to_pylist()}:
        raise PolicyError(
            "mail.stop", "a notice to somebody of the stop list", "people who want notices", "nothing is listed tonight"
        )
    if len(_people(rows)) != rows.num_rows:
        raise PolicyError("mail.twice", "one person twice for a message", "once each", "nothing is listed tonight")


def _wanted(judged: pa.Table, channel: str) -> set[tuple[str, str]]:
    is_wanted = pc.and_(pc.equal(judged["outcome"], _ADDRESSED), pc.equal(judged["channel"], channel))
    return _people(judged.filter(is_wanted))


def _reached(desk: Desk, night: date, table: str) -> set[tuple[str, str]]:
    """Return whom earlier nights have listed."""
    listed = desk.store.read(table, night, "history", purpose=PURPOSE)
    return _people(listed.filter(pc.less(listed["listed_on"], night)))


def _people(rows: pa.Table) -> set[tuple[str, str]]:
    return {*zip(rows["message_id"].to_pylist(), rows["person_key"].to_pylist(), strict=True)}


GIVEN: Mapping[str, Make] = MappingProxyType({"p05__addressee": addressees})
CHECKS: Mapping[str, Check] = MappingProxyType({"p05__mailing_list": mailing_list, "p05__postal_list": postal_list})
AFTER: Mapping[str, tuple[str, ...]] = MappingProxyType(
    dict.fromkeys(CHECKS, ("vault__notice", "p01__segment_assignment", "pseudo__stop"))
)
